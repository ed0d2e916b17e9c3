"""Settings tried on kept parses and measured, through the API and the command."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson
import pytest

from pipeline import evaluate, rerun, run, sweep
from pipeline.errors import StorageError, UsageError
from pipeline.settings import load

STORIES = {
    "a": ("Oslo is now cold. It was warm on Friday.", [("Friday", "DATE", "2025-03-28")]),
    "b": ("Lima is currently warm. A 30-year-old man left in May 2024.", [("May 2024", "DATE", "2024-05")]),
    "c": ("He is now in Pune. She left on May 2, 2024.", [("May 2, 2024", "DATE", "2024-05-02")]),
    "d": ("Nothing on Friday.", [("Friday", "DATE", "2025-03-28")]),
}


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return path


def gold_row(id_: str) -> dict[str, Any]:
    text, dates = STORIES[id_]
    timexes = [
        {"start": text.index(words), "end": text.index(words) + len(words), "type": type_, "value": value}
        for words, type_, value in dates
    ]
    return {"id": id_, "text": text, "timexes": timexes}


@pytest.fixture(scope="module")
def gold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("gold") / "gold.jsonl", *map(gold_row, STORIES))


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory, blank_model: Path) -> Path:
    folder = tmp_path_factory.mktemp("sweep")
    rows = [{"id": i, "text": text, "published": "2025-03-29"} for i, (text, _) in STORIES.items()]
    rows.insert(2, {"id": "no gold", "text": "It is now Friday."})
    settings = load(None, [f'model="{blank_model}"', "run.workers=1", "run.shard_words=100"])
    run([write(folder / "stories.jsonl", *rows)], folder / "out", settings=settings, stages=["dates", "topics"])
    return folder / "out"


def bytes_of(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "lock")
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_the_best_of_a_grid_is_found_and_the_run_stays_as_it_is(out: Path, gold: Path) -> None:
    before = bytes_of(out)
    found = sweep(["dates.references=true,false", "dates.ages=true,false"], out, gold=gold)
    assert bytes_of(out) == before
    assert [point.settings for point in found.points] == [
        {"dates.references": r, "dates.ages": a} for r in (True, False) for a in (True, False)
    ]
    assert found.by == ("dates", "value")
    assert found.best.settings == {"dates.references": False, "dates.ages": False}
    assert found.best.scores["dates"]["value"].f == 1
    (as_run,) = [point for point in found.points if point.as_run]
    assert as_run.settings == {"dates.references": True, "dates.ages": False}
    assert as_run.difference is None
    assert found.best.difference is not None
    low, high = found.best.difference
    assert 0 < low < high < 1
    assert list(found.points[0].scores) == ["dates"]


def test_each_point_has_the_figures_of_a_rerun(out: Path, gold: Path, tmp_path: Path) -> None:
    found = sweep(["dates.references=true,false", 'dates.reference_words=["now"],["currently"]'], out, gold=gold)
    assert len(found.points) == 5  # none of the four is what the run was made with
    assert found.points[0].as_run
    assert found.points[0].scores["dates"].measures == evaluate(gold, out)["dates"].measures
    for n, point in enumerate(found.points[1:]):
        assignments = [f"{key}={orjson.dumps(value).decode()}" for key, value in point.settings.items()]
        rerun("dates", out, assignments=assignments, new=tmp_path / str(n), workers=1)
        assert point.scores["dates"].measures == evaluate(gold, tmp_path / str(n))["dates"].measures


def test_of_equal_points_the_run_s_own_is_best(out: Path, gold: Path) -> None:
    found = sweep(["dates.zone_offsets=true,false"], out, gold=gold)
    assert found.best.settings == {"dates.zone_offsets": False}
    assert found.best.as_run


def test_another_figure_can_decide(out: Path, gold: Path) -> None:
    found = sweep(["dates.references=true,false"], out, gold=gold, by="dates.relaxed")
    assert found.by == ("dates", "relaxed")
    for by, says in (("quotes.exact", "is not measured here"), ("dates.valeu", "Did you mean 'value'")):
        with pytest.raises(UsageError, match=says):
            sweep(["dates.references=true,false"], out, gold=gold, by=by)


def test_stages_that_read_a_swept_one_are_measured_with_it(parser: Any, tmp_path: Path) -> None:
    wikinews = Path(__file__).parent / "wikinews" / "gold.jsonl"
    rows = [orjson.loads(line) for line in wikinews.read_bytes().splitlines()][:2]
    write(tmp_path / "gold.jsonl", *rows)
    stories = write(tmp_path / "stories.jsonl", *({k: row[k] for k in ("id", "text")} for row in rows))
    settings = load(None, ["run.workers=1"])
    run([stories], tmp_path / "out", settings=settings, stages=["attribution"])
    found = sweep(["quotes.min_confidence=0.1,0.9"], tmp_path / "out", gold=tmp_path / "gold.jsonl")
    assert found.by == ("attribution", "speech end_to_end")
    loose, strict = [point for point in found.points if not point.as_run]
    assert set(loose.scores) == {"quotes", "attribution"}
    assert loose.scores["quotes"]["all overlap"].predicted > strict.scores["quotes"]["all overlap"].predicted
    assert (
        loose.scores["attribution"]["all end_to_end"].predicted
        > strict.scores["attribution"]["all end_to_end"].predicted
    )
    (as_run,) = [point for point in found.points if point.as_run]
    theirs = evaluate(tmp_path / "gold.jsonl", tmp_path / "out")
    assert as_run.scores["attribution"].measures == theirs["attribution"].measures


@pytest.mark.parametrize(
    ("grid", "says"),
    [
        (["dates"], "not of the form"),
        (["dates.references"], "not of the form"),
        (["dates.references="], "not of the form"),
        (["dates.reference=true"], "Did you mean 'references'"),
        (["dates.future_bias=0.1,7"], "dates.future_bias = 7"),
        (["date.future_bias=0.1"], "Did you mean 'dates'"),
        (["quotes.min_confidence=0.1"], "was made without 'quotes'"),
        (["topics.min_score=0.1,0.2"], "nothing that measures topics"),
        (["dates.direction_window=" + ",".join(map(str, range(40)))] * 2, "1,600 points"),
        (["model=a,b"], "not of the form"),
    ],
)
def test_mistakes_are_told_with_their_cure(grid: list[str], says: str, out: Path, gold: Path) -> None:
    with pytest.raises(UsageError, match=says):
        sweep(grid, out, gold=gold)


def test_without_kept_parses_there_is_no_sweep(out: Path, gold: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(out, tmp_path / "out")
    for path in (tmp_path / "out" / "work").rglob("*.spacy"):
        path.unlink()
    with pytest.raises(StorageError, match="Give the run's own command again"):
        sweep(["dates.ages=true"], tmp_path / "out", gold=gold)


def test_the_command_prints_a_row_a_point_and_marks_the_best(out: Path, gold: Path, copydesk: Any) -> None:
    args = ["sweep", "dates.references=true,false", "--gold", gold, out]
    lines = copydesk(*args, env={"COLUMNS": "120"}).stdout.splitlines()
    assert [line for line in lines if "best" in line and "False" in line and "1.0000" in line]
    assert [line for line in lines if "as run" in line and "True" in line]
    data = orjson.loads(copydesk(*args, "--json").stdout)
    assert data["by"] == "dates.value"
    assert [point["best"] for point in data["points"]] == [False, True]
