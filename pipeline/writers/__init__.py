"""Writers: the documents of a run in the forms other programs take, one file a format.

:func:`export` writes a file or a folder, whole or not at all; :func:`stream` gives the bytes of a text format.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from models.document import Document, check
from pipeline.batch.files import atomic
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

    Where a format has a folder and another form too, a path that ends in ``suffix`` is the other.
    """

    about: str
    lines: Lines | None = None
    file: Write | None = None
    folder: Write | None = None
    suffix: str | None = None


FORMATS: Mapping[str, Format] = {
    "jsonl": Format("JSON Lines, the documents as they are", jsonl.lines),
    "csv": Format("CSV, a file a table"),
    "parquet": Format("Parquet, a file a table (extra parquet)"),
    "sqlite": Format("SQLite, a database of all tables with full-text search", file=sqlite.write),
    "webannotation": Format("W3C Web Annotation, JSON-LD", webannotation.lines),
    "spacy": Format(
        "spaCy DocBin, one .spacy file or a folder of them", None, docbin.write, docbin.write, docbin.SUFFIX
    ),
    "brat": Format("brat standoff, a .txt and an .ann a story", folder=brat.write),
    "ninjs": Format("IPTC ninjs 3.0, an item a line or a file", ninjs.lines, None, ninjs.write, ".jsonl"),
    "prodigy": Format("Prodigy tasks with our annotations", prodigy.lines),
    "labelstudio": Format("Label Studio tasks with our predictions", labelstudio.lines, file=labelstudio.write),
}
"""Every format by its name. CSV and Parquet have tables and are told apart in :func:`export`."""
_TABLES = frozenset({"csv", "parquet"})
_OURS = ("documents.jsonl", "failures.jsonl", "skipped.jsonl", "run.json")


def export(source: str | Path, path: str | Path, format: str, *, table: str | None = None) -> int:
    """Write the documents of ``source``, a finished run's folder or a file of documents, to ``path``; how many stories.

    CSV and Parquet make a folder with a file a table, or a file of the one ``table``. ninjs makes a file of lines
    where ``path`` ends in ``.jsonl``, spaCy one DocBin where it ends in ``.spacy``, else a folder. These folders and
    brat's must be new or empty, so that nothing that was corrected there is lost; all else is replaced.

    Raises :class:`UsageError` for what cannot be done as asked, :class:`StorageError` where it cannot be written.

    >>> export("samples/documents.jsonl", "quotes.csv", "csv", table="quotes")
    19
    """
    source, path = Path(source), Path(path)
    path = path if path.name else path.resolve()
    how = _format(format, table)
    _protect(source, path)
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


def _protect(source: Path, path: Path) -> None:
    """Nothing may be written over the documents read, or into a run's own files."""
    there = path.resolve()
    kept = {(source / name).resolve() for name in _OURS} | {source.resolve()}
    if there in kept or (source / "work").resolve() in (there, *there.parents):
        raise UsageError(f"{path} belongs to the run itself", "Choose another place with -o")


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
