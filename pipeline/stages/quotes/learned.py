"""What the encoder marked as cue, source and content, weighed together with what the rules found on the tree.

Both make triples; a logistic score (``learned.tsv``, fitted by :mod:`pipeline.stages.quotes.fit`) says how likely each
is an attribution, from how far the two agree on cue, source and the edges of the content. Choosing among triples that
overlap is :func:`pipeline.stages.quotes.joining.outermost`'s work.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.encoder import Part, parts
from pipeline.stages.quotes.cues import Lexicon, negative
from pipeline.stages.quotes.scoring import odds
from pipeline.stages.quotes.tree import Tree
from pipeline.stages.quotes.triple import Range, Triple

if TYPE_CHECKING:
    from spacy.tokens import Doc

FRAME = "learned"
_CONTENTS = frozenset({"CONTENT", "THOUGHT"})
_CUES = frozenset({"CUE", "THOUGHT_CUE"})
_DOUBTED, _BEHIND = 0.7, 0.1
"""A further part of a content is left out where it scores under the one, and by the other less than the best."""
_STOPS = frozenset({".", ",", ";", ":", "!", "?"})
_CRACK = 2
"""Most unmarked tokens between two pieces of one content."""
_HOLDS = 0.7
"""Weight, by the rules and after, from which a content holds whatever is attributed inside it."""
_GAP = 12
"""Most unmarked tokens between two parts of a content in one sentence that are taken for part of it."""


class Marked:
    """The encoder's parts of a story by token."""

    def __init__(self, tree: Tree, spans: Sequence[Part]) -> None:
        self.spans = _whole(tree, _near(tree, spans))
        self.at = [-1] * tree.size
        self._contents = self.contents()
        for n, part in enumerate(self.spans):
            for k in range(part.i, min(part.j, tree.size)):
                self.at[k] = n

    def label(self, k: int) -> str:
        """Label of token ``k``; empty where it has none."""
        return self.spans[self.at[k]].label if self.at[k] >= 0 else ""

    def cue(self, k: int) -> int:
        """Place of the cue token ``k`` lies in; -1 where it lies in none."""
        return self.at[k] if k >= 0 and self.label(k) in _CUES else -1

    def source(self, cue: int) -> Part | None:
        """The source linked to the cue at place ``cue``."""
        link = self.spans[cue].link if cue >= 0 else -1
        return self.spans[link] if link >= 0 else None

    def linked(self, cue: int) -> list[int]:
        """Places of the contents of the cue at place ``cue``; none for -1."""
        return self._contents.get(cue, []) if cue >= 0 else []

    def contents(self) -> dict[int, list[int]]:
        """Places of contents by their cue's place; those without a cue each by a number of its own below zero."""
        found: dict[int, list[int]] = defaultdict(list)
        for n, part in enumerate(self.spans):
            if part.label in _CONTENTS:
                found[part.link if part.link >= 0 else -1 - n].append(n)
        return found


def marked(tree: Tree, parse: Doc) -> Marked | None:
    """What the encoder marked; None where the parse was made without one."""
    spans = parts(parse)
    return None if spans is None else Marked(tree, list(spans))


def _near(tree: Tree, spans: Sequence[Part]) -> list[Part]:
    """``spans`` without links that lead astray: more than a paragraph away, or forward into the next paragraph to a
    cue that has a content there."""
    here = tree.paragraph
    served = {part.link for part in spans if part.link >= 0 and here[part.i] == here[spans[part.link].i]}
    found = []
    for part in spans:
        ahead = here[spans[part.link].i] - here[part.i] if part.link >= 0 else 0
        astray = abs(ahead) > 1 or (ahead == 1 and part.label in _CONTENTS and part.link in served)
        found.append(replace(part, link=-1, link_score=0.0) if astray else part)
    return found


