"""The shared document: one JSON object a story, annotated stand-off.

``text`` is fixed by the reader and never changes. Every annotation is a half-open range ``[start, end)``
of code points (Python string indices) into it, and the ``text`` an annotation carries equals
``document.text[start:end]``. Each stage writes its own section and no other. Fields this version does not
know survive a round trip, and fields that were never set are not written, so that reading a document and
writing it again gives the same bytes.

:func:`check` states the invariants once; readers, stages' tests and ``copydesk check`` all use it.

>>> document = Document.from_json('''{"id": "a", "schema": 1, "text": "It rains, Anna Berg said on Friday.",
...     "entities": [{"id": "e1", "label": "PERSON", "name": "Anna Berg",
...                   "mentions": [{"start": 10, "end": 19, "text": "Anna Berg", "kind": "name"}]}]}''')
>>> [(entity.name, [mention.start for mention in entity.mentions]) for entity in document.entities]
[('Anna Berg', [10])]
>>> document.text[10:19]
'Anna Berg'
>>> document.to_dict()["entities"][0]["label"]
'PERSON'
>>> check(document)
[]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

SCHEMA = 1
"""Version of the document's shape. A change that old readers would misread raises it."""


class Record(BaseModel):
    """Base of every part of a document: unknown fields are kept."""

    model_config = ConfigDict(extra="allow", populate_by_name=True, protected_namespaces=())


class Span(Record):
    """A range of the story's text, in code points, end exclusive."""

    start: int = Field(ge=0)
    end: int = Field(ge=0)


class TextSpan(Span):
    """A range together with the text it covers."""

    text: str

    @classmethod
    def of(cls, text: str, start: int, end: int, **fields: Any) -> Self:
        """The span ``[start, end)`` of ``text``, its ``text`` filled in.

        >>> Cue.of("It rains, she said.", 14, 18, lemma="say")
        Cue(start=14, end=18, text='said', lemma='say')
        """
        return cls(start=start, end=end, text=text[start:end], **fields)


class Source(Record):
    """Where a story came from and how its bytes were read."""

    path: str = Field(description="Path relative to the input it was found under.")
    format: str = Field(description="Reader that took it: wire, iptc7901, jsonl, json, csv, parquet, ninjs, ...")
    sha256: str = Field(
        description="Digest of the story's bytes as received, unpacked: its line or message where a file holds many "
        "in lines, else the whole file."
    )
    bytes: int
    encoding: str | None = Field(None, description="utf-8, utf-8-sig, utf-16-le, cp1252 ...")
    encoding_by: str | None = Field(
        None, description="What decided it: bom, declared, valid, nul-pattern, fallback, option."
    )
    line: int | None = Field(None, description="1-based line in a file of many stories.")
    item: int | None = Field(None, description="1-based place in a file of many stories that has no lines.")


ZoneKind = Literal["header", "headline", "byline", "dateline", "embargo", "credit", "note"]


class Zone(Span):
    """A stretch of the text that is not body copy: header fields, headline, byline, dateline, tail credit."""

    kind: ZoneKind


class Subject(Record):
    """A subject the provider put on the story."""

    qcode: str | None = Field(None, description="IPTC code with its scheme's alias: medtop:20000639, subj:04011000.")
    uri: str | None = None
    name: str | None = None


class Meta(Record):
    """What the story says of itself outside its body copy."""

    headline: str | None = None
    byline: str | None = None
    agency: str | None = Field(None, description="Canonical short name: PTI, Reuters, AP, AFP, Xinhua.")
    place: str | None = Field(None, description="First place of the dateline, in title case.")
    places: list[str] | None = Field(None, description="All places of a dateline that names several.")
    published: str | None = Field(None, description="ISO 8601 day or time; the document time of TIMEX3.")
    language: str | None = None
    dateline: Span | None = None
    slug: str | None = None
    embargo: str | None = None
    credit: str | None = Field(None, description="Tail line such as '(Reporting by ...; Editing by ...)'.")
    keywords: list[str] | None = None
    subjects: list[Subject] | None = Field(None, description="Subjects given by the provider, not found by a stage.")
    guid: str | None = Field(None, description="The provider's own identifier of the story.")
    url: str | None = None
    updated: str | None = Field(None, description="ISO 8601 time of this version, where it is not the first.")
    version: str | None = None
    status: str | None = Field(None, description="IPTC publishing status: usable, withheld.")
    urgency: int | None = Field(None, description="IPTC editorial urgency, 1 (flash) to 9.")
    abstract: str | None = Field(None, description="Summary sent beside the story's text.")
    copyright: str | None = None
    note: str | None = Field(None, description="Note to editors.")


