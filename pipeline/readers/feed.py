"""RSS and Atom: every entry of a feed is a story, its full text if the feed brings it, else its summary."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pipeline.errors import StoryError
from pipeline.readers.decode import Decoded
from pipeline.readers.found import Copy, File, Found
from pipeline.readers.markup import fragment, plain
from pipeline.readers.moments import moment

ROOTS = frozenset({"rss", "feed", "rdf"})
"""Names of root elements, in small letters."""


def read(file: File, decoded: Decoded) -> Iterator[Found]:
    """The entries of a feed in the order they stand in. The file is known to be well-formed and without entities."""
    import feedparser

    try:
        # Given as a stream: a string would be taken for an address and fetched.
        feed = feedparser.parse(io.BytesIO(decoded.text.encode()), sanitize_html=False, resolve_relative_uris=False)
    except Exception as error:  # the library's own errors are of every kind
        raise StoryError("E_XML", f"cannot be read as a feed: {type(error).__name__}") from None
    format_ = "atom" if str(feed.get("version") or "").startswith("atom") else "rss"
    language = _string(feed.feed.get("language"))
    if not feed.entries:
        yield file.skip("a feed without entries")
    for number, entry in enumerate(feed.entries, 1):
        id_ = file.id(number, entry.get("id"))
        try:
            parts = _copy(entry, language)
            if parts.paragraphs:
                yield parts.found(file, file.source(format_, decoded, number), id_, decoded.warnings)
            else:
                yield file.skip("an entry without text", id_)
        except StoryError as error:
            yield file.fail(error, id_)


def _string(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _copy(entry: Any, language: str | None) -> Copy:
    texts = [_paragraphs(each) for each in entry.get("content", []) if isinstance(each, dict)]
    full = max(texts, key=lambda text: sum(map(len, text)), default=[])
    summary = _paragraphs(entry.get("summary_detail") or {"value": entry.get("summary")})
    authors = [_string(each.get("name")) for each in entry.get("authors", []) if isinstance(each, dict)]
    published = _time(entry, "published") or _time(entry, "created")
    updated = _time(entry, "updated")
    fields = {
        "headline": " ".join(_paragraphs(entry.get("title_detail") or {})),
        "byline": ", ".join(dict.fromkeys(filter(None, authors))) or _string(entry.get("author")),
        "published": published or updated,
        "updated": updated if published and updated != published else None,
        "language": _string((entry.get("content") or [{}])[0].get("language")) or language,
        "keywords": [word for tag in entry.get("tags", []) if (word := _string(tag.get("term")))],
        "guid": _string(entry.get("id")),
        "url": _string(entry.get("link")),
        "abstract": "\n".join(summary) if full and summary != full else None,
        "copyright": _string(entry.get("rights")),
    }
    return Copy(full or summary, {key: value for key, value in fields.items() if value})


def _paragraphs(detail: Any) -> list[str]:
    text = detail.get("value")
    if not isinstance(text, str):
        return []
    # RSS says nothing of the kind of a text: what holds a tag or an entity is HTML.
    return fragment(text) if "<" in text or "&" in text else plain(text)


def _time(entry: Any, key: str) -> str | None:
    if key not in entry:  # asked for what is not there, the library answers with another time
        return None
    given = moment(entry.get(key))
    if given is not None:
        return given
    parsed = entry.get(f"{key}_parsed")
    try:
        return datetime(*parsed[:6]).replace(tzinfo=UTC).isoformat() if parsed else None
    except (TypeError, ValueError):
        return None
