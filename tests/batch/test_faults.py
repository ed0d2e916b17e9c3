"""Faults, one by one: what a run does when it is killed, stopped, starved, or finds its files changed.

The README's table of faults names these tests.
"""

from __future__ import annotations

import errno
import os
import random
import re
import shutil
import signal
import subprocess
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from runs import Disk, digest, leftovers, ours, rows, write_stories

from pipeline import open_run, rerun, run
from pipeline.batch import job, plan
from pipeline.batch.job import Interrupted
from pipeline.batch.store import Store
from pipeline.errors import BusyError, StorageError, UsageError
from pipeline.readers import discover

COPYDESK = str(Path(sysconfig.get_path("scripts")) / "copydesk")


# --- stopping and going on ---------------------------------------------------------------------------------------


def start(stories: Path, out: Path, args: list[str]) -> subprocess.Popen[bytes]:
    command = [COPYDESK, "run", str(stories), "-o", str(out), *args]
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, preexec_fn=heeding
    )


def heeding() -> None:
    """No signal is ignored, as it is where the tests themselves run under ``nohup``."""
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, signal.SIG_DFL)


def kill_at_random_moments(
    stories: Path, tmp_path: Path, args: list[str], copydesk: Any, times: int, kill: Callable[[Any, Path], None]
) -> None:
    copydesk("run", stories, "-o", tmp_path / "clean", *args)
    begun = time.monotonic()
    copydesk("run", stories, "-o", tmp_path / "timed", *args)
    whole = time.monotonic() - begun
    chance = random.Random(0)
    out = tmp_path / "out"
    for n in range(times):
        if n % 4 == 0:
            shutil.rmtree(out, ignore_errors=True)
        process = start(stories, out, args)
        time.sleep(chance.uniform(0, whole))
        kill(process, tmp_path)
        process.wait()
        if (out / "documents.jsonl").exists():
            assert digest(out) == digest(tmp_path / "clean")
    copydesk("run", stories, "-o", out, *args)
    assert digest(out) == digest(tmp_path / "clean")
    assert leftovers(out) == []
    assert (out / "failures.jsonl").read_bytes() == b""


def kill_parent(process: subprocess.Popen[bytes], _: Path) -> None:
    process.send_signal(signal.SIGKILL)


def kill_worker(_: subprocess.Popen[bytes], tmp_path: Path) -> None:
    for worker in ours(tmp_path)[:1]:
        worker.kill()


victims = pytest.mark.parametrize("kill", [kill_parent, kill_worker])


@victims
def test_killed_at_random_moments_the_same_command_finishes_with_the_same_bytes(
    kill: Any, stories: Path, tmp_path: Path, args: list[str], copydesk: Any
) -> None:
    kill_at_random_moments(stories, tmp_path, args, copydesk, 5, kill)


@pytest.mark.soak
@victims
def test_killed_at_a_hundred_random_moments(kill: Any, tmp_path: Path, args: list[str], copydesk: Any) -> None:
    kill_at_random_moments(write_stories(tmp_path / "stories", 300), tmp_path, args, copydesk, 100, kill)


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_keeps_what_is_finished_and_exits_130(
    sig: signal.Signals, tmp_path: Path, args: list[str], copydesk: Any
) -> None:
    stories = write_stories(tmp_path / "stories", 400)
    out = tmp_path / "out"
    process = start(stories, out, args)
    while not list(out.glob("work/shards/*/receipt.json")):
        time.sleep(0.02)
        assert process.poll() is None
    process.send_signal(sig)
    assert process.wait(120) == 130
    kept = len(list(out.glob("work/shards/*/receipt.json")))
    assert 0 < kept < open_run_shards(out)
    assert not (out / "documents.jsonl").exists()
    done = copydesk("run", stories, "-o", out, *args)
    assert "made already" in done.stderr
    assert len(rows(out / "documents.jsonl")) == 400


def test_a_second_ctrl_c_waits_for_nothing(
    stories: Path, tmp_path: Path, args: list[str], trouble_env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in trouble_env.items():
        monkeypatch.setenv(name, value)
    say("PLEASE-HANG", stories)
    process = start(stories, tmp_path / "out", args)
    while not list((tmp_path / "out").glob("work/shards/*/receipt.json")):
        time.sleep(0.02)
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):  # for the shard in hand, that hangs for minutes
        process.wait(2)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130


