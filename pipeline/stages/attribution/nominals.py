"""Sources that are common nouns: ``the minister``, ``the company``, ``the statement``, ``officials``, ``a source``."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.stages.attribution.cast import Place
from pipeline.stages.attribution.lookup import AGED, INDEFINITE, Speaker, nouns, single, sort_of
from pipeline.stages.attribution.names import Names
from pipeline.stages.attribution.pronouns import THEY

if TYPE_CHECKING:
    from spacy.tokens import Token

    from models.document import Quote

_ANONYMOUS = re.compile(
    r"\b(?:sources?\b|insiders?\b|anonymous|anonymity|unnamed|(?:person|people|official|aide|diplomat)s? "
    r"(?:familiar|close|briefed|with (?:direct )?knowledge|who (?:asked|declined|requested|wished|did not want))|"
    r"(?:not|declined) to be (?:named|identified|quoted))",
    re.I,
)
_CONDITION = re.compile(
    r"[^.!?\n\"“”]{0,90}?\b(?:condition of anonymity|(?:requesting|seeking) anonymity|"
    r"not (?:want|wish|to be|authori[sz]ed) (?:to )?(?:be )?(?:named|identified|quoted|speak)|"
    r"(?:who|which) (?:can|could|may|must|would|did)(?:n’t|n't| not) be (?:named|identified|quoted))"
)
"""After the source, in its sentence: why it has no name."""
_STUDIES = frozenset({"study", "report", "survey", "poll", "review", "index", "barometer", "census"})
_OFFICERS = frozenset({"official", "officer", "representative", "spokesman", "spokesperson", "executive"})
"""Who, several and unnamed, speak for the body they are of."""
_OWNERS = frozenset({"his", "her", "its", "their", "my", "our", "whose"})
_MAKER = re.compile(r"\w(?:mak|build)er$")
"""Companies by what they make: the planemaker, the homebuilder."""
_LED = frozenset({"DET", "PUNCT", "SPACE", "ADV", "PRON"})


class Nominals(Names):
    """Resolves sources that are common nouns."""

    def _nominal(self, quote: Quote, start: int, end: int, words: list[str]) -> Speaker:
        """A common noun: anonymous, a group, a document of the body that spoke, an office, or nobody we know."""
        source = self.text[start:end]
        head = self.cast.parse[self.cast.head(start, end)]
        plural = head.tag_ in ("NNS", "NNPS") or (bool(words) and words[0] in THEY | {"what"})
        if _ANONYMOUS.search(source) or _CONDITION.match(self.text, end):
            return Speaker(start, end, "anonymous", 0.9, anonymous=True, group=plural)
        lemma = head.lemma_.lower()
        if plural:
            body = self._body_before(head.i, start, end, "compound", "nmod", "poss") if lemma in _OFFICERS else None
            if body is not None:
                return replace(self._speaker(start, end, body, "group", 0.6), group=True, role=None)
            return Speaker(start, end, "group", 0.9, group=True)
        if words[:1] and words[0] in INDEFINITE:
            return Speaker(start, end, "nominal", 0.6, anonymous=lemma in nouns()["person"])
        if self.settings.nominals:
            aged = self._of_age(start, end)
            if aged is not None:
                return aged
            if lemma in nouns()["document"] | nouns()["study"]:
                return self._document(start, end, lemma in nouns()["study"])
            found = self._office(quote, start, end, head, words)
            if found is not None:
                return found
        return Speaker(start, end, "nominal", 0.4)

    def _of_age(self, start: int, end: int) -> Speaker | None:
        """``the 48-year-old``: the person whose age the story gives so."""
        aged = AGED.search(self.text, start, end)
        if aged is None:
            return None
        told = re.compile(rf"\s*[,(]\s*(?:aged )?{aged[1]}\b")
        led = re.compile(rf"\b{aged[1]}-year-old(?: [\w-]+){{0,4}} ?$")
        for place in self.cast.before(start, 300):
            near = self.text[max(place.start - 60, 0) : place.start]
            named = place.member.person and place.mention.kind == "name"
            if named and (told.match(self.text, place.end) or led.search(near)):
                return self._speaker(start, end, place, "nominal", 0.8)
        return None

    def _document(self, start: int, end: int, study: bool) -> Speaker:
        """``the statement said``: whoever owns it by name, else, but not of a study, the body or person that spoke."""
        owner = next((p for p in self.cast.within(start, end) if p.mention.kind == "name"), None)
        if owner is not None:
            return self._speaker(start, end, owner, "document", 0.7)
        titled = self._titled(start) if study else None
        if titled is not None:
            return self._speaker(start, end, titled, "document", 0.6)
        spoken = self.memory.body or (self.memory.last[0] if self.memory.last else None)
        if spoken is None and not study:
            issuer = self._issuer(start)
            if issuer is not None:
                return self._speaker(start, end, issuer, "document", 0.5)
        if spoken is None or study:
            return Speaker(start, end, "document", 0.3)
        return self._again(spoken, start, end, "document", 0.6)

    def _titled(self, at: int) -> Place | None:
        """The study or report the story named last, by its own name: ``the National Nutrition Study``."""
        for place in self.cast.before(at, 300):
            last = place.member.entity.name.lower().rpartition(" ")[2]
            if place.mention.kind == "name" and not place.member.person and last in _STUDIES:
                return place
        return None

    def _issuer(self, at: int) -> Place | None:
        """The body or person last named as a subject shortly before: ``The bank released data.``"""
        here = self.cast.sentence(at)
        for place in self.cast.before(at, 60):
            if here - self.cast.sentence(place.start) > 4:
                return None
            token = self.cast.parse[self.cast.head(place.start, place.end)]
            if place.mention.kind == "name" and token.dep_ == "nsubj" and self._holder(place.start) is None:
                return place if place.member.person or place.member.body else None
        return None

    def _office(self, quote: Quote, start: int, end: int, head: Token, words: list[str]) -> Speaker | None:
        """``the minister``, ``the ministry``, ``the porter``, ``the lender``: who is called so, else who is meant."""
        lemma = head.lemma_.lower()
        phrase = " ".join(t.lower_ for t in self.cast.parse[head.left_edge.i : head.i + 1] if t.pos_ not in _LED)
        kinds = [t.lower_ for t in head.lefts if t.dep_ == "compound" and t.pos_ == "NOUN"]
        called = self._called(start, phrase, kinds) if phrase != lemma else None
        called = called or self._called(start, lemma, kinds)
        if called is not None:
            return self._speaker(start, end, called, "nominal", 0.7)
        owned = (words[:1] and words[0] in _OWNERS) or any(t.dep_ == "poss" for t in head.lefts)
        if owned or any(t.lower_ in ("of", "for", "at") for t in head.rights):
            ahead = self._ahead(end, lemma) if owned else None
            return self._speaker(start, end, ahead, "nominal", 0.5) if ahead is not None else None
        if _MAKER.search(lemma):
            return self._body_meant(start, end, "maker")
        if lemma in nouns()["body"]:
            return None if kinds else self._body_meant(start, end, lemma)
        aged = AGED.search(self.text, start, end) is not None
        if lemma in nouns()["office"]:
            return None  # an office is given with the name that bears it, and none here does
        if words[:1] not in (["the"], ["this"], ["that"]) or not (aged or single(lemma) or single(words[-1])):
            return None
        return self._person_meant(quote, start, end)

    def _person_meant(self, quote: Quote, start: int, end: int) -> Speaker | None:
        """``the porter``, ``the Czech``: who spoke last, else the person the story is at."""
        if self._unnamed(start):
            return None
        going = self._goes_on(quote, start, None)
        if going is not None:
            return self._again(going, start, end, "nominal", 0.45)
        place, _ = self._bearer(quote, start, None)
        return self._speaker(start, end, place, "nominal", 0.4) if place is not None else None

    def _ahead(self, end: int, noun: str) -> Place | None:
        """The person first named soon after whose role has the noun: ``its governor said. ... Governor Ana Diaz``."""
        for place in self.cast.after(end):
            role = (place.mention.role or "").lower()
            if place.start - end < 900 and re.search(rf"\b{re.escape(noun)}\b", role):
                return place
        return None

    def _body_meant(self, start: int, end: int, noun: str) -> Speaker | None:
        """``the company``, ``the agency``: the body of that sort that spoke last, or was last a subject."""
        spoken = self.memory.body
        if spoken is not None and spoken.member is not None and sort_of(spoken.member, noun):
            return self._again(spoken, start, end, "nominal", 0.5)
        if noun in nouns()["proper"]:
            return None
        listed = noun in nouns()["agency"] | nouns()["commercial"]
        best: tuple[float, Place] | None = None
        for place in self.cast.before(start):
            if place.mention.kind == "pronoun" or not sort_of(place.member, noun):
                continue
            if not listed and self.cast.sentence(start) - self.cast.sentence(place.start) > 1:
                break
            token = self.cast.parse[self.cast.head(place.start, place.end)]
            score = -0.5 * (self.cast.paragraph(start) - self.cast.paragraph(place.start))
            score += 1.0 * (token.dep_ in ("nsubj", "nsubjpass")) + 0.3 * min(place.member.count, 5)
            score -= 1.0 * (self._holder(place.start) is not None)
            if best is None or score > best[0]:
                best = score, place
        return self._speaker(start, end, best[1], "nominal", 0.4) if best is not None else None
