"""The learned encoder beside the parse: names, and cues, sources and contents of quotations, as spans of the parse.

An encoder is a folder of ``models/`` or of one's own with ``model.onnx``, ``tokenizer.json`` and ``meta.json``; see
:mod:`models.newswire`. What it finds is kept with the parse: its names are ``doc.ents``, its quotation parts the span
group ``quotation``, whose ``attrs`` hold scores and links, so no stage ever runs it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UsageError

if TYPE_CHECKING:
    from spacy.tokens import Doc

    from models.newswire.tagger import Marked, Reading

DEFAULT_ENCODER = "newswire"
NONE = "none"
GROUP = "quotation"
_FILES = ("model.onnx", "tokenizer.json", "meta.json")


def encoder_path(name: str) -> Path | None:
    """Folder of the encoder named by a folder of ``models/`` or by path; None for ``none``."""
    if name == NONE:
        return None
    import models

    for folder in (Path(name), Path(models.__file__).parent / name):
        if all((folder / file).is_file() for file in _FILES):
            return folder
    raise UsageError(
        f"the encoder {name!r} is neither shipped nor a folder with {', '.join(_FILES)}",
        f'Give {DEFAULT_ENCODER!r}, the path of such a folder, or "{NONE}" to do without',
    )


def encoder_files(folder: Path) -> list[Path]:
    """Every file that decides what the encoder finds: weights, vocabulary and the code that runs it."""
    from models.newswire import encode, labels, tagger

    code = [Path(str(module.__file__)) for module in (encode, labels, tagger)]
    return [*(folder / file for file in _FILES[:2]), *code]


def mark(doc: Doc, reading: Reading) -> None:
    """Write what the encoder found into the parse, in whole tokens; of names that share a token the first counts."""
    from spacy.util import filter_spans

    names = [span for found in reading.entities if (span := _span(doc, found)) is not None]
    doc.ents = tuple(filter_spans(names))
    kept: list[tuple[Any, Marked]] = []
    places: dict[int, int] = {}
    for n, found in enumerate(reading.quotes):
        span = _span(doc, found)
        if span is not None:
            places[n] = len(kept)
            kept.append((span, found))
    doc.spans[GROUP] = [span for span, _ in kept]
    doc.spans[GROUP].attrs.update(
        scores=[round(found.score, 4) for _, found in kept],
        links=[places.get(found.link, -1) for _, found in kept],
        link_scores=[round(found.link_score, 4) for _, found in kept],
    )


def _span(doc: Doc, found: Marked) -> Any:
    return doc.char_span(found.start, found.end, label=found.label, alignment_mode="expand")


@dataclass(frozen=True)
class Part:
    """One part of a quotation as the encoder sees it: tokens ``[i, j)`` of the parse."""

    i: int
    j: int
    label: str
    """One of :data:`models.newswire.labels.QUOTES`."""
    score: float
    link: int
    """Place of its cue, or of a cue's source, among the parts; -1 for none."""
    link_score: float


def parts(doc: Doc) -> Iterator[Part] | None:
    """The quotation parts kept with a parse, in order; None where it was made without an encoder."""
    if GROUP not in doc.spans:
        return None
    group = doc.spans[GROUP]
    facts = zip(group, group.attrs["scores"], group.attrs["links"], group.attrs["link_scores"], strict=True)
    return (Part(span.start, span.end, span.label_, score, link, sure) for span, score, link, sure in facts)
