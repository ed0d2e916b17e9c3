"""Gold in brat standoff (https://brat.nlplab.org/standoff.html): a folder of ``NAME.txt`` with ``NAME.ann`` beside it.

What the annotations mean is told by their labels, upper or lower case alike:

* text-bound ``PERSON``, ``ORG``, ``GPE`` ...: names. ``Equiv`` (``*``) or a relation ``Coref`` makes mentions one
  entity; the attribute ``kind`` may say ``nominal`` or ``pronoun``.
* ``DATE``, ``TIME``, ``DURATION``, ``SET``, or ``TIMEX3`` with an attribute ``type``: dates. Their value is the
  attribute ``value``, or the annotator's note.
* ``QUOTE`` (or ``QUOTATION``, ``CONTENT``), in one or more fragments: quotations, with attributes ``type`` (direct,
  indirect, mixed) and ``kind`` (speech, writing, thought, intention). A relation or an event argument ``source`` or
  ``speaker`` leads to whose words they are; the note of a quotation is the speaker's full name.

A stage counts as annotated if any file of the folder has an annotation of its kind.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.errors import StoryError, UsageError
from pipeline.readers.decode import decode
from pipeline.review.gold import CLASSES, Name, Spoken, Story, Timed, Uttered

_TIMEX = frozenset({"date", "time", "duration", "set", "timex", "timex3"})
_QUOTES = frozenset({"quote", "quotation", "content"})
_SOURCES = re.compile(r"(source|speaker)\d*", re.IGNORECASE)
_COREF = re.compile(r"(coref|coreference|equiv|identity)", re.IGNORECASE)
_PLACES = frozenset({"gpe", "loc", "fac", "location", "facility"})
_SPANS = re.compile(r"\d+ \d+(;\d+ \d+)*")


@dataclass
class _Standoff:
    """One .ann file: text-bound annotations, links between them, attributes and notes by id."""

    bound: dict[str, tuple[str, list[tuple[int, int]]]] = field(default_factory=dict)
    links: list[tuple[str, str, str]] = field(default_factory=list)
    same: list[list[str]] = field(default_factory=list)
    attributes: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    notes: dict[str, str] = field(default_factory=dict)
    events: dict[str, str] = field(default_factory=dict)


def is_standoff(folder: Path) -> bool:
    """Whether there are .ann files below ``folder``."""
    return next(folder.rglob("*.ann"), None) is not None


def read_standoff(folder: Path) -> Iterator[Story]:
    """Every annotated story below ``folder``, by its text's name. Raises :class:`UsageError` naming file and line."""
    found = [_story(path, folder) for path in sorted(folder.rglob("*.ann"))]
    there = {name for story in found for name in ("names", "mentions", "timexes", "quotes") if getattr(story, name)}
    sources = any(story.sources for story in found)
    for story in found:
        # What no file has an annotation of was not looked for.
        yield replace(
            story,
            names=story.names if "names" in there else None,
            mentions=story.mentions if "mentions" in there else None,
            timexes=story.timexes if "timexes" in there else None,
            quotes=story.quotes if "quotes" in there else None,
            sources=sources,
        )


def _story(path: Path, folder: Path) -> Story:
    beside = path.with_suffix(".txt")
    try:
        text = decode(beside.read_bytes()).text
    except (OSError, StoryError) as error:
        raise UsageError(
            f"the text of {path} cannot be read: {error}", f"It belongs in {beside.name} beside it"
        ) from None
    standoff = _parse(path, len(text))
    name = beside.relative_to(folder).as_posix()
    quotes = tuple(sorted(_quotes(standoff)))
    return Story(
        id=name,
        also=name.removesuffix(".txt"),
        text=text,
        names=tuple(sorted(_names(standoff))),
        mentions=tuple(sorted(_mentions(standoff))),
        timexes=tuple(sorted(_timexes(standoff))),
        quotes=quotes,
        sources=any(quote.source or quote.name for quote in quotes),
    )


def _parse(path: Path, size: int) -> _Standoff:
    standoff = _Standoff()
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        if line.strip():
            try:
                _line(line, standoff, size)
            except (ValueError, IndexError) as error:
                raise UsageError(
                    f"{path}, line {number}: {error}", "See https://brat.nlplab.org/standoff.html"
                ) from None
    return standoff


