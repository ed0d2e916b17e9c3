"""The quotes stage through its public face: what is quoted, by which cue, from which source."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.document import Document, Entity, Mention, Quote, check
from pipeline.language import Parser
from pipeline.stages.quotes import Quotes, QuotesSettings
from pipeline.stages.quotes.marks import scan

SEED = Path(__file__).parents[2] / "seeds" / "pti-2025-03-28-tariff-talks.txt"


def find(parse: Any, text: str, **options: Any) -> list[Quote]:
    document, doc = parse(text)
    document.quotes = Quotes(QuotesSettings(**options)).apply(document, doc)["quotes"]
    assert not check(document)
    return list(document.quotes)


def parts(text: str, quote: Quote) -> list[str]:
    return [text[p.start : p.end] for p in quote.parts]


# Text, then for every quote: type, source, cue, parts.
EXAMPLES: list[tuple[str, list[tuple[str, str | None, str | None, list[str]]]]] = [
    (
        "“The bridge is safe,” Maria Lopez said.",
        [("direct", "Maria Lopez", "said", ["“The bridge is safe,”"])],
    ),
    (
        '"The bridge is safe," said Maria Lopez, the city engineer.',
        [("direct", "Maria Lopez, the city engineer", "said", ['"The bridge is safe,"'])],
    ),
    (
        "“The bridge is safe,” Lopez said. “We checked every bolt.”",
        [("direct", "Lopez", "said", ["“The bridge is safe,”", "“We checked every bolt.”"])],
    ),
    (
        "“The bridge,” Lopez said, “is safe for everyone.”",
        [("direct", "Lopez", "said", ["“The bridge,”", "“is safe for everyone.”"])],
    ),
    (
        "Lopez said that the bridge was safe.",
        [("indirect", "Lopez", "said", ["that the bridge was safe"])],
    ),
    (
        "Lopez told reporters that the bridge was safe.",
        [("indirect", "Lopez", "told", ["that the bridge was safe"])],
    ),
    (
        "The bridge was safe, Lopez said.",
        [("indirect", "Lopez", "said", ["The bridge was safe"])],
    ),
    (
        "The bridge was closed for a week, the ministry said in a statement.",
        [("indirect", "the ministry", "said", ["The bridge was closed for a week"])],
    ),
    (
        "According to the ministry, the bridge was closed on Monday.",
        [("indirect", "the ministry", "According to", ["the bridge was closed on Monday"])],
    ),
    (
        "The bridge was closed on Monday, according to the ministry.",
        [("indirect", "the ministry", "according to", ["The bridge was closed on Monday"])],
    ),
    (
        "Lopez said the bridge was “as safe as a house” and would open soon.",
        [("mixed", "Lopez", "said", ["the bridge was “as safe as a house” and would open soon"])],
    ),
    (
        "Lopez asked whether the bridge was safe.",
        [("indirect", "Lopez", "asked", ["whether the bridge was safe"])],
    ),
    (
        "Lopez said: “The bridge is safe.”",
        [("direct", "Lopez", "said", ["“The bridge is safe.”"])],
    ),
    (
        "Lopez went on:\n\n“The bridge is safe for everyone.”",
        [("direct", "Lopez", "went on", ["“The bridge is safe for everyone.”"])],
    ),
]


@pytest.mark.parametrize(("text", "expected"), EXAMPLES, ids=[e[0][:40] for e in EXAMPLES])
def test_forms(parse: Any, text: str, expected: list[tuple[str, str, str, list[str]]]) -> None:
    found = [(q.type, q.source and q.source.text, q.cue and q.cue.text, parts(text, q)) for q in find(parse, text)]
    assert found == expected


# The forms of wire copy by name: text, then type, kind, polarity, source, cue and parts of every quote.
Form = tuple[str, str, str, str | None, str | None, list[str]]
FORMS: dict[str, tuple[str, list[Form]]] = {
    "inverted, indirect": (
        "The talks were productive, said foreign ministry spokesman Randhir Jaiswal on Friday.",
        [("indirect", "speech", "positive", "foreign ministry spokesman Randhir Jaiswal", "said",
          ["The talks were productive"])],
    ),
    "split, name in apposition": (
        '"The bridge," the mayor, Peter Green, said, "is safe for everyone, and it will open on Monday."',
        [("direct", "speech", "positive", "the mayor, Peter Green", "said",
          ['"The bridge,"', '"is safe for everyone, and it will open on Monday."'])],
    ),
    "told reporters at a venue that": (
        "Trade minister Piyush Goyal told reporters on the sidelines of the summit that the two sides had agreed.",
        [("indirect", "speech", "positive", "Trade minister Piyush Goyal", "told",
          ["that the two sides had agreed"])],
    ),
    "said on a day": (
        "Prime Minister Narendra Modi said on Friday India would not bow to pressure.",
        [("indirect", "speech", "positive", "Prime Minister Narendra Modi", "said",
          ["India would not bow to pressure"])],
    ),
    "tweet": (
        "Modi said in a tweet that the government would help the families.",
        [("indirect", "speech", "positive", "Modi", "said", ["that the government would help the families"])],
    ),
    "interview": (
        '"I will not resign," Pedro Alvarez said in an interview with El Pais published on Sunday.',
        [("direct", "speech", "positive", "Pedro Alvarez", "said", ['"I will not resign,"'])],
    ),
    "was quoted as saying": (
        "Kumar was quoted as saying by PTI that the train was running at high speed.",
        [("indirect", "speech", "positive", "Kumar", "was quoted as saying",
          ["that the train was running at high speed"])],
    ),
    "was quoted as saying, direct": (
        '"The fire has been put out," fire officer Anil Sharma was quoted as saying by the agency.',
        [("direct", "speech", "positive", "fire officer Anil Sharma", "was quoted as saying",
          ['"The fire has been put out,"'])],
    ),
    "passive without a source": (
        "It was claimed that the minister had known of the plan for months.",
        [("indirect", "speech", "positive", None, "was claimed",
          ["that the minister had known of the plan for months"])],
    ),
    "passive with its agent": (
        "The drug was described by doctors as a breakthrough.",
        [("indirect", "speech", "positive", "doctors", "was described", ["The drug", "as a breakthrough"])],
    ),
    "X's claim that": (
        "Trump's claim that the election was stolen has been rejected by the courts.",
        [("indirect", "speech", "positive", "Trump", "claim", ["that the election was stolen"])],
    ),
    "asked whether, nobody asks": (
        "Asked whether the ceasefire would hold, Lavrov said it was too early to say.",
        [("indirect", "speech", "positive", None, "Asked", ["whether the ceasefire would hold"]),
         ("indirect", "speech", "positive", "Lavrov", "said", ["it was too early to say"])],
    ),
    "asked X if": (
        "Reporters asked the minister if he would resign.",
        [("indirect", "speech", "positive", "Reporters", "asked", ["if he would resign"])],
    ),
    "declined to say": (
        "A spokesman for Boeing declined to say how many planes were affected.",
        [("indirect", "speech", "negative", "A spokesman for Boeing", "declined",
          ["to say how many planes were affected"])],
    ),
    "would not confirm": (
        "Police would not confirm that a suspect had been arrested.",
        [("indirect", "speech", "negative", "Police", "would not confirm", ["that a suspect had been arrested"])],
    ),
    "did not say when": (
        "She did not say when the report would be published.",
        [("indirect", "speech", "negative", "She", "did not say", ["when the report would be published"])],
    ),
    "thought": (
        "Analysts believe the central bank will cut rates in June.",
        [("indirect", "thought", "positive", "Analysts", "believe", ["the central bank will cut rates in June"])],
    ),
    "intention": (
        "The company plans to open 50 stores in India this year.",
        [("indirect", "intention", "positive", "The company", "plans", ["to open 50 stores in India this year"])],
    ),
    "writing": (
        '"The science is clear," the authors wrote in the journal Nature.',
        [("direct", "writing", "positive", "the authors", "wrote", ['"The science is clear,"'])],
    ),
    "nested, the outermost": (
        "\"He told me, 'I will be back soon,' and then he left,\" his wife Sunita said.",
        [("direct", "speech", "positive", "his wife Sunita", "said",
          ["\"He told me, 'I will be back soon,' and then he left,\""])],
    ),
    "nested at the edge": (
        "''We are told all the time, 'The case is special,''' Mr. Marek said.",
        [("direct", "speech", "positive", "Mr. Marek", "said",
          ["''We are told all the time, 'The case is special,'''"])],
    ),
    "questions and answers": (
        "Q: How long will the talks take?\n\nA: I think we will finish by June.",
        [("indirect", "speech", "positive", "Q", ":", ["How long will the talks take?"]),
         ("indirect", "speech", "positive", "A", ":", ["I think we will finish by June."])],
    ),
    "verse": (
        'The poet Anna Meyer read from her book:\n\n"The river runs,\nthe river sings,\nand so are kings."',
        [("direct", "speech", "positive", "Anna Meyer", "read",
          ['"The river runs,\nthe river sings,\nand so are kings."'])],
    ),
    "list in marks": (
        'Smith listed three demands:\n\n"- higher pay for nurses\n- shorter shifts\n- a hospital in the north"',
        [("direct", "speech", "positive", "Smith", "listed",
          ['"- higher pay for nurses\n- shorter shifts\n- a hospital in the north"'])],
    ),
    "marks of two kinds": (
        '"The bridge is safe,” Lopez said. “We checked it."',
        [("direct", "speech", "positive", "Lopez", "said", ['"The bridge is safe,”', '“We checked it."'])],
    ),
    "single marks": (
        "‘The bridge is safe,’ said Lopez. ‘We don’t know why it closed.’",
        [("direct", "speech", "positive", "Lopez", "said",
          ["‘The bridge is safe,’", "‘We don’t know why it closed.’"])],
    ),
    "doubled singles": (
        "''The bridge is safe,'' said Lopez. ``We checked every bolt.''",
        [("direct", "speech", "positive", "Lopez", "said", ["''The bridge is safe,''", "``We checked every bolt.''"])],
    ),
    "no closing mark before the cue": (
        '"The bridge is safe, Lopez said. It will open on Monday.',
        [("direct", "speech", "positive", "Lopez", "said", ['"The bridge is safe,'])],
    ),
    "name after a dash": (
        '"We won\'t give up." - Anna Berg, mayor of Lund',
        [("direct", "speech", "positive", "Anna Berg, mayor of Lund", "-", ['"We won\'t give up."'])],
    ),
    "British spelling": (
        "Jaishankar emphasised that the boundary dispute must be resolved.",
        [("indirect", "speech", "positive", "Jaishankar", "emphasised",
          ["that the boundary dispute must be resolved"])],
    ),
    "cue in another paragraph": (
        '"The mission is an effort to reform the courts,"\n\nstated Juan Jimenez, who will lead it.',
        [("direct", "speech", "positive", "Juan Jimenez", "stated",
          ['"The mission is an effort to reform the courts,"'])],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FORMS.values(), ids=FORMS)
def test_forms_of_wire_copy(parse: Any, text: str, expected: list[Form]) -> None:
    found = [
        (q.type, q.kind, q.polarity, q.source and q.source.text, q.cue and q.cue.text, parts(text, q))
        for q in find(parse, text)
    ]
    assert found == expected


def test_headline_colon(parser: Parser) -> None:
    def quoted(headline: str) -> list[tuple[str | None, list[str]]]:
        text = f"{headline}\n\nTrade talks are on, Foreign Secretary Vikram Misri told reporters."
        at = text.index("Vikram Misri")
        person = Entity(
            id="e1", label="PERSON", name="Vikram Misri", mentions=[Mention.of(text, at, at + 12, kind="name")]
        )
        document = Document(id="h", schema_=1, text=text, entities=[person])
        found = Quotes().apply(document, next(parser.parse([document])))["quotes"]
        return [(q.source and q.source.text, parts(text, q)) for q in found if q.start < len(headline)]

    assert quoted("Misri: trade talks with US on") == [("Misri", ["trade talks with US on"])]
    assert quoted("Trade talks with US on: Misri") == [("Misri", ["Trade talks with US on"])]
    assert quoted("14 injured in depot fire: police") == [("police", ["14 injured in depot fire"])]
    assert quoted("Bus depot fire: what we know so far") == []


def test_declined_to_be_named_and_said_nothing_quote_nobody(parse: Any) -> None:
    found = find(parse, "“We are ready,” said an official, who declined to be named. He left and said nothing.")
    assert [q.cue and q.cue.text for q in found] == ["said"]


def test_list_after_a_colon(parse: Any) -> None:
    text = "The minister said:\n\n* The border will stay open.\n\n* No troops will be sent."
    (quote,) = find(parse, text)
    assert (quote.source and quote.source.text, quote.end) == ("The minister", len(text))


def test_two_cues_of_one_source_are_two_quotes(parse: Any) -> None:
    text = "Lopez said the bridge was safe and added that the tunnel was not."
    found = find(parse, text)
    assert [(q.cue and q.cue.text, q.source and q.source.text) for q in found] == [
        ("said", "Lopez"),
        ("added", "Lopez"),
    ]
    assert parts(text, found[0]) == ["the bridge was safe"]


def test_participle_takes_the_subject_of_its_clause(parse: Any) -> None:
    text = "The council rejected the plan, saying the bridge was unsafe."
    said = [q for q in find(parse, text) if q.cue and q.cue.lemma == "say"]
    assert [q.source and q.source.text for q in said] == ["The council"]


def test_only_the_outermost_of_nested_quotations(parse: Any) -> None:
    found = find(parse, "Lopez said the minister had told her that the bridge was safe.")
    assert [(q.source and q.source.text) for q in found] == ["Lopez"]


@pytest.mark.parametrize(
    "text",
    [
        'The "tit-for-tat" tariff kicks in next week.',
        "They sang “The Long Way Home” at the fair.",
        "The workers' union met at the firm's office at six o'clock.",
    ],
)
def test_scare_quotes_titles_and_apostrophes_are_no_quotations(parse: Any, text: str) -> None:
    assert [q for q in find(parse, text) if q.type != "indirect"] == []


def test_reopened_marks_carry_a_quotation_over_paragraphs(parse: Any) -> None:
    text = "“The bridge is safe,” Lopez said. “We checked it.\n\n“Then we checked it again.”"
    (quote,) = find(parse, text)
    assert len(quote.parts) == 3
    assert quote.end == len(text)


def test_quoted_sentence_without_a_cue_goes_on_from_the_one_before(parse: Any) -> None:
    text = "“The bridge is safe,” Lopez said as she left. It rained.\n\n“Nobody has to worry about it at all.”"
    first, second = find(parse, text)
    assert second.cue is None
    assert second.continues == first.id


def test_denial_is_negative(parse: Any) -> None:
    assert find(parse, "Lopez did not say that the bridge was safe.")[0].polarity == "negative"
    assert find(parse, "Lopez denied that the bridge was unsafe.")[0].polarity == "negative"
    assert find(parse, "Lopez said that the bridge was safe.")[0].polarity == "positive"


def test_kinds_and_their_switches(parse: Any) -> None:
    text = "Lopez believes that the bridge is safe."
    assert [q.kind for q in find(parse, text)] == ["thought"]
    assert find(parse, text, thoughts=False) == []
    text = "Lopez wrote that the bridge is safe."
    assert [q.kind for q in find(parse, text)] == ["writing"]
    text = "Lopez intends to close the bridge."
    assert [q.kind for q in find(parse, text, min_confidence=0.2)] == ["intention"]
    assert find(parse, text, min_confidence=0.2, intentions=False) == []


def test_min_words_and_min_confidence(parse: Any) -> None:
    text = "It was a day of “peace and quiet for all” in the town."
    assert find(parse, text, min_words=3, min_confidence=0.2)
    assert not find(parse, text, min_words=8, min_confidence=0.2)
    assert not find(parse, text)


def test_single_marks_can_be_switched_off(parse: Any) -> None:
    text = "Lopez said: 'The bridge is safe for now.'"
    assert find(parse, text)[0].type == "direct"
    assert all(q.type != "direct" for q in find(parse, text, singles=False))


def test_transcript_labels(parse: Any) -> None:
    text = "LOPEZ: The bridge is safe today.\n\nGREEN: That is good to hear.\n\nLOPEZ: Thank you."
    assert [q.source and q.source.text for q in find(parse, text)] == ["LOPEZ", "GREEN", "LOPEZ"]


def test_seed_story(parse: Any) -> None:
    text = SEED.read_text("utf-8")
    found = find(parse, text)
    said = {(q.source and q.source.text, q.cue and q.cue.text, text[q.start : q.end][:30]) for q in found}
    assert ("the Ministry of External Affairs (MEA)", "said", 'The two officials "touched on ') in said
    assert ("it", "said", "Misri underlined the deepening") in said
    assert ("the MEA", "said", "Both sides agreed to remain en") in said
    assert ("US State Department Spokesperson Tammy Bruce", "said", 'Misri and Landau discussed "on') in said
    assert ("Bruce", "said", "Misri and Landau also discusse") in said
    assert ("it", "said", "Congratulating Deputy Secretar") in said
    assert ("the MEA", "added", "Misri also extended an invitat") in said
    assert any(s == "Landau" and c == "thanked" for s, c, _ in said)
    assert not any("tit-for-tat" in text[q.start : q.end] for q in found)


MARKS = [
    ("He said “a b” and “c d”.", ["“a b”", "“c d”"]),
    ('He said "a b" and "c d".', ['"a b"', '"c d"']),
    ("He said ``a b'' today.", ["``a b''"]),
    ("He said ''a b'' today.", ["''a b''"]),
    ("He said «a b» today.", ["«a b»"]),
    ('He said "a b.\n\nNext "c d" here.', ['"a b.', '"c d"']),
    ('He said "a b.\n\n"c d," he said.', ['"a b.', '"c d,"']),
    ("He said 'a b' today.", ["'a b'"]),
    ("The dogs' owners' club of '68 isn't big.", []),
    ("He said ''a 'b c''' today.", ["''a 'b c'''"]),
    ("He said ‹‹a b›› today.", ["‹‹a b››"]),
    ('"A b c, Lopez said. D e f.', ['"A b c,']),
    ('He is 6\'2" tall and she is 5" less.', []),
    ("He said “a ‘b c’ d”.", ["“a ‘b c’ d”"]),
]


@pytest.mark.parametrize(("text", "expected"), MARKS)
def test_marks(text: str, expected: list[str]) -> None:
    document = Document(id="m", schema_=1, text=text)
    assert [text[r.start : r.end] for r in scan(text, document.paragraphs())] == expected


WORDS = st.sampled_from(
    [
        *["Lopez", "said", "that", "the bridge", "told", "it", "according to", "was", "she", "and", "as"],
        *['"', "“", "”", "'", "''", "‘", "’", ",", ".", ":", "—", "?", "(", ")", "\n\n", "\u2029", "\x00", "😀"],
    ]
)


@given(words=st.lists(WORDS, max_size=30), glue=st.sampled_from([" ", ""]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_gives_sound_quotes_and_the_same_again(parser: Parser, words: list[str], glue: str) -> None:
    document = Document(id="any", schema_=1, text=glue.join(words))
    doc = next(parser.parse([document]))
    stage = Quotes(QuotesSettings(min_confidence=0.0, min_words=1))
    document.quotes = stage.apply(document, doc)["quotes"]
    assert not check(document)
    assert all(p.start < p.end for q in document.quotes for p in q.parts)
    assert [q.model_dump() for q in stage.apply(document, doc)["quotes"]] == [q.model_dump() for q in document.quotes]


@given(text=st.text(max_size=200))
@settings(max_examples=150, deadline=None)
def test_marks_never_overlap(text: str) -> None:
    document = Document(id="any", schema_=1, text=text)
    regions = scan(text, document.paragraphs())
    assert all(a.end <= b.start for a, b in pairwise(regions))
    assert all(0 <= r.start <= r.inner_start <= r.inner_end <= r.end <= len(text) for r in regions)
