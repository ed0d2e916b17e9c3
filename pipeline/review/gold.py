"""Annotations to measure with: one story's worth in one form, whatever form they were kept in.

Gold is read from

* JSON lines, each a document in the shape of :mod:`models.document`, or an object with ``id``, ``text`` and any of
  ``entities`` (flat spans with ``label``), ``timexes`` (``type``, ``value``), ``quotes`` (``parts`` and ``source`` as
  pairs of offsets, ``speech``, ``speaker_name``), ``mentions`` (``cluster``, ``etype``, ``mtype``, ``head``) and
  ``topics`` (a list of codes);
* the folder of a run;
* a Prodigy ``db-out`` file or a Label Studio JSON export (:mod:`pipeline.writers.prodigy`, ``.labelstudio``);
* a folder of brat standoff (:mod:`pipeline.writers.brat`).

A section that a story has no key for is not annotated there, and nothing is measured on it; an empty list says
that there is nothing to be found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from pipeline.errors import UsageError

CLASSES = {
    label.casefold(): name
    for name, labels in {
        "PER": "PER PERSON",
        "ORG": "ORG ORGANIZATION ORGANISATION",
        "LOC": "LOC GPE FAC LOCATION FACILITY",
        "MISC": "MISC NORP PRODUCT EVENT WORK_OF_ART LAW LANGUAGE",
    }.items()
    for label in labels.split()
}
"""The four classes of CoNLL, by the labels that fall in them, lower case."""
_ETYPES = {"PERSON": "person", "PER": "person", "ORG": "organization", "GPE": "place", "LOC": "place", "FAC": "place"}

STAGES = ("entities", "coreference", "dates", "quotes", "attribution", "topics")
"""What can be measured. Coreference is the entities stage's too: which mentions are one."""


_LISTS = ("entities", "mentions", "timexes", "dates", "quotes", "attributions", "topics")
"""The sections of a story."""


class Name(NamedTuple):
    """A name in the text, with one of :data:`CLASSES`."""

    start: int
    end: int
    label: str


class Timed(NamedTuple):
    """A TIMEX3 expression."""

    start: int
    end: int
    type: str
    value: str


class Uttered(NamedTuple):
    """A quotation with its source. ``speech`` is false for beliefs and intentions."""

    start: int
    end: int
    type: str
    speech: bool
    source: tuple[int, int] | None = None
    name: str | None = None
    method: str | None = None


class Spoken(NamedTuple):
    """A mention of something, in a cluster. ``head`` is the range of its head, where that is known."""

    start: int
    end: int
    cluster: str
    etype: str
    named: bool
    head: tuple[int, int] | None = None


@dataclass(frozen=True)
class Story:
    """What is annotated in a story; None for what is not. ``also`` is another id it may go by."""

    id: str
    text: str | None = None
    names: tuple[Name, ...] | None = None
    timexes: tuple[Timed, ...] | None = None
    quotes: tuple[Uttered, ...] | None = None
    mentions: tuple[Spoken, ...] | None = None
    topics: tuple[str, ...] | None = None
    sources: bool = False
    paths: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    also: str | None = None

    @property
    def stages(self) -> list[str]:
        """Names of what can be measured on it."""
        there = {
            "entities": self.names,
            "coreference": self.mentions,
            "dates": self.timexes,
            "quotes": self.quotes,
            "attribution": self.quotes if self.sources else None,
            "topics": self.topics,
        }
        return [name for name, section in there.items() if section is not None]


