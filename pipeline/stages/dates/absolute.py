"""Normalisers of dates named by the calendar: days, months, years, decades, centuries, seasons and holidays."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from pipeline.stages.dates.anchor import Context, Reading
from pipeline.stages.dates.calendar_rules import SEASON_OF_MONTH, day_of, holiday, plus_days
from pipeline.stages.dates.custom import country, day_first, fiscal_start
from pipeline.stages.dates.grammar import Match
from pipeline.stages.dates.lexicon import full_year, lookup, number, year_in_words
from pipeline.stages.dates.timex3 import SEASONS, months

_APRIL = 4
_MONTHS_AHEAD = 6
"""How far ahead a bare month may be the next one."""
_FAR = 120
"""Days ahead from which a month and day is the last one unless the story looks ahead."""
_NEXT, _LAST = ("next", "coming"), ("last", "past", "previous")


def month_number(word: str) -> int:
    """1 to 12 of a month's name or abbreviation."""
    return int(lookup("month", word.strip(" .")))


def day_number(words: str) -> int:
    """Day of the month in figures or words: ``3``, ``3rd``, ``third``, ``twenty-first``."""
    figures = re.match(r"\d+", words)
    if figures:
        return int(figures[0])
    tens, _, ones = words.lower().rpartition("-")
    return int(lookup("cardinal", tens) or 0) + int(lookup("ordinal", ones) or 0)


def a_day(day: date) -> Reading:
    """The reading of one day."""
    return Reading("DATE", day.isoformat(), day=day)


def year_of(match: Match, context: Context) -> int | None:
    """The year an expression names itself, in whatever group."""
    near = context.published.year if context.published else None
    for group in ("y", "y2"):
        if group in match:
            return int(match[group])
    for group in ("yy", "yy2"):
        if group in match:
            return full_year(int(match[group]), near)
    return reference_year(match["yr"] or match["py"], context)


def reference_year(words: str, context: Context) -> int | None:
    """The year meant by ``1989``, ``'89``, ``last year``, ``the previous year``, ``fiscal 1989``."""
    figures = re.search(r"\d+", words)
    near = context.published.year if context.published else None
    if figures:
        return int(figures[0]) if len(figures[0]) == 4 else full_year(int(figures[0]), near)
    words = words.lower()
    if near is None or not words:
        return None
    if any(word in words for word in ("last", "previous", "preceding", "prior", "past")):
        return near - 1
    if any(word in words for word in ("next", "following", "coming")):
        return near + 1
    if "that" in words or "same" in words:
        named = context.last()
        if named and named.value and re.match(r"\d{4}", named.value):
            return int(named.value[:4])
    return near


def iso_day(match: Match, context: Context) -> Reading | None:
    """``2024-11-05``, with or without a time."""
    day = day_of(int(match["y"]), int(match["m"]), int(match["d"]))
    if day is None or len(match["d"]) > 2:
        return None
    if "h" in match:
        zone = "Z" if match["z"] else ""
        return Reading("TIME", f"{day}T{int(match['h']):02}:{match['min']}{zone}", day=day)
    return a_day(day)


def figures(match: Match, context: Context) -> Reading | None:
    """``10/26/89``: month first or day first by the custom of the place."""
    marks = re.findall(r"[/.\-–‐‑]", match.text)
    if len(marks) != 2 or marks[0] != marks[1] or not (len(match["a"]) <= 2 and len(match["b"]) <= 2):
        return None
    near = context.published.year if context.published else None
    year = int(match["y"]) if "y" in match else full_year(int(match["yy"]), near)
    first, second = int(match["a"]), int(match["b"])
    if marks[0] == "." and ("yy" in match or second > 12):
        return None
    by_custom = marks[0] == "." or day_first(context)
    for day_is_first in (by_custom, not by_custom):
        month, number_ = (second, first) if day_is_first else (first, second)
        if day := day_of(year, month, number_):
            return a_day(day)
    return None


