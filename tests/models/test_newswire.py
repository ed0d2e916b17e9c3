"""The newswire encoder: what it reads, what it gives, and that nothing around a story changes it."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.document import Document
from models.newswire.encode import OVERLAP, SHAPES, WINDOW, case, pieces, windows
from models.newswire.labels import ENTITIES, QUOTES
from models.newswire.tagger import FOLDER, Reading, Tagger
from pipeline import encoder
from pipeline.errors import UsageError
from pipeline.language import Parser, blank_vocab, new_bin, read_bin

SEED = Path(__file__).parents[2] / "seeds" / "pti-2025-03-28-tariff-talks.txt"


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return Tagger()


@pytest.fixture(scope="module")
def reader() -> Parser:
    return Parser()


@given(st.integers(0, 3000))
def test_windows_cover_every_piece_and_share_some(n: int) -> None:
    plan = list(windows(n))
    assert plan[0][0] == 0 and plan[-1][1] == n
    assert all(b - a <= WINDOW - 2 for a, b in plan)
    assert all(later[0] <= earlier[1] - OVERLAP for earlier, later in pairwise(plan))


@settings(deadline=None)
@given(st.text(max_size=300))
def test_pieces_are_ranges_of_the_text_in_order(text: str) -> None:
    found = pieces(text, FOLDER / "tokenizer.json")
    assert all(0 <= shape < SHAPES for shape in found.shapes)
    assert all(0 <= a < b <= len(text) for a, b in zip(found.starts, found.ends, strict=True))
    # Two pieces may share a character that is written as several in the vocabulary.
    assert all(a <= b for offsets in (found.starts, found.ends) for a, b in pairwise(offsets))


def test_case_is_told_apart() -> None:
    assert [case(word) for word in ('"', "42", "rate", "Rate", "RATE", "A", "eBay", "x" * 40)] == [
        0,
        1,
        2,
        3,
        4,
        5,
        6,
        6,
    ]


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=600))
def test_any_text_gives_sound_spans(text: str) -> None:
    reading = Tagger()(text)
    for marked, labels in ((reading.entities, ENTITIES), (reading.quotes, QUOTES)):
        assert all(0 <= m.start < m.end <= len(text) and m.label in labels and 0 <= m.score <= 1 for m in marked)
        assert all(a.end <= b.start for a, b in pairwise(marked))
    for part in reading.quotes:
        assert part.link == -1 or reading.quotes[part.link].label in (*QUOTES[:2], "THOUGHT_CUE")


def test_the_seed_is_read(tagger: Tagger) -> None:
    text = SEED.read_text(encoding="utf-8")
    reading = tagger(text)
    names = {(text[m.start : m.end], m.label) for m in reading.entities}
    assert {("Vikram Misri", "PERSON"), ("Ministry of External Affairs", "ORG"), ("New Delhi", "LOC")} <= names
    said = next(m for m in reading.quotes if text[m.start : m.end].startswith("Misri and Landau also"))
    cue = reading.quotes[said.link]
    assert (said.label, text[cue.start : cue.end]) == ("CONTENT", "said")
    assert text[reading.quotes[cue.link].start : reading.quotes[cue.link].end] == "Bruce"


def test_a_long_story_is_read_to_its_end(tagger: Tagger) -> None:
    text = SEED.read_text(encoding="utf-8").strip()
    once, often = tagger(text), tagger("\n\n".join([text] * 12))
    misri = [m for m in often.entities if "Misri" in "\n\n".join([text] * 12)[m.start : m.end]]
    assert len(misri) >= 10 * sum("Misri" in text[m.start : m.end] for m in once.entities)
    assert misri[-1].start > 11 * len(text)


def test_empty_and_blank_texts_have_nothing(tagger: Tagger) -> None:
    assert tagger("") == tagger(" \n\n ") == Reading([], [])


def test_what_else_is_read_changes_nothing(reader: Parser) -> None:
    stories = [Document(id=str(n), text=SEED.read_text(encoding="utf-8")[: 400 * n]) for n in (1, 4, 2)]
    alone = [next(reader.parse([story])) for story in stories]
    together = list(reader.parse(stories, batch_size=3))
    for one, other in zip(alone, together, strict=True):
        assert list(encoder.parts(one) or ()) == list(encoder.parts(other) or ())
        assert [(e.start, e.end, e.label_) for e in one.ents] == [(e.start, e.end, e.label_) for e in other.ents]


def test_parts_and_names_are_kept_with_the_parse(reader: Parser) -> None:
    doc = next(reader.parse([Document(id="s", text=SEED.read_text(encoding="utf-8"))]))
    kept = new_bin()
    kept.add(doc)
    again = next(read_bin(kept.to_bytes(), blank_vocab()))
    parts = list(encoder.parts(doc) or ())
    assert parts and parts == list(encoder.parts(again) or ())
    assert [(e.start, e.end, e.label_) for e in doc.ents] == [(e.start, e.end, e.label_) for e in again.ents]


def test_without_an_encoder_a_parse_has_no_parts(parser: Parser) -> None:
    assert parser.encoder_path is None
    assert encoder.parts(next(parser.parse([Document(id="s", text="He said it was late.")]))) is None


def test_an_encoder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither shipped nor a folder"):
        Parser(encoder=str(tmp_path))


def test_training_makes_an_encoder_that_learned_its_examples(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra 'train'")
    from click.testing import CliRunner

    from models.newswire.train import main

    rows = [
        {"id": str(n), "text": f"{name} met reporters in {place}.", "entities": [
            {"start": 0, "end": len(name), "label": "Person"},
            {"start": len(name) + 18, "end": len(name) + 18 + len(place), "label": "Location"},
        ]}
        for n, (name, place) in enumerate([("Ana Ruiz", "Quito"), ("Bo Lin", "Oslo"), ("Cy Tan", "Doha")] * 30)
    ]  # fmt: skip
    data = tmp_path / "mine.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    out = tmp_path / "mine"
    args = ["--entities", data, "--entities-dev", data, "-o", out, "--epochs", "12"]
    done = CliRunner().invoke(main, list(map(str, args)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert json.loads((out / "meta.json").read_text())["scores"]["mine"]["all"]["f"] > 0.9
    assert Tagger(out)("Ana Ruiz met reporters in Oslo.").entities[0].label == "PERSON"
