"""Writers: the documents of a run in the forms other programs take, one file a format.

:func:`export` writes a file or a folder, whole or not at all; :func:`stream` gives the bytes of a text format.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from models.document import Document, check
from pipeline.batch.files import atomic
from pipeline.batch.place import local, protect
from pipeline.batch.run import open_run
from pipeline.errors import StorageError, UsageError
from pipeline.stage import did_you_mean
from pipeline.writers import (
    brat,
    delimited,
    docbin,
    jsonl,
    labelstudio,
    ninjs,
    parquet,
    prodigy,
    sqlite,
    tables,
    webannotation,
)

if TYPE_CHECKING:
    from spacy.tokens import Doc

__all__ = ["FORMATS", "Format", "export", "stream"]

Lines = Callable[[Iterable[Document]], Iterator[bytes]]
Write = Callable[[Iterable[Document], Path], int]


@dataclass(frozen=True)
class Format:
    """A form documents are written in: ``lines`` one text, ``file`` one file, ``folder`` many.

    Where a format has a folder and another form too, a path that ends in ``suffix`` is the other. What
    its files begin with is told by the pattern ``begins``.
    """

    about: str
    begins: bytes
    lines: Lines | None = None
    file: Write | None = None
    folder: Write | None = None
    suffix: str | None = None


FORMATS: Mapping[str, Format] = {
    "jsonl": Format("JSON Lines, the documents as they are", rb'\{"id":', jsonl.lines),
    "csv": Format("CSV, a file a table", b""),
    "parquet": Format("Parquet, a file a table (extra parquet)", rb"PAR1"),
    "sqlite": Format("SQLite, a database of all tables with full-text search", sqlite.BEGINS, file=sqlite.write),
    "webannotation": Format("W3C Web Annotation, JSON-LD", rb'\{"@context":', webannotation.lines),
    "spacy": Format(
        "spaCy DocBin, one .spacy file or a folder of them", rb"\x78", None, docbin.write, docbin.write, docbin.SUFFIX
    ),
    "brat": Format("brat standoff, a .txt and an .ann a story", b"", folder=brat.write),
    "ninjs": Format(
        "IPTC ninjs 3.0, an item a line or a file", rb'\{"standard":', ninjs.lines, None, ninjs.write, ".jsonl"
    ),
    "prodigy": Format("Prodigy tasks with our annotations", rb'\{"text":', prodigy.lines),
    "labelstudio": Format(
        "Label Studio tasks with our predictions", labelstudio.BEGINS, labelstudio.lines, file=labelstudio.write
    ),
}
"""Every format by its name. CSV and Parquet have tables and are told apart in :func:`export`."""
_TABLES = frozenset({"csv", "parquet"})


def export(source: str | Path, path: str | Path, format: str, *, table: str | None = None) -> int:
    """Write the documents of ``source``, a finished run's folder or a file of documents, to ``path``; how many stories.

    CSV and Parquet make a folder with a file a table, or a file of the one ``table``. ninjs makes a file of lines
    where ``path`` ends in ``.jsonl``, spaCy one DocBin where it ends in ``.spacy``, else a folder. These folders and
    brat's must be new or empty, so that nothing that was corrected there is lost. A file that is there is replaced
    where it is an earlier export, and nothing else is.

    Raises :class:`UsageError` for what cannot be done as asked, :class:`StorageError` where it cannot be written.

    >>> export("samples/documents.jsonl", "quotes.csv", "csv", table="quotes")
    19
    """
    source, path = Path(source), local(path)
    path = path if path.name else path.resolve()
    how = _format(format, table)
    for file, begins in _files(path, format, table):
        protect(file, re.compile(begins, re.DOTALL), source)
    documents = _documents(source)
    if format in _TABLES:
        return _tables(documents, path, format, table)
    if how.folder is not None and path.suffix != how.suffix:
        if path.exists() and not (path.is_dir() and not any(path.iterdir())):
            raise UsageError(f"{path} is there and is no empty folder", "Choose a new one: nothing is overwritten")
        return docbin.write(documents, path, _parses(source)) if format == "spacy" else how.folder(documents, path)
    if path.is_dir():
        raise UsageError(f"{path} is a folder", f"{format} makes one file: name it")
    if format == "spacy":
        return docbin.write(documents, path, _parses(source))
    if how.file is not None:
        return how.file(documents, path)
    assert how.lines is not None
    count = _Count(documents)
    _write(how.lines(count), path)
    return count.number


def stream(source: str | Path, format: str, *, table: str | None = None) -> Iterator[bytes]:
    """The documents of ``source`` in a text format, piece by piece. Raises :class:`UsageError` as :func:`export`."""
    how = _format(format, table)
    documents = _documents(Path(source))
    if format == "csv":
        if table is None:
            raise UsageError("a stream holds one table", f"Name it with --table: {', '.join(tables.TABLES)}")
        return delimited.lines(documents, tables.chosen([table])[0])
    if how.lines is None:
        what = "no text" if how.file is not None or format in _TABLES else "a folder"
        raise UsageError(f"{format} is {what}, not for standard output", "Give a path with -o")
    return how.lines(documents)


def _files(path: Path, format: str, table: str | None) -> Iterator[tuple[Path, bytes]]:
    """``path``, and files of a fixed name that are written in or beside it, with patterns of what they begin with."""
    begins = FORMATS[format].begins
    if format in _TABLES:
        for one in tables.chosen([table] if table is not None else []):
            file = path if table is not None else path / f"{one.name}.{format}"
            yield file, delimited.begins(one) if format == "csv" else begins
    else:
        yield path, begins
    if format == "labelstudio":
        yield labelstudio.beside(path), rb"<View>"


def _format(name: str, table: str | None) -> Format:
    if name not in FORMATS:
        raise UsageError(f"there is no format {name!r}", did_you_mean(name, FORMATS))
    if table is not None and name not in _TABLES:
        raise UsageError(f"{name} has no tables to choose from", "Leave out --table, or choose csv or parquet")
    return FORMATS[name]


class _Count:
    """Documents, counted as they pass."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._documents = documents
        self.number = 0

    def __iter__(self) -> Iterator[Document]:
        for document in self._documents:
            self.number += 1
            yield document