def other_layout(match: Match, context: Context) -> Reading | None:
    """``5-Nov-2024``, ``2024/11/05``: a full date in a layout of its own, read by dateparser."""
    import dateparser

    anchor = context.published
    base = datetime(anchor.year, anchor.month, anchor.day) if anchor else datetime(2000, 1, 1)
    order = "YMD" if "y" in match else "DMY"
    settings = {"RELATIVE_BASE": base, "REQUIRE_PARTS": ["day", "month", "year"], "DATE_ORDER": order}
    found = dateparser.parse(match.text, languages=["en"], settings=settings)
    return a_day(found.date()) if found else None


def nearest_year(month: int, day: int, context: Context) -> int | None:
    """The year that puts a month and day nearest to the document time."""
    anchor = context.published
    if anchor is None:
        return None
    near: list[tuple[float, int]] = []
    for year in (anchor.year, anchor.year - 1, anchor.year + 1):
        if found := day_of(year, month, day):
            near.append((abs((found - anchor).days), year))
    return min(near)[1] if near else None


def _implied_year(month: int, day: int, start: int, context: Context) -> int | None:
    """The year of a month and day: after ``ended`` the last such day, after ``ending`` the next, else the nearest."""
    year = nearest_year(month, day, context)
    named = day_of(year, month, day) if year is not None else None
    if year is None or named is None or context.published is None:
        return year
    before = context.words_before(start, 1)[-1:]
    if before == ["ended"] and named > context.published:
        return year - 1
    if before == ["ending"] and named < context.published:
        return year + 1
    if (named - context.published).days > _FAR and context.direction(start) == "past":
        return year - 1
    return year


def month_day(match: Match, context: Context) -> Reading | None:
    """``March 28``, ``Friday, 28 March 2025``: without a year the nearest such day."""
    if "the" in match and " of " not in match.text.lower():
        return None
    return day_of_month(match["m"], match["d"], year_of(match, context), match.start, context)


def day_of_month(named: str, numbered: str, year: int | None, start: int, context: Context) -> Reading | None:
    """The reading of a month's name and a day's number in words or figures, at ``start`` in the text."""
    month, day = month_number(named), day_number(numbered)
    if not 1 <= day <= 31 or (numbered.isalpha() and lookup("cardinal", numbered)):
        return None
    if year is None:
        year = _implied_year(month, day, start, context)
    if year is None:
        value = f"XXXX-{month:02}-{day:02}"
        return Reading("DATE", value) if day_of(2024, month, day) else None
    found = day_of(year, month, day)
    return a_day(found) if found else None


def two_days(match: Match, context: Context) -> list[Reading] | None:
    """``March 3 to 7``: two days that share a month."""
    month, year = month_number(match["m"]), year_of(match, context)
    readings = []
    for group in ("d", "d2"):
        day = day_number(match[group])
        named = year if year is not None else _implied_year(month, day, match.start, context)
        start, end = match.span(group)
        if group == "d" and match.span("m")[0] < start:
            start = match.start
        elif group == "d2" and (match.span("m")[0] > start or "y" in match):
            end = match.end
        found = day_of(named, month, day) if named is not None else None
        if found:
            readings.append(Reading("DATE", found.isoformat(), day=found, cut=(start, end)))
        elif named is None and day_of(2024, month, day):
            readings.append(Reading("DATE", f"XXXX-{month:02}-{day:02}", cut=(start, end)))
        else:
            return None
    return readings


def month_year(match: Match, context: Context) -> Reading | None:
    """``June 1990``, ``January nineteen ninety-seven``."""
    year = year_in_words(match["yw"]) if "yw" in match else year_of(match, context)
    return Reading("DATE", f"{year:04}-{month_number(match['m']):02}") if year else None


def two_months(match: Match, context: Context) -> list[Reading] | None:
    """``April to June 2024``: two months that share a year, or cross it."""
    first, last, year = month_number(match["m"]), month_number(match["m2"]), int(match["y"])
    before = year - (first > last)
    if "yy" in match:
        # "April-February 2024-25" is of one fiscal year
        if int(match["yy"]) != (year + 1) % 100:
            return None
        before, year = year + (first < _APRIL), year + (last < _APRIL)
    return [
        Reading("DATE", f"{before:04}-{first:02}", cut=match.span("m")),
        Reading("DATE", f"{year:04}-{last:02}", cut=(match.span("m2")[0], match.end)),
    ]


