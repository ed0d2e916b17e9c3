"""A corpus of any size made from the samples and the seed: each copy of a story has its paragraphs in another order."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import orjson

from pipeline.readers import stories

ROOT = Path(__file__).parent.parent


def texts(count: int) -> Iterator[str]:
    """``count`` texts, no two alike, the same ones every time."""
    chance = random.Random(7)
    found = stories([ROOT / "samples" / "stories", ROOT / "seeds"])
    whole = [item.document.text for item in found if item.document is not None and item.path.endswith(("txt", "jsonl"))]
    for n in range(count):
        head, *rest = whole[n % len(whole)].split("\n\n")
        chance.shuffle(rest)
        yield "\n\n".join([head, *rest])


def write_corpus(path: Path, count: int) -> int:
    """Write ``count`` stories as JSON lines, return their words."""
    words = 0
    with open(path, "wb") as lines:
        for n, text in enumerate(texts(count)):
            words += len(text.split())
            lines.write(orjson.dumps({"id": f"b{n}", "text": text, "published": "2025-03-28"}) + b"\n")
    return words