MentionKind = Literal["name", "nominal", "pronoun"]


class Mention(TextSpan):
    """One place in the text where an entity is spoken of."""

    kind: MentionKind = "name"
    role: str | None = Field(None, description="Title or office worn at this place, as written.")
    confidence: float | None = Field(None, ge=0, le=1, description="Of nominals and pronouns: how sure the bearer is.")


class Entity(Record):
    """Somebody or something named in the story, with all its mentions."""

    id: str
    label: str = Field(description="PERSON, ORG, GPE, LOC, FAC, NORP, PRODUCT, EVENT, WORK_OF_ART, LAW, MONEY ...")
    name: str = Field(description="Fullest bare name in the story, without title, article or possessive.")
    mentions: list[Mention]
    roles: list[str] = Field(default_factory=list)
    aliases: list[str] = Field(default_factory=list)
    agency: bool | None = Field(None, description="True for a news agency credited with the copy.")
    link: dict[str, Any] | None = None


TimexType = Literal["DATE", "TIME", "DURATION", "SET"]


class Timex(TextSpan):
    """A temporal expression with its TIMEX3 attributes (TimeML 1.2.1)."""

    id: str
    type: TimexType
    value: str | None = Field(None, description="TIMEX3 value; null where the story gives nothing to resolve it by.")
    mod: str | None = Field(None, description="TIMEX3 mod: START, MID, END, APPROX, MORE_THAN, LESS_THAN ...")
    quant: str | None = None
    freq: str | None = None
    earliest: str | None = Field(None, description="First day covered, ISO 8601; null if it names no day.")
    latest: str | None = Field(None, description="Last day covered, ISO 8601, inclusive.")


class Cue(TextSpan):
    """The words that say a quotation is being made."""

    lemma: str | None = None


QuoteType = Literal["direct", "indirect", "mixed"]
QuoteKind = Literal["speech", "writing", "thought", "intention"]


class Quote(Span):
    """A quotation: its content in one or more parts, its cue and its source as written.

    ``start`` and ``end`` are the hull of ``parts``.
    """

    id: str
    type: QuoteType
    parts: list[Span]
    cue: Cue | None = None
    source: TextSpan | None = None
    kind: QuoteKind | None = None
    polarity: Literal["positive", "negative"] | None = None
    continues: str | None = Field(None, description="Id of the quote this one goes on from, without a cue of its own.")
    confidence: float = Field(ge=0, le=1)


class Attribution(Record):
    """Whose words a quote are. ``entity`` is null where the speaker is no entity or not resolved."""

    quote: str
    speaker: TextSpan | None = None
    entity: str | None = None
    name: str | None = None
    role: str | None = None
    method: str
    confidence: float = Field(ge=0, le=1)
    anonymous: bool | None = Field(None, description="True for sources the story will not name.")
    group: bool | None = Field(None, description="True for 'officials', 'both sides': several speakers, no entity.")
    evidence: Span | None = None


class Topic(Record):
    """An IPTC Media Topic (or a term of the user's own taxonomy) put on the story."""

    qcode: str
    uri: str
    label: str
    path: list[str]
    score: float = Field(ge=0, le=1)
    evidence: list[str] = Field(default_factory=list)


class Keyphrase(Record):
    """A phrase that stands for the story, with one place it occurs at."""

    text: str
    score: float = Field(ge=0, le=1)
    start: int | None = None
    end: int | None = None


class Abstention(Record):
    """A stage would rather say nothing of the story than guess: why, and the best it had."""

    section: str
    reason: str
    qcode: str | None = None
    label: str | None = None
    score: float | None = Field(None, ge=0, le=1)


class StageError(Record):
    """Why a stage has no section in this document."""

    code: str
    message: str


class StageRecord(Record):
    """Which version of a stage wrote its section, under which layer key, with which language model."""

    version: str
    key: str | None = None
    model: str | None = None
    vocabulary: str | None = Field(None, description="The vocabulary its codes are of, with its version.")
    stale: bool | None = Field(None, description="True where a stage it needs was re-run alone since.")
    error: StageError | None = None


