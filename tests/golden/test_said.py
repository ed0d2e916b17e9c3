"""Who said what in stories of many desks: each quotation found, and the full name of its speaker.

``said.txt`` and ``unseen.txt`` were written before any program read them; their heads explain the marks. Of the stories
in ``unseen.txt`` only sums are shown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from models.document import Document, Quote
from pipeline import Desk
from pipeline.readers import read
from pipeline.settings import resolve

HERE = Path(__file__).parent
_MARK = re.compile(r"\[\[([^:\]]+): (.*?)\]\]", re.S)
SETS = ("said", "unseen")
FLOORS = {
    ("said", "newswire"): (0.9, 0.9, 0.9),
    ("said", "none"): (0.9, 0.85, 0.9),
    ("unseen", "newswire"): (0.9, 0.9, 0.9),
    ("unseen", "none"): (0.9, 0.82, 0.9),
}
"""By set and encoder, least shares: of quotations found, of names right among them, of quotations made marked."""


@dataclass(frozen=True)
class Said:
    """A marked quotation: where it stands, and the full names of its speakers, none where they have none."""

    start: int
    end: int
    names: tuple[str, ...]


def stories(gold: str = "said") -> Iterator[tuple[str, str, list[Said]]]:
    """Name, text and quotations of each story; the name ends in a star where every quotation is marked."""
    for block in (HERE / f"{gold}.txt").read_text("utf-8").split("\n=== ")[1:]:
        name, _, marked = block.partition("\n")
        text, said, at = "", [], 0
        for mark in _MARK.finditer(marked):
            text += marked[at : mark.start()]
            names = () if mark[1] == "-" else tuple(mark[1].split("; "))
            said.append(Said(len(text), len(text) + len(mark[2]), names))
            text += mark[2]
            at = mark.end()
        yield name, text + marked[at:], said


@pytest.fixture(scope="module", params=("newswire", "none"))
def encoder(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=SETS)
def gold(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def documents(encoder: str, gold: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Document]:
    folder = tmp_path_factory.mktemp("said")
    for name, text, _ in stories(gold):
        (folder / f"{name.rstrip('*')}.txt").write_text(text, "utf-8")
    return {Path(d.id).stem: d for d in Desk(["attribution"], resolve({"encoder": encoder}, "test")).pipe(read(folder))}


def test_quotations_and_the_names_of_their_speakers(gold: str, encoder: str, documents: dict[str, Document]) -> None:
    marked = found = right = 0
    told = print if gold == "said" else lambda _: None
    for story, text, said in stories(gold):
        document = documents[story.rstrip("*")]
        assert document.text == text
        names: dict[str, set[str]] = {}
        for row in document.attributions:
            names.setdefault(row.quote, set()).update({folded(row.name)} if row.name else set())
        made = list(whole(document.quotes))
        for quote in said:
            marked += 1
            start, end, id_ = max(made, key=lambda m: overlap(m[0], m[1], quote), default=(0, 0, ""))
            if overlap(start, end, quote) < 0.5:
                told(f"{story}: not found: {text[quote.start : quote.end]!r}")
                continue
            found += 1
            fits = names.get(id_, set()) == {folded(name) for name in quote.names}
            right += fits
            if not fits:
                told(f"{story}: {text[quote.start : quote.end]!r} is by {quote.names}, not {names.get(id_)}")
    print(f"{gold}, {encoder}: {marked} quotations, {found} found, {right} with the right name")
    assert found / marked >= FLOORS[gold, encoder][0]
    assert right / found >= FLOORS[gold, encoder][1]


def test_what_is_made_of_a_fully_marked_story_is_marked(
    gold: str, encoder: str, documents: dict[str, Document]
) -> None:
    made = fits = 0
    told = print if gold == "said" else lambda _: None
    for story, text, said in stories(gold):
        for quote in documents[story.rstrip("*")].quotes if story.endswith("*") else []:
            if quote.kind in ("thought", "intention"):
                continue
            made += 1
            fits += (touches := any(quote.start < mark.end and mark.start < quote.end for mark in said))
            if not touches:
                told(f"{story}: not a quotation: {text[quote.start : quote.end]!r}")
    print(f"{gold}, {encoder}: {made} quotations made, {fits} of them marked")
    assert fits / made >= FLOORS[gold, encoder][2]


def whole(quotes: list[Quote]) -> Iterator[tuple[int, int, str]]:
    """Start, end and id of each quotation, and of each together with the one it goes on from."""
    start = {}
    for quote in sorted(quotes, key=lambda q: q.start):
        yield quote.start, quote.end, quote.id
        start[quote.id] = start.get(quote.continues or "", quote.start)
        if start[quote.id] != quote.start:
            yield start[quote.id], quote.end, quote.id


def overlap(start: int, end: int, quote: Said) -> float:
    """Intersection over union."""
    return max(min(end, quote.end) - max(start, quote.start), 0) / (max(end, quote.end) - min(start, quote.start))


def folded(name: str) -> str:
    """Small letters without accents and article."""
    plain = unicodedata.normalize("NFKD", name)
    return "".join(c for c in plain if not unicodedata.combining(c)).casefold().removeprefix("the ")
