"""IPTC ninjs 1.x to 3.x: news in JSON. Text items are read, with text items among their associations.

1.x has ``headline``, ``byline``, ``body_text`` and ``body_xhtml``; 2.x has lists of ``headlines`` and ``bodies``;
3.x writes the same names in camel case. All are read alike, whatever version an item says it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from models.document import Source
from pipeline.errors import StoryError
from pipeline.readers import nitf
from pipeline.readers.found import Copy, File, Found, cleaned
from pipeline.readers.markup import fragment, parse, plain
from pipeline.readers.moments import moment
from pipeline.readers.subjects import subject
from pipeline.readers.wire import agency_of

FORMAT = "ninjs"
_TEXT = frozenset({"text", "composite", ""})
_MARKS = (
    "bodies",
    "headlines",
    "versioncreated",
    "body_text",
    "body_xhtml",
    "renditions",
    "eventdetails",
    "descriptions",
)
Item = Mapping[str, Any]


def is_ninjs(data: Any) -> bool:
    """Whether a JSON object is an item of ninjs."""
    if not isinstance(data, dict):
        return False
    standard = data.get("standard", data.get("$standard"))
    if isinstance(standard, dict) and standard.get("name") == FORMAT:
        return True
    small = {key.lower() for key in data}
    return isinstance(data.get("uri"), str) and "text" not in small and any(mark in small for mark in _MARKS)


def items(data: Item) -> Iterator[Item]:
    """An item, and those of its associations that are stories of their own."""
    small = _small(data)
    yield small
    associations = small.get("associations")
    if isinstance(associations, dict):
        associations = list(associations.values())
    for each in associations if isinstance(associations, list) else []:
        if isinstance(each, dict):
            below = _small(each)
            if _refusal(below) is None and _bodies(below):
                yield below


def found(
    file: File, item: Item, source: Source, id_: str, line: int | None = None, warnings: tuple[str, ...] = ()
) -> Found:
    """The story of one item that :func:`items` gave, or why it is none. Raises :class:`StoryError` for a bad body."""
    reason = _refusal(item)
    if reason is None:
        parts = _copy(item)
        if parts is not None:
            return parts.found(file, source, id_, warnings, line=line)
        reason = "a text item without a body"
    return Found(id_, file.name, skipped=reason, line=line)


def _small(item: Item) -> dict[str, Any]:
    return {str(key).lower(): value for key, value in item.items()}


def _refusal(item: Item) -> str | None:
    kind = str(item.get("type") or "").lower()
    if kind not in _TEXT:
        return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind[:40]} item"
    if "eventdetails" in item:
        return "an event item"
    if item.get("pubstatus") == "canceled":
        return "canceled by its provider"
    return None


def _bodies(item: Item) -> list[tuple[int, str, str]]:
    """Rank (HTML, NITF, plain), kind and content of every body that is a string with something in it."""
    bodies: list[tuple[str, Any]] = []
    for body in item["bodies"] if isinstance(item.get("bodies"), list) else []:
        if isinstance(body, dict):
            small = _small(body)
            bodies.append((f"{small.get('contenttype') or ''} {small.get('role') or ''}".lower(), small.get("value")))
    bodies += [(key.removeprefix("body_"), item[key]) for key in sorted(item) if key.startswith("body_")]
    ranked = [
        (0 if "html" in kind else 1 if "nitf" in kind else 2, kind, value)
        for kind, value in bodies
        if isinstance(value, str)
        and value.strip()
        and not ("xml" in kind and "nitf" not in kind and "html" not in kind)
    ]
    return sorted(ranked, key=lambda body: body[0])


def _copy(item: Item) -> Copy | None:
    fault: StoryError | None = None
    for rank, _, value in _bodies(item):
        parts = Copy([], {})
        try:
            if rank == 1:
                root, _ = parse(value.encode("utf-8", "replace"), "utf-8")
                parts = nitf.copy(root) if nitf.is_nitf(root) else parts
            else:
                parts.paragraphs = fragment(value) if rank == 0 else plain(value)
        except StoryError as error:
            fault = fault or error
            continue
        if parts.paragraphs:
            parts.meta = {**parts.meta, **_meta(item)}
            parts.hints = {**parts.hints, **_hints(item)}
            return parts
    if fault is not None:
        raise fault
    return None


def _string(item: Item, *keys: str) -> str | None:
    for key in keys:
        if isinstance(value := item.get(key), str) and value.strip():
            return value.strip()
    return None


def _listed(item: Item, key: str, roles: tuple[str, ...]) -> str | None:
    """The value of the first of ``roles`` in a list of roles and values; the first value where none is there."""
    rows = [_small(row) for row in item[key] if isinstance(row, dict)] if isinstance(item.get(key), list) else []
    rows = [row for row in rows if _string(row, "value")]
    rows.sort(key=lambda row: roles.index(row["role"]) if row.get("role") in roles else len(roles))
    return _string(rows[0], "value") if rows else None


def _meta(item: Item) -> dict[str, Any]:
    created = moment(item.get("contentcreated")) or moment(item.get("firstcreated"))
    version = moment(item.get("versioncreated"))
    urgency = item.get("urgency")
    byline = _string(item, "by", "byline")
    keywords = item.get("keywords", item.get("keyword"))
    fields = {
        "headline": _string(item, "headline") or _listed(item, "headlines", ("main",)) or _string(item, "title"),
        "byline": nitf.byline(byline) if byline else None,
        "slug": _string(item, "slugline"),
        "published": created or version,
        "updated": version if created and version != created else None,
        "language": _string(item, "language"),
        "keywords": [word for word in keywords if isinstance(word, str)] if isinstance(keywords, list) else None,
        "subjects": _subjects(item),
        "guid": _string(item, "uri"),
        "version": _string(item, "version"),
        "status": _string(item, "pubstatus"),
        "urgency": urgency if isinstance(urgency, int) and not isinstance(urgency, bool) and 0 < urgency < 10 else None,
        "embargo": moment(item.get("embargoed")),
        "abstract": _listed(item, "descriptions", ("lead", "summary")) or _string(item, "description_text"),
        "copyright": _string(item, "copyrightnotice", "copyrightholder"),
        "note": _string(item, "ednote"),
    }
    return {key: cleaned(value) for key, value in fields.items() if value}


def _subjects(item: Item) -> list[dict[str, str]]:
    rows = item.get("subjects", item.get("subject"))
    found: list[dict[str, str]] = []
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict):
            fields = {key: value for key, value in _small(row).items() if isinstance(value, str)}
            uri = fields.get("uri") or (fields.get("scheme", "") + fields.get("code", "") or None)
            code = fields.get("code") or fields.get("literal")
            found.append(subject(code=code, uri=uri if uri and ":" in uri else None, name=fields.get("name")))
    return [each for each in found if each]


def _hints(item: Item) -> dict[str, Any]:
    sources = item.get("infosources", item.get("infosource"))
    names = (
        [_string(_small(each), "name") for each in sources if isinstance(each, dict)]
        if isinstance(sources, list)
        else []
    )
    named = [each for each in (*names, _string(item, "copyrightholder")) if each]
    known = next((agency for agency in map(agency_of, named) if agency), None)
    located = _string(item, "located")
    return {"agency": known, "place": located.split(",")[0].strip() if located else None}
