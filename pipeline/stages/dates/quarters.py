"""Normalisers of quarters and halves, and of the comparisons of earnings stories with the same period a year before."""

from __future__ import annotations

import re
from dataclasses import replace

from pipeline.stages.dates.absolute import day_number, month_number, year_of
from pipeline.stages.dates.anchor import Context, Reading
from pipeline.stages.dates.calendar_rules import plus_quarters, quarter_of
from pipeline.stages.dates.custom import fiscal_start
from pipeline.stages.dates.grammar import Match
from pipeline.stages.dates.timex3 import months

WITHIN = 900
"""How far back, in characters, a quarter is still the one that is spoken of."""
_QUARTER = re.compile(r"(\d{4})-Q([1-4])")


def _value(year: int, quarter_: int) -> str:
    return f"{year:04}-Q{quarter_}"


def _reading(value: str, match: Match) -> Reading:
    words = match.text.lower()
    cut = None
    if ("o" in match and re.search(r"\w-(quarter|period)", words)) or words.startswith("a "):
        cut = match.span("f" if "f" in match else "o" if "o" in match else "y")[0], match.end
    elif owner := re.match(r"(?:its|their|his|her) ", words):
        cut = match.start + owner.end(), match.end
    compared = bool(re.search(r"ago|earlier|last year", words))
    return Reading("DATE", value, dayless="fiscal" in words and "-Q" in value, cut=cut, compared=compared)


def current_quarter(context: Context, match: Match) -> tuple[int, int] | None:
    """The quarter a story speaks of: the last named that is over, else the last named, else the one completed last."""
    over = None
    if context.published is not None:
        over = plus_quarters(context.published.year, quarter_of(context.published), -1)
    under_way = None
    for seen in context.before():
        if match.start - seen.end > WITHIN:
            break
        found = _QUARTER.match(seen.reading.value or "")
        if found and not seen.reading.compared:
            named = int(found[1]), int(found[2])
            if over is None or named <= over:
                return named
            under_way = under_way or named
    return under_way or over


def quarter(match: Match, context: Context) -> Reading | None:
    """``the third quarter``: of the year named, else the latest that is over or under way."""
    year = year_of(match, context)
    words = match.text.lower()
    if anchor := context.published:
        for word, shift in (("this year's", 0), ("last year's", -1), ("next year's", 1)):
            if words.replace("’", "'").find(word) >= 0:
                year = anchor.year + shift
    if "o" not in match:
        if "period" in words and not _speaks_of_quarters(context, match):
            if year is None:
                return None
            hyphened = "y" in match and context.text[: match.span("y")[0]].endswith("-")
            return Reading("DATE", f"{year:04}", cut=match.span("y") if hyphened else None)
        now = current_quarter(context, match)
        if year is None or now is None:
            return None
        return replace(_reading(_value(year, now[1]), match), compared=year < now[0])
    number = day_number(match["o"])
    if not 1 <= number <= 4 or ("period" in words and "quarter" not in words):
        return None
    if year is None and anchor is None:
        return Reading("DATE", f"XXXX-Q{number}")
    if year is None and anchor is not None:
        ahead = number > quarter_of(anchor)
        year = anchor.year - (1 if ahead and context.direction(match.start) == "past" else 0)
        if not ahead and number < quarter_of(anchor) - 1 and context.direction(match.start) == "future":
            year += 1
    if re.search(r"year-(ago|earlier)", words) and year is not None:
        year -= 1
    return _reading(_value(int(year or 0), number), match)


def short(match: Match, context: Context) -> Reading | None:
    """``Q3 2024``, ``3Q``, ``Q2 FY25``, ``H1 FY26``; a half only with its year."""
    number = int(match["o"] or match["o2"])
    halved = "h" in match or "h2" in match
    letter = match["q"] or match["q2"] or match["h"] or match["h2"]
    if not 1 <= number <= (2 if halved else 4) or not letter.isupper():
        return None
    year = year_of(match, context)
    if "y3" in match or "yy3" in match:
        # FY2024-25 is named by the year it ends in, as FY25 is
        year = (year or 0) + 1
    if halved:
        days = _fiscal_days(match, context, year, number, 6)
        return Reading("DATE", f"{year:04}-H{number}", dayless="fy" in match, days=days) if year else None
    if year is None and context.published is None:
        return Reading("DATE", f"XXXX-Q{number}")
    if year is None and context.published is not None:
        year = context.published.year - (1 if number > quarter_of(context.published) else 0)
    days = _fiscal_days(match, context, year, number, 3)
    return Reading("DATE", _value(int(year or 0), number), dayless="fy" in match, days=days)


