"""Normalisers of dates named by where the story stands: weekdays, today, last week, two weeks ago, the same day."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from pipeline.stages.dates.absolute import (
    a_day,
    day_number,
    day_of_month,
    holiday_day,
    monday_of,
    month_number,
    month_value,
    next_weekday,
    related_fiscal,
    year_of,
)
from pipeline.stages.dates.anchor import Context, Reading
from pipeline.stages.dates.calendar_rules import day_of, plus_days, plus_months, plus_quarters, quarter_of, week_value
from pipeline.stages.dates.durations import duration_code
from pipeline.stages.dates.grammar import Match
from pipeline.stages.dates.lexicon import lookup, number
from pipeline.stages.dates.quarters import year_before
from pipeline.stages.dates.timex3 import months

_WEEKDAY = re.compile(r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day")
_TO = re.compile(r"\s?[-–]\s?| to | through | until | till ")
_AND = re.compile(r",?(?: and|,| or) ")


def _weekday_of(match: Match) -> int:
    return int(lookup("weekday", match["wd"].strip(" .")))


def weekday_day(match: Match, context: Context) -> date | None:
    """The day a weekday names: the last one, or the same day, or the next where the story looks ahead."""
    anchor = context.published
    if anchor is None:
        return None
    weekday_ = _weekday_of(match)
    words = " ".join(match[g] for g in ("rel", "rel2", "rel3", "rel4", "rel5", "rel6", "rel7") if g in match).lower()
    if "wk" in match or "wk2" in match or "wk3" in match:
        shift = -7 if "wk" in match else 7 if "wk2" in match else 0
        return plus_days(monday_of(anchor), shift + weekday_ - 1)
    if re.search(r"last|past|previous", words):
        before = plus_days(anchor, -1)
        return next_weekday(before, weekday_, -1) if before else None
    if re.search(r"next|coming|following", words):
        after = plus_days(anchor, 1)
        return next_weekday(after, weekday_, 1) if after else None
    if since := _range_start(match, context):
        return next_weekday(since, weekday_, 1)
    if anchor.isoweekday() == weekday_:
        return anchor
    if words == "this":
        return plus_days(monday_of(anchor), weekday_ - 1)
    return next_weekday(anchor, weekday_, 1 if context.direction(match.start) == "future" else -1)


def _range_start(match: Match, context: Context) -> date | None:
    """The day after that a range up to the matched weekday begins: ``from Monday to Friday`` is one week."""
    one = context.seen[-1] if context.seen else None
    if one is None or one.reading.day is None:
        return None
    gap = context.text[one.end : match.start]
    between = context.words_before(one.start, 1)[-1:] == ["between"]
    if _WEEKDAY.search(context.text, one.start, one.end) and (_TO.fullmatch(gap) or (between and gap == " and ")):
        return plus_days(one.reading.day, 1)
    return None


def weekday(match: Match, context: Context) -> Reading | None:
    """``Friday``, ``last Wednesday``, ``Tuesday of last week``; in ``every Monday and Friday`` the rest of the set."""
    one = context.seen[-1] if context.seen else None
    if one and one.reading.type == "SET" and _AND.fullmatch(context.text[one.end : match.start]):
        value = one.reading.value or ""
        if value.startswith("XXXX-WXX-"):
            return replace(one.reading, value=f"{value[:9]}{_weekday_of(match)}{value[10:]}", cut=None)
    day = weekday_day(match, context)
    return a_day(day) if day else Reading("DATE", f"XXXX-WXX-{_weekday_of(match)}")


def weekday_part(match: Match, context: Context) -> Reading | None:
    """``Sunday night``, ``Monday evening, July 25``."""
    dated = (
        day_of_month(match["m"], match["d"], year_of(match, context), match.start, context) if "m" in match else None
    )
    if "m" in match and dated is None:
        return None
    day = dated.day if dated else weekday_day(match, context)
    part = lookup("part", match["p"])
    mod = "START" if ("e" in match or "e2" in match) else "END" if ("l" in match or "l2" in match) else None
    mod = mod or ("START" if match.text.lower().startswith("early ") else None)
    named = day.isoformat() if day else f"XXXX-WXX-{_weekday_of(match)}"
    return Reading("TIME", f"{named}T{part}", mod=mod, day=day)


def early_hours(match: Match, context: Context) -> Reading | None:
    """``the early hours of Thursday``; of ``the early hours of Thursday morning`` the last two words."""
    reading = weekday(match, context) if "wd" in match else deictic(match, context)
    if reading is None or reading.value is None or reading.type != "DATE":
        return None
    cut = (match.span("wd" if "wd" in match else "w")[0], match.end) if "p" in match else None
    return Reading("TIME", f"{reading.value}TMO", mod="END" if "l" in match else "START", day=reading.day, cut=cut)


def deictic(match: Match, context: Context) -> Reading | None:
    """``today``, ``yesterday``, ``tonight``."""
    word = match["w"].lower()
    if word == "overnight":
        return None
    day = plus_days(context.published, lookup("deictic", word)) if context.published else None
    named = day.isoformat() if day else "XXXX-XX-XX"
    if word in ("tonight", "tonite"):
        return Reading("TIME", f"{named}TNI", day=day)
    return Reading("DATE", named, day=day)


def _named_day(match: Match, context: Context) -> date | None:
    reading = weekday(match, context) if "wd" in match else deictic(match, context)
    return reading.day if reading else None


def day_beside(match: Match, context: Context) -> Reading | None:
    """``the day before yesterday``, ``the day after last Tuesday``."""
    named = _named_day(match, context)
    day = plus_days(named, -1 if "b" in match else 1) if named else None
    return a_day(day) if day else Reading("DATE", "XXXX-XX-XX")


def from_day(match: Match, context: Context) -> Reading | None:
    """``two weeks from Monday``, ``a year from today``: the weekday is the next one."""
    count, code = number(match["n"]), lookup("unit", match["u"]) or lookup("units", match["u"])
    named = _named_day(match, context)
    if (
        named
        and "wd" in match
        and context.published
        and named < context.published
        and not re.search("last", match.text)
    ):
        named = plus_days(named, 7)
    if count in (None, "X") or named is None:
        return None
    return _moved(named, code, float(count or 0), "half" in match.text)


def named_day_part(match: Match, context: Context) -> Reading | None:
    """``the night of Friday, Oct. 23``."""
    group_d, group_m = ("d", "m") if "d" in match else ("d2", "m2")
    reading = day_of_month(match[group_m], match[group_d], year_of(match, context), match.start, context)
    mod = "START" if "e" in match else "END" if "l" in match else None
    if reading is None:
        return None
    return Reading("TIME", f"{reading.value}T{lookup('part', match['p'])}", mod=mod, day=reading.day)


def next_part(match: Match, context: Context) -> Reading | None:
    """``the next morning``, ``the previous night``."""
    named = context.last_day()
    day = plus_days(named, 1 if ("n" in match or "f" in match) else -1) if named else None
    return Reading("TIME", f"{day or 'XXXX-XX-XX'}T{lookup('part', match['p'])}", day=day)


def beside_the_last(match: Match, context: Context) -> Reading | None:
    """``the year before``, ``the night before``, ``the day after``: beside what was named last, and no clause after."""
    if not _ends_phrase(match, context):
        return None
    shift = -1 if any(group in match for group in ("b", "b2", "b3")) else 1
    part = lookup("part", match["p"] or match["u"])
    if part:
        named = context.last_day()
        day = plus_days(named, shift) if named else None
        return Reading("TIME", f"{day or 'XXXX-XX-XX'}T{part}", day=day)
    code = lookup("unit", match["u"])
    if code not in ("D", "W", "M", "Q", "Y", "WE"):
        return None
    anchor = _named_month(context) if code in ("M", "Q", "Y") else context.last_day()
    anchor = anchor or context.published
    if anchor is None:
        return Reading("DATE", _OPEN[code])
    reading = _unit_value(code, anchor, shift)
    return replace(reading, compared=shift < 0) if reading else None


def _ends_phrase(match: Match, context: Context) -> bool:
    """Whether no noun, number or clause follows that the words before would belong to."""
    return bool(
        re.match(r"\s*(?:[.,;:)!?\"”—]|--|and\b|but\b|when\b|in\b|at\b|$)", context.text[match.end : match.end + 8])
    )


def numbered_part(match: Match, context: Context) -> Reading | None:
    """``the second Monday in May``, ``the last day of 2024``, ``the first week of next month``."""
    first = _month_or_year(match, context)
    if first is None:
        return None
    begins, ends = first
    last = "l" in match or "l2" in match
    count = 1 if last else day_number(match["o"])
    if "dd" in match:
        day = ends if last else plus_days(begins, count - 1)
    elif "wd" in match or "we" in match:
        wanted = _weekday_of(match) if "wd" in match else 6
        day = next_weekday(ends, wanted, -1) if last else next_weekday(begins, wanted, 1)
        day = plus_days(day, 7 * (count - 1)) if day else None
    else:
        # the week that holds most of the days in question
        day = plus_days(ends, -3) if last else plus_days(begins, 7 * count - 4)
    if day is None or not begins <= day <= ends or count < 1:
        return None
    if "wk" in match or "we" in match:
        return Reading("DATE", week_value(day) + ("-WE" if "we" in match else ""))
    return a_day(day)


def _month_or_year(match: Match, context: Context) -> tuple[date, date] | None:
    """First and last day of the month or year that is numbered through."""
    anchor = context.published
    if "y" in match:
        return months(int(match["y"]), 1, 12)
    if "m" in match:
        year = year_of(match, context)
        value = f"{year:04}-01" if year else (month_value(match["m"], match.start, context) or "")
        return months(int(value[:4]), month_number(match["m"]), 1) if value[:4].isdigit() else None
    if anchor is None:
        return None
    shift = -1 if ("mu" in match or "yr2" in match) else 1 if ("mu3" in match or "yr4" in match) else 0
    if match.text.lower().endswith("year"):
        return months(anchor.year + shift, 1, 12) if 1 <= anchor.year + shift <= 9998 else None
    month = plus_months(anchor.replace(day=1), shift)
    return months(month.year, month.month, 1) if month and month.year < 9999 else None


def week_of(match: Match, context: Context) -> Reading | None:
    """``the week of March 6``, ``the weekend of March 15-16``."""
    reading = day_of_month(match["m"], match["d"], year_of(match, context), match.start, context)
    if reading is None or reading.day is None:
        return None
    return Reading("DATE", week_value(reading.day) + ("-WE" if "we" in match else ""))


def holiday_week(match: Match, context: Context) -> Reading | None:
    """``Easter week``, ``Thanksgiving weekend``."""
    reading = holiday_day(match, context)
    if reading is None or reading.day is None:
        return None
    return Reading("DATE", week_value(reading.day) + ("-WE" if "we" in match else ""))


def deictic_part(match: Match, context: Context) -> Reading | None:
    """``this morning``, ``last night``, ``tomorrow evening``."""
    part = lookup("part", match["p"])
    word = match["w"].lower()
    if word in ("tonight", "tonite", "overnight"):
        return None
    shift = -1 if "l" in match else (lookup("deictic", word) or 0)
    day = plus_days(context.published, shift) if context.published else None
    return Reading("TIME", f"{day.isoformat() if day else 'XXXX-XX-XX'}T{part}", day=day)


def part_first(match: Match, context: Context) -> Reading | None:
    """``mid-afternoon yesterday``."""
    reading = weekday(match, context) if "wd" in match else deictic(match, context)
    if reading is None or reading.value is None or reading.type != "DATE":
        return None
    mod = "START" if "e" in match else "END" if "l" in match else "MID"
    return Reading("TIME", f"{reading.value}T{lookup('part', match['p'])}", mod=mod, day=reading.day)


def _unit_value(code: str, anchor: date, shift: int) -> Reading | None:
    """The week, month, quarter or year ``shift`` units from that of ``anchor``."""
    if code == "Y":
        year = anchor.year + shift
        return Reading("DATE", f"{year:04}") if 1 <= year <= 9999 else None
    if code == "M":
        month = plus_months(anchor.replace(day=1), shift)
        return Reading("DATE", f"{month:%Y-%m}") if month else None
    if code == "Q":
        year, quarter = plus_quarters(anchor.year, quarter_of(anchor), shift)
        return Reading("DATE", f"{year:04}-Q{quarter}")
    if code in ("W", "WE"):
        day = plus_days(anchor, 7 * shift)
        return Reading("DATE", week_value(day) + ("-WE" if code == "WE" else "")) if day else None
    if code == "D":
        day = plus_days(anchor, shift)
        return a_day(day) if day else None
    if code in ("DE", "CE"):
        width = 10 if code == "DE" else 100
        return Reading("DATE", f"{anchor.year // width + shift:0{3 if width == 10 else 2}}")
    return None


_OPEN = {"Y": "XXXX", "M": "XXXX-XX", "Q": "XXXX-QX", "W": "XXXX-WXX", "WE": "XXXX-WXX-WE", "D": "XXXX-XX-XX"}


def unit(match: Match, context: Context) -> Reading | None:
    """``last week``, ``this month``, ``next year``, ``the past year``, ``that year``, ``the following month``."""
    words = match.text.lower()
    if "m" in match:
        return None
    code = lookup("unit", match["u"])
    anchor = context.published
    if code in ("TS", "TM", "TH", "ML", "W2") or (code == "D" and match["u"].lower() == "night"):
        return None
    if anchor is None:
        return Reading("DATE", _OPEN[code]) if code in _OPEN else None
    back = re.search(r"\b(last|past|previous|preceding|prior)\b", words)
    ahead = re.search(r"\b(next|coming|following)\b", words)
    if re.search(r"\b(past|last|coming)\b", words) and words.startswith("the ") and code in ("D", "W", "M", "DE", "CE"):
        return Reading("DURATION", duration_code("1", code))
    if re.search(r"\bthat\b|\bsame\b", words):
        return _same_unit(code, context)
    if re.search(r"\b(following|previous|preceding|prior)\b", words):
        named = _named_month(context) if code in ("M", "Y") else context.last_day()
        anchor = named or anchor
    if "this" in words and code == "WE" and anchor.isoweekday() < 3 and context.direction(match.start) == "past":
        return _unit_value(code, anchor, -1)
    if code == "D" and "this" in words:
        return a_day(anchor)
    if "f" in match and code == "Y":
        return related_fiscal(words, context)
    reading = _unit_value(code, anchor, -1 if back else 1 if ahead else 0)
    if reading is None:
        return None
    return replace(reading, dayless="f" in match, mod="APPROX" if "so" in match else reading.mod)


def _named_month(context: Context) -> date | None:
    """First day of the month or year named last."""
    for seen in context.before():
        found = re.match(r"(\d{4})(?:-(\d\d))?", seen.reading.value or "")
        if found:
            return date(max(int(found[1]), 1), int(found[2] or 1), 1) if (found[2] or "01") <= "12" else None
    return None


def _same_unit(code: str, context: Context) -> Reading | None:
    """``that year``: the one named last."""
    for seen in context.before():
        value = seen.reading.value or ""
        if code == "Y" and re.match(r"\d{4}(?!\d)", value):
            return Reading("DATE", value[:4])
        if code == "M" and re.match(r"\d{4}-\d\d", value):
            return Reading("DATE", value[:7])
        if code == "Q" and re.match(r"\d{4}-Q\d", value):
            return Reading("DATE", value[:7])
        if code == "D" and seen.reading.day:
            return a_day(seen.reading.day)
        if code == "W" and (seen.reading.day or re.match(r"\d{4}-W\d\d", value)):
            return Reading("DATE", week_value(seen.reading.day) if seen.reading.day else value[:8])
    return None


def unit_twice(match: Match, context: Context) -> Reading | None:
    """``the week before last``."""
    code = lookup("unit", match["u"])
    if context.published is None:
        return Reading("DATE", _OPEN[code]) if code in _OPEN else None
    return _unit_value(code, context.published, -2 if "b" in match else 2)


def the_unit(match: Match, context: Context) -> Reading | None:
    """``the year``, ``the week``: the one under way; with ``ended`` after it a length; after ``a day of`` nothing."""
    code = lookup("unit", match["u"])
    after = context.text[match.end : match.end + 14].lower()
    before = context.words_before(match.start, 2)
    if re.match(r"\s+(ended|ending|to|that ended|through)\b", after):
        return Reading("DURATION", f"P1{code}") if code in ("Y", "M", "W", "Q") else None
    if code == "WE" and context.published:
        shift = -1 if context.published.isoweekday() < 6 and context.direction(match.start) == "past" else 0
        return _unit_value("WE", context.published, shift)
    if code == "D":
        return _the_day(match, context, after)
    if code not in ("Y", "M", "W") or re.match(r"\s*(of|'s|’s|-)", after):
        return None
    if "f" in match:
        return Reading("DURATION", "P1Y") if code == "Y" else None
    if before in (["day", "of"], ["time", "of"], ["days", "of"]):
        # "every day of the week", "at this time of the year"
        return None
    if not before or before[-1] not in ("for", "in", "of", "during", "throughout", "since", "this", "from", "over"):
        return (
            None
            if len(match.text.split()) < 3
            else _unit_value(code, context.published, 0)
            if context.published
            else None
        )
    return _unit_value(code, context.published, 0) if context.published else Reading("DATE", _OPEN[code])


def _the_day(match: Match, context: Context, after: str) -> Reading | None:
    named = next((seen.reading.day for seen in context.before() if seen.reading.day), None)
    if named is None or not re.match(r"\s+(before|after)\b", after):
        return None
    return a_day(named)


def unit_end(match: Match, context: Context) -> Reading | None:
    """``year-end``, ``year's end``."""
    code = lookup("unit", match["u"])
    if code not in ("Y", "M", "Q", "W") or context.published is None:
        return Reading("DATE", _OPEN[code], mod="END") if code in ("Y", "M", "Q") else None
    reading = _unit_value(code, context.published, 0)
    return Reading("DATE", reading.value, mod="END") if reading else None