def month_of_year(match: Match, context: Context) -> Reading | None:
    """``August of last year``."""
    year = year_of(match, context)
    return Reading("DATE", f"{'XXXX' if year is None else f'{year:04}'}-{month_number(match['m']):02}")


def month(match: Match, context: Context) -> Reading | None:
    """``August``: the last one, or the next where the story looks ahead and it is not far off."""
    return Reading("DATE", month_value(match["m"], match.start, context))


def month_value(named: str, start: int, context: Context) -> str:
    """The value of a month's name at ``start`` in the text."""
    number_ = month_number(named)
    anchor = context.published
    if anchor is None:
        return f"XXXX-{number_:02}"
    if since := _range_start(start, context):
        return f"{int(since[:4]) + (number_ < int(since[5:7])):04}-{number_:02}"
    ahead = (number_ - anchor.month) % 12
    year = anchor.year + (1 if number_ < anchor.month else 0)
    # the month to come: one of eleven months ago would be called last
    if ahead > 1 and not (
        ahead <= _MONTHS_AHEAD and (_goes_on(start, context) or context.direction(start) == "future")
    ):
        year -= 1
    return f"{year:04}-{number_:02}"


def _goes_on(start: int, context: Context) -> bool:
    return context.words_before(start, 2)[-1:] == ["through"]


def _range_start(start: int, context: Context) -> str | None:
    """The month a range begins with that goes up to ``start``: ``from November to March``."""
    one = context.seen[-1] if context.seen else None
    value = one.reading.value if one else None
    if one is None or value is None or not re.fullmatch(r"\d{4}-\d\d", value):
        return None
    gap = context.text[one.end : start]
    between = context.words_before(one.start, 1)[-1:] == ["between"]
    return (
        value
        if re.fullmatch(r"\s?[-–]\s?| to | through | until | till ", gap) or (between and gap == " and ")
        else None
    )


def related_month(match: Match, context: Context) -> Reading | None:
    """``last August``, ``this September``, ``next June``."""
    number_ = month_number(match["m"])
    anchor = context.published
    if anchor is None:
        return Reading("DATE", f"XXXX-{number_:02}")
    word = next(match[g] for g in ("rel", "rel2", "rel3", "rel4", "rel5") if g in match).lower()
    year = anchor.year
    # what was the month before would be called last month
    if word in _LAST and number_ >= anchor.month - 1:
        year -= 1
    elif word in _NEXT and number_ <= anchor.month:
        year += 1
    return Reading("DATE", f"{year:04}-{number_:02}")


def year(match: Match, context: Context) -> Reading | None:
    """``1989``, ``'89``, ``nineteen eighty-nine``."""
    found = year_in_words(match["yw"]) if "yw" in match else year_of(match, context)
    if found is None or not 1000 <= found <= 2199:
        return None
    return Reading("DATE", f"{found:04}")


def joined_years(match: Match, context: Context) -> list[Reading] | Reading | None:
    """``1989-90`` two years; ``2024-25`` one fiscal year where the story is of a country that counts so."""
    first = int(match["y"])
    second = int(match["y2"]) if "y2" in match else first - first % 100 + int(match["yy"])
    if second <= first:
        return None
    if second == first + 1 and "yy" in match and fiscal_start(context) == _APRIL:
        return _fiscal(second, _APRIL)
    group = "y2" if "y2" in match else "yy"
    return [
        Reading("DATE", f"{first:04}", cut=match.span("y")),
        Reading("DATE", f"{second:04}", cut=match.span(group)),
    ]


def before_christ(match: Match, context: Context) -> Reading | None:
    """``44 BC``."""
    return Reading("DATE", f"BC{int(match['bc']):04}") if len(match["bc"]) <= 4 else None


