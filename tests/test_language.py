from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.document import Document, Zone
from pipeline import language
from pipeline.errors import UsageError
from pipeline.language import Parser, blank_vocab, model_path, new_bin, read_bin

STORY = "LONDON (Reuters) - Shares rose on Friday.\n\nThe index, up 2%, closed at a record, dealers said.\n"


def story(text: str, *zones: Zone) -> Document:
    return Document(id="s", schema_=1, text=text, zones=list(zones))


def facts(doc: Any) -> list[tuple[Any, ...]]:
    return [
        (t.text, t.whitespace_, t.tag_, t.pos_, t.lemma_, t.dep_, t.head.i, t.is_sent_start, t.ent_iob_, t.ent_type_)
        for t in doc
    ]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=60), min_size=1, max_size=5))
def test_a_parse_has_the_text_of_its_story_in_order(parser: Parser, texts: list[str]) -> None:
    assert [doc.text for doc in parser.parse([story(t) for t in texts], batch_size=2)] == texts


def test_the_batch_does_not_matter(parser: Parser) -> None:
    stories = [story(STORY * n) for n in (1, 3, 2)] + [story("")]
    one, many = (list(parser.parse(stories, batch_size=size)) for size in (1, 8))
    assert [facts(doc) for doc in one] == [facts(doc) for doc in many]


def test_paragraphs_and_zones_begin_sentences(parser: Parser) -> None:
    text = "LONDON (Reuters) - Shares rose.\n\nThey fell later."
    doc = next(parser.parse([story(text, Zone(start=0, end=18, kind="dateline"))]))
    starts = {sentence[0].idx for sentence in doc.sents}
    assert {0, text.index("Shares"), text.index("They")} <= starts


def test_a_long_story_is_parsed_in_windows_with_offsets_unchanged(
    parser: Parser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(language, "WINDOW", 200)
    for text in (STORY * 12, "word " * 300, "x" * 900, STORY + "\n\n" + "y" * 500 + STORY):
        doc = next(parser.parse([story(text)]))
        assert doc.text == text
        assert all(text[t.idx : t.idx + len(t)] == t.text for t in doc)


def test_windows_at_paragraphs_change_nothing(parser: Parser, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = facts(next(parser.parse([story(STORY * 4)])))
    monkeypatch.setattr(language, "WINDOW", len(STORY) * 2)
    assert [f[0] for f in facts(next(parser.parse([story(STORY * 4)])))] == [f[0] for f in whole]


def test_a_kept_parse_reads_back_the_same(parser: Parser, parse: Callable[..., Any]) -> None:
    docs = [parse(STORY)[1], parse("")[1]]
    kept = new_bin()
    for doc in docs:
        kept.add(doc)
    again = list(read_bin(kept.to_bytes(), blank_vocab()))
    assert [facts(doc) for doc in again] == [facts(doc) for doc in docs]


def test_the_model_is_found_by_package_and_by_path(parser: Parser) -> None:
    folder = model_path(language.DEFAULT_MODEL)
    assert Parser(str(folder), "none").label == parser.label
    assert Parser(str(folder), "none").key() == parser.key()


@pytest.mark.parametrize("model", ["en_core_web_absent", "no/such/folder", "os", ""])
def test_a_missing_model_is_a_usage_error(model: str) -> None:
    with pytest.raises(UsageError, match="language model"):
        model_path(model)


def test_the_stock_model_is_the_official_one(parser: Parser) -> None:
    assert parser.meta["version"] == "3.8.0"
    assert parser.meta["license"] == "MIT"
    assert parser.meta["author"] == "Explosion"
    assert Path(parser.path, "config.cfg").is_file()


def test_what_is_parsed_at_once_is_bounded_by_tokens(parser: Parser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen windows of a long story at once would take gigabytes."""
    stories = [story(STORY * n) for n in (1, 40, 2, 3, 60)]
    whole = [facts(doc) for doc in parser.parse(stories)]
    seen: list[int] = []
    real = parser.nlp.pipe

    def pipe(docs: Any, **options: Any) -> Any:
        docs = list(docs)
        seen.append(sum(len(doc) for doc in docs))
        return real(docs, **options)

    monkeypatch.setattr(parser.nlp, "pipe", pipe)
    monkeypatch.setattr(language, "BATCH_TOKENS", 100)
    assert [facts(doc) for doc in parser.parse(stories)] == whole
    lengths = [len(facts_) for facts_ in whole]
    assert all(tokens <= 100 or tokens in lengths for tokens in seen)
    assert sum(seen) == sum(lengths)


@pytest.mark.parametrize("piece", ['"', "'x", "(", "a" * 399, "1.", "word, "])
def test_a_run_without_a_space_is_split_in_stretches_and_the_text_is_kept(parser: Parser, piece: str) -> None:
    text = "He said " + piece * 3000 + " and\n" + piece * 900
    doc = parser._tokens(text)
    assert doc.text == text
    assert [t.text for t in parser._tokens(STORY)] == [t.text for t in parser.nlp.make_doc(STORY)]


def test_a_model_without_a_parser_gives_trees_that_can_be_walked(blank_model: Path) -> None:
    parser = Parser(str(blank_model), "none")
    text = "It's six o'clock, they don't say. " * 20 + "\n\nWe're not sure it isn't."
    doc = next(parser.parse([story(text)]))
    assert doc.text == text
    assert len(list(doc.sents)) > 20
    for sentence in doc.sents:
        for token in sentence:
            assert token.head == sentence[0]
            assert sentence.start <= token.left_edge.i <= token.i <= token.right_edge.i < sentence.end
    kept = new_bin()
    kept.add(doc)
    assert facts(next(read_bin(kept.to_bytes(), blank_vocab()))) == facts(doc)
