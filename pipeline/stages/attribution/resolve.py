"""From the source of a quotation as written to the speaker: names, titles, pronouns, statements, nobody at all."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from models.document import Attribution, Span, TextSpan
from pipeline.stages.attribution.cast import Cast, Member, Place

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

    from models.document import Document, Quote
    from pipeline.stages.attribution import AttributionSettings

_HE = frozenset({"he", "him", "his", "himself"})
_SHE = frozenset({"she", "her", "hers", "herself"})
_IT = frozenset({"it", "its", "itself"})
_THEY = frozenset({"they", "them", "their", "both", "some", "others", "many", "most", "few", "several", "all"})
_RELATIVE = frozenset({"who", "which", "that", "whom", "whose"})
_FIRST = frozenset({"i", "we", "me", "us", "my", "our"})
_ANONYMOUS = re.compile(
    r"\b(?:sources?\b|insiders?\b|anonymous|anonymity|unnamed|(?:person|people|official|aide|diplomat)s? "
    r"(?:familiar|close|briefed|with (?:direct )?knowledge|who (?:asked|declined|requested|wished|did not want))|"
    r"(?:not|declined) to be (?:named|identified|quoted))",
    re.I,
)
_CONDITION = re.compile(
    r"[^.!?\n\"“”]{0,90}?\b(?:condition of anonymity|not (?:want|wish|be|to be|authori[sz]ed) (?:to )?(?:be )?"
    r"(?:named|identified|quoted|speak))"
)
"""After the source, in its sentence: why it has no name."""
_STUDIES = frozenset({"study", "report", "survey", "poll", "review", "index", "barometer", "census"})
_OUTLETS = frozenset(
    {
        "agency", "broadcaster", "channel", "daily", "magazine", "network", "newspaper", "paper", "portal", "site",
        "station", "tabloid", "website", "weekly",
    }
)  # fmt: skip
_OFFICERS = frozenset({"official", "officer", "representative", "spokesman", "spokesperson", "executive"})
"""Who, several and unnamed, speak for the body they are of."""
_OWNERS = frozenset({"his", "her", "its", "their", "my", "our"})
_LED = frozenset({"DET", "PUNCT", "SPACE", "ADV", "PRON"})
_AGENT = re.compile(r"(?:er|or|ist|ian|man|woman|ant|ee|year-old)$")
"""Endings of nouns for people by what they do."""
_FULL = {"chair": "chair(?:man|woman|person)?", "captain": "captain", "skipper": "captain"}
_AND = re.compile(r",? and (?:the )?(?:[A-Z][\w’'.-]* )*")
_CLAUSE = re.compile(r",? (?:who|whose|whom|which|that|where|when|after|before|as)\b|[–—]")
_AGED = re.compile(r"\b(\d{1,3})-year-old\b")
_INDEFINITE = frozenset({"a", "an", "one", "another", "some", "any"})


@dataclass(frozen=True)
class Speaker:
    """Who says it: the mention, its bearer where known, and how that was found."""

    start: int
    end: int
    method: str
    confidence: float
    member: Member | None = None
    name: str | None = None
    role: str | None = None
    group: bool = False
    anonymous: bool = False
    evidence: tuple[int, int] | None = None


@dataclass
class Memory:
    """What was said before: the speakers of the quotations so far."""

    by_quote: dict[str, list[Speaker]] = field(default_factory=dict)
    last: list[Speaker] = field(default_factory=list)
    last_at: int = -1
    history: list[tuple[list[Speaker], int]] = field(default_factory=list)
    body: Speaker | None = None
    turn: list[int] = field(default_factory=list)
    """Paragraphs that were found to answer the one before them."""


def resolve(document: Document, parse: Doc, settings: AttributionSettings) -> list[Attribution]:
    """The attributions of ``document``: a row a quotation and speaker; none where nothing tells who speaks."""
    if not document.quotes:
        return []
    desk = Desk(document, Cast.of(document, parse), settings)
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


class Desk:
    """Resolves the quotations of one story in order."""

    def __init__(self, document: Document, cast: Cast, settings: AttributionSettings) -> None:
        self.document = document
        self.text = document.text
        self.cast = cast
        self.settings = settings
        self.memory = Memory()
        self.spans = sorted((p.start, p.end, q.id) for q in document.quotes for p in q.parts)

    def speakers(self, quote: Quote) -> list[Speaker]:
        """Speakers of ``quote``; empty where the story does not say."""
        if quote.source is not None:
            start, end = quote.source.start, quote.source.end
            return self._source(quote, start, end)
        if quote.cue is None and self.settings.continuation:
            return self._unattributed(quote)
        return []

    def remember(self, quote: Quote, speakers: list[Speaker]) -> None:
        """Note who spoke, for the quotations that follow."""
        self.memory.by_quote[quote.id] = speakers
        if not speakers:
            return
        if quote.kind in ("speech", "writing", None):
            self.memory.last, self.memory.last_at = speakers, quote.end
            self.memory.history.append((speakers, quote.end))
        for speaker in speakers:
            if speaker.member is not None and speaker.member.body and quote.kind in ("speech", "writing"):
                self.memory.body = speaker

    def _source(self, quote: Quote, start: int, end: int) -> list[Speaker]:
        words = re.findall(r"[\w’']+", self.text[start:end].lower())
        first = words[0] if words else ""
        shouted = self.text[start:end].isupper() and end - start > 1
        if words in (["the", "two"], ["the", "pair"], ["the", "duo"], ["the", "couple"]):
            return self._they(quote, start, end)
        if len(words) == 1 and not shouted and first in _HE | _SHE | _IT | _THEY | _RELATIVE | _FIRST:
            return self._pronoun(quote, start, end, first)
        if quote.cue is not None and quote.cue.text.strip() in (":", "Q.", "A.") and end - start <= 12:
            label = self._label(start, end)
            if label is not None:
                return [label]
        titled = self._by_letters(start, end)
        if titled is not None:
            return [titled]
        named = self._named(start, end)
        if named:
            return named
        return [self._nominal(quote, start, end, words)]

    def _by_letters(self, start: int, end: int) -> Speaker | None:
        """``the SP``, ``the CM``: the last person who bears the office that the letters stand for."""
        letters = self.text[start:end].removeprefix("the ").removeprefix("The ")
        full = offices().get(letters)
        if full is None:
            return None
        for place in self.cast.before(start, 300):
            role = " ".join([place.mention.role or "", *place.member.entity.roles])
            if place.member.person and re.search(rf"\b(?:{re.escape(full)}|{letters})\b", role, re.I):
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
        heads = [head]
        for token in parse[head].conjuncts:
            if start <= token.idx < end and token.i > head:
                heads.append(token.i)
        found: list[Speaker] = []
        for one in heads:
            place = self._outlet(one, start, end) or self._at(one, start, end)
            if place is None:
                place = self._apposed(one, start, end)
            if place is not None and not any(s.member is place.member for s in found):
                method = {"name": "name", "nominal": "nominal", "pronoun": "pronoun"}[place.mention.kind]
                found.append(self._speaker(start, end, place, method, 0.95 if method == "name" else 0.8))
        found = self._joined(found, start, end)
        if found:
            return found
        known = self._surname(start, end)
        if known is not None:
            return [self._speaker(start, end, known, "name", 0.8)]
        if parse[head].pos_ == "PROPN" and not parse[head].text.islower():
            bare = self._bare(head, start, end)
            if bare.lower() in nouns()["person"] or (parse[head].tag_ == "NNPS" and " " not in bare):
                return []  # the Speaker; Villagers
            for place in self.cast.within(start, end):
                if place.member.person and place.mention.kind == "name" and bare.endswith(place.mention.text):
                    return [self._speaker(start, end, place, "name", 0.9)]  # Proctor Atul Rao, Briton Lionel Heath
            return [Speaker(start, end, "name", 0.5, name=bare)]
        return []

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
        parse = self.cast.parse
        if parse[token].lemma_.lower() not in _OUTLETS:
            return None
        for child in parse[token].children:
            if child.dep_ in ("compound", "nmod") and child.pos_ == "PROPN" and child.i < token:
                place = self._at(child.i, start, end)
                if place is not None and place.mention.kind == "name" and place.member.entity.label == "ORG":
                    return place
        return None

    def _spoken_for(self, token: int, start: int, end: int) -> Place | None:
        """The body before a word for those who speak for it: ``FBI officials``."""
        for child in self.cast.parse[token].children:
            if child.dep_ in ("compound", "nmod", "poss") and child.i < token:
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
                titled = head < token.i and cast.parse[head].pos_ == "PROPN"
                if token.dep_ in ("appos", "nsubj", "ROOT") or (titled and token.dep_ not in ("pobj", "poss")):
                    return token.i
                if titled and token.i + 1 < len(cast.parse) and cast.parse[token.i + 1].idx >= end:
                    return token.i
        return head

    def _names_office(self, token: int) -> bool:
        """Whether a capitalised noun is that of an office."""
        return self.cast.parse[token].lower_ in nouns()["person"]

    def _surname(self, start: int, end: int) -> Place | None:
        """A member whose last name the source is, where the entities did not mark it here."""
        words = [w for w in re.findall(r"[^\W\d_][\w’'-]*", self.text[start:end]) if w[0].isupper()]
        if not words or len(words) > 3:
            return None
        last = words[-1].removesuffix("'s").removesuffix("’s")
        for member in self.cast.members:
            if member.person and member.entity.name.split()[-1:] == [last]:
                return next((p for p in self.cast.places if p.member is member), None)
        return None

    def _at(self, token: int, start: int, end: int) -> Place | None:
        """The mention inside the source that holds the token; the shortest, persons before others."""
        at = self.cast.parse[token].idx
        places = [p for p in self.cast.within(at, at + 1) if p.start >= start - 1 and p.end <= end + 1]
        return min(places, key=lambda p: (not p.member.person, p.end - p.start), default=None)

    def _bare(self, head: int, start: int, end: int) -> str:
        """The run of proper nouns around a head that no entity covers."""
        parse = self.cast.parse
        low = high = head
        while low > 0 and parse[low - 1].pos_ == "PROPN" and parse[low - 1].idx >= start:
            low -= 1
        while high + 1 < len(parse) and parse[high + 1].pos_ == "PROPN" and parse[high + 1].idx < end:
            high += 1
        return self.text[parse[low].idx : parse[high].idx + len(parse[high])]

    def _speaker(self, start: int, end: int, place: Place, method: str, confidence: float) -> Speaker:
        entity = place.member.entity
        role = place.mention.role or (entity.roles[0] if entity.roles else None)
        evidence = None if start <= place.start and place.end <= end else (place.start, place.end)
        return Speaker(start, end, method, confidence, place.member, role=role, evidence=evidence)

    def _pronoun(self, quote: Quote, start: int, end: int, word: str) -> list[Speaker]:
        if not self.settings.pronouns:
            return [Speaker(start, end, "pronoun", 0.2)]
        if word in _HE | _SHE and (going := self._goes_on(quote, start, "m" if word in _HE else "f")) is not None:
            return [replace(going, start=start, end=end, method="pronoun", evidence=(going.start, going.end))]
        own = next((p for p in self.cast.within(start, end) if p.mention.kind == "pronoun"), None)
        if own is not None and not (word in _HE | _SHE and self._told_of(quote, own.member)):
            return [self._speaker(start, end, own, "pronoun", 0.85)]
        if word in _RELATIVE:
            place = next(iter(self.cast.before(start, 6)), None)
            if place is not None and start - place.end <= 40 and "." not in self.text[place.end : start]:
                return [self._speaker(start, end, place, "relative", 0.8)]
            return [Speaker(start, end, "relative", 0.2)]
        if word in _FIRST:
            return [Speaker(start, end, "first person", 0.2, group=word in ("we", "us", "our"))]
        if word in _THEY:
            return self._they(quote, start, end)
        if word in _IT:
            return [self._it(quote, start, end)]
        sex = "m" if word in _HE else "f"
        place, score = self._bearer(quote, start, sex)
        if place is None:
            return [Speaker(start, end, "pronoun", 0.2)]
        return [self._speaker(start, end, place, "pronoun", score)]

    def _goes_on(self, quote: Quote, at: int, sex: str | None) -> Speaker | None:
        """The last speaker, where nobody else of the gender was named since: ``he added`` is who spoke just before."""
        last = self.memory.last
        if len(last) != 1 or last[0].member is None or not last[0].member.person or last[0].group:
            return None
        member = last[0].member
        family = " " not in member.entity.name and self.text[last[0].start : last[0].end].lower().startswith("the ")
        if family:  # the Sams
            return None
        if (sex and (member.gender or sex) != sex) or self.cast.paragraph(at) - self.cast.paragraph(
            self.memory.last_at
        ) > 1:
            return None
        since = max(last[0].end, last[0].start)
        others = [
            p
            for p in self.cast.before(at)
            if p.start >= since and p.member.person and p.member is not member and p.mention.kind != "pronoun"
        ]
        if any((not sex or (p.member.gender or sex) == sex) and self._holder(p.start) is None for p in others):
            return None
        return None if self._told_of(quote, member) else replace(last[0], confidence=0.85)

    def _bearer(self, quote: Quote, at: int, sex: str | None) -> tuple[Place | None, float]:
        """The person a ``he`` or ``she`` stands for: recent, a subject, the last speaker, of the right gender."""
        cast = self.cast
        here, paragraph = cast.sentence(at), cast.paragraph(at)
        speaking = [s.member for s in self.memory.last if s.member is not None]
        scores: dict[int, tuple[float, Place]] = {}
        for place in cast.before(at):
            member = place.member
            away = paragraph - cast.paragraph(place.start)
            if away > self.settings.reach and member not in speaking:
                continue
            if not member.person or place.mention.kind == "pronoun" or (sex and (member.gender or sex) != sex):
                continue
            if self._told_of(quote, member):
                continue
            token = cast.parse[cast.head(place.start, place.end)]
            score = -0.5 * min(here - cast.sentence(place.start), 12) - 0.4 * away
            score += 2.0 * (token.dep_ in ("nsubj", "nsubjpass")) + 0.4 * (token.dep_ == "appos")
            score -= 0.8 * (token.dep_ == "poss")
            score += 2.5 * (member in speaking) * (cast.paragraph(self.memory.last_at) >= paragraph - 2)
            score += 0.4 * (sex is not None and member.gender == sex) + 0.15 * min(member.count, 6)
            held = self._holder(place.start)
            score -= 2.0 * (held is not None) + 1.5 * (held == quote.id)
            if id(member) not in scores or scores[id(member)][0] < score:
                scores[id(member)] = (score, place)
        ranked = sorted(scores.values(), key=lambda s: (-s[0], -s[1].start))
        if not ranked:
            return None, 0.0
        lead = ranked[0][0] - ranked[1][0] if len(ranked) > 1 else 2.0
        return ranked[0][1], min(0.9, 0.55 + 0.12 * max(lead, 0.0))

    def _told_of(self, quote: Quote, member: Member) -> bool:
        """Whether the words themselves name the person, as nobody does who is then called ``he``."""
        return member.person and any(
            part.start <= place.start and place.end <= part.end and place.mention.kind == "name"
            for part in quote.parts
            for place in self.cast.within(part.start, part.end)
            if place.member is member
        )

    def _holder(self, offset: int) -> str | None:
        """Id of the quotation whose content holds ``offset``."""
        at = bisect_right(self.spans, offset, key=lambda s: s[0])
        return next((q for _, end, q in reversed(self.spans[max(0, at - 4) : at]) if offset < end), None)

    def _it(self, quote: Quote, start: int, end: int) -> Speaker:
        """``it said``: the body that spoke last, else the body last named as a subject."""
        cast, body = self.cast, self.memory.body
        paragraph = cast.paragraph(start)
        if body is not None and paragraph - cast.paragraph(body.start) <= 6:
            return replace(
                body, start=start, end=end, method="pronoun", confidence=0.8, evidence=(body.start, body.end)
            )
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
            return [
                replace(s, start=start, end=end, method="pronoun", confidence=0.5, evidence=(s.start, s.end))
                for s in last
            ]
        if last and last[0].member is not None and last[0].member.body:
            spoken = last[0]
            return [
                replace(
                    spoken, start=start, end=end, method="pronoun", confidence=0.45, evidence=(spoken.start, spoken.end)
                )
            ]
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

    def _name_at(self, token: int) -> Place | None:
        """The name that holds the token."""
        at = self.cast.parse[token].idx
        return next((p for p in self.cast.within(at, at + 1) if p.mention.kind == "name"), None)

    def _nominal(self, quote: Quote, start: int, end: int, words: list[str]) -> Speaker:
        """A common noun: anonymous, a group, a document of the body that spoke, an office, or nobody we know."""
        source = self.text[start:end]
        head = self.cast.parse[self.cast.head(start, end)]
        plural = head.tag_ in ("NNS", "NNPS") or words[:1] == ["both"]
        if _ANONYMOUS.search(source) or _CONDITION.match(self.text, end):
            return Speaker(start, end, "anonymous", 0.9, anonymous=True, group=plural)
        lemma = head.lemma_.lower()
        if plural:
            body = self._spoken_for(head.i, start, end) if lemma in _OFFICERS else None
            if body is not None:
                return replace(self._speaker(start, end, body, "group", 0.6), group=True, role=None)
            return Speaker(start, end, "group", 0.9, group=True)
        if words[:1] and words[0] in _INDEFINITE:
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
        aged = _AGED.search(self.text, start, end)
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
        titled = self._titled(start)
        if titled is not None:
            return self._speaker(start, end, titled, "document", 0.6)
        spoken = self.memory.body or (self.memory.last[0] if self.memory.last else None)
        if spoken is None and not study:
            issuer = self._issuer(start)
            if issuer is not None:
                return self._speaker(start, end, issuer, "document", 0.5)
        if spoken is None or study:
            return Speaker(start, end, "document", 0.3)
        return replace(
            spoken, start=start, end=end, method="document", confidence=0.6, evidence=(spoken.start, spoken.end)
        )

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
        owned = words[0] in _OWNERS or any(t.dep_ == "poss" for t in head.lefts)
        if owned or any(t.lower_ in ("of", "for", "at") for t in head.rights):
            ahead = self._ahead(end, lemma) if owned else None
            return self._speaker(start, end, ahead, "nominal", 0.5) if ahead is not None else None
        if lemma in nouns()["body"]:
            return None if kinds else self._body_meant(start, end, lemma)
        if words[0] not in ("the", "this", "that") or head.pos_ == "PROPN":
            return None
        if lemma not in nouns()["person"] and not (_AGENT.search(lemma) and lemma not in nouns()["place"]):
            return None
        going = self._goes_on(quote, start, None)
        if going is not None:
            return replace(
                going, start=start, end=end, method="nominal", confidence=0.45, evidence=(going.start, going.end)
            )
        place, _ = self._bearer(quote, start, None)
        return self._speaker(start, end, place, "nominal", 0.4) if place is not None else None

    def _called(self, start: int, noun: str, kinds: list[str]) -> Place | None:
        """The last member whose role, or whose name, has the noun in it, and the nouns that say of what kind."""
        pattern = re.compile(rf"\b{_FULL.get(noun, re.escape(noun))}\b")
        for place in self.cast.before(start, 300):
            member, mention = place.member, place.mention
            if mention.kind == "pronoun":
                continue
            name = member.entity.name.lower()
            if member.person:
                role = " ".join([mention.role or "", *member.entity.roles]).lower()
                fits = pattern.search(role) is not None
            else:
                fits = member.body and (pattern.search(name) is not None or self._seat(member, noun))
                fits = fits and all(kind in name for kind in kinds)
            if fits:
                return place
        return None

    def _ahead(self, end: int, noun: str) -> Place | None:
        """The person first named soon after whose role has the noun: ``its governor said. ... Governor Ana Diaz``."""
        low = bisect_right([p.start for p in self.cast.places], end)
        for place in self.cast.places[low : low + 40]:
            role = (place.mention.role or "").lower()
            if place.start - end < 900 and re.search(rf"\b{re.escape(noun)}\b", role):
                return place
        return None

    def _body_meant(self, start: int, end: int, noun: str) -> Speaker | None:
        """``the company``: the body that spoke last or was last the subject, where its own name says nothing else."""

        def other(member: Member) -> bool:
            words = set(member.entity.name.lower().split())
            public = bool(words & nouns()["public"])
            said = words & nouns()["body"]
            return (
                member.entity.label != "ORG"
                or bool(member.entity.agency)
                or (public if noun in nouns()["commercial"] else bool(said - {noun}))
            )

        spoken = self.memory.body
        if spoken is not None and spoken.member is not None and not other(spoken.member):
            return replace(
                spoken, start=start, end=end, method="nominal", confidence=0.5, evidence=(spoken.start, spoken.end)
            )
        best: tuple[float, Place] | None = None
        for place in self.cast.before(start):
            if place.mention.kind == "pronoun" or other(place.member):
                continue
            token = self.cast.parse[self.cast.head(place.start, place.end)]
            score = -0.5 * (self.cast.paragraph(start) - self.cast.paragraph(place.start))
            score += 1.0 * (token.dep_ in ("nsubj", "nsubjpass")) + 0.3 * min(place.member.count, 5)
            score -= 1.0 * (self._holder(place.start) is not None)
            if best is None or score > best[0]:
                best = score, place
        return self._speaker(start, end, best[1], "nominal", 0.4) if best is not None else None

    @staticmethod
    def _seat(member: Member, noun: str) -> bool:
        """Whether ``the city``, ``the country`` may be said of a place; a country is never a city, nor the reverse."""
        if member.entity.label != "GPE" or noun not in nouns()["place"]:
            return False
        country = (member.entity.link or {}).get("kind") == "country"
        return country == (noun in ("country", "nation", "kingdom", "republic"))

    def _answers(self, quote: Quote) -> bool:
        """Whether a bare paragraph goes on a dialogue of two: the speakers of the two paragraphs before differ."""
        if len(self.memory.history) < 2 or self.text[quote.start - 1 : quote.start].strip():
            return False
        (last, last_at), (other, other_at) = self.memory.history[-1], self.memory.history[-2]
        here = self.cast.paragraph(quote.start)
        apart = (here - self.cast.paragraph(last_at), here - self.cast.paragraph(other_at))
        asked = "?" in self.text[other_at - 2 : other_at] + self.text[last_at - 2 : last_at]
        alternating = bool(self.memory.turn) and self.memory.turn[-1] == here - 1
        if apart != (1, 2) or not (asked or alternating or "?" in self.text[quote.end - 2 : quote.end]):
            return False
        self.memory.turn.append(here)
        return {id(s.member) for s in last} != {id(s.member) for s in other}

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


@cache
def offices() -> dict[str, str]:
    """Letters by which desks call an office, with what they stand for."""
    lines = Path(__file__).with_name("offices.tsv").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return {row[0]: row[1] for row in rows}


@cache
def nouns() -> dict[str, frozenset[str]]:
    """Nouns of persons, bodies and documents that speak, by class."""
    found: dict[str, frozenset[str]] = {}
    for line in Path(__file__).with_name("speakers.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, _, words = line.partition("\t")
            found[kind] = frozenset(words.split())
    return found
