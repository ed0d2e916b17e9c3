"""What the encoder marked as cue, source and content, weighed together with what the rules found on the tree.

Both make triples; a logistic score (``models/quotes/learned.tsv``, fitted by :mod:`models.quotes.weigh`) says how
likely each is an attribution, from how far the two agree on cue, source and the edges of the content. Choosing among
triples that overlap is :func:`pipeline.stages.quotes.joining.outermost`'s work.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from pipeline.encoder import Part, parts
from pipeline.stages.quotes.cues import Lexicon, negative
from pipeline.stages.quotes.scoring import logistic, odds, weights
from pipeline.stages.quotes.sources import by_phrase, told
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
_EDGES = frozenset({".", ",", ";", ":", '"', "“", "”"})
_LINKED = 0.9
"""How sure the link from a cue to its source must be for it to count for more than the tree."""
_UNMARKED = {"before": 0.6, "label": 0.7}
"""Share of the rules' weight that a sentence before its cue, and a label, keep whatever the encoder says."""
_HOLDS = 0.7
"""Weight, by the rules and after, from which a content holds whatever is attributed inside it."""
_MOST = 0.65
"""Share of a quoted region a content must cover to be given the whole of it."""
_GAP = 12
"""Most unmarked tokens between two parts of a content in one sentence that are taken for part of it."""


class Marked:
    """The encoder's parts of a story by token."""

    def __init__(self, tree: Tree, spans: Sequence[Part]) -> None:
        self.spans = _whole(tree, _near(tree, spans))
        self.at = [-1] * tree.size
        self.contents = self._by_cue()
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
        return self.contents.get(cue, []) if cue >= 0 else []

    def _by_cue(self) -> dict[int, list[int]]:
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
    """``spans`` without links that lead astray.

    From a content, those more than a paragraph away, or forward into the next paragraph to a cue that has a content
    there; from a cue, those to a source in another paragraph.
    """
    here = tree.paragraph
    served = {part.link for part in spans if part.link >= 0 and here[part.i] == here[spans[part.link].i]}
    found = []
    for part in spans:
        ahead = here[spans[part.link].i] - here[part.i] if part.link >= 0 else 0
        astray = abs(ahead) > 1 or (ahead == 1 and part.label in _CONTENTS and part.link in served)
        astray = astray or (ahead != 0 and part.label in _CUES)
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
    beside = Beside(tree, seen, lexicon, ruled)
    # All features first: they are of the weights the encoder and the rules gave.
    for triple, weight in [(triple, chance(beside.features(triple))) for triple in beside.all]:
        cue = seen.cue(triple.head)
        source = seen.source(cue)
        ruled_here = beside.rules.get(triple.head)
        own = ruled_here.source if ruled_here is not None else None
        if source is not None and own is not None and _subject(tree, triple, own, source):
            triple.source = own
        elif source is not None and (triple.source is None or seen.spans[cue].link_score >= _LINKED):
            triple.source = (source.i, source.j)
        elif triple.source is None:
            triple.source = own
        if triple.source is not None and told(tree, triple.head, triple.source):
            triple.source = by_phrase(tree, triple.head)
        triple.holds = triple.frame != FRAME and min(triple.weight, weight) >= _HOLDS
        # "X has been registered, police said": the order of wire copy tells, though the encoder marks nothing.
        kept = _UNMARKED.get(triple.frame, 0.0) if triple.kind in ("speech", "writing") else 0.0
        triple.weight = max(weight, kept * triple.weight)
    return beside.all


def _subject(tree: Tree, triple: Triple, own: Range, marked: Part) -> bool:
    """Whether ``own`` is the cue's subject right before it, and the encoder marked something else."""
    if triple.cue is None or (own[1] > marked.i and marked.j > own[0]) or tree.tag[own[1] - 1] in ("WDT", "WP"):
        return False
    beside = all(tree.pos[k] in ("AUX", "ADV", "PUNCT") for k in range(own[1], triple.cue[0]))
    return beside and own[1] <= triple.cue[0] and any(own[0] <= s < own[1] for s in tree.kids(triple.head, "nsubj"))


def chance(features: Mapping[str, float]) -> float:
    """Probability that a triple with these features is an attribution."""
    known = coefficients()
    return logistic(sum(known.get(name, 0.0) * value for name, value in features.items()))


@cache
def coefficients() -> dict[str, float]:
    """The fitted coefficients by feature."""
    return weights("learned.tsv")


