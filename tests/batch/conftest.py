"""Stories, settings and engines for tests of the runner: a language model that costs nothing, small shards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from runs import Here, ours, write_stories

from pipeline.batch import job
from pipeline.settings import load


@pytest.fixture
def stories(tmp_path: Path) -> Path:
    return write_stories(tmp_path / "stories")


@pytest.fixture
def quick(blank_model: Path) -> Callable[..., Any]:
    """Settings with the quick model and small shards."""

    def make(*assignments: str) -> Any:
        return load(
            None, [f'model="{blank_model}"', "encoder=none", "run.shard_words=150", "run.workers=2", *assignments]
        )

    return make


@pytest.fixture
def args(blank_model: Path) -> list[str]:
    """The same for the command."""
    return [
        "--set",
        f'model="{blank_model}"',
        "--set",
        "encoder=none",
        "--set",
        "run.shard_words=150",
        "--workers",
        "2",
    ]


@pytest.fixture(autouse=True)
def _no_worker_left_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("COPYDESK_TEST", str(tmp_path))
    yield
    deadline = time.monotonic() + 20
    while ours(tmp_path):
        assert time.monotonic() < deadline, "worker processes outlived their run"
        time.sleep(0.05)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of this test stay in this process."""
    monkeypatch.setattr(job, "engine_for", Here)
