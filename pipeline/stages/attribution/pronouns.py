"""Sources that are pronouns: ``he``, ``it said``, ``they``, ``who``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.stages.attribution.cast import Place
from pipeline.stages.attribution.lookup import Lookup, Speaker

if TYPE_CHECKING:
    from models.document import Quote

HE = frozenset({"he", "him", "his", "himself"})
SHE = frozenset({"she", "her", "hers", "herself"})
IT = frozenset({"it", "its", "itself"})
THEY = frozenset({"they", "them", "their", "both", "some", "others", "many", "most", "few", "several", "all"})
RELATIVE = frozenset({"who", "which", "that", "whom", "whose"})
FIRST = frozenset({"i", "we", "me", "us", "my", "our"})


class Pronouns(Lookup):
    """Resolves sources that are pronouns."""

    def _pronoun(self, quote: Quote, start: int, end: int, word: str) -> list[Speaker]:
        if not self.settings.pronouns:
            return [Speaker(start, end, "pronoun", 0.2)]
        if word in HE | SHE and (going := self._goes_on(quote, start, "m" if word in HE else "f")) is not None:
            return [self._again(going, start, end, "pronoun", 0.85)]
        if word in HE | SHE and self._unnamed(start, "m" if word in HE else "f"):
            return [replace(s, start=start, end=end, method="pronoun") for s in self.memory.last]
        own = next((p for p in self.cast.within(start, end) if p.mention.kind == "pronoun"), None)
        if own is not None and not (word in HE | SHE and self._told_of(quote, own.member)):
            return [self._speaker(start, end, own, "pronoun", 0.85)]
        if word in RELATIVE:
            near = self.cast.before(start, 6)
            people = [p for p in near if p.member.person and self.cast.sentence(p.start) == self.cast.sentence(start)]
            place = next(iter(people if word in ("who", "whose", "whom") else near), None)
            if place is not None and start - place.end <= 60 and "." not in self.text[place.end : start]:
                return [self._speaker(start, end, place, "relative", 0.8)]
            return [Speaker(start, end, "relative", 0.2)]
        if word in FIRST:
            return [Speaker(start, end, "first person", 0.2, group=word in ("we", "us", "our"))]
        if word in THEY:
            return self._they(quote, start, end)
        if word in IT:
            return [self._it(quote, start, end)]
        sex = "m" if word in HE else "f"
        place, score = self._bearer(quote, start, sex)
        if place is None:
            return [Speaker(start, end, "pronoun", 0.2)]
        return [self._speaker(start, end, place, "pronoun", score)]

    def _it(self, quote: Quote, start: int, end: int) -> Speaker:
        """``it said``: the body that spoke last, else the body last named as a subject."""
        cast, body = self.cast, self.memory.body
        paragraph = cast.paragraph(start)
        if body is not None and paragraph - cast.paragraph(body.start) <= 6:
            return self._again(body, start, end, "pronoun", 0.8)
        if self.memory.last and all(s.member is None and not s.group for s in self.memory.last):
            # Whoever spoke last has no name in the story; a name from further back would be a guess.
            return Speaker(start, end, "pronoun", 0.2)
        best: tuple[float, Place] | None = None
        for place in cast.before(start):
            if place.member.entity.label != "ORG" or place.mention.kind == "pronoun":
                continue
            if paragraph - cast.paragraph(place.start) > self.settings.reach:
                break
            token = cast.parse[cast.head(place.start, place.end)]
            score = -0.4 * (cast.sentence(start) - cast.sentence(place.start))
            score += 2.0 * (token.dep_ in ("nsubj", "nsubjpass"))
            score -= 1.0 * (self._holder(place.start) is not None)
            if best is None or score > best[0]:
                best = score, place
        if best is None:
            return Speaker(start, end, "pronoun", 0.2)
        return self._speaker(start, end, best[1], "pronoun", 0.5)

    def _they(self, quote: Quote, start: int, end: int) -> list[Speaker]:
        """``they said``: the speakers before where they were several, else a group nobody names."""
        last = self.memory.last
        if len(last) > 1:
            return [self._again(s, start, end, "pronoun", 0.5) for s in last]
        if last and last[0].member is not None and last[0].member.body:
            return [self._again(last[0], start, end, "pronoun", 0.45)]
        pair = self._pair(start)
        if pair:
            return [self._speaker(start, end, place, "pronoun", 0.5) for place in pair]
        return [Speaker(start, end, "pronoun", 0.4, group=True)]

    def _pair(self, at: int) -> list[Place]:
        """Persons or bodies that are joined as the subject of the sentence before, two of them."""
        parse, here = self.cast.parse, self.cast.sentence(at)
        low = self.cast.token(self.cast.sentences[here - 2]) if here > 1 else 0
        for token in parse[low : self.cast.token(at)]:
            if token.dep_ not in ("nsubj", "nsubjpass") or not token.conjuncts or token.i > token.head.i:
                continue
            places = [self._at(t.i, t.idx, t.idx + len(t)) or self._name_at(t.i) for t in (token, *token.conjuncts)]
            found = [p for p in places if p is not None and (p.member.person or p.member.body)]
            if len(found) == len(places) == 2 and found[0].member is not found[1].member:
                return found
        return []