def _whole(tree: Tree, spans: list[Part]) -> list[Part]:
    """``spans`` with pieces of a content that only a word or two part made one, linked as the surer piece is."""
    kept: list[Part] = []
    places: list[int] = []
    for part in spans:
        last = kept[-1] if kept else None
        if (
            last is not None
            and last.label in _CONTENTS
            and part.label in _CONTENTS
            and part.i - last.j <= _CRACK
            and tree.first[last.j - 1] == tree.first[part.i]
            and tree.region[last.j - 1] == tree.region[part.i]
        ):
            surer = max(last, part, key=lambda p: (p.link >= 0, p.link_score * p.score))
            score = (last.score * (last.j - last.i) + part.score * (part.j - part.i)) / (part.j - last.i)
            kept[-1] = replace(surer, i=last.i, j=part.j, score=score)
        else:
            kept.append(part)
        places.append(len(kept) - 1)
    return [replace(part, link=places[part.link]) if part.link >= 0 else part for part in kept]


def weighed(tree: Tree, seen: Marked, lexicon: Lexicon, ruled: Sequence[Triple]) -> list[Triple]:
    """The encoder's triples and the rules', weighed anew; ``ruled`` are changed in place."""
    found = [*triples(tree, seen, lexicon), *ruled]
    for triple in found:
        if triple.source is None and (source := seen.source(seen.cue(triple.head))) is not None:
            triple.source = (source.i, source.j)
        ruled_weight = 0.0 if triple.frame == FRAME else triple.weight
        triple.weight = score(tree, seen, triple, ruled)
        triple.holds = min(ruled_weight, triple.weight) >= _HOLDS
    return found


def score(tree: Tree, seen: Marked, triple: Triple, ruled: Sequence[Triple]) -> float:
    """Probability that the triple is an attribution."""
    known = coefficients()
    total = sum(known.get(name, 0.0) * value for name, value in features(tree, seen, triple, ruled))
    return 1 / (1 + math.exp(-max(min(total, 30.0), -30.0)))


@cache
def coefficients() -> dict[str, float]:
    """The fitted coefficients by feature."""
    rows = Path(__file__).with_name("learned.tsv").read_text("utf-8").splitlines()
    pairs = (row.split("\t") for row in rows if row and not row.startswith("#"))
    return {name: float(value) for name, value in pairs}


def features(tree: Tree, seen: Marked, triple: Triple, ruled: Sequence[Triple]) -> Iterator[tuple[str, float]]:
    """Names and values of what speaks for and against a triple."""
    yield "bias", 1.0
    own = triple.frame == FRAME
    kind = "said" if triple.kind in ("speech", "writing") else "thought"
    inside = [seen.at[k] for a, b in triple.parts for k in range(a, b) if tree.pos[k] not in ("PUNCT", "SPACE")]
    share = sum(n >= 0 and seen.spans[n].label in _CONTENTS for n in inside) / max(len(inside), 1)
    cue = seen.cue(triple.head)
    yield f"{kind}", 1.0
    yield f"own={own}", 1.0
    yield f"own={own}&share", share
    yield f"own={own}&cue", seen.spans[cue].score if cue >= 0 else 0.0
    yield f"size={min(len(inside), 4)}", 1.0
    linked = seen.linked(cue)
    if own:
        yield f"{kind}&weight", odds(triple.weight)
        rule = next((t for t in ruled if t.head == triple.head), None) if triple.head >= 0 else None
        yield "rule", odds(rule.weight) if rule is not None else -3.0
        yield f"cueless={triple.head < 0}", 1.0
    else:
        yield f"{kind}&rule", odds(triple.weight)
        yield f"linked={bool(linked)}", 1.0
        yield f"linked={bool(linked)}&cue", seen.spans[cue].score if cue >= 0 else 0.0
        if linked:
            first, last = seen.spans[linked[0]].i, seen.spans[linked[-1]].j
            yield f"first={abs(first - triple.first) < 2}", 1.0
            yield f"last={abs(last - triple.last) < 3}", 1.0
            missed = sum(part.j - part.i for part in (seen.spans[n] for n in linked) if not _holds(triple, part))
            yield "missed", min(missed / max(len(inside), 1), 2.0)
        source = seen.source(cue)
        if source is not None and triple.source is not None:
            yield f"source={source.i < triple.source[1] and triple.source[0] < source.j}", 1.0
    inner = sum(seen.cue(k) >= 0 for a, b in triple.parts for k in range(a, b))
    yield "inner", min(inner, 3)
    if any(tree.region[k] >= 0 for a, b in triple.parts for k in (a, b - 1)):
        yield f"own={own}&marked", 1.0