class Document(Record):
    """One story and what the desks read out of it. In a notebook it shows itself, marked up.

    >>> document = Document(id="a", text="Oslo said no.")
    >>> document.entities.append(Entity(id="e1", label="GPE", name="Oslo", mentions=[Mention.of(document.text, 0, 4)]))
    >>> "Oslo</span> said no." in document._repr_html_()
    True
    """

    id: str
    schema_: int = Field(SCHEMA, alias="schema")
    source: Source | None = None
    meta: Meta = Field(default_factory=Meta)
    text: str
    body: Span | None = None
    zones: list[Zone] = Field(default_factory=list)
    entities: list[Entity] = Field(default_factory=list)
    dates: list[Timex] = Field(default_factory=list)
    quotes: list[Quote] = Field(default_factory=list)
    attributions: list[Attribution] = Field(default_factory=list)
    topics: list[Topic] = Field(default_factory=list)
    keyphrases: list[Keyphrase] = Field(default_factory=list)
    abstentions: list[Abstention] = Field(default_factory=list)
    stages: dict[str, StageRecord] = Field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain data as it is written to JSON: only fields that were set, in the model's order."""
        return self.model_dump(by_alias=True, exclude_unset=True)

    def to_json(self) -> bytes:
        """One line of UTF-8 JSON, without the line break."""
        return orjson.dumps(self.to_dict())

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Document:
        """Read plain data. Raises ``ValueError`` in one line naming the first fault, or a newer schema."""
        schema = data.get("schema", SCHEMA)
        if isinstance(schema, int) and schema > SCHEMA:
            raise ValueError(f"schema {schema} is newer than this copydesk reads ({SCHEMA}); upgrade copydesk")
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ValueError(f"{where or 'document'}: {first['msg']}") from None

    @classmethod
    def from_json(cls, line: bytes | str) -> Document:
        """Read one line of JSON. Raises ``ValueError`` as :meth:`from_dict` does."""
        data = orjson.loads(line)
        if not isinstance(data, dict):
            raise ValueError("a document is a JSON object")
        return cls.from_dict(data)

    def zone(self, offset: int) -> str:
        """Kind of the zone that holds ``offset``; ``"body"`` where none does."""
        for zone in self.zones:
            if zone.start <= offset < zone.end:
                return zone.kind
        return "body"

    def paragraphs(self) -> list[tuple[int, int]]:
        """Ranges of the paragraphs of the whole text; zones are paragraphs of their own."""
        return paragraphs(self.text, self.zones)

    def _repr_html_(self) -> str:
        """The story with names, dates and quotes marked, and who said what: what a notebook shows."""
        from models.markup import to_html

        return to_html(self)


# Both begin at a break and not at the spaces before it, which would be tried from every one of a long run of spaces.
_BREAK = re.compile(r"(?:\r\n|\r|\n|\u2029)(?:[^\S\r\n\u2029]*(?:\r\n|\r|\n|\u2029))+[^\S\r\n]*|\u2029")
_LINE = re.compile(r"(?:\r\n|\r|\n|\u2028)[^\S\r\n]*")
_WRAPPED = 100
"""Lines longer than this are paragraphs, not hard-wrapped lines (terminal feeds wrap at 69 to 80)."""


def paragraphs(text: str, zones: Iterable[Span] = ()) -> list[tuple[int, int]]:
    """Ranges ``[start, end)`` of the paragraphs of ``text``, in order, without the breaks between them.

    Paragraphs are parted by blank lines. Where a block has a line longer than a hard-wrapped feed writes, each
    of its lines is a paragraph. Edges of ``zones`` part paragraphs too.

    >>> paragraphs("One.\\n\\nTwo,\\nwrapped.")
    [(0, 4), (6, 19)]
    """
    cuts = sorted({edge for zone in zones for edge in (zone.start, zone.end)} | {0, len(text)})
    found: list[tuple[int, int]] = []
    for left, right in pairwise(cuts):
        for start, end in _split(text, left, right, _BREAK):
            lines = list(_split(text, start, end, _LINE))
            wrapped = max((b - a for a, b in lines), default=0) <= _WRAPPED
            found.extend([(start, end)] if wrapped else lines)
    return found


