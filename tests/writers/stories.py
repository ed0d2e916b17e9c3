"""What tests of writers share: documents with anything in their texts, and the samples' own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from models.document import (
    Attribution,
    Cue,
    Document,
    Entity,
    Keyphrase,
    Mention,
    Meta,
    Quote,
    Source,
    Span,
    Subject,
    TextSpan,
    Timex,
    Topic,
)

ROOT = Path(__file__).parent.parent.parent
SAMPLES = ROOT / "samples" / "documents.jsonl"
ALPHABET = (
    "ab. ,=@'-\"\t\n\r\x0b\x85\u00a0\u2028\u200b\ufeff\u0301“”é"
    "\N{GRINNING FACE}\N{MATHEMATICAL BOLD CAPITAL A}\N{REGIONAL INDICATOR SYMBOL LETTER N}"
)
"""Letters, marks, every kind of white space and line break, a combining mark, and what UTF-16 needs two units for."""
WORDS = st.text(ALPHABET, max_size=6)


def samples() -> list[Document]:
    return [Document.from_json(line) for line in SAMPLES.read_bytes().splitlines()]


def spans(document: Document) -> Iterator[tuple[str, Span]]:
    """Every annotated range with the section it stands in."""
    for entity in document.entities:
        yield from (("mentions", mention) for mention in entity.mentions)
    yield from (("dates", date) for date in document.dates)
    for quote in document.quotes:
        yield from (("quotes", part) for part in quote.parts)


@st.composite
def documents(draw: Any) -> Document:
    """A document that ``check`` finds nothing wrong with, with one or two of everything."""
    text = draw(st.text(ALPHABET, min_size=4, max_size=40))
    cuts = st.integers(0, len(text))

    def ranges(most: int) -> list[tuple[int, int]]:
        edges = sorted(draw(st.sets(cuts, max_size=2 * most)))
        return list(zip(edges[::2], edges[1::2], strict=False))

    document = Document(id=draw(st.sampled_from(["a.txt", "b/c#2", "=x", "ü 1"])), schema_=1, text=text)
    document.source = Source(path="a.txt", format="wire", sha256="0" * 64, bytes=9)
    document.meta = Meta(
        headline=draw(WORDS) or None,
        published="2025-03-28",
        keywords=draw(st.lists(WORDS, max_size=2)) or None,
        subjects=[Subject(qcode="medtop:20000639")],
    )
    kinds = st.sampled_from(["name", "nominal", "pronoun"])
    if places := ranges(3):
        mentions = [Mention.of(text, *place, kind=draw(kinds)) for place in places]
        name = draw(WORDS) or "Oslo"
        document.entities = [Entity(id="e1", label="GPE", name=name, mentions=mentions, aliases=draw(st.lists(WORDS)))]
    document.dates = [
        Timex.of(text, *place, id=f"d{n}", type="DATE", value=draw(st.sampled_from([None, "2025-03", "-5"])))
        for n, place in enumerate(ranges(2), 1)
    ]
    if places := ranges(2):
        source = TextSpan.of(text, *places[0]) if draw(st.booleans()) else None
        quote = Quote(
            id="q1",
            type=draw(st.sampled_from(["direct", "indirect", "mixed"])),
            parts=[Span(start=start, end=end) for start, end in places],
            start=places[0][0],
            end=places[-1][1],
            cue=Cue.of(text, 0, 2, lemma="say"),
            source=source,
            confidence=0.5,
        )
        document.quotes = [quote]
        who = document.entities[0] if document.entities else None
        document.attributions = [
            Attribution(
                quote="q1",
                speaker=source,
                entity=who.id if who else None,
                name=who.name if who else None,
                method="name",
                confidence=0.25,
                anonymous=draw(st.sampled_from([None, True])),
            )
        ]
    document.topics = [Topic(qcode="medtop:1", uri="http://x.org/1", label=draw(WORDS), path=["a", "b"], score=1)]
    document.keyphrases = [Keyphrase(text=draw(WORDS), score=0.1)]
    return document
