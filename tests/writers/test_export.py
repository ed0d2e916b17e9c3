"""``copydesk export``: each format by the command, to files and to standard output, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from writers.stories import SAMPLES, documents

from pipeline import export
from pipeline.cli import main
from pipeline.errors import UsageError
from pipeline.writers import FORMATS, stream
from pipeline.writers.names import file_name, id_of

RUN = {"documents.jsonl", "failures.jsonl", "skipped.jsonl", "run.json"}
TEXTS = ("jsonl", "webannotation", "ninjs", "prodigy", "labelstudio")


def call(*args: object) -> Result:
    return CliRunner().invoke(main, ["export", *map(str, args)])


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_written_and_is_the_same_each_time(name: str, tmp_path: Path) -> None:
    made = []
    for place in ("one", "two"):
        path = tmp_path / place / "out"
        done = call(SAMPLES, "--format", name, "-o", path)
        assert done.exit_code == 0, done.output
        assert done.stderr == f"{path}: 19 stories\n"
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        made.append({file.relative_to(tmp_path / place): file.read_bytes() for file in files})
    assert made[0]
    assert made[0] == made[1]
    assert not list(tmp_path.rglob(".part-*"))


@pytest.mark.parametrize("name", TEXTS)
def test_standard_output_has_the_same_bytes_as_the_file(name: str, tmp_path: Path) -> None:
    export(SAMPLES, tmp_path / "out.jsonl", name)
    assert call(SAMPLES, "-f", name, "-o", "-").stdout_bytes == (tmp_path / "out.jsonl").read_bytes()


def test_json_lines_are_the_documents(tmp_path: Path) -> None:
    assert call(SAMPLES, "-f", "jsonl", "-o", "-").stdout_bytes == SAMPLES.read_bytes()


@settings(max_examples=25, deadline=None)
@given(st.lists(documents(), max_size=3))
def test_json_lines_come_back(tmp_path_factory: pytest.TempPathFactory, found: list[Any]) -> None:
    path = tmp_path_factory.mktemp("lines") / "documents.jsonl"
    path.write_bytes(b"".join(document.to_json() + b"\n" for document in found))
    assert b"".join(stream(path, "jsonl")) == path.read_bytes()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """What a run's folder looks like to the writers."""
    out = tmp_path / "run"
    out.mkdir()
    (out / "documents.jsonl").write_bytes(SAMPLES.read_bytes())
    return out


@pytest.mark.parametrize("path", ["documents.jsonl", "run.json", "", "work/x.jsonl"])
def test_the_runs_own_files_are_not_written_over(path: str, run: Path) -> None:
    before = {p: p.read_bytes() for p in run.rglob("*") if p.is_file()}
    with pytest.raises(UsageError, match="belongs to the run itself"):
        export(run, run / path, "labelstudio")
    assert {p: p.read_bytes() for p in run.rglob("*") if p.is_file()} == before


def test_a_file_of_documents_is_not_written_over(run: Path) -> None:
    done = call(run / "documents.jsonl", "-f", "prodigy", "-o", run / "documents.jsonl")
    assert done.exit_code == 2
    assert (run / "documents.jsonl").read_bytes() == SAMPLES.read_bytes()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["-f", "sqlit", "-o", "x"], "there is no format 'sqlit'. Did you mean 'sqlite'?"),
        (["-f", "csv", "-o", "-"], "Name it with --table: stories, entities"),
        (["-f", "csv", "-o", "-", "--table", "quote"], "there is no table 'quote'"),
        (["-f", "jsonl", "-o", "x", "--table", "quotes"], "jsonl has no tables to choose from"),
        (["-f", "brat", "-o", "-"], "brat is a folder, not for standard output"),
        (["-f", "parquet", "-o", "-"], "not for standard output"),
        (["-f", "sqlite", "-o", "-"], "sqlite is no text, not for standard output"),
        (["-f", "sqlite", "-o", "."], "is a folder. sqlite makes one file: name it"),
        (["-f", "jsonl", "-o", "."], "is a folder. jsonl makes one file: name it"),
    ],
)
def test_what_cannot_be_is_told(args: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = call(SAMPLES, *args)
    assert done.exit_code == 2
    assert says in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_run_is_told(tmp_path: Path) -> None:
    for source in (tmp_path / "none", tmp_path):
        done = call(source, "-f", "jsonl", "-o", tmp_path / "x.jsonl")
        assert done.exit_code == 2
        assert str(source) in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"nonsense", "line 20: "),
        (b'{"id": "x"}', "line 20: text: Field required"),
        (
            orjson.dumps({"id": "x", "text": "ab", "body": {"start": 0, "end": 9}}),
            "range 0:9 does not lie in a text of 2",
        ),
    ],
)
@pytest.mark.parametrize("name", ["jsonl", "csv", "parquet", "sqlite", "brat"])
def test_a_broken_document_is_told_and_nothing_is_left(name: str, line: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(SAMPLES.read_bytes() + line + b"\n")
    done = call(tmp_path / "in.jsonl", "-f", name, "-o", tmp_path / "out")
    assert done.exit_code == 2
    assert says in done.stderr
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert left == [tmp_path / "in.jsonl"]


@given(st.text(max_size=30) | st.text("./\\%~ a:", max_size=12))
def test_a_file_name_is_safe_and_tells_the_id(id_: str) -> None:
    name = file_name(id_)
    parts = name.split("/")
    assert not {"", ".", ".."} & set(parts)
    assert not set(name) & set('\0\n<>:"|?*\\')
    assert id_of(name) == id_


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_a_name_that_came_from_elsewhere_is_an_id(name: str) -> None:
    assert id_of(file_name(id_of(name))) == id_of(name)
