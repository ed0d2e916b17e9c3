"""CSV: a file a table (:mod:`pipeline.writers.tables`), in UTF-8 with a header line.

Lists are JSON, booleans ``true`` and ``false``, and what is not there is empty. A cell that a spreadsheet would run as
a formula has ``'`` before it; :func:`read` takes it away again.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import orjson

from models.document import Document
from pipeline.batch.files import Digesting, atomic
from pipeline.errors import UsageError
from pipeline.writers.tables import Cell, Column, Row, Table, rows

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def lines(documents: Iterable[Document], table: Table) -> Iterator[bytes]:
    """The header and the rows of one table; a row may span several lines of text."""
    yield _header(table)
    for made in rows(documents):
        yield from (_line([_cell(cell) for cell in row]) for row in made[table.name])


def write(documents: Iterable[Document], folder: Path, tables: Sequence[Table]) -> int:
    """Write ``NAME.csv`` for each table into ``folder``; how many stories."""
    count = 0
    with ExitStack() as stack:
        files: dict[str, Digesting] = {}
        for table in tables:
            files[table.name] = stack.enter_context(atomic(folder / f"{table.name}.csv"))
            files[table.name].write(_header(table))
        for made in rows(documents):
            count += 1
            for name, file in files.items():
                for row in made[name]:
                    file.write(_line([_cell(cell) for cell in row]))
    return count


def begins(table: Table) -> bytes:
    """A pattern of what a file of ``table`` begins with."""
    return re.escape(_header(table))


def _header(table: Table) -> bytes:
    return _line([column.name for column in table.columns])


def _line(cells: Sequence[str]) -> bytes:
    out = io.StringIO(newline="")
    # csv quotes only the line breaks that it ends lines with, and a text may hold either.
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue().removesuffix("\r\n").encode() + b"\n"


def _cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, list):
        return orjson.dumps(cell).decode() if cell else ""
    if isinstance(cell, str):
        return f"'{cell}" if _FORMULA.match(cell) else cell
    return repr(cell)


def read(path: Path, table: Table) -> Iterator[Row]:
    """The rows of a file that :func:`write` made. Raises :class:`UsageError` where it is none of this table."""
    with open(path, encoding="utf-8", newline="") as file:
        # A story's text may be longer than the 128 KiB that csv allows a cell by itself.
        csv.field_size_limit(2**31 - 1)
        found = csv.reader(file)
        if next(found, None) != [column.name for column in table.columns]:
            raise UsageError(f"{path} has not the columns of {table.name}", "Make it with: copydesk export")
        for row in found:
            yield tuple(_value(cell, column) for cell, column in zip(row, table.columns, strict=True))


def _value(cell: str, column: Column) -> Cell:
    if column.kind == "list":
        return [str(each) for each in orjson.loads(cell)] if cell else []
    if not cell:
        return None
    if column.kind == "boolean":
        return cell == "true"
    if column.kind == "text":
        return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
    return int(cell) if column.kind == "integer" else float(cell)