def fiscal_year(match: Match, context: Context) -> Reading | None:
    """``fiscal 1989`` the year itself; ``FY25`` and ``fiscal 2024-25`` the fiscal year by the year it ends in."""
    near = context.published.year if context.published else None
    first = int(match["y"]) if "y" in match else full_year(int(match["yy"]), near)
    short = match["f"].lower() == "fy"
    ends = match["y2"] or match["yy2"] or (match["yy"] if "y" in match else "")
    if ends:
        last = int(ends) if len(ends) == 4 else first - first % 100 + int(ends)
        return _fiscal(last, fiscal_start(context) or _APRIL) if last == first + 1 else None
    return _fiscal(first, fiscal_start(context)) if short else Reading("DATE", f"{first:04}", dayless=True)


def fiscal_noun(match: Match, context: Context) -> Reading | None:
    """``the current fiscal``, as Indian copy has it for the fiscal year; not ``the current fiscal deficit``."""
    following = context.token(match.end + 1)
    if following is not None and following.idx > match.start and following.tag_ in ("NN", "NNS", "NNP", "NNPS", "JJ"):
        return None
    return related_fiscal(match.text, context)


def related_fiscal(said: str, context: Context) -> Reading | None:
    """``last fiscal year``, ``the current fiscal``: by the country's custom where its years begin in April."""
    anchor = context.published
    if anchor is None:
        return Reading("DATE", "XXXX")
    words = said.lower()
    shift = (
        -1 if re.search(r"last|previous|past|preceding|prior", words) else 1 if re.search(r"next|coming", words) else 0
    )
    if fiscal_start(context) == _APRIL:
        return _fiscal(anchor.year + shift + (anchor.month >= _APRIL), _APRIL)
    return Reading("DATE", f"{anchor.year + shift:04}", dayless=True)


def _fiscal(ends: int, start_month: int | None) -> Reading | None:
    if not 1000 <= ends <= 2199:
        return None
    if start_month is None:
        return Reading("DATE", f"FY{ends:04}")
    first, last = months(ends - 1, start_month, 12)
    return Reading("DATE", f"FY{ends:04}", days=(first.isoformat(), last.isoformat()))


def decade(match: Match, context: Context) -> Reading | None:
    """``the 1990s`` 199, ``the '80s`` 198, ``the nineties`` 199."""
    if "dec" in match:
        return Reading("DATE", match["dec"][:3])
    digits = int(match["yy"] or lookup("decade_word", match["dw"]))
    # "in her 20s", "in his thirties" are ages
    if digits % 10 or not match.text.lower().startswith(("the ", "nineteen", "'", "’")):
        return None
    return Reading("DATE", _decade(digits, context))


def _decade(digits: int, context: Context) -> str:
    """The last decade of these figures that has begun: ``the '80s`` 198."""
    near = context.published.year if context.published else 2000
    year = full_year(digits, near)
    return f"{year - 100 if year > near else year:04}"[:3]


def two_decades(match: Match, context: Context) -> list[Reading] | None:
    """``the 1960s and 70s``."""
    if int(match["yy"]) % 10:
        return None
    end = match.span("dec")[1] + len("s") + (context.text[match.span("dec")[1]] in "'’")
    second = match.span("yy")[0] - (context.text[match.span("yy")[0] - 1] in "'’")
    return [
        Reading("DATE", match["dec"][:3], cut=(match.start, end)),
        Reading("DATE", f"{match['dec'][:2]}{match['yy'][0]}", cut=(second, match.end)),
    ]


def century(match: Match, context: Context) -> Reading | None:
    """``20th century`` 19."""
    count = day_number(match["o"])
    return Reading("DATE", f"{count - 1:02}") if 1 <= count <= 30 else None


def two_centuries(match: Match, context: Context) -> list[Reading] | None:
    """``the 19th and 20th centuries``."""
    one, two = day_number(match["o"]), day_number(match["o2"])
    if not 1 <= one < two <= 30:
        return None
    return [
        Reading("DATE", f"{one - 1:02}", cut=match.span("o")),
        Reading("DATE", f"{two - 1:02}", cut=(match.span("o2")[0], match.end)),
    ]


