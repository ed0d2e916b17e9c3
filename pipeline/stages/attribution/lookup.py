"""What one reads by: the story, its cast, what was said so far, and what any source may be looked up in."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.stages.attribution.cast import Cast, Member, Place, told_gender

if TYPE_CHECKING:
    from models.document import Document, Quote
    from pipeline.stages.attribution import AttributionSettings

_AGENT = re.compile(r"(?<!mak)(?<!build)(?:er|or|ist|ian|man|woman|(?<!gi)ant|ee|year-old)$")
"""Endings of nouns for people by what they do."""
_FULL = {
    "chair": "chair(?:man|woman|person)?",
    "skipper": "captain",
    "governor": "gov(?:ernor)?",
    "senator": "sen(?:ator)?",
    "representative": "rep(?:resentative)?",
    "professor": "prof(?:essor)?",
    "general": "gen(?:eral)?",
    "judge": "(?:judge|justice)",
}
"""What a role has for a noun that stands for it."""
_ASKED = re.compile(
    r"(?:when |on being |being )?asked\b|(?:replying|reply|responding) to\b|to a (?:question|query)\b|"
    r"in (?:reply|response) to\b",
    re.I,
)
"""How a sentence begins in which the one who is asked goes on speaking, whoever else is named there."""
AGED = re.compile(r"\b(\d{1,3})-year-old\b")
INDEFINITE = frozenset({"a", "an", "one", "another", "some", "any"})


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


class Lookup:
    """The story, its cast and the memory of who spoke, with what every kind of source needs of them."""

    def __init__(self, document: Document, cast: Cast, settings: AttributionSettings) -> None:
        self.document = document
        self.text = document.text
        self.cast = cast
        self.settings = settings
        self.memory = Memory()
        self.spans = sorted((p.start, p.end, q.id) for q in document.quotes for p in q.parts)

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

    def _speaker(self, start: int, end: int, place: Place, method: str, confidence: float) -> Speaker:
        entity = place.member.entity
        role = place.mention.role or (entity.roles[0] if entity.roles else None)
        evidence = None if start <= place.start and place.end <= end else (place.start, place.end)
        return Speaker(start, end, method, confidence, place.member, role=role, evidence=evidence)

    def _again(self, speaker: Speaker, start: int, end: int, method: str, confidence: float) -> Speaker:
        """Who spoke before, for another source; the evidence is where that was told."""
        told = (speaker.start, speaker.end)
        return replace(speaker, start=start, end=end, method=method, confidence=confidence, evidence=told)

    def _at(self, token: int, start: int, end: int) -> Place | None:
        """The mention inside the source that holds the token; the shortest, persons before others."""
        at = self.cast.parse[token].idx
        places = [p for p in self.cast.within(at, at + 1) if p.start >= start - 1 and p.end <= end + 1]
        return min(places, key=lambda p: (not p.member.person, p.end - p.start), default=None)

    def _name_at(self, token: int) -> Place | None:
        """The name that holds the token."""
        at = self.cast.parse[token].idx
        return next((p for p in self.cast.within(at, at + 1) if p.mention.kind == "name"), None)

    def _holder(self, offset: int) -> str | None:
        """Id of the quotation whose content holds ``offset``."""
        at = bisect_right(self.spans, offset, key=lambda s: s[0])
        return next((q for _, end, q in reversed(self.spans[max(0, at - 4) : at]) if offset < end), None)

    def _told_of(self, quote: Quote, member: Member) -> bool:
        """Whether the words themselves name the person, as nobody does who is then called ``he``."""
        return member.person and any(
            part.start <= place.start and place.end <= part.end and place.mention.kind == "name"
            for part in quote.parts
            for place in self.cast.within(part.start, part.end)
            if place.member is member
        )

    def _goes_on(self, quote: Quote, at: int, sex: str | None) -> Speaker | None:
        """The last speaker, where nobody else of the gender was named since: ``he added`` is who spoke just before."""
        last = self.memory.last
        if len(last) != 1 or last[0].member is None or not last[0].member.person or last[0].group:
            return None
        member = last[0].member
        family = " " not in member.entity.name and self.text[last[0].start : last[0].end].lower().startswith("the ")
        if family:  # the Millers
            return None
        if (sex and (member.gender or sex) != sex) or self.cast.paragraph(at) - self.cast.paragraph(
            self.memory.last_at
        ) > 1:
            return None
        since = last[0].end
        others = [
            p
            for p in self.cast.before(at)
            if p.start >= since and p.member.person and p.member is not member and p.mention.kind != "pronoun"
        ]
        begins = self.cast.sentences[self.cast.sentence(at) - 1] if self.cast.sentence(at) else 0
        asked = _ASKED.match(self.text, begins) is not None
        others = [p for p in others if not (asked and p.start >= begins)]
        if any((not sex or (p.member.gender or sex) == sex) and self._holder(p.start) is None for p in others):
            return None
        return None if self._told_of(quote, member) else last[0]

    def _unnamed(self, at: int, sex: str | None = None) -> bool:
        """Whether one person without a name spoke last, a paragraph back at most, and nobody was named since."""
        last = self.memory.last
        if len(last) != 1 or last[0].member is not None or last[0].name or last[0].group:
            return False
        head = self.cast.parse[self.cast.head(last[0].start, last[0].end)]
        aged = AGED.search(self.text, last[0].start, last[0].end) is not None
        if not (last[0].anonymous or aged or single(head.lemma_.lower())):
            return False
        near = self.cast.paragraph(at) - self.cast.paragraph(self.memory.last_at) <= 1
        if sex and told_gender(self.text[last[0].start : last[0].end]) not in (None, sex):
            return False
        return near and not any(
            p.start >= last[0].end and p.member.person and p.mention.kind == "name" and self._holder(p.start) is None
            for p in self.cast.before(at)
        )

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

    def _called(self, start: int, noun: str, kinds: list[str]) -> Place | None:
        """The last member whose role, or whose name, has the noun in it, and the nouns that say of what kind."""
        called = re.compile(rf"\b{_FULL.get(noun, re.escape(noun))}\b")
        for place in self.cast.before(start, 300):
            member, mention = place.member, place.mention
            if mention.kind == "pronoun":
                continue
            name = member.entity.name.lower()
            if member.person:
                # Gov. and Prof. are forms of address, which stand before the name and are no role.
                before = self.text[max(place.start - 12, 0) : place.start] if noun in _FULL else ""
                role = " ".join([mention.role or "", *member.entity.roles, before]).lower()
                fits = noun not in nouns()["thing"] and called.search(role) is not None  # a bank's governor is no bank
            else:
                fits = member.body and (called.search(name) is not None or self._seat(member, noun))
                fits = fits and all(kind in name for kind in kinds)
            if fits:
                return place
        return None

    @staticmethod
    def _seat(member: Member, noun: str) -> bool:
        """Whether ``the city``, ``the country`` may be said of a place; a country is never a city, nor the reverse."""
        if member.entity.label != "GPE" or noun not in nouns()["place"]:
            return False
        country = (member.entity.link or {}).get("kind") == "country"
        return country == (noun in ("country", "nation", "kingdom", "republic"))

    def _begins_paragraph(self, offset: int) -> bool:
        return offset == 0 or self.text[max(offset - 2, 0) : offset].endswith("\n")


@cache
def offices() -> dict[str, str]:
    """Letters by which desks call an office, with what they stand for."""
    lines = Path(__file__).with_name("offices.tsv").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return {row[0]: row[1] for row in rows}


@cache
def nouns() -> dict[str, frozenset[str]]:
    """Nouns of persons, bodies and documents that speak, by class; ``thing`` are those of no person."""
    found: dict[str, frozenset[str]] = {}
    for line in Path(__file__).with_name("speakers.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, _, words = line.partition("\t")
            found[kind] = frozenset(words.split())
    found["thing"] = found["body"] | found["place"] | found["document"] | found["study"]
    return found


def sort_of(member: Member, noun: str) -> bool:
    """Whether an organisation may be called by the noun: no court is a company, no company an agency."""
    known = nouns()
    words = set(member.entity.name.lower().split())
    if member.entity.label != "ORG" or member.entity.agency:
        return False
    if member.entity.name.isupper() and " " not in member.entity.name:
        return True  # NASA, IBM: letters tell no sort
    if noun in known["agency"] | known["commercial"]:
        return bool(words & known["public"]) == (noun in known["agency"])
    return not (words & known["body"]) - {noun}


def single(noun: str) -> bool:
    """Whether a noun is one for a person: listed, or by its ending for what people do."""
    known = nouns()
    if noun in known["person"]:
        return True
    return noun not in known["thing"] and _AGENT.search(noun) is not None
