"""Figures against gold, through the API and the command, and against a scorer written apart from this one."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.document import Document
from pipeline import diff, evaluate
from pipeline.errors import UsageError
from pipeline.review.evaluate import Evaluation

HERE = Path(__file__).parent / "wikinews"
GOLD, DOCUMENTS = HERE / "gold.jsonl", HERE / "documents.jsonl"
SCORER = Path(__file__).parents[3] / "shared" / "gold" / "score.py"
NAMES = {
    "entities": {"entities": ("micro3", "micro4", "PER", "ORG", "LOC", "MISC", "unlabelled")},
    "dates": {"dates": ("strict", "relaxed", "type", "value")},
    "topics": {"topics": ("level1", "hierarchical")},
    "coreference": {"coreference": ("b_cubed",)},
}


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return path


def read(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture(scope="module")
def wikinews() -> Evaluation:
    return evaluate(GOLD, DOCUMENTS)


def figures(evaluation: Evaluation, task: str) -> Iterator[tuple[str, Any, Any]]:
    """Name, our figure, and how to find the other scorer's, for everything it prints."""
    if task == "quotes":
        for block in ("speech", "all"):
            for stage, name in (("quotes", "overlap"), ("quotes", "exact"), ("attribution", "end_to_end")):
                yield f"{block} {name}", evaluation[stage][f"{block} {name}"], lambda o, b=block, n=name: o[b][n]
        by = evaluation["attribution"]
        names = {measure.name for measure in by.measures}
        if "source" in names:
            yield "source", by["source"], lambda o: o["source_acc"]
        if "name" in names:
            yield "name", by["name"], lambda o: o["names"]["strict"]
            yield "surname", by["surname"], lambda o: o["names"]["surname"]
        return
    if task == "topics":
        yield "primary", evaluation["topics"]["primary"], lambda o: o["primary"]
    for stage, measures in NAMES[task].items():
        for name in measures:
            if any(measure.name == name for measure in evaluation[stage].measures):
                yield name, evaluation[stage][name], lambda o, n=name: o[n]


def agree(evaluation: Evaluation, task: str, other: dict[str, Any]) -> int:
    count = 0
    for name, ours, find in figures(evaluation, task):
        theirs = find(other)
        if isinstance(theirs, dict):
            assert [round(x, 4) for x in (ours.p, ours.r, ours.f)] == [theirs[k] for k in "prf"], name
            assert ours.gold == theirs.get("gold", theirs.get("mentions")), name
            assert ours.predicted == theirs.get("predicted", theirs.get("mentions")), name
        else:
            assert round(ours.f, 4) == theirs, name
        count += 1
    return count


@pytest.mark.parametrize(
    ("task", "count"), [("entities", 7), ("dates", 4), ("quotes", 9), ("coreference", 1), ("topics", 3)]
)
def test_figures_are_those_of_a_scorer_written_apart(task: str, count: int, wikinews: Evaluation) -> None:
    assert agree(wikinews, task, orjson.loads((HERE / "score.json").read_bytes())[task]) == count


@pytest.mark.skipif(not SCORER.is_file(), reason="the other scorer and its gold are not here")
@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("entities", "entities.dev"),
        ("entities", "entities.conll.dev"),
        ("dates", "dates.timebank"),
        ("dates", "dates.aquaint"),
        ("quotes", "quotes.dev"),
        ("quotes", "quotes.names"),
        ("coreference", "coreference.train"),
        ("topics", "topics.dev"),
    ],
)
def test_figures_are_those_of_the_scorer_itself(task: str, name: str, tmp_path: Path) -> None:
    """On documents made of the gold by moving, dropping and adding some of it at random."""
    gold = SCORER.parent / f"{name}.jsonl"
    chance = random.Random(task)
    rows = [disturbed(row, task, chance) for row in read(gold)]
    documents = write(tmp_path / "documents.jsonl", *rows[1:])  # one story is absent
    command = [sys.executable, SCORER, task, gold, documents]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    evaluation = evaluate(gold, documents, samples=0)
    assert evaluation.absent == (rows[0]["id"],)
    assert agree(evaluation, task, orjson.loads(printed)) >= 1


