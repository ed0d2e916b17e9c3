"""The quotation-mark scanner: which stretches of a text stand in quotation marks.

Typed marks pair by their shape, straight marks toggle; both are reset at the end of a paragraph, so a mark that was
never closed spoils no more than its own paragraph. A paragraph that opens with a mark while the one before was left
open carries that quotation on. Apostrophes never pair.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

OPENING = frozenset({"“", "„", "«", "‹‹"})
_MARK = re.compile(r"'{3}(?!')|[\"“”„«»]|‹‹|››|``|''|’’|‘‘")
_SINGLE = re.compile(r"(?<![\w'’])(['‘])(?=[\w\[$])(?!\d\ds\b|(?:em|til|tis|twas|cause|n)\b)")
_LONGEST = 6000
"""A quotation without a closing mark is given up after this many letters."""


@dataclass(frozen=True)
class Region:
    """A stretch in quotation marks, marks included."""

    start: int
    end: int
    inner_start: int
    inner_end: int
    closed: bool = True
    continues: bool = False
    """Opened while the quotation of the paragraph before was still open."""


def scan(text: str, paragraphs: Iterable[tuple[int, int]], singles: bool = True) -> list[Region]:
    """All regions of ``text``, in order, none inside another."""
    regions: list[Region] = []
    pending = False
    for start, end in paragraphs:
        found, left_open = _paragraph(text, start, end, pending)
        if singles:
            found += _singles(text, start, end, found)
            found.sort(key=lambda r: r.start)
        regions += found
        pending = left_open
    return regions


def _paragraph(text: str, start: int, end: int, pending: bool) -> tuple[list[Region], bool]:
    found: list[Region] = []
    opened: tuple[int, int] | None = None
    first = True
    for mark in _MARK.finditer(text, start, end):
        a, b = mark.span()
        if b - a == 3:
            # A single and a double mark side by side: the double one is the outer.
            a, b = (a, b - 1) if text[b : b + 1].isalnum() and opened is None else (a + 1, b)
        opens = _opens(text, a, b, start, end, opened is not None)
        if opens is None:
            continue
        if opens:
            if opened is not None:
                # A second opening mark: the first was never closed, or the quotation nests in itself.
                continue
            opened = (a, b)
        elif opened is not None:
            carried = pending and first and not text[start : opened[0]].strip()
            found.append(Region(opened[0], b, opened[1], a, True, carried))
            first, opened = False, None
        elif pending and first and not found:
            # Carried on from the paragraph before without a new opening mark.
            found.append(Region(start, b, start, a, True, True))
            first = False
    if opened is None:
        return found, False
    carried = pending and first and not text[start : opened[0]].strip()
    told = None if carried else _TOLD.search(text, opened[1], end)
    if told is not None and not _goes_on(text, end):
        # Never closed: it ends before the words that say whose it is.
        found.append(Region(opened[0], told.start() + 1, opened[1], told.start() + 1, False))
        return found, False
    if end - opened[0] <= _LONGEST:
        found.append(Region(opened[0], end, opened[1], end, False, carried))
    return found, True


_TOLD = re.compile(
    r"[,?!](?= (?:(?:(?:the |a |an )?[\w.’'-]+ ){1,4}(?:said|says|told|added|asked|wrote|tweeted|noted|replied)\b"
    r"|(?:said|says|asked|added) (?:the |a |an )?\w+))"
)
"""Where a quotation without a closing mark gives way to its cue."""


def _goes_on(text: str, end: int) -> bool:
    """Whether the next paragraph opens with a mark: then the one before was left open on purpose."""
    return re.match(r"\s*[\"“„«]", text[end : end + 12]) is not None


def _opens(text: str, a: int, b: int, start: int, end: int, inside: bool) -> bool | None:
    """Whether the mark ``[a, b)`` opens (True), closes (False) or is no quotation mark (None)."""
    mark = text[a:b]
    before = text[a - 1] if a > start else " "
    after = text[b] if b < end else " "
    if mark in ("``", "‘‘") or mark in OPENING:
        # An opening mark glued to the end of a word while one is open was meant to close.
        return not (inside and not before.isspace() and before not in "([—–―-" and not after.isalnum())
    if mark == '"' and before.isdigit() and not inside and not after.isalnum():
        return None  # inches
    if mark in ("”", "»", "››", "’’"):
        # Some desks open with a closing mark; what stands around it decides where nothing is open.
        return not inside and before.isspace()
    if inside:
        # A straight mark glued to the next word, with a space before it, opens again rather than closes.
        return before.isspace() and after.isalnum() and mark == '"' and _closes_later(text, b, end) == 1
    return not ((after.isspace() or after in ".,;:!?)") and not before.isspace() and before not in "(—–―-")


def _closes_later(text: str, at: int, end: int) -> int:
    """How many straight marks follow in the paragraph, modulo two: 1 where a region opened here would close."""
    return text.count('"', at, end) % 2


def _singles(text: str, start: int, end: int, doubles: list[Region]) -> list[Region]:
    """Stretches in single marks, where they can be no apostrophes: outside double marks, opened at a word's start."""
    found: list[Region] = []
    at = start
    while (opening := _SINGLE.search(text, at, end)) is not None:
        a = opening.start()
        at = a + 1
        if any(r.start <= a < r.end for r in doubles):
            continue
        close = _single_close(text, a, end, "’" if opening[1] == "‘" else "'")
        if close is None or any(r.start < close and a < r.end for r in doubles):
            continue
        found.append(Region(a, close + 1, a + 1, close))
        at = close + 1
    return found


def _single_close(text: str, a: int, end: int, mark: str) -> int | None:
    limit = min(end, a + 400)
    at = text.find(mark, a + 2, limit)
    while at != -1:
        before, after = text[at - 1], text[at + 1] if at + 1 < end else " "
        plural = before == "s" and after == " " and text.find(mark, at + 1, limit) != -1
        if not after.isalnum() and not before.isspace() and not plural:
            return at
        at = text.find(mark, at + 1, limit)
    return None


def words(text: str, region: Region) -> int:
    """Number of words between the marks."""
    return len(text[region.inner_start : region.inner_end].split())


def covering(regions: list[Region], start: int, end: int) -> Iterator[Region]:
    """Regions that overlap ``[start, end)``."""
    for region in regions:
        if region.start < end and start < region.end:
            yield region