def story(row: Mapping[str, Any]) -> Story:
    """The annotations of one story as plain data. Raises ``ValueError`` naming the first item that is not as it should.

    >>> friday = {"start": 3, "end": 9, "type": "DATE", "value": "2025-03-28"}
    >>> story({"id": "a", "text": "On Friday.", "timexes": [friday]}).timexes
    (Timed(start=3, end=9, type='DATE', value='2025-03-28'),)
    """
    if not isinstance(row.get("id"), str | int) or not isinstance(row.get("text"), str | None):
        raise ValueError("a story has an id and a text")
    for key in _LISTS:
        if not isinstance(row.get(key), list | None):
            raise ValueError(f"{key} is not a list")
    entities, mentions = row.get("entities"), row.get("mentions")
    clusters = _each(mentions, "mentions", _mention) if mentions is not None else None
    names: tuple[Name, ...] | None = None
    if entities is not None:
        nested = any("mentions" in entity for entity in entities)
        names = tuple(_names(entities)) if nested else tuple(n for n in _each(entities, "entities", _name) if n)
        if clusters is None and (nested or not entities):
            clusters = tuple(_clusters(entities))
    # Rows with mentions of their own carry dates of another standard than TIMEX3.
    dates = row.get("timexes", row.get("dates") if mentions is None else None)
    said = {a["quote"]: a for a in row.get("attributions", ()) if "quote" in a}
    quotes = row.get("quotes")
    topics = row.get("topics")
    return Story(
        id=str(row["id"]),
        text=row.get("text"),
        names=names,
        timexes=_each(dates, "dates", _timex) if dates is not None else None,
        quotes=_each(quotes, "quotes", lambda item: _quote(item, said)) if quotes is not None else None,
        mentions=clusters,
        topics=_each(topics, "topics", lambda t: t if isinstance(t, str) else str(t["qcode"]))
        if topics is not None
        else None,
        sources="attributions" in row or any("source" in quote for quote in quotes or ()),
        paths={t["qcode"]: tuple(t["path"]) for t in topics or () if isinstance(t, dict) and t.get("path")},
    )


def beyond(one: Story, length: int) -> str | None:
    """The first annotation of a story that ends beyond a text of ``length`` code points, as a person is told; or None.

    >>> beyond(story({"id": "a", "entities": [{"start": 3, "end": 9, "label": "ORG"}]}), 5)
    'entities: 3 to 9 is beyond the 5 characters of the text'
    """
    sections = {"entities": one.names, "dates": one.timexes, "quotes": one.quotes, "mentions": one.mentions}
    for section, items in sections.items():
        for item in items or ():
            if item.end > length:
                return f"{section}: {item.start} to {item.end} is beyond the {length:,} characters of the text"
    return None


def _each(items: Sequence[Any], where: str, make: Callable[[Any], Any]) -> tuple[Any, ...]:
    made = []
    for n, item in enumerate(items):
        try:
            made.append(make(item))
        except (KeyError, TypeError, IndexError, ValueError, AttributeError) as error:
            raise ValueError(f"{where}[{n}]: {_says(error)}") from None
    return tuple(made)


def _says(error: Exception) -> str:
    return f"has no {error}" if isinstance(error, KeyError) else str(error)


def _range(item: Any) -> tuple[int, int]:
    start, end = item["start"], item["end"]
    if not isinstance(start, int) or not isinstance(end, int) or not 0 <= start <= end:
        raise ValueError(f"{start!r} to {end!r} is no range of offsets")
    return start, end


def hull(spans: Any) -> tuple[int, int] | None:
    """First and last offset of a span given as ``{start, end}``, ``[start, end]`` or a list of either; None of none."""
    if not spans:
        return None
    if isinstance(spans, Mapping):
        return _range(spans)
    if isinstance(spans[0], int):
        return spans[0], spans[-1]
    hulls = [h for h in map(hull, spans) if h]
    return hulls[0][0], hulls[-1][1]


def _name(item: Any) -> Name | None:
    label = CLASSES.get(str(item["label"]).casefold())
    return Name(*_range(item), label) if label and not item.get("nested") else None


def _names(entities: Sequence[Any]) -> Iterator[Name]:
    for n, entity in enumerate(entities):
        where = f"entities[{n}].mentions"
        label = CLASSES.get(str(entity.get("label")).casefold())
        mentions = [m for m in entity.get("mentions", ()) if m.get("kind", "name") == "name"]
        for start, end in _each(mentions, where, _range) if label else ():
            yield Name(start, end, str(label))


def _clusters(entities: Sequence[Any]) -> Iterator[Spoken]:
    for n, entity in enumerate(entities):
        etype = _ETYPES.get(entity["label"], "other")
        for mention in entity["mentions"]:
            named = mention.get("kind", "name") == "name"
            yield Spoken(*_range(mention), str(entity.get("id", n)), etype, named)


def _mention(item: Any) -> Spoken:
    head = (item["head"][0], item["head"][1]) if item.get("head") else None
    return Spoken(*_range(item), str(item["cluster"]), item["etype"], item.get("mtype") in {"nam", "name"}, head)


def _timex(item: Any) -> Timed:
    return Timed(*_range(item), item["type"], (item.get("value") or "").strip())