def _fiscal_days(match: Match, context: Context, year: int | None, number: int, length: int) -> tuple[str, str] | None:
    """First and last day of a quarter or half of a fiscal year, named by the year it ends in."""
    start = fiscal_start(context)
    if "fy" not in match or start is None or not year or year < 2:
        return None
    index = (year - 1) * 12 + start - 1 + length * (number - 1)
    first, last = months(index // 12, index % 12 + 1, length)
    return first.isoformat(), last.isoformat()


def by_months(match: Match, context: Context) -> Reading | None:
    """``the April-June quarter``: without a year the latest that has begun."""
    first, last = month_number(match["m"]), month_number(match["m2"])
    if first % 3 != 1 or last != first + 2:
        return None
    number, year = (first + 2) // 3, year_of(match, context)
    if year is None and context.published is None:
        return Reading("DATE", f"XXXX-Q{number}")
    if year is None and context.published is not None:
        year = context.published.year - (1 if number > quarter_of(context.published) else 0)
    return Reading("DATE", _value(int(year or 0), number))


def the_quarter(match: Match, context: Context) -> Reading | None:
    """``the quarter``, ``the latest quarter``, ``the current quarter``, ``the next quarter``, ``the latest period``."""
    words = match.text.lower()
    anchor = context.published
    if "p" in match and not re.search(r"latest|recent|current|same", words):
        return None
    if anchor is None:
        return Reading("DATE", "XXXX-QX")
    now = (anchor.year, quarter_of(anchor))
    if re.search(r"\b(current|this)\b", words):
        shift = 0
    elif re.search(r"\b(next|coming)\b", words):
        shift = 1
    elif re.search(r"\b(previous|prior|preceding)\b", words) and (named := current_quarter(context, match)):
        return _reading(_value(*plus_quarters(*named, -1)), match)
    elif re.search(r"\b(last)\b", words):
        shift = -1
    else:
        named = current_quarter(context, match)
        if named is None:
            return None
        return _reading(_value(*plus_quarters(*named, -4 if re.search("ago|earlier", words) else 0)), match)
    return _reading(_value(*plus_quarters(*now, shift)), match)


def same_period(match: Match, context: Context) -> Reading | None:
    """``the year-earlier period``: the period spoken of, a year before."""
    if "y" in match:
        named = current_quarter(context, match)
        return Reading("DATE", _value(int(match["y"]), named[1]) if named else match["y"], compared=True)
    if "o" in match:
        number = day_number(match["o"])
        if context.published is None or not 1 <= number <= 4:
            return None
        year = context.published.year - (1 if number > quarter_of(context.published) else 0)
        return Reading("DATE", _value(year - 1, number), compared=True)
    value = year_before(match, context)
    return Reading("DATE", value, compared=True) if value else None


def year_before(match: Match, context: Context) -> str | None:
    """The period spoken of a year before, at its own granularity: a quarter, or the year."""
    for seen in context.before():
        value = seen.reading.value or ""
        if match.start - seen.end > WITHIN:
            break
        if _QUARTER.match(value) and not seen.reading.compared and (named := current_quarter(context, match)):
            return _value(named[0] - 1, named[1])
        if re.fullmatch(r"P\d+M|P1Y", value) and seen.reading.type == "DURATION":
            break
    return f"{context.published.year - 1:04}" if context.published else None


def half(match: Match, context: Context) -> Reading | None:
    """``the first half of 2024``."""
    which = 2 if ("l" in match or "l2" in match) else day_number(match["o"])
    if which not in (1, 2) or "centur" in match.text:
        return None
    year = year_of(match, context)
    if year is None and "yr" not in match and "py" not in match and not _speaks_of_business(match, context):
        return None
    if year is None and context.published is None:
        return Reading("DATE", f"XXXX-H{which}")
    if year is None and context.published is not None:
        year = context.published.year
        if which == 2 and context.published.month <= 4 and context.direction(match.start) == "past":
            year -= 1
    return Reading("DATE", f"{year:04}-H{which}")


def _speaks_of_quarters(context: Context, match: Match) -> bool:
    """Whether the period named last is a quarter and not, say, nine months."""
    for seen in context.before():
        value = seen.reading.value or ""
        if match.start - seen.end > WITHIN or re.fullmatch(r"P\d+M|P1Y", value):
            return False
        if _QUARTER.match(value):
            return True
    return False


def _speaks_of_business(match: Match, context: Context) -> bool:
    """``the first half`` is of a match more often than of a year, unless figures of business stand near."""
    near = context.text[max(0, match.start - 160) : match.end + 160].lower()
    return bool(re.search(r"profit|earnings|revenue|sales|net income|results|growth|fiscal|output|inflation|gdp", near))
