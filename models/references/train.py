"""Fits ``weights.tsv``: what a pronoun or noun phrase of a story stands for.

    python -m models.references.train coreference.train.jsonl --cross-validate
    python -m models.references.train coreference.train.jsonl -o models/references/weights.tsv

The data are JSON lines: ``id``, ``text`` and ``mentions``, each with ``start``, ``end`` (code points), ``cluster``,
``etype`` (person, organization, place, ...), ``mtype`` (name, nom, pron) and ``head`` [start, end]. Names come from the
entities stage itself, so the weights are fitted to what it will see. The fit is a regularised log-linear one on the
whole batch, without randomness: the same data give the same file. Needs numpy, which spaCy brings along.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from models.document import Document
from pipeline.language import DEFAULT_MODEL, Parser
from pipeline.stages.entities import EntitiesSettings
from pipeline.stages.entities.anaphors import Anaphor
from pipeline.stages.entities.clusters import Cluster
from pipeline.stages.entities.extract import clusters_of
from pipeline.stages.entities.ranking import Seen, candidates, features, kin
from pipeline.stages.entities.references import resolve
from pipeline.stages.entities.story import Story

OWN = 2.0
"""How much more a family's own weight costs than the one it shares."""
HEAD = """# Weights of the choice among actors and nobody (pipeline/stages/entities/ranking.py):
# family, feature, weight. Fitted by models/references/train.py; data, terms and scores: card.md.
"""


@dataclass
class Choice:
    """One anaphor: its family, the features of nobody and of each candidate, and which of them are right."""

    family: str
    rows: list[list[str]]
    right: list[int]


def choices(document: Document, parse: Any, mentions: list[dict[str, Any]]) -> list[Choice]:
    """What there is to choose in a story, each choice made as the annotation has it before the next is looked at."""
    clusters = clusters_of(document, parse, EntitiesSettings())
    gold = _gold_of(parse, clusters, mentions)
    found: list[Choice] = []

    def told(story: Story, anaphor: Anaphor, seen: Seen) -> tuple[int, float] | None:
        actors = candidates(story, anaphor)
        if not actors:
            return None
        at = story.tokens[anaphor.head].idx
        here = [m for m in mentions if m["head"][0] <= at < m["head"][1]]
        mention = min(here, key=lambda m: (m["head"][1] - m["head"][0], m["end"] - m["start"]), default=None)
        bearer = mention["cluster"] if mention is not None else None
        right = [n for n, actor in enumerate(actors, 1) if bearer is not None and gold[actor.index] == bearer]
        found.append(Choice(anaphor.family, features(story, anaphor, actors, seen), right or [0]))
        return (actors[right[0] - 1].index, 1.0) if right else None

    resolve(parse, clusters, True, True, 0.0, told)
    return found


def _gold_of(parse: Any, clusters: list[Cluster], mentions: list[dict[str, Any]]) -> list[int | None]:
    """The annotated cluster of most names of each cluster of ours."""
    found: list[int | None] = []
    for cluster in clusters:
        votes: Counter[int] = Counter()
        for name in cluster.names:
            span = parse[name.i : name.j]
            share, best = max(
                ((_overlap(m, span.start_char, span.end_char), -n) for n, m in enumerate(mentions)), default=(0.0, 0)
            )
            if share > 0.3:
                votes[mentions[-best]["cluster"]] += 1
        found.append(votes.most_common(1)[0][0] if votes else None)
    return found


def _overlap(mention: dict[str, Any], start: int, end: int) -> float:
    """Shared part of a mention, or of its head, and a range."""
    shares = []
    for low, high in (mention["head"], (mention["start"], mention["end"])):
        shared = min(high, end) - max(low, start)
        shares.append(shared / (max(high, end) - min(low, start)) if shared > 0 else 0.0)
    return max(shares)


