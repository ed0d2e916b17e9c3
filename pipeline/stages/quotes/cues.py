"""Cues: the lexicon of words that say a quotation is being made, and their extent in a sentence.

``cues.tsv`` has a row a lemma and frame: its part of speech, kind, the frame (how the content hangs on it) and a
weight, the share of its uses in that frame that attribute something to somebody.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pipeline.stages.quotes import sources
from pipeline.stages.quotes.tree import Tree
from pipeline.stages.quotes.triple import Range

NEGATIVE = frozenset(
    {"deny", "refuse", "decline", "reject", "doubt", "dispute", "disavow", "denial", "refusal", "refute"}
)
_NEGATORS = frozenset({"not", "n't", "n’t", "never", "neither", "nor", "no", "hardly"})
_GROUP = frozenset({"aux", "auxpass", "neg", "advmod", "prt"})


class Lexicon:
    """Kinds and weights of cue lemmas by frame; a lemma that is not listed takes the frame's own weight."""

    def __init__(self, rows: list[tuple[str, str, str, str, float]]) -> None:
        self.kinds: dict[tuple[str, str], str] = {}
        self.weights: dict[tuple[str, str, str], float] = {}
        for lemma, pos, kind, frame, weight in rows:
            if kind != "-":
                self.kinds[lemma, pos] = kind
            self.weights[lemma, pos, frame] = weight

    def kind(self, lemma: str, pos: str) -> str:
        """speech, writing, thought or intention; a word nobody listed counts as a thought of its subject."""
        return self.kinds.get((lemma, pos)) or self.kinds.get((_american(lemma), pos), "thought")

    def weight(self, lemma: str, pos: str, frame: str) -> float:
        """How likely the lemma attributes in this frame, in 0..1."""
        if (lemma, pos) not in self.kinds:
            lemma = _american(lemma)
        found = self.weights.get((lemma, pos, frame))
        return found if found is not None else self.weights.get(("*", pos, frame), 0.0)

    def listed(self, lemma: str, pos: str) -> bool:
        """Whether the lexicon knows the lemma."""
        return (lemma, pos) in self.kinds or (_american(lemma), pos) in self.kinds


def _american(lemma: str) -> str:
    """``emphasise`` as ``emphasize``, ``favour`` as ``favor``: the lexicon is written so."""
    if lemma.endswith(("ise", "yse")):
        return lemma[:-2] + "ze"
    return lemma.replace("our", "or") if lemma.endswith("our") else lemma


@cache
def lexicon() -> Lexicon:
    """The lexicon beside this file."""
    rows = []
    for line in Path(__file__).with_name("cues.tsv").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            lemma, pos, kind, frame, weight = line.split("\t")
            rows.append((lemma, pos, kind, frame, float(weight)))
    return Lexicon(rows)


def group(tree: Tree, head: int) -> Range:
    """The cue's words: the verb with the auxiliaries, negation and adverbs that touch it."""
    reported = sources.quoted_as(tree, head)
    if reported is not None and reported < head:
        # "was quoted as saying" is one cue.
        return group(tree, reported)[0], head + 1
    kids = {c for c in tree.children[head] if tree.dep[c] in _GROUP and tree.region[c] == tree.region[head]}
    left, right = head, head + 1
    while left - 1 in kids and left - 1 >= tree.first[head]:
        left -= 1
    while right in kids and right < tree.last[head]:
        right += 1
    return left, right


def negative(tree: Tree, head: int) -> bool:
    """Whether the cue is denied (``did not say``) or itself denies (``declined to say``)."""
    if tree.lemma[head] in NEGATIVE:
        return True
    if any(tree.lower[c] in _NEGATORS for c in tree.children[head]):
        return True
    above = tree.head[head]
    return tree.dep[head] == "xcomp" and above != head and negative(tree, above)
