"""JSON: lines, lists and single objects, each a story with ``text``, a ninjs item, or a finished document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, Any

import orjson

from models.document import Document, Source
from pipeline.errors import StoryError
from pipeline.readers import ninjs
from pipeline.readers.decode import Decoded, decode
from pipeline.readers.found import File, Found, cleaned
from pipeline.readers.options import ReadSettings
from pipeline.readers.rows import named, of_row


def lines(file: IO[bytes], name: str, settings: ReadSettings) -> Iterator[Found]:
    """What every line of ``file`` that is not blank is; one bad line is one failure."""
    for number, line, whole in _lines(file, settings.max_bytes):
        id_ = f"{name}:{number}"
        if line is None:
            error = StoryError("E_TOO_LARGE", f"a line of more than {settings.max_bytes:,} bytes")
            yield Found(id_, name, error=error, line=number)
        elif line.strip():
            try:
                decoded = decode(line, settings.encoding)
                data, warnings = _loads(decoded.text)
                of_line = File(line, name, settings)
                source = of_line.source("jsonl", decoded)
                source.line = number
                yield from _of(of_line, data, source, id_, number, (*decoded.warnings, *warnings))
            except StoryError as error:
                if error.code == "E_JSON" and not whole:
                    error = StoryError("E_JSON", f"the last line is cut short: {error.message}")
                yield Found(id_, name, error=error, line=number)


def whole(file: File) -> Iterator[Found]:
    """The stories of a JSON file: an object, or a list of objects."""
    decoded = decode(file.data, file.settings.encoding)
    data, warnings = _loads(decoded.text)
    warnings = (*decoded.warnings, *warnings)
    if not isinstance(data, list):
        yield from _one(file, data, decoded, None, warnings)
        return
    if not any(isinstance(item, dict) for item in data):
        raise StoryError("E_JSON", "a list without objects; a story is a JSON object")
    for number, item in enumerate(data, 1):
        yield from _one(file, item, decoded, number, warnings)


def _one(file: File, data: Any, decoded: Decoded, number: int | None, warnings: tuple[str, ...]) -> Iterator[Found]:
    id_ = file.id(number, None)
    try:
        yield from _of(file, data, file.source("json", decoded, number), id_, None, warnings)
    except StoryError as error:
        if error.code == "E_EMPTY_FIELD" and isinstance(data, dict):
            yield Found(id_, file.name, skipped="JSON without a text field")
        else:
            yield Found(id_, file.name, error=error)


def _of(
    file: File, data: Any, source: Source, id_: str, line: int | None, warnings: tuple[str, ...]
) -> Iterator[Found]:
    """The stories of one JSON value: mostly one. Raises :class:`StoryError` E_JSON, E_EMPTY_FIELD or E_DOCUMENT."""
    if not isinstance(data, dict):
        raise StoryError("E_JSON", f"a story is a JSON object, not {_kind(data)}")
    if ninjs.is_ninjs(data):
        source.format = ninjs.FORMAT
        for number, item in enumerate(ninjs.items(data), 1):
            alone = number == 1 and line is None and source.item is None
            own = id_ if alone else file.id(number, item.get("uri")) if number > 1 else item.get("uri") or id_
            yield ninjs.found(file, item, source, own, line, warnings)
        return
    if "schema" in data and "text" in data:
        document = document_of(data)
    else:
        document, more = of_row(named(data, file.settings.columns()), source, id_)
        warnings = (*warnings, *more)
    size = len(document.text.encode("utf-8", "replace"))
    if size > file.settings.max_bytes:
        limit = f"{file.settings.max_bytes:,} is the limit (read.max_bytes)"
        raise StoryError("E_TOO_LARGE", f"a story of {size:,} bytes, and {limit}")
    yield Found(document.id, file.name, document, line=line, warnings=warnings)


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


def document_of(data: Any, where: str = "") -> Document:
    """A finished document of plain data. Raises :class:`StoryError` E_DOCUMENT."""
    if not isinstance(data, dict):
        raise StoryError("E_DOCUMENT", f"a document is a JSON object, not {_kind(data)}")
    try:
        return Document.from_dict(data)
    except ValueError as error:
        raise StoryError("E_DOCUMENT", str(error)) from None


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
        data = cleaned(json.loads(text, parse_constant=refuse))
        orjson.dumps(data)
    except (ValueError, RecursionError, TypeError):
        return None
    return data


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
