"""W3C Web Annotation (https://www.w3.org/TR/annotation-model/): JSON-LD, one AnnotationCollection of all stories.

Every range has two selectors that say the same: a TextPositionSelector, and a TextQuoteSelector with the words and
some before and after them. Positions are of the story's text as the run keeps it, in Unicode code points, as documents
count and as the model asks ("in terms of unicode code points ... not in terms of code units").

* Mentions are *identifying*: bodies tag the class and give the entity's name.
* Dates are *describing*: bodies tag the TIMEX3 type and give the value.
* Quotations are *highlighting*: a target a part; bodies tag ``quotation`` and its type and give the speaker.
* Speakers as written are *linking*: the body is the quotation's annotation.
* Topics are *classifying* the story as a whole: the body is the term's IRI.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from models.document import Attribution, Document, Quote, Span
from pipeline.writers.names import iri, named

CONTEXT = "http://www.w3.org/ns/anno.jsonld"
_AROUND = 32
"""Code points kept before and after the words of a selector."""
Annotation = dict[str, Any]


def lines(documents: Iterable[Document]) -> Iterator[bytes]:
    """The collection, an annotation a line."""
    head = {"@context": CONTEXT, "type": "AnnotationCollection", "label": "Annotations of news stories by copydesk"}
    yield orjson.dumps(head)[:-1] + b',"first":{"type":"AnnotationPage","startIndex":0,"items":[\n'
    count = 0
    for document in documents:
        for annotation in annotations_of(document):
            yield (b",\n" if count else b"") + orjson.dumps(annotation)
            count += 1
    yield b'\n]},"total":%d}\n' % count


def annotations_of(document: Document) -> Iterator[Annotation]:
    """The annotations of one story. Their ids are the same whenever they are made of the same document."""
    source: dict[str, Any] = {"id": iri(document), "type": "Text", "format": "text/plain"}
    if document.meta.language:
        source["language"] = document.meta.language
    source["dcterms:identifier"] = document.id

    def note(of: str, motivation: str, bodies: list[Any], targets: list[Any]) -> Annotation:
        body, target = [each[0] if len(each) == 1 else each for each in (bodies, targets)]
        made = {"id": _id(document, of), "type": "Annotation", "motivation": motivation}
        return {**made, **({"body": body} if bodies else {}), "target": target}

    def place(span: Span) -> dict[str, Any]:
        return {"type": "SpecificResource", "source": source, "selector": _selectors(document.text, span)}

    for entity in document.entities:
        bodies = [_text(entity.label, "tagging"), _text(entity.name, "identifying")]
        for n, mention in enumerate(entity.mentions):
            yield note(f"{entity.id}.{n}", "identifying", bodies, [place(mention)])
    for date in document.dates:
        value = [_text(date.value, "describing")] if date.value else []
        yield note(date.id, "describing", [_text(date.type, "tagging"), *value], [place(date)])
    said: dict[str, list[Attribution]] = {quote.id: [] for quote in document.quotes}
    for attribution in document.attributions:
        said.get(attribution.quote, []).append(attribution)
    for quote in document.quotes:
        names = dict.fromkeys(a.name for a in said[quote.id] if a.name)
        bodies = [_text("quotation", "tagging"), _text(quote.type, "tagging")]
        bodies += [_text(name, "identifying") for name in names]
        yield note(quote.id, "highlighting", bodies, [place(part) for part in quote.parts])
        for n, span in enumerate(_sources(quote, said[quote.id])):
            yield note(f"{quote.id}.source{n}", "linking", [_id(document, quote.id)], [place(span)])
    for topic in document.topics:
        tag = {"type": "SpecificResource", "source": topic.uri} if topic.uri else _text(topic.label, "classifying")
        yield note(f"topic {topic.qcode}", "classifying", [{**tag, "purpose": "classifying"}], [source])


def _id(document: Document, of: str) -> str:
    return named(document.id, of)


def _text(value: str, purpose: str) -> dict[str, Any]:
    return {"type": "TextualBody", "purpose": purpose, "format": "text/plain", "value": value}


def _sources(quote: Quote, said: Iterable[Attribution]) -> list[Span]:
    speakers: list[Span] = [a.speaker for a in said if a.speaker is not None]
    return speakers or ([quote.source] if quote.source is not None else [])


def _selectors(text: str, span: Span) -> list[dict[str, Any]]:
    before, after = text[max(span.start - _AROUND, 0) : span.start], text[span.end : span.end + _AROUND]
    words = {"exact": text[span.start : span.end], "prefix": before, "suffix": after}
    return [
        {"type": "TextPositionSelector", "start": span.start, "end": span.end},
        {"type": "TextQuoteSelector", **words},
    ]
