"""Which terms of the vocabulary stand in a story, and where: one pass over its words through a trie of stems."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.stages.topics.vocabulary import Vocabulary, media_topics, taxonomy
from pipeline.stages.topics.words import stem, tokens

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Term:
    """A term and, by topic, how strongly it speaks."""

    text: str
    stems: tuple[str, ...]
    written: str
    votes: dict[str, float] = field(hash=False, compare=False)


@dataclass
class Found:
    """A term found in a story: its weight by all its places, and the form of its first."""

    term: Term
    text: str
    start: int
    weight: float = 0.0


@dataclass(frozen=True)
class Index:
    """The trie of a vocabulary's terms. A node maps a stem to the next node; under ``""`` it keeps its terms."""

    root: dict[str, Any]
    vocabulary: Vocabulary

    def find(self, text: str, weigh: Callable[[int, int], float]) -> list[Found]:
        """Terms in ``text``, longest first at each word, weighed by ``weigh(nth word, offset)``, in order."""
        words = list(tokens(text))
        stems = [stem(form) for _, form in words]
        found: dict[str, Found] = {}
        nth = free = 0
        root = self.root
        for i, key in enumerate(stems):
            if i < free:
                continue
            node = root.get(key)
            if node is None:
                continue
            best: tuple[int, Term] | None = None
            j = i
            while node is not None:
                j += 1
                for term in node.get("", ()):
                    if _written(term.written, words[i:j]):
                        best = j, term
                        break
                node = node.get(stems[j]) if j < len(stems) else None
            if best is None:
                continue
            free, term = best
            start = words[i][0]
            nth = i
            if term.text not in found:
                end = words[free - 1][0] + len(words[free - 1][1])
                found[term.text] = Found(term, text[start:end], start)
            found[term.text].weight += weigh(nth, start)
        return list(found.values())


def _written(written: str, words: list[tuple[int, str]]) -> bool:
    if not written:
        return True
    if written.isupper():
        return words[0][1] == written or words[0][1] == written + "s"
    return all(form[:1].isupper() for (_, form), own in zip(words, written.split(), strict=False) if own[:1].isupper())


@cache
def index(own: str | None = None, model: str | None = None) -> Index:
    """The index of IPTC Media Topics, or of the taxonomy in the file ``own``, with the terms of the file ``model``."""
    from pipeline.stages.topics.model import load

    vocabulary = taxonomy(own) if own else media_topics()
    return index_of(vocabulary, load(model).terms if model else {})


def index_of(vocabulary: Vocabulary, more: Mapping[str, Mapping[str, float]] | None = None) -> Index:
    """The index of a vocabulary's terms and of ``more``: weights of terms by topic, topics it lacks left out."""
    terms: dict[tuple[str, ...], dict[str, dict[str, float]]] = {}
    for concept in vocabulary.concepts.values():
        for text, weight in (*concept.terms, *(more or {}).get(concept.id, {}).items()):
            forms = [form for _, form in tokens(text) if form[0].isalnum()]
            written = " ".join(forms) if any(form != form.lower() for form in forms) else ""
            if not forms:
                continue
            votes = terms.setdefault(tuple(map(stem, forms)), {}).setdefault(written, {})
            votes[concept.id] = max(weight, votes.get(concept.id, 0.0))
    root: dict[str, Any] = {}
    for stems, variants in terms.items():
        node = root
        for key in stems:
            node = node.setdefault(key, {})
        scale = rarity(stems)
        # Terms that insist on capitals come before the one that does not.
        node[""] = [
            Term(
                " ".join(stems) + "/" + written, stems, written, {id_: weight * scale for id_, weight in votes.items()}
            )
            for written, votes in sorted(variants.items(), reverse=True)
        ]
    return Index(root, vocabulary)


@cache
def frequencies() -> tuple[int, dict[str, int]]:
    """Number of stories counted, and in how many of them a stem stood (``frequencies.tsv``)."""
    lines = (HERE / "frequencies.tsv").read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    counts = {key: int(count) for key, count in rows}
    return counts.pop("(stories)"), counts


def idf(key: str) -> float:
    """Rarity of a stem: 0 for one in every story, 1 for one hardly ever seen."""
    stories, counts = frequencies()
    return math.log((stories + 1) / (counts.get(key, 1) + 1)) / math.log(stories)


def rarity(stems: tuple[str, ...]) -> float:
    """How much a term's weight is worth: ordinary words less, phrases more."""
    if len(stems) > 1:
        return 1.0 + 0.15 * min(len(stems) - 1, 3)
    return min(1.1, 0.25 + 1.2 * idf(stems[0]))
