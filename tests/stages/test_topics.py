"""Topics and keyphrases through the stage's public face; all sentences are our own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.document import Document, Entity, Mention, Zone, check
from pipeline import Desk
from pipeline.errors import UsageError
from pipeline.stages.topics import Topics, TopicsSettings
from pipeline.stages.topics.vocabulary import media_topics
from pipeline.stages.topics.words import stem

STORIES = {
    "The central bank raised its benchmark interest rate by 50 basis points on Tuesday to curb inflation, "
    "and economists expect slower economic growth. Stock market indexes fell.": "medtop:04000000",
    "Police arrested three suspects after an armed robbery at a jewellery shop. Detectives said the men will "
    "appear in court on Friday and face murder charges over a guard's death.": "medtop:02000000",
    "The midfielder scored twice as the club won the football league title with two matches left. The coach "
    "praised his players and the goalkeeper.": "medtop:15000000",
    "Lawmakers in the lower house passed a no-confidence motion against the prime minister and the opposition "
    "called for a snap election.": "medtop:11000000",
    "Doctors at the children's hospital vaccinated thousands of patients after a measles outbreak. The health "
    "ministry urged parents to have infants immunised against the virus.": "medtop:07000000",
    "Heavy rain and thunderstorms are expected on the coast, the weather office said in its forecast, with "
    "temperatures falling to 12 degrees Celsius and snowfall in the hills.": "medtop:17000000",
    "Pilgrims from many countries gathered for prayers at the mosque as Ramadan began, and the imam gave a "
    "sermon to thousands of worshippers.": "medtop:12000000",
    "Archaeologists and astronomers from the university published a study in a scientific journal on how "
    "ancient observatories followed the planets, the researchers said.": "medtop:13000000",
    "Nurses and teachers went on strike over wages after trade unions rejected the pay offer; the labour "
    "court ordered workers back to work.": "medtop:09000000",
}


@pytest.mark.parametrize(("text", "root"), STORIES.items(), ids=[root[7:9] for root in STORIES.values()])
def test_the_first_topic_lies_under_the_right_root(parse: Any, text: str, root: str) -> None:
    topics = Topics().apply(*parse(text))["topics"]
    assert topics[0].path[0] == root
    assert topics[0].evidence


def test_topics_are_live_terms_with_their_path_best_first(parse: Any) -> None:
    document, doc = parse(next(iter(STORIES)))
    topics = Topics().apply(document, doc)["topics"]
    assert [t.score for t in topics] == sorted((t.score for t in topics), reverse=True)
    for topic in topics:
        concept = media_topics().concepts[topic.qcode]
        assert (topic.label, topic.path, topic.uri) == (concept.label, list(concept.path), concept.uri)
        assert topic.path[-1] == topic.qcode
        assert all(phrase in document.text for phrase in topic.evidence)


@pytest.mark.parametrize("text", ["", " ", "Hm.", "It was there and so were they, she thought.", "\n\n", "1 2 3"])
def test_a_story_that_says_too_little_has_no_topic(parse: Any, text: str) -> None:
    sections = Topics().apply(*parse(text))
    assert sections["topics"] == []
    assert [a.section for a in sections["abstentions"]] == ["topics"]


def test_a_story_under_the_threshold_says_what_it_nearly_had(parse: Any) -> None:
    document, doc = parse(next(iter(STORIES)))
    assert Topics().apply(document, doc)["abstentions"] == []
    [abstention] = Topics(TopicsSettings(min_score=0.999)).apply(document, doc)["abstentions"]
    assert abstention.label == "economy, business and finance"
    assert abstention.score is not None and 0.5 < abstention.score < 0.999
    assert "as sure as 0.999" in abstention.reason


def test_an_unsure_topic_gives_way_to_the_one_above_it(parse: Any) -> None:
    document, doc = parse("The harbour council met on Monday. A ferry came late, and a goalkeeper scored.")
    shy = Topics(TopicsSettings(min_score=0.3)).apply(document, doc)["topics"]
    bold = Topics(TopicsSettings(min_score=0.0)).apply(document, doc)["topics"]
    deep = {t.path[0]: t for t in reversed(bold)}
    assert shy
    for topic in shy:
        assert deep[topic.path[0]].path[: len(topic.path)] == topic.path
        assert topic.score >= 0.3


def test_documents_say_which_vocabulary_their_topics_are_of(tmp_path: Path) -> None:
    desk = Desk(["topics"])
    assert desk(Document(id="a", text="It rained.")).stages["topics"].vocabulary == "IPTC Media Topics 2025-03-31"
    own = tmp_path / "desk.json"
    own.write_text('[{"id": "boats", "label": "boats"}]', encoding="utf-8")
    assert Topics(TopicsSettings(taxonomy=str(own))).facts() == {"vocabulary": "desk"}


def test_min_score_and_max_topics_cut_the_list(parse: Any) -> None:
    document, doc = parse(" ".join(STORIES))
    every = Topics(TopicsSettings(min_score=0.0, max_topics=50)).apply(document, doc)["topics"]
    few = Topics(TopicsSettings(min_score=0.0, max_topics=2)).apply(document, doc)["topics"]
    assert len(every) > 2
    assert few == every[:2]
    assert all(t.score >= 0.5 for t in Topics(TopicsSettings(min_score=0.5)).apply(document, doc)["topics"])
    assert Topics(TopicsSettings(min_score=1.0)).apply(document, doc)["topics"] == []
    assert len({t.qcode for t in every}) == len(every)


def test_words_in_headers_and_credits_do_not_count(parse: Any) -> None:
    text = "Football match\n\nThe central bank raised interest rates to curb inflation."
    document, doc = parse(text)
    document.zones = [Zone(kind="note", start=0, end=14)]
    topics = Topics(TopicsSettings(min_score=0.0)).apply(document, doc)["topics"]
    assert all("Football" not in phrase for topic in topics for phrase in topic.evidence)


def test_capitals_tell_an_acronym_from_a_word(parse: Any) -> None:
    def health(text: str) -> bool:
        topics = Topics(TopicsSettings(min_score=0.0)).apply(*parse(text))["topics"]
        return any("WHO" in t.evidence or "who" in t.evidence for t in topics)

    assert health("Experts of the WHO came to the village.")
    assert not health("Experts who came to the village left.")


def test_an_own_taxonomy_runs_on_the_same_machinery(parse: Any, tmp_path: Path) -> None:
    file = tmp_path / "desk.json"
    rows = [
        {"id": "boats", "label": "boats"},
        {"id": "boats/ferries", "label": "ferries", "parent": "boats", "terms": ["night crossing", "car deck"]},
        {"id": "bread", "label": "bread", "examples": {"sourdough loaf": 2}},
    ]
    file.write_text(json.dumps(rows), encoding="utf-8")
    stage = Topics(TopicsSettings(taxonomy=str(file)))
    topics = stage.apply(*parse("The ferry's night crossing was full, and so was the car deck."))["topics"]
    assert [(t.qcode, t.path) for t in topics] == [("boats/ferries", ["boats", "boats/ferries"])]
    assert file in stage.resources()


def test_a_passage_as_an_example_speaks_through_its_words(parse: Any, tmp_path: Path) -> None:
    file = tmp_path / "desk.json"
    passage = "The lighthouse keeper climbed the spiral staircase and trimmed the lantern before nightfall."
    file.write_text(
        json.dumps([{"id": "lights", "label": "lights", "examples": [passage]}, {"id": "bread", "label": "bread"}]),
        encoding="utf-8",
    )
    stage = Topics(TopicsSettings(taxonomy=str(file), min_score=0.1))
    topics = stage.apply(*parse("A keeper lit the lantern of the old lighthouse; its staircase is closed."))["topics"]
    assert [t.qcode for t in topics] == ["lights"]


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[1]",
        '[{"id": "a"}]',
        '[{"id": "a", "label": "a", "parent": "b"}]',
        '[{"id": "a", "label": "a", "terms": "sails"}]',
        '[{"id": "a", "label": "a", "terms": {"sails": -3}}]',
        '[{"id":"a","label":"a","parent":"a"}]',
    ],
)
def test_a_broken_taxonomy_is_a_usage_error(parse: Any, tmp_path: Path, content: str) -> None:
    file = tmp_path / "broken.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be read"):
        Topics(TopicsSettings(taxonomy=str(file))).apply(*parse("Boats."))


def test_a_taxonomy_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a file"):
        Topics(TopicsSettings(taxonomy=str(tmp_path / "none.json"))).resources()


def test_retired_terms_lead_to_live_ones() -> None:
    vocabulary = media_topics()
    assert len(vocabulary.concepts) == 1085
    assert vocabulary.retired
    for old in vocabulary.retired:
        live = vocabulary.find(old)
        assert live is not None and old not in vocabulary.concepts
    assert vocabulary.find("medtop:0") is None


@pytest.mark.parametrize(
    ("old", "new"),
    [("20000119", "judiciary"), ("20000162", "transportation accident and incident"), ("20000436", "renewable energy"),
     ("20000534", "layoffs and downsizing"), ("20000671", "Catholicism"), ("20000857", "boxing")],
)  # fmt: skip
def test_a_retired_term_leads_to_what_took_its_subject_over(old: str, new: str) -> None:
    live = media_topics().find("medtop:" + old)
    assert live is not None and live.label == new


def test_search_finds_labels_before_definitions() -> None:
    found = media_topics().search("tariff")
    assert found[0].label == "tariff"
    assert media_topics().search("no such words at all") == []


def test_search_by_code_finds_the_live_topic() -> None:
    for code in ("medtop:20000384", "20000384"):
        assert [topic.label for topic in media_topics().search(code)] == ["tariff"]
    assert [topic.label for topic in media_topics().search("medtop:20000436")] == ["renewable energy"]


@pytest.mark.parametrize(
    "forms",
    [("arrest", "arrests", "arrested", "arresting"), ("policy", "policies"), ("trade", "trades", "trading", "traded"),
     ("minister", "minister's", "Ministers", "minister’s"), ("plan", "plans", "planning", "planned")],
)  # fmt: skip
def test_inflections_share_a_stem(forms: tuple[str, ...]) -> None:
    assert len({stem(form) for form in forms}) == 1


def test_keyphrases_are_slices_without_repeats_or_joins(parse: Any) -> None:
    text = (
        "Harbour pilots reject wage offer\n\nHarbour pilots in Lindholm rejected a wage offer on Monday. The wage "
        "offer was too low, the pilots' union said. Container ships waited outside the inner harbour."
    )
    document, doc = parse(text)
    document.zones = [Zone(kind="headline", start=0, end=32)]
    phrases = Topics().apply(document, doc)["keyphrases"]
    assert "wage offer" in [p.text for p in phrases]
    for phrase in phrases:
        assert text[phrase.start : phrase.end] == phrase.text
        assert "\n" not in phrase.text
    keys = [tuple(map(stem, p.text.split())) for p in phrases]
    assert len(set(keys)) == len(keys)
    assert [p.score for p in phrases] == sorted((p.score for p in phrases), reverse=True)


def test_a_phrase_inside_another_is_listed_once_and_no_phrase_begins_within_a_word(parse: Any) -> None:
    text = (
        "The Danish-German Society gave a clean audit. The Danish-German Society, a third consecutive clean audit and "
        "a two-wheeler procession were in the news: the clean audit, the consecutive clean audit."
    )
    document, doc = parse(text)
    name = "Danish-German Society"
    places = [n for n in range(len(text)) if text.startswith(name, n)]
    document.entities = [
        Entity(id="e1", label="ORG", name=name, mentions=[Mention.of(text, n, n + len(name)) for n in places])
    ]
    texts = [p.text for p in Topics(TopicsSettings(keyphrases=50)).apply(document, doc)["keyphrases"]]
    assert sum("Society" in phrase for phrase in texts) == 1
    assert sum("audit" in phrase for phrase in texts) == 1
    assert not any(phrase.startswith("wheeler") for phrase in texts)


def test_names_of_entities_are_keyphrases_but_the_agency_is_not(parse: Any) -> None:
    text = "Maria Lund of Northsea Lines told Wirenews that Northsea Lines would buy ferries."
    document, doc = parse(text)

    def entity(id_: str, label: str, name: str, **fields: Any) -> Entity:
        start = text.index(name)
        return Entity(id=id_, label=label, name=name, mentions=[Mention.of(text, start, start + len(name))], **fields)

    document.entities = [
        entity("e1", "PERSON", "Maria Lund"),
        entity("e2", "ORG", "Northsea Lines"),
        entity("e3", "ORG", "Wirenews", agency=True),
    ]
    texts = [p.text for p in Topics().apply(document, doc)["keyphrases"]]
    assert "Northsea Lines" in texts
    assert "Maria Lund" in texts
    assert "Wirenews" not in texts


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.one_of(
        st.text(max_size=200),
        st.lists(st.sampled_from([*STORIES, "’s", "...", "U.S.", "R&D", "\n\n", "-"]), max_size=5).map(" ".join),
    )
)
def test_any_text_gives_a_sound_document_and_twice_the_same(parse: Any, text: str) -> None:
    document, doc = parse(text)
    stage = Topics()
    sections = stage.apply(document, doc)
    again = stage.apply(document, doc)
    document.topics, document.keyphrases = sections["topics"], sections["keyphrases"]
    first = document.to_json()
    document.topics, document.keyphrases = again["topics"], again["keyphrases"]
    assert document.to_json() == first
    assert check(document) == []
