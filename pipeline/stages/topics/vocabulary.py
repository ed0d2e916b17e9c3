"""The tree of topics: IPTC Media Topics (see README.md beside this file) or a newsroom's own taxonomy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.errors import UsageError

HERE = Path(__file__).parent
URI = "http://cv.iptc.org/newscodes/mediatopic/"


@dataclass(frozen=True)
class Concept:
    """A topic of the tree; ``path`` runs from the root to the topic itself."""

    id: str
    uri: str
    label: str
    definition: str
    path: tuple[str, ...]
    terms: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Vocabulary:
    """All live topics by id, in the order of the file."""

    name: str
    version: str
    concepts: dict[str, Concept]
    retired: dict[str, str]

    @property
    def title(self) -> str:
        """Its name and, where it has one, its version."""
        return f"{self.name} {self.version}".rstrip()

    def find(self, id_: str) -> Concept | None:
        """The topic with this id; a retired one gives the live topic it went into."""
        return self.concepts.get(id_) or self.concepts.get(self.retired.get(id_, ""))

    def search(self, words: str) -> list[Concept]:
        """Topics whose label, else whose definition, has all of ``words``, labels first; or the one with that code."""
        if (coded := self.find(words.strip()) or self.find("medtop:" + words.strip())) is not None:
            return [coded]
        wanted = words.casefold().split()
        labels = [c for c in self.concepts.values() if all(w in c.label.casefold() for w in wanted)]
        rest = (c for c in self.concepts.values() if all(w in c.definition.casefold() for w in wanted))
        return labels + [c for c in rest if c not in labels]


@cache
def media_topics() -> Vocabulary:
    """The shipped IPTC Media Topics with the terms of ``terms.tsv``."""
    data = json.loads((HERE / "mediatopics.json").read_text(encoding="utf-8"))
    rows = {code: (label, broader, definition) for code, label, broader, definition in data["concepts"]}
    terms = _terms(HERE / "terms.tsv")
    concepts = {}
    for code, (label, _, definition) in rows.items():
        path = [code]
        while (broader := rows[path[0]][1]) is not None:
            path.insert(0, broader)
        qcodes = tuple("medtop:" + part for part in path)
        concepts[qcodes[-1]] = Concept(
            qcodes[-1], URI + code, label, definition, qcodes, (*_label_terms(label), *terms.get(code, ()))
        )
    retired = {"medtop:" + old: "medtop:" + new for old, new in data["retired"].items()}
    return Vocabulary("IPTC Media Topics", data["version"], concepts, retired)


STRENGTH = (2.0, 1.2, 0.7, 0.4, 0.15)
"""Weight of decisive, strong, fair, weak and faint evidence: the term columns of ``terms.tsv``."""
_LABEL = 1.2


def _terms(path: Path) -> dict[str, tuple[tuple[str, float], ...]]:
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        code, _, *columns = line.split("\t")
        found[code] = tuple(
            (term, weight)
            for weight, column in zip(STRENGTH, columns, strict=False)
            for term in column.split("; ")
            if term
        )
    return found


_PLAIN_WORDS = """
    series game games bar party trend men women adults values family water metal series act fire
    communities cult pool drawing design regulations plastic diving restoration inventories skeleton
    home inventory cabaret employer employee law crime court police sentencing election voting
    government nature animal language hobby holiday club education environment health labour religion
    society sport weather transport market economy banking retail construction property culture festival
    literature music theatre dance history injury surgery mining rowing bandy single final trap fine
    settlement metal metals product
"""
_PLAIN = frozenset(_PLAIN_WORDS.split())
"""Labels too ordinary to be evidence by themselves; ``terms.tsv`` weighs those that are some."""


def _label_terms(label: str) -> list[tuple[str, float]]:
    """A label is evidence for its topic, unless it is a list of several things or an everyday word."""
    bare = label.split(" (")[0]
    if bare in _PLAIN or ", " in bare:
        return []
    parts = bare.split(" and ") if " and " in bare else bare.split(" or ")
    return (
        [(bare, _LABEL)]
        if len(parts) == 1 or len(parts[0].split()) > 2
        else [(part, _LABEL / 2) for part in parts if part not in _PLAIN and len(part) > 4]
    )


@cache
def taxonomy(path: str) -> Vocabulary:
    """A newsroom's own taxonomy: a JSON list of {id, label, parent, definition, terms, examples}."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        rows: dict[str, dict[str, Any]] = {str(row["id"]): row for row in data}
        concepts = {id_: _own(id_, rows) for id_ in rows}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"the taxonomy {path} cannot be read: {error}",
            'It is a JSON list of objects with "id", "label" and, as wanted, "parent", "definition", "terms"',
        ) from error
    return Vocabulary(Path(path).stem, "", concepts, {})


def _own(id_: str, rows: dict[str, dict[str, Any]]) -> Concept:
    path = [id_]
    while (parent := rows[path[0]].get("parent")) is not None:
        if str(parent) in path or str(parent) not in rows:
            raise ValueError(f"{id_!r} has the parent {parent!r}, which is not in the list or goes in a circle")
        path.insert(0, str(parent))
    row = rows[id_]
    label = str(row["label"])
    definition = str(row.get("definition") or "")
    terms = [(label, 2.0), *_weighted(row.get("terms", ()), 2.0)]
    for example, weight in _weighted(row.get("examples", ()), 1.2):
        terms += [(example, weight)] if len(example.split()) <= _PHRASE else _words(example, weight / 2)
    terms += _words(definition, 0.4)
    return Concept(id_, str(row.get("uri") or id_), label, definition, tuple(path), tuple(terms))


_PHRASE = 5
"""An example of more words than this is a passage, and speaks through its words."""


def _words(passage: str, weight: float) -> list[tuple[str, float]]:
    words = (word.strip(".,;:!?()\"'“”‘’").lower() for word in passage.split())
    return [(word, weight) for word in dict.fromkeys(words) if len(word) > 5]


def _weighted(terms: Any, weight: float) -> list[tuple[str, float]]:
    """Terms as a list, or as an object that gives each its own weight."""
    if isinstance(terms, str):
        raise ValueError(f"terms and examples are lists, not the text {terms!r}")
    own = terms if isinstance(terms, dict) else dict.fromkeys(terms, weight)
    weighed = [(str(term), float(value)) for term, value in own.items()]
    for term, value in weighed:
        if not 0 < value < 100:
            raise ValueError(f"the term {term!r} has the weight {value}; weights lie between 0 and 100")
    return weighed
