"""JSON lines: stories as rows with ``text``, or finished documents; one bad line is one failure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO, Any

import orjson

from models.document import Document, Meta, Source
from pipeline.errors import StoryError
from pipeline.readers.decode import clean, decode
from pipeline.readers.wire import story

SECTIONS = frozenset(Document.model_fields) - {"id", "text"} | {"schema", "timexes", "mentions"}
"""Names in plain rows that mean something else in a document; such fields are left out."""
_WORDS = ("headline", "byline", "agency", "place", "language", "slug", "embargo", "credit")
_ISO = re.compile(r"\d{4}(-\d\d(-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?)?)?")

Row = tuple[int, Document | StoryError, tuple[str, ...]]


def rows(path: Path, name: str, encoding: str | None, max_bytes: int) -> Iterator[Row]:
    """Line number, document or error, and warnings, for every line of ``path`` that is not blank."""
    with open(path, "rb") as file:
        for number, line, whole in _lines(file, max_bytes):
            if line is None:
                yield number, StoryError("E_TOO_LARGE", f"a line of more than {max_bytes:,} bytes"), ()
            elif line.strip():
                try:
                    document, warnings = parse(line, name, number, encoding)
                except StoryError as error:
                    if error.code == "E_JSON" and not whole:
                        error = StoryError("E_JSON", f"the last line is cut short: {error.message}")
                    yield number, error, ()
                else:
                    yield number, document, warnings


def _lines(file: IO[bytes], limit: int) -> Iterator[tuple[int, bytes | None, bool]]:
    """Number, bytes (None if too many) and whether the line is ended, without holding a long line."""
    number = 0
    while line := file.readline(limit + 2):
        number += 1
        ended = line.endswith(b"\n")
        if len(line.rstrip(b"\r\n")) > limit:
            while not ended and (rest := file.readline(1 << 20)):
                ended = rest.endswith(b"\n")
            yield number, None, ended
        else:
            yield number, line.rstrip(b"\r\n"), ended


def parse(line: bytes, name: str, number: int | None, encoding: str | None) -> tuple[Document, tuple[str, ...]]:
    """The story of one JSON object. Raises :class:`StoryError` E_JSON, E_DECODE, E_EMPTY_FIELD or E_DOCUMENT."""
    decoded = decode(line, encoding)
    data, warnings = _loads(decoded.text)
    warnings = (*decoded.warnings, *warnings)
    if not isinstance(data, dict):
        raise StoryError("E_JSON", f"a story is a JSON object, not {_kind(data)}")
    if "schema" in data and "text" in data:
        return document_of(data), warnings
    source = {
        "path": name,
        "format": "jsonl" if number is not None else "json",
        "sha256": hashlib.sha256(line).hexdigest(),
        "bytes": len(line),
        "encoding": decoded.encoding,
        "encoding_by": decoded.by,
    }
    if number is not None:
        source["line"] = number
    return _plain(data, Source(**source), warnings)


def document_of(data: Any, where: str = "") -> Document:
    """A finished document of plain data. Raises :class:`StoryError` E_DOCUMENT."""
    if not isinstance(data, dict):
        raise StoryError("E_DOCUMENT", f"a document is a JSON object, not {_kind(data)}")
    try:
        return Document.from_dict(data)
    except ValueError as error:
        raise StoryError("E_DOCUMENT", str(error)) from None


def _plain(row: Mapping[str, Any], source: Source, warnings: tuple[str, ...]) -> tuple[Document, tuple[str, ...]]:
    text = row.get("text")
    if not isinstance(text, str):
        raise StoryError("E_EMPTY_FIELD", "the row has no text" if text is None else "text is not a string")
    given, more = _meta(row)
    id_ = row.get("id")
    if isinstance(id_, bool) or not isinstance(id_, str | int) or id_ == "":
        id_ = f"{source.path}:{source.line}" if source.line is not None else source.path
    text, unfit = clean(text)
    id_, unfit_id = clean(str(id_))
    warnings = (*warnings, *(unfit or unfit_id))
    document = story(id_, text, source, given)
    for key, value in row.items():
        if key not in SECTIONS and key not in {"id", "text", "published", "keywords", *_WORDS}:
            document.__pydantic_extra__[key] = value  # type: ignore[index]
    return document, (*warnings, *more)


def _meta(row: Mapping[str, Any]) -> tuple[Meta, tuple[str, ...]]:
    fields: dict[str, Any] = {}
    warnings: list[str] = []
    for key in _WORDS:
        if isinstance(row.get(key), str) and row[key].strip():
            fields[key] = row[key].strip()
        elif row.get(key) not in (None, ""):
            warnings.append(f"{key} is not a string and is left out")
    keywords = row.get("keywords")
    if isinstance(keywords, str):
        keywords = [word.strip() for word in keywords.split(",") if word.strip()]
    if isinstance(keywords, list) and keywords and all(isinstance(word, str) for word in keywords):
        fields["keywords"] = keywords
    if row.get("published") not in (None, ""):
        if published := moment(row["published"]):
            fields["published"] = published
        else:
            warnings.append(f"published is no date that can be read: {str(row['published'])[:40]!r}")
    return Meta(**fields), tuple(warnings)


def moment(value: Any) -> str | None:
    """An ISO 8601 day or time of ``value`` (ISO 8601, or RFC 2822 as in mail and RSS); None if it is neither."""
    if not isinstance(value, str):
        return None
    text = value.strip()
    if _ISO.fullmatch(text):
        return text.replace(" ", "T")
    try:
        when: datetime = parsedate_to_datetime(text)
        return when.isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _loads(text: str) -> tuple[Any, tuple[str, ...]]:
    """JSON as orjson reads it; lone surrogates in escapes replaced; duplicate keys told (the last one wins)."""
    warnings: tuple[str, ...] = ()
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        data = _with_surrogates(text)
        if data is None:
            raise StoryError("E_JSON", f"not JSON: {error.msg} at character {error.pos}") from None
        warnings = ("lone surrogates were replaced by U+FFFD",)
    if isinstance(data, dict) and "schema" not in data and (twice := _twice(text)):
        warnings = (*warnings, f"the key {twice!r} stands twice, the last one counts")
    return data, warnings


def _with_surrogates(text: str) -> Any:
    if "\\u" not in text:
        return None

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        data = _replaced(json.loads(text, parse_constant=refuse))
        orjson.dumps(data)
    except (ValueError, RecursionError, TypeError):
        return None
    return data


def _replaced(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)[0]
    if isinstance(value, list):
        return [_replaced(item) for item in value]
    if isinstance(value, dict):
        return {clean(key)[0]: _replaced(item) for key, item in value.items()}
    return value


def _twice(text: str) -> str | None:
    found: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> None:
        keys = [key for key, _ in items]
        found.extend(key for key in keys if keys.count(key) > 1) if len(keys) < 200 else None

    try:
        json.loads(text, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return None
    return found[-1] if found else None


def _kind(value: Any) -> str:
    names = {list: "a list", str: "a string", int: "a number", float: "a number", bool: "a truth value"}
    return names.get(type(value), "null")
