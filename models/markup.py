"""A document's annotations as marks over its text, and the document as a piece of HTML for notebooks.

Annotations overlap: a quote holds names and dates, a role holds an organisation, and two ranges may cross. HTML
elements must nest, so :func:`weave` cuts a range that crosses another in two and gives openings and closings that
always nest; everything that draws a story as HTML is drawn from these.
"""

from __future__ import annotations

import heapq
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Literal

from models.document import Attribution, Document, MentionKind, Quote

MarkKind = Literal["quote", "source", "cue", "entity", "date"]
_RANK: dict[MarkKind, int] = {"quote": 0, "source": 1, "cue": 2, "entity": 3, "date": 4}
"""Of ranges that are alike, the one that stands outside."""


@dataclass(frozen=True)
class Mark:
    """A range ``[start, end)`` of the text, in code points, and the id of the entity, date or quote it belongs to.

    ``form`` says of a mention whether it is a name, a description or a pronoun.
    """

    start: int
    end: int
    kind: MarkKind
    ref: str
    form: MentionKind | None = None


def marks(document: Document) -> list[Mark]:
    """Every mention, date, part of a quote, cue and source of ``document``, from the left and the outermost first."""
    found: list[Mark] = []
    for quote in document.quotes:
        found += [Mark(part.start, part.end, "quote", quote.id) for part in quote.parts]
        if quote.source:
            found.append(Mark(quote.source.start, quote.source.end, "source", quote.id))
        if quote.cue:
            found.append(Mark(quote.cue.start, quote.cue.end, "cue", quote.id))
    for entity in document.entities:
        found += [Mark(mention.start, mention.end, "entity", entity.id, mention.kind) for mention in entity.mentions]
    found += [Mark(timex.start, timex.end, "date", timex.id) for timex in document.dates]
    return sorted((mark for mark in found if mark.start < mark.end), key=lambda m: (m.start, -m.end, _RANK[m.kind]))


def weave(marks: Iterable[Mark], start: int, end: int) -> Iterator[tuple[int, Mark | None]]:
    """Openings and closings of ``marks`` within ``[start, end)``, in order and nested.

    Yields ``(offset, mark)`` where a mark opens and ``(offset, None)`` where the mark opened last closes. A mark
    that reaches beyond the range is cut at its edge; one that crosses another is closed and opened again there.

    >>> story = [Mark(0, 6, "quote", "q1"), Mark(4, 9, "entity", "e1")]
    >>> [(at, mark.ref if mark else "/") for at, mark in weave(story, 0, 10)]
    [(0, 'q1'), (4, 'e1'), (6, '/'), (6, '/'), (6, 'e1'), (9, '/')]
    """
    waiting = [
        (max(mark.start, start), -min(mark.end, end), _RANK[mark.kind], n, mark)
        for n, mark in enumerate(marks)
        if mark.start < end and mark.end > start
    ]
    heapq.heapify(waiting)
    ends: list[int] = []
    while waiting:
        opens, negative, rank, n, mark = heapq.heappop(waiting)
        closes = -negative
        while ends and ends[-1] <= opens:
            yield ends.pop(), None
        if ends and closes > ends[-1]:
            heapq.heappush(waiting, (ends[-1], negative, rank, n, mark))
            closes = ends[-1]
        yield opens, mark
        ends.append(closes)
    while ends:
        yield ends.pop(), None


def woven(document: Document) -> Iterator[tuple[int, int, list[tuple[int, Mark | None]]]]:
    """Each paragraph of ``document``: its range, and what opens and closes in it as :func:`weave` tells it.

    The work grows with the marks, not with marks times paragraphs: a story may have thousands of both.
    """
    found = marks(document)
    starts = [mark.start for mark in found]
    first = 0
    for start, end in document.paragraphs():
        # Marks are in order: those at the front that have ended are done with.
        while first < len(found) and found[first].end <= start:
            first += 1
        yield start, end, list(weave(found[first : bisect_left(starts, end, first)], start, end))


def speakers(document: Document) -> dict[str, Attribution]:
    """The attribution of each quote that has one, by the quote's id."""
    return {said.quote: said for said in reversed(document.attributions)}


def speaker_name(said: Attribution | None) -> str:
    """The speaker's name, else the source as written, else nothing."""
    if said is None:
        return ""
    return " ".join((said.name or (said.speaker.text if said.speaker else "")).split())


def content(document: Document, quote: Quote) -> str:
    """The words of ``quote`` in one line, its parts joined by an ellipsis."""
    return " … ".join(" ".join(document.text[part.start : part.end].split()) for part in quote.parts)


# Translucent, so that they lie on a light page and on a dark one; the text keeps the page's own colour.
_TINTS = {
    "PERSON": "rgba(64,132,244,.28)",
    "ORG": "rgba(170,90,230,.26)",
    "GPE": "rgba(30,170,110,.28)",
    "LOC": "rgba(30,170,110,.28)",
    "FAC": "rgba(30,170,110,.28)",
    "date": "rgba(235,165,20,.34)",
    "other": "rgba(130,130,130,.28)",
}
_LEGEND = {"PERSON": "person", "ORG": "organisation", "GPE": "place", "other": "other name", "date": "date"}
_QUOTE = "border-bottom:2px solid rgba(225,70,60,.75)"


