"""CSV, Parquet and SQLite: the same rows in each, and they are what the documents say."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from writers.stories import SAMPLES, documents, samples

from models.document import Document
from pipeline import export
from pipeline.errors import StorageError, UsageError
from pipeline.writers import delimited, stream
from pipeline.writers.tables import TABLES, Row, rows

quick = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
UNEQUAL = st.lists(documents(), max_size=2, unique_by=lambda document: document.id)


def expected(found: list[Document], table: str) -> list[Row]:
    return [row for made in rows(found) for row in made[table]]


def saved(found: list[Document], tmp_path: Path) -> Path:
    path = tmp_path / "documents.jsonl"
    path.write_bytes(b"".join(document.to_json() + b"\n" for document in found))
    return path


def empty(row: Row) -> Row:
    """A row as CSV tells it: no difference between an empty string and none."""
    return tuple(None if cell == "" else cell for cell in row)


@quick
@given(UNEQUAL)
def test_csv_comes_back_row_by_row(tmp_path: Path, found: list[Document]) -> None:
    assert export(saved(found, tmp_path), tmp_path / "csv", "csv") == len(found)
    for name, table in TABLES.items():
        back = list(delimited.read(tmp_path / "csv" / f"{name}.csv", table))
        assert back == [empty(row) for row in expected(found, name)]


@quick
@given(UNEQUAL)
def test_parquet_comes_back_row_by_row(tmp_path: Path, found: list[Document]) -> None:
    assert export(saved(found, tmp_path), tmp_path / "parquet", "parquet") == len(found)
    for name, table in TABLES.items():
        read = pq.read_table(tmp_path / "parquet" / f"{name}.parquet")
        assert read.column_names == [column.name for column in table.columns]
        assert [tuple(row.values()) for row in read.to_pylist()] == expected(found, name)


@quick
@given(UNEQUAL)
def test_sqlite_comes_back_row_by_row(tmp_path: Path, found: list[Document]) -> None:
    assert export(saved(found, tmp_path), tmp_path / "all.db", "sqlite") == len(found)
    with closing(sqlite3.connect(tmp_path / "all.db")) as db:
        for name, table in TABLES.items():
            lists = [column.kind == "list" for column in table.columns]
            back = db.execute(f"SELECT * FROM {name} ORDER BY rowid").fetchall()
            told = [
                tuple(orjson.loads(cell) if many else cell for cell, many in zip(row, lists, strict=True))
                for row in back
            ]
            assert told == expected(found, name)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path = tmp_path_factory.mktemp("db") / "samples.db"
    export(SAMPLES, path, "sqlite")
    with closing(sqlite3.connect(path)) as db:
        yield db


def ask(db: sqlite3.Connection, query: str, *values: Any) -> list[Any]:
    return db.execute(query, values).fetchall()


def test_every_annotation_is_a_row(database: sqlite3.Connection) -> None:
    found = samples()
    counts = {name: ask(database, f"SELECT count(*) FROM {name}")[0][0] for name in TABLES}
    assert counts == {
        "stories": len(found),
        "entities": sum(len(d.entities) for d in found),
        "mentions": sum(len(e.mentions) for d in found for e in d.entities),
        "dates": sum(len(d.dates) for d in found),
        "quotes": sum(len(d.quotes) for d in found),
        "attributions": sum(len(d.attributions) for d in found),
        "topics": sum(len(d.topics) for d in found),
        "keyphrases": sum(len(d.keyphrases) for d in found),
    }


def test_a_quote_has_its_speaker_beside_it(database: sqlite3.Connection) -> None:
    [row] = ask(
        database,
        "SELECT speaker_name, speaker_role, method FROM quotes WHERE text LIKE 'Misri and Landau discussed%'",
    )
    assert row[:2] == ("Tammy Bruce", "US State Department Spokesperson")
    [(name, when)] = ask(
        database, "SELECT speaker_name, published FROM said WHERE quote LIKE 'Misri underlined the deepening%'"
    )
    assert (name, when) == ("Ministry of External Affairs", "2025-03-28")


def test_references_hold_and_are_enforced(database: sqlite3.Connection) -> None:
    assert ask(database, "PRAGMA foreign_key_check") == []
    assert ask(database, "PRAGMA integrity_check") == [("ok",)]
    database.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(sqlite3.IntegrityError):
        database.execute("INSERT INTO topics (story, number) VALUES ('no such story', 1)")
    database.rollback()
    for name, table in TABLES.items():
        told = {row[3]: row[2] for row in ask(database, f"PRAGMA foreign_key_list({name})") if row[1] == 0}
        assert set(told.values()) <= {other for _, other, _ in table.references}
        assert (name == "stories") == (not told)


def test_what_is_looked_up_by_is_indexed(database: sqlite3.Connection) -> None:
    for query in (
        "SELECT * FROM quotes WHERE speaker_name = 'x'",
        "SELECT * FROM entities WHERE name = 'x'",
        "SELECT * FROM mentions WHERE story = 'x' AND entity = 'e1'",
        "SELECT * FROM dates WHERE earliest > '2025'",
        "SELECT * FROM topics WHERE qcode = 'x'",
    ):
        plan = " ".join(row[3] for row in ask(database, f"EXPLAIN QUERY PLAN {query}"))
        assert "USING INDEX" in plan, query


def test_texts_are_searched_by_their_words(database: sqlite3.Connection) -> None:
    def found(table: str, words: str) -> set[str]:
        column = "id" if table == "stories" else "story"
        query = (
            f"SELECT {column} FROM {table} WHERE number IN (SELECT rowid FROM {table}_fts WHERE {table}_fts MATCH ?)"
        )
        return {row[0] for row in ask(database, query, words)}

    assert found("stories", "sketchbook") == {"afp-2025-03-28-museum-drawings.txt"}
    assert found("stories", "sketchbooks attic") == {"afp-2025-03-28-museum-drawings.txt"}
    assert found("quotes", "speaker_name: tammy") == {"pti-2025-03-28-tariff-talks.txt"}
    # As datasette looks for it.
    [(sql,)] = ask(database, "SELECT sql FROM sqlite_master WHERE name = 'stories_fts'")
    assert 'content="stories"' in sql


def test_search_follows_what_is_changed_later(tmp_path: Path) -> None:
    export(SAMPLES, tmp_path / "x.db", "sqlite")
    with closing(sqlite3.connect(tmp_path / "x.db")) as db:
        match = "SELECT count(*) FROM quotes_fts WHERE quotes_fts MATCH 'xylophone'"
        assert ask(db, match) == [(0,)]
        db.execute("UPDATE quotes SET text = 'A xylophone' WHERE number = 1")
        assert ask(db, match) == [(1,)]
        db.execute("DELETE FROM attributions WHERE quote = 'q1'")
        db.execute("DELETE FROM quotes WHERE number = 1")
        assert ask(db, match) == [(0,)]


def test_several_speakers_of_a_quote_are_all_there(tmp_path: Path) -> None:
    row = {
        "id": "a",
        "text": "They agreed, Berg and Lee said.",
        "quotes": [
            {"id": "q1", "start": 0, "end": 11, "type": "indirect", "parts": [{"start": 0, "end": 11}], "confidence": 1}
        ],
        "attributions": [
            {"quote": "q1", "name": name, "method": "name", "confidence": 1} for name in ("Anna Berg", "Bo Lee")
        ],
    }
    [made] = rows([Document.from_dict(row)])
    names = [column.name for column in TABLES["quotes"].columns]
    quote = dict(zip(names, made["quotes"][0], strict=True))
    assert (quote["speaker_name"], quote["speakers"]) == ("Anna Berg", 2)
    assert [said[6] for said in made["attributions"]] == ["Anna Berg", "Bo Lee"]


def test_references_of_a_stale_section_that_lead_nowhere_are_empty(tmp_path: Path) -> None:
    [row] = [document.to_dict() for document in samples() if document.id == "pti-2025-03-28-tariff-talks.txt"]
    row["entities"], gone = [], row["quotes"].pop(1)
    row["stages"]["attribution"]["stale"] = True
    export(saved([Document.from_dict(row)], tmp_path), tmp_path / "x.db", "sqlite")
    with closing(sqlite3.connect(tmp_path / "x.db")) as db:
        assert ask(db, "PRAGMA foreign_key_check") == []
        assert ask(db, "SELECT count(*) FROM attributions WHERE quote = ?", gone["id"]) == [(0,)]
        assert ask(db, "SELECT DISTINCT speaker_entity FROM quotes") == [(None,)]
        assert ask(db, "SELECT count(*) FROM quotes WHERE speaker_name = 'Tammy Bruce'")[0][0] > 0


def test_two_stories_with_one_id_are_told_and_nothing_is_left(tmp_path: Path) -> None:
    one = samples()[0]
    with pytest.raises(UsageError, match=r"contradict each other.*stories\.id"):
        export(saved([one, one], tmp_path), tmp_path / "x.db", "sqlite")
    assert [path.name for path in tmp_path.iterdir()] == ["documents.jsonl"]


def test_one_table_is_one_file(tmp_path: Path) -> None:
    assert export(SAMPLES, tmp_path / "q.csv", "csv", table="quotes") == 19
    assert (tmp_path / "q.csv").read_bytes() == b"".join(stream(SAMPLES, "csv", table="quotes"))
    export(SAMPLES, tmp_path / "q.parquet", "parquet", table="quotes")
    assert pq.read_table(tmp_path / "q.parquet").num_rows == len(expected(samples(), "quotes"))


def test_a_cell_is_no_formula(tmp_path: Path) -> None:
    document = Document(id="=1+1", schema_=1, text="@SUM(A1)")
    export(saved([document], tmp_path), tmp_path / "s.csv", "csv", table="stories")
    line = (tmp_path / "s.csv").read_text("utf-8").splitlines()[1]
    assert line.startswith("1,'=1+1,")
    assert line.endswith(",'@SUM(A1)")


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr("pipeline.writers.extras.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"Parquet needs the extra 'parquet'. pip install 'copydesk\[parquet\]'"):
        export(SAMPLES, tmp_path / "p", "parquet")
    assert not (tmp_path / "p").exists()


def test_a_full_disk_is_told_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sqlite3.connect

    def small(*given: Any, **more: Any) -> sqlite3.Connection:
        db = real(*given, **more)
        db.execute("PRAGMA max_page_count = 40")
        return db

    monkeypatch.setattr("pipeline.writers.sqlite.sqlite3.connect", small)
    with pytest.raises(StorageError, match="database or disk is full"):
        export(SAMPLES, tmp_path / "x.db", "sqlite")
    assert list(tmp_path.iterdir()) == []
