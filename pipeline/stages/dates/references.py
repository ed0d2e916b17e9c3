"""Normalisers of expressions that point to the past, the present or the future as such."""

from __future__ import annotations

import re

from pipeline.stages.dates.anchor import Context, Reading
from pipeline.stages.dates.durations import duration_code
from pipeline.stages.dates.grammar import Match
from pipeline.stages.dates.lexicon import lookup

_NOUNLIKE = frozenset({"NN", "NNS", "NNP", "NNPS", "JJ", "CD"})


def word(match: Match, context: Context) -> Reading | None:
    """``now``, ``currently``, ``recently``, ``soon``."""
    if not context.settings.references:
        return None
    said = match["w"].lower()
    after = context.text[match.end : match.end + 12].lower()
    if (
        said not in context.settings.reference_words
        or context.words_before(match.start, 1)[-1:] == ["then"]
        or re.match(r"\s+affairs", after)
    ):
        return None
    if said == "soon" and (
        context.words_before(match.start, 1)[-1:] in (["as"], ["too"], ["how"]) or "as " in after[:4]
    ):
        return None
    return Reading("DATE", lookup("reference", said), cut=_cut(match))


def _cut(match: Match) -> tuple[int, int] | None:
    first = match.text.lower().split()[0]
    return match.span("w") if first in ("until", "just", "even", "only", "very") else None


def present(match: Match, context: Context) -> Reading | None:
    """``at present``: without the preposition."""
    if not context.settings.references:
        return None
    start = match.start + len(match.text.split()[0]) + 1
    return Reading("DATE", "PRESENT_REF", cut=(start, match.end))


def these_days(match: Match, context: Context) -> Reading | None:
    """``these days``; ``those days`` after ``in``."""
    if not context.settings.references:
        return None
    if "those" in match:
        return Reading("DATE", "PAST_REF") if context.words_before(match.start, 1)[-1:] == ["in"] else None
    return Reading("DATE", "PRESENT_REF")


def the_past(match: Match, context: Context) -> Reading | None:
    """``the past``, ``the near future``: as nouns of their own."""
    said = match["w"].lower()
    if not context.settings.references or said not in ("past", "future"):
        return None
    following = context.token(match.end + 1)
    glued = re.match(r"['’-]", context.text[match.end : match.end + 1])
    if glued or (following is not None and following.idx > match.start and following.tag_ in _NOUNLIKE):
        return None
    return Reading("DATE", lookup("reference", said))


def recent_units(match: Match, context: Context) -> Reading | None:
    """``recent years``, ``coming weeks``, ``past years``."""
    if not context.settings.references:
        return None
    if "p" in match and not match.text.lower().startswith("the"):
        return Reading("DATE", "PAST_REF")
    code = lookup("units", match["u"])
    if "r" in match and code in ("Y", "DE"):
        return Reading("DATE", "PAST_REF")
    return Reading("DURATION", duration_code("X", code))


def one_day(match: Match, context: Context) -> Reading | None:
    """``one day``, ``a later date``: some time to come."""
    if match.text.lower() == "one day" and context.direction(match.start, 0.1) == "past":
        return None
    return Reading("DATE", "FUTURE_REF") if context.settings.references else None


def vague_ago(match: Match, context: Context) -> Reading | None:
    """``years ago``, ``long ago``."""
    return Reading("DATE", "PAST_REF")