def to_html(document: Document) -> str:
    """``document`` as HTML that stands in any page: no style sheet, no script, no id, text escaped.

    The story with names, dates and quotes marked (what each is shows on hover) and a table of who said what.
    """
    return "".join(_parts(document))


def _parts(document: Document) -> Iterator[str]:
    meta = document.meta
    facts = [document.id if meta.headline else None, meta.agency, meta.place, meta.published, meta.byline]
    yield '<div style="max-width:60em;line-height:1.55">'
    yield f'<div><b dir="auto">{_text(meta.headline or document.id)}</b></div>'
    yield f'<div style="opacity:.75">{" · ".join(_text(f) for f in facts if f)}</div>'
    yield '<div style="max-height:34em;overflow:auto;margin:.6em 0">'
    yield from _story(document)
    yield "</div>"
    yield f'<div style="opacity:.85;font-size:.9em">{_legend()}</div>'
    if document.quotes:
        yield from _said(document)
    if document.topics:
        yield _line("Topics", (f"{_text(topic.label)} {topic.score:.2f}" for topic in document.topics))
    for abstention in document.abstentions:
        yield _line(abstention.section.capitalize(), [f"none: {_text(abstention.reason)}"])
    if document.keyphrases:
        yield _line("Keyphrases", (_text(phrase.text) for phrase in document.keyphrases))
    yield "</div>"


def _story(document: Document) -> Iterator[str]:
    titles, styles = _titles(document), _styles(document)
    numbers = {quote.end: n for n, quote in enumerate(document.quotes, 1)}
    for start, end, events in woven(document):
        dim = "" if document.zone(start) == "body" else ";opacity:.6"
        yield f'<p dir="auto" style="margin:.5em 0;white-space:pre-line{dim}">'
        at = start
        open_marks: list[Mark] = []
        for offset, mark in events:
            yield _text(document.text[at:offset])
            at = offset
            if mark is not None:
                open_marks.append(mark)
                yield f'<span style="{styles[mark.kind, mark.ref]}" title="{_text(titles[mark.kind, mark.ref])}">'
                continue
            closed = open_marks.pop()
            yield "</span>"
            if closed.kind == "quote" and closed.end == offset and offset in numbers:
                yield f'<sup style="line-height:0">[{numbers[offset]}]</sup>'
        yield f"{_text(document.text[at:end])}</p>"


def _styles(document: Document) -> dict[tuple[str, str], str]:
    found = {("date", timex.id): f"background:{_TINTS['date']};border-radius:3px" for timex in document.dates}
    for entity in document.entities:
        tint = _TINTS.get(entity.label, _TINTS["other"])
        found["entity", entity.id] = f"background:{tint};border-radius:3px"
    for quote in document.quotes:
        found["quote", quote.id] = _QUOTE
        found["source", quote.id] = "font-style:italic"
        found["cue", quote.id] = "border-bottom:1px dotted currentColor"
    return found


def _titles(document: Document) -> dict[tuple[str, str], str]:
    found = {("date", timex.id): f"{timex.type} {timex.value or 'not resolved'}" for timex in document.dates}
    found |= {("entity", entity.id): f"{entity.label} {entity.name}" for entity in document.entities}
    said = speakers(document)
    for n, quote in enumerate(document.quotes, 1):
        name = speaker_name(said.get(quote.id)) or "speaker not known"
        found["quote", quote.id] = f"quote {n}, {quote.type}: {name}"
        found["source", quote.id] = f"source of quote {n}: {name}"
        found["cue", quote.id] = f"cue of quote {n}"
    return found


def _said(document: Document) -> Iterator[str]:
    cell = 'style="text-align:left;vertical-align:top;padding:.25em .7em"'
    heads = ("", "Speaker", "Role", "Quote", "Cue")
    yield '<table style="margin:.6em 0;border-collapse:collapse;font-size:1em">'
    yield '<caption style="text-align:left"><b>Who said what</b></caption>'
    yield f"<thead><tr>{''.join(f'<th {cell}>{head}</th>' for head in heads)}</tr></thead><tbody>"
    by = speakers(document)
    for n, quote in enumerate(document.quotes, 1):
        said = by.get(quote.id)
        name = _text(speaker_name(said)) or "<i>not known</i>"
        role, cue = (said.role or "" if said else ""), (quote.cue.text if quote.cue else "")
        cells = (str(n), name, _text(" ".join(role.split())), _text(content(document, quote)), _text(cue))
        yield f"<tr>{''.join(f'<td {cell}>{value}</td>' for value in cells)}</tr>"
    yield "</tbody></table>"


def _legend() -> str:
    tints = (f'<span style="background:{_TINTS[key]};border-radius:3px">{name}</span>' for key, name in _LEGEND.items())
    return " · ".join((*tints, f'<span style="{_QUOTE}">quote</span>'))


def _line(head: str, items: Iterable[str]) -> str:
    return f'<div dir="auto"><b>{head}</b> {" · ".join(items)}</div>'


def _text(text: str) -> str:
    """Escaped for content and attributes; control characters shown as such, directions kept inside."""
    shown = _CONTROLS.sub("\ufffd", text.replace("\r", " "))
    return escape(shown)


_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