_SIZES = {"D": 1, "W": 7, "W2": 14}


def ago(match: Match, context: Context) -> Reading | None:
    """``two weeks ago`` from the document time, ``two days earlier`` from the day named last."""
    words = match.text.lower()
    last = words.rstrip().split()[-1]
    count, code = number(match["n"]), lookup("unit", match["u"]) or lookup("units", match["u"])
    if count is None or last == "after" or (last == "before" and not _ends_clause(match, context)):
        return None
    if last == "later" and code in ("TS", "TM", "TH"):
        return None
    if count == "X":
        vague = "PAST_REF" if last in ("ago", "earlier", "before", "previously") else "FUTURE_REF"
        return Reading("DATE", vague) if last in ("ago", "hence") else None
    if code == "Y" and count == "1" and last in ("ago", "earlier", "before", "previously"):
        value = year_before(match, context)
        return Reading("DATE", value or "XXXX", compared=True)
    anchor = context.published if last in ("ago", "now", "hence") else _named_point(code, context)
    if anchor is None:
        return Reading("DATE", _OPEN.get(code, "XXXX-XX-XX"))
    sign = -1 if last in ("ago", "earlier", "before", "previously") else 1
    moved = _moved(anchor, code, sign * float(count), "half" in words)
    if moved and moved.day and code in ("W", "W2"):
        # what is counted in weeks is a week, as what is counted in months is a month
        return Reading("DATE", week_value(moved.day))
    return moved


