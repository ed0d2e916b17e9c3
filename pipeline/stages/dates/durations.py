"""Normalisers of durations and ages."""

from __future__ import annotations

import re

from pipeline.stages.dates.anchor import Context, Reading
from pipeline.stages.dates.grammar import Match
from pipeline.stages.dates.lexicon import lookup, number, words

_NOT_ALONE = frozenset({"seconds", "minutes", "mins", "yrs", "hrs", "nights", "quarters", "weekends"})


_HALF_OF = {"Y": ("P", "6M"), "TH": ("PT", "30M"), "TM": ("PT", "30S"), "D": ("P", "T12H")}
"""How a unit and a half is written: P2Y6M, PT1H30M; what has no whole half (a month) stays a decimal."""
_SMALLER = {"Y": 0, "M": 1, "W": 2, "D": 3, "TH": 4, "TM": 5, "TS": 6}
_YEARS = {"DE": 10, "CE": 100}
"""Counted decades and centuries are written as years, as annotators do."""


def unit_code(words: str) -> str:
    """Code of a unit, singular or plural: ``D``, ``TH`` (in the part of times)."""
    return str(lookup("unit", words) or lookup("units", words))


def duration_code(count: str, code: str) -> str:
    """``P3D``, ``PT24H``, ``PXY``, ``P2W`` (fortnight), ``P2Y6M`` (two and a half years)."""
    if code == "W2":
        return "P2W" if count == "1" else "PXW" if count == "X" else f"P{float(count) * 2:g}W"
    whole, _, part = count.partition(".")
    if part == "5" and code in _HALF_OF:
        before, half = _HALF_OF[code]
        return before + (half if whole == "0" else f"{whole}{code[-1]}{half}")
    if count != "X" and code in _YEARS:
        return f"P{float(count) * _YEARS[code]:g}Y"
    return f"PT{count}{code[1]}" if code[0] == "T" else f"P{count}{code}"


def count(match: Match, context: Context) -> Reading | None:
    """``three years``, ``a couple of weeks``, ``the past three days``, ``the first nine months``."""
    if not context.settings.durations:
        return None
    found = number(match["n"])
    code = unit_code(match["u"])
    said = match.text.lower()
    singular = lookup("unit", match["u"]) is not None
    if found is None or (singular and found == "X") or not _may_count(match, context, singular, found):
        return None
    if "and a half" in said and "half" not in match["n"].lower() and found != "X":
        found = f"{float(found) + 0.5:g}"
    if "or" in match and "or so" not in said:
        found = "X" if found == "1" else found
    mod = "APPROX" if "so" in match or "couple" in said else None
    if singular and found not in ("1", "X") and said.startswith("the ") and float(found) > 1:
        # in "the two day rally" the article is that of the rally
        return Reading("DURATION", duration_code(found, code), mod=mod, cut=(match.start + len("the "), match.end))
    return Reading("DURATION", duration_code(found, code), mod=mod)


def _may_count(match: Match, context: Context, singular: bool, found: str) -> bool:
    """Whether a count and a unit are a length of time and not ``a second chance`` or ``a day``."""
    said = match["n"].lower()
    unit = match["u"].lower()
    if unit in ("second", "quarter") and singular:
        return said in ("1", "one") and unit == "quarter"
    if said in ("a", "an") and (unit == "night" or not singular):
        return False
    if unit == "weekend" and singular:
        return False
    if unit in ("hours", "hrs") and _clock_figures(match, context):
        return False
    if unit == "century" and words("innings").intersection(context.words_before(match.start, 4)):
        return False
    return not (singular and context.text[match.end : match.end + 1] == "-")


def _clock_figures(match: Match, context: Context) -> bool:
    """Whether ``1830 hrs`` is a time of the clock and not a count."""
    written = match["n"]
    if not re.fullmatch(r"[0-2]\d[0-5]\d", written, re.ASCII):
        return False
    before = context.words_before(match.start, 1)
    return match["u"].lower() == "hrs" or (bool(before) and before[-1] in words("clock_leads"))


def range_of_counts(match: Match, context: Context) -> Reading | None:
    """``two to three weeks``, ``between two and three weeks``: the lower count, and more."""
    found = number(match["n"])
    if found is None or not context.settings.durations:
        return None
    cut = (match.span("n")[0], match.end) if "between" in match else None
    return Reading("DURATION", duration_code(found, unit_code(match["u"])), mod="EQUAL_OR_MORE", cut=cut)


def modifier(match: Match, context: Context) -> Reading | None:
    """``a 24-hour strike``, ``a three-year period``, ``a half-hour delay``."""
    vague = "several" in match or "multi" in match
    found = "X" if vague else number(match["n"] or "half")
    if found is None or not context.settings.durations or unit_code(match["u"]) == "WE":
        return None
    article = match.text.lower().startswith("a ")
    first = next(group for group in ("n", "half", "several", "multi") if group in match)
    cut = (match.span(first)[0], match.end) if article and "period" not in match else None
    return Reading("DURATION", duration_code(found, unit_code(match["u"])), cut=cut)


def long(match: Match, context: Context) -> Reading | None:
    """``a day-long meeting``, ``the decades-long conflict``, ``a weeklong trip``."""
    if not context.settings.durations:
        return None
    first = next(group for group in ("w", "n", "u", "us") if group in match)
    cut = match.span(first)[0], match.end
    if "w" in match:
        return Reading("DURATION", str(lookup("longword", match["w"])), cut=cut)
    found = number(match["n"]) if "n" in match else "1" if lookup("unit", match["u"]) else "X"
    code = unit_code(match["u"] or match["us"])
    return Reading("DURATION", duration_code(found, code), cut=cut) if found else None


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
    first = context.token(match.start)
    if "whole2" in match and first is not None and first.tag_.startswith("VB"):
        # "it may last days"
        return None
    article = match.text.lower().startswith(("the ", "these ", "those ")) and unit_code(match["u"]) != "Y"
    cut = match.span("u") if article and not any(group.startswith("whole") for group in match.groups) else None
    return Reading("DURATION", duration_code("X", unit_code(match["u"])), cut=cut)


def units_or_units(match: Match, context: Context) -> Reading | None:
    """``weeks or months``: the shorter, and more."""
    codes = unit_code(match["u"]), unit_code(match["u2"])
    if not context.settings.durations or not set(codes) <= _SMALLER.keys() or _SMALLER[codes[0]] <= _SMALLER[codes[1]]:
        return None
    if match["u"].lower() in _NOT_ALONE - {"minutes", "seconds"}:
        return None
    return Reading("DURATION", duration_code("X", codes[0]), mod="EQUAL_OR_MORE")


def two_units(match: Match, context: Context) -> Reading | None:
    """``two hours and 30 minutes``, ``an hour and 20 minutes``."""
    first, second = number(match["n"]), number(match["n2"])
    codes = unit_code(match["u"]), unit_code(match["u2"])
    if not first or not second or not (first + second).isdigit() or not set(codes) <= _SMALLER.keys():
        return None
    if _SMALLER[codes[0]] >= _SMALLER[codes[1]]:
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
