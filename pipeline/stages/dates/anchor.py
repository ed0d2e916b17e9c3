"""What an expression is resolved against: the document time, the expressions before it, and which way it points.

The direction of a bare weekday, day or month follows what was measured on annotated newswire: a weekday is the last
one (the same day if the story is of that weekday) unless words that look ahead govern it; a month and day is the
nearest one; a month is the last one unless words that look ahead stand before it and it is at most half a year off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pipeline.stages.dates.lexicon import ahead, words

if TYPE_CHECKING:
    from numpy import ndarray
    from spacy.tokens import Doc, Token

    from pipeline.stages.dates import DatesSettings

Direction = Literal["past", "future"]

SURE, TO_DO, PRESENT = 0.9, 0.7, 0.6
"""How surely ``is scheduled``, ``to`` with an infinitive and the present tense look ahead; for other words see
``context_words.toml``."""
_CLAUSES, _STEPS, _NEAR = 3, 6, 8
"""Verbs above a date that are asked, words above it each is looked for in, words back a sentence is seen to begin."""
_AS_EARLY_AS = re.compile(r"\b(?:as (?:early|soon) as|no later than|ahead of)\s(?:\w+\s)?$", re.IGNORECASE)
_UNTIL = re.compile(
    r"(?<!not )\b(?:until|till)\s(?:[\d:.]+ ?[ap]\.?m\.?,? (?:[A-Z]{2,4},? )?|noon |midnight |early |late |mid-)?$"
)
_TILL_THEN = ("until", "till", "up")
"""First words of sentences about what was so till then."""
_WORD = re.compile(r"[^\W\d_]+|'ll")
_STOP = re.compile(r"[.!?;]['\"”’)]*\s|\n")


_MEMORY = 60


@dataclass(frozen=True)
class Reading:
    """What a normaliser makes of an expression."""

    type: Literal["DATE", "TIME", "DURATION", "SET"]
    value: str | None
    mod: str | None = None
    quant: str | None = None
    freq: str | None = None
    day: date | None = None
    """The one day it names, for what comes after to be counted from."""
    days: tuple[str, str] | None = None
    """First and last day where the value alone does not tell them."""
    compared: bool = False
    """True for the period another is compared with (``a year earlier``), which the story is not about."""
    dayless: bool = False
    """True where the value looks like a stretch of the calendar and is not (a company's fiscal year)."""
    fused: bool = False
    """True for a time of the clock whose day is named beside it."""
    cut: tuple[int, int] | None = None
    """The range to mark where it is less than what was matched."""


class Seen(NamedTuple):
    """An expression resolved before."""

    start: int
    end: int
    reading: Reading


@dataclass
class Context:
    """All an expression can be resolved by."""

    text: str
    parse: Doc
    settings: DatesSettings
    published: date | None
    agency: str | None = None
    place: str | None = None
    seen: list[Seen] = field(default_factory=list)
    _starts: ndarray[Any, Any] | None = None

    def token(self, offset: int) -> Token | None:
        """The token of the parse that covers ``offset``."""
        if self._starts is None:
            from spacy.attrs import IDX

            self._starts = self.parse.to_array(IDX)
        index = int(self._starts.searchsorted(offset, side="right")) - 1
        return self.parse[index] if 0 <= index < len(self.parse) else None

    def words_before(self, start: int, count: int) -> list[str]:
        """Up to ``count`` lower-case words left of ``start`` in the same sentence, the nearest last."""
        piece = self.text[max(0, start - 14 * count) : start]
        cut = max((stop.end() for stop in _STOP.finditer(piece)), default=0)
        return [word.lower() for word in _WORD.findall(piece[cut:])][-count:] if count else []

    def direction(self, start: int, bias: float | None = None) -> Direction:
        """Which way a bare date at ``start`` points: by what leads it, the verb that governs it, words left of it."""
        enough = 1 - (self.settings.future_bias if bias is None else bias)
        token = self.token(start)
        if token is None or token.i == 0:
            return "past"
        left = self.text[max(0, start - 44) : start]
        if _AS_EARLY_AS.search(left) or (_UNTIL.search(left) and _opening(token) not in _TILL_THEN):
            return "future"
        told = _governing(token)
        if told is not None and (told == 0 or told >= enough):
            return "future" if told else "past"
        for index in range(token.i - 1, max(0, token.i - self.settings.direction_window) - 1, -1):
            if self.parse[index + 1].is_sent_start:
                break
            word = self.parse[index]
            said = word.lower_
            if ahead().get(said, 0) >= enough:
                return "future"
            if said == "to" and word.tag_ == "TO" and self.parse[index + 1].tag_ == "VB":
                return "future" if enough <= TO_DO else "past"
            if word.tag_ == "VBD":
                return "past"
        return "past"

    def before(self) -> Iterator[Seen]:
        """The expressions resolved so far, the nearest first, as far back as one may be meant."""
        return reversed(self.seen[-_MEMORY:])

    def last(self) -> Reading | None:
        """The expression resolved last that has a value."""
        return next((seen.reading for seen in self.before() if seen.reading.value), None)

    def last_day(self) -> date | None:
        """The day named last in the story, else the document time."""
        for seen in self.before():
            if seen.reading.day is not None:
                return seen.reading.day
        return self.published


def _opening(token: Token) -> str:
    """The word that begins the sentence of ``token``, if it is near."""
    for left in range(token.i, max(0, token.i - _NEAR), -1):
        if token.doc[left].is_sent_start:
            return str(token.doc[left].lower_)
    return ""


def _governing(token: Token) -> float | None:
    """How surely the verbs above a date look ahead; 0 for what is over, ``None`` where nothing is told."""
    possessive = token.i + 1 < len(token.doc) and token.nbor().tag_ == "POS"
    below = token
    for _ in range(_CLAUSES):
        verb = _verb_above(below)
        if verb is None:
            return None
        told = _outlook(verb, below, below is token and not possessive)
        if told is not None:
            # "Friday's ruling" is over unless the verb is sure of the contrary
            return told if not possessive or told >= SURE else 0.0
        below = verb
    return None


def _verb_above(token: Token) -> Token | None:
    verb = token
    for _ in range(_STEPS):
        if verb.head.i == verb.i:
            return None
        verb = verb.head
        if verb.tag_.startswith("VB"):
            return verb
    return None


def _outlook(verb: Token, below: Token, direct: bool) -> float | None:
    """How surely one verb looks ahead; ``direct`` where the date hangs on it and not on a clause below it."""
    aux = {child.lower_: child.tag_ for child in verb.lefts if child.dep_ in ("aux", "auxpass")}
    perfect = bool(aux.keys() & {"had", "have", "has", "'ve", "'d"})
    forward = verb.lemma_.lower() in words("forward")
    modal = next((said for said, tag in aux.items() if tag == "MD"), None)
    if modal is not None:
        return 0.0 if "have" in aux else ahead().get(modal)
    if "TO" in aux.values():
        return _infinitive(verb)
    if "had" in aux or (perfect and not forward):
        return 0.0
    match verb.tag_:
        case "VBD":
            return TO_DO if forward and direct and below.i > verb.i else 0.0
        case "VBN":
            if forward:
                return TO_DO if aux.keys() & {"was", "were"} else SURE
            return PRESENT if aux.keys() & {"is", "are"} else 0.0
        case "VBG" if aux:
            return 0.0 if aux.keys() & {"was", "were"} else PRESENT
        case "VBZ" | "VBP" if direct and verb.lemma_ not in ("have", "say"):
            # "the vote is on Tuesday", not what hangs on "is" by another way
            return PRESENT if verb.lemma_ != "be" or (below.head.tag_ == "IN" and below.head.head.i == verb.i) else None
    return None


def _infinitive(verb: Token) -> float | None:
    """``to`` with a verb looks ahead after ``plan``, ``due``, ``is``; elsewhere the verb above it tells."""
    head = verb.head
    if head.i == verb.i:
        return TO_DO
    told = head.lemma_.lower() in words("forward") or (head.lemma_ == "be" and head.tag_ in ("VBZ", "VBP", "VBD"))
    if not told:
        return None
    past = {child.lower_ for child in (*head.lefts, *head.head.lefts) if child.dep_ in ("aux", "auxpass")}
    return 0.0 if "had" in past else TO_DO
