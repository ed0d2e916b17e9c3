"""One contract for every engine: the same bytes, failures and resume, whoever hands out the shards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from runs import digest, leftovers, ours, rows, write_stories

from pipeline import run, run_shards
from pipeline.errors import BusyError, UsageError
from pipeline.settings import load

Engine = list[str]
TROUBLE = {"PLEASE-RAISE": "E_STAGE", "PLEASE-DIE": "E_WORKER_DIED"}


@pytest.fixture(scope="module")
def cluster(trouble_env: dict[str, str]) -> Iterator[Any]:
    """Two Dask workers, processes of their own, in an environment where the stage ``trouble`` is installed."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, env=trouble_env, silence_logs=50
    ) as cluster:
        yield cluster


@pytest.fixture(params=["local 1", "local 2", "dask 2"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Options of the command that choose the engine."""
    name, count = request.param.split()
    if name == "local":
        return ["--workers", count]
    return ["--engine", "dask", "--scheduler", request.getfixturevalue("cluster").scheduler_address]


@pytest.fixture(scope="module")
def troubled_stories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_stories(tmp_path_factory.mktemp("engines") / "stories")
    for n, word in enumerate(TROUBLE):
        (folder / f"story-00{n + 3}-x.txt").write_text(f"OSLO (Reuters) - This one says {word}, plainly.")
    return folder


@pytest.fixture(scope="module")
def expected(troubled_stories: Path, blank_model: Path, trouble_env: dict[str, str], copydesk: Any) -> Path:
    out = troubled_stories.parent / "expected"
    copydesk("run", troubled_stories, "-o", out, *common(blank_model), "--workers", "1", code=3, env=trouble_env)
    return out


def common(model: Path) -> list[str]:
    return [
        "--set",
        f'model="{model}"',
        "--set",
        "encoder=none",
        "--set",
        "run.shard_words=150",
        "--stages",
        "dates,trouble",
    ]


def test_every_engine_gives_the_same_documents_and_failures(
    engine: Engine,
    troubled_stories: Path,
    expected: Path,
    tmp_path: Path,
    blank_model: Path,
    trouble_env: dict[str, str],
    copydesk: Any,
) -> None:
    out = tmp_path / "out"
    copydesk("run", troubled_stories, "-o", out, *common(blank_model), *engine, code=3, env=trouble_env)
    for name in ("documents.jsonl", "failures.jsonl", "skipped.jsonl"):
        assert (out / name).read_bytes() == (expected / name).read_bytes()
    assert {row["code"] for row in rows(out / "failures.jsonl")} == set(TROUBLE.values())
    again = copydesk("run", troubled_stories, "-o", out, *common(blank_model), *engine, code=3, env=trouble_env)
    assert "everything is made already" in again.stderr


def begin(stories: Path, out: Path, model: Path, engine: Engine) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pipeline.cli", "run", str(stories), "-o", str(out), *common(model)[:-1], "dates"]
    process = subprocess.Popen([*command, *engine], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list(out.glob("work/shards/*/receipt.json")):
        time.sleep(0.02)
        assert process.poll() is None
    return process


@pytest.mark.parametrize(("sig", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 130)])
def test_every_engine_goes_on_after_it_was_stopped(
    sig: signal.Signals, code: int, engine: Engine, tmp_path: Path, quick: Callable[..., Any], blank_model: Path
) -> None:
    stories = write_stories(tmp_path / "stories", 150)
    run([stories], tmp_path / "clean", settings=quick(), stages=["dates"])
    process = begin(stories, tmp_path / "out", blank_model, engine)
    process.send_signal(sig)
    assert process.wait(120) == code
    begin_again = [sys.executable, "-m", "pipeline.cli", "run", str(stories), "-o", str(tmp_path / "out")]
    subprocess.run([*begin_again, *common(blank_model)[:-1], "dates", *engine], check=True, capture_output=True)
    assert digest(tmp_path / "out") == digest(tmp_path / "clean")
    assert leftovers(tmp_path / "out") == []


def test_a_killed_dask_worker_hands_its_shard_back(
    cluster: Any, tmp_path: Path, quick: Callable[..., Any], blank_model: Path
) -> None:
    stories = write_stories(tmp_path / "stories", 150)
    run([stories], tmp_path / "clean", settings=quick(), stages=["dates"])
    engine = ["--engine", "dask", "--scheduler", cluster.scheduler_address]
    process = begin(stories, tmp_path / "out", blank_model, engine)
    os.kill(cluster.workers[0].pid, signal.SIGKILL)
    assert process.wait(120) == 0
    assert digest(tmp_path / "out") == digest(tmp_path / "clean")


def test_a_dask_cluster_that_is_not_there_is_a_usage_error(
    stories: Path, tmp_path: Path, quick: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    from pipeline.batch import dask

    monkeypatch.setattr(dask, "_JOIN", 1)
    with pytest.raises(UsageError, match="no Dask cluster answers"):
        run([stories], tmp_path / "out", settings=quick("run.engine=dask", "run.scheduler=tcp://127.0.0.1:9"))


def test_without_distributed_the_cure_is_named(
    stories: Path, tmp_path: Path, quick: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"pip install 'copydesk\[dask\]'"):
        run([stories], tmp_path / "out", settings=quick("run.engine=dask"))


# --- array jobs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parts", [["0-1", "2,3", "4-999"], ["0/2", "1/2"]])
def test_shards_done_in_parts_join_to_the_same_bytes(
    parts: list[str], stories: Path, tmp_path: Path, quick: Any, here: None
) -> None:
    run([stories], tmp_path / "whole", settings=quick())
    made = 0
    for text in parts:
        part = run_shards(text, [stories], tmp_path / "out", settings=quick())
        made += part.made
        assert not (tmp_path / "out" / "documents.jsonl").exists()
        assert run_shards(text, [stories], tmp_path / "out", settings=quick()).made == 0
    assert made == part.shards > 4
    assert run([stories], tmp_path / "out", settings=quick()).made == ()
    assert digest(tmp_path / "out") == digest(tmp_path / "whole")


def test_what_no_part_did_the_last_command_does(stories: Path, tmp_path: Path, quick: Any, here: None) -> None:
    run([stories], tmp_path / "whole", settings=quick())
    run_shards("1/3", [stories], tmp_path / "out", settings=quick())
    assert run([stories], tmp_path / "out", settings=quick()).ok == 24
    assert digest(tmp_path / "out") == digest(tmp_path / "whole")


def test_parts_and_whole_runs_keep_out_of_each_others_way(
    stories: Path, tmp_path: Path, quick: Any, here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.batch import job

    out, others = tmp_path / "out", []
    real = job.engine_for

    def while_another_is_at_work(*given: Any) -> Any:
        monkeypatch.setattr(job, "engine_for", real)
        for call in (lambda: run([stories], out, settings=quick()), lambda: run_shards("0/2", [stories], out)):
            with pytest.raises((BusyError, UsageError)) as raised:
                call()
            others.append(type(raised.value))
        others.append(run_shards("1/2", [stories], out, settings=quick()).made)
        return real(*given)

    monkeypatch.setattr(job, "engine_for", while_another_is_at_work)
    run_shards("0/2", [stories], out, settings=quick())
    assert others[:2] == [BusyError, BusyError]
    assert others[2] > 1
    assert run([stories], out, settings=quick()).ok == 24


@pytest.mark.parametrize("text", ["", "a", "5-2", "3/3", "1/0", "-1", "1-2-3"])
def test_shards_that_make_no_sense(text: str, stories: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="names no shards"):
        run_shards(text, [stories], tmp_path / "out", settings=load())


def test_the_command_for_parts(stories: Path, tmp_path: Path, args: list[str], copydesk: Any) -> None:
    done = copydesk("run", stories, "-o", tmp_path / "out", *args, "--shards", "0-1")
    assert "2 shards made" in done.stderr
    assert not ours(tmp_path)
    assert not [p for p in psutil.Process().children() if "pipeline.batch.worker" in p.cmdline()]
