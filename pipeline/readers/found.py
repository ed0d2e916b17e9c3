"""What readers give: one :class:`Found` for everything found, and :class:`Copy`, a story before it is a document."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import IO, Any

from models.document import Document, Meta, Source
from pipeline.errors import StoryError
from pipeline.readers.decode import Decoded, clean
from pipeline.readers.options import ReadSettings
from pipeline.readers.wire import story, titled

_PIECE = 1 << 18


@dataclass(frozen=True)
class Found:
    """One thing found: a ``document``, or the ``error`` that kept it from being one, or why it was ``skipped``."""

    id: str
    path: str
    document: Document | None = None
    error: StoryError | None = None
    skipped: str | None = None
    line: int | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class File:
    """A file's whole bytes, what it is called, and how it is to be read."""

    data: bytes
    name: str
    settings: ReadSettings
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", hashlib.sha256(self.data).hexdigest())

    def source(self, format_: str, decoded: Decoded | None, item: int | None = None) -> Source:
        """Where a story of this file came from; ``item`` is its 1-based place, if the file holds many."""
        fields: dict[str, Any] = {"path": self.name, "format": format_, "sha256": self.digest, "bytes": len(self.data)}
        if decoded is not None:
            fields |= {"encoding": decoded.encoding, "encoding_by": decoded.by}
        if item is not None:
            fields["item"] = item
        return Source(**fields)

    def skip(self, reason: str, id_: str | None = None) -> Found:
        """This file, or an item of it, passed over."""
        return Found(id_ or self.name, self.name, skipped=reason)

    def fail(self, error: StoryError, id_: str | None = None) -> Found:
        """This file, or an item of it, that cannot be taken."""
        return Found(id_ or self.name, self.name, error=error)

    def id(self, item: int | None, guid: object = None) -> str:
        """Id of an item: its own if it has one, else ``path#n``; of a file with one story its path."""
        if item is None:
            return self.name
        return clean(guid)[0] if isinstance(guid, str) and guid else f"{self.name}#{item}"


@dataclass
class Copy:
    """A story as a format with marked-up parts delivers it.

    ``meta`` has what the format says, ``hints`` what counts only where the text itself says nothing (place, agency).
    ``dateline`` and ``tail`` are copy that the format keeps apart; they become first and last paragraph of the text.
    """

    paragraphs: list[str]
    meta: dict[str, Any]
    hints: dict[str, Any] = field(default_factory=dict)
    dateline: str = ""
    tail: str = ""

    def found(
        self,
        file: File,
        source: Source,
        id_: str | None = None,
        warnings: tuple[str, ...] = (),
        headed: bool = False,
        line: int | None = None,
    ) -> Found:
        """The story as a document. ``headed`` where its text may open with header fields and a headline."""
        body = "\n\n".join(self.paragraphs)
        first = self.paragraphs[0] if self.paragraphs else ""
        # Many feeds repeat the dateline at the head of the copy.
        place = self.dateline.split(",")[0].split("(")[0].strip().casefold()
        dateline = self.dateline if place and not first.casefold().startswith(place) else ""
        text, unfit = clean("\n\n".join(part for part in (dateline, body, self.tail) if part))
        size = len(text.encode())
        if size > file.settings.max_bytes:
            limit = f"{file.settings.max_bytes:,} is the limit (read.max_bytes)"
            return file.fail(StoryError("E_TOO_LARGE", f"a story of {size:,} bytes, and {limit}"), id_)
        given = Meta.model_validate(
            {key: cleaned(value) for key, value in self.meta.items() if value not in (None, [])}
        )
        id_ = id_ or file.name
        document = story(id_, text, source, given, headed=headed, dateline=len(dateline), tail=len(self.tail))
        for key, value in self.hints.items():
            if value and getattr(document.meta, key) is None:
                setattr(document.meta, key, titled(cleaned(value)) if key == "place" else cleaned(value))
        if not text.strip():
            warnings = (*warnings, "the story is empty")
        return Found(id_, file.name, document, line=line, warnings=(*warnings, *unfit))


def cleaned(value: Any) -> Any:
    """``value`` with what no text can hold replaced, in strings at any depth of lists and objects."""
    if isinstance(value, str):
        return clean(value)[0]
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    if isinstance(value, dict):
        return {cleaned(key): cleaned(item) for key, item in value.items()}
    return value


def whole(file: IO[bytes], limit: int, setting: str, head: bytes = b"") -> bytes:
    """``head`` and all bytes left in ``file``.

    Raises :class:`StoryError` E_TOO_LARGE beyond ``limit`` bytes, which is what ``setting`` says.
    """
    pieces = [head]
    size = len(head)
    while size <= limit and (piece := file.read(_PIECE)):
        pieces.append(piece)
        size += len(piece)
    if size > limit:
        raise StoryError("E_TOO_LARGE", f"more than {limit:,} bytes, the limit ({setting})")
    return b"".join(pieces)