def test_what_nohup_ignores_stops_nothing(tmp_path: Path, args: list[str]) -> None:
    stories, out = write_stories(tmp_path / "stories", 60), tmp_path / "out"
    command = ["nohup", COPYDESK, "run", str(stories), "-o", str(out), *args]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    while not list(out.glob("work/shards/*/receipt.json")):
        time.sleep(0.02)
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGHUP)
    assert process.wait(120) == 0
    assert len(rows(out / "documents.jsonl")) == 60


def test_stopped_while_the_stories_are_read_or_joined_it_says_so_and_goes_on(
    stories: Path, tmp_path: Path, quick: Any, here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    for function in ("_line", "_failures"):
        for module in (plan, job):
            if real := getattr(module, function, None):
                monkeypatch.setattr(module, function, _interrupting(real))
                with pytest.raises(Interrupted, match="stopped"):
                    run([stories], out, settings=quick())
                monkeypatch.setattr(module, function, real)
                assert not (out / "documents.jsonl").exists()
                assert leftovers(out) == []
    assert run([stories], out, settings=quick()).ok == 24


def _interrupting(real: Any) -> Any:
    def call(*args: Any) -> Any:
        signal.raise_signal(signal.SIGTERM)
        return real(*args)

    return call


def open_run_shards(out: Path) -> int:
    return len(Store(out).read_plan().shards)


# --- workers that die --------------------------------------------------------------------------------------------


def say(word: str, stories: Path) -> None:
    (stories / "story-007-x.txt").write_text(f"OSLO (Reuters) - This one says {word}, plainly.")


@pytest.fixture
def troubled(stories: Path, trouble_env: dict[str, str], args: list[str], copydesk: Any) -> Callable[..., Any]:
    """Run with the stage ``trouble`` over the stories and one that says ``word``."""

    def call(word: str, out: Path, *more: str, code: int | None = 3) -> Any:
        say(word, stories)
        return copydesk("run", stories, "-o", out, *args, *more, code=code, env=trouble_env)

    return call


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("PLEASE-RAISE", "E_STAGE"),
        ("PLEASE-JUNK", "E_STAGE"),
        ("PLEASE-DIE", "E_WORKER_DIED"),
        ("PLEASE-HANG", "E_TIMEOUT"),
    ],
)
def test_one_bad_story_is_set_aside_and_its_neighbours_are_untouched(
    word: str, code: str, tmp_path: Path, troubled: Any
) -> None:
    troubled("nothing", tmp_path / "clean", code=0)
    done = troubled(word, tmp_path / "out", "--set", "run.story_timeout=3")
    assert "1 partial" in done.stderr
    failures = rows(tmp_path / "out" / "failures.jsonl")
    assert {(f["id"], f["code"]) for f in failures} == {("story-007-x.txt", code)}
    assert all(f["in_documents"] for f in failures)
    clean, out = ({r["id"]: r for r in rows(tmp_path / n / "documents.jsonl")} for n in ("clean", "out"))
    bad = out.pop("story-007-x.txt")
    del clean["story-007-x.txt"]
    assert clean == out
    assert word in bad["text"]
    assert bad["stages"]["trouble"]["error"]["code"] == code


def test_a_worker_killed_from_outside_costs_nothing(tmp_path: Path, troubled: Any) -> None:
    troubled("nothing", tmp_path / "clean", code=0)
    once = ("--set", f'trouble.once="{tmp_path / "once"}"')
    done = troubled("DIE-ONCE", tmp_path / "out", *once, code=0)
    assert "killed by signal 9" in done.stderr
    assert len(rows(tmp_path / "out" / "documents.jsonl")) == 25


def test_fail_fast_stops_at_the_first_failure(tmp_path: Path, troubled: Any) -> None:
    done = troubled("PLEASE-RAISE", tmp_path / "out", "--fail-fast")
    assert "story-007-x.txt" in done.stderr
    assert "E_STAGE" in done.stderr
    assert not (tmp_path / "out" / "documents.jsonl").exists()
    assert troubled("PLEASE-RAISE", tmp_path / "out").returncode == 3


