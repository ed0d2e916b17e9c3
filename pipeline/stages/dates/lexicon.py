"""The words of temporal expressions and what class each belongs to, from ``lexicon.toml``."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.stages.dates.calendar_rules import holidays

HERE = Path(__file__).parent
_LISTS = ("cased", "triggers")
_SHORT, _NOT_SHORT = 5, frozenset({"march", "april", "may", "june", "july"})


@cache
def data() -> dict[str, Any]:
    """The lexicon as written: lists of class names, and tables from word to value."""
    loaded: dict[str, Any] = tomllib.loads((HERE / "lexicon.toml").read_text("utf-8"))
    loaded["holiday_word"] = {re.split(r"\W", name)[0]: 0 for name in holidays()}
    return loaded


def lookup(table: str, word: str) -> Any:
    """The value of ``word`` in a class, ``None`` where it is not in it."""
    return data()[table].get(word.lower())


@cache
def words(name: str) -> frozenset[str]:
    """A list of ``context_words.toml``."""
    return frozenset(_context_words()["lists"][name])


@cache
def ahead() -> dict[str, float]:
    """Words by which a story looks ahead, and how surely they tell it, 0 to 1."""
    data_ = _context_words()
    return {word: float(data_["weights"][degree]) for degree, found in data_["ahead"].items() for word in found}


@cache
def _context_words() -> dict[str, Any]:
    return tomllib.loads((HERE / "context_words.toml").read_text("utf-8"))


@cache
def classes_of_words() -> dict[str, frozenset[str]]:
    """Classes of every word of the lexicon, lower case."""
    found: dict[str, set[str]] = {}
    for name, table in data().items():
        if name not in _LISTS:
            for word in table:
                found.setdefault(word, set()).add(name)
                if name in ("month", "weekday") and len(word) <= _SHORT and word not in _NOT_SHORT:
                    found[word].add(f"{name}_short")
    return {word: frozenset(names) for word, names in found.items()}


@cache
def classes() -> frozenset[str]:
    """Names of all classes a token can be in."""
    return frozenset().union(*classes_of_words().values(), *map(_figures, ("1", "12", "1990", "31", "0000")))


def classes_of(token: str) -> frozenset[str]:
    """Classes of a token as written: its case and, for figures, its size decide too."""
    if token.isascii() and token.isdigit():
        return _figures(token)
    names = classes_of_words().get(token.lower(), frozenset())
    if names and not token[0].isupper():
        return names.difference(data()["cased"], ("month_short", "weekday_short"))
    return names


def _figures(token: str) -> frozenset[str]:
    names = {"int"} if len(token) <= 7 else set()
    value = int(token) if len(token) <= 7 else 0
    if len(token) <= 2:
        names |= {"daynum"} if 1 <= value <= 31 else set()
        names |= {"monthnum"} if 1 <= value <= 12 else set()
        names |= {"hour"} if value <= 24 else set()
    if len(token) == 2:
        names |= {"yy"} | ({"minute"} if value < 60 else set())
    if len(token) == 4:
        names |= {"year"} if 1000 <= value <= 2199 else set()
        names |= {"hhmm"} if value <= 2400 and value % 100 < 60 else set()
        names |= {"decade_year"} if 1000 <= value <= 2199 and value % 10 == 0 else set()
    return frozenset(names)


# --- numbers ---

_WORDS = re.compile(r"[a-z]+|[0-9]+(?:[.,][0-9]+)*")
_FRACTION = re.compile(r"[ -]1/2\b")
_ADDED = re.compile(r"(?<!hundred)(?<!thousand)\sand\s(?!a half)")
"""``two and three`` are two numbers, ``a hundred and three`` and ``two and a half`` are one."""
_VAGUE = frozenset({"several", "some", "few", "many", "dozens", "hundreds", "thousands", "various", "numerous"})
_SKIPPED = frozenset({"and", "of", "more", "other", "full", "straight", "consecutive", "the"})


def number(words: str) -> str | None:
    """A count in words or figures as a duration writes it: ``two and a half`` 2.5, ``several`` X, ``a`` 1."""
    total, part, half = 0.0, 0.0, 0.0
    seen = False
    said = _FRACTION.sub(" and a half", words.lower())
    if _ADDED.search(said):
        return None
    for word in _WORDS.findall(said):
        cardinal = lookup("cardinal", word)
        if word in _VAGUE:
            return "X"
        if word[0].isdigit():
            part += float(word.replace(",", "") or 0)
        elif word in ("a", "an"):
            part = part or (0.0 if seen else 1.0)
        elif word == "half":
            half, part = 0.5, 0.0 if part == 1.0 and not total and not _has_one(words) else part
        elif word in ("couple", "dozen"):
            part = (part or 1.0) * lookup("vague", word)
        elif cardinal == 100 or cardinal == 1000:
            part = (part or 1.0) * cardinal
            total, part = (total + part, 0.0) if cardinal == 1000 else (total, part)
        elif cardinal is not None:
            part += cardinal
        elif word in _SKIPPED:
            continue
        else:
            return None
        seen = True
    value = total + part + half
    return f"{value:g}" if seen and 0 < value < 1e6 else None


def _has_one(words: str) -> bool:
    return bool(re.search(r"\bone\b|\b1\b|and a half|1/2", words.lower()))


def year_in_words(words: str) -> int | None:
    """``nineteen ninety-six`` 1996, ``two thousand and five`` 2005, ``twenty twenty-five`` 2025."""
    values = [lookup("cardinal", word) for word in _WORDS.findall(words.lower()) if word != "and"]
    if not values or None in values:
        return None
    if 1000 in values:
        rest = values[values.index(1000) + 1 :]
        return int(values[0] * 1000 + sum(rest)) if values[1:2] == [1000] else None
    if values[1:2] == [100]:
        return int(values[0] * 100 + sum(values[2:]))
    tens = values[1] if len(values) > 1 else 0
    if not (values[0] in (17, 18, 19, 20) and 10 <= tens < 100 and len(values) <= 3):
        return None
    return int(values[0] * 100 + sum(values[1:])) if sum(values[1:]) < 100 else None


def full_year(two_digits: int, near: int | None) -> int:
    """The year of ``'89``: the one with these last figures that is at most 20 years after ``near``."""
    base = near if near is not None else 2000
    year = base - base % 100 + two_digits
    if year > base + 20:
        year -= 100
    return year
