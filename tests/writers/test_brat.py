"""brat standoff: what is written is what brat takes, and is read back as it was."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from writers.stories import SAMPLES, documents, samples
from writers.test_annotators import said

from models.document import Document, Entity, Mention, Span, check
from pipeline import evaluate, export
from pipeline.errors import UsageError
from pipeline.writers import brat


def covered(text: str, spans: Iterable[Span]) -> frozenset[int]:
    """Offsets of what is annotated, but for line breaks, which brat's annotations do not hold."""
    return frozenset(n for span in spans for n in range(span.start, span.end) if text[n] not in "\r\n")


def told(document: Document) -> dict[str, Any]:
    text = document.text
    names = {quote.id: {a.name for a in document.attributions if a.quote == quote.id} for quote in document.quotes}
    sections: dict[str, list[Any]] = {
        "entities": [
            {(covered(text, [m]), m.kind) for m in e.mentions if covered(text, [m])} for e in document.entities
        ],
        "dates": [(covered(text, [d]), d.type, d.value) for d in document.dates if covered(text, [d])],
        "quotes": [
            (
                covered(text, q.parts),
                q.type,
                covered(text, [q.cue] if q.cue else []),
                covered(text, [q.source] if q.source else []),
                {" ".join(name.split()) for name in names[q.id] if name and name.strip()},
            )
            for q in document.quotes
            if covered(text, q.parts)
        ],
    }
    return {name: [item for item in items if item] for name, items in sections.items()}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(documents())
def test_any_text_and_any_ranges_come_back(tmp_path_factory: pytest.TempPathFactory, document: Document) -> None:
    folder = tmp_path_factory.mktemp("brat") / "out"
    brat.write([document], folder)
    [back] = brat.read_gold(folder)
    assert back.text == document.text
    assert check(back) == []
    assert {back.id, back.id.removesuffix(".txt")} & {document.id}
    assert told(back) == told(document)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(documents())
def test_every_line_is_as_brat_has_it(tmp_path_factory: pytest.TempPathFactory, document: Document) -> None:
    folder = tmp_path_factory.mktemp("brat") / "out"
    brat.write([document], folder)
    [path] = folder.rglob("*.ann")
    text = path.with_suffix(".txt").read_bytes().decode("utf-8-sig" if document.text.startswith("\ufeff") else "utf-8")
    ids = []
    for line in path.read_bytes().decode().split("\n")[:-1]:
        assert re.match(
            r"T\d+\t\w+ |R\d+\t\w+ Arg1:T\d+ Arg2:T\d+$|\*\tEquiv T\d+ T\d+|A\d+\t\w+ T\d+ \w+$|#\d+\t", line
        )
        if line.startswith("T"):
            id_, place, words = line.split("\t", 2)
            pairs = [tuple(map(int, pair.split())) for pair in place.split(" ", 1)[1].split(";")]
            assert words == " ".join(text[start:end] for start, end in pairs)
            ids.append(id_)
    assert len(set(ids)) == len(ids)


def test_a_mention_of_line_breaks_alone_still_ties_those_around_it(tmp_path: Path) -> None:
    text = "Oslo\r\nit"
    document = Document(id="a.txt", schema_=1, text=text)
    mentions = [Mention.of(text, 0, 4), Mention.of(text, 4, 6), Mention.of(text, 6, 8, kind="pronoun")]
    document.entities = [Entity(id="e1", label="GPE", name="Oslo", mentions=mentions)]
    brat.write([document], tmp_path / "brat")
    [back] = brat.read_gold(tmp_path / "brat")
    assert [[m.text for m in e.mentions] for e in back.entities] == [["Oslo", "it"]]


def test_the_samples_come_back_as_they_went(tmp_path: Path) -> None:
    assert export(SAMPLES, tmp_path / "brat", "brat") == 19
    back = {document.id: document for document in brat.read_gold(tmp_path / "brat")}
    kept = ("entities", "dates", "quotes", "attributions")
    for document in samples():
        one = back[document.id if document.id.endswith(".txt") else f"{document.id}.txt"]
        assert check(one) == []
        before, after = said(document), said(one)
        for name in kept[:3]:
            assert after[name] == before[name], (document.id, name)
        assert sorted(after["attributions"], key=str) == sorted(
            (a for a in before["attributions"] if a[1] or a[2]), key=str
        )


