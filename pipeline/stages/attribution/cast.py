"""The cast of a story: who may speak in it, where each is spoken of, and what gender the story gives them."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.tokens import Doc

    from models.document import Document, Entity, Mention

BODIES = frozenset({"ORG", "GPE", "NORP", "FAC", "LOC"})
_MASCULINE = re.compile(
    r"\b(?:Mr|Sir|King|Prince|Lord|Brother|Father|Fr|Imam|Sheikh|Sheik|Pope|Rabbi|"
    r"\w*(?:spokesman|chairman|congressman|businessman|assemblyman|councilman)|father|husband|son|actor|brother)\b",
    re.I,
)
_FEMININE = re.compile(
    r"\b(?:Mrs|Ms|Miss|Madam|Madame|Queen|Princess|Lady|Dame|Sister|Baroness|Duchess|"
    r"\w*(?:spokeswoman|chairwoman|congresswoman|businesswoman|assemblywoman|councilwoman)|"
    r"mother|wife|daughter|actress|sister|first lady)\b",
    re.I,
)


@dataclass
class Member:
    """An entity as a possible speaker."""

    entity: Entity
    gender: str | None = None
    count: int = 0

    @property
    def person(self) -> bool:
        """Whether the entity is a person."""
        return self.entity.label == "PERSON"

    @property
    def body(self) -> bool:
        """Whether it is an organisation, a government or another body that speaks as ``it``."""
        return self.entity.label in BODIES


@dataclass(frozen=True)
class Place:
    """A mention with its bearer."""

    start: int
    end: int
    member: Member
    mention: Mention


@dataclass
class Cast:
    """All members with their mentions in order of offset, and the layout of the story."""

    members: list[Member]
    places: list[Place]
    sentences: list[int]
    paragraphs: list[int]
    tokens: list[int]
    parse: Doc
    _starts: list[int] = field(default_factory=list)
    _first: dict[int, Place] = field(default_factory=dict)
    _surnames: dict[str, list[Member]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for place in self.places:
            self._first.setdefault(id(place.member), place)
        for member in self.members:
            words = member.entity.name.split()
            if member.person and words and id(member) in self._first:
                self._surnames.setdefault(words[-1], []).append(member)

    def first(self, member: Member) -> Place | None:
        """Where a member is first spoken of; None for one without a mention."""
        return self._first.get(id(member))

    def surnamed(self, last: str) -> list[Member]:
        """Persons whose name ends in the word, in the order of the entities."""
        return self._surnames.get(last, [])

    @classmethod
    def of(cls, document: Document, parse: Doc) -> Cast:
        """Read the cast off a story's entities."""
        members = [Member(e) for e in document.entities]
        places = sorted(
            (Place(m.start, m.end, member, m) for member in members for m in member.entity.mentions),
            key=lambda p: (p.start, -p.end),
        )
        for member in members:
            member.count = sum(m.kind == "name" for m in member.entity.mentions)
            if member.person:
                member.gender = gender(document.text, member.entity)
        tokens = [t.idx for t in parse]
        sentences = [t.idx for t in parse if t.is_sent_start]
        paragraphs = [start for start, _ in document.paragraphs()]
        return cls(members, places, sentences, paragraphs, tokens, parse, [p.start for p in places])

    def within(self, start: int, end: int) -> list[Place]:
        """Mentions that overlap ``[start, end)``."""
        high = bisect_left(self._starts, end)
        low = bisect_left(self._starts, start - 200)
        return [p for p in self.places[low:high] if p.end > start]

    def before(self, offset: int, limit: int = 80) -> list[Place]:
        """Mentions that end before ``offset``, nearest first."""
        high = bisect_left(self._starts, offset)
        return [p for p in reversed(self.places[max(0, high - limit) : high]) if p.end <= offset]

    def after(self, offset: int, limit: int = 40) -> list[Place]:
        """Mentions that start after ``offset``, nearest first."""
        low = bisect_right(self._starts, offset)
        return self.places[low : low + limit]

    def sentence(self, offset: int) -> int:
        """Number of the sentence of ``offset``."""
        return bisect_right(self.sentences, offset)

    def paragraph(self, offset: int) -> int:
        """Number of the paragraph of ``offset``."""
        return bisect_right(self.paragraphs, offset)

    def token(self, offset: int) -> int:
        """Index of the token at ``offset``."""
        return max(bisect_right(self.tokens, offset) - 1, 0)

    def head(self, start: int, end: int) -> int:
        """Index of the token of ``[start, end)`` whose head lies outside it: the first such, names preferred."""
        low, high = self.token(start), max(bisect_left(self.tokens, end), self.token(start) + 1)
        roots = []
        for i in range(low, min(high, len(self.parse))):
            h = self.parse[i].head.i
            if (h < low or h >= high or h == i) and not self.parse[i].is_punct:
                roots.append(i)
        for i in roots:
            if self.parse[i].pos_ in ("PROPN", "PRON", "NOUN"):
                return i
        return roots[0] if roots else low


def gender(text: str, entity: Entity) -> str | None:
    """``m`` or ``f`` by titles before the name, roles, and given names; None where they do not tell."""
    votes: Counter[str] = Counter()
    for mention in entity.mentions:
        if mention.kind == "pronoun":
            word = mention.text.lower()
            votes["m"] += 2 * (word in ("he", "his", "him", "himself"))
            votes["f"] += 2 * (word in ("she", "her", "hers", "herself"))
            continue
        near = text[max(0, mention.start - 12) : mention.start] + (mention.role or "")
        near = near + " " + mention.text if mention.kind == "nominal" else near
        votes["m"] += 3 * bool(_MASCULINE.search(near))
        votes["f"] += 3 * bool(_FEMININE.search(near))
    given = given_names()
    words = re.findall(r"[^\W\d_]+", entity.name.lower())
    for word in words[:-1] or words:
        if word in given:
            votes[given[word]] += 4
            break
    if votes["m"] == votes["f"]:
        return None
    return "m" if votes["m"] > votes["f"] else "f"


def told_gender(phrase: str) -> str | None:
    """``m`` or ``f`` where a noun of the phrase tells: ``his sister``, ``a spokeswoman``."""
    male, female = _MASCULINE.search(phrase) is not None, _FEMININE.search(phrase) is not None
    return None if male == female else "m" if male else "f"


@cache
def given_names() -> dict[str, str]:
    """Given names with the gender that mostly bears them."""
    found: dict[str, str] = {}
    sex = ""
    for line in Path(__file__).with_name("given_names.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            sex = line[1]
        elif not line.startswith("#"):
            found.update(dict.fromkeys(line.split(), sex))
    return found
