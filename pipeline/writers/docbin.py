"""spaCy DocBin (``.spacy``): a Doc a story, to train on or to look at with spaCy's own means.

Where the run's parses are kept, the Docs have their tokens, tags, trees, lemmas and sentences; else only tokens and
sentences. A token is split where an annotation begins or ends within it, so every annotation is exact:

* ``doc.ents``: names, where they overlap the longest; the entity's id is ``ent.ent_id_``.
* ``doc.spans["mentions"]``: every mention, labelled with the class, ``span.id_`` the entity's id.
* ``doc.spans["dates"]``: labelled with the TIMEX3 type, ``span.kb_id_`` the value.
* ``doc.spans["quotes"]``, ``["cues"]``, ``["sources"]``: a span a part, labelled direct, indirect or mixed (CUE,
  SOURCE), ``span.id_`` the quote's id; ``span.kb_id_`` of quotes the speaker's name.
* ``doc.cats``: topics by qcode. ``doc.user_data["id"]``: the story's id.

White space at the edges of an annotation is left out: it is no part of spaCy's tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain, islice, pairwise, repeat
from pathlib import Path
from typing import TYPE_CHECKING

from models.document import Document, Span
from pipeline.batch.files import atomic_path, write_atomic
from pipeline.language import ATTRS

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc, DocBin
    from spacy.tokens import Span as DocSpan

_KEPT = [*ATTRS, "ENT_KB_ID", "ENT_ID"]


SUFFIX = ".spacy"
_PART = 200
"""Docs in one file of a folder: all of a file are held in memory while it is made."""


def write(documents: Iterable[Document], path: Path, parses: Iterable[Doc] | None = None) -> int:
    """Write the Docs of ``documents`` to ``path``; how many. ``parses`` are theirs, in the same order.

    A path that ends in ``.spacy`` is one file, which is held in memory; any other a new folder of files with some
    hundreds of stories each, as ``spacy train`` takes it, for runs of any size.
    """
    made = docs(documents, parses)
    if path.suffix == SUFFIX:
        store = _store(made)
        write_atomic(path, store.to_bytes())
        return len(store)
    count = 0
    with atomic_path(path) as at:
        at.mkdir()
        for number, first in enumerate(made):
            store = _store(chain([first], islice(made, _PART - 1)))
            (at / f"{number:05d}{SUFFIX}").write_bytes(store.to_bytes())
            count += len(store)
    return count


def _store(made: Iterable[Doc]) -> DocBin:
    from spacy.tokens import DocBin

    store = DocBin(attrs=_KEPT, store_user_data=True)
    for doc in made:
        store.add(doc)
    return store


def docs(documents: Iterable[Document], parses: Iterable[Doc] | None = None) -> Iterator[Doc]:
    """A Doc a document. A parse whose text is not the document's is not used."""
    nlp = _blank()
    given: Iterator[Doc | None] = chain(parses, repeat(None)) if parses is not None else repeat(None)
    for document, parse in zip(documents, given, strict=False):
        doc = parse if parse is not None and parse.text == document.text else nlp(document.text)
        _annotate(_split(doc, document), document)
        yield doc


@cache
def _blank() -> Language:
    import spacy

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.max_length = 2**31
    return nlp


def _ranges(document: Document) -> Iterator[Span]:
    for entity in document.entities:
        yield from entity.mentions
    yield from document.dates
    for quote in document.quotes:
        yield from quote.parts
        yield from (piece for piece in (quote.cue, quote.source) if piece is not None)
    yield from (a.speaker for a in document.attributions if a.speaker is not None)


def _trimmed(text: str, span: Span) -> tuple[int, int]:
    words = text[span.start : span.end]
    start = span.start + len(words) - len(words.lstrip())
    return start, max(start, span.start + len(words.rstrip()))


def _split(doc: Doc, document: Document) -> Doc:
    """Split tokens at the edges of annotations; the pieces but the last hang on the last, which keeps its head."""
    edges = sorted({edge for span in _ranges(document) for edge in _trimmed(document.text, span)})
    at = iter(edges)
    edge = next(at, None)
    with doc.retokenize() as retokenizer:
        for token in doc:
            cuts = []
            while edge is not None and edge < token.idx + len(token.text):
                if edge > token.idx:
                    cuts.append(edge - token.idx)
                edge = next(at, None)
            if cuts:
                pieces = [token.text[a:b] for a, b in pairwise([0, *cuts, len(token.text)])]
                last = len(pieces) - 1
                heads: list[tuple[object, int] | object] = [(token, last)] * last
                heads.append((token, last) if token.head == token else token.head)
                retokenizer.split(token, pieces, heads=heads)  # type: ignore[arg-type]
    return doc


def _annotate(doc: Doc, document: Document) -> None:
    from spacy.util import filter_spans

    def span(place: Span, label: str, id_: str = "", kb_id: str = "") -> DocSpan | None:
        start, end = _trimmed(document.text, place)
        made: DocSpan | None = doc.char_span(start, end, label=label, kb_id=kb_id, span_id=id_) if start < end else None
        return made

    def group(name: str, made: Iterable[DocSpan | None]) -> None:
        doc.spans[name] = [each for each in made if each is not None]

    mentions = [(span(m, e.label, e.id), m.kind) for e in document.entities for m in e.mentions]
    group("mentions", (made for made, _ in mentions))
    names = filter_spans(made for made, kind in mentions if made is not None and kind == "name")
    doc.set_ents(names, default="outside")
    for name in names:
        for token in name:
            token.ent_id_ = name.id_
    group("dates", (span(d, d.type, d.id, d.value or "") for d in document.dates))
    names_of = {a.quote: a.name or "" for a in reversed(document.attributions)}
    quotes = document.quotes
    group("quotes", (span(p, q.type, q.id, names_of.get(q.id, "")) for q in quotes for p in q.parts))
    group("cues", (span(q.cue, "CUE", q.id) for q in quotes if q.cue is not None))
    said = [(a.speaker, a.quote) for a in document.attributions if a.speaker is not None]
    there = {quote for _, quote in said}
    said += [(q.source, q.id) for q in quotes if q.source is not None and q.id not in there]
    group("sources", (span(place, "SOURCE", quote) for place, quote in said))
    doc.cats = {topic.qcode: topic.score for topic in document.topics}
    doc.user_data["id"] = document.id
