"""Who said what in stories of many desks: each quotation found, and the full name of its speaker.

``said.txt`` was written before any program read it; its head explains the marks.
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

HERE = Path(__file__).parent
_MARK = re.compile(r"\[\[([^:\]]+): (.*?)\]\]", re.S)
FOUND, NAMED = 0.9, 0.9
"""Least shares: of the quotations found, and of right names among them."""


@dataclass(frozen=True)
class Said:
    """A marked quotation: where it stands, and its speaker's full name, None where there is none."""

    start: int
    end: int
    name: str | None


def stories() -> Iterator[tuple[str, str, list[Said]]]:
    """Name, text and quotations of each story."""
    for block in (HERE / "said.txt").read_text("utf-8").split("\n=== ")[1:]:
        name, _, marked = block.partition("\n")
        text, said, at = "", [], 0
        for mark in _MARK.finditer(marked):
            text += marked[at : mark.start()]
            said.append(Said(len(text), len(text) + len(mark[2]), None if mark[1] == "-" else mark[1]))
            text += mark[2]
            at = mark.end()
        yield name, text + marked[at:], said


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Document]:
    folder = tmp_path_factory.mktemp("said")
    for name, text, _ in stories():
        (folder / f"{name}.txt").write_text(text, "utf-8")
    return {Path(d.id).stem: d for d in Desk(["attribution"]).pipe(read(folder))}


def test_quotations_and_the_names_of_their_speakers(documents: dict[str, Document]) -> None:
    marked = found = right = 0
    for story, text, said in stories():
        document = documents[story]
        assert document.text == text
        names: dict[str, list[str]] = {}
        for row in document.attributions:
            names.setdefault(row.quote, []).extend([row.name] if row.name else [])
        for quote in said:
            marked += 1
            best = max(document.quotes, key=lambda q: fit(q, quote), default=None)
            if best is None or fit(best, quote) < 0.5:
                print(f"{story}: not found: {text[quote.start : quote.end]!r}")
                continue
            found += 1
            got = [folded(name) for name in names.get(best.id, [])]
            fits = folded(quote.name) in got if quote.name else not got
            right += fits
            if not fits:
                print(f"{story}: {text[quote.start : quote.end]!r} is by {quote.name}, not {names.get(best.id)}")
    print(f"{marked} quotations, {found} found, {right} with the right name")
    assert found / marked >= FOUND
    assert right / found >= NAMED


def fit(quote: Quote, said: Said) -> float:
    """How well a quotation, or the part of it that fits best, covers what is marked."""
    return max(overlap(span.start, span.end, said) for span in (quote, *quote.parts))


def overlap(start: int, end: int, quote: Said) -> float:
    """Intersection over union."""
    return max(min(end, quote.end) - max(start, quote.start), 0) / (max(end, quote.end) - min(start, quote.start))


def folded(name: str) -> str:
    """Small letters without accents and article."""
    plain = unicodedata.normalize("NFKD", name)
    return "".join(c for c in plain if not unicodedata.combining(c)).casefold().removeprefix("the ")
