"""The stage's lexicons: data files beside this one, read once."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


def unaccented(text: str) -> str:
    """``text`` without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def fold(text: str) -> str:
    """Lower case without accents or full stops: how names are compared."""
    return (text if text.isascii() else unaccented(text)).replace(".", "").casefold()


def _lines(name: str) -> list[str]:
    text = (files("pipeline.stages.entities") / name).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _sections(name: str) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for line in _lines(name):
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), set())
        else:
            section.update(line.split())
    return {key: frozenset(words) for key, words in found.items()}


def _by_first_word(names: list[tuple[str, str]]) -> dict[str, list[tuple[str, str]]]:
    """Names with their class by the word they begin with, longest first."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name, label in sorted(names, key=lambda pair: (-len(pair[0]), pair[0])):
        found.setdefault(re.split(r"[ -]", name)[0], []).append((name, label))
    return found


@dataclass(frozen=True)
class Country:
    """A row of countries.tsv."""

    iso2: str
    iso3: str
    wikidata: str
    name: str
    capital_id: str = ""


@dataclass(frozen=True)
class Lexicons:
    """All of them."""

    heads: frozenset[str]
    modifiers: frozenset[str]
    address: dict[str, str]
    org_heads: frozenset[str]
    companies: frozenset[str]
    papers: frozenset[str]
    trades: frozenset[str]
    org_nominals: frozenset[str]
    acronyms: dict[str, tuple[str, str]]
    agencies: frozenset[str]
    places: dict[str, list[tuple[str, str]]]
    regions: frozenset[str]
    landforms: frozenset[str]
    sport: dict[str, frozenset[str]]
    genders: dict[str, str]
    countries: dict[str, Country]
    capitals: dict[str, Country]
    demonyms: dict[str, Country]
    given_genders: dict[str, str]
    persons: frozenset[str]
    offices: frozenset[str]
    bodies: frozenset[str]
    place_nouns: frozenset[str]
    relations: frozenset[str]
    male: frozenset[str]
    female: frozenset[str]

    def given(self, word: str) -> bool:
        """Whether a folded word is a given name."""
        return word in self.genders or word in self.given_genders


def _shouted(table: dict[str, Country]) -> None:
    """Add the names of ``table`` in capitals, those of four letters and more."""
    for name, country in list(table.items()):
        if len(name) > 3 and not name.isupper():
            table.setdefault(name.upper(), country)


@cache
def lexicons() -> Lexicons:
    """The lexicons, read at first use."""
    titles, orgs, given = _sections("titles.txt"), _sections("org_words.txt"), _sections("given_names.txt")
    nouns, many = _sections("nouns.txt"), _sections("given_genders.txt")
    address = {word: gender for gender in ("male", "female", "any") for word in titles[gender]}
    countries: dict[str, Country] = {}
    capitals: dict[str, Country] = {}
    demonyms: dict[str, Country] = {}
    for line in _lines("countries.tsv"):
        iso2, iso3, wikidata, name, others, people, capital, capital_id = (*line.split("\t"), *[""] * 7)[:8]
        country = Country(iso2, iso3, wikidata, name, capital_id)
        for alias in (name, *filter(None, others.split("; "))):
            countries.setdefault(alias, country)
        for word in filter(None, people.split("; ")):
            demonyms.setdefault(word, country)
        for city in filter(None, capital.split("; ")):
            capitals.setdefault(city, country)
            if len(city) > 4:  # Male is not always the Maldives' Malé
                capitals.setdefault(unaccented(city), country)
    # Headlines and datelines in capitals.
    _shouted(countries)
    _shouted(capitals)
    _shouted(demonyms)
    acronyms = {row[0]: (row[1], row[2]) for row in (line.split("\t") for line in _lines("acronyms.tsv"))}
    genders = dict.fromkeys(given["m"], "male") | dict.fromkeys(given["f"], "female")
    return Lexicons(
        titles["heads"],
        titles["modifiers"],
        address,
        orgs["heads"],
        orgs["companies"],
        orgs["papers"],
        orgs["trades"],
        orgs["nominals"],
        acronyms,
        frozenset(_lines("agencies.txt")),
        _by_first_word(
            [(name, "LOC") for name in _lines("regions.txt")]
            + [(name, "GPE") for name in countries if " " in name and len(name) > 6]
        ),
        frozenset(_lines("regions.txt")),
        frozenset(word for line in _lines("landforms.txt") for word in line.split()),
        _sections("sport.txt"),
        {name: gender for name, gender in genders.items() if not (name in given["m"] and name in given["f"])},
        countries,
        capitals,
        demonyms,
        dict.fromkeys(many["m"], "male") | dict.fromkeys(many["f"], "female"),
        titles["heads"] | nouns["person"] | nouns["male"] | nouns["female"] | nouns["relation"],
        titles["heads"] | nouns["office"],
        orgs["nominals"] | nouns["body"],
        nouns["place"],
        nouns["relation"],
        nouns["male"],
        nouns["female"],
    )
