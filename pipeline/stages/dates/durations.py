"""Normalisers of durations and ages."""

from __future__ import annotations

import re

from pipeline.stages.dates.anchor import Context, Reading
from pipeline.stages.dates.grammar import Match
from pipeline.stages.dates.lexicon import lookup, number

_NOT_ALONE = frozenset({"seconds", "minutes", "mins", "yrs", "hrs", "nights", "quarters", "weekends"})


def unit_code(words: str) -> str:
    """Code of a unit, singular or plural: ``D``, ``TH`` (in the part of times)."""
    return str(lookup("unit", words) or lookup("units", words))


def duration_code(count: str, code: str) -> str:
    """``P3D``, ``PT24H``, ``PXY``, ``P2W`` (fortnight)."""
    if code == "W2":
        return "P2W" if count == "1" else "PXW" if count == "X" else f"P{float(count) * 2:g}W"
    return f"PT{count}{code[1]}" if code[0] == "T" else f"P{count}{code}"


def count(match: Match, context: Context) -> Reading | None:
    """``three years``, ``a couple of weeks``, ``the past three days``, ``the first nine months``."""
    if not context.settings.durations:
        return None
    found = number(match["n"])
    code = unit_code(match["u"])
    words = match.text.lower()
    singular = lookup("unit", match["u"]) is not None
    if found is None or (singular and found == "X") or not _may_count(match, context, singular, found):
        return None
    if "and a half" in words and "half" not in match["n"].lower():
        found = f"{float(found) + 0.5:g}"
    if "or" in match and "or so" not in words:
        found = "X" if found == "1" else found
    mod = "APPROX" if "so" in match or "couple" in words else None
    return Reading("DURATION", duration_code(found, code), mod=mod)


def _may_count(match: Match, context: Context, singular: bool, found: str) -> bool:
    """Whether a count and a unit are a length of time and not ``a second chance`` or ``a day``."""
    said = match["n"].lower()
    unit = match["u"].lower()
    if unit in ("second", "quarter") and singular:
        return said in ("1", "one") and unit == "quarter"
    if unit == "night" and said in ("a", "an"):
        return False
    if unit == "weekend" and singular:
        return False
    after = context.text[match.end : match.end + 1]
    return not (singular and after == "-") and after != "'"


def range_of_counts(match: Match, context: Context) -> Reading | None:
    """``two to three weeks``: the lower count, and more."""
    found = number(match["n"])
    if found is None or not context.settings.durations:
        return None
    return Reading("DURATION", duration_code(found, unit_code(match["u"])), mod="EQUAL_OR_MORE")


def modifier(match: Match, context: Context) -> Reading | None:
    """``a 24-hour strike``, ``a three-year period``."""
    found = number(match["n"])
    if found is None or not context.settings.durations or unit_code(match["u"]) == "WE":
        return None
    article = match.text.lower().startswith("a ")
    cut = (match.span("n")[0], match.end) if article and "period" not in match else None
    return Reading("DURATION", duration_code(found, unit_code(match["u"])), cut=cut)


def age(match: Match, context: Context) -> Reading | list[Reading] | None:
    """``30-year-old``, ``30 years old``."""
    found = number(match["n"])
    if found is None:
        return None
    if not context.settings.ages:
        return []
    cut = (match.span("n")[0], match.end)
    return Reading("DURATION", duration_code(found, unit_code(match["u"])), cut=cut)


def units(match: Match, context: Context) -> Reading | None:
    """``days``, ``the years``, ``weeks``: a length without a count."""
    if not context.settings.durations:
        return None
    after = context.text[match.end : match.end + 8].lower()
    if re.match(r"\s+old\b", after) or match["u"].lower() in _NOT_ALONE:
        return None
    article = match.text.lower().startswith(("the ", "these ", "those ")) and unit_code(match["u"]) != "Y"
    cut = match.span("u") if article else None
    return Reading("DURATION", duration_code("X", unit_code(match["u"])), cut=cut)


def two_units(match: Match, context: Context) -> Reading | None:
    """``two hours and 30 minutes``."""
    first, second = number(match["n"]), number(match["n2"])
    codes = unit_code(match["u"]), unit_code(match["u2"])
    if not first or not second or "X" in (first, second) or "W2" in codes or codes[0] == codes[1]:
        return None
    date_part = "".join(f"{n}{c}" for n, c in ((first, codes[0]), (second, codes[1])) if c[0] != "T")
    time_part = "".join(f"{n}{c[1]}" for n, c in ((first, codes[0]), (second, codes[1])) if c[0] == "T")
    return Reading("DURATION", f"P{date_part}" + (f"T{time_part}" if time_part else ""))


def clocked(match: Match, context: Context) -> Reading | None:
    """``3:07:35``."""
    if len(match["h"]) > 2:
        return None
    return Reading("DURATION", f"PT{int(match['h'])}H{int(match['m'])}M{int(match['s'])}S")


def a_while(match: Match, context: Context) -> Reading | None:
    """``a while``, ``some time``."""
    if not context.settings.durations or context.words_before(match.start, 1)[-1:] == ["once"]:
        return None
    return Reading("DURATION", "PXX")