def test_a_stage_of_another_package_gets_the_same_treatment(
    tmp_path: Path, troubled: Any, trouble_env: dict[str, str], copydesk: Any
) -> None:
    out = tmp_path / "out"
    troubled("nothing", out, code=0)
    before = rows(out / "documents.jsonl")
    assert all(row["counted"] == [{"letter": "e", "count": row["text"].count("e")}] for row in before)
    listing = copydesk("stages", env=trouble_env).stdout
    assert "trouble 1: makes counted, needs entities" in listing
    copydesk("rerun", "trouble", out, "--set", "trouble.letter=o", env=trouble_env)
    after = rows(out / "documents.jsonl")
    assert all(row["counted"] == [{"letter": "o", "count": row["text"].count("o")}] for row in after)
    for row in (*before, *after):
        del row["counted"], row["stages"]["trouble"]
    assert before == after
    copydesk("check", out, env=trouble_env)


# --- disks, locks and damage -------------------------------------------------------------------------------------


@pytest.fixture
def finished(stories: Path, tmp_path: Path, quick: Any, here: None) -> Path:
    out = tmp_path / "finished"
    run([stories], out, settings=quick())
    return out


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("pattern", ["parse-*.spacy", "quotes-*.jsonl", "documents.jsonl", "receipt.json"])
@pytest.mark.parametrize("harm", [damage, lambda p: p.write_bytes(p.read_bytes()[:-9]), lambda p: p.unlink()])
def test_damaged_layers_are_made_again(
    pattern: str, harm: Callable[[Path], None], stories: Path, finished: Path, quick: Any
) -> None:
    before = digest(finished)
    damaged = sorted((finished / "work" / "shards").glob(f"*/{pattern}"))[:2]
    for path in damaged:
        harm(path)
    kept = [path.exists() for path in damaged]
    run([stories], finished, settings=quick())
    assert digest(finished) == before
    told = open_run(finished).manifest["warnings"]
    for n, (path, there) in enumerate(zip(damaged, kept, strict=True)):
        # A receipt that is gone is a shard that was never made.
        warning = f"shard {n}: the kept file {path.name} was changed, cut short or removed; it is made again"
        assert (warning in told) is (there or path.name != "receipt.json")


@pytest.mark.parametrize("harm", [damage, lambda p: p.write_bytes(p.read_bytes()[:-9]), lambda p: p.unlink()])
def test_a_rerun_over_damaged_stories_or_a_damaged_plan_says_what_to_do(
    harm: Callable[[Path], None], stories: Path, finished: Path, quick: Any
) -> None:
    before = digest(finished)
    for path in (finished / "work" / "shards" / "000001" / "documents.jsonl", finished / "work" / "plan.json"):
        harm(path)
        with pytest.raises(StorageError, match="run's own command again"):
            rerun("dates", finished)
        assert digest(finished) == before
        run([stories], finished, settings=quick())
        assert digest(finished) == before


def test_a_damaged_manifest_is_told_and_written_anew(stories: Path, finished: Path, quick: Any) -> None:
    (finished / "run.json").write_bytes(b'{"manifest": 1, ')
    with pytest.raises(StorageError, match=r"run\.json cannot be read"):
        rerun("dates", finished)
    run([stories], finished, settings=quick())
    assert any("run.json" in warning for warning in open_run(finished).manifest["warnings"])


def clean(stories: Path, tmp_path: Path, settings: Any) -> str:
    run([stories], tmp_path / "clean", settings=settings, stages=["dates"])
    return digest(tmp_path / "clean")


def test_the_nth_write_of_a_run_fails_for_every_n(tmp_path: Path, quick: Any, here: None) -> None:
    """Open, write, fsync, rename, make, remove: each fails once, in a fresh folder, until a run meets none."""
    stories = write_stories(tmp_path / "stories", 2)
    wanted = clean(stories, tmp_path, quick())
    out = tmp_path / "out"
    refused = 0
    for at in range(1, 1000):
        shutil.rmtree(out, ignore_errors=True)
        with pytest.MonkeyPatch.context() as patched:
            disk = Disk(patched, at)
            try:
                run([stories], out, settings=quick(), stages=["dates"])
            except StorageError as error:
                refused += 1
                assert "No space left" in str(error)
                assert not (out / "documents.jsonl").exists() or digest(out) == wanted
        run([stories], out, settings=quick(), stages=["dates"])
        assert digest(out) == wanted
        assert leftovers(out) == []
        if disk.calls < at:
            break
    assert at > 40
    assert refused > 30