def disturbed(row: dict[str, Any], task: str, chance: random.Random) -> dict[str, Any]:
    """A document with roughly what gold has."""
    size = len(row["text"])

    def moved(item: dict[str, Any]) -> dict[str, Any]:
        start, end = item["start"], item["end"]
        if chance.random() < 0.3:
            end = min(size, end + chance.randrange(1, 30))
            start = max(0, start - chance.randrange(0, 5))
        return {"start": start, "end": end, "text": row["text"][start:end]}

    def some(key: str) -> list[dict[str, Any]]:
        items = [item for item in row.get(key, []) if chance.random() < 0.8]
        added = [{**item, "start": item["end"], "end": min(size, item["end"] + 9)} for item in items[::7]]
        return sorted([*items, *added], key=lambda item: item["start"])

    document: dict[str, Any] = {"id": row["id"], "schema": 1, "text": row["text"]}
    if task == "entities":
        labels = ["PERSON", "ORG", "GPE", "NORP", "MONEY"]
        document["entities"] = [
            {"id": f"e{n}", "label": chance.choice([item["label"], *labels]), "mentions": [moved(item)]}
            for n, item in enumerate(some("entities"))
        ]
    elif task == "dates":
        document["dates"] = [
            {**moved(item), "type": item["type"], "value": chance.choice([item["value"], item["value"], "P1D", None])}
            for item in some("timexes")
        ]
    elif task == "quotes":
        document["quotes"], document["attributions"] = [], []
        for n, item in enumerate(some("quotes")):
            kind = "speech" if item.get("speech") or chance.random() < 0.2 else "thought"
            document["quotes"].append({"id": f"q{n}", **moved(item), "type": item["type"], "kind": kind})
            source = item.get("source")
            if source and chance.random() < 0.9:
                start, end = source[0]
                shift = chance.choice([0, 0, 0, 200])
                speaker = {"start": start + shift, "end": end + shift}
                name = item.get("speaker_name") and chance.choice(
                    [item["speaker_name"], "Mr " + item["speaker_name"], None]
                )
                document["attributions"].append({"quote": f"q{n}", "speaker": speaker, "name": name})
    elif task == "coreference":
        clusters: dict[int, list[Any]] = {}
        for item in some("mentions"):
            cluster = item["cluster"] if chance.random() < 0.9 else chance.randrange(20)
            clusters.setdefault(cluster, []).append({**moved(item), "kind": "nominal"})
        document["entities"] = [{"id": f"e{c}", "label": "PERSON", "mentions": ms} for c, ms in clusters.items()]
    else:
        every = ["medtop:20000056", "medtop:20000639", "medtop:11000000", "medtop:20000822"]
        codes = [t for t in row["topics"] if chance.random() < 0.7] + [c for c in every if chance.random() < 0.3]
        document["topics"] = [{"qcode": code} for code in codes]
    return document


def test_gold_against_itself_is_perfect(tmp_path: Path) -> None:
    evaluation = evaluate(DOCUMENTS, DOCUMENTS)
    assert set(evaluation.stages) == {"entities", "coreference", "dates", "quotes", "attribution", "topics"}
    for scores in evaluation.stages.values():
        assert scores.worst == ()
        for measure in scores.measures:
            assert (measure.p, measure.r, measure.f) == ((1.0,) * 3 if measure.gold else (0.0,) * 3), measure
            assert measure.low == measure.high or measure.kind == "class", measure


def test_only_what_gold_has_is_measured(tmp_path: Path) -> None:
    rows = [{k: row[k] for k in ("id", "text", "timexes")} for row in read(GOLD)]
    evaluation = evaluate(write(tmp_path / "gold.jsonl", *rows), DOCUMENTS)
    assert list(evaluation.stages) == ["dates"]
    some = [rows[0], {k: v for k, v in rows[1].items() if k != "timexes"}]
    assert evaluate(write(tmp_path / "some.jsonl", *some), DOCUMENTS)["dates"].stories == 1


def test_the_interval_holds_the_figure_is_always_the_same_and_narrows_with_more_stories(tmp_path: Path) -> None:
    few = evaluate(GOLD, DOCUMENTS)
    assert few.to_dict() == evaluate(GOLD, DOCUMENTS).to_dict()
    gold, found = [], []
    for n in range(20):
        gold += [{**row, "id": f"{row['id']}-{n}"} for row in read(GOLD)]
        found += [{**row, "id": f"{row['id']}-{n}"} for row in read(DOCUMENTS)]
    many = evaluate(write(tmp_path / "gold.jsonl", *gold), write(tmp_path / "found.jsonl", *found))
    for stage, scores in few.stages.items():
        one, other = scores.headline, many[stage].headline
        assert one.f == pytest.approx(other.f)
        assert one.low is not None and one.high is not None and other.low is not None and other.high is not None
        assert one.low <= one.f <= one.high
        assert other.low <= other.f <= other.high
        assert 0 < other.high - other.low < one.high - one.low


