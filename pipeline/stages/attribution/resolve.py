"""From the source of a quotation as written to the speaker: names, titles, pronouns, statements, nobody at all."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from models.document import Attribution, Span, TextSpan
from pipeline.stages.attribution.cast import Cast
from pipeline.stages.attribution.lookup import Speaker
from pipeline.stages.attribution.nominals import Nominals
from pipeline.stages.attribution.pronouns import FIRST, HE, IT, RELATIVE, SHE, THEY, Pronouns

if TYPE_CHECKING:
    from spacy.tokens import Doc

    from models.document import Document, Quote
    from pipeline.stages.attribution import AttributionSettings


_PEOPLES = frozenset(
    {"british", "danish", "dutch", "english", "finnish", "french", "irish", "polish", "spanish", "swedish"}
)
"""Adjectives of nations that name a people, and none of it."""


def resolve(document: Document, parse: Doc, settings: AttributionSettings) -> list[Attribution]:
    """The attributions of ``document``: a row a quotation and speaker; none where nothing tells who speaks."""
    if not document.quotes:
        return []
    desk = Resolver(document, Cast.of(document, parse), settings)
    rows: list[Attribution] = []
    for quote in document.quotes:
        speakers = desk.speakers(quote)
        desk.remember(quote, speakers)
        rows += [_row(document.text, quote, s, settings.min_confidence) for s in speakers]
    return rows


def _row(text: str, quote: Quote, speaker: Speaker, floor: float) -> Attribution:
    fields: dict[str, object] = {}
    if speaker.anonymous:
        fields["anonymous"] = True
    if speaker.group:
        fields["group"] = True
    if speaker.evidence is not None:
        fields["evidence"] = Span(start=speaker.evidence[0], end=speaker.evidence[1])
    sure = speaker.confidence >= floor
    member = speaker.member if sure else None
    return Attribution(
        quote=quote.id,
        speaker=TextSpan.of(text, speaker.start, speaker.end),
        entity=member.entity.id if member else None,
        name=(member.entity.name if member else speaker.name) if sure else None,
        role=speaker.role if sure else None,
        method=speaker.method,
        confidence=round(speaker.confidence, 3),
        **fields,
    )


class Resolver(Pronouns, Nominals):
    """Resolves the quotations of one story in order."""

    def speakers(self, quote: Quote) -> list[Speaker]:
        """Speakers of ``quote``; empty where the story does not say."""
        if quote.source is not None:
            start, end = quote.source.start, quote.source.end
            return self._source(quote, start, end)
        if quote.cue is None and self.settings.continuation:
            return self._unattributed(quote)
        return []

    def _source(self, quote: Quote, start: int, end: int) -> list[Speaker]:
        words = re.findall(r"[\w’']+", self.text[start:end].lower())
        first = words[0] if words else ""
        shouted = self.text[start:end].isupper() and end - start > 1
        if self.settings.pronouns and words in (["the", "two"], ["the", "pair"], ["the", "duo"], ["the", "couple"]):
            return self._they(quote, start, end)
        if len(words) == 1 and not shouted and first in HE | SHE | IT | THEY | RELATIVE | FIRST:
            return self._pronoun(quote, start, end, first)
        if quote.cue is not None and quote.cue.text.strip() in (":", "Q.", "A.") and end - start <= 12:
            label = self._label(start, end)
            if label is not None:
                return [label]
        if self.settings.nominals and not any(p.mention.kind == "name" for p in self.cast.within(start, end)):
            aged = self._of_age(start, end)
            if aged is not None:
                return [aged]
        titled = self._by_letters(start, end) if self.settings.nominals else None
        if titled is not None:
            return [titled]
        named = self._named(start, end)
        if self.settings.nominals and len(named) == 1 and self._of_a_nation(named[0], words):
            person = self._person_meant(quote, start, end)
            return [person or Speaker(start, end, "nominal", 0.4)]
        if named:
            return named
        return [self._nominal(quote, start, end, words)]

    def _of_a_nation(self, speaker: Speaker, words: list[str]) -> bool:
        """``the Czech said``: one person, called by the nation."""
        member = speaker.member
        single = (
            len(words) == 2 and words[0] == "the" and not words[1].endswith(("s", "ese")) and words[1] not in _PEOPLES
        )
        return member is not None and member.entity.label == "NORP" and member.entity.link is not None and single

    def _answers(self, quote: Quote) -> bool:
        """Whether a bare paragraph goes on a dialogue of two: the speakers of the two paragraphs before differ."""
        if len(self.memory.history) < 2 or not self._begins_paragraph(quote.start):
            return False
        (last, last_at), (other, other_at) = self.memory.history[-1], self.memory.history[-2]
        here = self.cast.paragraph(quote.start)
        apart = (here - self.cast.paragraph(last_at), here - self.cast.paragraph(other_at))
        asked = "?" in self.text[other_at - 2 : other_at] + self.text[last_at - 2 : last_at]
        alternating = bool(self.memory.turn) and self.memory.turn[-1] == here - 1
        if apart != (1, 2) or not (asked or alternating or "?" in self.text[quote.end - 2 : quote.end]):
            return False
        differ = {id(s.member) for s in last} != {id(s.member) for s in other}
        if differ:
            self.memory.turn.append(here)
        return differ

    def _unattributed(self, quote: Quote) -> list[Speaker]:
        """No cue: the speaker before goes on; in a dialogue of two the other one answers."""
        before = self.memory.by_quote.get(quote.continues or "", [])
        method = "continuation"
        if self._answers(quote):
            before, method = self.memory.history[-2][0], "alternation"
        if not before:
            near = (
                self.memory.last_at >= 0
                and self.cast.paragraph(quote.start) - self.cast.paragraph(self.memory.last_at) <= 2
            )
            before = self.memory.last if near else []
        return [
            replace(s, method=method, confidence=round(s.confidence * 0.7, 3), evidence=(s.start, s.end))
            for s in before
        ]
