"""How well an encoder marks names and quotation parts: precision, recall and F1 of exact spans with their label."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from models.newswire.labels import CLASS, ENTITIES
from models.newswire.tagger import Marked, Tagger

Found = tuple[int, int, str]
"""Start and end in code points, label."""


def read(paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """The objects of files of JSON lines."""
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def entities(row: dict[str, Any]) -> set[Found]:
    """Gold names of a story, outermost ones."""
    labelled = ((e, CLASS.get(e["label"], e["label"])) for e in row["entities"] if not e.get("nested"))
    return {_trimmed(row["text"], e["start"], e["end"], label) for e, label in labelled if label in ENTITIES}


def quotes(row: dict[str, Any]) -> set[Found]:
    """Gold cues, sources and parts of contents of a story, speech and thought alike."""
    kinds = (("cue", "CUE"), ("source", "SOURCE"), ("parts", "CONTENT"))
    return {
        _trimmed(row["text"], a, b, label)
        for quote in row["quotes"]
        for key, label in kinds
        for a, b in quote.get(key) or []
    }


def _trimmed(text: str, start: int, end: int, label: str) -> Found:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip()), label


def _plain(marked: Iterable[Marked]) -> set[Found]:
    kinds = {"THOUGHT": "CONTENT", "THOUGHT_CUE": "CUE"}
    return {(m.start, m.end, kinds.get(m.label, m.label)) for m in marked}


def evaluate(folder: Path, named: Sequence[Path], quoted: Sequence[Path]) -> dict[str, dict[str, dict[str, float]]]:
    """Scores of the encoder in ``folder`` by file and label, ``all`` over the labels the file's stories have."""
    tagger = Tagger(folder)
    scores = {}
    for paths, gold in ((named, entities), (quoted, quotes)):
        for path in paths:
            counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
            rows = list(read([path]))
            known = {found[2] for row in rows for found in gold(row)}
            for row in rows:
                reading = tagger(row["text"])
                want = gold(row)
                marked = _plain(reading.entities if gold is entities else reading.quotes)
                have = {found for found in marked if found[2] in known}
                for found in want | have:
                    for label in (found[2], "all"):
                        for k, yes in enumerate((found in want and found in have, found in have, found in want)):
                            counts[label][k] += yes
            scores[path.stem] = {label: _f1(*count) for label, count in sorted(counts.items())}
    return scores


def _f1(right: int, have: int, want: int) -> dict[str, float]:
    p, r = right / have if have else 0.0, right / want if want else 0.0
    return {"p": round(p, 4), "r": round(r, 4), "f": round(2 * p * r / (p + r), 4) if p + r else 0.0}
