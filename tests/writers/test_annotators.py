"""Prodigy and Label Studio: what is exported, corrected and read back is what was corrected."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.document import Document, check
from pipeline import evaluate
from pipeline.errors import UsageError
from pipeline.writers import labelstudio, prodigy
from pipeline.writers.regions import Link, Region, Task, document_of, task_of

WIKINEWS = Path(__file__).parent.parent / "review" / "wikinews" / "documents.jsonl"


def documents() -> list[Document]:
    return [Document.from_json(line) for line in WIKINEWS.read_bytes().splitlines()]


def accepted(path: Path) -> Path:
    """As if every Prodigy task had been accepted as it was."""
    rows = [{**orjson.loads(line), "answer": "accept"} for line in path.read_bytes().splitlines()]
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return path


def submitted(path: Path) -> Path:
    """As if every Label Studio prediction had been submitted as it was."""
    rows = orjson.loads(path.read_bytes())
    for row in rows:
        row["annotations"] = [{"id": 1, "was_cancelled": False, "result": row["predictions"][0]["result"]}]
    path.write_bytes(orjson.dumps(rows))
    return path


def said(document: Document) -> dict[str, Any]:
    """What a person can see and correct of a document."""
    places = {quote.id: (quote.start, quote.end) for quote in document.quotes}
    return {
        "id": document.id,
        "text": document.text,
        "published": document.meta.published,
        "entities": sorted(
            (e.label, e.name, tuple((m.start, m.end, m.text, m.kind) for m in e.mentions)) for e in document.entities
        ),
        "dates": [(d.start, d.end, d.text, d.type, d.value, d.mod) for d in document.dates],
        "quotes": [
            (q.type, q.kind, tuple((p.start, p.end) for p in q.parts), q.cue and q.cue.text, q.source and q.source.text)
            for q in document.quotes
        ],
        "attributions": [
            (places[a.quote], a.speaker and (a.speaker.start, a.speaker.end, a.speaker.text), a.name)
            for a in document.attributions
        ],
        "topics": [(t.qcode, t.label, t.uri, t.path) for t in document.topics],
    }


def test_prodigy_tasks_come_back_as_they_went(tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    assert prodigy.write(documents(), path) == 5
    back = list(prodigy.read_gold(accepted(path)))
    assert [said(d) for d in back] == [said(d) for d in documents()]
    assert [check(d) for d in back] == [[]] * 5


def test_label_studio_tasks_come_back_as_they_went(tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    assert labelstudio.write(documents(), path) == 5
    back = list(labelstudio.read_gold(submitted(path)))
    assert [said(d) for d in back] == [said(d) for d in documents()]
    assert [check(d) for d in back] == [[]] * 5


def test_every_span_begins_and_ends_at_a_token_and_tokens_make_the_text(tmp_path: Path) -> None:
    prodigy.write(documents(), tmp_path / "tasks.jsonl")
    for line in (tmp_path / "tasks.jsonl").read_bytes().splitlines():
        task = orjson.loads(line)
        tokens = task["tokens"]
        assert "".join(t["text"] + " " * t["ws"] for t in tokens) == task["text"]
        assert [t["id"] for t in tokens] == list(range(len(tokens)))
        for span in task["spans"]:
            assert tokens[span["token_start"]]["start"] == span["start"]
            assert tokens[span["token_end"]]["end"] == span["end"]
        assert len({(s["start"], s["end"], s["label"]) for s in task["spans"]}) == len(task["spans"])
        for relation in task["relations"]:
            for side in ("head", "child"):
                assert relation[side] == relation[f"{side}_span"]["token_end"]
        assert set(task["accept"]) <= {option["id"] for option in task["options"]}


def test_the_labelling_interface_has_all_that_results_are_from(tmp_path: Path) -> None:
    labelstudio.write(documents(), tmp_path / "tasks.json")
    view = ElementTree.parse(tmp_path / "tasks.xml").getroot()
    names = {tag.get("name"): tag for tag in view.iter() if tag.get("name")}
    labels = {tag.get("value") for tag in names["label"]}
    relations = {tag.get("value") for tag in view.iter("Relation")}
    for row in orjson.loads((tmp_path / "tasks.json").read_bytes()):
        regions = {r["id"] for r in row["predictions"][0]["result"] if r["type"] == "labels"}
        topics = {topic["alias"] for topic in row["data"]["topics"]}
        for result in row["predictions"][0]["result"]:
            value = result.get("value", {})
            if result["type"] == "relation":
                assert {result["from_id"], result["to_id"]} <= regions
                assert set(result["labels"]) <= relations
                continue
            assert names[result["to_name"]].get("value") == "$text"
            control = names[result["from_name"]]
            assert {"labels": "Labels", "choices": "Choices", "textarea": "TextArea"}[result["type"]] == control.tag
            if result["type"] == "labels":
                assert set(value["labels"]) <= labels
                assert row["data"]["text"][value["start"] : value["end"]] == value["text"]
            elif result["from_name"] == "topic":
                assert set(value["choices"]) <= topics
            elif result["type"] == "choices":
                assert set(value["choices"]) <= {choice.get("value") for choice in control}
                assert control.get("perRegion") == "true"


TEXT = 'Anna Berg met Lee in Oslo on Friday. "We agreed," Berg said.'


def story() -> Document:
    def at(words: str, nth: int = 0) -> dict[str, Any]:
        start = -1
        for _ in range(nth + 1):
            start = TEXT.index(words, start + 1)
        return {"start": start, "end": start + len(words), "text": words}

    quote = at('"We agreed,"')
    return Document.from_dict(
        {
            "id": "a",
            "schema": 1,
            "text": TEXT,
            "entities": [
                {"id": "e1", "label": "PERSON", "name": "Anna Berg", "mentions": [at("Anna Berg"), at("Berg", 1)]},
                {"id": "e2", "label": "PERSON", "name": "Lee", "mentions": [at("Lee")]},
                {"id": "e3", "label": "GPE", "name": "Oslo", "mentions": [at("Oslo")]},
            ],
            "dates": [{**at("Friday"), "id": "d1", "type": "DATE", "value": "2025-03-28"}],
            "quotes": [
                {
                    "id": "q1",
                    "start": quote["start"],
                    "end": quote["end"],
                    "type": "direct",
                    "kind": "speech",
                    "parts": [quote],
                    "cue": at("said"),
                    "source": at("Berg", 1),
                    "confidence": 1,
                }
            ],
            "attributions": [
                {"quote": "q1", "speaker": at("Berg", 1), "name": "Anna Berg", "method": "name", "confidence": 1}
            ],
            "topics": [],
        }
    )


def corrected_prodigy(path: Path, change: Any, answer: str = "accept") -> Path:
    prodigy.write([story()], path)
    row = {**orjson.loads(path.read_bytes()), "answer": answer}
    change(row)
    path.write_bytes(orjson.dumps(row) + b"\n")
    return path


def test_what_is_corrected_in_prodigy_is_what_is_read(tmp_path: Path) -> None:
    def correct(row: dict[str, Any]) -> None:
        spans = {(s["start"], s["end"]): s for s in row["spans"] if s["label"] not in {"SOURCE", "QUOTE"}}
        spans[14, 17]["label"] = "ORG"
        row["spans"].remove(spans[21, 25])  # Oslo
        row["spans"].append({"start": 21, "end": 35, "token_start": 5, "token_end": 7, "label": "EVENT"})  # as drawn

    (document,) = prodigy.read_gold(corrected_prodigy(tmp_path / "t.jsonl", correct))
    assert [(e.label, e.name) for e in document.entities] == [
        ("PERSON", "Anna Berg"),
        ("ORG", "Lee"),
        ("EVENT", "Oslo on Friday"),
    ]
    assert [m.text for m in document.entities[0].mentions] == ["Anna Berg", "Berg"]
    assert document.attributions[0].name == "Anna Berg"
    assert document.attributions[0].entity == "e1"


def test_a_source_that_is_deleted_is_no_source(tmp_path: Path) -> None:
    def correct(row: dict[str, Any]) -> None:
        row["spans"] = [s for s in row["spans"] if s["label"] != "SOURCE"]
        for span in row["spans"]:
            span.pop("speaker", None)

    (document,) = prodigy.read_gold(corrected_prodigy(tmp_path / "t.jsonl", correct))
    assert document.quotes[0].source is None
    assert document.attributions == []


@pytest.mark.parametrize("answer", ["reject", "ignore"])
def test_tasks_that_were_not_accepted_are_no_gold(answer: str, tmp_path: Path) -> None:
    assert list(prodigy.read_gold(corrected_prodigy(tmp_path / "t.jsonl", lambda row: None, answer))) == []


def corrected_label_studio(path: Path, change: Any) -> Path:
    labelstudio.write([story()], path)
    (row,) = orjson.loads(path.read_bytes())
    row["annotations"] = [{"was_cancelled": False, "result": deepcopy(row["predictions"][0]["result"])}]
    change(row, row["annotations"])
    path.write_bytes(orjson.dumps([row]))
    return path


def test_what_is_corrected_in_label_studio_is_what_is_read(tmp_path: Path) -> None:
    def correct(row: dict[str, Any], annotations: list[Any]) -> None:
        results = annotations[0]["result"]
        for result in results:
            if result["from_name" if "from_name" in result else "type"] == "value":
                result["value"]["text"] = ["2025-04-04"]
        # The second mention of Berg is no longer tied to the first: two persons.
        annotations[0]["result"] = [r for r in results if r.get("labels") != ["coref"]]

    (document,) = labelstudio.read_gold(corrected_label_studio(tmp_path / "t.json", correct))
    assert document.dates[0].value == "2025-04-04"
    assert [e.name for e in document.entities] == ["Anna Berg", "Lee", "Oslo", "Berg"]


def test_of_several_annotations_the_ground_truth_counts_else_the_last_that_was_not_cancelled(tmp_path: Path) -> None:
    def three(row: dict[str, Any], annotations: list[Any]) -> None:
        annotations += [{"was_cancelled": False, "result": []}, {"was_cancelled": True, "result": [{"broken": 1}]}]

    def truth(row: dict[str, Any], annotations: list[Any]) -> None:
        three(row, annotations)
        annotations[0]["ground_truth"] = True

    (document,) = labelstudio.read_gold(corrected_label_studio(tmp_path / "t.json", three))
    assert (document.entities, document.quotes) == ([], [])
    (document,) = labelstudio.read_gold(corrected_label_studio(tmp_path / "t.json", truth))
    assert len(document.entities) == 3
    assert list(labelstudio.read_gold(corrected_label_studio(tmp_path / "t.json", lambda r, a: a.clear()))) == []


def test_offsets_that_a_browser_counted_are_understood(tmp_path: Path) -> None:
    text = "\N{GRINNING FACE}\N{GRINNING FACE} Oslo is cold"
    value = {"start": 5, "end": 9, "text": "Oslo", "labels": ["GPE"]}
    result = {"id": "x", "from_name": "label", "to_name": "text", "type": "labels", "value": value}
    path = tmp_path / "t.json"
    path.write_bytes(orjson.dumps([{"data": {"id": "a", "text": text}, "annotations": [{"result": [result]}]}]))
    (document,) = labelstudio.read_gold(path)
    assert (document.entities[0].mentions[0].start, document.entities[0].mentions[0].text) == (3, "Oslo")
    result["value"]["text"] = "Lima"
    path.write_bytes(orjson.dumps([{"data": {"id": "a", "text": text}, "annotations": [{"result": [result]}]}]))
    with pytest.raises(UsageError, match="task 1: the text at 5 to 9 is not 'Lima'"):
        list(labelstudio.read_gold(path))


def test_corrections_are_gold_for_evaluate(tmp_path: Path) -> None:
    prodigy.write(documents(), tmp_path / "p.jsonl")
    labelstudio.write(documents(), tmp_path / "l.json")
    for path in (accepted(tmp_path / "p.jsonl"), submitted(tmp_path / "l.json")):
        evaluation = evaluate(path, WIKINEWS)
        assert {"entities", "dates", "quotes", "attribution", "topics"} <= set(evaluation.stages)
        assert {scores.headline.f for scores in evaluation.stages.values()} == {1.0}
    assert "coreference" in evaluation.stages


def test_only_sections_that_were_looked_at_are_gold(tmp_path: Path) -> None:
    rows = [orjson.loads(line) for line in WIKINEWS.read_bytes().splitlines()]
    only = [Document.from_dict({key: row[key] for key in ("id", "schema", "text", "dates")}) for row in rows]
    prodigy.write(only, tmp_path / "p.jsonl")
    assert list(evaluate(accepted(tmp_path / "p.jsonl"), WIKINEWS).stages) == ["dates"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("t.jsonl", '{"answer": "accept", "spans": []}', "line 1: not a Prodigy task: has no 'text'"),
        (
            "t.jsonl",
            '{"answer": "accept", "text": "x", "spans": [{"start": 0, "end": 9, "label": "ORG"}]}',
            "does not lie",
        ),
        ("t.json", '[{"id": 1, "text": "x", "label": []}]', "JSON-MIN"),
        ("t.json", "[nonsense", "is not JSON"),
    ],
)
def test_exports_that_are_none_are_told(name: str, content: str, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(UsageError, match=says):
        evaluate(tmp_path / name, WIKINEWS)


LABELS = st.sampled_from(["PERSON", "GPE", "DATE"])
TEXTS = st.text(alphabet="ab .\n\N{GRINNING FACE}é\u200b“”", min_size=1, max_size=40)


@st.composite
def tasks(draw: Any) -> Task:
    text = draw(TEXTS)
    ranges = st.tuples(st.integers(0, len(text) - 1), st.integers(1, 8)).map(
        lambda r: (r[0], min(r[0] + r[1], len(text)))
    )
    found = draw(st.sets(st.tuples(ranges, LABELS), max_size=6))
    regions = [Region(f"r{n}", *place, label) for n, (place, label) in enumerate(sorted(found))]
    names = [r.id for r in regions if r.label != "DATE"]
    pairs = draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(names)), max_size=3)) if names else []
    return Task("a", text, ("entities", "dates"), regions=regions, links=[Link(a, b, "coref") for a, b in pairs])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(tasks())
def test_any_text_and_any_ranges_come_back(tmp_path: Path, task: Task) -> None:
    document = document_of(task)
    assert check(document) == []
    again = document_of(task_of(document))
    prodigy.write([document], tmp_path / "p.jsonl")
    labelstudio.write([document], tmp_path / "l.json")
    (one,) = prodigy.read_gold(accepted(tmp_path / "p.jsonl"))
    (other,) = labelstudio.read_gold(submitted(tmp_path / "l.json"))
    for back in (again, one, other):
        assert said(back) == said(again)
        assert [d.text for d in back.dates] == [d.text for d in document.dates]
    spans = {(m.start, m.end) for e in document.entities for m in e.mentions}
    assert {(m.start, m.end) for e in one.entities for m in e.mentions} == spans
