"""A story's quotations: scan the marks, find cue, source and content on the parse, join, write down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from models.document import Cue, Quote, Span, TextSpan
from pipeline.stages.quotes import learned, marks
from pipeline.stages.quotes.adjacent import adjacent
from pipeline.stages.quotes.cues import lexicon
from pipeline.stages.quotes.frames import find
from pipeline.stages.quotes.headlines import headlines
from pipeline.stages.quotes.joining import Joined, join, outermost
from pipeline.stages.quotes.sources import of_verb
from pipeline.stages.quotes.tree import Tree

if TYPE_CHECKING:
    from spacy.tokens import Doc

    from models.document import Document
    from pipeline.stages.quotes import QuotesSettings
    from pipeline.stages.quotes.triple import Range, Triple

LOW = 0.05
"""Least weight of the rules' triples that the encoder's marks are weighed against."""
_OUTSIDE = frozenset({"header", "byline", "dateline", "embargo", "credit"})


def extract(document: Document, parse: Doc, settings: QuotesSettings) -> list[Quote]:
    """All quotations of ``document`` the settings let through."""
    paragraphs = document.paragraphs()
    regions = marks.scan(document.text, paragraphs, settings.singles)
    tree = Tree(parse, paragraphs, regions)
    seen = learned.marked(tree, parse)
    triples = find(tree, lexicon(), settings.min_confidence if seen is None else LOW)
    if seen is not None:
        triples = [t for t in learned.weighed(tree, seen, lexicon(), triples) if t.weight >= settings.min_confidence]
    triples += headlines(tree, document)
    triples = [t for t in triples if _wanted(t, settings)]
    claimed = {tree.region[k] for t in triples for a, b in t.parts for k in range(a, b)}
    triples += adjacent(tree, claimed)
    joined = join(tree, regions, outermost(tree, triples), settings.min_words)
    zones = [z for z in document.zones if z.kind in _OUTSIDE]
    kept = [
        q
        for q in joined
        if q.confidence >= settings.min_confidence and not any(z.start <= tree.start[q.first] < z.end for z in zones)
    ]
    names = {id(quote): f"q{n}" for n, quote in enumerate(kept, 1)}
    return [_write(tree, quote, names) for quote in kept]


def _wanted(triple: Triple, settings: QuotesSettings) -> bool:
    return {"thought": settings.thoughts, "intention": settings.intentions}.get(triple.kind, True)


def _write(tree: Tree, quote: Joined, names: dict[int, str]) -> Quote:
    parts = [Span(start=tree.start[a], end=tree.end[b - 1]) for a, b in quote.parts]
    fields: dict[str, object] = {}
    if quote.triple is not None:
        triple = quote.triple
        if triple.cue is not None:
            start, end = _span(tree, triple.cue)
            fields["cue"] = Cue.of(tree.text, start, end, lemma=triple.lemma)
        source = _apart(tree, quote, triple.source)
        if source is not None:
            fields["source"] = TextSpan.of(tree.text, *_span(tree, source))
        # Whole sentences in quotation marks were said, also where the cue is "wondered" or "thought".
        spoken = triple.kind == "thought" and triple.frame in ("out", "colon") and _type(tree, quote) == "direct"
        fields["kind"] = "speech" if spoken else triple.kind
        fields["polarity"] = "negative" if triple.negative else "positive"
    else:
        fields["kind"] = "speech"
    if quote.continues is not None and id(quote.continues) in names:
        fields["continues"] = names[id(quote.continues)]
    return Quote(
        id=names[id(quote)],
        type=_type(tree, quote),
        start=parts[0].start,
        end=max(p.end for p in parts),
        parts=parts,
        confidence=round(min(max(quote.confidence, 0.0), 1.0), 3),
        **fields,
    )


def _apart(tree: Tree, quote: Joined, source: Range | None) -> Range | None:
    """``source`` whole, and as far as it is no part of the content.

    It ends where the content begins (``According to the Herald, the mayor said``). Who is told of is not who tells:
    the subject of a passive (``the parents are accused of``) is content and no source; nor is a word inside the
    content, where the cue has a subject of its own.
    """
    if source is None or source in quote.parts:
        return None
    first, last = source
    triple = quote.triple
    inside = any(a <= first and last <= b for a, b in quote.parts)
    if inside and triple is not None and triple.head >= 0 and tree.word[last : last + 1] != [":"]:
        own = of_verb(tree, triple.head) if tree.pos[triple.head] == "VERB" else None
        if own is not None and not any(a < own[1] and own[0] < b for a, b in quote.parts):
            return own
        return source
    source = first, last = _whole(tree, quote, source)
    begins = min((a for a, _ in quote.parts if first < a < last), default=None)
    if begins is None:
        return source
    while begins > first + 1 and tree.pos[begins - 1] in ("PUNCT", "SPACE"):
        begins -= 1
    return first, begins


def _whole(tree: Tree, quote: Joined, source: Range) -> Range:
    """``source`` with the rest of a name or phrase it cuts: the noun of an article, the name after a title."""
    first, last = source
    cue = quote.triple.cue if quote.triple is not None and quote.triple.cue is not None else (-1, -1)

    def free(k: int) -> bool:
        taken = any(a <= k < b for a, b in quote.parts) or cue[0] <= k < cue[1]
        return not taken and tree.region[k] < 0 and tree.first[k] == tree.first[first]

    while (
        first > 0
        and tree.pos[first] == tree.pos[first - 1] == "PROPN"
        and first <= tree.head[first - 1] < last  # not On Tuesday Trump said
        and free(first - 1)
    ):
        first -= 1
    open_ = not any(tree.pos[k] in ("NOUN", "PROPN", "PRON", "NUM") for k in range(first, last))
    open_ = open_ or tree.pos[last - 1] in ("ADP", "DET", "PART")
    while last < tree.size and free(last):
        ends = tree.pos[last - 1] in ("PROPN", "NOUN")
        of = tree.lower[last] in ("of", "for", "and", "&") and tree.pos[last - 1] == "PROPN" and last + 1 < tree.size
        if of and tree.pos[last + 1] == "PROPN" and free(last + 1):
            last += 1  # the Ministry of External Affairs
        elif tree.pos[last] == "PROPN" and (ends or open_):
            open_ = False
        elif not (open_ and tree.pos[last] in ("NOUN", "ADJ", "DET", "NUM")):
            break
        elif tree.pos[last] == "NOUN":
            open_ = False
        last += 1
    return first, last


def _span(tree: Tree, tokens: Range) -> tuple[int, int]:
    return tree.start[tokens[0]], tree.end[tokens[1] - 1]


def _type(tree: Tree, quote: Joined) -> Literal["direct", "indirect", "mixed"]:
    inside = [tree.region[k] >= 0 for a, b in quote.parts for k in range(a, b) if tree.pos[k] not in ("PUNCT", "SPACE")]
    if not any(inside):
        return "indirect"
    return "direct" if all(inside) else "mixed"
