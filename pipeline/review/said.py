"""Who said what, as a table: a row a quotation and speaker, over a whole run."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from typing import IO

from models.document import Document


@dataclass(frozen=True)
class Said:
    """One quotation of one speaker (the source as written where no name is known); ``date`` is the story's.

    ``kind`` parts what was said or written (``speech``, ``writing``) from what the story says was thought or meant.
    """

    speaker: str
    role: str
    quote: str
    cue: str
    type: str
    kind: str
    story: str
    date: str
    confidence: float


def said(documents: Iterable[Document], speaker: str | None = None) -> Iterator[Said]:
    """The quotations of ``documents`` in order, if wanted only those whose speaker's name or words hold ``speaker``."""
    for document in documents:
        by = {quote.id: quote for quote in document.quotes}
        told = [(by[a.quote], a) for a in document.attributions if a.quote in by]
        for quote, attribution in told:
            words = attribution.speaker.text if attribution.speaker else ""
            name = attribution.name or words
            if speaker is not None and speaker.casefold() not in f"{name}\n{words}".casefold():
                continue
            yield Said(
                " ".join(name.split()),
                " ".join((attribution.role or "").split()),
                " … ".join(" ".join(document.text[p.start : p.end].split()) for p in quote.parts),
                " ".join(quote.cue.text.split()) if quote.cue else "",
                quote.type,
                quote.kind or "",
                document.id,
                (document.meta.published or "")[:10],
                round(quote.confidence * attribution.confidence, 3),
            )


def write_csv(rows: Iterable[Said], out: IO[str]) -> None:
    """Write ``rows`` as CSV with a header line."""
    writer = csv.DictWriter(out, [field.name for field in fields(Said)], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _plain(value) for key, value in asdict(row).items()})


def _plain(value: object) -> object:
    """A cell that a spreadsheet will not run as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t")) else value
