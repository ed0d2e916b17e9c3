"""Joining: from triples and quoted regions to the quotations of a story.

Only the outermost of nested attributions stays; contents split around their cue become one quotation with several
parts; quoted regions nobody claimed become quotations without a cue when they are long enough.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

from pipeline.stages.quotes.marks import Region, words
from pipeline.stages.quotes.tree import Tree
from pipeline.stages.quotes.triple import Range, Triple

GAP = 30
"""Most tokens the cue's clause between two parts of one quotation may have."""


REACH = 12
"""Quotations looked back at for the one a region carries on."""
WITHIN = 12
"""Most words a quoted stretch inside a sentence may have to be taken for an expression rather than a quotation."""


@dataclass
class Joined:
    """A quotation before it is written down."""

    triple: Triple | None
    parts: list[Range]
    continues: Joined | None = None
    confidence: float = 0.5
    regions: set[int] = field(default_factory=set)

    @property
    def first(self) -> int:
        """First token of the content."""
        return self.parts[0][0]

    @property
    def last(self) -> int:
        """One past the last token of the content."""
        return self.parts[-1][1]


_SIZE = 0.2
"""Power of its tokens that counts for one reading of a cue against another."""
_FIRST = frozenset({"label", "headline"})
"""Frames that take their content before any other: the layout says whose it is."""


def outermost(tree: Tree, triples: list[Triple]) -> list[Triple]:
    """Triples that are no part of another's content and claim no content already claimed."""
    triples = _unnested(_one_a_cue(triples))
    kept: list[Triple] = []
    owner: dict[int, Triple] = {}
    for triple in sorted(triples, key=lambda t: (t.frame not in _FIRST, -t.weight * t.size**0.75, t.head)):
        if triple.head in owner:
            continue
        claimed = sum(k in owner for a, b in triple.parts for k in range(a, b))
        if claimed * 2 > triple.size:
            continue
        if claimed:
            triple.parts = _free(triple.parts, owner)
            if not triple.parts:
                continue
        kept.append(triple)
        for a, b in triple.parts:
            for k in range(a, b):
                owner[k] = triple
    # A cue swallowed by a content that was taken after it.
    return sorted((t for t in kept if owner.get(t.head) in (None, t)), key=lambda t: (t.first, t.head))


def _one_a_cue(triples: list[Triple]) -> list[Triple]:
    """Of the readings of one cue the likeliest, size counting for little."""
    best: dict[int, Triple] = {}
    for triple in triples:
        if triple.head >= 0 and (triple.head not in best or _worth(best[triple.head]) < _worth(triple)):
            best[triple.head] = triple
    return [t for t in triples if t.head < 0 or best[t.head] is t]


def _worth(triple: Triple) -> float:
    return float(triple.weight * triple.size**_SIZE)


def _unnested(triples: list[Triple]) -> list[Triple]:
    """``triples`` without those whose cue and content lie within the content of one that holds what is inside it."""
    holders: dict[int, list[Triple]] = {}
    for triple in triples:
        if triple.holds:
            for k in {k for a, b in triple.parts for k in range(a, b)}:
                holders.setdefault(k, []).append(triple)

    def nested(inner: Triple) -> bool:
        return any(
            outer is not inner and all(any(x <= a and b <= y for x, y in outer.parts) for a, b in inner.parts)
            for outer in holders.get(inner.head, ())
        )

    return [triple for triple in triples if not nested(triple)]


def _free(parts: list[Range], owner: dict[int, Triple]) -> list[Range]:
    """The longest unclaimed stretch of every part."""
    free: list[Range] = []
    for a, b in parts:
        k = a
        stretches = []
        while k < b:
            if k in owner:
                k += 1
                continue
            begin = k
            while k < b and k not in owner:
                k += 1
            stretches.append((begin, k))
        if stretches:
            free.append(max(stretches, key=lambda s: s[1] - s[0]))
    return free


def join(tree: Tree, regions: list[Region], triples: list[Triple], min_words: int) -> list[Joined]:
    """The story's quotations in order of offset."""
    quotes = [Joined(t, list(t.parts), confidence=t.weight) for t in triples]
    spans = _region_tokens(tree, len(regions))
    owner: dict[int, Joined] = {}
    for quote in quotes:
        for a, b in quote.parts:
            for k in range(a, b):
                if tree.region[k] >= 0:
                    owner.setdefault(tree.region[k], quote)
    heads = sorted(t.head for t in triples if t.kind in ("speech", "writing"))
    for n, region in enumerate(regions):
        if n in owner or spans[n] is None:
            continue
        a, b = spans[n]  # type: ignore[misc]
        before = _before(tree, quotes, a)
        if before is not None and _carries_on(tree, before, region, a, heads, quotes):
            before.parts.append((a, b))
            owner[n] = before
        elif words(tree.text, region) >= min_words and not _titled(tree, a, b):
            loose = Joined(None, [(a, b)], confidence=_loose(tree, a, b, region))
            if before is not None and tree.paragraph[a] - tree.paragraph[before.last - 1] <= 1:
                loose.continues = before
            quotes.append(loose)
            owner[n] = loose
            quotes.sort(key=lambda q: q.first)
    return sorted(quotes, key=lambda q: (q.first, q.last))


