"""Sources that name somebody: names with titles and appositives, joint ones, labels, letters for an office."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise

from pipeline.stages.attribution.cast import Place
from pipeline.stages.attribution.lookup import AGED, INDEFINITE, Lookup, Speaker, nouns, offices, single, sort_of

_OUTLETS = frozenset(
    {
        "agency", "broadcaster", "channel", "daily", "magazine", "network", "newspaper", "paper", "portal", "site",
        "station", "tabloid", "website", "weekly",
    }
)  # fmt: skip
_AND = re.compile(r",? and (?:the )?(?:[A-Z][\w’'.-]* )*")
_AS = r"(?:identified (?:only |himself |herself |themselves )*as|gave (?:only )?(?:his|her|their) name (?:only )?as) "
_NAMED = re.compile(rf"\b(?:named |called |{_AS})")
_WHO = re.compile(rf",? (?:in [\w ]{{1,30}} )?who (?:only )?{_AS}")
_CLAUSE = re.compile(r",? (?:who|whose|whom|which|that|where|when|after|before|as)\b|[–—]")


class Names(Lookup):
    """Resolves sources that hold a name."""

    def _by_letters(self, start: int, end: int) -> Speaker | None:
        """``the SP``, ``the CM``: the last person who bears the office that the letters stand for."""
        letters = self.text[start:end].removeprefix("the ").removeprefix("The ")
        full = offices().get(letters)
        if full is None:
            return None
        spelt = {p.member.entity.name for p in self.cast.within(start, end) if p.mention.kind == "name"}
        if spelt - {letters}:
            return None  # the SP, where it is the Samajwadi Party
        office = re.compile(rf"(?<!deputy )(?<!vice )(?<!assistant )\b(?:{re.escape(full)}|{letters})\b(?!-)", re.I)
        for place in self.cast.before(start, 300):
            role = " ".join([place.mention.role or "", *place.member.entity.roles])
            if place.member.body and full.lower() in place.member.entity.name.lower():
                return self._speaker(start, end, place, "name", 0.8)
            if place.member.person and office.search(role):
                return self._speaker(start, end, place, "nominal", 0.75)
        return None

    def _label(self, start: int, end: int) -> Speaker | None:
        """``Q:`` and ``A:``: nobody by name asks; who answers is the person the story is about up to there."""
        label = self.text[start:end].strip(" .:").upper()
        if label in ("Q", "QUESTION", "QUESTIONER"):
            return Speaker(start, end, "label", 0.6, anonymous=True)
        if label not in ("A", "ANSWER"):
            return None
        people = Counter(p.member.entity.id for p in self.cast.before(start, 400) if p.member.person)
        if not people:
            return Speaker(start, end, "label", 0.3)
        best, _ = people.most_common(1)[0]
        place = next(p for p in self.cast.before(start, 400) if p.member.entity.id == best)
        return self._speaker(start, end, place, "label", 0.7 if len(people) == 1 else 0.5)

    def _named(self, start: int, end: int) -> list[Speaker]:
        """Members named at the head of the source, or beside it in apposition; several where they are joined."""
        parse = self.cast.parse
        head = self._head(start, end)
        if self._some_person(head, start):
            said = self._said_name(start, end)
            return [self._speaker(start, end, said, "name", 0.8)] if said is not None else []
        heads = [head]
        for token in parse[head].conjuncts:
            if start <= token.idx < end and token.i > head:
                heads.append(token.i)
        found: list[Speaker] = []
        for one in heads:
            place = self._outlet(one, start, end) or self._at(one, start, end)
            if place is not None and place.mention.kind == "nominal" and not self.settings.nominals:
                continue
            if place is not None and self._miscalled(place, one):
                continue
            if place is None:
                place = self._apposed(one, start, end)
            if place is not None and not any(s.member is place.member for s in found):
                place = self._of_party(place, start)
                method = {"name": "name", "nominal": "nominal", "pronoun": "pronoun"}[place.mention.kind]
                found.append(self._speaker(start, end, place, method, 0.95 if method == "name" else 0.8))
        found = self._joined(found, start, end)
        if found:
            return found
        known = self._said_name(start, end) or self._surname(start, self._relative(start, end))
        if known is not None:
            return [self._speaker(start, end, known, "name", 0.8)]
        if parse[head].pos_ == "PROPN" and not parse[head].text.islower():
            bare = self._bare(head, start, end)
            plain = bare.lower()
            crowd = parse[head].tag_ == "NNPS" or (parse[head].is_sent_start and single(plain.removesuffix("s")))
            crowd = crowd and " " not in bare and plain.endswith("s")
            if plain in nouns()["person"] or crowd:
                return []  # the Speaker; Villagers
            for place in self.cast.within(start, end):
                if place.member.person and place.mention.kind == "name" and bare.endswith(place.mention.text):
                    return [self._speaker(start, end, place, "name", 0.9)]  # Proctor Atul Rao, Briton Lionel Heath
            for member in self.cast.members:
                name = member.entity.name
                if member.body and (name.endswith(" " + bare) or name.startswith(bare + " ")):
                    first = self.cast.first(member)
                    if first is not None:
                        return [self._speaker(start, end, first, "name", 0.7)]  # the Morcha of Jan Morcha
            return [Speaker(start, end, "name", 0.5, name=bare)]
        return []

    def _miscalled(self, place: Place, token: int) -> bool:
        """Whether a common noun refers to somebody it does not fit: ``the company`` to a ministry, an age to a land."""
        if place.mention.kind != "nominal":
            return False
        noun, member = self.cast.parse[token].lemma_.lower(), place.member
        if member.person:
            called = self._called(place.start, noun, [])
            roles = " ".join(member.entity.roles).lower()
            return called is not None and called.member.person and called.member is not member and noun not in roles
        if AGED.search(place.mention.text):
            return True
        if member.entity.label != "ORG" or noun in member.entity.name.lower().split():
            return False
        sorts = nouns()["commercial"] | nouns()["agency"]
        return noun in nouns()["proper"] or (noun in sorts and not sort_of(member, noun))

    def _of_party(self, place: Place, start: int) -> Place:
        """The bearer of a surname that two bear whose title has a word that stands before it: ``the BJP's Saikia``."""
        member, last = place.member, place.mention.text
        words = [w for w in re.findall(r"[\w’'-]+", self.text[start : place.start]) if w[0].isupper()]
        if not member.person or " " in last or not words:
            return place
        for other in self.cast.surnamed(last):
            if other is not member and set(words) & set(" ".join(other.entity.roles).split()):
                return replace(place, member=other)
        return place

    def _some_person(self, head: int, start: int) -> bool:
        """``a spokesman for the bank``, ``a senior BJP leader``: one of a body, without a name."""
        noun = self.cast.parse[head]
        first = self.cast.parse[self.cast.token(start)].lower_
        return first in INDEFINITE and noun.text.islower() and noun.lemma_.lower() in nouns()["person"]

    def _joined(self, found: list[Speaker], start: int, end: int) -> list[Speaker]:
        """``found`` with the other of two names that ``and`` joins, however the parse hangs them."""
        if len(found) != 1 or found[0].member is None:
            return found
        label = found[0].member.entity.label
        places = [
            p
            for p in self.cast.within(start, self._relative(start, end))
            if p.mention.kind == "name" and p.start >= start
        ]
        names = [p for p in places if p.member.entity.label == label or (p.member.body and found[0].member.body)]
        for one, other in pairwise(names):
            between = self.text[one.end : other.start]
            if found[0].member in (one.member, other.member) and _AND.fullmatch(between):
                return [self._speaker(start, end, p, "name", 0.9) for p in (one, other)]
        return found

    def _relative(self, start: int, end: int) -> int:
        """Where a relative clause begins in the source, else ``end``."""
        match = _CLAUSE.search(self.text, start, end)
        return match.start() if match else end

    def _outlet(self, token: int, start: int, end: int) -> Place | None:
        """The name before a word for a desk of news: ``Yonhap news agency``, ``the Bild newspaper``."""
        if self.cast.parse[token].lemma_.lower() not in _OUTLETS:
            return None
        return self._body_before(token, start, end, "compound", "nmod", proper=True)

    def _body_before(self, token: int, start: int, end: int, *deps: str, proper: bool = False) -> Place | None:
        """The organisation named before a noun that hangs on it: ``FBI officials``."""
        for child in self.cast.parse[token].children:
            if child.dep_ in deps and child.i < token and (child.pos_ == "PROPN" or not proper):
                place = self._at(child.i, start, end)
                if place is not None and place.mention.kind == "name" and place.member.entity.label == "ORG":
                    return place
        return None

    def _apposed(self, token: int, start: int, end: int) -> Place | None:
        """The person in apposition to a common noun: ``the coach, Smith``."""
        for child in self.cast.parse[token].children:
            if child.dep_ in ("appos", "nmod", "compound"):
                place = self._at(child.i, start, end)
                if place is not None and place.member.person:
                    return place
        return None

    def _head(self, start: int, end: int) -> int:
        """The token the source turns on: of a title and a name, the name (``the ambassador to X, Y``)."""
        cast = self.cast
        head = cast.head(start, end)
        own = self._at(head, start, end)
        if own is not None and own.member.person:
            return head
        for place in cast.within(start, self._relative(start, end)):
            if place.member.person and place.mention.kind == "name" and start <= place.start and place.end <= end:
                token = cast.parse[cast.head(place.start, place.end)]
                before = cast.parse[max(cast.token(place.start) - 1, 0)]
                if head < token.i and before.pos_ == "PROPN" and before.idx >= start and self._names_office(head):
                    return token.i  # Leader of the Opposition X
                if head < token.i and before.text == "," and self._names_office(head):
                    return token.i  # the mayor of Hateno, Chieko Oshiro
                titled = head < token.i and cast.parse[head].pos_ == "PROPN"
                if token.dep_ in ("appos", "nsubj", "ROOT") or (titled and token.dep_ not in ("pobj", "poss")):
                    return token.i
                if titled and token.i + 1 < len(cast.parse) and cast.parse[token.i + 1].idx >= end:
                    return token.i
        return head

    def _names_office(self, token: int) -> bool:
        """Whether a noun is one for a person."""
        return self.cast.parse[token].lower_ in nouns()["person"]

    def _said_name(self, start: int, end: int) -> Place | None:
        """The person that ``a Pole named``, or after the source ``who gave his name as``, leads to."""
        led = _NAMED.search(self.text, start, min(end + 40, len(self.text)))
        led = led if led is not None and led.start() < end else _WHO.match(self.text, end)
        if led is None:
            return None
        places = self.cast.within(led.end(), led.end() + 1)
        return next((p for p in places if p.member.person and p.start == led.end()), None)

    def _surname(self, start: int, end: int) -> Place | None:
        """A member whose last name the source ends in, where the entities did not mark it here.

        Not who is but spoken of in it: ``Smith's lawyer``, ``the mother of Brown``, ``police in Houston``.
        """
        words = [w for w in re.findall(r"[^\W\d_][\w’'-]*", self.text[start:end]) if w[0].isupper()]
        if not words or len(words) > 3:
            return None
        last = words[-1]
        led = self.cast.parse[self.cast.token(start) : self.cast.token(end - 1) + 1]
        if not self.text[start:end].rstrip(" ,.").endswith(last) or any(token.pos_ == "ADP" for token in led):
            return None
        return next((self.cast.first(member) for member in self.cast.surnamed(last)), None)

    def _bare(self, head: int, start: int, end: int) -> str:
        """The run of proper nouns around a head that no entity covers."""
        parse = self.cast.parse
        low = high = head
        while low > 0 and parse[low - 1].idx >= start:
            owner = parse[low - 1].dep_ == "case" and low > 1 and parse[low - 2].pos_ == "PROPN"
            if parse[low - 1].pos_ != "PROPN" and not owner:
                break
            low -= 1 + owner  # the Chief Minister's Office
        while high + 1 < len(parse) and parse[high + 1].pos_ == "PROPN" and parse[high + 1].idx < end:
            high += 1
        return self.text[parse[low].idx : parse[high].idx + len(parse[high])]
