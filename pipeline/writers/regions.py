"""A document as annotation tools see it: labelled regions of the text, links between them, topics to choose from.

Names, dates and the parts, cue and source of quotations become regions; ``coref``, ``part``, ``cue`` and ``source``
links hold them together. :func:`task_of` and :func:`document_of` are each other's inverse in everything a person can
correct with such a tool: ranges, classes, kinds, values, speakers, topics. Confidences, aliases and roles are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from models.document import Attribution, Cue, Document, Entity, Mention, Meta, Quote, Span, TextSpan, Timex, Topic

TIMEX = ("DATE", "TIME", "DURATION", "SET")
QUOTE, CUE, SOURCE = "QUOTE", "CUE", "SOURCE"
ENTITIES = ("PERSON", "ORG", "GPE", "LOC", "FAC", "NORP", "PRODUCT", "EVENT", "WORK_OF_ART", "LAW", "LANGUAGE", "MONEY")
"""Classes offered; a document's own others are added."""
SECTIONS = ("entities", "dates", "quotes", "attributions", "topics")
_JOIN = "; "


@dataclass(frozen=True)
class Region:
    """A stretch of the text with a label; ``facts`` are what is said of it: kind, value, mod, type, speaker, name."""

    id: str
    start: int
    end: int
    label: str
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Link:
    """Two regions by id, and what the second is to the first."""

    head: str
    child: str
    label: str


@dataclass
class Task:
    """One story to be corrected, or corrected. ``sections`` are those that were looked at."""

    id: str
    text: str
    sections: tuple[str, ...] = SECTIONS
    published: str | None = None
    regions: list[Region] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)
    vocabulary: dict[str, dict[str, Any]] = field(default_factory=dict)


class _Building:
    """A task being made: the same range with the same label is one region, however often it is used."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.there: dict[tuple[int, int, str], str] = {}

    def region(self, id_: str, span: Span, label: str, **facts: str | None) -> str:
        """Id of the region."""
        key = (span.start, span.end, label)
        if key not in self.there:
            self.there[key] = id_
            kept = {name: value for name, value in facts.items() if value}
            self.task.regions.append(Region(id_, span.start, span.end, label, kept))
        return self.there[key]

    def link(self, head: str, child: str, label: str) -> None:
        """Tie two regions."""
        if head != child:
            self.task.links.append(Link(head, child, label))


def task_of(document: Document) -> Task:
    """The regions of ``document``, of the sections it has."""
    given = tuple(name for name in SECTIONS if name in document.model_fields_set)
    task = Task(document.id, document.text, given, document.meta.published)
    building = _Building(task)
    for entity in document.entities:
        _entity(entity, building)
    for n, timex in enumerate(document.dates, 1):
        building.region(f"d{n}", timex, timex.type, value=timex.value, mod=timex.mod)
    said = defaultdict(list)
    for attribution in document.attributions:
        said[attribution.quote].append(attribution)
    for n, quote in enumerate(document.quotes, 1):
        _quote(f"q{n}", quote, said[quote.id], building)
    task.topics = [topic.qcode for topic in document.topics]
    task.vocabulary = {t.qcode: {"label": t.label, "uri": t.uri, "path": t.path} for t in document.topics}
    task.regions.sort(key=lambda region: (region.start, -region.end, region.label))
    return task


def _entity(entity: Entity, building: _Building) -> None:
    before: str | None = None
    name = entity.name if entity.name != _name(entity.mentions) else None
    for k, mention in enumerate(entity.mentions):
        # The name stands on the first mention, if it is not simply the longest one.
        region = building.region(
            f"{entity.id}.{k}", mention, entity.label, kind=mention.kind, name=name if not k else None
        )
        if before is not None:
            building.link(region, before, "coref")
        before = region


def _name(mentions: Iterable[Mention]) -> str:
    """The longest name, else the longest mention; of equals the first."""
    forms = sorted(mentions, key=lambda m: (m.kind != "name", m.start - m.end, m.start))
    return " ".join(forms[0].text.split())


def _quote(id_: str, quote: Quote, said: list[Attribution], building: _Building) -> None:
    speakers = [a for a in said if a.speaker is not None] + [a for a in said if a.speaker is None and a.name]
    first = building.region(
        f"{id_}.0",
        quote.parts[0],
        QUOTE,
        type=quote.type,
        kind=quote.kind,
        speaker=_JOIN.join(a.name or "" for a in speakers).rstrip(_JOIN),
    )
    for k, part in enumerate(quote.parts[1:], 1):
        building.link(first, building.region(f"{id_}.{k}", part, QUOTE), "part")
    if quote.cue is not None:
        building.link(first, building.region(f"{id_}.cue", quote.cue, CUE), "cue")
    sources = [a.speaker for a in speakers if a.speaker is not None] or [s for s in (quote.source,) if s is not None]
    for k, source in enumerate(sources):
        building.link(first, building.region(f"{id_}.source{k}", source, SOURCE), "source")


def sections_of(task: Task) -> Iterator[str]:
    """Sections that a task has annotations of."""
    labels = {region.label for region in task.regions}
    yield from ("entities",) if labels - {*TIMEX, QUOTE, CUE, SOURCE} else ()
    yield from ("dates",) if labels & set(TIMEX) else ()
    yield from ("quotes", "attributions") if QUOTE in labels else ()
    yield from ("topics",) if task.topics else ()


def document_of(task: Task, *, by_id: bool = False) -> Document:
    """The document that ``task`` says: ids by offset, every confidence 1, only the sections that were looked at.

    Mentions tied by ``coref`` links are one entity; with ``by_id``, so are those whose ids begin alike (``e1.0``,
    ``e1.1``), for tools in which links cannot be seen.
    """
    regions = {region.id: region for region in task.regions}
    links = [link for link in task.links if link.head in regions and link.child in regions]
    entities = list(_entities(task.text, regions, links, by_id))
    quotes, attributions = _quotes(task.text, regions, links, entities)
    sections: dict[str, list[Any]] = {
        "entities": entities,
        "dates": list(_dates(task.text, regions)),
        "quotes": quotes,
        "attributions": attributions,
        "topics": [_topic(code, task.vocabulary) for code in task.topics],
    }
    meta = {"meta": Meta(published=task.published)} if task.published else {}
    given = {name: items for name, items in sections.items() if name in task.sections}
    return Document(id=task.id, schema_=1, text=task.text, **meta, **given)


def _by_place(regions: Iterable[Region]) -> list[Region]:
    return sorted(regions, key=lambda region: (region.start, region.end, region.label))


def _groups(regions: list[Region], links: Iterable[Link], by_id: bool) -> Iterator[list[Region]]:
    """Regions that links (and ids) hold together, by their first one's place."""
    into = {region.id: region.id for region in regions}

    def root(id_: str) -> str:
        while into[id_] != id_:
            id_ = into[id_]
        return id_

    for link in links:
        if link.head in into and link.child in into:
            into[root(link.head)] = root(link.child)
    if by_id:
        first: dict[str, str] = {}
        for region in regions:
            stem, dot, _ = region.id.rpartition(".")
            if dot:
                into[root(region.id)] = root(first.setdefault(f"{stem} {region.label}", region.id))
    found: dict[str, list[Region]] = {}
    for region in regions:
        found.setdefault(root(region.id), []).append(region)
    yield from found.values()


