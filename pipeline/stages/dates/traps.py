"""What looks like a temporal expression and is none: May the person, a price of 1,990, the Sun, flight 1989."""

from __future__ import annotations

import re

from pipeline.stages.dates.anchor import Context
from pipeline.stages.dates.grammar import Match
from pipeline.stages.dates.lexicon import words

_GLUED_LEFT = re.compile(r"(?:[^\W_]|[$€£¥₹#@_=&]\s?|\d[.,:/]|[.,]\d|Rs\.? ?|No\.? ?|no\. |[A-Za-z]/)$")
_GLUED_RIGHT = re.compile(r"(?:[^\W_]|[%°₹€£$]|[.,:/]\d|@|\s?(?:%|percent|per cent|pc\b))")
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
    if match.pattern.name in ("year", "years joined by a hyphen"):
        return _no_year(match, context)
    if match.pattern.name in _TITLES and _is_title(match, context):
        return True
    if match.pattern.name in ("month", "weekday"):
        return _name_or_verb(match, context)
    return False


def _counts(after: str) -> bool:
    """Whether what follows figures is what they count: ``1998 more soldiers``."""
    found = re.match(r"[\s-]+(?:(?:more|other|new|american|u\.s\.|us)\s)?([a-z]+)", after.lower())
    return found is not None and found[1] in words("counted")


def _no_year(match: Match, context: Context) -> bool:
    value = int(match["y"])
    after = context.text[match.end : match.end + 30]
    before = context.words_before(match.start, 1)
    if _counts(after) or (before and before[-1] in words("numbered")):
        return True
    if re.match(r"\s*-\s*\d", after) and "yy" not in match:
        return True
    return not 1900 <= value <= 2100 and not (before and before[-1] in words("year_leads"))


def _name_or_verb(match: Match, context: Context) -> bool:
    """``May`` the modal or the person, ``March`` the verb or the place, ``the Sun``."""
    word = match.text.rstrip(".").lower()
    if word not in words("ambiguous"):
        return False
    text = context.text
    after = text[match.end : match.end + 24]
    before = context.words_before(match.start, 1)
    lead = before[-1] if before else ""
    if word == "sun" or word == "sat":
        return lead not in ("on",) and not match.text.endswith(".")
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
        and lead in ("the", "a", "million", "s")
    ):
        return True
    follows = re.match(r"\s+[A-Z][a-z]+", after)
    if named and (follows or _after_name(context, match.start)):
        return True
    return named and lead not in words("month_leads")


def _after_name(context: Context, start: int) -> bool:
    return bool(re.search(r"[A-Z][\w.]*\s$", context.text[max(0, start - 20) : start]))


def _is_title(match: Match, context: Context) -> bool:
    """``USA Today``, ``This Week``: every word with a capital where a sentence does not begin."""
    said = match.text.split()
    if not all(word[0].isupper() for word in said) or match.text.isupper():
        return False
    return len(said) > 1 or bool(re.search(r"[A-Z][\w.]*\s$", context.text[max(0, match.start - 20) : match.start]))