def test_the_nth_write_of_a_rerun_fails_for_every_n(tmp_path: Path, quick: Any, here: None) -> None:
    stories = write_stories(tmp_path / "stories", 2)
    old = clean(stories, tmp_path, quick())
    rerun("dates", tmp_path / "clean", assignments=["dates.future_bias=0.9"], new=tmp_path / "new")
    wanted, out = digest(tmp_path / "new"), tmp_path / "out"
    for at in range(1, 1000):
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(tmp_path / "clean", out)
        with pytest.MonkeyPatch.context() as patched:
            disk = Disk(patched, at)
            try:
                rerun("dates", out, assignments=["dates.future_bias=0.9"])
            except StorageError as error:
                assert "No space left" in str(error)
                assert digest(out) in {old, wanted}
        rerun("dates", out, assignments=["dates.future_bias=0.9"])
        assert digest(out) == wanted
        assert leftovers(out) == []
        if disk.calls < at:
            break
    assert at > 15


def test_a_worker_on_a_full_disk_ends_the_run_with_exit_4(
    stories: Path, tmp_path: Path, args: list[str], copydesk: Any
) -> None:
    def small_files() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, 6_000))

    big = ["--set", "run.shard_words=100000"]
    done = copydesk("run", stories, "-o", tmp_path / "out", *args, *big, code=4, preexec_fn=small_files)
    assert "cannot write" in done.stderr
    copydesk("run", stories, "-o", tmp_path / "out", *args)
    assert len(rows(tmp_path / "out" / "documents.jsonl")) == 24


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.EIO, errno.EDQUOT])
def test_an_output_that_stops_taking_files_is_a_storage_error(
    code: int, stories: Path, tmp_path: Path, quick: Any, here: None
) -> None:
    for at in (1, 5, 20):
        with pytest.MonkeyPatch.context() as patched:
            Disk(patched, at, code, for_good=True)
            with pytest.raises(StorageError, match=os.strerror(code)):
                run([stories], tmp_path / str(at), settings=quick(), stages=["dates"])


def test_an_output_that_cannot_be_written_is_exit_4(stories: Path, copydesk: Any, args: list[str]) -> None:
    done = copydesk("run", stories, "-o", "/proc/copydesk", *args, code=4)
    assert "cannot write" in done.stderr


def test_two_runs_on_one_folder(stories: Path, tmp_path: Path, args: list[str], copydesk: Any, quick: Any) -> None:
    from filelock import FileLock

    out = tmp_path / "out"
    (out / "work").mkdir(parents=True)
    with FileLock(out / "work" / "lock"):
        done = copydesk("run", stories, "-o", out, *args, code=5)
        assert "another run" in done.stderr
        with pytest.raises(BusyError):
            run([stories], out, settings=quick())


def test_two_commands_at_once_on_one_folder(tmp_path: Path, args: list[str], copydesk: Any, quick: Any) -> None:
    stories = write_stories(tmp_path / "stories", 60)
    out = tmp_path / "out"
    first = start(stories, out, args)
    while not list(out.glob("work/shards/*")):
        time.sleep(0.02)
        assert first.poll() is None
    with pytest.raises(BusyError, match="another run is at work"):
        run([stories], out, settings=quick())
    assert first.wait(120) == 0
    assert len(rows(out / "documents.jsonl")) == 60


def test_a_run_of_a_newer_version_is_refused(stories: Path, finished: Path, quick: Any) -> None:
    path = finished / "run.json"
    path.write_bytes(orjson.dumps({**orjson.loads(path.read_bytes()), "manifest": 99}))
    before = digest(finished)
    with pytest.raises(UsageError, match="newer copydesk"):
        rerun("quotes", finished)
    with pytest.raises(UsageError, match="newer copydesk"):
        run([stories], finished, settings=quick())
    assert digest(finished) == before


# --- settings and clocks -----------------------------------------------------------------------------------------


