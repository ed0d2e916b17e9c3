"""TIMEX3 values: the grammar of the standard and the days a value covers.

After TimeML 1.2.1 (Saurí et al. 2006) and the TIDES 2005 standard it takes its values from (Ferro et al. 2005):
ISO 8601 dates, weeks, durations and times, with seasons, quarters, halves, fiscal years, parts of the day, decades
(``199``), centuries (``19``), open places (``XXXX-WXX-5``) and references to past, present and future.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta

SEASONS = {"SP": 3, "SU": 6, "FA": 9, "AU": 9, "WI": 12}
"""First month of a season of the northern year; a winter runs into the year after."""

_YEAR = r"(?:\d{4}|\d{3}X|\d\dXX|XXXX|XX\d\d)"
_MONTH = r"(?:0[1-9]|1[0-2]|XX)"
_DAY = r"(?:0[1-9]|[12]\d|3[01]|XX)"
_WEEK = r"W(?:0[1-9]|[1-4]\d|5[0-3]|XX)(?:-(?:[1-7X]|WE))?"
_PART = r"(?:MO|MI|AF|EV|NI|DT|PM|AM)"
_ZONE = r"(?:Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)"
_CLOCK = rf"(?:[01]\d|2[0-4]|XX)(?::(?:[0-5]\d|XX)(?::[0-5]\d(?:\.\d+)?)?)?{_ZONE}?"
_TIME = rf"T(?:{_PART}|{_CLOCK})"
_COUNT = r"(?:\d+(?:\.\d+)?|X+)"
_UNITS = r"(?:Y|M|W|D|Q|H|DE|CE|ML|E|C|L|S[PU]|FA|WI|WE|X)"
VALUE = re.compile(
    rf"(?:(?:PAST|PRESENT|FUTURE)_REF"
    rf"|\d\d|\d{{3}}|(?:FY|BC){_YEAR}"
    rf"|{_YEAR}(?:-(?:{_MONTH}(?:-{_DAY}(?:{_TIME})?)?|{_WEEK}(?:{_TIME})?|Q[1-4X]|H[12X]|SP|SU|FA|AU|WI|XX))?"
    rf"|{_TIME}"
    rf"|P(?:{_COUNT}{_UNITS})+(?:T(?:{_COUNT}[HMS])+)?"
    rf"|PT(?:{_COUNT}[HMS])+"
    rf"|P{_COUNT}T{_PART})",
    re.ASCII,
)
_DATED = re.compile(
    rf"(\d{{4}})(?:-(?:({_MONTH})(?:-({_DAY}))?|W(\d\d)(?:-([1-7]|WE))?|Q([1-4])|H([12])|(SP|SU|FA|AU|WI)))?(?:T.*)?",
    re.ASCII,
)


def valid(value: str) -> bool:
    """Whether ``value`` is a TIMEX3 value: in the grammar, and if it names a calendar day or week, one that exists."""
    if not VALUE.fullmatch(value):
        return False
    named = _DATED.fullmatch(value)
    if named is None or "XX" in value or not (named[3] or named[4]):
        return True
    return days(value) is not None


def days(value: str | None) -> tuple[str, str] | None:
    """First and last ISO day ``value`` covers, both inclusive; ``None`` where it names no stretch of the calendar.

    >>> days("2025-W13")
    ('2025-03-24', '2025-03-30')
    """
    try:
        span = _span(value or "")
    except (ValueError, OverflowError):
        return None
    return (span[0].isoformat(), span[1].isoformat()) if span else None


def _span(value: str) -> tuple[date, date] | None:
    if re.fullmatch(r"\d{2,3}", value, re.ASCII):
        width = 10 ** (4 - len(value))
        first = int(value) * width
        return date(max(first, 1), 1, 1), date(first + width - 1, 12, 31)
    found = _DATED.fullmatch(value)
    if not found:
        return None
    year = int(found[1])
    month, day, week, weekday, quarter, half, season = found.groups()[1:]
    if week:
        return _week(year, int(week), weekday)
    if quarter:
        return months(year, 3 * int(quarter) - 2, 3)
    if half:
        return months(year, 6 * int(half) - 5, 6)
    if season:
        return months(year, SEASONS[season], 3)
    if month == "XX":
        return months(year, 1, 12)
    if day and day != "XX":
        return (only := date(year, int(month), int(day))), only
    return months(year, int(month), 1) if month else months(year, 1, 12)


def _week(year: int, week: int, weekday: str | None) -> tuple[date, date]:
    monday = date.fromisocalendar(year, week, 1)
    if weekday == "WE":
        return monday + timedelta(5), monday + timedelta(6)
    if weekday:
        return (only := monday + timedelta(int(weekday) - 1)), only
    return monday, monday + timedelta(6)


def months(year: int, month: int, count: int) -> tuple[date, date]:
    """First and last day of ``count`` months from ``month`` of ``year`` on."""
    last = year * 12 + month - 1 + count - 1
    return date(year, month, 1), date(last // 12, last % 12 + 1, monthrange(last // 12, last % 12 + 1)[1])
