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

from pipeline.stages.dates.lexicon import ahead

if TYPE_CHECKING:
    from numpy import ndarray
    from spacy.tokens import Doc, Token

    from pipeline.stages.dates import DatesSettings

Direction = Literal["past", "future"]

TO_DO = 0.7
"""How surely ``to`` with an infinitive looks ahead; for single words see ``context_words.toml``."""
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
        """Which way a bare date at ``start`` points: by the nearest word left of it that tells."""
        enough = 1 - (self.settings.future_bias if bias is None else bias)
        token = self.token(start)
        if token is None or token.i == 0:
            return "past"
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


def _governing(token: Token) -> float | None:
    """How surely the verb that governs a date looks ahead; 0 for a plain past form, ``None`` where nothing is told."""
    verb = token
    for _ in range(4):
        if verb.head.i == verb.i or verb.tag_.startswith("VB"):
            break
        verb = verb.head
    if not verb.tag_.startswith("VB"):
        return None
    aux = [child for child in verb.lefts if child.dep_ in ("aux", "auxpass")]
    for child in aux:
        if child.tag_ == "MD":
            return ahead().get(child.lower_)
        if child.tag_ == "TO":
            return TO_DO
    if verb.tag_ == "VBD" or any(child.tag_ == "VBD" for child in aux):
        return 0.0
    return None
