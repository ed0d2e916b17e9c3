"""Documents as flat tables, the same for CSV, Parquet and SQLite: what is a column, what a row, what refers to what.

Every table but ``stories`` has the story's id in its first column, and offsets are code points of ``stories.text``.
``quotes`` has its speaker (the first, where several are named) beside it; ``attributions`` has every speaker.

>>> document = Document(id="a", text="Oslo said no.")
>>> document.entities.append(Entity(id="e1", label="GPE", name="Oslo", mentions=[Mention.of(document.text, 0, 4)]))
>>> [made] = rows([document])
>>> made["mentions"]
[('a', 'e1', 1, 0, 4, 'Oslo', 'name', None, None)]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import orjson

from models.document import Attribution, Document, Entity, Mention, Quote, Span
from pipeline.errors import UsageError

__all__ = ["TABLES", "Column", "Document", "Entity", "Mention", "Row", "Table", "chosen", "rows"]

Kind = Literal["text", "integer", "real", "boolean", "list"]
Cell = str | int | float | bool | list[str] | None
Row = tuple[Cell, ...]


@dataclass(frozen=True)
class Column:
    """A column: ``list`` is a list of strings, JSON where a format has no lists."""

    name: str
    kind: Kind


@dataclass(frozen=True)
class Table:
    """A table, the columns that make a row unique, and those that refer to another table's key."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    references: tuple[tuple[tuple[str, ...], str, tuple[str, ...]], ...] = ()
    indexes: tuple[str, ...] = ()
    """Columns one looks rows up by."""


def _table(
    name: str,
    columns: str,
    key: str,
    references: Iterable[tuple[str, str, str]] = (),
    indexes: str = "",
) -> Table:
    """A table of ``name`` or ``name:kind`` words; a word without a kind is text."""
    kinds: dict[str, Kind] = {"int": "integer", "real": "real", "bool": "boolean", "list": "list", "": "text"}
    parted = [word.partition(":") for word in columns.split()]
    made = tuple(Column(word, kinds[kind]) for word, _, kind in parted)
    keys = tuple((tuple(ours.split()), other, tuple(theirs.split())) for ours, other, theirs in references)
    return Table(name, made, tuple(key.split()), keys, tuple(indexes.split()))


_OF_STORY = ("story", "stories", "id")

TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        _table(
            "stories",
            "number:int id headline byline agency place published updated language slug url guid keywords:list "
            "subjects:list path format sha256 body_start:int body_end:int text",
            "id",
            indexes="published agency",
        ),
        _table(
            "entities",
            "story id label name roles:list aliases:list mentions:int agency:bool link",
            "story id",
            [_OF_STORY],
            "name label",
        ),
        _table(
            "mentions",
            "story entity number:int start:int end:int text kind role confidence:real",
            "story entity number",
            [_OF_STORY, ("story entity", "entities", "story id")],
            "text",
        ),
        _table(
            "dates",
            "story id start:int end:int text type value mod quant freq earliest latest",
            "story id",
            [_OF_STORY],
            "value earliest",
        ),
        _table(
            "quotes",
            "number:int story id start:int end:int text type kind polarity confidence:real cue cue_lemma source "
            "speaker_name speaker_role speaker_entity method attribution_confidence:real speakers:int continues",
            "story id",
            [_OF_STORY, ("story speaker_entity", "entities", "story id"), ("story continues", "quotes", "story id")],
            "speaker_name",
        ),
        _table(
            "attributions",
            "story quote number:int speaker start:int end:int name role entity method confidence:real anonymous:bool "
            "group:bool",
            "story quote number",
            [_OF_STORY, ("story quote", "quotes", "story id"), ("story entity", "entities", "story id")],
            "name",
        ),
        _table(
            "topics",
            "story number:int qcode uri label path:list score:real",
            "story number",
            [_OF_STORY],
            "qcode label",
        ),
        _table(
            "keyphrases",
            "story number:int text score:real start:int end:int",
            "story number",
            [_OF_STORY],
            "text",
        ),
    )
}
"""The tables by name, those that others refer to first."""


