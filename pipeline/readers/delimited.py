"""CSV and TSV with a header: every row is a story; which column is which is known by name or set."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections.abc import Callable, Iterator
from itertools import chain
from typing import IO

from models.document import Source
from pipeline.errors import StoryError
from pipeline.readers.decode import Decoded, decode
from pipeline.readers.found import Found
from pipeline.readers.options import ReadSettings
from pipeline.readers.rows import columns, named, of_row

FORMAT = "csv"
_SAMPLE = 1 << 16


def read(opened: Callable[[], IO[bytes]], name: str, settings: ReadSettings, tabs: bool) -> Iterator[Found]:
    """The rows of a table. ``opened`` is called twice: how it is encoded shows only at the end."""
    encoding, by = _encoding(opened, settings.encoding)
    with opened() as file:
        text = io.TextIOWrapper(file, encoding, newline="", errors="replace" if by == "fallback" else "strict")
        yield from _Table(text, name, settings, Decoded("", encoding, by), tabs).rows()


def _encoding(opened: Callable[[], IO[bytes]], encoding: str | None) -> tuple[str, str]:
    """The codec of a file and what decided it, by its first bytes and by whether all of it is UTF-8."""
    with opened() as file:
        sample = file.read(_SAMPLE)
        if encoding is not None:
            return encoding, "option"
        # A character may be cut at the end of the sample, so only what is decided by marks or NULs counts.
        first = decode(sample[: len(sample) // 4 * 4].lstrip() or b"")
        if first.by in ("bom", "nul-pattern"):
            return {"utf-8": "utf-8-sig"}.get(first.encoding, first.encoding), first.by
        check = codecs.getincrementaldecoder("utf-8")()
        try:
            while sample:
                check.decode(sample)
                sample = file.read(_SAMPLE)
            check.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252", "fallback"
    return "utf-8", "valid"


class _Table:
    """One pass over a table, remembering the lines each row was made of."""

    def __init__(self, text: io.TextIOWrapper, name: str, settings: ReadSettings, as_: Decoded, tabs: bool) -> None:
        self.text, self.name, self.settings, self.decoded = text, name, settings, as_
        self.tabs = tabs
        self.taken: list[str] = []

    def _lines(self) -> Iterator[str]:
        limit = self.settings.max_bytes
        while line := self.text.readline(limit + 1):
            if len(line) > limit:
                raise StoryError("E_TOO_LARGE", f"a line of more than {limit:,} letters")
            self.taken.append(line)
            yield line.replace("\0", "\ufffd")

    def rows(self) -> Iterator[Found]:
        """The rows below the header that are not blank."""
        csv.field_size_limit(self.settings.max_bytes)
        number, start = 0, 1
        try:
            lines = self._lines()
            first = next(lines, "").lstrip("\ufeff")
            if not first.strip():
                raise StoryError("E_TABLE", "the table has no header line")
            reader = csv.reader(chain([first], lines), delimiter="\t" if self.tabs else _delimiter(first))
            header = next(reader)
            fields = columns(header, self.settings)
            start = reader.line_num + 1
            self.taken.clear()
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    number += 1
                    yield self._row(header, fields, cells, number, start)
                start = reader.line_num + 1
                self.taken.clear()
        except csv.Error as error:
            message = f"not a table from line {start} on: {error}; nothing below it is read"
            yield self._failed(number + 1, start, StoryError("E_TABLE", message))
        except UnicodeDecodeError as error:
            message = f"not valid {self.decoded.encoding} below line {start}: {error.reason}; nothing below it is read"
            yield self._failed(number + 1, start, StoryError("E_DECODE", message))

    def _failed(self, number: int, line: int, error: StoryError) -> Found:
        return Found(f"{self.name}#{number}", self.name, error=error, line=line)

    def _row(self, header: list[str], fields: dict[str, str], cells: list[str], number: int, line: int) -> Found:
        raw = "".join(self.taken).encode("utf-8", "replace")
        source = Source(
            path=self.name,
            format=FORMAT,
            sha256=hashlib.sha256(raw).hexdigest(),
            bytes=len(raw),
            encoding=self.decoded.encoding,
            encoding_by=self.decoded.by,
            line=line,
            item=number,
        )
        row = {key: cell for key, cell in zip(header, cells, strict=False) if key and cell != ""}
        try:
            document, warnings = of_row(named(row, fields), source, f"{self.name}#{number}")
        except StoryError as error:
            return self._failed(number, line, error)
        if len(cells) > len(header):
            warnings = (*warnings, f"the row has {len(cells)} cells and the header {len(header)}; the rest is left out")
        return Found(document.id, self.name, document, line=line, warnings=warnings)


def _delimiter(header: str) -> str:
    """Comma, semicolon, tab or bar: which the header has most of."""
    return max(",;\t|", key=header.count)
