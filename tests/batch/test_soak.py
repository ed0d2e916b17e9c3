"""The long check: a large run, killed again and again, comes out with every story and the bytes of a quiet one.

python -m pytest -m soak -s tests/batch/test_soak.py --soak-stories 20000 --soak-kills 40
python -m pytest -m soak -s tests/batch/test_soak.py --soak-stories 20000 --soak-blank      # without the models
"""

from __future__ import annotations

import random
import signal
import subprocess
import sysconfig
import time
from pathlib import Path
from typing import Any

import pytest
from corpus import write_corpus
from runs import digest, leftovers, ours

COPYDESK = str(Path(sysconfig.get_path("scripts")) / "copydesk")


@pytest.mark.soak
def test_a_large_run_under_repeated_kills(
    tmp_path: Path, blank_model: Path, copydesk: Any, request: pytest.FixtureRequest
) -> None:
    count, kills = (request.config.getoption(name) for name in ("--soak-stories", "--soak-kills"))
    blank = ["--set", f'model="{blank_model}"', "--set", "encoder=none"]
    args = blank if request.config.getoption("--soak-blank") else []
    words = write_corpus(tmp_path / "corpus.jsonl", count)
    out, log = tmp_path / "out", tmp_path / "out.log"
    command = [COPYDESK, "run", str(tmp_path / "corpus.jsonl"), "-o", str(out), *args]
    chance = random.Random(0)
    begun, done, parents, workers = time.monotonic(), -1, 0, 0
    while True:
        with open(log, "ab") as lines:
            process = subprocess.Popen(command, stdout=lines, stderr=lines)
            # Some progress first: a run killed before its first shard is done would never end.
            while process.poll() is None and shards(out) <= done:
                time.sleep(0.2)
            done = shards(out)
            if parents + workers >= kills or process.poll() is not None:
                assert process.wait() == 0, log.read_text("utf-8")[-2000:]
                break
            time.sleep(chance.uniform(0, 2))
            if chance.random() < 0.5:
                process.send_signal(signal.SIGKILL)
                parents += 1
                process.wait()
                continue
            for worker in ours(tmp_path)[:1]:
                worker.kill()
                workers += 1
            time.sleep(chance.uniform(0, 2))
            process.send_signal(signal.SIGKILL)
            parents += 1
            process.wait()
    seconds = time.monotonic() - begun
    print(f"\n{count} stories, {words:,} words: {parents} kills of the run, {workers} of a worker, {seconds:.0f} s")
    with open(out / "documents.jsonl", "rb") as lines:
        assert sum(1 for _ in lines) == count
    assert (out / "failures.jsonl").read_bytes() == b""
    assert leftovers(out) == []
    copydesk("check", out, timeout=7200)
    copydesk("run", tmp_path / "corpus.jsonl", "-o", tmp_path / "quiet", *args, timeout=36000)
    assert digest(out) == digest(tmp_path / "quiet")
    print(f"{count} documents, the bytes of a quiet run: sha256 {digest(out)}")


def shards(out: Path) -> int:
    return sum(1 for _ in out.glob("work/shards/*/receipt.json"))
