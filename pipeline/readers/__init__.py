"""Readers: files to documents. Discover, unpack, decode, then one file a format.

Everything found gives exactly one :class:`Found`, in a stable order: a document, an error, or why it was skipped.
Nothing is ever fetched, and no file makes a reader raise anything but :class:`StoryError`.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Any

from pydantic import ValidationError

from models.document import Document, Meta
from pipeline.errors import StoryError, UsageError
from pipeline.readers import delimited, feed, html, iptc7901, jsonl, markup, newsml, nitf, parquet, wire
from pipeline.readers.decode import decode, known
from pipeline.readers.discover import Thing, walk
from pipeline.readers.found import File, Found, whole
from pipeline.readers.jsonl import document_of
from pipeline.readers.options import ReadSettings
from pipeline.readers.unpack import PACKED, members, unpacked

__all__ = ["Found", "ReadSettings", "document_of", "read", "stories"]

_LINES = frozenset({".jsonl", ".ndjson"})
_XML = frozenset({".xml", ".nitf", ".ntf", ".newsml", ".g2", ".rss", ".atom", ".rdf"})
_HTML = frozenset({".html", ".htm", ".xhtml"})
_TABLES = frozenset({".csv", ".tsv"})
_FILES = frozenset(
    (".pdf", ".doc", ".docx", ".rtf", ".odt", ".xls", ".xlsx", ".py", ".toml", ".yaml", ".yml", ".spacy")
)
_MEDIA = frozenset((".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".webp", ".svg", ".mp3", ".mp4", ".mov", ".wav"))
_ARCHIVES = frozenset((".bz2", ".xz", ".tar", ".tgz", ".7z", ".db", ".sqlite", ".zip"))
_UNREAD = _FILES | _MEDIA | _ARCHIVES
"""Suffixes of what is no plain text and has no reader."""


def read(path: str | Path, **options: Any) -> Iterator[Document]:
    """Every story of a file or folder. Raises :class:`StoryError` at the first that cannot be read.

    ``options`` are the fields of :class:`ReadSettings`: ``encoding="latin2"``, ``text_column="body"``.
    """
    try:
        settings = ReadSettings(**options)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UsageError(f"{first['loc'][0]} = {first['input']!r}: {first['msg']}") from None
    for found in stories([path], settings):
        if found.error is not None:
            raise StoryError(found.error.code, f"{found.path}: {found.error.message}")
        if found.document is not None:
            yield found.document


def stories(
    inputs: Sequence[str | Path], settings: ReadSettings | None = None, *, exclude: Sequence[Path] = ()
) -> Iterator[Found]:
    """Everything found below ``inputs``, one by one. Two stories with one id are told apart by ``#2``.

    Raises :class:`UsageError` for an input that is not there or an encoding that does not exist.
    """
    settings = settings or ReadSettings()
    if settings.encoding is not None:
        settings = settings.model_copy(update={"encoding": known(settings.encoding)})
    seen: set[str] = set()
    for given in inputs:
        root = Path(given)
        if not os.path.lexists(given):
            raise UsageError(f"there is no file or folder {root}", "Check the path")
        for thing in walk(root, exclude):
            for found in _thing(thing, settings):
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


def _thing(thing: Thing, settings: ReadSettings) -> Iterator[Found]:
    if thing.error is not None or thing.skipped is not None:
        yield Found(thing.name, thing.name, error=thing.error, skipped=thing.skipped)
        return
    empty = True
    try:
        for found in _archive(thing, settings) if thing.name.lower().endswith(".zip") else _file(thing, settings):
            empty = False
            yield found
        if empty:
            yield Found(thing.name, thing.name, skipped="nothing in it: no rows, lines or files")
    except StoryError as error:
        yield Found(thing.name, thing.name, error=error)
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        yield Found(thing.name, thing.name, error=StoryError("E_IO", message))


def _archive(thing: Thing, settings: ReadSettings) -> Iterator[Found]:
    for member in members(thing):
        yield from _thing(member, settings)


def _file(thing: Thing, settings: ReadSettings) -> Iterator[Found]:
    inner = PurePosixPath(thing.name.lower())
    packed = inner.suffix if inner.suffix in PACKED else None
    suffix = inner.with_suffix("").suffix if packed else inner.suffix

    def opened() -> IO[bytes]:
        return unpacked(thing.open(), thing.size, packed) if packed else thing.open()

    name = thing.name
    if suffix in _UNREAD:
        yield Found(name, name, skipped="an archive within an archive" if packed else f"no reader for {suffix}")
    elif suffix in _TABLES:
        yield from delimited.read(opened, name, settings, suffix == ".tsv")
    elif suffix == ".parquet":
        # Parquet is read from its end: only a plain file can be read where it lies.
        plain = thing.opener is None and packed is None
        with thing.open() if plain else _held(opened, settings) as table:
            yield from parquet.read(table, name, settings)
    else:
        with opened() as stream:
            if suffix in _LINES:
                yield from jsonl.lines(stream, name, settings)
            elif suffix in _XML or suffix in _HTML or suffix == ".json":
                data = whole(stream, settings.max_file_bytes, "read.max_file_bytes")
                yield from _marked_up(File(data, name, settings), suffix)
            else:
                yield from _text(stream, name, settings)


def _held(opened: Callable[[], IO[bytes]], settings: ReadSettings) -> IO[bytes]:
    with opened() as stream:
        return io.BytesIO(whole(stream, settings.max_file_bytes, "read.max_file_bytes"))


def _marked_up(file: File, suffix: str) -> Iterator[Found]:
    if suffix == ".json":
        yield from jsonl.whole(file)
    elif suffix in _HTML:
        yield from html.read(file)
    else:
        yield from _xml(file)


def _xml(file: File) -> Iterator[Found]:
    root, decoded = markup.parse(file.data, file.settings.encoding)
    kind = markup.name(root)
    if nitf.is_nitf(root):
        yield from nitf.read(file, root, decoded)
    elif kind in newsml.ROOTS:
        yield from newsml.read(file, root, decoded)
    elif kind in feed.ROOTS:
        yield from feed.read(file, decoded)
    elif kind == "html":
        yield from html.read(file)
    else:
        yield file.skip(f"XML of a kind that is not read here: <{kind[:40]}>")


def _text(stream: IO[bytes], name: str, settings: ReadSettings) -> Iterator[Found]:
    head = stream.read(iptc7901.HEAD)
    framed, xml = iptc7901.is_framed(head), head.lstrip()[:5] == b"<?xml"
    if framed or xml:
        data = whole(stream, settings.max_file_bytes, "read.max_file_bytes", head)
    else:
        data = whole(stream, settings.max_bytes, "read.max_bytes", head)
    file = File(data, name, settings)
    if framed:
        yield from iptc7901.read(file)
    elif xml:
        yield from _xml(file)
    else:
        decoded = decode(file.data, settings.encoding)
        document = wire.story(name, decoded.text, file.source("wire", decoded), Meta())
        warnings = decoded.warnings if decoded.text.strip() else (*decoded.warnings, "the story is empty")
        yield Found(document.id, name, document, warnings=warnings)
