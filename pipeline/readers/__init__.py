"""Readers: files to documents. Discover, decode, then one file a format.

Everything found gives exactly one :class:`Found`, in a stable order: a document, an error, or why it was skipped.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.document import Document, Meta, Source
from pipeline.errors import StoryError, UsageError
from pipeline.readers import jsonl, wire
from pipeline.readers.decode import decode, known
from pipeline.readers.discover import Thing, walk
from pipeline.readers.jsonl import document_of

__all__ = ["Found", "document_of", "read", "stories"]

MAX_BYTES = 5_000_000
"""Largest story taken, in bytes: some 800,000 words."""
_LINES = frozenset({".jsonl", ".ndjson"})
_MARKUP = frozenset((".xml", ".nitf", ".html", ".htm", ".xhtml", ".rss", ".atom", ".csv", ".tsv", ".parquet"))
_FILES = frozenset(
    (".pdf", ".doc", ".docx", ".rtf", ".odt", ".xls", ".xlsx", ".py", ".toml", ".yaml", ".yml", ".spacy")
)
_MEDIA = frozenset((".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".webp", ".svg", ".mp3", ".mp4", ".mov", ".wav"))
_PACKED = frozenset((".zip", ".gz", ".zst", ".bz2", ".xz", ".tar", ".7z", ".db", ".sqlite"))
_UNREAD = _MARKUP | _FILES | _MEDIA | _PACKED
"""Suffixes of what is no plain text, or is markup that no reader here understands."""


@dataclass(frozen=True)
class Found:
    """One thing found: a ``document``, or the ``error`` that kept it from being one, or why it was ``skipped``."""

    id: str
    path: str
    document: Document | None = None
    error: StoryError | None = None
    skipped: str | None = None
    line: int | None = None
    warnings: tuple[str, ...] = ()


def read(path: str | Path, *, encoding: str | None = None, max_bytes: int = MAX_BYTES) -> Iterator[Document]:
    """Every story of a file or folder. Raises :class:`StoryError` at the first that cannot be read."""
    for found in stories([path], encoding=encoding, max_bytes=max_bytes):
        if found.error is not None:
            raise StoryError(found.error.code, f"{found.path}: {found.error.message}")
        if found.document is not None:
            yield found.document


def stories(
    inputs: Sequence[str | Path],
    *,
    encoding: str | None = None,
    max_bytes: int = MAX_BYTES,
    exclude: Sequence[Path] = (),
) -> Iterator[Found]:
    """Everything found below ``inputs``, one by one. Two stories with one id are told apart by ``#2``.

    Raises :class:`UsageError` for an input that is not there or an encoding that does not exist.
    """
    if encoding is not None:
        encoding = known(encoding)
    seen: set[str] = set()
    for given in inputs:
        root = Path(given)
        if not os.path.lexists(given):
            raise UsageError(f"there is no file or folder {root}", "Check the path")
        for thing in walk(root, exclude):
            for found in _read(thing, encoding, max_bytes):
                yield _told_apart(found, seen)


def _told_apart(found: Found, seen: set[str]) -> Found:
    id_, number = found.id, 2
    while id_ in seen:
        id_, number = f"{found.id}#{number}", number + 1
    seen.add(id_)
    if id_ == found.id:
        return found
    warning = f"another story has the id {found.id!r}; this one is now {id_!r}"
    if found.document is not None:
        found.document.id = id_
    return Found(id_, found.path, found.document, found.error, found.skipped, found.line, (*found.warnings, warning))


def _read(thing: Thing, encoding: str | None, max_bytes: int) -> Iterator[Found]:
    suffix = thing.path.suffix.lower()
    if thing.error is not None or thing.skipped is not None:
        yield Found(thing.name, thing.name, error=thing.error, skipped=thing.skipped)
    elif suffix in _UNREAD:
        yield Found(thing.name, thing.name, skipped=f"no reader for {suffix}")
    elif suffix in _LINES:
        yield from _rows(thing, encoding, max_bytes)
    else:
        yield _whole(thing, encoding, max_bytes, suffix == ".json")


def _rows(thing: Thing, encoding: str | None, max_bytes: int) -> Iterator[Found]:
    try:
        for line, result, warnings in jsonl.rows(thing.path, thing.name, encoding, max_bytes):
            if isinstance(result, StoryError):
                yield Found(f"{thing.name}:{line}", thing.name, error=result, line=line)
            else:
                yield Found(result.id, thing.name, result, line=line, warnings=warnings)
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        yield Found(thing.name, thing.name, error=StoryError("E_IO", message))


def _whole(thing: Thing, encoding: str | None, max_bytes: int, is_json: bool) -> Found:
    try:
        if thing.size > max_bytes:
            raise StoryError("E_TOO_LARGE", f"{thing.size:,} bytes, and {max_bytes:,} is the limit (read.max_bytes)")
        data = thing.path.read_bytes()
        if is_json:
            document, warnings = jsonl.parse(data, thing.name, None, encoding)
            return Found(document.id, thing.name, document, warnings=warnings)
        decoded = decode(data, encoding)
    except StoryError as error:
        if is_json and error.code == "E_EMPTY_FIELD":
            return Found(thing.name, thing.name, skipped="JSON without a text field")
        return Found(thing.name, thing.name, error=error)
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        return Found(thing.name, thing.name, error=StoryError("E_IO", message))
    source = Source(
        path=thing.name,
        format="wire",
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        encoding=decoded.encoding,
        encoding_by=decoded.by,
    )
    document = wire.story(thing.name, decoded.text, source, Meta())
    warnings = decoded.warnings if decoded.text.strip() else (*decoded.warnings, "the story is empty")
    return Found(document.id, thing.name, document, warnings=warnings)
