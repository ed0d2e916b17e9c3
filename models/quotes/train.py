"""Fits ``scores.tsv`` and ``ends.tsv``: how sure a cue with its content is, and where a content ends.

    python -m models.quotes.train quotes.train.jsonl
    python -m models.quotes.train quotes.train.jsonl -o models/quotes

The data are JSON lines: ``id``, ``text`` and ``quotes``, each with ``start``, ``end``, ``parts``, ``cue`` and
``source`` (code points; the last three are lists of ``[start, end]``, cue and source may be null). Every verb, noun and
adjective of a story is read in every frame the stage knows. A reading is right as far as its content overlaps that of
a gold quotation with the same cue, and less so where the source is another; an end is right where the gold content
ends. The fits are regularised logistic ones on the whole batch, without randomness: the same data give the same files.
Needs numpy, which spaCy brings along.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from models.document import Document
from pipeline.encoder import NONE
from pipeline.language import DEFAULT_MODEL, Parser
from pipeline.stages.quotes import extents, marks, scoring
from pipeline.stages.quotes.cues import lexicon
from pipeline.stages.quotes.frames import FLOOR, candidates
from pipeline.stages.quotes.tree import Tree
from pipeline.stages.quotes.triple import Triple

EDGES = " \n\t\r\"“”'‘’.,;:!?—-"
ELSEWHERE = 0.6
"""What a reading with the wrong source is worth of one with the right source."""
HEAD = "# {what}. Fitted by models/quotes/train.py; data, terms and scores: card.md.\n"


@dataclass
class Row:
    """One example: its features, how right it is (0 to 1), and the log odds of the lexicon."""

    names: list[str]
    right: float
    odds: float = 0.0


@dataclass(frozen=True)
class Gold:
    """A gold quotation: trimmed hull, hulls of its parts, cues, hull of its source."""

    hull: tuple[int, int]
    parts: list[tuple[int, int]]
    cues: list[tuple[int, int]]
    source: tuple[int, int] | None


def trees(stories: Iterable[dict[str, Any]], model: str) -> Iterator[tuple[Tree, list[Gold]]]:
    """The tree and the gold quotations of each story."""
    kept: list[dict[str, Any]] = []

    def documents() -> Iterator[Document]:
        for story in stories:
            kept.append(story)
            yield Document(id=story["id"], schema_=1, text=story["text"])

    for parse in Parser(model, NONE).parse(documents()):
        story = kept.pop(0)
        text = story["text"]
        paragraphs = Document(id=story["id"], schema_=1, text=text).paragraphs()
        tree = Tree(parse, paragraphs, marks.scan(text, paragraphs))
        yield tree, [_gold(text, quote) for quote in story["quotes"]]


def _gold(text: str, quote: dict[str, Any]) -> Gold:
    source = quote.get("source")
    return Gold(
        trimmed(text, quote["start"], quote["end"]),
        [trimmed(text, a, b) for a, b in quote["parts"]],
        [(a, b) for a, b in quote.get("cue") or []],
        (source[0][0], source[-1][1]) if source else None,
    )


def readings(tree: Tree, gold: list[Gold]) -> Iterator[tuple[Triple, Row]]:
    """Every reading with its example; those within a gold content are nobody's business, only outermost ones count."""
    inside = [False] * tree.size
    for quote in gold:
        for a, b in quote.parts:
            for k in range(tree.size):
                inside[k] = inside[k] or a <= tree.start[k] < b
    for i in range(tree.size):
        own = [q for q in gold if any(a < tree.end[i] and tree.start[i] < b for a, b in q.cues)]
        for triple in candidates(tree, i, lexicon()):
            right = max((_right(tree, triple, quote) for quote in own), default=0.0)
            if own or not inside[i]:
                yield triple, Row(list(scoring.features(tree, triple)), right, scoring.odds(triple.weight))


def _right(tree: Tree, triple: Triple, quote: Gold) -> float:
    hull = trimmed(tree.text, tree.start[triple.first], tree.end[triple.last - 1])
    share = overlap(hull, quote.hull)
    if len(quote.parts) > 1 and triple.frame in ("out", "quote", "around", "before"):
        share = max(share, *(overlap(hull, part) for part in quote.parts))
    if share < 0.5:
        return 0.0
    source = triple.source and (tree.start[triple.source[0]], tree.end[triple.source[1] - 1])
    same = overlap(source, quote.source) > 0 if source and quote.source else source == quote.source
    return (0.5 + 0.5 * share) * (1.0 if same else ELSEWHERE)