def test_worst_stories_come_first_with_what_is_wrong_in_them(tmp_path: Path) -> None:
    text = "On Friday and in May 2024 and on Sunday."
    timexes = [
        {"start": 3, "end": 9, "type": "DATE", "value": "2025-03-28"},
        {"start": 17, "end": 25, "type": "DATE", "value": "2024-05"},
        {"start": 33, "end": 39, "type": "DATE", "value": "2025-03-30"},
    ]
    gold = write(tmp_path / "gold.jsonl", *({"id": i, "text": text, "timexes": timexes} for i in "abc"))
    fine = [{**t, "id": "d", "text": text[t["start"] : t["end"]]} for t in timexes]
    rows = [
        {"id": "a", "text": text, "dates": fine},
        {"id": "b", "text": text, "dates": [{**fine[0], "value": "2025-04-04"}]},
        {"id": "c", "text": text, "dates": fine[:2]},
    ]
    scores = evaluate(gold, write(tmp_path / "documents.jsonl", *rows))["dates"]
    assert [(story.id, len(story.faults)) for story in scores.worst] == [("b", 3), ("c", 1)]
    value, missed, _ = scores.worst[0].faults
    assert (value.kind, value.text, value.gold, value.predicted) == ("value", "Friday", "2025-03-28", "2025-04-04")
    assert (missed.kind, missed.text, missed.gold) == ("missed", "May 2024", "2024-05")
    assert (scores["DATE"].gold, scores["DATE"].predicted, scores["DATE"].r) == (9, 6, pytest.approx(5 / 9))


BRAT = {
    "a.txt": 'Anna Berg, 40, said on Friday: "We agreed."\nShe left for Oslo.',
    "a.ann": (
        "T1\tPERSON 0 9\tAnna Berg\n"
        "T2\tPERSON 44 47\tShe\nA1\tkind T2 pronoun\n"
        "T3\tGPE 57 61\tOslo\n"
        "*\tEquiv T1 T2\n"
        "T4\tDATE 23 29\tFriday\n#1\tAnnotatorNotes T4\t2025-03-28\n"
        'T5\tQuote 31 35;36 43\t"We  agreed."\nA2\ttype T5 direct\n'
        "R1\tsource Arg1:T5 Arg2:T1\n#2\tAnnotatorNotes T5\tAnna Berg\n"
    ),
    "sub/b.txt": "Nothing at all.",
    "sub/b.ann": "",
}


@pytest.fixture
def brat(tmp_path: Path) -> Path:
    folder = tmp_path / "brat"
    for name, text in BRAT.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_brat_standoff_is_gold(brat: Path, tmp_path: Path) -> None:
    text = BRAT["a.txt"]
    document = {
        "id": "a.txt",
        "text": text,
        "entities": [
            {
                "id": "e1",
                "label": "PERSON",
                "mentions": [{"start": 0, "end": 9, "kind": "name"}, {"start": 44, "end": 47, "kind": "pronoun"}],
            },
            {"id": "e2", "label": "GPE", "mentions": [{"start": 57, "end": 61, "kind": "name"}]},
        ],
        "dates": [{"start": 23, "end": 29, "type": "DATE", "value": "2025-03-28"}],
        "quotes": [{"id": "q1", "start": 31, "end": 43, "type": "direct", "kind": "speech"}],
        "attributions": [{"quote": "q1", "speaker": {"start": 0, "end": 4}, "name": "Anna Berg", "method": "name"}],
    }
    out = write(tmp_path / "documents.jsonl", document, {"id": "sub/b.txt", "text": BRAT["sub/b.txt"]})
    evaluation = evaluate(brat, out)
    assert (evaluation.stories, evaluation.absent) == (2, ())
    assert list(evaluation.stages) == ["entities", "coreference", "dates", "quotes", "attribution"]
    for scores in evaluation.stages.values():
        assert scores.headline.f == 1, scores
    assert evaluation["attribution"]["name"].f == 1
    assert evaluation["entities"]["micro3"].gold == 2  # the pronoun is no name
    bare = write(tmp_path / "bare.jsonl", {**document, "id": "a"}, {"id": "sub/b", "text": BRAT["sub/b.txt"]})
    assert evaluate(brat, bare)["dates"]["value"].f == 1


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda p: (p / "a.ann").write_text("T1\tPERSON 0 999\tx\n"), "a.ann, line 1: 0 999 does not lie in a text of"),
        (lambda p: (p / "a.ann").write_text("T1\tPERSON zero\tx\n"), "'zero' is no range of offsets"),
        (lambda p: (p / "a.txt").unlink(), "It belongs in a.txt beside it"),
        (lambda p: (p / "a.txt").write_text(BRAT["a.txt"] + "!"), "is not the text that was annotated"),
    ],
)
def test_broken_standoff_is_told_by_file_and_line(brat: Path, tmp_path: Path, spoil: Any, says: str) -> None:
    spoil(brat)
    out = write(tmp_path / "documents.jsonl", {"id": "a.txt", "text": BRAT["a.txt"]})
    with pytest.raises(UsageError, match=says):
        evaluate(brat, out)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([{"id": "a", "text": "x", "timexes": [{"start": 0, "type": "DATE"}]}], r"story 1: dates\[0\]: has no 'end'"),
        ([{"id": "a", "text": "x", "timexes": [{"start": 3, "end": 1, "type": "DATE"}]}], "3 to 1 is no range"),
        ([{"id": "a", "text": "x"}], "has stories but no annotations"),
        ([{"id": "a", "text": "x", "entities": [{"start": 0, "end": 9, "label": "ORG"}]}], "'a': entities: 0 to 9 is"),
        ([{"id": "a", "text": "x", "topics": "medtop:1"}], "story 1: topics is not a list"),
        ([{"text": "x", "timexes": []}], "a story has an id and a text"),
        ([], "holds no stories"),
        ([{"id": "b", "text": "x", "timexes": []}], "has none of the stories"),
    ],
)
def test_gold_that_is_not_as_it_should_be_is_told(rows: list[dict[str, Any]], says: str, tmp_path: Path) -> None:
    out = write(tmp_path / "documents.jsonl", {"id": "a", "text": "x"})
    with pytest.raises(UsageError, match=says):
        evaluate(write(tmp_path / "gold.jsonl", *rows), out)


