"""Finding by the colon: ``X went on:`` before a quoted paragraph, ``More from X: "..."``, and speakers' labels.

Transcripts and question-and-answer copy label their paragraphs (``SMITH: ...``); a story with at least two labels is
read so.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.stages.quotes import sources
from pipeline.stages.quotes.cues import Lexicon, group, negative
from pipeline.stages.quotes.tree import Tree
from pipeline.stages.quotes.triple import Range, Triple

LABEL = 6
"""Most tokens of a speaker's label."""


def introduced(tree: Tree, lexicon: Lexicon, taken: set[int]) -> Iterator[Triple]:
    """Contents a colon introduces, where no verb right before it does already (``taken``)."""
    labels = []
    for k, word in enumerate(tree.word):
        if word != ":" or tree.quoted[k]:
            continue
        begin = k + 1
        while begin < tree.size and tree.pos[begin] == "SPACE":
            begin += 1
        if begin < tree.size and tree.region[begin] >= 0 and tree.paragraph[begin] - tree.paragraph[k] <= 1:
            triple = _before_region(tree, lexicon, k, begin, taken)
            if triple is not None:
                yield triple
        elif _label(tree, k):
            labels.append(k)
    if len(labels) > 1:
        for k in labels:
            yield _labelled(tree, k)


def _before_region(tree: Tree, lexicon: Lexicon, colon: int, begin: int, taken: set[int]) -> Triple | None:
    end = begin
    while end < tree.size and tree.region[end] == tree.region[begin]:
        end += 1
    first = tree.first[colon]
    verbs = [i for i in range(first, colon) if tree.pos[i] == "VERB" and tree.region[i] < 0]
    if any(i in taken for i in verbs):
        return None
    verbs.sort(key=lambda i: -lexicon.weight(tree.lemma[i], "V", "quote") - 0.01 * i / tree.size)
    if not verbs:
        source = _last_name(tree, first, colon)
        if source is None:
            return None
        return Triple(colon, (colon, colon + 1), source, [(begin, end)], ":", "speech", "colon", 0.75)
    verb = verbs[0]
    weight = 0.9 if lexicon.weight(tree.lemma[verb], "V", "quote") >= 0.5 else 0.6
    source = sources.of_verb(tree, verb) or sources.beside(tree, verb, first, verb)
    return Triple(
        verb, group(tree, verb), source, [(begin, end)], tree.lemma[verb], _kind(tree, lexicon, verb), "colon", weight,
        negative(tree, verb),
    )  # fmt: skip


def _kind(tree: Tree, lexicon: Lexicon, verb: int) -> str:
    kind = lexicon.kind(tree.lemma[verb], "V")
    return kind if kind == "writing" else "speech"


def _last_name(tree: Tree, first: int, colon: int) -> Range | None:
    """The name a verbless lead-in ends with: ``More from Jones:``."""
    k = colon - 1
    while k >= first and tree.word[k] in (")", "]"):
        k -= 1
    if k < first or tree.pos[k] != "PROPN":
        return None
    low = k
    while low - 1 >= first and tree.pos[low - 1] in ("PROPN", "CCONJ"):
        low -= 1
    return sources.trim(tree, low, k + 1)


def _label(tree: Tree, colon: int) -> bool:
    """Whether the paragraph opens with a speaker's label in capitals: ``SMITH:``, ``Q:``."""
    first = colon
    while first > 0 and tree.paragraph[first - 1] == tree.paragraph[colon] and colon - first <= LABEL:
        first -= 1
    words = [w for w in tree.word[first:colon] if w[:1].isalpha()]
    return 0 < colon - first <= LABEL and bool(words) and all(w.isupper() for w in words)


def _labelled(tree: Tree, colon: int) -> Triple:
    first = colon
    while first > 0 and tree.paragraph[first - 1] == tree.paragraph[colon]:
        first -= 1
    end = colon + 1
    while end < tree.size and tree.paragraph[end] == tree.paragraph[colon]:
        end += 1
    while end - 1 > colon and tree.pos[end - 1] == "SPACE":
        end -= 1
    begin = min(colon + 1, end - 1)
    while begin < end - 1 and tree.pos[begin] == "SPACE":
        begin += 1
    return Triple(colon, (colon, colon + 1), (first, colon), [(begin, end)], ":", "speech", "label", 0.7)
