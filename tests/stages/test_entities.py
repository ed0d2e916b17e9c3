from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.document import Document, Entity, check
from pipeline.language import Parser
from pipeline.readers import read
from pipeline.stages.entities import Entities, EntitiesSettings

SEED = Path(__file__).parents[2] / "seeds" / "pti-2025-03-28-tariff-talks.txt"


@pytest.fixture
def named(parse: Callable[..., Any]) -> Callable[..., dict[str, Entity]]:
    """Entities of a text by name; the document is checked."""

    def call(text: str, **options: Any) -> dict[str, Entity]:
        document, doc = parse(text)
        document.entities = list(Entities(EntitiesSettings(**options)).apply(document, doc)["entities"])
        assert check(document) == []
        return {entity.name: entity for entity in document.entities}

    return call


@pytest.fixture(scope="module")
def seed(parser: Parser) -> dict[str, Entity]:
    document = next(read(SEED))
    found = Entities().apply(document, next(parser.parse([document])))["entities"]
    document.entities = list(found)
    assert check(document) == []
    return {entity.name: entity for entity in found}


def forms(entity: Entity, kind: str = "name") -> list[str]:
    return [mention.text for mention in entity.mentions if mention.kind == kind]


def test_the_seed_s_persons(seed: dict[str, Entity]) -> None:
    persons = {name: entity for name, entity in seed.items() if entity.label == "PERSON"}
    assert set(persons) == {"Donald Trump", "Vikram Misri", "Christopher Landau", "Tammy Bruce", "Brendan Lynch"}
    assert persons["Vikram Misri"].roles == ["Foreign Secretary"]
    assert persons["Donald Trump"].roles == ["US President"]
    assert persons["Tammy Bruce"].roles == ["US State Department Spokesperson"]
    assert persons["Brendan Lynch"].roles == ["US Assistant Trade Representative"]
    assert "US Deputy Secretary of State" in persons["Christopher Landau"].roles
    assert "the foreign secretary" in forms(persons["Vikram Misri"], "nominal")
    assert forms(persons["Christopher Landau"], "pronoun") == ["his", "his"]
    assert forms(persons["Brendan Lynch"], "pronoun") == ["his"]
    assert persons["Vikram Misri"].aliases == ["Misri"]


def test_no_mention_of_the_seed_s_persons_is_typed_otherwise(seed: dict[str, Entity]) -> None:
    for entity in seed.values():
        if entity.label != "PERSON":
            assert not {"Misri", "Landau", "Bruce", "Lynch", "Trump"} & set(" ".join(forms(entity)).split())


def test_the_seed_s_organisations_and_places(seed: dict[str, Entity]) -> None:
    mea = seed["Ministry of External Affairs"]
    assert mea.label == "ORG"
    assert forms(mea) == ["Ministry of External Affairs", "MEA", "MEA", "MEA"]
    assert forms(mea, "pronoun") == ["it", "it"]
    assert {"US State Department", "US Senate", "Government of India"} <= set(seed)
    assert seed["PTI"].agency is True
    assert seed["Indo-Pacific"].label == "LOC"
    assert {seed[name].label for name in ("United States", "India", "New Delhi")} == {"GPE"}
    assert set(seed["United States"].aliases) == {"US"}
    assert seed["India"].link is not None
    assert seed["India"].link["iso2"] == "IN"
    assert "BTA" not in seed
    assert "State" not in seed


@pytest.mark.parametrize(
    ("text", "name", "label", "wanted"),
    [
        ("Prime Minister Anna Berg resigned. Berg had ruled for years.", "Anna Berg", "PERSON", ["Anna Berg", "Berg"]),
        ("Mr Rao left. Suresh Rao was tired.", "Suresh Rao", "PERSON", ["Rao", "Suresh Rao"]),
        (
            "The World Trade Organization (WTO) met. The WTO agreed.",
            "World Trade Organization",
            "ORG",
            ["World Trade Organization", "WTO", "WTO"],
        ),
        ("The U.S. and the United States are one. So is America.", "United States", "GPE", None),
        ("Officials of the Ministry of Finance met. The ministry was silent.", "Ministry of Finance", "ORG", None),
    ],
)
def test_one_entity_all_its_names(text: str, name: str, label: str, wanted: list[str] | None, named: Any) -> None:
    found = named(text)
    assert found[name].label == label
    if wanted is not None:
        assert forms(found[name]) == wanted
    assert sum(1 for entity in found.values() if entity.label == label) == 1


def test_a_common_phrase_with_letters_is_no_organisation(named: Any) -> None:
    found = named("India and Oman signed a free trade agreement (FTA). The FTA covers goods.")
    assert "FTA" not in found


def test_a_nominal_goes_to_the_one_who_bears_the_office(named: Any) -> None:
    found = named("Finance Minister Leila Haddad spoke on Friday. The finance minister gave no figures.")
    assert forms(found["Leila Haddad"], "nominal") == ["The finance minister"]
    two = named("President Anna Berg met President Juan Soto. The president smiled.")
    assert not forms(two["Anna Berg"], "nominal")
    assert not forms(two["Juan Soto"], "nominal")


def test_gender_forbids(named: Any) -> None:
    found = named("Maria Lopez met John Carter in Lima. She was late.")
    assert forms(found["Maria Lopez"], "pronoun") == ["She"]
    assert not forms(found["John Carter"], "pronoun")


def test_settings_switch_parts_off(named: Any) -> None:
    text = "Finance Minister Leila Haddad spoke. The finance minister said she had $5 million."
    everything, bare = named(text), named(text, nominals=False, pronouns=False, money=False)
    assert {m.kind for m in everything["Leila Haddad"].mentions} == {"name", "nominal", "pronoun"}
    assert {m.kind for m in bare["Leila Haddad"].mentions} == {"name"}
    assert any(entity.label == "MONEY" for entity in everything.values())
    assert not any(entity.label == "MONEY" for entity in bare.values())


WORDS = [
    "Misri",
    "Foreign Secretary",
    "the",
    "(",
    ")",
    "MEA",
    "it",
    "said",
    "his",
    "She",
    ",",
    ".",
    "\n\n",
    "\n",
    "who",
]
WORDS += ["US", "India", "Bank of", "Mr", "of State", "'s", "“", "-", "John Smith", "$5 million", "é", "\u2029", "\x00"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=6), max_size=25).map(" ".join))
def test_any_text_gives_sound_entities_and_the_same_ones_twice(parser: Parser, text: str) -> None:
    document = Document(id="a", schema_=1, text=text)
    doc = next(parser.parse([document]))
    first = Entities().apply(document, doc)["entities"]
    assert first == Entities().apply(document, doc)["entities"]
    document.entities = list(first)
    assert check(document) == []
    spans = [(m.start, m.end) for entity in first for m in entity.mentions]
    assert len(spans) == len(set(spans))
    assert all(entity.name for entity in first)


def test_first_person_in_quotation_marks_and_apposition(named: Callable[..., dict[str, Entity]]) -> None:
    found = named('Ngozi Okoye, a lawyer, left early. "I wrote my speech twice," Okoye said.')
    assert {"I", "my", "a lawyer"} <= {mention.text for mention in found["Ngozi Okoye"].mentions}


def test_capital_is_linked_to_its_country(named: Callable[..., dict[str, Entity]]) -> None:
    link = named("Ministers met in Nairobi on Monday.")["Nairobi"].link
    assert link is not None and link["iso2"] == "KE"
