"""What the README says is so."""

from __future__ import annotations

import re
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from pipeline.cli import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def block(after: str, language: str) -> str:
    found = re.compile(rf"{re.escape(after)}.*?```{language}\n(.*?)```", re.DOTALL).search(README)
    assert found is not None, after
    return found[1]


def test_there_are_two_commands_and_the_tests_are_one() -> None:
    for name in ("run", "tests"):
        command = block(f"<!-- command: {name} -->", "sh").strip()
        assert "\n" not in command
        assert command.startswith("python3 -m venv .venv && ")


def test_the_main_command_reads_the_samples_without_failures(tmp_path: Path, copydesk: Any) -> None:
    command = block("<!-- command: run -->", "sh").strip().rsplit("copydesk ", 1)[1]
    words = shlex.split(command)
    assert words[0] == "run"
    words[words.index("-o") + 1] = str(tmp_path / "out")
    inputs = [str(p) for word in words for p in (sorted(ROOT.glob(word)) if "*" in word else [word])]
    copydesk(*inputs, cwd=ROOT)
    rows = [orjson.loads(line) for line in (tmp_path / "out" / "documents.jsonl").read_bytes().splitlines()]
    assert len(rows) >= 13
    assert all(len(row["stages"]) == 5 for row in rows)
    kept = [orjson.loads(line) for line in (ROOT / "samples" / "documents.jsonl").read_bytes().splitlines()]
    for row in (*rows, *kept):
        del row["stages"]
    assert rows == kept


def test_the_round_of_tuning_shown_works(tmp_path: Path, copydesk: Any) -> None:
    lines = block("The whole round on stories of this repository", "sh").splitlines()
    stories = (ROOT / "tests/golden/wikinews.jsonl").read_bytes().splitlines()[:4]
    (tmp_path / "tests/golden").mkdir(parents=True)
    (tmp_path / "tests/golden/wikinews.jsonl").write_bytes(b"\n".join(stories))
    told = {}
    for line in lines:
        name, *words = shlex.split(line)[1:]
        more = ["--workers", "1"] if name in {"run", "rerun"} else []
        told[name] = copydesk(name, *words, *more, cwd=tmp_path, env={"COLUMNS": "120"})
    assert list(told) == ["run", "evaluate", "sweep", "rerun", "diff"]
    assert "speech end_to_end" in told["evaluate"].stdout
    assert "best" in told["sweep"].stdout
    assert "quotes: 0 added" in told["rerun"].stderr
    assert "Gains" in told["diff"].stdout
    assert "<li " in (tmp_path / "diff.html").read_text("utf-8")


def test_every_export_shown_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.writers import FORMATS

    lines = [line for line in block("## Export", "sh").splitlines() if line]
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "documents.jsonl").write_bytes((ROOT / "samples" / "documents.jsonl").read_bytes())
    monkeypatch.chdir(tmp_path)
    formats, stories = set(), 19
    for line in lines:
        words = shlex.split(line, comments=True)
        done = CliRunner().invoke(main, words[1:])
        assert done.exit_code == 0, done.output
        path = words[words.index("-o") + 1]
        formats.add(words[words.index("--format") + 1])
        if path == "-":
            assert done.stdout.startswith("number,story,id,")
        else:
            assert done.stderr == f"{path}: {stories} stories\n"
            assert Path(path).exists()
    assert formats == set(FORMATS)
    assert Path("tasks.xml").read_text("utf-8").startswith("<View>")
    query = block("To ask the database", "sh").split('"')[1]
    with closing(sqlite3.connect("stories.db")) as db:
        assert db.execute(query).fetchall()


def test_the_tables_told_are_the_tables() -> None:
    from pipeline.writers.tables import TABLES

    row = next(line for line in README.splitlines() if line.startswith("| `csv`, `parquet`, `sqlite` |"))
    assert [name for name in re.findall(r"`(\w+)`", row) if name in TABLES] == list(TABLES)


def test_the_document_shown_is_the_document_made() -> None:
    shown = orjson.loads(block("## A document by example", "json"))
    made = orjson.loads((ROOT / "tests/golden/documents/pti-2025-03-28-tariff-talks.json").read_bytes())
    assert_within(shown, made, "document")


def test_the_table_shown_is_of_the_document_made() -> None:
    made = orjson.loads((ROOT / "tests/golden/documents/pti-2025-03-28-tariff-talks.json").read_bytes())
    speakers = {said["quote"]: said for said in made["attributions"]}
    shown = block("prints the story with names, dates and quotes coloured", "text").splitlines()
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in shown if line.startswith("│")]
    said = [row for row in rows if len(row) == 5]
    assert len(said) > 3
    for number, speaker, role, words, cue in said:
        quote = made["quotes"][int(number) - 1]
        by = speakers[quote["id"]]
        assert (by["name"], by["role"] or "", quote["cue"]["text"]) == (speaker, role, cue)
        assert made["text"][quote["start"] : quote["end"]].startswith(words.rstrip("…"))
    dates = [row for row in rows if len(row) == 3]
    assert len(dates) > 2
    assert all(any([d["text"], d["type"], d["value"]] == row for d in made["dates"]) for row in dates)
    topics = " · ".join(f"{topic['label']} {topic['score']:.2f}" for topic in made["topics"])
    assert shown[-1] == f"Topics  {topics}"


def assert_within(part: Any, whole: Any, where: str) -> None:
    """Every field shown is there; of a list, every item shown is one of the items."""
    if isinstance(part, dict):
        for key, value in part.items():
            assert_within(value, whole[key], f"{where}.{key}")
    elif isinstance(part, list) and part and isinstance(part[0], dict):
        for item in part:
            assert any(_is_within(item, other) for other in whole), f"{where}: {item}"
    else:
        assert part == whole, where


def _is_within(part: Any, whole: Any) -> bool:
    try:
        assert_within(part, whole, "")
    except (AssertionError, KeyError):
        return False
    return True


def test_the_stage_shown_works(parse: Any) -> None:
    code = block("## Add a stage", "python")
    names: dict[str, Any] = {}
    exec(code, names)
    document, doc = parse("One two three. Four five.")
    assert names["Readability"]().apply(document, doc) == {"readability": [{"words_a_sentence": 3.5}]}


def test_the_python_shown_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    code = block("## From Python", "python")
    for name in ("out", "report.html"):
        code = code.replace(f'"{name}"', repr(str(tmp_path / name)))
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}
    exec(code, names)
    assert "Solange Vautrin" in capsys.readouterr().out
    assert "Who said what" in names["html"]
    assert (tmp_path / "report.html").stat().st_size > 50_000


def test_the_exit_codes_are_those_of_the_errors() -> None:
    from pipeline import errors

    table = block_of_table("| exit code | meaning |")
    told = {int(line.split("|")[1]) for line in table}
    assert told == {errors.OK, errors.USAGE, errors.FAILURES, errors.STORAGE, errors.BUSY, errors.INTERRUPTED}


def block_of_table(head: str) -> list[str]:
    rest = README.split(head, 1)[1].splitlines()[2:]
    return [line for n, line in enumerate(rest) if all(other.startswith("|") for other in rest[: n + 1])]
