"""How sure a triple is: a logistic score of its lemma, frame, form, source and content.

``models/quotes/scores.tsv`` holds a weight a feature, fitted on annotated news copy (``models/quotes/card.md``); the
lexicon's weight goes in as log odds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from pipeline.stages.quotes.sources import SPOKEN
from pipeline.stages.quotes.tree import Tree
from pipeline.stages.quotes.triple import Range, Triple

_SIZES = ((1, "1"), (2, "2"), (4, "4"), (8, "8"), (15, "15"), (30, "30"))
_HUNG = frozenset({"ccomp", "xcomp", "advcl", "relcl", "acl", "conj", "pcomp"})
_OPENERS = frozenset({"that", "whether", "if", "what", "why", "how", "who", "which", "when", "where", "to"})


def score(tree: Tree, triple: Triple) -> float:
    """Probability that the triple is an attribution."""
    known = coefficients()
    total = known.get("odds", 1.0) * odds(triple.weight) + known.get("bias", 0.0)
    for name in features(tree, triple):
        total += known.get(name, 0.0)
    return logistic(total)


def logistic(total: float) -> float:
    """The share whose log odds are ``total``, which is held within sane bounds."""
    return 1 / (1 + math.exp(-max(min(total, 30.0), -30.0)))


def odds(weight: float) -> float:
    """Log odds of a share, held within sane bounds."""
    weight = min(max(weight, 0.01), 0.99)
    return math.log(weight / (1 - weight))


@cache
def coefficients() -> dict[str, float]:
    """The fitted weights by feature."""
    return weights("scores.tsv")


def weights(name: str) -> dict[str, float]:
    """Weights by feature, from a file of ``models/quotes``."""
    lines = (files("models.quotes") / name).read_text("utf-8").splitlines()
    rows = (line.rsplit("\t", 1) for line in lines if line and not line.startswith("#"))
    return {feature: float(value) for feature, value in rows}


def features(tree: Tree, triple: Triple) -> Iterator[str]:
    """Names of the binary features that hold."""
    frame, head = triple.frame, triple.head
    source = _source(tree, triple.source, head)
    size = next((name for most, name in _SIZES if triple.size <= most), "more")
    marked = _marked(tree, triple.parts)
    opener = tree.lower[triple.first] if tree.lower[triple.first] in _OPENERS else tree.pos[triple.first]
    verb = any(tree.pos[k] in ("VERB", "AUX") for a, b in triple.parts for k in range(a, b))
    form = _form(tree, head)
    yield "frame=" + frame
    yield "form=" + form
    yield "dep=" + tree.dep[head]
    yield "source=" + source
    yield "size=" + size
    yield "marked=" + marked
    yield "opener=" + opener
    yield "kind=" + triple.kind
    yield f"verb={verb}"
    yield f"frame={frame}&source={source}"
    yield f"frame={frame}&size={size}"
    yield f"frame={frame}&marked={marked}"
    yield f"frame={frame}&form={form}"
    yield f"frame={frame}&verb={verb}"
    yield f"kind={triple.kind}&source={source}"
    if triple.negative:
        yield "negative"
    if triple.source is not None and triple.source[0] > head:
        yield "inverted"
    for child in tree.children[head]:
        if tree.tag[child] == "MD":
            yield "modal=" + tree.lemma[child]
    if len(triple.parts) > 1:
        yield "split"
        yield f"frame={frame}&split"
    lemma = triple.lemma or ""
    yield f"lemma={lemma}&frame={frame}"
    yield f"lemma={lemma}"
    if tree.dep[head] in _HUNG:
        above = tree.head[head]
        yield f"dep={tree.dep[head]}&above={tree.lemma[above] if tree.lemma[above] in SPOKEN else tree.pos[above]}"
    first, last = tree.first[head], tree.last[head]
    yield f"ends={triple.last >= last - 1}&begins={triple.first <= first + 1}&frame={frame}"
    if tree.paragraph[head] == 0:
        yield "headline"
    within = _around(tree, head)
    if within:
        yield f"within={within}"
    if marked in ("all", "short") and _titled(tree, triple):
        yield f"frame={frame}&titled"


def _around(tree: Tree, head: int) -> str:
    """How the cue hangs on the words above it where one of them says something: it may be within that one's content."""
    for above in tree.root_path(head)[:8]:
        if tree.lemma[above] in SPOKEN and tree.pos[above] == "VERB":
            return tree.dep[head]
    return ""


def _form(tree: Tree, head: int) -> str:
    tag = tree.tag[head]
    if tag == "VB":
        kids = {tree.tag[c] for c in tree.children[head] if c < head}
        return "VB-to" if "TO" in kids else "VB-md" if "MD" in kids else "VB"
    if tag == "VBN":
        return "VBN-be" if tree.kids(head, "auxpass") else "VBN-have" if tree.kids(head, "aux") else "VBN"
    return tag


def _source(tree: Tree, source: Range | None, head: int) -> str:
    if source is None:
        return "none"
    a, b = source
    if b - a == 1 and tree.pos[a] in ("PRON", "DET"):
        return tree.lower[a]
    inside = range(a, min(b, tree.size))
    top = next((k for k in inside if not a <= tree.head[k] < b or tree.head[k] == k), a)
    return tree.tag[top]


def _titled(tree: Tree, triple: Triple) -> bool:
    """Whether all longer words in quotation marks begin with a capital, as in the title of a work."""
    words = [tree.word[k] for a, b in triple.parts for k in range(a, b) if tree.region[k] >= 0]
    long = [w for w in words if len(w) > 3 and w[0].isalpha()]
    return bool(long) and all(w[0].isupper() for w in long)


def _marked(tree: Tree, parts: list[Range]) -> str:
    inside = [tree.region[k] >= 0 for a, b in parts for k in range(a, b)]
    if not any(inside):
        return "no"
    return "all" if all(inside) else "long" if sum(inside) > 5 else "short"
