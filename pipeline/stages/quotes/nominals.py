"""Finding by other words than verbs: ``according to X``, ``X's claim that``, ``X is sure that``."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.stages.quotes import sources
from pipeline.stages.quotes.contents import has_verb, sentence_start, snap
from pipeline.stages.quotes.cues import Lexicon, negative
from pipeline.stages.quotes.tree import Tree
from pipeline.stages.quotes.triple import Range, Triple


def according(tree: Tree, i: int) -> Iterator[Triple]:
    """``according to X`` at the head, at the end or inside of its sentence."""
    if i + 2 >= tree.last[i] or tree.lower[i + 1] != "to" or tree.region[i] >= 0:
        return
    first, last = tree.first[i], tree.last[i]
    objects = tree.kids(i + 1, "pobj")
    if objects:
        source = sources.phrase(tree, objects[0], i + 1)
    else:
        k = i + 2
        while k < last and tree.word[k] not in (",", ".", ";"):
            k += 1
        if k == i + 2:
            return
        source = (i + 2, k)
    after = source[1]
    while after < last and tree.word[after] == ")":
        after += 1
    parts: list[Range] = []
    if i - first > 2:
        left = i - 1 if tree.word[i - 1] == "," else i
        parts.append((sentence_start(tree, first), left))
        if after + 2 < last and tree.word[after] == "," and tree.dep[i] == "prep" and has_verb(tree, after, last):
            parts.append((after + 1, last))
    elif after + 2 < last:
        parts.append((after + 1 if tree.word[after] == "," else after, last))
    parts = [p for p in (snap(tree, *part, i) for part in parts) if p[1] > p[0]]
    if parts:
        yield Triple(i, (i, i + 2), source, parts, "according", "speech", "according", 0.9)


def nominal(tree: Tree, i: int, lexicon: Lexicon) -> Iterator[Triple]:
    """``X's claim that ...``, ``a plan to ...``, ``criticism of ...``."""
    for c in tree.kids(i, "acl", "ccomp"):
        if c < i:
            continue
        start = max(tree.left[c], i + 1)
        marks = [tree.lower[k] for k in tree.kids(c, "mark")]
        frame = "that" if "that" in marks or tree.lower[start] == "that" else "to" if tree.lower[start] == "to" else ""
        if frame:
            yield from _triple(tree, i, lexicon, frame, (start, tree.right[c] + 1))
            return
    for c in tree.kids(i, "prep"):
        if c > i and tree.lower[c] in ("for", "of", "about", "on", "to", "against"):
            yield from _triple(tree, i, lexicon, "p-" + tree.lower[c], (c + 1, tree.right[c] + 1))
            return


def _triple(tree: Tree, i: int, lexicon: Lexicon, frame: str, part: Range) -> Iterator[Triple]:
    part = snap(tree, *part, i)
    if part[1] <= part[0]:
        return
    lemma = tree.lemma[i]
    source = sources.of_noun(tree, i)
    if source is not None and source[0] < part[1] and part[0] < source[1]:
        source = None  # a word of the content, not who says it
    yield Triple(
        i, (i, i + 1), source, [part], lemma, lexicon.kind(lemma, "N"), frame,
        lexicon.weight(lemma, "N", frame), negative(tree, i),
    )  # fmt: skip


def adjectival(tree: Tree, i: int, lexicon: Lexicon) -> Iterator[Triple]:
    """``X is sure that ...``, ``X is willing to ...``, ``X is critical of ...``."""
    for c in tree.kids(i, "ccomp", "xcomp", "prep"):
        if c < i:
            continue
        start = max(tree.left[c], i + 1)
        frame = "that" if tree.dep[c] == "ccomp" else "to"
        if tree.dep[c] == "prep":
            frame, start = "p-" + tree.lower[c], c + 1
        part = snap(tree, start, tree.right[c] + 1, i)
        above = tree.head[i]
        source = sources.of_verb(tree, above) if tree.pos[above] in ("AUX", "VERB") and above != i else None
        lemma = tree.lemma[i]
        if part[1] > part[0]:
            yield Triple(
                i, (i, i + 1), source, [part], lemma, lexicon.kind(lemma, "A"), frame,
                lexicon.weight(lemma, "A", frame), negative(tree, i) or negative(tree, above),
            )  # fmt: skip
        return