def _line(line: str, standoff: _Standoff, size: int) -> None:
    id_, _, rest = line.partition("\t")
    head, _, tail = rest.partition("\t")
    words = head.split()
    if not words:
        raise ValueError(f"{line[:40]!r} is no standoff annotation")
    kind = id_[:1]
    if kind == "T":
        label, _, spans = head.partition(" ")
        if not _SPANS.fullmatch(spans.strip()):
            raise ValueError(f"{spans!r} is no range of offsets")
        pairs = [(int(a), int(b)) for a, b in (piece.split() for piece in spans.strip().split(";"))]
        if any(not a <= b <= size for a, b in pairs):
            raise ValueError(f"{spans} does not lie in a text of {size} characters")
        standoff.bound[id_] = (label, sorted(pairs))
    elif kind == "R":
        one, two = (word.partition(":")[2] for word in words[1:3])
        standoff.links.append((words[0], one, two))
    elif kind == "E":
        trigger = words[0].partition(":")[2]
        standoff.events[id_] = trigger
        for word in words[1:]:
            role, _, other = word.partition(":")
            standoff.links.append((role, id_, other))
    elif kind == "*":
        standoff.same.append(words[1:])
    elif kind in {"A", "M"}:
        standoff.attributes[words[1]][words[0].casefold()] = " ".join(words[2:]) or "true"
    elif kind == "#" and len(words) > 1:
        standoff.notes[words[1]] = tail.strip()


def _names(standoff: _Standoff) -> Iterator[Name]:
    for id_, (label, spans) in standoff.bound.items():
        kind = standoff.attributes[id_].get("kind", "name")
        if label.casefold() in CLASSES and kind.casefold() == "name":
            yield Name(spans[0][0], spans[-1][1], CLASSES[label.casefold()])


def _mentions(standoff: _Standoff) -> Iterator[Spoken]:
    groups = [*standoff.same, *([a, b] for relation, a, b in standoff.links if _COREF.fullmatch(relation))]
    if not groups:
        return
    cluster = {id_: id_ for id_ in standoff.bound}
    for group in groups:
        ours = [id_ for id_ in group if id_ in cluster]
        into = {cluster[id_] for id_ in ours}
        cluster |= {id_: min(into) for id_, other in cluster.items() if other in into}
    etypes = {"PER": "person", "ORG": "organization"}
    for id_, (label, spans) in standoff.bound.items():
        folded = label.casefold()
        if folded in CLASSES:
            etype = "place" if folded in _PLACES else etypes.get(CLASSES[folded], "other")
            named = standoff.attributes[id_].get("kind", "name").casefold() == "name"
            yield Spoken(spans[0][0], spans[-1][1], cluster[id_], etype, named)


def _timexes(standoff: _Standoff) -> Iterator[Timed]:
    for id_, (label, spans) in standoff.bound.items():
        if label.casefold() in _TIMEX:
            given = standoff.attributes[id_]
            type_ = given.get("type", "DATE" if label.casefold().startswith("timex") else label).upper()
            yield Timed(spans[0][0], spans[-1][1], type_, given.get("value", standoff.notes.get(id_, "")))


def _quotes(standoff: _Standoff) -> Iterator[Uttered]:
    speakers: dict[str, tuple[int, int]] = {}
    for relation, one, two in standoff.links:
        left, right = standoff.events.get(one, one), standoff.events.get(two, two)
        if left in standoff.bound and standoff.bound[left][0].casefold() not in _QUOTES:
            left, right = right, left  # some draw the arrow from the speaker to the words
        if _SOURCES.fullmatch(relation) and right in standoff.bound:
            spans = standoff.bound[right][1]
            speakers[left] = (spans[0][0], spans[-1][1])
    for id_, (label, spans) in standoff.bound.items():
        if label.casefold() in _QUOTES:
            given = standoff.attributes[id_]
            speech = given.get("kind", "speech").casefold() in {"speech", "writing"}
            type_ = given.get("type", "indirect").casefold()
            name = standoff.notes.get(id_) or None
            yield Uttered(spans[0][0], spans[-1][1], type_, speech, speakers.get(id_), name)