def chosen(names: Iterable[str]) -> list[Table]:
    """The tables of these names, all for none. Raises :class:`UsageError` for a name there is none of."""
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        if name not in TABLES:
            raise UsageError(f"there is no table {name!r}", f"The tables are {', '.join(TABLES)}")
    return [TABLES[name] for name in wanted] or list(TABLES.values())


def rows(documents: Iterable[Document]) -> Iterator[dict[str, list[Row]]]:
    """The rows of each document by table, cells in the order of the table's columns.

    References that lead nowhere, as in a section marked stale, are empty; what is said of a quote that is no more
    is left out.
    """
    quotes = 0
    for number, document in enumerate(documents, 1):
        made: dict[str, list[Row]] = {
            "stories": [_story(number, document)],
            "entities": [_entity(document.id, entity) for entity in document.entities],
            "mentions": [
                (document.id, e.id, n, m.start, m.end, m.text, m.kind, m.role, m.confidence)
                for e in document.entities
                for n, m in enumerate(e.mentions, 1)
            ],
            "dates": [
                (document.id, d.id, *_place(d), d.text, d.type, d.value, d.mod, d.quant, d.freq, d.earliest, d.latest)
                for d in document.dates
            ],
            **_said(document, quotes),
            "topics": [
                (document.id, n, t.qcode, t.uri, t.label, t.path, t.score) for n, t in enumerate(document.topics, 1)
            ],
            "keyphrases": [
                (document.id, n, k.text, k.score, k.start, k.end) for n, k in enumerate(document.keyphrases, 1)
            ],
        }
        quotes += len(document.quotes)
        yield made


def _story(number: int, document: Document) -> Row:
    meta, source, body = document.meta, document.source, document.body
    subjects = [subject.qcode or subject.uri or subject.name or "" for subject in meta.subjects or ()]
    return (
        *(number, document.id, meta.headline, meta.byline, meta.agency, meta.place, meta.published, meta.updated),
        *(meta.language, meta.slug, meta.url, meta.guid, meta.keywords or [], subjects),
        *((source.path, source.format, source.sha256) if source else (None, None, None)),
        *((body.start, body.end) if body else (None, None)),
        document.text,
    )


def _entity(story: str, entity: Entity) -> Row:
    link = orjson.dumps(entity.link).decode() if entity.link is not None else None
    agency = entity.agency if entity.agency is not None else False
    names: Row = (entity.label, entity.name, entity.roles, entity.aliases)
    return (story, entity.id, *names, len(entity.mentions), agency, link)


def _place(span: Span) -> tuple[int, int]:
    return span.start, span.end


def _said(document: Document, before: int) -> dict[str, list[Row]]:
    entities = {entity.id for entity in document.entities}
    speakers: dict[str, list[Attribution]] = {quote.id: [] for quote in document.quotes}
    for attribution in document.attributions:
        speakers.get(attribution.quote, []).append(attribution)

    def known(attribution: Attribution) -> str | None:
        return attribution.entity if attribution.entity in entities else None

    def quoted(number: int, quote: Quote) -> Row:
        text = " … ".join(document.text[part.start : part.end] for part in quote.parts)
        cue, source = quote.cue, quote.source.text if quote.source else None
        first = next(iter(speakers[quote.id]), None)
        by: Row = (first.name, first.role, known(first), first.method, first.confidence) if first else (None,) * 5
        return (
            *(number, document.id, quote.id, quote.start, quote.end, text, quote.type, quote.kind, quote.polarity),
            *(quote.confidence, cue.text if cue else None, cue.lemma if cue else None, source, *by),
            *(len(speakers[quote.id]), quote.continues if quote.continues in speakers else None),
        )

    def attributed(number: int, said: Attribution) -> Row:
        words: Row = (said.speaker.text, *_place(said.speaker)) if said.speaker else (None,) * 3
        by: Row = (said.name, said.role, known(said), said.method, said.confidence)
        return (document.id, said.quote, number, *words, *by, bool(said.anonymous), bool(said.group))

    return {
        "quotes": [quoted(n, quote) for n, quote in enumerate(document.quotes, before + 1)],
        "attributions": [attributed(n, said) for all_ in speakers.values() for n, said in enumerate(all_, 1)],
    }
