"""The attribution stage through its public face: each quotation to its speaker, by mention, entity, name and role."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.document import Attribution, Cue, Document, Entity, Mention, Quote, Span, TextSpan, check
from pipeline.language import Parser
from pipeline.stages.attribution import Attribution as Stage
from pipeline.stages.attribution import AttributionSettings
from pipeline.stages.quotes import Quotes

SEED = Path(__file__).parents[2] / "seeds" / "pti-2025-03-28-tariff-talks.txt"
SEED_CAST = {
    "Vikram Misri": ("PERSON", ["Misri"], ["Foreign Secretary"]),
    "Christopher Landau": ("PERSON", ["Landau"], ["US Deputy Secretary of State"]),
    "Tammy Bruce": ("PERSON", ["Bruce"], ["US State Department Spokesperson"]),
    "US State Department": ("ORG", [], []),
    "Ministry of External Affairs": ("ORG", ["MEA"], []),
    "Government of India": ("ORG", [], []),
    "United States": ("GPE", [], []),
}
PEOPLE = {
    "Maria Lopez": ("PERSON", ["Lopez"], ["city engineer"]),
    "Peter Green": ("PERSON", ["Green"], ["mayor"]),
    "Ministry of Transport": ("ORG", ["MOT"], []),
    "National Bridge Study": ("WORK_OF_ART", [], []),
}


def cast(text: str, people: dict[str, tuple[str, list[str], list[str]]]) -> list[Entity]:
    """Entities of ``people`` wherever their names and aliases stand in ``text``."""
    found: list[Entity] = []
    for name, (label, aliases, roles) in people.items():
        mentions: list[Mention] = []
        for form in (name, *aliases):
            at = text.find(form)
            while at != -1:
                if not any(m.start <= at < m.end for m in mentions):
                    mentions.append(Mention.of(text, at, at + len(form), kind="name"))
                at = text.find(form, at + 1)
        if mentions:
            mentions.sort(key=lambda m: m.start)
            found.append(Entity(id=name, label=label, name=name, mentions=mentions, roles=roles, aliases=aliases))
    return sorted(found, key=lambda e: e.mentions[0].start)


def attribute(parse: Any, text: str, **options: Any) -> list[Attribution]:
    document, doc = parse(text)
    document.entities = cast(text, PEOPLE)
    document.quotes = Quotes().apply(document, doc)["quotes"]
    document.attributions = Stage(AttributionSettings(**options)).apply(document, doc)["attributions"]
    assert not check(document)
    return list(document.attributions)


# Text, then for every row: name, method.
EXAMPLES: list[tuple[str, list[tuple[str | None, str]]]] = [
    ("City engineer Maria Lopez said the bridge was safe.", [("Maria Lopez", "name")]),
    ("Maria Lopez came. The bridge was safe, Lopez said.", [("Maria Lopez", "name")]),
    ("Maria Lopez came early. She said the bridge was safe.", [("Maria Lopez", "pronoun")]),
    ("Maria Lopez met Peter Green. He said the bridge was safe.", [("Peter Green", "pronoun")]),
    ("Maria Lopez met Peter Green. She said the bridge was safe.", [("Maria Lopez", "pronoun")]),
    (
        "The bridge was closed, the Ministry of Transport said.\n\nWork starts on Monday, it said in a statement.",
        [("Ministry of Transport", "name"), ("Ministry of Transport", "pronoun")],
    ),
    (
        "The bridge was closed, the Ministry of Transport said.\n\nThe statement said work starts on Monday.",
        [("Ministry of Transport", "name"), ("Ministry of Transport", "document")],
    ),
    ("Peter Green came early. The mayor said the bridge was safe.", [("Peter Green", "nominal")]),
    (
        "Maria Lopez and Peter Green said the bridge was safe.",
        [("Maria Lopez", "name"), ("Peter Green", "name")],
    ),
    ("Witnesses said the bridge was shaking.", [(None, "group")]),
    (
        "The Ministry of Transport released figures on Monday. Traffic rose in May, the statement said.",
        [("Ministry of Transport", "document")],
    ),
    (
        "Maria Lopez and Peter Green met on Monday. They said the bridge was safe. The two said it would open soon.",
        [("Maria Lopez", "pronoun"), ("Peter Green", "pronoun")] * 2,
    ),
    (
        "The National Bridge Study came out on Monday. One bridge in ten is unsafe, the report says.",
        [("National Bridge Study", "document")],
    ),
    ("The Ministry of Transport, which said the bridge was safe, closed it.", [("Ministry of Transport", "relative")]),
    (
        "Maria Lopez spoke to the Courier.\n\nQ: Is the bridge safe?\n\nA: It is. We checked it.",
        [(None, "label"), ("Maria Lopez", "label")],
    ),
    ("“We are tired,” a resident said on condition of anonymity.", [(None, "anonymous")]),
    ("“We are ready,” said an official, who declined to be named.", [(None, "anonymous")]),
    (
        "“It is safe,” Maria Lopez said.\n\n“I doubt it,” Peter Green said.\n\n“We saw cracks in the deck.”",
        [("Maria Lopez", "name"), ("Peter Green", "name")],
    ),
    ("A source familiar with the plan said the bridge was shaking.", [(None, "anonymous")]),
    (
        "“The bridge is safe,” Maria Lopez said as she left. It rained.\n\n“Nobody has to worry about it at all.”",
        [("Maria Lopez", "name"), ("Maria Lopez", "continuation")],
    ),
]


@pytest.mark.parametrize(("text", "expected"), EXAMPLES, ids=[e[0][:40] for e in EXAMPLES])
def test_speakers(parse: Any, text: str, expected: list[tuple[str | None, str]]) -> None:
    assert [(row.name, row.method) for row in attribute(parse, text)] == expected


def test_seed_story(parse: Any) -> None:
    text = SEED.read_text("utf-8")
    document, doc = parse(text)
    document.entities = cast(text, SEED_CAST)
    document.quotes = Quotes().apply(document, doc)["quotes"]
    document.attributions = Stage().apply(document, doc)["attributions"]
    names = {row.quote: row.name for row in document.attributions}
    said = {text[q.start : q.end][:24]: names.get(q.id) for q in document.quotes}
    ministry = "Ministry of External Affairs"
    assert said['The two officials "touch'] == ministry
    assert said["Misri underlined the dee"] == ministry
    assert said["Both sides agreed to rem"] == ministry
    assert said["Misri and Landau discuss"] == "Tammy Bruce"
    assert said["Misri and Landau also di"] == "Tammy Bruce"
    assert said["Misri for \"India's assis"] == "Christopher Landau"
    assert said["Congratulating Deputy Se"] == ministry
    assert said["Misri also extended an i"] == ministry


def test_role_and_entity_come_with_the_name(parse: Any) -> None:
    (row,) = attribute(parse, "Maria Lopez said the bridge was safe.")
    assert (row.entity, row.role) == ("Maria Lopez", "city engineer")


def test_groups_and_anonymous_sources_say_so(parse: Any) -> None:
    (row,) = attribute(parse, "Officials said the bridge was shaking.")
    assert row.group and row.entity is None and row.name is None
    (row,) = attribute(parse, "An official who asked not to be named said the bridge was shaking.")
    assert row.anonymous and row.entity is None


def test_evidence_points_at_the_name_behind_a_pronoun(parse: Any) -> None:
    text = "Maria Lopez came early. She said the bridge was safe."
    (row,) = attribute(parse, text)
    assert row.evidence is not None
    assert text[row.evidence.start : row.evidence.end] == "Maria Lopez"
    assert row.speaker is not None and row.speaker.text == "She"


def test_dialogue_alternates(parse: Any) -> None:
    text = (
        "“Is the bridge really safe for us?” asked Green.\n\n“Yes, we checked every single bolt,” said Lopez.\n\n"
        "“And the tunnel under the river?”\n\n“That one is safe as well.”"
    )
    names = [row.name for row in attribute(parse, "Peter Green met Maria Lopez.\n\n" + text)]
    assert names == ["Peter Green", "Maria Lopez", "Peter Green", "Maria Lopez"]


def test_unresolved_pronoun_keeps_its_mention(parse: Any) -> None:
    (row,) = attribute(parse, "He said the bridge was safe.")
    assert row.speaker is not None and row.speaker.text == "He"
    assert (row.entity, row.name) == (None, None)


def test_switches(parse: Any) -> None:
    text = "Maria Lopez came early. She said the bridge was safe."
    assert attribute(parse, text, pronouns=False)[0].entity is None
    assert attribute(parse, text, min_confidence=1.0)[0].entity is None
    text = "Peter Green came early. The mayor said the bridge was safe."
    assert attribute(parse, text, nominals=False)[0].entity is None


def test_passive_without_agent_has_no_row(parse: Any) -> None:
    assert attribute(parse, "It was claimed that the bridge was safe.") == []


WORDS = [
    "Lopez",
    "Maria",
    "he",
    "she",
    "it",
    "said",
    "The",
    "statement",
    "and",
    ".",
    ",",
    "“",
    "”",
    "\n\n",
    "official",
    "😀",
]


@st.composite
def stories(draw: st.DrawFn) -> Document:
    """A text with any entities and any quotations on it."""
    text = " ".join(draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=25)))

    def span() -> tuple[int, int]:
        a = draw(st.integers(0, len(text) - 1))
        return a, draw(st.integers(a + 1, len(text)))

    entities = []
    for n in range(draw(st.integers(0, 3))):
        mentions = sorted(
            (Mention.of(text, *span(), kind=draw(st.sampled_from(["name", "nominal", "pronoun"]))) for _ in range(2)),
            key=lambda m: m.start,
        )
        label = draw(st.sampled_from(["PERSON", "ORG", "GPE"]))
        entities.append(
            Entity(id=f"e{n}", label=label, name=draw(st.sampled_from(["Maria Lopez", "x", ""])), mentions=mentions)
        )
    quotes = []
    for start, end in sorted(span() for _ in range(draw(st.integers(0, 4)))):
        fields: dict[str, Any] = {}
        if draw(st.booleans()):
            fields["source"] = TextSpan.of(text, *span())
        if draw(st.booleans()):
            fields["cue"] = Cue.of(text, *span(), lemma="say")
        if quotes and draw(st.booleans()):
            fields["continues"] = quotes[-1].id
        quotes.append(
            Quote(
                id=f"q{len(quotes)}",
                type="direct",
                kind="speech",
                parts=[Span(start=start, end=end)],
                start=start,
                end=end,
                confidence=0.5,
                **fields,
            )
        )
    entities.sort(key=lambda e: e.mentions[0].start)
    return Document(id="any", schema_=1, text=text, entities=entities, quotes=quotes)


@given(document=stories())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_quotes_and_entities_give_sound_rows_and_the_same_again(parser: Parser, document: Document) -> None:
    doc = next(parser.parse([document]))
    stage = Stage(AttributionSettings(min_confidence=0.0))
    document.attributions = stage.apply(document, doc)["attributions"]
    assert not check(document)
    assert [a.model_dump() for a in stage.apply(document, doc)["attributions"]] == [
        a.model_dump() for a in document.attributions
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (
            "MOSCOW, May 3 (AP) - Talks on gas ended without a deal, the Interfax news agency said on Tuesday.",
            ["Interfax news agency"],
        ),
        # Nobody who is called he names himself in the words he says.
        (
            "For Kevin Alder, a teacher of English, Peter Marsh was a legend. "
            'He said, "Peter Marsh was the greatest painter of his age."',
            ["Kevin Alder"],
        ),
        # A town speaks, and stands without its region.
        (
            "ROME, May 3 (AP) - The court ruled on schools in Livorno, Tuscany, on Monday. "
            'The request was made by the Municipality of Livorno.\n\nThe city said, "The schools charge a fee."',
            ["Livorno"],
        ),
        # A ministry without a name is none.
        ("PARIS, May 3 (AP) - The culture ministry said the painting would be returned to its owners.", [None]),
        # A surname without its last letter is the same one.
        (
            'EVANSVILLE, May 3 (AP) - Kathryn Waters opened the show. "We are all very proud of it," Water said.',
            ["Kathryn Waters"],
        ),
    ],
)
def test_names_by_which_speakers_are_known(text: str, names: list[str | None]) -> None:
    from pipeline import Desk

    document = Desk(["attribution"])(Document(id="a", text=text))
    assert [row.name for row in document.attributions] == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        # An office by its letters.
        (
            'Kannauj, Dec 4 (PTI) Superintendent of Police Vinod Dixit went there. "The driver fled," the SP said.',
            ["Vinod Dixit"],
        ),
        # A trade, an age, a nation: whoever spoke last.
        (
            'ASUNCION (Reuters) - "I was turned away," said Derlis Cabrera, a porter. The porter said he went home.',
            ["Derlis Cabrera"] * 2,
        ),
        (
            'PARIS (AFP) - Marguerite Delorme, 48, led the study. Kenji Sato was not involved. "It is rare," the '
            "48-year-old said.",
            ["Marguerite Delorme"],
        ),
        # The company is no regulator, and the agency no company.
        (
            "BOSTON (AP) - Garner Biologics Inc recalled a drug on Monday after the Food and Drug Administration found "
            'glass in it. "Safety comes first," the company said. The agency said it would inspect the plant.',
            ["Garner Biologics Inc", "Food and Drug Administration"],
        ),
        # Whose ministry, whose office, and what hospital, the story does not name.
        ("OSLO (AP) - The Union of Nurses met on Monday. The health ministry said wages would rise.", [None]),
        ("OSLO (AP) - Anna Berg met the Union of Nurses on Monday. Her office said wages would rise.", [None]),
        # Who has no name goes on without one.
        (
            'Delhi (PTI) Ravi Rao was arrested on Monday. "He fled," a senior officer said. "He was caught," the '
            "officer said.",
            [None, None],
        ),
        # Two who speak together, and one who is asked.
        (
            "New Delhi (PTI) Foreign Minister Ravi Rao and Vietnamese Foreign Minister Tran Thi Chau said the talks "
            "had gone well.",
            ["Ravi Rao", "Tran Thi Chau"],
        ),
        # Not who is but spoken of in the source.
        ("NEW YORK (AP) - Robert Smith was arrested. Smith's lawyer said he would appeal.", [None]),
        ("FERGUSON (AP) - Michael Brown was shot. The mother of Brown said she wanted justice.", [None]),
        # A court that nobody was named for, a bank that is not its governor, a prime minister who is no deputy.
        ("DETROIT (AP) - John Doe, a plumber, was sentenced. The judge said the fraud was vast.", [None]),
        (
            "LAGOS (Reuters) - Anna Berg, governor of the central bank, resigned. The bank said rates would stay.",
            [None],
        ),
        (
            "Delhi (PTI) Deputy Prime Minister Ravi Rao met Prime Minister Arun Mehta. The PM said it went well.",
            ["Arun Mehta"],
        ),
        # Letters that a party and an office share.
        (
            "Lucknow (PTI) The Samajwadi Party (SP) named Superintendent of Police Vinod Dixit in its complaint. "
            "The SP said the poll was unfair.",
            ["Samajwadi Party"],
        ),
        # Bodies by what they make, and by letters that tell no sort.
        (
            "TOULOUSE (Reuters) - Airbus chief executive Guillaume Faury met investors. The planemaker said output "
            "would rise.",
            ["Airbus"],
        ),
        ("WASHINGTON (AP) - NASA and Boeing tested it. The agency said the flight was delayed.", ["NASA"]),
        # A name that the source leads to.
        (
            "CAIRO (AFP) - A worker, who identified himself only as Abu Karim, said it was a small jar.",
            [None, "Abu Karim"],
        ),
        # A spokesman without a name is not the body.
        ("ROME (Reuters) - A spokesman for Banca Lariana said the offer was too low.", [None]),
    ],
)
def test_who_is_called_by_a_common_noun(text: str, names: list[str | None]) -> None:
    from pipeline import Desk

    assert [row.name for row in Desk(["attribution"])(Document(id="a", text=text)).attributions] == names


def test_officials_of_a_body_are_a_group_that_speaks_for_it() -> None:
    from pipeline import Desk

    text = (
        "WASHINGTON, May 3 (AP) - FBI officials said the two men had been arrested. Officials said they had no lawyers."
    )
    rows = Desk(["attribution"])(Document(id="a", text=text)).attributions
    assert [(row.name, row.group) for row in rows] == [("FBI", True), (None, True)]
