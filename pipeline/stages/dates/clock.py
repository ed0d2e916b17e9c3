"""Normalisers of times of the clock. The day they lie on is that of a date they stand with, else the story's."""

from __future__ import annotations

import re

from pipeline.stages.dates.anchor import Context, Reading
from pipeline.stages.dates.grammar import Match
from pipeline.stages.dates.lexicon import lookup, words


def _at(hour: int, minute: int | None, zone: str, context: Context) -> Reading | None:
    if not 0 <= hour <= 24 or not 0 <= (minute or 0) < 60:
        return None
    day = context.published
    clock = f"{hour:02}:{minute or 0:02}{_zone(zone, context)}"
    return Reading("TIME", f"{day.isoformat() if day else 'XXXX-XX-XX'}T{clock}", day=day)


def _zone(said: str, context: Context) -> str:
    offset = str(lookup("zone", said.strip()) or "")
    return offset if offset == "Z" or context.settings.zone_offsets else ""


def time(match: Match, context: Context) -> Reading | None:
    """``10 p.m. EST``, ``9.30 am``, ``2:30 in the afternoon``."""
    hour, minute = int(match["h"]), int(match["m"]) if "m" in match else None
    if not 1 <= hour <= 24:
        return None
    if "p" in match:
        hour = _hour_in(hour, lookup("part", match["p"]))
    elif hour <= 12:
        hour = hour % 12 + (12 if match["mer"].lower().startswith("p") else 0)
    return _at(hour, minute, match["z"], context)


def colon(match: Match, context: Context) -> Reading | None:
    """``15:00 GMT``; without a zone only where a word of time stands before it."""
    before = context.words_before(match.start, 1)
    said = "z" in match or match.text.lower().endswith(("hours", "hrs"))
    if not said and (not before or before[-1] not in words("clock_leads")):
        return None
    return _at(int(match["h"]), int(match["m"]), match["z"], context)


def figures(match: Match, context: Context) -> Reading | None:
    """``0900 GMT``, ``2100 hours``."""
    written = match["hm"] or match["hm2"]
    if "hm2" in match and match.text.lower().endswith("hours") and written[0] not in "01" and written[:2] > "24":
        return None
    return _at(int(written[:2]), int(written[2:]), match["z"], context)


def noon(match: Match, context: Context) -> Reading | None:
    """``noon``, ``midnight``."""
    return _at(int(lookup("noon", match["w"])), 0, match["z"], context)


def oclock(match: Match, context: Context) -> Reading | None:
    """``nine o'clock in the evening``."""
    hour = int(match["h"]) if "h" in match else int(lookup("cardinal", match["hw"]))
    part = lookup("part", match["p"]) if "p" in match else None
    if not 1 <= hour <= 12:
        return None
    return _at(_hour_in(hour, part), 0, "", context)


def past_the_hour(match: Match, context: Context) -> Reading | None:
    """``half past three``, ``a quarter to five in the evening``."""
    hour = int(match["h"]) if "h" in match else int(lookup("cardinal", match["hw"]))
    if not 1 <= hour <= 12:
        return None
    hour = _hour_in(hour, lookup("part", match["p"]) if "p" in match else None)
    minute = 30 if "half" in match else 15 if "past" in match else -15
    return _at((hour * 60 + minute) // 60 % 24, minute % 60, "", context)


def _hour_in(hour: int, part: str | None) -> int:
    """An hour of twelve in a part of the day: ``four`` in the afternoon is 16, ``two`` at night 2."""
    if part in ("AF", "EV") or (part == "NI" and 6 <= hour < 12):
        return hour % 12 + 12
    return 0 if hour == 12 and part is not None else hour


def part(match: Match, context: Context) -> Reading | None:
    """``the afternoon``, ``early morning``: of the day named last or of the story."""
    code = lookup("part", match["p"])
    said = match.text.lower()
    if not said.startswith("the ") or match["p"].lower() in ("night", "dawn", "dusk"):
        return None
    if re.match(r"\s+(of|before|after)\b", context.text[match.end : match.end + 8].lower()):
        return None
    day = context.last_day()
    mod = "START" if "early" in said else "END" if "late" in said else "MID" if "mid" in said else None
    return Reading("TIME", f"{day.isoformat() if day else 'XXXX-XX-XX'}T{code}", mod=mod, day=day)