def year_of_our_era(match: Match, context: Context) -> Reading | None:
    """``AD 79``, ``1200 AD``."""
    said = match["ad"] or match["ad2"]
    if not (match["era"] or match["era2"]).isupper() or len(said) > 4 or int(said) < 1:
        return None
    return Reading("DATE", f"{int(said):04}")


def related_century(match: Match, context: Context) -> Reading | None:
    """``this century`` 20, ``last decade`` 201."""
    if context.published is None or "mill" in match:
        return None
    width = 100 if "c" in match else 10
    shift = -1 if re.search(r"last|past|previous", match.text.lower()) else 1 if "rel3" in match else 0
    if re.search(r"\bpast\b", match.text.lower()):
        return Reading("DURATION", "P1CE" if width == 100 else "P1DE")
    return Reading("DATE", f"{context.published.year // width + shift:0{2 if width == 100 else 3}}")


def holiday_day(match: Match, context: Context) -> Reading | None:
    """``Thanksgiving Day``: the nearest by its rule; with ``last`` and ``next`` the one before and after."""
    if not match["h"][0].isupper():
        return None
    name = re.sub(r"\s+", " ", match["h"].lower().replace("’", "'"))
    anchor = context.published
    if named := year_of(match, context):
        found = holiday(name, named, country(context))
        return a_day(found) if found else None
    if anchor is None:
        one, two = (holiday(name, year, country(context)) for year in (2024, 2025))
        fixed = one is not None and two is not None and f"{one:%m-%d}" == f"{two:%m-%d}"
        return Reading("DATE", f"XXXX-{one:%m-%d}" if fixed else "XXXX-XX-XX")
    near = [
        day
        for year in (anchor.year - 1, anchor.year, anchor.year + 1)
        if (day := holiday(name, year, country(context)))
    ]
    if "rel" in match:
        near = [day for day in near if day < anchor]
    elif "rel3" in match:
        near = [day for day in near if day > anchor]
    elif "rel2" in match:
        near = [day for day in near if day.year == anchor.year]
    return a_day(min(near, key=lambda day: abs((day - anchor).days))) if near else None


def season(match: Match, context: Context) -> Reading | None:
    """``last fall``, ``this summer``, ``the winter of 1994``, ``the spring``."""
    code = lookup("season", match["s"])
    named = year_of(match, context)
    anchor = context.published
    if named is None and anchor is None:
        return Reading("DATE", f"XXXX-{code}")
    if named is None and anchor is not None:
        named = _season_year(code, anchor, match)
    return Reading("DATE", f"{named:04}-{code}")


def _season_year(code: str, anchor: date, match: Match) -> int:
    words = match.text.lower()
    current = SEASON_OF_MONTH.get(anchor.month, "FA")
    begins = SEASONS[code]
    this = anchor.year - 1 if code == "WI" and current == "WI" and anchor.month < 3 else anchor.year
    if re.search(r"\b(last|past|previous)\b", words):
        over = begins + 2 < anchor.month and code != current
        return this if over and code != "WI" else this - 1
    if re.search(r"\b(next|coming)\b", words):
        return this if begins > anchor.month else this + 1
    if code == "WI" and anchor.month < 6 and current != "WI" and "this" not in words:
        return anchor.year - 1
    return this


def bare_season(match: Match, context: Context) -> Reading | None:
    """A season without article or year: only after ``in``, ``by``, ``until`` or ``since``."""
    before = context.words_before(match.start, 1)
    if not before or before[-1] not in ("in", "by", "until", "since", "during", "early", "late", "mid"):
        return None
    return season(match, context)


def next_weekday(day: date, weekday: int, step: int) -> date | None:
    """The nearest ``weekday`` (1 Monday) at or after ``day`` (``step`` 1), at or before it (``step`` -1)."""
    away = (weekday - day.isoweekday()) % 7 if step > 0 else (day.isoweekday() - weekday) % 7
    return plus_days(day, step * away)


def monday_of(day: date) -> date:
    """Monday of the ISO week of ``day``."""
    return day - timedelta(day.isoweekday() - 1)


def count_of(words: str) -> str:
    """A count as a duration writes it; X where it is vague."""
    return number(words) or "X"