def _split(text: str, start: int, end: int, at: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    for gap in at.finditer(text, start, end):
        if text[start : gap.start()].strip():
            yield _trim(text, start, gap.start())
        start = gap.end()
    if text[start:end].strip():
        yield _trim(text, start, end)


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


@dataclass(frozen=True)
class Problem:
    """A broken invariant: where in the document, and what is wrong there."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def check(document: Document) -> list[Problem]:
    """Every broken invariant of ``document``; an empty list is a sound document.

    Offsets lie in the text and in order, stored text equals its slice, ids are unique, references resolve,
    quote hulls match their parts, lists are ordered by offset, day ranges are not reversed. A section marked
    stale (a stage it needs was re-run alone) may refer to what is no longer there.

    >>> document = Document(id="a", text="Oslo said no.", zones=[Zone(start=5, end=40, kind="note")])
    >>> print(*check(document))
    zones[0]: range 5:40 does not lie in a text of 13
    """
    return list(_problems(document))


def _problems(document: Document) -> Iterator[Problem]:
    size = len(document.text)

    def span(where: str, item: Span) -> Iterator[Problem]:
        if not 0 <= item.start <= item.end <= size:
            yield Problem(where, f"range {item.start}:{item.end} does not lie in a text of {size}")
        elif isinstance(item, TextSpan) and document.text[item.start : item.end] != item.text:
            yield Problem(where, f"text {item.text!r} is not the slice {document.text[item.start : item.end]!r}")

    def ordered(where: str, items: Iterable[Span]) -> Iterator[Problem]:
        last = -1
        for n, item in enumerate(items):
            if item.start < last:
                yield Problem(f"{where}[{n}]", "out of order: lists are ordered by offset")
            last = item.start

    def unique(where: str, ids: Iterable[str]) -> Iterator[Problem]:
        seen: set[str] = set()
        for n, id_ in enumerate(ids):
            if id_ in seen:
                yield Problem(f"{where}[{n}].id", f"{id_!r} is used twice")
            seen.add(id_)

    if not document.id:
        yield Problem("id", "is empty")
    if document.body:
        yield from span("body", document.body)
    if document.meta.dateline:
        yield from span("meta.dateline", document.meta.dateline)
    for n, zone in enumerate(document.zones):
        yield from span(f"zones[{n}]", zone)

    yield from unique("entities", (e.id for e in document.entities))
    for n, entity in enumerate(document.entities):
        where = f"entities[{n}]"
        if not entity.mentions:
            yield Problem(where, "has no mention")
        for k, mention in enumerate(entity.mentions):
            yield from span(f"{where}.mentions[{k}]", mention)
        yield from ordered(f"{where}.mentions", entity.mentions)
    firsts = [e.mentions[0] for e in document.entities if e.mentions]
    yield from ordered("entities", firsts)

    yield from unique("dates", (d.id for d in document.dates))
    yield from ordered("dates", document.dates)
    for n, timex in enumerate(document.dates):
        yield from span(f"dates[{n}]", timex)
        if timex.earliest and timex.latest and timex.earliest > timex.latest:
            yield Problem(f"dates[{n}]", f"earliest {timex.earliest} is after latest {timex.latest}")

    yield from unique("quotes", (q.id for q in document.quotes))
    yield from ordered("quotes", document.quotes)
    quotes = {q.id for q in document.quotes}
    for n, quote in enumerate(document.quotes):
        where = f"quotes[{n}]"
        yield from span(where, quote)
        for k, part in enumerate(quote.parts):
            yield from span(f"{where}.parts[{k}]", part)
        yield from ordered(f"{where}.parts", quote.parts)
        if not quote.parts or (quote.parts[0].start, quote.parts[-1].end) != (quote.start, quote.end):
            yield Problem(where, "start and end are not the hull of its parts")
        for name, piece in (("cue", quote.cue), ("source", quote.source)):
            if piece:
                yield from span(f"{where}.{name}", piece)
        if quote.continues is not None and quote.continues not in quotes:
            yield Problem(f"{where}.continues", f"no quote has the id {quote.continues!r}")

    stale = bool(getattr(document.stages.get("attribution"), "stale", None))
    entities = {e.id for e in document.entities}
    for n, attribution in enumerate(document.attributions):
        where = f"attributions[{n}]"
        if attribution.speaker:
            yield from span(f"{where}.speaker", attribution.speaker)
        if attribution.evidence:
            yield from span(f"{where}.evidence", attribution.evidence)
        if stale:
            continue
        if attribution.quote not in quotes:
            yield Problem(f"{where}.quote", f"no quote has the id {attribution.quote!r}")
        if attribution.entity is not None and attribution.entity not in entities:
            yield Problem(f"{where}.entity", f"no entity has the id {attribution.entity!r}")
    for n, phrase in enumerate(document.keyphrases):
        if phrase.start is not None and phrase.end is not None:
            yield from span(f"keyphrases[{n}]", Span(start=phrase.start, end=phrase.end))