def test_a_run_goes_on_only_under_the_settings_it_was_begun_with(
    stories: Path, tmp_path: Path, quick: Any, here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(job, "_failures", _interrupting(job._failures))
        with pytest.raises(Interrupted):
            run([stories], out, settings=quick())
    with pytest.raises(UsageError, match=r"future_bias = 0\.\d+, now 0\.91.*--new-settings"):
        run([stories], out, settings=quick("dates.future_bias=0.91"))
    with pytest.raises(UsageError, match=r"read\.max_bytes"):
        run([stories], out, settings=quick("read.max_bytes=1000"))
    assert run([stories], out, settings=quick("run.workers=1", "run.shard_words=200")).ok == 24
    with pytest.raises(UsageError, match="copydesk rerun"):
        run([stories], out, settings=quick("dates.future_bias=0.91"))
    run([stories], out, settings=quick("dates.future_bias=0.91"), new_settings=True)
    assert open_run(out).manifest["settings"]["dates"]["future_bias"] == 0.91


def test_a_run_that_has_not_finished_cannot_be_rerun(stories: Path, tmp_path: Path, quick: Any, here: None) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(job, "_failures", _interrupting(job._failures))
        with pytest.raises(Interrupted):
            run([stories], tmp_path / "out", settings=quick())
    with pytest.raises(UsageError, match="has not finished"):
        rerun("dates", tmp_path / "out")


def test_the_clock_may_go_back_and_files_may_be_from_the_future(
    stories: Path, finished: Path, tmp_path: Path, quick: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digest(finished)
    now = [4e9]

    def back() -> float:
        now[0] -= 1000.0
        return now[0]

    monkeypatch.setattr(time, "time", back)
    run([stories], tmp_path / "out", settings=quick())
    assert digest(tmp_path / "out") == before
    for stamp in (0, 4_000_000_000):
        for path in [*finished.rglob("*"), *stories.rglob("*")]:
            os.utime(path, (stamp, stamp))
        assert run([stories], finished, settings=quick()).made == ()
        assert digest(finished) == before


def test_a_story_may_vanish_or_change_once_the_run_goes_on(
    stories: Path, tmp_path: Path, quick: Any, here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is gone when it is to be read is a failure; what was read stays as it was, whatever becomes of the file."""
    real = job.engine_for
    gone, changed = (stories / name for name in ("story-003.txt", "story-005.txt"))
    before = changed.read_text("utf-8")

    def found(path: Path, name: str) -> Any:
        gone.unlink(missing_ok=True)  # the folder is listed by now
        return seen(path, name)

    def later(*given: Any) -> Any:
        changed.write_text("Another text.")
        return real(*given)

    seen = discover._thing
    monkeypatch.setattr(discover, "_thing", found)
    monkeypatch.setattr(job, "engine_for", later)
    assert run([stories], tmp_path / "out", settings=quick()).exit_code == 3
    (failure,) = rows(tmp_path / "out" / "failures.jsonl")
    assert (failure["id"], failure["code"]) == ("story-003.txt", "E_IO")
    texts = {row["id"]: row["text"] for row in rows(tmp_path / "out" / "documents.jsonl")}
    assert texts["story-005.txt"] == before
    assert run([stories], tmp_path / "out", settings=quick()).exit_code == 0
    texts = {row["id"]: row["text"] for row in rows(tmp_path / "out" / "documents.jsonl")}
    assert texts["story-005.txt"] == "Another text."
    assert len(texts) == 23


# --- the language model fails ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "code"),
    [("PARSE-RAISE", "E_PARSE"), ("PARSE-DIE", "E_WORKER_DIED"), ("PARSE-HANG", "E_TIMEOUT")],
)
def test_a_story_that_the_language_model_fails_on_is_set_aside(
    word: str,
    code: str,
    stories: Path,
    tmp_path: Path,
    trouble_env: dict[str, str],
    troubled_model: Path,
    copydesk: Any,
) -> None:
    args = [
        "--set",
        f'model="{troubled_model}"',
        "--set",
        "encoder=none",
        "--set",
        "run.story_timeout=3",
        "--workers",
        "1",
        "--stages",
        "dates",
    ]
    copydesk("run", stories, "-o", tmp_path / "clean", *args, env=trouble_env)
    (stories / "story-007-x.txt").write_text(f"OSLO (Reuters) - This one says {word}, plainly.")
    copydesk("run", stories, "-o", tmp_path / "out", *args, code=3, env=trouble_env)
    failures = rows(tmp_path / "out" / "failures.jsonl")
    assert [(f["id"], f["code"]) for f in failures] == [("story-007-x.txt", code)]
    before, after = ({r["id"]: r for r in rows(tmp_path / n / "documents.jsonl")} for n in ("clean", "out"))
    assert word in after.pop("story-007-x.txt")["text"]
    assert before == after


def test_every_test_the_table_of_faults_names_is_there() -> None:
    root = Path(__file__).parent.parent
    table = (root.parent / "README.md").read_text("utf-8").split("## Faults", 1)[1].split("\n## ", 1)[0]
    named = set(re.findall(r"`(test_\w+)", table))
    there = {
        name for path in root.rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text("utf-8"))
    }
    assert len(named) > 15
    assert named <= there