def fit(data: Iterable[Choice], penalty: float = 3.0, steps: int = 400) -> dict[tuple[str, str], float]:
    """Weights that make the right candidates likely; ``penalty`` is the L2 weight of a family's own features.

    Each feature has a weight for all pronouns or all noun phrases and one of its family, so that rare families
    lean on the others.
    """
    data = list(data)
    names: dict[tuple[str, str], int] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for choice in data:
        counts.update({(g, f) for row in choice.rows for f in row for g in (kin(choice.family), choice.family)})
    for key in sorted(counts):
        if counts[key] >= 3:
            names[key] = len(names)
    # One flat list of (row, feature) pairs; rows belong to choices.
    rows, cols, owner, right = [], [], [], []
    n = 0
    for c, choice in enumerate(data):
        for k, row in enumerate(choice.rows):
            for f in row:
                for g in (kin(choice.family), choice.family):
                    if (g, f) in names:
                        rows.append(n)
                        cols.append(names[g, f])
            owner.append(c)
            right.append(k in choice.right)
            n += 1
    r, at, o, y = np.array(rows), np.array(cols), np.array(owner), np.array(right, dtype=float)
    toll = np.array([penalty if group in ("pronoun", "nominal") else OWN * penalty for group, _ in names])
    weights = np.zeros(len(names))
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, steps + 1):
        sums = np.bincount(r, weights[at], minlength=n)
        high = np.full(len(data), -np.inf)
        np.maximum.at(high, o, sums)
        shares = np.exp(sums - high[o])
        share = shares / np.bincount(o, shares, minlength=len(data))[o]
        good = shares * y
        want = good / np.bincount(o, good, minlength=len(data))[o]
        slope = np.bincount(at, (share - want)[r], minlength=len(names)) + toll * weights
        first = 0.9 * first + 0.1 * slope
        second = 0.99 * second + 0.01 * slope**2
        rate = 0.1 * (1 - step / (steps + 1))
        weights -= rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-8)
    return {key: float(weights[k]) for key, k in names.items()}


def table(weights: dict[tuple[str, str], float]) -> str:
    """``weights`` as the file has them; what rounds to nothing is left out."""
    lines = [f"{g}\t{f}\t{w:.2f}" for (g, f), w in sorted(weights.items()) if abs(w) >= 0.02]
    return HEAD + "\n".join(lines) + "\n"


def accuracy(weights: dict[tuple[str, str], float], data: Iterable[Choice]) -> dict[str, list[int]]:
    """By family: right choices that are somebody, choices of somebody, somebody in the annotation."""
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for choice in data:
        sums = [
            sum(weights.get((kin(choice.family), f), 0.0) + weights.get((choice.family, f), 0.0) for f in row)
            for row in choice.rows
        ]
        best = max(range(len(sums)), key=lambda k: (sums[k], -k))
        tally = found[choice.family]
        tally[0] += best > 0 and best in choice.right
        tally[1] += best > 0
        tally[2] += 0 not in choice.right
    return found


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("data", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write the weights to.")
@click.option("--model", default=DEFAULT_MODEL, show_default=True, help="Language model that parses and names.")
@click.option("--penalty", default=3.0, show_default=True, help="L2 weight.")
@click.option("--cross-validate", is_flag=True, help="Leave one story out at a time and print precision and recall.")
def main(data: tuple[Path, ...], output: Path | None, model: str, penalty: float, cross_validate: bool) -> None:
    """Fit the weights to annotated stories, DATA, and say how well they do."""
    stories = [json.loads(line) for path in data for line in path.read_text("utf-8").splitlines() if line.strip()]
    documents = [Document.model_validate({"id": s["id"], "text": s["text"]}) for s in stories]
    parses = Parser(model).parse(documents)
    sets = [choices(d, p, s["mentions"]) for d, p, s in zip(documents, parses, stories, strict=True)]
    if cross_validate:
        total: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        for n in range(len(sets)):
            weights = fit((c for k, s in enumerate(sets) if k != n for c in s), penalty)
            for family, tally in accuracy(weights, sets[n]).items():
                total[family] = [a + b for a, b in zip(total[family], tally, strict=True)]
        for family, (good, chosen, owed) in sorted(total.items()):
            click.echo(f"{family:8} precision {good / max(chosen, 1):.2f} recall {good / max(owed, 1):.2f} of {owed}")
    if output is not None:
        output.write_text(table(fit((c for s in sets for c in s), penalty)), "utf-8")
        click.echo(f"{output}: fitted to {sum(map(len, sets))} choices in {len(sets)} stories")


if __name__ == "__main__":
    main()
