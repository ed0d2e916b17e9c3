"""What looks like a temporal expression and is none: May the person, a price of 1,990, the Sun, flight 1989."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from pipeline.stages.dates.anchor import Context
from pipeline.stages.dates.grammar import Match
from pipeline.stages.dates.lexicon import lookup, words

_GLUED_LEFT = re.compile(r"(?:[^\W_]|[$€£¥₹#@_=&]\s?|\d[.,:/]|[.,]\d|Rs\.? ?|No\.? ?|no\. |[A-Za-z]/)$")
_GLUED_RIGHT = re.compile(r"(?:[^\W_]|[%°₹€£$]|[.,:/]\d|@|\s?(?:%|percent|per cent|pc\b))")
_TITLED_WORD = re.compile(r"[A-Z][a-z]+ $")
_NUMBERED_CODE = re.compile(r"\b(?:[Ff]light|[Tt]rain|[Bb]us) [A-Z]{1,3} $")
_REACHED = re.compile(r"(?<!\d)\d{1,3}(?:\.\d+)?%?(?: points?)? (?:to|at) $")
_SHORT = 3
"""Long words up to which a line says nothing of how it is written."""
_NAMED_AFTER = re.compile(r"(?:\s\d{1,2}(?:st|nd|rd|th)?)?(?:\s[A-Z][a-z]+)?\s([A-Z][a-z]+)")
_TITLES = {"today", "last or next week", "part of today", "now", "daily", "the week"}


def is_trap(match: Match, context: Context) -> bool:
    """Whether what a pattern matched is no temporal expression after all."""
    text = context.text
    left, right = text[max(0, match.start - 4) : match.start], text[match.end : match.end + 10]
    first_digit = text[match.start].isdigit()
    if _GLUED_LEFT.search(left if first_digit else left[-1:]) and (
        first_digit or left[-1:].isalnum() or left[-1:] in "_@#"
    ):
        return True
    if _GLUED_RIGHT.match(right) and (text[match.end - 1].isdigit() or right[0].isalnum() or right[0] in "_@"):
        return True
    name = match.pattern.name
    if name in _TITLES and _is_title(match, context):
        return True
    if name in _BY_PATTERN:
        return _BY_PATTERN[name](match, context)
    return False


def _counts(after: str) -> bool:
    """Whether what follows figures is what they count: ``1998 more soldiers``."""
    found = re.match(r"[\s-]+(?:(?:more|other|new|american|u\.s\.|us)\s)?([a-z]+)", after.lower())
    return found is not None and found[1] in words("counted")


def _no_year(match: Match, context: Context) -> bool:
    """``1998 soldiers``, ``flight AI 2010``, ``Agenda 2030``, ``fell 1.5 to 1990``."""
    value = int(match["y"])
    after = context.text[match.end : match.end + 30]
    left = context.text[max(0, match.start - 40) : match.start]
    before = context.words_before(match.start, 2)
    named = _TITLED_WORD.search(left)
    if named and len(before) == 2 and before[-1] not in words("year_leads"):
        return True
    if _NUMBERED_CODE.search(left) or (_REACHED.search(left) and "from" not in left):
        return True
    if _counts(after) or (before and before[-1] in words("numbered")):
        return True
    if re.match(r"\s*-\s*\d", after) and "yy" not in match:
        return True
    return not 1900 <= value <= 2100 and not (before and before[-1] in words("year_leads"))


def _name_or_verb(match: Match, context: Context) -> bool:
    """``May`` the modal or the person, ``March`` the verb or the place, ``the Sun``, ``Friday prayers``."""
    word = match.text.rstrip(".").lower()
    if _day_of_no_date(match, context) if match.pattern.name == "weekday" else _named_after_a_day(match, context):
        return True
    if len(word) == len("jun") and word != "may" and re.match(r"-[^\W\d_]", context.text[match.end : match.end + 2]):
        # a name as in Lee Jun-seok
        return True
    if word not in words("ambiguous"):
        return False
    text = context.text
    after = text[match.end : match.end + 24]
    before = context.words_before(match.start, 1)
    lead = before[-1] if before else ""
    if word == "sun" or word == "sat":
        return lead not in ("on",) and not match.text.endswith(".")
    if word == "wed" and re.match(r"\s[a-z]", after):
        return True
    if re.match(r"['’]s\s+[a-z]", after) and word in ("may", "june", "april", "august"):
        return False
    token = context.token(match.start)
    if token is None:
        return False
    if token.tag_ in ("MD", "VB", "VBP", "VBD", "VBZ"):
        return True
    named = token.ent_type_ == "PERSON"
    if word in words("first_names") and lead not in words("month_leads") and _after_name(context, match.start):
        return True
    if (
        word == "march"
        and re.match(r"\s+(of|to|for|on|against|by|through|from|in)\b", after)
        and lead in ("the", "a", "million", "s", "annual", "protest", "peace", "long")
    ):
        return True
    if word in words("first_names") and lead not in words("month_leads") and _is_surname_here(match.text, context.text):
        return True
    follows = re.match(r"\s+[A-Z][\w'’]+", after)
    if follows and lead not in words("month_leads") and token.dep_ == "compound" and token.head.i == token.i + 1:
        return True
    if named and (follows or _after_name(context, match.start)):
        return True
    return named and lead not in words("month_leads")


def _after_name(context: Context, start: int) -> bool:
    return bool(re.search(r"[A-Z][\w.]{0,18}\s$", context.text[max(0, start - 20) : start]))


@lru_cache(maxsize=64)
def _is_surname_here(month: str, text: str) -> bool:
    """Whether a story has ``Theresa May``: then a bare ``May`` is she, unless words of time lead it."""
    return any(
        found[1].lower().rstrip(".") not in words("month_leads") | words("no_first_names")
        for found in re.finditer(rf"\b([A-Z][a-z]+\.?) {re.escape(month)}\b(?![.,]? ?\d)", text)
    )


def _day_of_no_date(match: Match, context: Context) -> bool:
    """``Friday prayers``, ``The Sunday Times``, ``Super Tuesday``, ``Wednesday Addams``."""
    after = re.match(r"[\s-]([^\W\d_]+)", context.text[match.end : match.end + 24])
    following = after[1] if after else ""
    if following.lower() in words("weekly_rites") or (following.istitle() and following.lower() in words("papers")):
        return True
    before = re.search(r"([A-Z][a-z]+)\s$", context.text[max(0, match.start - 16) : match.start])
    if before and before[1].lower() in words("before_named_days"):
        return True
    if re.match(r"\sNight\s[A-Z]", context.text[match.end : match.end + 8]):
        return True
    token = context.token(match.start)
    if token is None or token.i + 1 >= len(token.doc):
        return False
    return bool(token.ent_type_ == "PERSON" and token.ent_iob_ == "B" and token.nbor().ent_iob_ == "I")


def _part_of_title(match: Match, context: Context) -> bool:
    """``Saturday Night Live``."""
    return (
        match["p"].istitle()
        and re.match(r"\s[A-Z]", context.text[match.end : match.end + 2]) is not None
        and (not _in_headline(context, match.start))
    )


def _titled_unit(match: Match, context: Context) -> bool:
    """``60 Minutes``, ``the Six-Day War``, ``Days Inn``: a unit with a capital where no sentence begins."""
    unit = next((match[group] for group in ("u", "us") if group in match), "")
    if not unit.istitle():
        return False
    opens = not context.words_before(match.start, 1) and match.text.startswith(unit)
    named = re.match(r"['’]?\s[A-Z][a-z]", context.text[match.end : match.end + 4]) is not None
    return (named or not opens) and not _in_headline(context, match.start)


def _in_headline(context: Context, start: int) -> bool:
    """Whether most words of the line have capitals."""
    text = context.text
    line = text[text.rfind("\n", 0, start) + 1 : start] + text[start:].split("\n", 1)[0][:200]
    long = re.findall(r"[^\W\d_]{4,}", line)
    return len(long) > _SHORT and sum(1 for word in long if word[0].isupper()) > 0.6 * len(long)


def _high_noon(match: Match, context: Context) -> bool:
    after = re.match(r"\s([a-z]+)", context.text[match.end : match.end + 16].lower())
    return context.words_before(match.start, 1)[-1:] == ["high"] or (
        after is not None and after[1] in words("of_midnight")
    )


def _named_after_a_day(match: Match, context: Context) -> bool:
    """``the March 28 Movement``, ``May 4th Square``."""
    after = _NAMED_AFTER.match(context.text, match.end)
    return after is not None and after[1].lower() in words("named_after_days")


def _person(match: Match, context: Context) -> bool:
    """``Johnnie Christmas``."""
    token = context.token(match.start)
    return token is not None and token.ent_type_ == "PERSON" and bool(token.ent_iob_ == "I")


def _a_fall(match: Match, context: Context) -> bool:
    """``it softened the fall``, ``the fall of the wall``: what falls, not the season."""
    if match["s"].lower() != "fall" or not match.text.lower().startswith("the "):
        return False
    if re.match(r"\s(?:of|in)\b", context.text[match.end : match.end + 4]):
        return True
    before = context.words_before(match.start, 1)
    return bool(before) and before[-1] not in words("month_leads") | words("year_leads")


def _temperatures(match: Match, context: Context) -> bool:
    return not words("weather").isdisjoint(context.words_before(match.start, 8))


def _minutes(match: Match, context: Context) -> bool:
    """``'60 Minutes'``: figures after a quotation mark that count."""
    after = re.match(r"[\s-]([A-Za-z]+)", context.text[match.end : match.end + 16])
    return after is not None and lookup("units", after[1]) is not None


def _any_day(match: Match, context: Context) -> bool:
    """``today's youth``, ``the people of tomorrow``: the present and the future as such."""
    after = re.match(r"['’]s\s([a-z]+)", context.text[match.end : match.end + 24].lower())
    if after and after[1] in words("of_any_day"):
        return True
    before = context.words_before(match.start, 2)
    return len(before) == 2 and before[1] == "of" and before[0] in words("of_any_day")


def _is_title(match: Match, context: Context) -> bool:
    """``USA Today``, ``This Week``: every word with a capital where a sentence does not begin."""
    said = match.text.split()
    if not all(word[0].isupper() for word in said) or match.text.isupper():
        return False
    return len(said) > 1 or bool(
        re.search(r"[A-Z][\w.]{0,18}\s$", context.text[max(0, match.start - 20) : match.start])
    )


_BY_PATTERN: dict[str, Callable[[Match, Context], bool]] = {
    "year": _no_year,
    "years joined by a hyphen": _no_year,
    "year of two figures": _minutes,
    "month": _name_or_verb,
    "weekday": _name_or_verb,
    "part of a weekday": _part_of_title,
    "count of units": _titled_unit,
    "modifier": _titled_unit,
    "units": _titled_unit,
    "noon": _high_noon,
    "holiday": _person,
    "month and day": _named_after_a_day,
    "day and month": _named_after_a_day,
    "decade": _temperatures,
    "the week": _titled_unit,
    "season": _a_fall,
    "today": _any_day,
}
