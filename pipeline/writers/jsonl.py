"""JSON Lines: documents as they are, one a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from models.document import Document


def lines(documents: Iterable[Document]) -> Iterator[bytes]:
    """A line a document."""
    for document in documents:
        yield document.to_json() + b"\n"
