"""Text to what the encoder reads: word pieces, their shapes, and windows of them.

The encoder's vocabulary is uncased, so what the case of letters and the space before a piece say is given to it as a
*shape*, one of :data:`SHAPES`, in the place of BERT's segment (Devlin et al. 2019, section 3: token type).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CASES = 7
"""Neither letter nor digit, digits, lower case, Title, CAPITALS, one capital, miXed."""
GAPS = 3
"""What stands before a piece: nothing, white space, a line break."""
SHAPES = CASES * GAPS
WINDOW = 256
"""Pieces the encoder reads at once, the two marks at its ends included."""
OVERLAP = 56
"""Pieces two neighbouring windows share."""


@dataclass(frozen=True)
class Pieces:
    """The word pieces of one text: vocabulary ids, shapes and ranges of code points, each of length n."""

    ids: NDArray[np.int64]
    shapes: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)


@cache
def tokenizer(path: Path) -> Any:
    """The word-piece tokenizer kept in the file ``path``, without truncation, padding or marks."""
    from tokenizers import Tokenizer

    loaded = Tokenizer.from_file(str(path))
    loaded.no_truncation()
    loaded.no_padding()
    return loaded


def pieces(text: str, path: Path) -> Pieces:
    """The word pieces of ``text``, in order, none of them empty."""
    encoding = tokenizer(path).encode(text, add_special_tokens=False)
    spans = encoding.offsets
    shapes = np.empty(len(spans), dtype=np.int64)
    last = 0
    for n, (start, end) in enumerate(spans):
        gap = 0 if start == last and n else 2 if not n or "\n" in text[last:start] else 1
        shapes[n] = case(text[start:end]) + CASES * gap
        last = end
    offsets = np.array(spans, dtype=np.int64).reshape(-1, 2)
    return Pieces(np.array(encoding.ids, dtype=np.int64), shapes, offsets[:, 0], offsets[:, 1])


@cache
def _cased(word: str) -> int:
    if word.islower():
        return 2
    if word.isupper():
        return 4 if len(word) > 1 else 5
    if word[0].isupper() and word[1:].islower():
        return 3
    if word.isdigit():
        return 1
    return 6 if any(c.isalpha() for c in word) else 0


def case(word: str) -> int:
    """The case of one piece, 0 to 6, in the order of :data:`CASES`."""
    return _cased(word) if len(word) < 20 else 6


def windows(n: int, size: int = WINDOW - 2, overlap: int = OVERLAP) -> Iterator[tuple[int, int]]:
    """Ranges of at most ``size`` pieces that cover ``n`` pieces, neighbours sharing at least ``overlap``.

    The windows are spread evenly, so that none is a short rest.
    """
    if n <= size:
        yield 0, n
        return
    count = -(-(n - overlap) // (size - overlap))
    for k in range(count):
        start = round(k * (n - size) / (count - 1))
        yield start, start + size
