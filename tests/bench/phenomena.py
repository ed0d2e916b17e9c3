"""Which quotations are found, by phenomenon: split, inverted, colon, short, participle cue, pronoun, no source, ...

    python tests/bench/phenomena.py GOLD.jsonl                     reads GOLD with the stages as installed
    python tests/bench/phenomena.py GOLD.jsonl DOCUMENTS.jsonl     or takes the documents of a run of them
    ... --thoughts                                                 count beliefs and intentions too, not speech alone

GOLD has a story a line: ``id``, ``text`` and ``quotes``, each with ``start``, ``end``, ``parts``, ``type`` and, where
the story has them, ``cue`` and ``source`` (lists of ``[start, end]``), ``speech`` and ``speaker_name``. A quotation is
found where one of the document's overlaps it by half (intersection over union of their hulls, marks and stops at the
edges apart; one to one, best first). Its source is right where the two overlap or neither has one; its name is right
where the last words agree.
"""

from __future__ import annotations

import argparse
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

Row = dict[str, Any]
EDGES = " \n\t\r\"“”'‘’.,;:!?—-"
PRONOUNS = frozenset({"he", "she", "it", "they", "we", "i", "you", "who", "which", "that"})
NEGATIONS = ("not ", "n't", "n’t", "never", "den", "refus", "declin", "reject")


@dataclass(frozen=True)
class Case:
    """A gold quotation as the phenomena see it: small letters, and offsets of its first content, cue and source."""

    type: str
    start: int
    content: str
    parts: int
    cue: str
    cue_at: int
    source: str
    source_at: int

    @classmethod
    def of(cls, text: str, quote: Row) -> Case:
        """The case of a gold row."""
        cue, source = hull(quote.get("cue")), hull(quote.get("source"))
        return cls(
            quote["type"],
            quote["start"],
            text[quote["start"] : quote["end"]],
            len(quote.get("parts") or [0]),
            text[slice(*cue)].lower() if cue else "",
            cue[0] if cue else -1,
            text[slice(*source)].lower() if source else "",
            source[0] if source else -1,
        )


PHENOMENA: dict[str, Callable[[Case], bool]] = {
    "all": lambda c: True,
    "direct": lambda c: c.type == "direct",
    "mixed": lambda c: c.type == "mixed",
    "indirect": lambda c: c.type == "indirect",
    "split (2+ parts)": lambda c: c.parts > 1,
    "over paragraphs": lambda c: "\n" in c.content.strip(),
    "inverted (said X)": lambda c: 0 <= c.cue_at < c.source_at and not c.cue.startswith("according"),
    "according to": lambda c: c.cue.startswith("according"),
    "colon or dash": lambda c: c.cue[-1:] in (":", "—", "–", "-"),
    "told": lambda c: c.cue.split()[:1] in (["told"], ["tells"], ["tell"]),
    "cue not say": lambda c: bool(c.cue) and not any(w in ("say", "says", "said", "saying") for w in c.cue.split()),
    "participle cue": lambda c: c.cue.split(" ")[0].endswith("ing") and not c.cue.startswith("according"),
    "negated cue": lambda c: any(n in c.cue for n in NEGATIONS),
    "cue before": lambda c: 0 <= c.cue_at < c.start,
    "cue after or inside": lambda c: c.cue_at >= c.start,
    "no cue": lambda c: not c.cue,
    "short (< 40)": lambda c: len(c.content) < 40,
    "long (> 300)": lambda c: len(c.content) > 300,
    "that-clause": lambda c: c.content.lower().startswith("that "),
    "pronoun": lambda c: c.source in PRONOUNS,
    "source of 6+ words": lambda c: len(c.source.split()) >= 6,
    "no source": lambda c: not c.source,
}


def hull(spans: Any) -> tuple[int, int] | None:
    """First start and last end of ``[[start, end], ...]`` or of ``{"start": ..., "end": ...}``; None for nothing."""
    if not spans:
        return None
    if isinstance(spans, dict):
        return spans["start"], spans["end"]
    return spans[0][0], spans[-1][1]


def trimmed(text: str, quote: Row) -> tuple[int, int]:
    """Hull of a quotation without marks, stops and spaces at its edges."""
    start, end = quote["start"], quote["end"]
    while start < end and text[start] in EDGES:
        start += 1
    while end > start and text[end - 1] in EDGES:
        end -= 1
    return start, end


