"""What belongs together: a time of the clock and its day, one instant told in two zones, a reference and its date."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

from pipeline.stages.dates.anchor import Context, Reading, Seen
from pipeline.stages.dates.calendar_rules import plus_days

_CLOCK = re.compile(r"T(\d\d):(\d\d)")
_BESIDE = re.compile(r",?\s(?:on )?")
_AT = re.compile(r",?\s(?:(?:at|by|around|about|from|until) ){0,2}")
_TO = re.compile(r"\s?[-–]\s?| (?:to|and|until|till|through) ")
_SAME_INSTANT = re.compile(r"\s?\(|,? or ")
_BRACKET_SHUT = re.compile(r"\),?\s(?:on )?")
_NEAR = 120
"""How far back, in characters of one sentence, a day is that of a time of the clock."""


def join(context: Context) -> None:
    """Join the expression read last with those before it, in ``context.seen``."""
    if len(context.seen) < 2:
        return
    one, two = context.seen[-2:]
    gap = context.text[one.end : two.start]
    if _is_clock(two.reading):
        context.seen[-1] = two._replace(reading=_clock_after(one, two.reading, gap))
    elif _is_clock(one.reading) and two.reading.day is not None:
        _day_after(context, two, two.reading.day, gap)
    elif one.reading.value == "PAST_REF" and two.reading.type == "DATE" and gap.isspace() and _dated(two.reading):
        # "most recently last Friday" is one date
        context.seen[-2:] = [two]


def _dated(reading: Reading) -> bool:
    return (reading.value or "")[:2].isdigit()


def _is_clock(reading: Reading) -> bool:
    return reading.type == "TIME" and _CLOCK.search(reading.value or "") is not None


def _clock_after(one: Seen, clock: Reading, gap: str) -> Reading:
    """``on Friday at 9 a.m.``, ``10 p.m. EST (0300 GMT)``: a time takes the day that stands before it."""
    day = one.reading.day
    if day is None:
        return clock
    if _is_clock(one.reading) and _SAME_INSTANT.fullmatch(gap):
        return _on(clock, _same_instant(one.reading, clock, day), fused=one.reading.fused)
    if _AT.fullmatch(gap) and not _is_clock(one.reading):
        return _on(clock, day, fused=True)
    near = len(gap) <= _NEAR and not re.search(r"[.!?;\n]", gap)
    return _on(clock, day, fused=False) if near else clock


def _day_after(context: Context, two: Seen, day: date, gap: str) -> None:
    """``10 p.m. Wednesday``, ``5 p.m. EST, Nov. 6``, ``10:35 a.m. (0735 GMT) Friday``."""
    one = context.seen[-2]
    if one.reading.fused:
        return
    if _BESIDE.fullmatch(gap):
        if len(context.seen) > 2:
            _begin_of_range(context, one, day)
        context.seen[-2:] = [Seen(one.start, two.end, replace(_on(one.reading, day, fused=True), cut=None))]
    elif _BRACKET_SHUT.fullmatch(gap) and len(context.seen) > 2 and _is_clock(context.seen[-3].reading):
        local = context.seen[-3]
        named = _on(local.reading, day, fused=True)
        context.seen[-3] = local._replace(reading=named)
        context.seen[-2] = one._replace(reading=_on(one.reading, _same_instant(named, one.reading, day), fused=True))


def _begin_of_range(context: Context, until: Seen, day: date) -> None:
    """``from 10 a.m. to 5 p.m. on Saturday``: both are on that day."""
    begin = context.seen[-3]
    if _is_clock(begin.reading) and not begin.reading.fused and _TO.fullmatch(context.text, begin.end, until.start):
        context.seen[-3] = begin._replace(reading=_on(begin.reading, day, fused=True))


def _on(clock: Reading, day: date, *, fused: bool) -> Reading:
    return replace(clock, value=f"{day.isoformat()}T{(clock.value or '').partition('T')[2]}", day=day, fused=fused)


def _same_instant(local: Reading, clock: Reading, day: date) -> date:
    """The day on which ``clock`` is the same instant in another zone: the one that puts them nearest."""
    here, there = _minutes(local), _minutes(clock)
    days = [found for shift in (-1, 0, 1) if (found := plus_days(day, shift))]
    return min(days, key=lambda found: abs((found - day) / timedelta(minutes=1) + there - here))


def _minutes(clock: Reading) -> int:
    found = _CLOCK.search(clock.value or "")
    return int(found[1]) * 60 + int(found[2]) if found else 0
