"""spaCy DocBin: every annotation is a span at its very place, with the run's tokens and trees beneath it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import spacy
from hypothesis import HealthCheck, given, settings
from spacy.tokens import Doc, DocBin, Span
from writers.stories import SAMPLES, documents, samples

from models.document import Document, Entity, Mention
from pipeline import export, open_run
from pipeline.errors import UsageError
from pipeline.writers import docbin

VOCAB = spacy.blank("en").vocab


def read(path: Path) -> list[Doc]:
    return list(DocBin().from_disk(path).get_docs(VOCAB))


def places(spans: Any) -> Counter[tuple[Any, ...]]:
    return Counter((span.start_char, span.end_char, span.label_, span.id_, span.kb_id_) for span in spans)


def trimmed(text: str, start: int, end: int, *more: str) -> list[tuple[Any, ...]]:
    """The place without white space around it; none where nothing else is there."""
    inside = [n for n in range(start, end) if not text[n].isspace()]
    return [(inside[0], inside[-1] + 1, *more)] if inside else []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
@given(documents())
def test_any_range_of_any_text_is_exact(tmp_path: Path, document: Document) -> None:
    docbin.write([document], tmp_path / "x.spacy")
    [doc] = read(tmp_path / "x.spacy")
    text = document.text
    assert doc.text == text
    assert places(doc.spans["mentions"]) == Counter(
        place
        for e in document.entities
        for m in e.mentions
        for place in trimmed(text, m.start, m.end, e.label, e.id, "")
    )
    assert places(doc.spans["dates"]) == Counter(
        place for d in document.dates for place in trimmed(text, d.start, d.end, d.type, d.id, d.value or "")
    )
    names = {a.quote: a.name or "" for a in document.attributions}
    assert places(doc.spans["quotes"]) == Counter(
        place
        for q in document.quotes
        for p in q.parts
        for place in trimmed(text, p.start, p.end, q.type, q.id, names.get(q.id, ""))
    )
    assert doc.cats == {topic.qcode: topic.score for topic in document.topics}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, copydesk: Any) -> Path:
    """A run over two stories with the language model that is used."""
    out = tmp_path_factory.mktemp("runs") / "out"
    root = SAMPLES.parent
    stories = [root / "stories" / name for name in ("pti-2025-04-15-bus-depot-fire.txt", "desk.jsonl")]
    copydesk("run", *stories, "-o", out, "--workers", "1", "-q")
    return out


def test_the_kept_parses_are_used(run: Path, tmp_path: Path) -> None:
    assert export(run, tmp_path / "x.spacy", "spacy") == 4
    docs = read(tmp_path / "x.spacy")
    parses = list(open_run(run).parses())
    for document, doc, parse in zip(open_run(run).documents(), docs, parses, strict=True):
        assert doc.user_data["id"] == document.id
        assert doc.text == document.text
        assert doc.has_annotation("DEP")
        assert [sent.start_char for sent in doc.sents] == [sent.start_char for sent in parse.sents]
        ours = {token.idx: token for token in doc}
        for token in parse:
            if token.idx + len(token) in {t.idx + len(t) for t in doc} and len(ours[token.idx]) == len(token):
                assert (ours[token.idx].tag_, ours[token.idx].lemma_) == (token.tag_, token.lemma_)
        names = {(m.start, m.end): e.id for e in document.entities for m in e.mentions if m.kind == "name"}
        assert doc.ents
        for name in doc.ents:
            assert names[name.start_char, name.end_char] == name.ent_id_
            assert isinstance(name, Span)


def test_a_run_whose_parses_are_gone_is_written_all_the_same(run: Path, tmp_path: Path) -> None:
    for number, parse in enumerate(run.rglob("parse-*.spacy")):
        parse.rename(tmp_path / f"{number}.kept")
    try:
        export(run, tmp_path / "x.spacy", "spacy")
    finally:
        for number, folder in enumerate(sorted((run / "work" / "shards").iterdir())):
            names = [name for name in open_run(run).store.receipt(int(folder.name)).layers if name.startswith("parse-")]
            (tmp_path / f"{number}.kept").rename(folder / names[0])
    docs = read(tmp_path / "x.spacy")
    assert [doc.text for doc in docs] == [document.text for document in open_run(run).documents()]
    assert not docs[0].has_annotation("DEP")
    assert docs[0].has_annotation("SENT_START")
    assert all(len(doc.spans["mentions"]) for doc in docs)


def test_names_that_overlap_are_all_mentions_and_the_longest_is_the_entity(tmp_path: Path) -> None:
    text = "Bank of England rates"
    document = Document(id="a", schema_=1, text=text)
    document.entities = [
        Entity(id="e1", label="ORG", name="Bank of England", mentions=[Mention.of(text, 0, 15)]),
        Entity(id="e2", label="GPE", name="England", mentions=[Mention.of(text, 8, 15)]),
    ]
    docbin.write([document], tmp_path / "x.spacy")
    [doc] = read(tmp_path / "x.spacy")
    assert [(ent.text, ent.label_, ent.ent_id_) for ent in doc.ents] == [("Bank of England", "ORG", "e1")]
    assert [(span.text, span.id_) for span in doc.spans["mentions"]] == [("Bank of England", "e1"), ("England", "e2")]


def test_a_folder_holds_the_same_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docbin, "_PART", 8)
    assert export(SAMPLES, tmp_path / "x.spacy", "spacy") == 19
    assert export(SAMPLES, tmp_path / "parts", "spacy") == 19
    files = sorted((tmp_path / "parts").iterdir())
    assert [len(read(file)) for file in files] == [8, 8, 3]
    parts = [doc for file in files for doc in read(file)]
    for one, other in zip(read(tmp_path / "x.spacy"), parts, strict=True):
        assert (one.text, one.user_data, places(one.ents)) == (other.text, other.user_data, places(other.ents))
    with pytest.raises(UsageError, match="is no empty folder"):
        export(SAMPLES, tmp_path / "parts", "spacy")


def test_the_samples_are_train_data_for_spacy(tmp_path: Path) -> None:
    export(SAMPLES, tmp_path / "x.spacy", "spacy")
    from spacy.training import Corpus

    examples = list(Corpus(tmp_path / "x.spacy")(spacy.blank("en")))
    assert len(examples) == len(samples())
    assert sum(len(example.reference.ents) for example in examples) > 200
