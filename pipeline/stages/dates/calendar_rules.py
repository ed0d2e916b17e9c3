"""Calendar arithmetic on days, months, quarters and seasons, and holidays by rule."""

from __future__ import annotations

import tomllib
from calendar import monthrange
from datetime import date, timedelta
from functools import cache
from pathlib import Path

SEASON_OF_MONTH = {12: "WI", 1: "WI", 2: "WI", 3: "SP", 4: "SP", 5: "SP", 6: "SU", 7: "SU", 8: "SU"}


def day_of(year: int, month: int, day: int) -> date | None:
    """The day, or ``None`` where the calendar has none such."""
    try:
        return date(year, month, day)
    except (ValueError, OverflowError):
        return None


def plus_days(day: date, count: int) -> date | None:
    """``count`` days on, ``None`` past the ends of the calendar."""
    try:
        return day + timedelta(count)
    except OverflowError:
        return None


def plus_months(day: date, count: int) -> date | None:
    """``count`` months on; the last day of the month where it is shorter."""
    index = day.year * 12 + day.month - 1 + count
    year, month = index // 12, index % 12 + 1
    if not 1 <= year <= 9999:
        return None
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def quarter_of(day: date) -> int:
    """Quarter of the calendar year, 1 to 4."""
    return (day.month + 2) // 3


def plus_quarters(year: int, quarter: int, count: int) -> tuple[int, int]:
    """The quarter ``count`` quarters on."""
    index = year * 4 + quarter - 1 + count
    return index // 4, index % 4 + 1


def week_value(day: date) -> str:
    """``2025-W13``: the ISO week that holds ``day``."""
    year, week, _ = day.isocalendar()
    return f"{year:04}-W{week:02}"


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian year (anonymous algorithm, Meeus)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = b // 4, b % 4
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = c // 4, c % 4
    n = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * n) // 451
    month, day = divmod(h + n - 7 * m + 114, 31)
    return date(year, month, day + 1)


@cache
def _rules() -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    data = tomllib.loads((Path(__file__).parent / "holidays.toml").read_text("utf-8"))
    return {name: rule for rule, names in data["rules"].items() for name in names}, data["by_country"]


@cache
def holidays() -> frozenset[str]:
    """Lower-case names of all holidays that have a rule."""
    everywhere, by_country = _rules()
    return frozenset((*everywhere, *by_country))


def holiday(name: str, year: int, country: str | None = None) -> date | None:
    """The day of the holiday ``name`` in ``year`` by its rule; ``country`` decides where the day differs by country."""
    everywhere, by_country = _rules()
    rule = everywhere[name] if name in everywhere else by_country[name].get(country or "", by_country[name]["else"])
    day = _by_rule(rule.split(" +")[0].split(), year)
    return plus_days(day, int(rule.partition(" +")[2] or 0)) if day else None


def _by_rule(rule: list[str], year: int) -> date | None:
    """The day of ``12-25``, ``11 4th 4`` (4th Thursday of November), ``5 last 1`` or ``easter -2``."""
    if rule[0] == "easter":
        return plus_days(easter(year), int(rule[1]))
    if len(rule) == 1:
        return day_of(year, int(rule[0][:2]), int(rule[0][3:]))
    month, weekday = int(rule[0]), int(rule[2])
    if rule[1] == "last":
        last = date(year, month, monthrange(year, month)[1])
        return last - timedelta((last.isoweekday() - weekday) % 7)
    first = date(year, month, 1)
    return first + timedelta((weekday - first.isoweekday()) % 7 + 7 * (int(rule[1][0]) - 1))
