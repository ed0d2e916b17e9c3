"""The same bytes whatever is around: workers, batches, locale, time zone, hash seed. The models are the real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from runs import digest

SAMPLES = Path(__file__).parent.parent.parent / "samples" / "stories"
STORIES = sorted(SAMPLES.glob("*-2025-0[345]-*"))


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, copydesk: Any) -> str:
    out = tmp_path_factory.mktemp("expected") / "out"
    copydesk("run", *STORIES, "-o", out, "--workers", "1", env={"PYTHONHASHSEED": "0"})
    return digest(out)


@pytest.mark.parametrize(
    ("args", "env"),
    [
        (["--workers", "2", "--set", "run.shard_words=100"], {"PYTHONHASHSEED": "1"}),
        (["--workers", "1"], {"PYTHONHASHSEED": "4711", "LC_ALL": "C", "LANG": "C", "TZ": "Pacific/Auckland"}),
        (["--workers", "1", "--set", "run.shard_words=300"], {"LC_ALL": "tr_TR.UTF-8", "TZ": "America/St_Johns"}),
    ],
    ids=["workers and batches", "locale and zone", "hash seed at random"],
)
def test_nothing_around_changes_a_byte(
    args: list[str], env: dict[str, str], expected: str, tmp_path: Path, copydesk: Any
) -> None:
    assert len(STORIES) > 3
    copydesk("run", *STORIES, "-o", tmp_path / "out", *args, env=env, cwd=tmp_path)
    assert digest(tmp_path / "out") == expected
