"""The dates of a story: scan, drop what is no date, read, join what belongs together, resolve.

One pass from left to right, so that an expression can be counted from those before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from models.document import Timex
from pipeline.stages.dates.anchor import Context, Reading, Seen
from pipeline.stages.dates.calendar_rules import day_of
from pipeline.stages.dates.fusion import join
from pipeline.stages.dates.grammar import Match, Tokens, grammar
from pipeline.stages.dates.lexicon import words
from pipeline.stages.dates.timex3 import days, valid
from pipeline.stages.dates.traps import is_trap

if TYPE_CHECKING:
    from spacy.tokens import Doc

    from models.document import Document
    from pipeline.stages.dates import DatesSettings

Normaliser = Callable[[Match, Context], Reading | list[Reading] | None]
_OF_POINTS = {
    "MORE_THAN": "BEFORE",
    "LESS_THAN": "AFTER",
    "EQUAL_OR_MORE": "ON_OR_BEFORE",
    "EQUAL_OR_LESS": "ON_OR_AFTER",
}
"""What a comparison of lengths says of the point in time they lead back to: ``more than two years ago`` is before."""
_OF_LATER_POINTS = {
    "MORE_THAN": "AFTER",
    "LESS_THAN": "BEFORE",
    "EQUAL_OR_MORE": "ON_OR_AFTER",
    "EQUAL_OR_LESS": "ON_OR_BEFORE",
}
_LINE = re.compile(r"^.+$", re.MULTILINE)
_BARE = re.compile(
    r"(?:[A-Z][a-z]+day,? )?(?:[A-Z][a-z]+\.? \d{1,2}|\d{1,2} [A-Z][a-z]+),? \d{4}\s*|\d{4}-\d\d-\d\d\s*"
)
"""A line that is a full date and nothing else."""
_ABOVE = 600
"""How far down, in characters, such a line is furniture."""
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?!\d)")


def extract(document: Document, parse: Doc, settings: DatesSettings) -> list[Timex]:
    """The temporal expressions of ``document``, in order of offset."""
    context = Context(
        text=document.text,
        parse=parse,
        settings=settings,
        published=_day(document.meta.published),
        agency=document.meta.agency,
        place=document.meta.place,
    )
    tokens = grammar().tokens(document.text)
    if context.published is None:
        context.published = _furniture_day(document, tokens, context)
    found = _scan(tokens, context)
    return [_timex(n, document.text, seen) for n, seen in enumerate(found, 1)]


def _day(written: str | None) -> date | None:
    found = _DAY.match(written or "")
    return day_of(int(found[1]), int(found[2]), int(found[3])) if found else None


def _furniture_day(document: Document, tokens: Tokens, context: Context) -> date | None:
    """The first full date of the header or the dateline, or on a line of its own above the copy."""
    zones = [(zone.start, zone.end) for zone in document.zones if zone.kind in ("header", "dateline")]
    zones += [
        (line.start(), line.end()) for line in _LINE.finditer(document.text, 0, _ABOVE) if _BARE.fullmatch(line[0])
    ]
    if not zones:
        return None
    found = list(_scan(tokens, context))
    context.seen.clear()
    for seen in found:
        if seen.reading.day and any(start <= seen.start < end for start, end in zones):
            return seen.reading.day
    return None


def _scan(tokens: Tokens, context: Context) -> list[Seen]:
    rules = grammar()
    at = 0
    for left, trigger in rules.candidates(tokens):
        position = max(left, at)
        while position <= trigger:
            end = _read(tokens, position, context) if tokens.codes[position] not in " \nx" else 0
            position = end if end > position else position + 1
        at = max(at, position)
    return context.seen


def _read(tokens: Tokens, position: int, context: Context) -> int:
    """Read the longest expression at a token into ``context.seen``; index of the token after it, 0 for none.

    A normaliser that answers ``None`` leaves the place to shorter patterns, one that answers an empty list has seen
    that nothing is to be marked there.
    """
    rules = grammar()
    options: list[tuple[int, Match | None, Match]] = [(m.last, None, m) for m in rules.matches(tokens, position)]
    for before in rules.prefix(tokens, position):
        options += [(m.last, before, m) for m in rules.matches(tokens, before.last)]
    options.sort(key=lambda option: -option[0])
    for end, prefix, match in options:
        if is_trap(match, context):
            continue
        got = _normaliser(match.pattern.normaliser)(match, context)
        if got == []:
            return end
        readings = [got] if isinstance(got, Reading) else got or []
        if not readings or not all(r.value is None or valid(r.value) for r in readings):
            continue
        if prefix is not None:
            prefixed = _prefixed(prefix, match, readings[0], context)
            if prefixed is None:
                continue
            readings[0] = prefixed
        for reading in readings:
            start, stop = reading.cut or (prefix.start if prefix else match.start, match.end)
            context.seen.append(Seen(start, stop, reading))
            join(context)
        return end
    return 0


def _prefixed(prefix: Match, match: Match, reading: Reading, context: Context) -> Reading | None:
    """The reading with what stands before it: ``early April``, ``nearly two months``."""
    mod = str(prefix.pattern.options.get("mod", ""))
    compares = mod not in ("START", "MID", "END")
    if compares and not (reading.type == "DURATION" or reading.type in ("DATE", "TIME")):
        return None
    if not compares and (reading.type == "DURATION" or (reading.value or "").endswith("_REF")):
        return None
    if compares and (reading.value or "").endswith("_REF"):
        return None
    if reading.cut and reading.cut[0] != match.start:
        return None
    if "adv" in prefix and match.pattern.name == "weekday":
        return None
    if "over" in prefix and not _counts_over(prefix, match, context):
        return None
    if match.pattern.name == "ago":
        before = re.search(r"(?:ago|earlier|before|previously)$", match.text.lower())
        mod = (_OF_POINTS if before else _OF_LATER_POINTS).get(mod, mod)
    # in "the late-November trip" the article is that of the trip
    start = prefix.start + (len("the ") if re.fullmatch(r"the \w+-", prefix.text, re.IGNORECASE) else 0)
    return replace(reading, mod=mod or reading.mod, cut=(start, reading.cut[1] if reading.cut else match.end))


def _counts_over(prefix: Match, match: Match, context: Context) -> bool:
    """Whether ``over`` is more than (``it lasted over a week``) and not throughout (``over the years``)."""
    before = context.words_before(prefix.start, 1)
    return "n" in match and match.start == match.span("n")[0] and before[-1:] != [] and before[-1] in words("lasting")


@cache
def _normaliser(name: str) -> Normaliser:
    module, _, function = name.partition(".")
    found: Normaliser = getattr(import_module(f"pipeline.stages.dates.{module}"), function)
    return found


def _timex(number: int, text: str, seen: Seen) -> Timex:
    reading = seen.reading
    fields: dict[str, str] = {}
    for name in ("mod", "quant", "freq"):
        if getattr(reading, name):
            fields[name] = getattr(reading, name)
    span = reading.days or (None if reading.dayless or reading.type in ("DURATION", "SET") else days(reading.value))
    if span:
        fields["earliest"], fields["latest"] = span
    return Timex.of(text, seen.start, seen.end, id=f"d{number}", type=reading.type, value=reading.value, **fields)
