"""What a run tells: lines for people, and lines for machines."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

STORY = "OSLO, Mar 28 (Reuters) - The plan would go ahead on Friday, the minister said.\n"


@pytest.fixture
def stories(tmp_path: Path) -> Path:
    folder = tmp_path / "stories"
    folder.mkdir()
    for n in range(4):
        (folder / f"{n}.txt").write_text(STORY * (n + 1))
    (folder / "4.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
    return folder


@pytest.fixture
def args(blank_model: Path) -> list[str]:
    return ["--set", f'model="{blank_model}"', "--set", "encoder=none", "--workers", "1", "--stages", "dates"]


def test_the_log_is_lines_of_json_that_tell_the_whole_run(
    stories: Path, tmp_path: Path, args: list[str], copydesk: Any
) -> None:
    done = copydesk("run", stories, "-o", tmp_path / "out", *args, "--log-json", "-", code=3)
    events = [orjson.loads(line) for line in done.stderr.splitlines()]
    kinds = [event["event"] for event in events]
    assert kinds[0] == "failure"
    assert kinds[-1] == "finished"
    assert {"plan", "progress", "shard"} <= set(kinds)
    assert all(datetime.fromisoformat(event["time"]).tzinfo is not None for event in events)
    plan, shard, finished = (next(e for e in events if e["event"] == k) for k in ("plan", "shard", "finished"))
    assert (plan["stories"], plan["shards_asked"], plan["shards_to_do"]) == (4, 1, 1)
    assert set(shard["seconds"]) == {"parse", "dates"}
    assert (finished["ok"], finished["failed"], finished["exit_code"]) == (4, 1, 3)
    assert {row["id"] for row in finished["slow"]} == {"0.txt", "1.txt", "2.txt", "3.txt"}


def test_a_log_file_goes_beside_what_people_see_and_tells_errors(
    stories: Path, tmp_path: Path, args: list[str], copydesk: Any
) -> None:
    log = tmp_path / "log.jsonl"
    done = copydesk("run", stories, "-o", tmp_path / "out", *args, "-v", "--log-json", log, code=3)
    assert "shard 0: 4 stories" in done.stderr
    assert "slowest stories" in done.stderr
    assert "CPU seconds of the workers" in done.stderr
    copydesk("run", tmp_path, "-o", tmp_path / "out", *args, "--log-json", log, code=2)
    last = orjson.loads(log.read_bytes().splitlines()[-1])
    assert (last["event"], last["code"], last["exit_code"]) == ("error", "E_USAGE", 2)
    assert "holds a run over" in last["message"]


def test_the_times_stand_in_the_manifest(stories: Path, tmp_path: Path, args: list[str], copydesk: Any) -> None:
    done = copydesk("run", stories, "-o", tmp_path / "out", *args, code=3)
    manifest = orjson.loads((tmp_path / "out" / "run.json").read_bytes())
    assert list(manifest["cpu_seconds"]) == ["parse", "dates"]
    assert all(seconds >= 0 for seconds in manifest["cpu_seconds"].values())
    assert [row["seconds"] for row in manifest["slow"]] == sorted(
        (r["seconds"] for r in manifest["slow"]), reverse=True
    )
    assert "dates" in done.stderr.split("CPU seconds of the workers")[1]
