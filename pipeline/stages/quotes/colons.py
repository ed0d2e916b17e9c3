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
    """Contents a colon introduces, where no verb right before it does already (``taken``), or a dash ascribes."""
    labels: list[int] = []
    titled: list[int] = []
    for k, word in enumerate(tree.word):
        glued = len(word) > 1 and word[-1] in "—―–" and tree.region[k] >= 0
        if tree.quoted[k] and not glued:
            continue
        if k > 0 and (glued or word in _DASHES) and (close := _closed_before(tree, k)) >= 0:
            triple = _signed(tree, k, close)
            if triple is not None:
                yield triple
            continue
        if word != ":" and not (word in _Q_AND_A and tree.paragraph[k - 1] != tree.paragraph[k]):
            continue
        begin = k + 1
        while begin < tree.size and tree.pos[begin] == "SPACE":
            begin += 1
        if begin < tree.size and tree.region[begin] >= 0 and tree.paragraph[begin] - tree.paragraph[k] <= 1:
            triple = _before_region(tree, lexicon, k, begin, taken)
            if triple is not None:
                yield triple
        elif begin < tree.size and _listed(tree, k, begin):
            triple = _before_list(tree, lexicon, k, begin, taken)
            if triple is not None:
                yield triple
        elif (shouted := _label(tree, k)) is not None:
            (labels if shouted else titled).append(k)
    names = [_name(tree, k) for k in titled]
    if len(titled) > 3 and 1 < len(set(names)) < len(names):
        labels += titled
    if len(labels) > 1:
        for k in sorted(labels):
            yield _labelled(tree, k)


_DASHES = frozenset({"-", "--", "—", "–"})
_BULLETS = frozenset({"*", "•", "-", "–", "—", "·", "1", "1.", "a)", "1)"})
_Q_AND_A = frozenset({"Q.", "A."})


def _closed_before(tree: Tree, dash: int) -> int:
    """Last token of the quoted region that ends before the dash, at most a paragraph up; -1 where there is none."""
    k = dash - 1
    while k > 0 and tree.pos[k] == "SPACE":
        k -= 1
    if tree.region[k] < 0 or tree.paragraph[dash] - tree.paragraph[k] > 1:
        return -1
    return k


def _signed(tree: Tree, dash: int, close: int) -> Triple | None:
    """``"We will not give up." - Anna Berg, mayor of Lund``: a name after a dash that ends the line."""
    end = dash + 1
    while end < tree.size and tree.paragraph[end] == tree.paragraph[dash] and "\n" not in tree.word[end]:
        end += 1
    name = [k for k in range(dash + 1, end) if tree.pos[k] != "SPACE"]
    if not 0 < len(name) <= 14 or any(tree.pos[k] in ("VERB", "AUX") or tree.region[k] >= 0 for k in name):
        return None
    if not (tree.pos[name[0]] == "PROPN" or tree.word[name[0]][:1].isupper()):
        return None
    if any(tree.word[k].isdigit() and len(tree.word[k]) == 4 for k in name):
        return None  # a list of references
    begin = close
    while begin > 0 and tree.region[begin - 1] == tree.region[close]:
        begin -= 1
    source = sources.trim(tree, name[0], name[-1] + 1)
    return Triple(dash, (dash, dash + 1), source, [(begin, close + 1)], tree.word[dash], "speech", "label", 0.7)


def _listed(tree: Tree, colon: int, begin: int) -> bool:
    """Whether bullets follow the colon, which ends its paragraph."""
    return tree.paragraph[begin] == tree.paragraph[colon] + 1 and tree.word[begin] in _BULLETS


def _before_list(tree: Tree, lexicon: Lexicon, colon: int, begin: int, taken: set[int]) -> Triple | None:
    """A list a verb of saying introduces: ``The minister said:`` and bullets."""
    first = tree.first[colon]
    verbs = [i for i in range(first, colon) if tree.pos[i] == "VERB" and tree.lemma[i] in sources.SPOKEN]
    if not verbs or verbs[0] in taken or colon - verbs[-1] > 8:
        return None
    end = begin
    while end < tree.size and (tree.paragraph[end] == tree.paragraph[begin] or tree.word[end] in _BULLETS):
        paragraph = tree.paragraph[end]
        while end < tree.size and tree.paragraph[end] == paragraph:
            end += 1
    verb = verbs[-1]
    source = sources.of_verb(tree, verb) or sources.beside(tree, verb, first, verb)
    return Triple(
        verb, group(tree, verb), source, [(begin, end)], tree.lemma[verb], _kind(tree, lexicon, verb), "colon", 0.7,
        negative(tree, verb),
    )  # fmt: skip


def _before_region(tree: Tree, lexicon: Lexicon, colon: int, begin: int, taken: set[int]) -> Triple | None:
    end = begin
    while end < tree.size and tree.region[end] == tree.region[begin]:
        end += 1
    first = tree.first[colon]
    verbs = [i for i in range(first, colon) if tree.pos[i] == "VERB" and tree.region[i] < 0]
    verbs = [i for i in verbs if tree.lower[i] not in ("following", "including")]
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
    if tree.lower[first] in ("here", "this") and first + 2 < colon and tree.pos[first + 2] == "PROPN":
        k = first + 2  # "Here's Smith in December:"
        while k + 1 < colon and tree.pos[k + 1] == "PROPN":
            k += 1
    if k < first or tree.pos[k] != "PROPN":
        return None
    low = k
    while low - 1 >= first and tree.pos[low - 1] in ("PROPN", "CCONJ"):
        low -= 1
    return sources.trim(tree, low, k + 1)


def _label(tree: Tree, colon: int) -> bool | None:
    """Whether the paragraph opens with a speaker's label: True in capitals (``SMITH:``, ``Q:``), False in a title's."""
    first = colon
    while first > 0 and tree.paragraph[first - 1] == tree.paragraph[colon] and colon - first <= LABEL:
        first -= 1
    if tree.word[colon] in _Q_AND_A:
        return True
    words = [w for w in tree.word[first:colon] if w[:1].isalpha()]
    if not 0 < colon - first <= LABEL or not words:
        return None
    if all(w.isupper() for w in words):
        return True
    return False if len(words) <= 3 and all(w[0].isupper() for w in words) else None


def _name(tree: Tree, colon: int) -> str:
    """The label's words."""
    first = colon
    while first > 0 and tree.paragraph[first - 1] == tree.paragraph[colon]:
        first -= 1
    return " ".join(tree.word[first:colon])


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
    source = (first, max(colon, first + 1))
    return Triple(colon, (colon, colon + 1), source, [(begin, end)], ":", "speech", "label", 0.7)
