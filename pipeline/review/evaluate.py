"""``copydesk evaluate``: precision, recall and F1 of a run against gold, stage by stage.

Intervals are percentile bootstrap intervals over stories (Efron 1979): stories are drawn with replacement, as many
as there are, so what they say is how much a figure would move with other stories of the same kind. The seed is fixed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UsageError
from pipeline.review.gold import Story, beyond, read_gold, stories
from pipeline.review.scoring import ACCURACIES, HEADLINE, Fault, Marks, Tally, mark

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Figures = NDArray[np.float64]

SEED = 0
SAMPLES = 1000
"""Bootstrap samples an interval is taken from."""
_CHUNK = 2_000_000
"""Draws held at once: samples times stories."""


@dataclass(frozen=True)
class Measure:
    """One figure: precision, recall, F1 in 0..1, counts, and the 95% interval of F1 over stories.

    For an accuracy (``kind``) the three are the same share. ``kind`` is ``class`` for one class of many.
    """

    name: str
    kind: str
    p: float
    r: float
    f: float
    gold: int
    predicted: int
    low: float | None = None
    high: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data, rounded to four digits."""
        return {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(self).items() if v is not None}


@dataclass(frozen=True)
class Worst:
    """A story with its faults."""

    id: str
    faults: tuple[Fault, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        faults = [{k: v for k, v in asdict(fault).items() if v is not None} for fault in self.faults]
        return {"id": self.id, "errors": len(faults), "faults": faults}


@dataclass(frozen=True)
class Scores:
    """The figures of one stage over ``stories`` stories, and its worst stories first."""

    stage: str
    stories: int
    measures: tuple[Measure, ...]
    worst: tuple[Worst, ...] = ()

    def __getitem__(self, name: str) -> Measure:
        measure = self.get(name)
        if measure is None:
            raise KeyError(name)
        return measure

    def get(self, name: str) -> Measure | None:
        """The measure of this name, if there is one."""
        return next((measure for measure in self.measures if measure.name == name), None)

    @property
    def headline(self) -> Measure:
        """The figure by which the stage is known."""
        return self[HEADLINE[self.stage]]


@dataclass(frozen=True)
class Evaluation:
    """How good a run is on gold. ``absent`` are the ids of gold stories the run does not have: all of it is missed.

    >>> from pipeline import evaluate                                           # doctest: +SKIP
    >>> evaluate("gold.jsonl", "out")["dates"]["value"].f                        # doctest: +SKIP
    0.8412
    """

    gold: Path
    out: Path
    stories: int
    absent: tuple[str, ...]
    stages: Mapping[str, Scores]

    def __getitem__(self, stage: str) -> Scores:
        return self.stages[stage]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, figures rounded to four digits."""
        return {
            "gold": str(self.gold),
            "out": str(self.out),
            "stories": self.stories,
            "absent": list(self.absent),
            "stages": {
                name: {
                    "stories": scores.stories,
                    "headline": HEADLINE[name],
                    "measures": [measure.to_dict() for measure in scores.measures],
                    "worst": [story.to_dict() for story in scores.worst],
                }
                for name, scores in self.stages.items()
            },
        }


def evaluate(gold: str | Path, out: str | Path, *, samples: int = SAMPLES, worst: int = 5) -> Evaluation:
    """Measure the run ``out`` (its folder, or a file of documents) against ``gold``, on every stage present in gold.

    Stories are paired by id. ``samples`` bootstrap samples give the intervals (0 gives none); ``worst`` stories a
    stage are listed with what is wrong in them. Raises :class:`UsageError` where gold or documents cannot be read,
    where a text is not the one that was annotated, and where the two have no story in common.
    """
    annotated = read_gold(gold)
    tables = {stage: Marking(stage) for stage in annotated.stages}
    seen: set[str] = set()
    for found in stories(out):
        wanted = annotated.find(found.id)
        if wanted is not None and wanted.id not in seen:
            seen.add(wanted.id)
            pair(wanted, found, out, tables)
    absent = tuple(id_ for id_ in annotated.stories if id_ not in seen)
    if not seen:
        first = next(iter(annotated.stories))
        raise UsageError(
            f"{out} has none of the stories of {gold}", f"They are paired by id, and gold's first is {first!r}"
        )
    for id_ in absent:
        pair(annotated.stories[id_], Story(id_), out, tables)
    scores = {stage: table.scores(samples, worst) for stage, table in tables.items()}
    return Evaluation(Path(gold), Path(out), len(annotated.stories), absent, scores)


def pair(gold: Story, found: Story, out: str | Path, tables: Mapping[str, Marking]) -> None:
    """Mark one story on every stage its gold has. Raises :class:`UsageError` where the text is another."""
    if gold.text is not None and found.text is not None and gold.text != found.text:
        raise UsageError(
            f"the text of {gold.id!r} in {out} is not the text that was annotated",
            "Offsets would mean nothing: run copydesk over the gold's own texts",
        )
    if found.text is not None and (what := beyond(gold, len(found.text))) is not None:
        raise UsageError(f"the gold of {gold.id!r}: {what}", "Offsets are counted in code points, from 0")
    for stage, table in tables.items():
        if stage in gold.stages or (stage == "attribution" and gold.quotes is not None):
            table.add(gold, found)


class Marking:
    """The marks of one stage, story by story."""

    def __init__(self, stage: str) -> None:
        self.stage = stage
        self.ids: list[str] = []
        self.marks: list[Marks] = []

    def add(self, gold: Story, found: Story) -> None:
        """Mark one more story."""
        self.ids.append(gold.id)
        self.marks.append(mark(self.stage, gold, found, paths_of(gold, found) if self.stage == "topics" else {}))

    def names(self) -> list[tuple[str, str]]:
        """Measures with their kind: the stage's own first, then classes by size."""
        sizes: dict[str, float] = defaultdict(float)
        classes: set[str] = set()
        for marks in self.marks:
            classes |= marks.classes
            for name, tally in marks.tallies.items():
                sizes[name] += tally[3]
        own = [name for name in sizes if name not in classes]
        own.sort(key=lambda name: name != HEADLINE[self.stage])
        ranked = sorted(classes, key=lambda name: (-sizes[name], name))
        return [(n, "accuracy" if n in ACCURACIES else "measure") for n in own] + [(n, "class") for n in ranked]

    def scores(self, samples: int = SAMPLES, worst: int = 0) -> Scores:
        """The figures, with intervals from so many bootstrap samples."""
        names = self.names()
        drawn = self.samples([name for name, _ in names], samples)
        measures = []
        for n, (name, kind) in enumerate(names):
            tally = [sum(marks.tallies[name][k] for marks in self.marks if name in marks.tallies) for k in range(4)]
            low, high = _interval(drawn[:, n]) if drawn is not None and any(tally) else (None, None)
            measures.append(Measure(name, kind, *_prf(tally), int(tally[3]), int(tally[1]), low, high))
        ranked = sorted(zip(self.ids, self.marks, strict=True), key=lambda row: (-len(row[1].faults), row[0]))
        faulty = [Worst(id_, tuple(marks.faults)) for id_, marks in ranked[:worst] if marks.faults]
        return Scores(self.stage, len(self.ids), tuple(measures), tuple(faulty))

    def samples(self, names: Sequence[str], samples: int) -> Figures | None:
        """F1 of each of ``names`` in each of ``samples`` draws of stories, the same draws for as many stories.

        A row a draw, a column a measure; NaN where the stories drawn have nothing of it.
        """
        import numpy as np

        count = len(self.ids)
        if not samples or count < 2:
            return None
        none: Tally = [0.0] * 4
        table = np.array([[marks.tallies.get(name, none) for name in names] for marks in self.marks])
        table = table.reshape(count, len(names) * 4)
        random = np.random.default_rng(SEED)
        step = max(1, _CHUNK // count)
        draws = []
        for start in range(0, samples, step):
            weights = random.multinomial(count, [1 / count] * count, size=min(step, samples - start))
            draws.append(weights @ table)
        sums = np.concatenate(draws).reshape(samples, len(names), 4)
        right, predicted, found, owed = (sums[:, :, k] for k in range(4))
        with np.errstate(divide="ignore", invalid="ignore"):
            p, r = np.nan_to_num(right / predicted), np.nan_to_num(found / owed)
            figures: Figures = np.nan_to_num(2 * p * r / (p + r))
        figures[(predicted == 0) & (owed == 0)] = np.nan
        return figures


def _prf(tally: Tally) -> tuple[float, float, float]:
    p = tally[0] / tally[1] if tally[1] else 0.0
    r = tally[2] / tally[3] if tally[3] else 0.0
    return p, r, 2 * p * r / (p + r) if p + r else 0.0


def _interval(figures: Figures) -> tuple[float, float]:
    """The middle 95%; draws of stories that have nothing of a class say nothing of it."""
    import numpy as np

    low, high = np.nanquantile(figures, (0.025, 0.975))
    return float(low), float(high)


def paths_of(gold: Story, found: Story) -> dict[str, tuple[str, ...]]:
    """Path from the root to each topic of both: the shipped vocabulary's, or what the documents say of other topics."""
    from pipeline.stages.topics.vocabulary import media_topics

    concepts = media_topics().concepts
    paths = {**gold.paths, **found.paths}
    return paths | {t: concepts[t].path for t in (*(gold.topics or ()), *(found.topics or ())) if t in concepts}
