"""Parquet (the extra ``parquet``): a typed file a table (:mod:`pipeline.writers.tables`), compressed with Zstandard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from models.document import Document
from pipeline.batch.files import atomic_path
from pipeline.writers.extras import needed
from pipeline.writers.tables import Row, Table, rows

_ROWS = 10_000
"""Rows of a table held before they are written."""


def write(documents: Iterable[Document], path: Path, tables: Sequence[Table], *, one: bool = False) -> int:
    """Write ``NAME.parquet`` for each table into the folder ``path``, or ``one`` table to that file; how many stories.

    Raises :class:`UsageError` where pyarrow is not installed.
    """
    needed("pyarrow", "parquet", "Parquet")
    import pyarrow.parquet as pq

    count = 0
    with ExitStack() as stack:
        open_: list[tuple[Table, Any, list[Row]]] = []
        for table in tables:
            at = stack.enter_context(atomic_path(path if one else path / f"{table.name}.parquet"))
            writer = stack.enter_context(pq.ParquetWriter(at, schema(table), compression="zstd"))
            open_.append((table, writer, []))
        for made in rows(documents):
            count += 1
            for table, writer, held in open_:
                held += made[table.name]
                if len(held) >= _ROWS:
                    writer.write_batch(_batch(table, held))
                    held.clear()
        for table, writer, held in open_:
            writer.write_batch(_batch(table, held))
    return count


def schema(table: Table) -> Any:
    """The table's Arrow schema."""
    import pyarrow as pa

    kinds = {
        "text": pa.string(),
        "integer": pa.int64(),
        "real": pa.float64(),
        "boolean": pa.bool_(),
        "list": pa.list_(pa.string()),
    }
    return pa.schema([(column.name, kinds[column.kind]) for column in table.columns])


def _batch(table: Table, held: list[Row]) -> Any:
    import pyarrow as pa

    made = schema(table)
    columns = list(zip(*held, strict=True)) if held else [()] * len(made)
    return pa.record_batch([pa.array(c, field.type) for c, field in zip(columns, made, strict=True)], made)
