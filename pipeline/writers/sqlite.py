"""SQLite: one database of all tables (:mod:`pipeline.writers.tables`), to be asked with SQL or browsed with datasette.

Rows refer to each other by foreign keys, what one looks up by is indexed, and the texts of stories and quotes can be
searched (FTS5, ``stories_fts`` and ``quotes_fts``; English words by their stems). Triggers keep the search in step
with what is changed later. The view ``said`` tells who said what, in which story, when.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import orjson

from models.document import Document
from pipeline.batch.files import atomic_path
from pipeline.errors import StorageError, UsageError
from pipeline.writers.tables import TABLES, Cell, Column, Table, rows

_TYPES = {"text": "TEXT", "integer": "INTEGER", "real": "REAL", "boolean": "INTEGER", "list": "TEXT"}
_SEARCHED = {"stories": ("headline", "text"), "quotes": ("text", "speaker_name")}
"""Tables with full-text search. Their ``number`` is the row id, so that VACUUM does not part row and index."""
_APPLICATION = int.from_bytes(b"copy")
"""What ``PRAGMA application_id`` says of our databases."""
BEGINS = rb"SQLite format 3\x00.{52}copy"
"""What a database of ours begins with: its application id stands at byte 68."""
_SAID = """CREATE VIEW said AS
SELECT stories.published, quotes.speaker_name, quotes.speaker_role, quotes.text AS quote, quotes.cue, quotes.type,
       stories.headline, quotes.story, quotes.id AS quote_id
FROM quotes JOIN stories ON stories.id = quotes.story"""


def write(documents: Iterable[Document], path: Path) -> int:
    """Write the database ``path``; how many stories.

    Raises :class:`UsageError` where two stories have one id, :class:`StorageError` where the disk is full.
    """
    with atomic_path(path) as at:
        try:
            with closing(sqlite3.connect(at, isolation_level=None)) as db:
                return _fill(db, documents)
        except sqlite3.IntegrityError as error:
            raise UsageError(
                f"the documents contradict each other: {error}", "See where with: copydesk check"
            ) from None
        except sqlite3.OperationalError as error:
            raise StorageError(f"cannot write {path}: {error}", "Free space or choose another place with -o") from None


def _fill(db: sqlite3.Connection, documents: Iterable[Document]) -> int:
    # The file is thrown away if anything goes wrong, so no journal is needed to go back.
    db.execute("PRAGMA journal_mode = OFF")
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA foreign_keys = ON")
    db.execute(f"PRAGMA application_id = {_APPLICATION}")
    for table in TABLES.values():
        db.execute(_create(table))
    count = 0
    for made in rows(documents):
        count += 1
        # A quote may go on from one that stands after it in the table, so references are looked at story by story.
        db.execute("BEGIN")
        db.execute("PRAGMA defer_foreign_keys = ON")
        for table in TABLES.values():
            marks = ", ".join("?" * len(table.columns))
            db.executemany(
                f"INSERT INTO {table.name} VALUES ({marks})", ([_cell(c) for c in row] for row in made[table.name])
            )
        db.execute("COMMIT")
    for table in TABLES.values():
        for column in table.indexes:
            db.execute(f"CREATE INDEX {table.name}_{column} ON {table.name} ({column})")
    for ours, other in _looked_up():
        db.execute(f"CREATE INDEX {ours}_{'_'.join(other)} ON {ours} ({', '.join(other)})")
    for name, columns in _SEARCHED.items():
        for statement in _search(name, columns):
            db.execute(statement)
    db.execute(_SAID)
    db.execute("ANALYZE")
    return count


def _looked_up() -> list[tuple[str, tuple[str, ...]]]:
    """Tables and columns that refer to others and do not begin the table's own key."""
    return [
        (table.name, ours)
        for table in TABLES.values()
        for ours, _, _ in table.references
        if table.key[: len(ours)] != ours
    ]


def _create(table: Table) -> str:
    lines = [_column(column, table) for column in table.columns]
    if len(table.key) > 1:
        kind = "UNIQUE" if table.name in _SEARCHED else "PRIMARY KEY"
        lines.append(f"{kind} ({', '.join(table.key)})")
    for ours, other, theirs in table.references:
        lines.append(f"FOREIGN KEY ({_quoted(ours)}) REFERENCES {other} ({_quoted(theirs)})")
    inside = ",\n  ".join(lines)
    return f"CREATE TABLE {table.name} (\n  {inside}\n)"


def _column(column: Column, table: Table) -> str:
    if table.name in _SEARCHED and column.name == "number":
        return '"number" INTEGER PRIMARY KEY'
    alone = " NOT NULL UNIQUE" if table.key == (column.name,) else " NOT NULL" if column.name in table.key else ""
    return f'"{column.name}" {_TYPES[column.kind]}{alone}'


def _quoted(columns: Iterable[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _search(table: str, columns: tuple[str, ...]) -> Iterable[str]:
    listed = ", ".join(columns)
    new, old = (", ".join(f"{row}.{column}" for column in columns) for row in ("new", "old"))
    add = f"INSERT INTO {table}_fts (rowid, {listed}) VALUES (new.number, {new});"
    drop = f"INSERT INTO {table}_fts ({table}_fts, rowid, {listed}) VALUES ('delete', old.number, {old});"
    yield (
        f"CREATE VIRTUAL TABLE {table}_fts USING fts5 ({listed}, content=\"{table}\", content_rowid='number', "
        "tokenize='porter unicode61 remove_diacritics 2')"
    )
    yield f"INSERT INTO {table}_fts ({table}_fts) VALUES ('rebuild')"
    yield f"CREATE TRIGGER {table}_ai AFTER INSERT ON {table} BEGIN {add} END"
    yield f"CREATE TRIGGER {table}_ad AFTER DELETE ON {table} BEGIN {drop} END"
    yield f"CREATE TRIGGER {table}_au AFTER UPDATE ON {table} BEGIN {drop} {add} END"


def _cell(cell: Cell) -> str | int | float | None:
    return orjson.dumps(cell).decode() if isinstance(cell, list) else cell
