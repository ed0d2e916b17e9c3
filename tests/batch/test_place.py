"""Where results may go: on this machine, and over nothing but an earlier form of the same."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from runs import digest, rows

from pipeline import export, open_run, rerun, run, run_shards, write_report
from pipeline.errors import UsageError
from pipeline.writers import FORMATS

ADDRESSES = ["s3://bucket/run", "memory://run", "file:///tmp/run", Path("s3://bucket/run"), "zip://x::file:///a.zip"]


@pytest.fixture
def finished(stories: Path, tmp_path: Path, quick: Any, here: None) -> Path:
    run([stories], tmp_path / "out", settings=quick("run.shard_words=100000"), stages=["dates"])
    return tmp_path / "out"


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_is_no_folder(
    address: str | Path, finished: Path, stories: Path, tmp_path: Path, quick: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = tmp_path / "away"
    away.mkdir()
    monkeypatch.chdir(away)
    for call in (
        lambda: run([stories], address, settings=quick()),
        lambda: run_shards("0-1", [stories], address, settings=quick()),
        lambda: rerun("dates", finished, new=address),
        lambda: export(finished, address, "sqlite"),
        lambda: write_report(open_run(finished), address),
        lambda: open_run(address),
    ):
        with pytest.raises(UsageError, match="is an address"):
            call()
    assert list(away.iterdir()) == []


def test_the_command_says_so_whether_or_not_the_extra_is_there(stories: Path, tmp_path: Path, copydesk: Any) -> None:
    for address in ("s3://bucket/run", "memory://run"):
        done = copydesk("run", stories, "-o", address, code=2, cwd=tmp_path)
        assert "--publish" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["stories"]


def test_a_folder_with_a_colon_in_its_name_is_a_folder(stories: Path, tmp_path: Path, quick: Any, here: None) -> None:
    (tmp_path / "wire:").mkdir()
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(tmp_path)
        assert run([stories], Path("wire:/out"), settings=quick(), stages=["dates"]).ok == 24
    assert (tmp_path / "wire:" / "out" / "documents.jsonl").exists()


# --- exports -----------------------------------------------------------------------------------------------------


def single(name: str) -> dict[str, Any]:
    return {"table": "quotes"} if name in {"csv", "parquet"} else {}


def of(name: str) -> str:
    return {"spacy": "x.spacy", "ninjs": "x.jsonl"}.get(name, "x.out")


FILES = [name for name in FORMATS if name != "brat"]


@pytest.mark.parametrize("name", FILES)
def test_an_export_is_made_anew_and_any_other_file_is_left(name: str, finished: Path, tmp_path: Path) -> None:
    path = tmp_path / of(name)
    export(finished, path, name, **single(name))
    first = path.read_bytes()
    export(finished, path, name, **single(name))
    assert path.read_bytes() == first
    with closing(sqlite3.connect(tmp_path / "other.db")) as db:
        db.execute("CREATE TABLE mine (x)")
    for other in (b"Notes of mine.\n", b"\x89PNG\r\n", (tmp_path / "other.db").read_bytes(), b'[{"id": 7}]'):
        path.write_bytes(other)
        with pytest.raises(UsageError, match="nothing that this command made"):
            export(finished, path, name, **single(name))
        assert path.read_bytes() == other
    path.write_bytes(b"")
    export(finished, path, name, **single(name))
    assert path.read_bytes() == first


def test_a_table_in_a_folder_and_an_interface_beside_are_looked_at_too(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "quotes.csv").write_text("my,own\n1,2\n")
    (tmp_path / "tasks.xml").write_text("<project/>")
    for path, name in ((tmp_path / "tables", "csv"), (tmp_path / "tasks.json", "labelstudio")):
        with pytest.raises(UsageError, match="nothing that this command made"):
            export(finished, path, name)
    assert [path.name for path in (tmp_path / "tables").iterdir()] == ["quotes.csv"]
    with pytest.raises(UsageError, match="labelling interface"):
        export(finished, tmp_path / "new.xml", "labelstudio")


@pytest.mark.parametrize("name", ["jsonl", "sqlite"])
def test_pipes_and_devices_are_left_alone(name: str, finished: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path(os.devnull)):
        with pytest.raises(UsageError, match="is no file"):
            export(finished, path, name)


def test_stories_and_other_runs_are_never_written_over(stories: Path, tmp_path: Path, quick: Any, here: None) -> None:
    line = orjson.dumps({"id": "r1", "text": "A row."}) + b"\n"
    (stories / "more").mkdir()
    rows_ = stories / "more" / "rows.jsonl"
    rows_.write_bytes(line)
    (tmp_path / "alone.jsonl").write_bytes(line)
    out = tmp_path / "out"
    run([stories, tmp_path / "alone.jsonl"], out, settings=quick(), stages=["dates"])
    for path in (rows_, tmp_path / "alone.jsonl"):
        with pytest.raises(UsageError, match="is one of the stories"):
            export(out, path, "jsonl")
        assert path.read_bytes() == line
    for _ in range(2):  # an export beside the stories is no story
        export(out, stories / "export.jsonl", "jsonl")
    run([out / "documents.jsonl"], tmp_path / "second", settings=quick(), stages=["dates"])
    for source, path in ((tmp_path / "second", out / "documents.jsonl"), (tmp_path / "second", out / "work" / "x")):
        with pytest.raises(UsageError, match="belongs to the run itself"):
            export(source, path, "jsonl")
    assert len(rows(out / "documents.jsonl")) == 26


def test_what_is_read_is_not_written_over(finished: Path, tmp_path: Path, copydesk: Any) -> None:
    gold = tmp_path / "gold.jsonl"
    gold.write_bytes(b'{"id": "a", "text": "Oil prices rose.", "topics": ["medtop:04000000"]}\n')
    (tmp_path / "rows.jsonl").write_bytes((finished / "documents.jsonl").read_bytes())
    for args in (
        ("train", "topics", "--gold", gold, "-o", gold),
        ("export", tmp_path / "rows.jsonl", "-f", "jsonl", "-o", tmp_path / "rows.jsonl"),
    ):
        before = Path(args[-1]).read_bytes()
        assert "is what is read" in copydesk(*args, code=2).stderr
        assert Path(args[-1]).read_bytes() == before


# --- pages -------------------------------------------------------------------------------------------------------


def test_a_page_takes_the_place_of_a_page_only(finished: Path, tmp_path: Path, copydesk: Any) -> None:
    before = digest(finished)
    (tmp_path / "notes.txt").write_text("Notes of mine.\n")
    for path in (tmp_path / "notes.txt", finished / "documents.jsonl"):
        copydesk("report", finished, "-o", path, code=2)
        copydesk("diff", finished, finished, "--html", path, code=2)
    assert digest(finished) == before
    for _ in range(2):
        copydesk("report", finished, "-o", finished / "page.html")
        copydesk("diff", finished, finished, "--html", finished / "page.html")
    assert (tmp_path / "notes.txt").read_text() == "Notes of mine.\n"