def test_diff_says_of_gold_beyond_the_text_what_evaluate_says(tmp_path: Path) -> None:
    out = write(tmp_path / "documents.jsonl", {"id": "a", "schema": 1, "text": "x"})
    name = {"start": 0, "end": 9, "label": "ORG"}
    gold = write(tmp_path / "gold.jsonl", {"id": "a", "text": "x", "entities": [name]})
    with pytest.raises(UsageError, match="'a': entities: 0 to 9 is beyond the 1 characters"):
        diff(out, out, gold=gold)


@pytest.mark.parametrize(
    ("writer", "name", "says"),
    [
        ("prodigy", "tasks.jsonl", r"no task of .*tasks\.jsonl has been accepted"),
        ("labelstudio", "tasks.json", r"nobody has annotated a task of .*tasks\.json"),
    ],
)
def test_tasks_that_nobody_has_corrected_are_told(writer: str, name: str, says: str, tmp_path: Path) -> None:
    document = Document(id="a", schema_=1, text="x")
    import_module(f"pipeline.writers.{writer}").write([document], tmp_path / name)
    with pytest.raises(UsageError, match=says):
        evaluate(tmp_path / name, write(tmp_path / "documents.jsonl", {"id": "a", "text": "x"}))


spans = st.tuples(st.integers(0, 40), st.integers(1, 12)).map(lambda s: {"start": s[0], "end": s[0] + s[1]})
timexes = st.lists(st.builds(lambda s, v: {**s, "type": "DATE", "value": v}, spans, st.sampled_from("abc")), max_size=6)


@settings(deadline=None)
@given(timexes, timexes)
def test_gold_and_output_exchanged_exchange_precision_and_recall(ours: list[Any], theirs: list[Any]) -> None:
    from pipeline.review.gold import story
    from pipeline.review.scoring import mark

    text = "x" * 60
    one, other = ({"id": "a", "text": text, "timexes": items} for items in (ours, theirs))
    forth, back = mark("dates", story(one), story(other), {}), mark("dates", story(other), story(one), {})
    for name in ("relaxed", "strict"):
        right, predicted, found, owed = forth.tallies[name]
        assert right == found <= min(predicted, owed)
        assert back.tallies[name] == [right, owed, found, predicted]


Copydesk = Callable[..., "subprocess.CompletedProcess[str]"]


def test_the_command_prints_tables_and_json(copydesk: Copydesk, wikinews: Evaluation) -> None:
    shown = copydesk("evaluate", GOLD, DOCUMENTS, env={"COLUMNS": "160"}).stdout
    for word in ("dates", "value", "speech end_to_end", "crime, law and justice", "Worst", "GUM_news_"):
        assert word in shown
    data = orjson.loads(copydesk("evaluate", GOLD, DOCUMENTS, "--json", "--worst", "2").stdout)
    assert data["stages"]["dates"]["measures"] == [m.to_dict() for m in wikinews["dates"].measures]
    assert all(len(stage["worst"]) <= 2 for stage in data["stages"].values())


def test_the_command_says_what_is_wrong_in_one_line(copydesk: Copydesk, tmp_path: Path) -> None:
    assert "no file or folder" in copydesk("evaluate", tmp_path / "absent", DOCUMENTS, code=2).stderr
    assert "neither the folder of a run nor" in copydesk("evaluate", tmp_path, DOCUMENTS, code=2).stderr
