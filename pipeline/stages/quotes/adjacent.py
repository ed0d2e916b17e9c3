"""Finding where the parse does not help: a quotation closed by a comma, and a word of saying right after it.

A comma before the closing mark promises a cue. Where no verb claimed the region, the words after it are read without
the tree: ``"...," notes the agency``, ``"...," the post read``, also where a line break parts the two.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.stages.quotes import sources
from pipeline.stages.quotes.tree import Tree
from pipeline.stages.quotes.triple import Range, Triple

REACH = 10
"""Most tokens between the mark and the word of saying."""
_SAID = sources.SPOKEN | frozenset(
    {
        "acknowledge", "admit", "assert", "caution", "complain", "conclude", "confirm", "continue", "declare",
        "emphasize", "exclaim", "explain", "joke", "lament", "maintain", "observe", "post", "quip", "read", "recall",
        "reiterate", "remark", "remember", "reply", "report", "respond", "retort", "shout", "state", "tell",
    }
)  # fmt: skip


def adjacent(tree: Tree, claimed: set[int]) -> Iterator[Triple]:
    """Contents of regions outside ``claimed`` that a word of saying follows."""
    k = 0
    while k < tree.size:
        region, begin = tree.region[k], k
        k += 1
        if region < 0:
            continue
        while k < tree.size and tree.region[k] == region:
            k += 1
        if region not in claimed and k - begin > 3 and tree.word[k - 2] in (",", "?", "!"):
            triple = _after(tree, begin, k)
            if triple is not None:
                yield triple


def _after(tree: Tree, begin: int, end: int) -> Triple | None:
    k = end
    while k < tree.size and tree.pos[k] == "SPACE":
        k += 1
    if k >= tree.size or tree.paragraph[k] - tree.paragraph[end - 1] > 1:
        return None
    if tree.paragraph[k] != tree.paragraph[end - 1] and not tree.word[k][:1].islower():
        return None
    for verb in range(k, min(k + REACH, tree.size)):
        if (
            tree.word[verb] in (".", ";", "?", "!")
            or tree.region[verb] >= 0
            or tree.paragraph[verb] != tree.paragraph[k]
        ):
            return None
        if tree.lemma[verb] not in _SAID or not tree.word[verb].endswith(("s", "d", "e", "ote", "t")):
            continue
        source = _beside(tree, verb, k)
        if source is not None:
            lemma = tree.lemma[verb]
            kind = "writing" if lemma in ("write", "tweet", "post", "read") else "speech"
            return Triple(verb, (verb, verb + 1), source, [(begin, end)], lemma, kind, "out", 0.8)
    return None


def _beside(tree: Tree, verb: int, low: int) -> Range | None:
    """Who stands beside the word: before it back to the mark, else after it."""
    if verb > low:
        return sources.trim(tree, low, verb)
    return sources.beside(tree, verb, verb, tree.last[verb])