def _quote(item: Any, said: Mapping[str, Any]) -> Uttered:
    by = said.get(item.get("id", ""), {})
    name = by.get("name") or item.get("speaker_name") or None
    speech = bool(item["speech"]) if "speech" in item else item.get("kind") in {None, "speech", "writing"}
    source = hull(by.get("speaker") or item.get("source"))
    return Uttered(*_range(item), item.get("type", "indirect"), speech, source, name, by.get("method"))


@dataclass(frozen=True)
class Gold:
    """Annotated stories by id, and what there is to measure."""

    path: Path
    stories: Mapping[str, Story]
    stages: tuple[str, ...]
    aliases: Mapping[str, str] = field(default_factory=dict)

    def find(self, id_: str) -> Story | None:
        """The gold of the story with this id in a run."""
        return self.stories.get(id_) or self.stories.get(self.aliases.get(id_, ""))


def read_gold(path: str | Path) -> Gold:
    """Read gold from a file or folder. Raises :class:`UsageError` saying what is not as it should, and where."""
    from pipeline.writers import brat

    path = Path(path)
    if path.is_dir() and not (path / "documents.jsonl").is_file():
        if not brat.is_standoff(path):
            raise UsageError(
                f"{path} is neither the folder of a run nor one with .ann files", "See: copydesk evaluate -h"
            )
        found = [
            replace(story(document.to_dict()), also=document.id.removesuffix(".txt"))
            for document in brat.read_gold(path)
        ]
        found = found if _tied(found) else [replace(one, mentions=None) for one in found]
    else:
        found = list(_corrected(path) or stories(path))
    if not found:
        raise UsageError(f"{path} holds no stories", "Gold has a story a line, with id, text and annotations")
    there = {name for one in found for name in one.stages}
    if not there:
        raise UsageError(f"{path} has stories but no annotations", "See README.md, 'Tune a stage', for their form")
    aliases = {one.also: one.id for one in found if one.also}
    return Gold(path, {one.id: one for one in found}, tuple(name for name in STAGES if name in there), aliases)


def _corrected(path: Path) -> list[Story]:
    """What was corrected with Prodigy or Label Studio, if ``path`` is an export of one of them."""
    from pipeline.writers import labelstudio, prodigy

    if path.suffix == ".json" and path.is_file() and path.read_bytes().lstrip()[:1] == b"[":
        found = [story(document.to_dict()) for document in labelstudio.read_gold(path)]
        if not found:
            raise UsageError(f"nobody has annotated a task of {path}", "Correct them in Label Studio, then export")
        return found if _tied(found) else [replace(one, mentions=None) for one in found]
    if path.suffix == ".jsonl" and path.is_file() and prodigy.is_tasks(next((row for _, row in rows(path)), {})):
        # Links between mentions cannot be seen where spans are corrected.
        found = [replace(story(document.to_dict()), mentions=None) for document in prodigy.read_gold(path)]
        if not found:
            raise UsageError(f"no task of {path} has been accepted", "Correct them in Prodigy, then: prodigy db-out")
        return found
    return []


def _tied(found: Sequence[Story]) -> bool:
    """Whether any two mentions are said to be one."""
    return any(len({m.cluster for m in one.mentions}) < len(one.mentions) for one in found if one.mentions)


def stories(path: str | Path) -> Iterator[Story]:
    """Annotations of every line of a JSON Lines file, or of a run's documents.jsonl."""
    for number, row in rows(path):
        try:
            yield story(row)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise UsageError(f"{path}, story {number}: {_says(error)}", "See README.md, 'Tune a stage'") from None


def rows(path: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number and plain data of each story of a JSON Lines file, a JSON file of one story, or a run's folder."""
    path = documents_of(path)
    with open(path, "rb") as lines:
        if path.suffix == ".json":
            yield 1, _object(lines.read(), path, 1)
            return
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, _object(line, path, number)


def documents_of(path: str | Path) -> Path:
    """The file with the documents: ``path``, or documents.jsonl in the run's folder it names."""
    path = Path(path)
    file = path / "documents.jsonl" if path.is_dir() else path
    if not file.is_file():
        from pipeline.batch.job import read_manifest

        if path.is_dir():
            read_manifest(path)  # says so if this is no run at all
            raise UsageError(
                f"the run in {path} has not finished", "Give the run's own command again, it goes on from there"
            )
        raise UsageError(f"there is no file or folder {path}", "Check the path")
    return file


def _object(line: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        data = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{path}, line {number}: not JSON: {error.msg}", "Gold has a story a line") from None
    if not isinstance(data, dict):
        raise UsageError(f"{path}, line {number}: not a JSON object", "Gold has a story a line")
    return data