def test_what_is_exported_is_gold_for_evaluate(tmp_path: Path) -> None:
    export(SAMPLES, tmp_path / "brat", "brat")
    evaluation = evaluate(tmp_path / "brat", SAMPLES)
    assert (evaluation.stories, evaluation.absent) == (19, ())
    assert list(evaluation.stages) == ["entities", "coreference", "dates", "quotes", "attribution"]
    assert {scores.headline.f for scores in evaluation.stages.values()} == {1.0}


def test_what_is_corrected_is_what_is_read(tmp_path: Path) -> None:
    export(SAMPLES, tmp_path / "brat", "brat")
    path = tmp_path / "brat" / "afp-2025-03-28-museum-drawings.ann"
    before = path.read_text("utf-8")
    assert "GPE 36 41\tParis" in before
    path.write_text(before.replace("GPE 36 41\tParis", "FAC 36 41\tParis"), encoding="utf-8")
    [document] = [each for each in brat.read_gold(tmp_path / "brat") if each.id.startswith("afp")]
    assert {e.name: e.label for e in document.entities}["Paris"] == "FAC"


def test_brat_knows_every_label_and_relation(tmp_path: Path) -> None:
    export(SAMPLES, tmp_path / "brat", "brat")
    known = (tmp_path / "brat" / "annotation.conf").read_text("utf-8")
    sections = dict(re.findall(r"\[(\w+)\]\n((?:[^\[].*\n)*)", known))
    assert list(sections) == ["entities", "relations", "events", "attributes"]
    first = {name: {line.split()[0] for line in body.splitlines()} for name, body in sections.items()}
    for path in (tmp_path / "brat").rglob("*.ann"):
        for line in path.read_text("utf-8").splitlines():
            where = {"T": "entities", "R": "relations", "*": "relations", "A": "attributes"}.get(line[0])
            assert where is None or line.split("\t")[1].split()[0] in first[where], line


def test_ids_never_leave_the_folder_and_never_meet(tmp_path: Path) -> None:
    ids = ["../../etc/passwd", "/etc/passwd", "a", "a.txt", "A.TXT", "x\ny", "n" * 300, "nul\\con:", "é/ü", "50%20", ""]
    found = [Document(id=id_, schema_=1, text=f"text {n}") for n, id_ in enumerate(ids)]
    assert brat.write(found, tmp_path / "in" / "brat") == len(ids)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["brat"]
    back = {document.text: document.id.removesuffix(".txt") for document in brat.read_gold(tmp_path / "in" / "brat")}
    for n, id_ in enumerate(ids):
        if id_ not in {"a.txt", "A.TXT", "n" * 300, ""}:
            assert back[f"text {n}"] == id_
    assert len(back) == len(ids)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "brat").mkdir()
    (tmp_path / "brat" / "a.ann").write_text("T1\tORG 0 1\tx")
    with pytest.raises(UsageError, match="is no empty folder"):
        export(SAMPLES, tmp_path / "brat", "brat")
    assert [path.name for path in (tmp_path / "brat").iterdir()] == ["a.ann"]


@pytest.mark.parametrize(
    ("ann", "says"),
    [
        ("T1\tQUOTE 0 4\ttext\nA1\ttype T1 shouted\n", "T1: type 'shouted' is none of direct, indirect, mixed"),
        ("T1\tORG 0 4\ttext\nA1\tkind T1 speech\n", "T1: kind 'speech' is none of name, nominal, pronoun"),
        ("T1\tTIMEX3 0 4\ttext\nA1\ttype T1 EPOCH\n", "T1: type 'EPOCH' is none of DATE, TIME, DURATION, SET"),
    ],
)
def test_an_attribute_that_means_nothing_is_told(ann: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "a.ann").write_text(ann)
    with pytest.raises(UsageError, match=re.escape(says)):
        list(brat.read_gold(tmp_path))