def overlap(x: tuple[int, int], y: tuple[int, int]) -> float:
    """Intersection over union of two stretches."""
    common = min(x[1], y[1]) - max(x[0], y[0])
    return common / (max(x[1], y[1]) - min(x[0], y[0])) if common > 0 else 0.0


def matched(text: str, gold: list[Row], found: list[Row]) -> dict[int, int]:
    """Index in ``found`` of the match of each gold quotation that has one."""
    ours, theirs = [trimmed(text, q) for q in found], [trimmed(text, q) for q in gold]
    pairs = sorted(((overlap(x, y), -a, -b) for a, x in enumerate(theirs) for b, y in enumerate(ours)), reverse=True)
    match: dict[int, int] = {}
    for share, a, b in pairs:
        if share >= 0.5 and -a not in match and -b not in match.values():
            match[-a] = -b
    return match


def last_name(name: str | None) -> str:
    """The last word of a name, folded to small letters without accents."""
    plain = unicodedata.normalize("NFKD", name or "")
    words = "".join(c for c in plain if c.isalnum() or c == " ").casefold().split()
    return words[-1] if words else ""


@dataclass
class Tally:
    """Counts of one phenomenon."""

    gold: int = 0
    found: int = 0
    sourced: int = 0
    named: int = 0
    right: int = 0


def count(gold: Iterable[Row], documents: dict[str, Row], thoughts: bool = False) -> dict[str, Tally]:
    """The table: a tally a phenomenon, in the order of :data:`PHENOMENA`."""
    table = {name: Tally() for name in PHENOMENA}
    for story in gold:
        document = documents.get(story["id"], {})
        quotes = document.get("quotes", [])
        by = {a["quote"]: a for a in reversed(document.get("attributions", []))}
        match = matched(story["text"], story["quotes"], quotes)
        for n, quote in enumerate(story["quotes"]):
            if not thoughts and not quote.get("speech", True):
                continue
            case = Case.of(story["text"], quote)
            hit = quotes[match[n]] if n in match else None
            row = by.get(hit["id"], {}) if hit else {}
            want, got = hull(quote.get("source")), hull(row.get("speaker") or (hit or {}).get("source"))
            right = got is None if want is None else got is not None and min(want[1], got[1]) > max(want[0], got[0])
            for name, holds in PHENOMENA.items():
                if holds(case):
                    tally = table[name]
                    tally.gold += 1
                    tally.found += hit is not None
                    tally.sourced += hit is not None and right
                    if hit is not None and quote.get("speaker_name"):
                        tally.named += 1
                        tally.right += last_name(row.get("name")) == last_name(quote["speaker_name"])
    return table


def lines(table: dict[str, Tally]) -> Iterator[str]:
    """The table as text."""
    yield f"{'phenomenon':22}{'gold':>6}{'found':>8}{'source':>8}{'name':>8}"
    for name, t in table.items():
        share = [t.found / t.gold, t.sourced / t.gold] if t.gold else [0.0, 0.0]
        named = f"{t.right / t.named:8.3f}" if t.named else " " * 8
        yield f"{name:22}{t.gold:6}{share[0]:8.3f}{share[1]:8.3f}{named}".rstrip()


def read_rows(path: Path) -> list[Row]:
    """The rows of a file of JSON lines."""
    return [orjson.loads(line) for line in path.read_bytes().splitlines() if line.strip()]


def documents_of(gold: list[Row]) -> dict[str, Row]:
    """The documents the installed stages make of the stories of ``gold``."""
    from pipeline import Desk, Document

    desk = Desk(["attribution"])
    stories = (Document(id=row["id"], schema_=1, text=row["text"]) for row in gold)
    return {document.id: document.to_dict() for document in desk.pipe(stories)}


def main() -> None:
    """Print the table of the files on the command line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("gold", type=Path)
    options.add_argument("documents", type=Path, nargs="?")
    options.add_argument("--thoughts", action="store_true")
    given = options.parse_args()
    for path in filter(None, (given.gold, given.documents)):
        if not path.is_file():
            options.error(f"{path} is no file: give the gold, and documents.jsonl of a run if there is one")
    gold = read_rows(given.gold)
    documents = {row["id"]: row for row in read_rows(given.documents)} if given.documents else documents_of(gold)
    print("\n".join(lines(count(gold, documents, given.thoughts))))


if __name__ == "__main__":
    main()