def _write(lines: Iterable[bytes], path: Path) -> None:
    with atomic(path) as file:
        for line in lines:
            file.write(line)


def _tables(documents: Iterable[Document], path: Path, format: str, table: str | None) -> int:
    wanted = tables.chosen([table] if table is not None else [])
    if table is None and path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file", f"{format} of all tables makes a folder; or choose one with --table")
    if table is not None and path.is_dir():
        raise UsageError(f"{path} is a folder", f"One table makes a file: name it, such as {path / table}.{format}")
    if format == "parquet":
        return parquet.write(documents, path, wanted, one=table is not None)
    if table is None:
        return delimited.write(documents, path, wanted)
    count = _Count(documents)
    _write(delimited.lines(count, wanted[0]), path)
    return count.number


def _documents(source: Path) -> Iterator[Document]:
    """The documents, checked. Raises :class:`UsageError` at once where there are none, later for one that is broken."""
    path = source
    if source.is_dir():
        path = source / "documents.jsonl"
        if not path.is_file():
            next(iter(open_run(source).documents()), None)  # says what is wrong with the run
    elif not source.is_file():
        raise UsageError(f"there is no file or folder {source}", "Give a run's folder, or a file of documents")
    return _read(path)


def _read(path: Path) -> Iterator[Document]:
    try:
        with open(path, "rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    document = Document.from_json(line)
                    faults = check(document)
                except ValueError as error:
                    raise UsageError(f"{path}, line {number}: {error}", "See: copydesk check") from None
                if faults:
                    raise UsageError(f"{path}, line {number}: {faults[0]}", "See all with: copydesk check")
                yield document
    except OSError as error:
        raise StorageError(f"cannot read {path}: {os.strerror(error.errno or 0)}") from None


def _parses(source: Path) -> Iterator[Doc]:
    """The run's kept parses, as far as it has them (any more); none of a file."""
    try:
        if source.is_dir():
            yield from open_run(source).parses()
    except (StorageError, UsageError):
        return
