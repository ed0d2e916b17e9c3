"""The table of phenomena counts what it says."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson

SCRIPT = Path(__file__).with_name("phenomena.py")
TEXT = "“It is safe,” said Maria Lopez. “We checked.” Peter Green told her that he doubted it."


def story() -> dict[str, Any]:
    def at(words: str) -> list[list[int]]:
        start = TEXT.index(words)
        return [[start, start + len(words)]]

    split = [*at("“It is safe,”"), *at("“We checked.”")]
    that = at("that he doubted it")
    return {
        "id": "a",
        "text": TEXT,
        "quotes": [
            {"start": split[0][0], "end": split[1][1], "parts": split, "cue": at("said"), "source": at("Maria Lopez"),
             "type": "direct", "speaker_name": "Maria Lopez"},
            {"start": that[0][0], "end": that[0][1], "parts": that, "cue": at("told"), "source": at("Peter Green"),
             "type": "indirect"},
        ],
    }  # fmt: skip


def test_counts_by_phenomenon() -> None:
    spec = importlib.util.spec_from_file_location("phenomena", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["phenomena"] = module
    spec.loader.exec_module(module)
    gold = story()
    first = {**gold["quotes"][0], "id": "q1"}
    speaker = {"start": gold["quotes"][0]["source"][0][0], "end": gold["quotes"][0]["source"][0][1]}
    document = {"quotes": [first], "attributions": [{"quote": "q1", "speaker": speaker, "name": "María López"}]}
    table = module.count([gold], {"a": document})
    assert (table["all"].gold, table["all"].found, table["all"].sourced) == (2, 1, 1)
    assert (table["split (2+ parts)"].gold, table["split (2+ parts)"].found) == (1, 1)
    assert (table["inverted (said X)"].gold, table["told"].gold, table["that-clause"].gold) == (1, 1, 1)
    assert (table["all"].named, table["all"].right) == (1, 1)
    assert module.count([gold], {})["all"].found == 0


def test_from_the_command_line(tmp_path: Path) -> None:
    gold = tmp_path / "gold.jsonl"
    gold.write_bytes(orjson.dumps(story()) + b"\n")
    done = subprocess.run([sys.executable, SCRIPT, gold], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1].split() == ["all", "2", "1.000", "1.000", "1.000"]
    done = subprocess.run([sys.executable, SCRIPT, tmp_path / "none"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "is no file" in done.stderr