def _loose(tree: Tree, a: int, b: int, region: Region) -> float:
    """How sure a region without a cue is: a sentence of its own rather than words within another's sentence."""
    starts = tree.first[a] == a or tree.word[a - 1] in (".", "?", "!")
    if not starts and len(tree.text[region.start : region.end].split()) <= WITHIN:
        return 0.25
    return 0.5 if region.closed else 0.45


def _region_tokens(tree: Tree, count: int) -> list[Range | None]:
    spans: list[Range | None] = [None] * count
    for k, n in enumerate(tree.region):
        if n >= 0:
            held = spans[n]
            spans[n] = (held[0] if held else k, k + 1)
    return spans


def _before(tree: Tree, quotes: list[Joined], token: int) -> Joined | None:
    """The quotation that ends nearest before ``token``, quoted ones of the paragraph before others."""
    best = None
    rank = (-1, -1)
    here = bisect_left(quotes, token, key=lambda q: q.first)
    for quote in quotes[max(0, here - REACH) : here]:
        if quote.last <= token:
            near = tree.paragraph[quote.last - 1] == tree.paragraph[token]
            marked = near and quote.triple is not None and quote.triple.frame in _MARKED
            if (int(marked), quote.last) > rank:
                best, rank = quote, (int(marked), quote.last)
    return best


_MARKED = frozenset({"out", "quote", "around", "before", "colon"})


def _carries_on(tree: Tree, quote: Joined, region: Region, a: int, heads: list[int], quotes: list[Joined]) -> bool:
    """Whether the region that begins at ``a`` is a further part of ``quote``."""
    low = quote.last
    apart = tree.paragraph[a] - tree.paragraph[low - 1]
    if region.continues:
        return apart <= 1
    if apart == 1 and _next_paragraph(tree, quote, a) and not _dialogue(tree, quote, quotes):
        return True
    gap = [k for k in range(low, a) if tree.pos[k] not in ("PUNCT", "SPACE")]
    if apart > 0 or len(gap) > GAP:
        return False
    if tree.region[low - 1] < 0 and tree.first[a] == a:
        return False  # a sentence in marks after one told in the desk's words is a quotation of its own
    if not gap:
        return True
    if tree.pos[a - 1] not in ("PUNCT", "SPACE") or tree.word[a - 1] in ("(", "[", "-"):
        return False  # a title or a venue inside the cue's clause
    triple = quote.triple
    if triple is None:
        return False
    if apart == 0 and tree.region[low - 1] >= 0 and tree.region[quote.first] >= 0 and tree.first[a] == a:
        return True  # the next quoted sentence of the same paragraph
    if not low <= triple.head < a:
        return False
    inside = triple.source or (0, 0)
    between = heads[bisect_left(heads, low) : bisect_left(heads, a)]
    return not any(h != triple.head and not inside[0] <= h < inside[1] for h in between)


def _dialogue(tree: Tree, quote: Joined, quotes: list[Joined]) -> bool:
    """Whether the paragraph before quotes somebody else and one of the two asks: then a bare one is the other's turn.

    Without a question two speakers in a row are the usual run of a story, and the bare paragraph is the second one's.
    """
    source = quote.triple.source if quote.triple else None
    here = tree.paragraph[quote.first]
    at = bisect_left(quotes, quote.first, key=lambda q: q.first)
    for other in quotes[max(0, at - REACH) : at]:
        told = other.triple.source if other.triple else None
        if tree.paragraph[other.first] == here - 1 and source and told and tree.region[other.first] >= 0:
            differ = tree.word[source[0] : source[1]] != tree.word[told[0] : told[1]]
            return differ and any(_asks(tree, part) for q in (quote, other) for part in q.parts)
    return False


def _asks(tree: Tree, part: Range) -> bool:
    """Whether a part of a quotation ends in a question mark."""
    return any(tree.word[k] == "?" for k in range(max(part[0], part[1] - 2), part[1]))


def _next_paragraph(tree: Tree, quote: Joined, a: int) -> bool:
    """Whether ``"A," X said.`` goes on in a paragraph that is quoted from end to end and has no cue."""
    if quote.triple is None or quote.triple.frame != "out" or len(quote.parts) > 1:
        return False
    paragraph = tree.paragraph[a]
    own = tree.first[quote.triple.head]
    between = [k for k in range(quote.last, a) if tree.pos[k] not in ("PUNCT", "SPACE")]
    if tree.paragraph[a - 1] == paragraph or any(tree.first[k] != own for k in between):
        return False
    k = a
    while k < tree.size and tree.paragraph[k] == paragraph:
        if tree.region[k] < 0 and tree.pos[k] not in ("PUNCT", "SPACE"):
            return False
        k += 1
    return True


def _titled(tree: Tree, a: int, b: int) -> bool:
    """Whether the region reads as the title of a work: every longer word begins with a capital, no stop inside."""
    long = [tree.word[k] for k in range(a, b) if len(tree.word[k]) > 3 and tree.word[k][:1].isalpha()]
    stops = any(tree.word[k] in (".", "?", "!") for k in range(a, b - 2))
    return bool(long) and not stops and b - a <= 14 and all(w[0].isupper() for w in long)
