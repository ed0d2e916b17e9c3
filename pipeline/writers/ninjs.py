"""ninjs 3.0 (https://iptc.org/standards/ninjs/): a JSON item a story, its subjects, people, places filled in.

``subjects`` are the provider's own and after them the topics found; ``people``, ``organisations`` and ``places`` are
the entities with a name. Where a story has no identifier that is a URI, its ``uri`` is a UUID made of the id, and the
id is in ``altIds`` either way. A day without a time is written as its midnight, UTC: ninjs knows no bare days.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from models.document import Document
from pipeline.batch.files import atomic_path
from pipeline.readers.subjects import uri_of
from pipeline.writers.names import FileNames, iri

STANDARD = {"name": "ninjs", "version": "3.0", "schema": "http://www.iptc.org/std/ninjs/ninjs-schema_3.0.json"}
_CONCEPTS = {"PERSON": "people", "ORG": "organisations", "GPE": "places", "LOC": "places", "FAC": "places"}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?")
_STATUS = frozenset({"usable", "withheld", "canceled"})


def lines(documents: Iterable[Document]) -> Iterator[bytes]:
    """An item a line."""
    for document in documents:
        yield orjson.dumps(item(document)) + b"\n"


def write(documents: Iterable[Document], folder: Path) -> int:
    """Write a file an item into the new ``folder``; how many."""
    names, count = FileNames(), 0
    with atomic_path(folder) as at:
        at.mkdir()
        for document in documents:
            file = at / names.of(document.id, ".json")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(orjson.dumps(item(document), option=orjson.OPT_INDENT_2) + b"\n")
            count += 1
    return count


def item(document: Document) -> dict[str, Any]:
    """The item that ``document`` is; only properties that it has something for."""
    meta, body = document.meta, document.body
    text = (document.text[body.start : body.end] if body is not None else document.text).strip()
    created, updated = _moment(meta.published), _moment(meta.updated)
    fields: dict[str, Any] = {
        "standard": STANDARD,
        "uri": iri(document),
        "altIds": [{"role": "copydesk", "value": document.id}],
        "type": "text",
        "representationType": "full",
        "version": meta.version,
        "firstCreated": created,
        "versionCreated": updated or created,
        "embargoed": _moment(meta.embargo),
        "pubStatus": meta.status if meta.status in _STATUS else "usable",
        "urgency": meta.urgency,
        "language": meta.language,
        "by": meta.byline,
        "slugline": meta.slug,
        "located": meta.place,
        "copyrightNotice": meta.copyright,
        "edNote": meta.note,
        "infoSources": [{"name": meta.agency}] if meta.agency else None,
        "keywords": meta.keywords,
        "headlines": [{"role": "main", "contentType": "text/plain", "value": meta.headline}] if meta.headline else None,
        "descriptions": [{"role": "summary", "contentType": "text/plain", "value": meta.abstract}]
        if meta.abstract
        else None,
        "bodies": [
            {
                "role": "main",
                "contentType": "text/plain",
                "charCount": len(text),
                "wordCount": len(text.split()),
                "value": text,
            }
        ],
        "subjects": list(_subjects(document)),
        **{name: list(_concepts(document, name)) for name in dict.fromkeys(_CONCEPTS.values())},
    }
    return {key: value for key, value in fields.items() if value not in (None, [], "")}


def _subjects(document: Document) -> Iterator[Mapping[str, str]]:
    seen = set()
    for given in document.meta.subjects or ():
        fields = {"name": given.name, "uri": given.uri or uri_of(given.qcode)}
        kept = {key: value for key, value in fields.items() if value}
        if kept:
            seen.add(kept.get("uri"))
            yield {"rel": "classifies", **kept}
    for topic in document.topics:
        if topic.uri not in seen:
            yield {"rel": "classifies", "name": topic.label, **({"uri": topic.uri} if topic.uri else {})}


def _concepts(document: Document, name: str) -> Iterator[Mapping[str, str]]:
    seen = set()
    for entity in document.entities:
        named = any(mention.kind == "name" for mention in entity.mentions) and not entity.agency
        if _CONCEPTS.get(entity.label) == name and named and entity.name not in seen:
            seen.add(entity.name)
            yield {"rel": "mentions", "name": entity.name}


def _moment(given: str | None) -> str | None:
    """A date and time as RFC 3339 has it; None for what is neither day nor time. A time without a zone is UTC."""
    if given and re.fullmatch(r"\d{4}-\d\d-\d\d", given):
        return f"{given}T00:00:00Z"
    if given and (found := _TIME.fullmatch(given)):
        seconds = "" if found[1] else ":00"
        zone = found[3] or "Z"
        return f"{given.removesuffix(found[3] or '')}{seconds}{zone}"
    return None