class Beside:
    """The triples of a story, the encoder's first, and what is known of each from the others around it."""

    def __init__(self, tree: Tree, seen: Marked, lexicon: Lexicon, ruled: Sequence[Triple]) -> None:
        self.tree, self.seen, self.lexicon = tree, seen, lexicon
        self.all = [*_triples(tree, seen, lexicon), *ruled]
        self.rules = {triple.head: triple for triple in reversed(ruled)}
        self.by_sentence: dict[int, list[Triple]] = defaultdict(list)
        for triple in self.all:
            for first in self._sentences(triple):
                self.by_sentence[first].append(triple)

    def _sentences(self, triple: Triple) -> set[int]:
        return {self.tree.first[k] for a, b in triple.parts for k in (a, b - 1)}

    def features(self, triple: Triple) -> dict[str, float]:
        """Names and values of what speaks for and against ``triple``; names that are not there are zero."""
        tree, seen = self.tree, self.seen
        own = triple.frame == FRAME
        kind = "said" if triple.kind in ("speech", "writing") else "thought"
        inside = [seen.at[k] for a, b in triple.parts for k in range(a, b) if tree.pos[k] not in ("PUNCT", "SPACE")]
        size = max(len(inside), 1)
        cue = seen.cue(triple.head)
        score = seen.spans[cue].score if cue >= 0 else 0.0
        found = {
            "bias": 1.0,
            kind: 1.0,
            f"own={own}": 1.0,
            f"own={own}&share": sum(n >= 0 and seen.spans[n].label in _CONTENTS for n in inside) / size,
            f"own={own}&cue": score,
            f"size={min(len(inside), 4)}": 1.0,
            "parts": min(len(triple.parts), 3),
            "inner": min(sum(seen.cue(k) >= 0 for a, b in triple.parts for k in range(a, b)), 3),
            f"source={triple.source is not None}": 1.0,
            "frame=" + triple.frame: 1.0,
            "next=" + _mark(tree, triple.last): 1.0,
            "before=" + _mark(tree, triple.first - 1): 1.0,
            "open=" + ("that" if tree.lower[triple.first] == "that" else tree.pos[triple.first]): 1.0,
        }
        agreed = self._agreement(triple)
        found["agree"] = found[f"own={own}&agree"] = agreed
        found["agree>0.9"] = float(agreed > 0.9)
        if triple.head >= 0:
            found["pos=" + tree.pos[triple.head]] = 1.0
        if any(tree.region[k] >= 0 for a, b in triple.parts for k in (a, b - 1)):
            found[f"own={own}&marked"] = 1.0
        found.update(self._own(triple, kind) if own else self._ruled(triple, kind, cue, score, size))
        return found

    def _own(self, triple: Triple, kind: str) -> dict[str, float]:
        rule = self.rules.get(triple.head) if triple.head >= 0 else None
        return {
            f"{kind}&weight": odds(triple.weight),
            "rule": odds(rule.weight) if rule is not None else -3.0,
            f"cueless={triple.head < 0}": 1.0,
        }

    def _ruled(self, triple: Triple, kind: str, cue: int, score: float, size: int) -> dict[str, float]:
        seen, linked = self.seen, self.seen.linked(cue)
        listed = self.lexicon.weight(self.tree.lemma[triple.head], "V", triple.frame)
        found = {
            f"{kind}&rule": odds(triple.weight),
            "lexicon": odds(listed),
            f"linked={bool(linked)}": 1.0,
            f"linked={bool(linked)}&cue": score,
        }
        if linked:
            held = [seen.spans[n] for n in linked]
            found[f"first={abs(held[0].i - triple.first) < 2}"] = 1.0
            found[f"last={abs(held[-1].j - triple.last) < 3}"] = 1.0
            missed = sum(part.j - part.i for part in held if not _holds(triple, part))
            found["missed"] = min(missed / size, 2.0)
        source = seen.source(cue)
        if source is not None and triple.source is not None:
            found[f"sources={source.i < triple.source[1] and triple.source[0] < source.j}"] = 1.0
        return found

    def _agreement(self, triple: Triple) -> float:
        """Best intersection over union with a triple of the other kind, rules' or encoder's."""
        best = 0.0
        for first in self._sentences(triple):
            for other in self.by_sentence[first]:
                if (other.frame == FRAME) != (triple.frame == FRAME):
                    shared = min(other.last, triple.last) - max(other.first, triple.first)
                    best = max(best, shared / (max(other.last, triple.last) - min(other.first, triple.first)))
        return best


def _mark(tree: Tree, k: int) -> str:
    """The mark at token ``k``; ``w`` for a word, and beyond the text."""
    word = tree.word[k] if 0 <= k < tree.size else "w"
    return word if word in _EDGES else "w"


def _holds(triple: Triple, part: Part) -> bool:
    return any(a <= part.i and part.j <= b for a, b in triple.parts)


def _triples(tree: Tree, seen: Marked, lexicon: Lexicon) -> Iterator[Triple]:
    """One triple a marked cue with its contents, and one a content without a cue."""
    for link, places in seen.contents.items():
        best = max(seen.spans[n].score for n in places)
        held = [part for part in (seen.spans[n] for n in places) if part.score > min(_DOUBTED, best - _BEHIND)]
        if link >= 0:
            # What stands a paragraph on is joining's to add: it knows an answer from a quotation carried on.
            here = tree.paragraph[seen.spans[link].i]
            held = [part for part in held if tree.paragraph[part.i] == here] or held
            # A sentence in marks before the cue's own is the one before's, where the cue has a content beside it.
            first = tree.first[seen.spans[link].i]
            own = [part for part in held if tree.first[part.i] == first]
            if own:
                held = [part for part in held if part.i >= first or tree.region[part.i] < 0]
            # One in marks after a sentence told in the desk's words is a quotation of its own, which goes on from it.
            if own and all(tree.region[part.j - 1] < 0 for part in own):
                held = [part for part in held if tree.first[part.i] <= first or tree.region[part.i] < 0]
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
            if min(b, j) - max(a, i) > _MOST * (b - a):
                i, j = min(i, a), max(j, b)
    while i < j - 1 and (tree.pos[i] == "SPACE" or tree.word[i] in _STOPS):
        i += 1
    while j > i + 1 and tree.pos[j - 1] == "SPACE":
        j -= 1
    return i, j