def _named_point(code: str, context: Context) -> date | None:
    """What ``two days earlier`` is counted from: the day named last; for years and months also a year or month."""
    size = {"Y": 4, "DE": 4, "CE": 4, "M": 7, "Q": 7}.get(code, 10)
    for seen in context.before():
        value = seen.reading.value or ""
        if seen.reading.day is not None:
            return seen.reading.day
        if len(value) >= size and not seen.reading.compared and (point := _first_day(value)):
            return point
    return context.published


def _first_day(value: str) -> date | None:
    """First of the month or year a value names."""
    found = re.fullmatch(r"(\d{4})(?:-(\d\d))?", value)
    return day_of(int(found[1]), int(found[2] or 1), 1) if found else None


def _ends_clause(match: Match, context: Context) -> bool:
    return bool(re.match(r"\s*[.,;]", context.text[match.end : match.end + 3]))


def _moved(anchor: date, code: str, count: float, half: bool) -> Reading | None:
    if code in _SIZES:
        day = plus_days(anchor, int(count * _SIZES[code]))
        return a_day(day) if day else None
    if code in ("M", "Q") or (code == "Y" and half):
        month = plus_months(anchor.replace(day=1), int(count * {"M": 1, "Q": 3, "Y": 12}[code]))
        return Reading("DATE", f"{month:%Y-%m}") if month else None
    if code in ("Y", "DE", "CE"):
        year = anchor.year + int(count * {"Y": 1, "DE": 10, "CE": 100}[code])
        return Reading("DATE", f"{year:04}") if 1000 <= year <= 2999 else None
    if code == "TH" and abs(count) % 24 == 0:
        day = plus_days(anchor, int(count // 24))
        return a_day(day) if day else None
    if code in ("TH", "TM", "TS"):
        return Reading("TIME", f"{anchor.isoformat()}TXX", day=anchor)
    return None


def same_day(match: Match, context: Context) -> Reading | None:
    """``the same day``, ``that night``: of the day named last."""
    named = next((seen.reading.day for seen in context.before() if seen.reading.day), context.published)
    if named is None:
        return Reading("DATE", "XXXX-XX-XX")
    part = lookup("part", match.text.split()[-1])
    return Reading("TIME", f"{named.isoformat()}T{part}", day=named) if part else a_day(named)


def next_day(match: Match, context: Context) -> Reading | None:
    """``the next day``, ``the previous day``."""
    named = context.last_day()
    if named is None:
        return Reading("DATE", "XXXX-XX-XX")
    day = plus_days(named, -1 if ("p" in match or "p2" in match) else 1)
    return a_day(day) if day else None


def numbered_day(match: Match, context: Context) -> Reading | None:
    """``the eighth day``: without telling since when, the day of the story where it says ``today`` or ``is``."""
    if day_number(match["o"]) < 3 or context.published is None:
        return None
    before = context.words_before(match.start, 4)
    if not {"today", "is"} & set(before):
        return None
    return replace(a_day(context.published), cut=(match.span("o")[0], match.end))