def endings(tree: Tree, gold: list[Gold]) -> Iterator[Row]:
    """Examples of the breaks of each content that begins where a gold one of the same cue begins."""
    for i in range(tree.size):
        own = [q for q in gold if any(a < tree.end[i] and tree.start[i] < b for a, b in q.cues)]
        best = max((_scored(tree, t) for t in candidates(tree, i, lexicon())), key=lambda t: t.weight, default=None)
        if not own or best is None or best.weight < 0.3 or best.frame not in extents.FRAMES:
            continue
        start = best.parts[-1][0]
        at = tree.start[start]
        ends = [q.parts[-1][1] for q in own if abs(q.parts[-1][0] - at) <= 12 or 0 <= q.parts[-1][0] - at < 25]
        if start <= best.head or not ends:
            continue
        breaks = list(extents.ends(tree, best))
        right = [trimmed(tree.text, at, tree.end[k - 1])[1] == ends[0] for k in breaks]
        if any(right):
            for k, ok in zip(breaks, right, strict=True):
                yield Row(list(extents.features(tree, best, k)), float(ok))
                if ok:
                    break


def _scored(tree: Tree, triple: Triple) -> Triple:
    if triple.weight >= FLOOR:
        triple.weight = scoring.score(tree, triple)
    return triple


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The range ``[start, end)`` of ``text`` without white space and marks at its edges."""
    while start < end and text[start] in EDGES:
        start += 1
    while end > start and text[end - 1] in EDGES:
        end -= 1
    return start, end


def overlap(x: tuple[int, int], y: tuple[int, int]) -> float:
    """Intersection of two ranges over their union, 0 to 1."""
    common = min(x[1], y[1]) - max(x[0], y[0])
    return common / (max(x[1], y[1]) - min(x[0], y[0])) if common > 0 else 0.0


def fit(rows: list[Row], cost: float, fewest: int, steps: int = 150) -> dict[str, float]:
    """Weights of ``bias``, ``odds`` and of each feature seen ``fewest`` times, by accelerated gradient steps."""
    seen = Counter(name for row in rows for name in set(row.names))
    names = ["bias", "odds", *sorted(n for n, count in seen.items() if count >= fewest and n != "bias")]
    index = {name: k for k, name in enumerate(names)}
    cells = [(n, 0, 1.0) for n in range(len(rows))]
    cells += [(n, 1, row.odds) for n, row in enumerate(rows)]
    cells += [(n, index[f], 1.0) for n, row in enumerate(rows) for f in sorted(set(row.names)) if index.get(f, 0) > 1]
    line, column = (np.array([c[k] for c in cells], dtype=np.int64) for k in (0, 1))
    value = np.array([c[2] for c in cells])
    wanted = np.array([row.right for row in rows])
    costs = np.full(len(names), cost)
    costs[:2] = 0.01
    curve = np.bincount(column, value * value, len(names)) * 0.2 + cost
    weights = np.zeros(len(names))
    weights[1] = 0.8
    before = weights.copy()
    for step in range(steps):
        ahead = weights + step / (step + 3) * (weights - before)
        chance = 1 / (1 + np.exp(-np.bincount(line, value * ahead[column], len(rows))))
        slope = np.bincount(column, value * (chance - wanted)[line], len(names)) + costs * ahead
        before, weights = weights, ahead - 0.12 * slope / curve
    return dict(zip(names, weights.tolist(), strict=True))


def write(path: Path, what: str, weights: dict[str, float], least: float) -> None:
    """Write the weights that weigh at least ``least``, ``bias`` and ``odds`` first."""
    first = [name for name in ("bias", "odds") if name in weights]
    rest = sorted(name for name, weight in weights.items() if name not in first and abs(weight) >= least)
    lines = [f"{name}\t{weights[name]:.3f}\n" for name in first] + [f"{name}\t{weights[name]:.2f}\n" for name in rest]
    path.write_text(HEAD.format(what=what) + "".join(lines), "utf-8")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("gold", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder to write the weights to.")
@click.option("--model", default=DEFAULT_MODEL, show_default=True, help="Language model, a package or a folder.")
@click.option("--cost", default=3.0, show_default=True, help="Cost of a weight of a score, squared.")
def main(gold: Path, out: Path | None, model: str, cost: float) -> None:
    """Fit the weights of the quotes stage to GOLD."""
    rows: list[Row] = []
    breaks: list[Row] = []
    stories = [json.loads(line) for line in gold.read_text("utf-8").splitlines() if line.strip()]
    for tree, quotes in trees(stories, model):
        rows += [row for _, row in readings(tree, quotes)]
        breaks += endings(tree, quotes)
    click.echo(f"{len(stories)} stories, {len(rows)} readings, {len(breaks)} breaks")
    scores, ends = fit(rows, cost, 6), fit(breaks, 2.0, 5)
    del ends["odds"]
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write(
            out / "scores.tsv",
            "Weights of the score of a cue and its content (pipeline/stages/quotes/scoring.py)",
            scores,
            0.05,
        )
        write(out / "ends.tsv", "Weights of the end of a content (pipeline/stages/quotes/extents.py)", ends, 0.04)


if __name__ == "__main__":
    main()
