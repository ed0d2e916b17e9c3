"""Where a content to the right of its cue ends: at the rule's end, or at a break before or after it.

A break is a comma, dash, semicolon or conjunction after which another clause may take over. Each gets a logistic score
of ending the content; the end taken is the likeliest, so that a later one needs all earlier breaks to be passed.
``models/quotes/ends.tsv`` holds a weight a feature, fitted on annotated news copy (``models/quotes/card.md``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache

from pipeline.stages.quotes.scoring import weights
from pipeline.stages.quotes.sources import SPOKEN
from pipeline.stages.quotes.tree import Tree
from pipeline.stages.quotes.triple import Triple

FRAMES = frozenset({"after", "wh", "to", "comp", "np", "oprd"})
"""Frames whose contents run on to the right until something stops them."""
_MARKS = frozenset({",", ";", ":", "—", "–", "--", "-", "("})
_LINKS = frozenset(
    {"and", "but", "or", "while", "as", "after", "before", "when", "if", "because", "although", "though", "since",
     "during", "despite", "in", "on", "at", "for", "which", "who", "that", "to", "with", "by", "from"}
)  # fmt: skip
_SIZES = ((2, "2"), (4, "4"), (7, "7"), (12, "12"), (20, "20"), (35, "35"))


def settle(tree: Tree, triple: Triple) -> None:
    """Move the end of the triple's last part to the likeliest break."""
    start, rule = triple.parts[-1]
    if triple.frame not in FRAMES or start <= triple.head:
        return
    best, chosen, passed = -math.inf, rule, 0.0
    for k in ends(tree, triple):
        z = sum(coefficients().get(name, 0.0) for name in features(tree, triple, k))
        stop = -math.log1p(math.exp(-min(max(z, -30.0), 30.0)))
        if passed + stop > best:
            best, chosen = passed + stop, k
        passed += stop - z  # log of the chance of running on
    triple.parts[-1] = (start, chosen)


def ends(tree: Tree, triple: Triple) -> Iterator[int]:
    """Tokens at which the content may end (one past its last), in order; the sentence's end is the last."""
    start, rule = triple.parts[-1]
    last = tree.last[triple.head]
    while last - 1 > start and (tree.pos[last - 1] in ("PUNCT", "SPACE")) and tree.region[last - 1] < 0:
        last -= 1
    for k in range(start + 1, max(last, rule) + 1):
        if k in (rule, last) or (k < last and tree.region[k] < 0 and _breaks(tree, k)):
            yield k


def _breaks(tree: Tree, k: int) -> bool:
    """Whether a clause may take over at token ``k``: a mark, or a linking word that follows none."""
    if tree.word[k] in _MARKS:
        return True
    return tree.word[k - 1] not in _MARKS and (tree.lower[k] in _LINKS or tree.region[k - 1] >= 0)


def features(tree: Tree, triple: Triple, k: int) -> Iterator[str]:
    """Names of the binary features of ending before token ``k``."""
    start, rule = triple.parts[-1]
    cue, last = triple.head, tree.last[triple.head]
    frame = triple.frame
    yield "bias"
    place = "rule" if k == rule else "before" if k < rule else "after"
    yield f"place={place}"
    yield f"place={place}&frame={frame}"
    size = next((name for most, name in _SIZES if k - start <= most), "more")
    yield f"size={size}&frame={frame}"
    if k >= last or (k >= rule and tree.pos[k] in ("PUNCT", "SPACE") and k + 1 >= last):
        yield f"end&place={place}"
        return
    mark = tree.word[k] if tree.word[k] in _MARKS else ""
    n = k + 1 if mark and k + 1 < last else k
    if tree.word[n] in ('"', "“", "''", "``"):
        yield "opens"
    yield f"mark={mark}&place={place}"
    word = " ".join(tree.lower[n].split())
    yield f"next={word}"
    yield f"mark={mark}&next={word}"
    yield f"mark={mark}&tag={tree.tag[n]}&place={place}"
    yield f"closed={tree.region[k - 1] >= 0}&place={place}"
    verb = next((v for v in range(n, min(n + 9, last)) if tree.pos[v] in ("VERB", "AUX")), None)
    if verb is None:
        yield "verb=none"
    else:
        spoken = tree.lemma[verb] in SPOKEN
        same = tree.tag[verb] == tree.tag[cue]
        subject = any(tree.dep[s] in ("nsubj", "nsubjpass", "expl") for s in range(n, verb))
        yield f"verb={tree.tag[verb]}&mark={mark}"
        yield f"dep={tree.dep[verb]}&hangs={_hangs(tree, verb, cue, start)}"
        yield f"spoken={spoken}&subject={subject}&same={same}&mark={mark}"
        yield f"gap={min(verb - n, 4)}&tag={tree.tag[n]}"
    above = tree.head[n]
    side = "cue" if above == cue else "left" if above < start else "in" if above < k else "right"
    yield f"head={side}&tag={tree.tag[n]}"
    deep = any(h == cue for h in (above, tree.head[above]))
    yield f"deep={deep}&place={place}&frame={frame}"


def _hangs(tree: Tree, verb: int, cue: int, start: int) -> str:
    head = tree.head[verb]
    return "cue" if head == cue else "in" if start <= head < verb else "after" if head > verb else "out"


@cache
def coefficients() -> dict[str, float]:
    """The fitted weights by feature."""
    return weights("ends.tsv")