def _entities(text: str, regions: Mapping[str, Region], links: list[Link], by_id: bool) -> Iterator[Entity]:
    ours = _by_place(r for r in regions.values() if r.label not in {*TIMEX, QUOTE, CUE, SOURCE})
    groups = _groups(ours, (link for link in links if link.label == "coref"), by_id)
    for n, group in enumerate(groups, 1):
        mentions = [Mention.of(text, r.start, r.end, kind=r.facts.get("kind", "name")) for r in group]
        name = next((r.facts["name"] for r in group if r.facts.get("name")), None) or _name(mentions)
        yield Entity(id=f"e{n}", label=group[0].label, name=name, mentions=mentions)


def _dates(text: str, regions: Mapping[str, Region]) -> Iterator[Timex]:
    ours = _by_place(region for region in regions.values() if region.label in TIMEX)
    for n, region in enumerate(ours, 1):
        facts = {"mod": region.facts["mod"]} if region.facts.get("mod") else {}
        value = region.facts.get("value") or None
        yield Timex.of(text, region.start, region.end, id=f"d{n}", type=region.label, value=value, **facts)


def _quotes(
    text: str, regions: Mapping[str, Region], links: list[Link], entities: list[Entity]
) -> tuple[list[Quote], list[Attribution]]:
    by_name: dict[str, str] = {}
    for entity in entities:
        by_name.setdefault(entity.name, entity.id)
    ours = _by_place(region for region in regions.values() if region.label == QUOTE)
    quotes: list[Quote] = []
    attributions: list[Attribution] = []
    for n, group in enumerate(_groups(ours, (link for link in links if link.label == "part"), False), 1):
        ids = {region.id for region in group}
        tied: dict[str, list[Region]] = defaultdict(list)
        for link in links:
            if link.head in ids and link.label != "part":
                tied[link.label].append(regions[link.child])
        facts = {key: value for region in reversed(group) for key, value in region.facts.items()}
        cue, sources = tied["cue"][:1], tied["source"]
        fields: dict[str, Any] = {"kind": facts["kind"]} if facts.get("kind") else {}
        if cue:
            fields["cue"] = Cue.of(text, cue[0].start, cue[0].end)
        if sources:
            fields["source"] = TextSpan.of(text, sources[0].start, sources[0].end)
        parts = [Span(start=region.start, end=region.end) for region in group]
        hull = {"start": parts[0].start, "end": max(part.end for part in parts)}
        quotes.append(
            Quote(id=f"q{n}", type=facts.get("type", "indirect"), parts=parts, confidence=1, **hull, **fields)
        )
        names = facts.get("speaker", "").split(_JOIN)
        for k in range(max(len(sources), len(names) if facts.get("speaker") else 0)):
            name = (names[k] if k < len(names) else "") or None
            speaker = TextSpan.of(text, sources[k].start, sources[k].end) if k < len(sources) else None
            attributions.append(
                Attribution(
                    quote=f"q{n}",
                    speaker=speaker,
                    entity=by_name.get(name or ""),
                    name=name,
                    method="annotated",
                    confidence=1,
                )
            )
    return quotes, attributions


def _topic(code: str, vocabulary: Mapping[str, Mapping[str, Any]]) -> Topic:
    facts = vocabulary.get(code, {})
    return Topic(
        qcode=code, uri=facts.get("uri", ""), label=facts.get("label", code), path=facts.get("path", [code]), score=1
    )
