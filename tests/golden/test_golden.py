"""Stories with what a careful reader finds in them, and the documents copydesk makes of them.

``NAME.expected.json`` was written by reading, before any program saw the story: the share of it that is found may
not fall. ``documents/NAME.json`` is the whole document as it was last reviewed: any change shows here, and is
accepted, after looking at it, with ``pytest tests/golden --update-golden``.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from models.document import Document, check
from pipeline import Desk
from pipeline.readers import read

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
STORIES = [*sorted((HERE / "stories").glob("*.txt")), *sorted((ROOT / "seeds").glob("*.txt"))]

FLOORS = {
    "meta": 0.9,
    "persons": 0.8,
    "mentions": 0.8,
    "organisations": 0.8,
    "places": 0.8,
    "dates": 0.8,
    "date values": 0.8,
    "quotes": 0.8,
    "quote types": 0.6,
    "speakers": 0.75,
    "not quotes": 0.8,
    "primary topic": 0.6,
}
"""Shares found when this was last looked at, rounded down."""


@pytest.fixture(scope="module")
def documents() -> dict[str, Document]:
    desk = Desk()
    return {path.stem: document for path in STORIES for document in desk.pipe(read(path))}


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_the_document_is_the_reviewed_one(
    path: Path, documents: dict[str, Document], pytestconfig: pytest.Config
) -> None:
    document = documents[path.stem]
    assert check(document) == []
    data = document.to_dict()
    del data["stages"]
    golden = HERE / "documents" / f"{path.stem}.json"
    if pytestconfig.getoption("--update-golden"):
        golden.write_bytes(orjson.dumps(data, option=orjson.OPT_INDENT_2) + b"\n")
    assert data == orjson.loads(golden.read_bytes())


def test_the_seed_is_read_as_a_careful_editor_reads_it(documents: dict[str, Document]) -> None:
    path = ROOT / "seeds" / "pti-2025-03-28-tariff-talks.txt"
    tally = Counter[tuple[str, bool]]()
    missed = list(_compare(documents[path.stem], _expected(path), tally))
    assert missed == []


def test_what_was_found_by_reading_is_found(documents: dict[str, Document]) -> None:
    tally = Counter[tuple[str, bool]]()
    missed = [
        f"{path.stem}: {line}" for path in STORIES for line in _compare(documents[path.stem], _expected(path), tally)
    ]
    shares = {kind: tally[kind, True] / (tally[kind, True] + tally[kind, False]) for kind in FLOORS}
    print("\n".join([*missed, *(f"{kind}: {share:.3f}" for kind, share in shares.items())]))
    assert {kind: share for kind, share in shares.items() if share < FLOORS[kind]} == {}


@pytest.fixture(scope="module")
def wikinews() -> list[tuple[dict[str, Any], Document]]:
    gold = [orjson.loads(line) for line in (HERE / "wikinews.jsonl").read_bytes().splitlines()]
    return list(zip(gold, Desk().pipe(read(HERE / "wikinews.jsonl")), strict=True))


def test_the_documents_of_wikinews_are_the_reviewed_ones(
    wikinews: list[tuple[dict[str, Any], Document]], pytestconfig: pytest.Config
) -> None:
    made = []
    for _, document in wikinews:
        assert check(document) == []
        row = document.to_dict()
        del row["stages"]
        made.append(row)
    golden = HERE / "documents" / "wikinews.jsonl"
    if pytestconfig.getoption("--update-golden"):
        golden.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in made))
    kept = [orjson.loads(line) for line in golden.read_bytes().splitlines()]
    assert [row["id"] for row in made] == [row["id"] for row in kept]
    for row, other in zip(made, kept, strict=True):
        assert row == other, row["id"]


def test_speakers_of_wikinews_have_the_names_readers_gave_them(
    wikinews: list[tuple[dict[str, Any], Document]],
) -> None:
    """Of the quotations found that have a speaker with a name, the surname is right as often as it was."""
    right = matched = named = 0
    for gold, document in wikinews:
        names = {a.quote: a.name for a in reversed(document.attributions)}
        for quote in gold["quotes"]:
            if "speaker_name" not in quote:
                continue
            named += 1
            best = max(document.quotes, key=lambda q: _iou(q.start, q.end, quote), default=None)
            if best is not None and _iou(best.start, best.end, quote) >= 0.5:
                matched += 1
                given = _folded(names.get(best.id) or "").split()
                right += bool(given) and given[-1] == _folded(quote["speaker_name"]).split()[-1]
    print(f"{named} quotations with a named speaker, {matched} found, {right} with the right surname")
    assert matched / named >= 0.65
    assert right / matched >= 0.75


def _iou(start: int, end: int, quote: dict[str, Any]) -> float:
    common = min(end, quote["end"]) - max(start, quote["start"])
    return common / (max(end, quote["end"]) - min(start, quote["start"]))


def _expected(path: Path) -> dict[str, Any]:
    name = path.with_suffix(".expected.json") if path.parent.name == "stories" else path.parent / "expected.json"
    data: dict[str, Any] = orjson.loads(name.read_bytes())
    return data


def _compare(document: Document, expected: dict[str, Any], tally: Counter[tuple[str, bool]]) -> Iterator[str]:
    """Count what of ``expected`` is in ``document``, and yield what is not."""

    def count(kind: str, found: bool, what: str) -> Iterator[str]:
        tally[kind, found] += 1
        if not found:
            yield f"{kind}: {what}"

    for key, value in expected["meta"].items():
        yield from count("meta", getattr(document.meta, key) == value, f"{key} {value!r}")
    persons = {_folded(e.name): e for e in document.entities if e.label == "PERSON"}
    for person in expected["persons"]:
        entity = persons.get(_folded(person["name"]))
        yield from count("persons", entity is not None, person["name"])
        forms = {_folded(m.text) for m in entity.mentions} if entity else set()
        for form in person["mentions"]:
            yield from count("mentions", _folded(form) in forms, f"{form!r} of {person['name']}")
    for kind, labels in (("organisations", {"ORG"}), ("places", {"GPE", "LOC", "FAC"})):
        found = {_folded(form) for e in document.entities if e.label in labels for form in (e.name, *e.aliases)}
        for name in expected[kind]:
            yield from count(kind, _folded(name) in found, name)
    dates = list(document.dates)
    for date in expected["dates"]:
        timex = next((d for d in dates if d.text.casefold() == date["text"].casefold()), None)
        yield from count("dates", timex is not None, date["text"])
        if timex is not None:
            dates.remove(timex)
            yield from count("date values", timex.value == date["value"], f"{date} but {timex.value}")
    for quote in expected["quotes"]:
        yield from _compare_quote(document, quote, count)
    for text in expected["not_quotes"]:
        at = document.text.find(text)
        tight = [q for q in document.quotes if q.start <= at and q.end - q.start <= len(text) + 12 and at < q.end]
        yield from count("not quotes", not tight, text)
    tops = [topic.path[0] for topic in document.topics]
    roots = _roots(expected["topics"])
    yield from count("primary topic", bool(tops) and tops[0] in roots, f"{expected['topics']} but {tops}")


def _compare_quote(document: Document, expected: dict[str, Any], count: Any) -> Iterator[str]:
    start = document.text.index(expected["content"])
    end = document.text.index(expected["end"], start) + len(expected["end"])
    best, share = None, 0.0
    for quote in document.quotes:
        common = min(end, quote.end) - max(start, quote.start)
        iou = common / (max(end, quote.end) - min(start, quote.start))
        if iou > share:
            best, share = quote, iou
    label = f"{expected['content']!r}"
    yield from count("quotes", share >= 0.5, label)
    if best is None or share < 0.5:
        return
    yield from count("quote types", best.type == expected["type"], f"{label}: {best.type}, not {expected['type']}")
    names = [a.name for a in document.attributions if a.quote == best.id]
    wanted = expected["speaker"]
    right = any(_folded(name or "") == _folded(wanted) for name in names) if wanted else not any(names)
    yield from count("speakers", right, f"{label}: {names}, not {wanted!r}")


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text)
    folded = " ".join("".join(c for c in plain if not unicodedata.combining(c)).casefold().split())
    return folded.removeprefix("the ")


def _roots(topics: list[str]) -> set[str]:
    from pipeline.stages.topics.vocabulary import media_topics

    return {media_topics().concepts[topic].path[0] for topic in topics}
