"""Learning topics from labelled stories, and what scores are worth, through the command and the API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from models.document import Document
from pipeline import run
from pipeline.cli import main
from pipeline.errors import UsageError
from pipeline.review.training import topic_bands, train_topics
from pipeline.stages.topics import Topics, TopicsSettings
from pipeline.stages.topics.model import load

TAXONOMY = [
    {"id": "sea", "label": "sea"},
    {"id": "sea/ferries", "label": "ferries", "parent": "sea"},
    {"id": "bread", "label": "bread"},
]
SEA = (
    "The purser opened the gangway",
    "Deckhands coiled rope by the gangway",
    "A purser counted tickets on the gangway",
)
OVEN = ("The sourdough rose overnight", "Her sourdough came out of the oven", "An oven for sourdough stood in the yard")


def labelled(path: Path, times: int = 4) -> Path:
    rows = []
    for n in range(times):
        for m, (sea, oven) in enumerate(zip(SEA, OVEN, strict=True)):
            rows.append({"id": f"s{n}{m}", "text": f"{sea} on day {n}.", "topics": ["sea/ferries"]})
            rows.append({"id": f"b{n}{m}", "text": f"{oven} on day {n}.", "topics": ["bread"]})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def taxonomy(tmp_path: Path) -> Path:
    path = tmp_path / "desk.json"
    path.write_text(json.dumps(TAXONOMY), encoding="utf-8")
    return path


def command(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_a_newsroom_trains_on_its_own_labels_and_uses_what_was_learned(
    tmp_path: Path, taxonomy: Path, parse: Any
) -> None:
    gold, learned = labelled(tmp_path / "gold.jsonl"), tmp_path / "learned.json"
    document, doc = parse("A purser stood at the gangway.")
    plain = Topics(TopicsSettings(taxonomy=str(taxonomy)))
    assert plain.apply(document, doc)["topics"] == []

    result = command("train", "topics", "--gold", gold, "--taxonomy", taxonomy, "-o", learned)
    assert result.exit_code == 0, result.output
    assert "trained, unseen" in result.output and str(learned) in result.output

    stage = Topics(TopicsSettings(taxonomy=str(taxonomy), model=str(learned), min_score=0.2))
    [topic] = stage.apply(document, doc)["topics"]
    assert topic.path[0] == "sea"
    assert {"purser", "gangway"} & set(topic.evidence)
    assert learned in stage.resources()


def test_training_gains_on_stories_it_has_not_seen(tmp_path: Path, taxonomy: Path) -> None:
    training = train_topics(labelled(tmp_path / "gold.jsonl"), taxonomy)
    assert training.before.primary == 0
    assert training.after.primary > 0.9
    assert training.after.stories == training.before.stories == 24
    assert {"purser", "gangway"} <= set(training.learned.terms["sea/ferries"])
    assert "sourdough" not in training.learned.terms["sea/ferries"]


def test_what_was_learned_survives_its_file_and_training_twice_gives_the_same(tmp_path: Path, taxonomy: Path) -> None:
    gold = labelled(tmp_path / "gold.jsonl")
    first = train_topics(gold, taxonomy).learned
    first.save(tmp_path / "a.json")
    train_topics(gold, taxonomy).learned.save(tmp_path / "b.json")
    assert load(str(tmp_path / "a.json")) == first
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_the_documents_of_a_run_teach_as_well_as_a_list_of_codes(tmp_path: Path, taxonomy: Path) -> None:
    gold = labelled(tmp_path / "gold.jsonl")
    rows = [json.loads(line) for line in gold.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        [code] = row["topics"]
        path = ["sea", code] if code != "bread" else [code]
        row["topics"] = [{"qcode": code, "uri": code, "label": code, "path": path, "score": 1.0}]
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "documents.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    assert train_topics(tmp_path / "out", taxonomy).learned == train_topics(gold, taxonomy).learned


def test_without_priors_those_of_before_stay(tmp_path: Path, taxonomy: Path) -> None:
    gold = labelled(tmp_path / "gold.jsonl")
    assert train_topics(gold, taxonomy, priors=False).learned.prior == {}


def test_where_nothing_is_gained_nothing_is_changed(tmp_path: Path) -> None:
    gold, taxonomy = tmp_path / "gold.jsonl", tmp_path / "desk.json"
    told = {"sea": ["wave", "tide", "harbour"], "bread": ["dough", "oven", "flour"]}
    taxonomy.write_text(json.dumps([{"id": i, "label": i, "terms": terms} for i, terms in told.items()]))
    rows = [
        {"id": f"{i}{n}", "text": f"The {i}: {', '.join(terms)}.", "topics": [i]}
        for n in range(10)
        for i, terms in told.items()
    ]
    gold.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    training = train_topics(gold, taxonomy)
    assert training.before == training.after
    assert training.before.primary == 1
    assert (training.learned.terms, training.learned.prior) == ({}, {})
    result = command("train", "topics", "--gold", gold, "--taxonomy", taxonomy, "-o", tmp_path / "m.json")
    assert "changes nothing" in result.output


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([{"id": "a", "text": "A ferry.", "topics": ["sea"]}], "too few"),
        ([{"id": str(n), "text": "A ferry.", "topics": ["medtop:1"]} for n in range(12)], "no topic 'medtop:1'"),
        ([{"id": "a", "text": "A ferry."}], "no annotations"),
    ],
)
def test_gold_that_cannot_teach_is_a_usage_error(
    tmp_path: Path, taxonomy: Path, rows: list[dict[str, Any]], says: str
) -> None:
    gold = tmp_path / "gold.jsonl"
    gold.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    result = command("train", "topics", "--gold", gold, "--taxonomy", taxonomy, "-o", tmp_path / "m.json")
    assert result.exit_code == 2
    assert says in result.output
    assert not (tmp_path / "m.json").exists()


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"topics-model": 99}', '{"topics-model": 1, "vocabulary": "x", "stories": 1, "terms": []}']
)
def test_a_broken_model_is_a_usage_error(tmp_path: Path, parse: Any, content: str) -> None:
    file = tmp_path / "model.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be read"):
        Topics(TopicsSettings(model=str(file))).apply(*parse("Boats."))


def test_bands_count_the_topics_of_a_run_that_are_right(tmp_path: Path) -> None:
    stories = {
        "a": ("The central bank raised its key interest rate to curb inflation, economists said.", "medtop:20000379"),
        "b": ("The striker scored twice and the goalkeeper saved a penalty in the cup final.", "medtop:15000000"),
        "c": ("The striker scored twice and the goalkeeper saved a penalty in the cup final.", "medtop:12000000"),
    }
    gold = tmp_path / "gold.jsonl"
    gold.write_text(
        "".join(json.dumps({"id": i, "text": text, "topics": [code]}) + "\n" for i, (text, code) in stories.items()),
        encoding="utf-8",
    )
    run([gold], tmp_path / "out", stages=["topics"])
    bands = topic_bands(gold, tmp_path / "out")
    found = [
        topic
        for line in (tmp_path / "out" / "documents.jsonl").read_bytes().splitlines()
        for topic in Document.from_json(line).topics
    ]
    assert sum(band.topics for band in bands) == len(found) > 2
    assert 0 < sum(band.branch for band in bands) < len(found)
    assert all(band.right <= band.branch <= band.topics for band in bands)
    result = command("topics", "--calibration", gold, tmp_path / "out")
    assert result.exit_code == 0
    assert "0.8 to 1.0" in result.output


def test_topics_wants_to_know_what_to_show() -> None:
    assert command("topics").exit_code == 2
    assert "tariff" in command("topics", "--search", "tariff").output