def _holds(triple: Triple, part: Part) -> bool:
    return any(a <= part.i and part.j <= b for a, b in triple.parts)


def triples(tree: Tree, seen: Marked, lexicon: Lexicon) -> Iterator[Triple]:
    """One triple a marked cue with its contents, and one a content without a cue."""
    for link, places in seen.contents().items():
        best = max(seen.spans[n].score for n in places)
        held = [part for part in (seen.spans[n] for n in places) if part.score > min(_DOUBTED, best - _BEHIND)]
        ranges = _filled(tree, seen, [_snapped(tree, part.i, part.j) for part in held], link)
        weight = sum(part.score * (part.j - part.i) for part in held) / sum(part.j - part.i for part in held)
        thought = sum(part.label == "THOUGHT" for part in held) * 2 > len(held)
        if link < 0:
            yield Triple(-1, None, None, ranges, None, "thought" if thought else "speech", FRAME, weight)
            continue
        cue, source = seen.spans[link], seen.source(link)
        head = _head(tree, cue.i, cue.j)
        yield Triple(
            head,
            (cue.i, cue.j),
            (source.i, source.j) if source is not None else None,
            ranges,
            tree.lemma[head],
            _kind(tree, lexicon, head, thought),
            FRAME,
            weight,
            negative(tree, head),
        )


def _kind(tree: Tree, lexicon: Lexicon, head: int, thought: bool) -> str:
    listed = lexicon.kind(tree.lemma[head], {"NOUN": "N", "ADJ": "A"}.get(tree.pos[head], "V"))
    kinds = ("thought", "intention") if thought else ("speech", "writing")
    return listed if listed in kinds else kinds[0]


def _head(tree: Tree, i: int, j: int) -> int:
    """The token of ``[i, j)`` the others hang on: a verb or noun rather than an auxiliary."""
    tops = [k for k in range(i, j) if not i <= tree.head[k] < j or tree.head[k] == k]
    return next((k for k in tops if tree.pos[k] in ("VERB", "NOUN")), tops[0] if tops else i)


def _filled(tree: Tree, seen: Marked, ranges: list[Range], link: int) -> list[Range]:
    """Parts of one sentence joined across short gaps that hold neither their cue nor its source."""
    joined = [ranges[0]]
    kept = {link, seen.spans[link].link} - {-1} if link >= 0 else set()
    for a, b in ranges[1:]:
        low, high = joined[-1]
        gap = range(high, a)
        if a - high <= _GAP and tree.first[high - 1] == tree.first[a] and not any(seen.at[k] in kept for k in gap):
            joined[-1] = (low, max(b, high))
        else:
            joined.append((a, b))
    return joined


def _snapped(tree: Tree, i: int, j: int) -> Range:
    """``[i, j)`` widened to quoted regions it covers most of, without white space at its ends or a stop before it."""
    for k in (i, j - 1):
        if tree.region[k] >= 0:
            a, b = k, k + 1
            while a > 0 and tree.region[a - 1] == tree.region[k]:
                a -= 1
            while b < tree.size and tree.region[b] == tree.region[k]:
                b += 1
            if min(b, j) - max(a, i) > 0.65 * (b - a):
                i, j = min(i, a), max(j, b)
    while i < j - 1 and (tree.pos[i] == "SPACE" or tree.word[i] in _STOPS):
        i += 1
    while j > i + 1 and tree.pos[j - 1] == "SPACE":
        j -= 1
    return i, j
