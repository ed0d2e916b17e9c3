"""Cities that stand for their sides in sports copy, through the entities stage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.stages.entities import Entities

Parse = Callable[..., tuple[Any, Any]]

TABLE = """SOCCER - LEAGUE STANDINGS AFTER SATURDAY'S MATCHES.

Standings (played, won, drawn, lost, points):

Norwich 4 3 1 0 10
Bradford 4 2 1 1 7
Germany 4 1 1 2 4

Bradford came from behind in front of a full house in Norwich, where it had rained all day.
"""


def classes(parse: Parse, text: str) -> list[tuple[str, str]]:
    document, doc = parse(text)
    entities = Entities().apply(document, doc)["entities"]
    found = [(m.start, m.text, e.label) for e in entities for m in e.mentions if m.kind == "name"]
    return [(name, label) for _, name, label in sorted(found)]


def test_rows_of_standings_name_sides(parse: Parse) -> None:
    found = classes(parse, TABLE)
    assert ("Norwich", "ORG") in found
    assert [label for name, label in found if name == "Bradford"] == ["ORG", "ORG"]


def test_countries_in_tables_stay_places_and_so_do_places_after_in(parse: Parse) -> None:
    found = classes(parse, TABLE)
    assert ("Germany", "GPE") in found
    assert found[-1] == ("Norwich", "GPE")


def test_results_and_fixtures(parse: Parse) -> None:
    found = classes(parse, "Results of matches on Sunday:\n\nTorquay 2 Exeter 1\n\nMONTREAL AT PHILADELPHIA\n")
    assert {("Torquay", "ORG"), ("Exeter", "ORG"), ("MONTREAL", "ORG"), ("PHILADELPHIA", "ORG")} <= set(found)


def test_a_city_that_does_no_sport_stays_a_place(parse: Parse) -> None:
    found = classes(parse, "Boston hosts the talks on Monday. Police in Boston closed two streets near the hall.")
    assert [label for name, label in found if name == "Boston"] == ["GPE", "GPE"]
