"""Parquet (the extra ``parquet``): every row is a story, as in CSV."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, datetime
from typing import IO, Any

import orjson

from models.document import Source
from pipeline.errors import StoryError
from pipeline.readers.extras import needed
from pipeline.readers.found import Found
from pipeline.readers.options import ReadSettings
from pipeline.readers.rows import columns, named, of_row

FORMAT = "parquet"
_ROWS = 64
"""Rows held at once."""


def read(file: IO[bytes], name: str, settings: ReadSettings) -> Iterator[Found]:
    """The rows of a table, a few at a time."""
    needed("pyarrow", "parquet", "Parquet files")
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        table = pq.ParquetFile(file)
        fields = columns(table.schema_arrow.names, settings)
        for batch in table.iter_batches(batch_size=_ROWS, use_threads=False):
            for row in batch.to_pylist():
                number += 1
                yield _row(row, fields, name, settings, number)
    except StoryError:
        raise
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError, OverflowError, MemoryError) as error:
        # Arrow says what is wrong with a file by any of these.
        after = f" after row {number}" if number else ""
        raise StoryError("E_TABLE", f"not a Parquet file that can be read{after}: {_short(error)}") from None


def _row(row: dict[str, Any], fields: dict[str, str], name: str, settings: ReadSettings, number: int) -> Found:
    id_ = f"{name}#{number}"
    data = {key: _plain(value) for key, value in row.items() if value is not None}
    raw = orjson.dumps(data, default=str)
    source = Source(path=name, format=FORMAT, sha256=hashlib.sha256(raw).hexdigest(), bytes=len(raw), item=number)
    try:
        if len(raw) > settings.max_bytes:
            limit = f"{settings.max_bytes:,} is the limit (read.max_bytes)"
            raise StoryError("E_TOO_LARGE", f"a row of {len(raw):,} bytes, and {limit}")
        document, warnings = of_row(named(data, fields), source, id_)
    except StoryError as error:
        return Found(id_, name, error=error)
    return Found(document.id, name, document, warnings=warnings)


def _plain(value: Any) -> Any:
    """A value of a table as JSON has it: times in ISO 8601, what JSON has no kind for as a string."""
    if isinstance(value, datetime):
        at_midnight = value.time() == datetime.min.time() and value.tzinfo is None
        return value.date().isoformat() if at_midnight else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, bool | str | float) or (isinstance(value, int) and -(2**63) <= value < 2**64):
        return value
    return str(value)


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
