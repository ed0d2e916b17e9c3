"""Teams: in results, standings and reports of matches a city or county stands for its side, an organisation.

Rows of tables are told by their form: a name and three figures or more (standings), two names with a figure each
(results), two names joined by ``at``, ``v`` or ``vs`` (fixtures). Countries stay places, as annotators have it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.stages.entities.lexicons import fold, lexicons
from pipeline.stages.entities.names import Name

if TYPE_CHECKING:
    from spacy.tokens import Doc

_NAME = r"([A-Z][\w.'’&-]*(?: (?:[A-Z][\w.'’&-]*|of|and|the|de|la|del)){0,3})"
_FIGURE = r"[-+]?[.\d][\d.:/-]*"
_ROWS = (
    re.compile(rf"{_NAME}(?: +{_FIGURE}){{3,}}$"),
    re.compile(rf"{_NAME} +\d{{1,3}} +{_NAME} +\d{{1,3}}(?: \(.*)?$"),
    re.compile(rf"{_NAME} (?:AT|at|v|vs|V|VS)\.? {_NAME}$"),
)
_WIDTH = 60
"""Longest row of a table, in code points."""
_REPORT = 2
"""Fewest times a place must play in a story without tables for the story to be a report of matches."""
_PLACES = frozenset(("GPE", "LOC", "PERSON", "PRODUCT", "MISC", "FAC", "ORG"))
_LOCAL = frozenset(("in", "near", "outside", "around", "across", "to", "from"))


def teams(parse: Doc, names: list[Name]) -> list[Name]:
    """``names`` with the sides of tables and of match reports as organisations, missing ones of tables added."""
    listed = _listed(parse)
    sides = {fold(str(parse[i:j].text)) for i, j in listed}
    told = [fold(name.text(parse)) for name in names if _plays(parse, name)]
    if not sides and len(told) < _REPORT:
        return names
    sides.update(told)
    rows = {k: (i, j) for i, j in listed for k in range(i, j)}
    made = []
    for name in names:
        if (name.i in rows and rows[name.i] != (name.i, name.j)) or (name.j - 1 in rows and name.i not in rows):
            continue  # a name that does not keep to the row's own
        if name.label in _PLACES and fold(name.text(parse)) in sides and not _local(parse, name):
            name = replace(name, label="ORG", role_i=None, address=None)
        made.append(name)
    taken = {k for name in made for k in range(name.i, name.j)}
    made += [Name(i, j, "ORG") for i, j in listed if not any(k in taken for k in range(i, j))]
    return sorted(made, key=lambda name: name.i)


def _listed(parse: Doc) -> list[tuple[int, int]]:
    """Token ranges of the sides named in rows of tables, countries left out."""
    found = []
    start = 0
    for line in parse.text.splitlines(keepends=True):
        row = line.strip()
        if 3 < len(row) <= _WIDTH:
            match = next((m for pattern in _ROWS if (m := pattern.match(row))), None)
            offset = start + line.index(row)
            for n in range(1, (match.lastindex or 0) + 1) if match else ():
                span = parse.char_span(offset + match.start(n), offset + match.end(n)) if match else None
                if span is not None and not _country(span.text):
                    found.append((span.start, span.end))
        start += len(line)
    return found


def _country(text: str) -> bool:
    words = lexicons()
    return any(form in words.countries or form in words.demonyms for form in (text, text.title()))


def _plays(parse: Doc, name: Name) -> bool:
    """Whether a city or county does what sides do, or has a player or coach named after it."""
    words = lexicons().sport
    if name.label not in ("GPE", "LOC") or _country(name.text(parse)):
        return False
    head = parse[name.i : name.j].root
    if head.dep_ in ("nsubj", "dobj", "nsubjpass") and head.head.lemma_ in words["verbs"]:
        return head.dep_ != "dobj" or head.head.lemma_ not in ("win", "host", "visit", "lose")
    return head.dep_ in ("compound", "nmod", "poss") and head.head.lower_ in words["people"]


def _local(parse: Doc, name: Name) -> bool:
    return name.i > 0 and parse[name.i - 1].lower_ in _LOCAL
