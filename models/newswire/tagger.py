"""Run the newswire encoder over a text: names, quotation parts, and how these belong together.

Every window is run by itself: 8-bit activations are scaled over what is run at once, so only thus is the result the
same whatever else is read. Needs onnxruntime and tokenizers, no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.newswire.encode import Pieces, pieces, windows
from models.newswire.labels import ENTITIES, LINK, QUOTES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

FOLDER = Path(__file__).parent
_CLS, _SEP = 101, 102
_SURE = 0.98
"""Where ``O`` is this probable the best path runs through it, and the search for it is cut there."""
_CUES = ("CUE", "THOUGHT_CUE")


@dataclass(frozen=True)
class Marked:
    """A range of the text with its label and the mean probability of its pieces' tags."""

    start: int
    end: int
    label: str
    score: float
    link: int = -1
    """For a content, the place of its cue in the list; for a cue, that of its source; -1 where there is none."""
    link_score: float = 0.0


@dataclass(frozen=True)
class Reading:
    """What the encoder finds in one text, each list in the order of the text."""

    entities: list[Marked]
    quotes: list[Marked]


class Tagger:
    """The encoder kept in ``folder`` (``model.onnx``, ``tokenizer.json``), loaded at first use."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder

    @cached_property
    def session(self) -> Any:
        """The ONNX session, on one thread: copydesk spreads over cores by processes."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(
            str(self.folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, text: str) -> Reading:
        """Read one text of any length."""
        found = pieces(text, self.folder / "tokenizer.json")
        if not len(found):
            return Reading([], [])
        entities, quotes, vectors = self._scores(found)
        names = [Marked(*_range(found, i, j), ENTITIES[k], s) for i, j, k, s in _apart(found, _spans(entities))]
        return Reading(names, _linked(found, _apart(found, _spans(quotes)), vectors))

    def _scores(self, found: Pieces) -> tuple[Floats, Floats, list[tuple[int, int, Floats]]]:
        """Tag probabilities of every piece, from the window it lies deepest in, and every window's link vectors."""
        n = len(found)
        plan = list(windows(n))
        entities = np.zeros((n, 1 + 2 * len(ENTITIES)), dtype=np.float32)
        quotes = np.zeros((n, 1 + 2 * len(QUOTES)), dtype=np.float32)
        vectors = []
        for k, (a, b) in enumerate(plan):
            ids = np.concatenate([[_CLS], found.ids[a:b], [_SEP]])[None]
            shapes = np.concatenate([[0], found.shapes[a:b], [0]])[None]
            first, second, links = self.session.run(None, {"ids": ids, "mask": np.ones_like(ids), "shapes": shapes})
            left = a if k == 0 else (a + plan[k - 1][1]) // 2
            right = b if k + 1 == len(plan) else (plan[k + 1][0] + b) // 2
            here = slice(left - a + 1, right - a + 1)
            entities[left:right] = _softmax(first[0, here])
            quotes[left:right] = _softmax(second[0, here])
            vectors.append((a, b, links[0]))
        return entities, quotes, vectors


def _softmax(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max(-1, keepdims=True))
    shares: Floats = raised / raised.sum(-1, keepdims=True)
    return shares


def _apart(found: Pieces, spans: list[tuple[int, int, int, float]]) -> list[tuple[int, int, int, float]]:
    """``spans`` without those that begin inside the character another one ends with."""
    kept: list[tuple[int, int, int, float]] = []
    for span in spans:
        if not kept or found.starts[span[0]] >= found.ends[kept[-1][1] - 1]:
            kept.append(span)
    return kept


def _range(found: Pieces, i: int, j: int) -> tuple[int, int]:
    return int(found.starts[i]), int(found.ends[j - 1])


def _spans(probabilities: Floats) -> list[tuple[int, int, int, float]]:
    """Spans of pieces ``(i, j, label, score)`` along the best path of BIO tags.

    The path is found by Viterbi's algorithm (1967), with ``I-x`` after ``B-x`` and ``I-x`` only.
    """
    logs = np.log(probabilities + 1e-9)
    unsure = np.flatnonzero(probabilities[:, 0] < _SURE)
    spans = []
    if not len(unsure):
        return []
    breaks = np.flatnonzero(np.diff(unsure) > 1)
    firsts = unsure[np.concatenate([[0], breaks + 1])]
    lasts = unsure[np.concatenate([breaks, [len(unsure) - 1]])]
    for a, b in zip(firsts.tolist(), (lasts + 1).tolist(), strict=True):
        path = _viterbi(logs[a:b])
        i = None
        for k, tag in enumerate([*path, 0]):
            if i is not None and (tag == 0 or tag % 2):
                label = (path[i] - 1) // 2
                score = float(probabilities[range(a + i, a + k), path[i:k]].mean())
                spans.append((a + i, a + k, label, score))
                i = None
            if tag % 2:
                i = k
    return spans


def _viterbi(logs: Floats) -> list[int]:
    """The best path of tags ``O, B-0, I-0, B-1, ...`` over ``logs`` [n, tags]; ``I`` cannot begin it."""
    n, size = logs.shape
    inner = np.arange(2, size, 2)
    score = logs[0].copy()
    score[inner] = -1e9
    came = np.zeros((n, size), dtype=np.int64)
    for k in range(1, n):
        best = int(score.argmax())
        came[k] = best
        begun = score[inner - 1] > score[inner]
        came[k, inner] = np.where(begun, inner - 1, inner)
        stay = np.where(begun, score[inner - 1], score[inner])
        following = score[best] + logs[k]
        following[inner] = stay + logs[k, inner]
        score = following
    path = [int(score.argmax())]
    for k in range(n - 1, 0, -1):
        path.append(int(came[k, path[-1]]))
    return path[::-1]


def _linked(
    found: Pieces, spans: list[tuple[int, int, int, float]], vectors: list[tuple[int, int, Floats]]
) -> list[Marked]:
    cues = [n for n, (_, _, k, _) in enumerate(spans) if QUOTES[k] in _CUES]
    sources = [n for n, (_, _, k, _) in enumerate(spans) if QUOTES[k] == "SOURCE"]
    marked = []
    for i, j, k, score in spans:
        link, sure = -1, 0.0
        if QUOTES[k] != "SOURCE":
            choices, query, key = (sources, 2, 3) if QUOTES[k] in _CUES else (cues, 0, 1)
            link, sure = _link(i, [(n, spans[n][0]) for n in choices], vectors, query, key)
        marked.append(Marked(*_range(found, i, j), QUOTES[k], score, link, sure))
    return marked


def _link(
    i: int, choices: list[tuple[int, int]], vectors: list[tuple[int, int, Floats]], query: int, key: int
) -> tuple[int, float]:
    """Which of ``choices`` the piece ``i`` belongs to, and how surely: softmax in the window it lies deepest in."""
    a, b, links = max((v for v in vectors if v[0] <= i < v[1]), key=lambda v: min(i - v[0], v[1] - 1 - i))
    near = [(n, at) for n, at in choices if a <= at < b]
    q = links[i - a + 1, query * LINK : (query + 1) * LINK]
    k = links[[0, *(at - a + 1 for _, at in near)], key * LINK : (key + 1) * LINK]
    chances = _softmax(k @ q / np.float32(np.sqrt(LINK)))
    best = int(chances.argmax())
    return (near[best - 1][0] if best else -1), float(chances[best])
