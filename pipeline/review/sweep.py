"""``copydesk sweep``: a stage over a grid of settings, on the parses a run has kept, measured against gold.

Each story is read once, and every point of the grid is tried on it in this process; the run itself stays as it is.
Stages that read what a swept stage makes are run again with it, so that its effect is seen to the end.
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import BaseModel

from models.document import Document
from pipeline.batch.run import Run
from pipeline.errors import UsageError
from pipeline.review.evaluate import SAMPLES, Marking, Scores, pair
from pipeline.review.gold import Gold, Story, read_gold, rows, story
from pipeline.review.scoring import HEADLINE
from pipeline.settings import Settings
from pipeline.stage import Stage, dependants, did_you_mean, installed, needed_by, with_needs

if TYPE_CHECKING:
    from spacy.tokens import Doc

_MEASURED = {
    "entities": ("entities", "coreference"),
    "dates": ("dates",),
    "quotes": ("quotes",),
    "attribution": ("attribution",),
    "topics": ("topics",),
}
"""What of gold measures a stage."""
LARGEST = 1000
"""Points a grid may have."""


@dataclass(frozen=True)
class Point:
    """One point of the grid and its figures.

    ``as_run`` marks the settings of the run itself; ``difference`` is the 95% interval of the chosen figure's
    difference from those, over the same bootstrap draws: one that holds 0 may be chance.
    """

    settings: dict[str, Any]
    scores: Mapping[str, Scores]
    failures: int
    as_run: bool = False
    best: bool = False
    difference: tuple[float, float] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data, figures rounded to four digits."""
        figures = {
            name: [m.to_dict() for m in scores.measures if m.kind != "class"] for name, scores in self.scores.items()
        }
        low_high = [round(x, 4) for x in self.difference] if self.difference else None
        return {
            "settings": self.settings,
            "as_run": self.as_run,
            "best": self.best,
            "failures": self.failures,
            "difference": low_high,
            "scores": figures,
        }


@dataclass(frozen=True)
class Sweep:
    """The points of a grid, in its order; ``by`` is the stage and measure whose F1 decides which is best.

    >>> from pipeline import sweep                                              # doctest: +SKIP
    >>> sweep(["dates.future_bias=0.1,0.3"], "out", gold="gold.jsonl").best.settings    # doctest: +SKIP
    {'dates.future_bias': 0.3}
    """

    gold: Path
    out: Path
    stories: int
    by: tuple[str, str]
    points: tuple[Point, ...]

    @property
    def best(self) -> Point:
        """The point with the highest figure; of equal ones the run's own settings, else the first."""
        return next(point for point in self.points if point.best)

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "gold": str(self.gold),
            "out": str(self.out),
            "stories": self.stories,
            "by": ".".join(self.by),
            "points": [point.to_dict() for point in self.points],
        }


def sweep(
    grid: Sequence[str], out: str | Path, *, gold: str | Path, by: str | None = None, samples: int = SAMPLES
) -> Sweep:
    """Try every combination of ``stage.key=value,value`` in ``grid`` on the stories of ``out`` that ``gold`` has.

    ``by`` names the figure to be best in (``dates.value``); without it, the headline of what is swept. Values are
    TOML, else plain words. Raises :class:`UsageError` for a setting or value that does not exist, where gold says
    nothing of what the swept stages make, and where the run kept no parses.
    """
    run = Run(out)
    axes = [_axis(text) for text in grid]
    base = run.settings()
    recorded = run.manifest["stages"]
    swept = _swept(axes, recorded, out)
    again = [name for name in installed() if name in recorded and _reached(name, swept)]
    annotated = read_gold(gold)
    measured = [m for name in again for m in _MEASURED.get(name, ()) if m in annotated.stages]
    if not measured:
        raise UsageError(
            f"{gold} has nothing that measures {', '.join(swept)}", "It has: " + ", ".join(annotated.stages)
        )
    chosen = _chosen(by, swept, measured)
    trials = [_Trial(point, run.settings(_assignments(point)), again, measured) for point in _points(axes)]
    if not any(trial.settings.stages == base.stages for trial in trials):
        asis = {key: getattr(base.stages[key.split(".")[0]], key.split(".")[1]) for key, _ in axes}
        trials.insert(0, _Trial(asis, base, again, measured))
    _try(run, annotated, trials, again)
    return Sweep(Path(gold), Path(out), len(annotated.stories), chosen, tuple(_judged(trials, base, chosen, samples)))


def _axis(text: str) -> tuple[str, list[Any]]:
    name, equals, values = text.partition("=")
    stage, dot, key = name.strip().partition(".")
    if not equals or not dot or not stage or not key or not values.strip():
        raise UsageError(f"{text!r} is not of the form stage.key=value,value", "Example: dates.future_bias=0.1,0.3,0.5")
    try:
        parsed = tomllib.loads(f"v = [{values}]")["v"]
    except tomllib.TOMLDecodeError:
        parsed = [value.strip() for value in values.split(",")]
    return f"{stage}.{key}", list(parsed)


def _swept(axes: Sequence[tuple[str, list[Any]]], recorded: Mapping[str, Any], out: str | Path) -> list[str]:
    names = list(dict.fromkeys(key.split(".")[0] for key, _ in axes))
    if not names:
        raise UsageError("no setting to sweep", "Example: dates.future_bias=0.1,0.3,0.5")
    for name in names:
        if name not in recorded:
            with_needs([name])  # says so if there is no such stage at all
            raise UsageError(f"the run in {out} was made without {name!r}", "Its stages are: " + ", ".join(recorded))
    return names


def _reached(name: str, swept: Sequence[str]) -> bool:
    return name in swept or any(name in dependants(other) for other in swept)


def _chosen(by: str | None, swept: Sequence[str], measured: Sequence[str]) -> tuple[str, str]:
    if by is not None:
        stage, _, measure = by.partition(".")
        if stage not in measured:
            raise UsageError(f"{by!r} is not measured here", did_you_mean(stage, measured))
        return stage, measure or HEADLINE[stage]
    if "attribution" in measured and {"quotes", "attribution"} & set(swept):
        return "attribution", HEADLINE["attribution"]
    own = [m for name in swept for m in _MEASURED.get(name, ()) if m in measured] or list(measured)
    return own[0], HEADLINE[own[0]]


def _points(axes: Sequence[tuple[str, list[Any]]]) -> Iterator[dict[str, Any]]:
    size = 1
    for _, values in axes:
        size *= len(values)
    if size > LARGEST:
        raise UsageError(f"the grid has {size:,} points, and {LARGEST:,} is the limit", "Sweep fewer values at a time")
    for chosen in itertools.product(*(values for _, values in axes)):
        yield dict(zip((key for key, _ in axes), chosen, strict=True))


def _assignments(point: Mapping[str, Any]) -> list[str]:
    # JSON strings, numbers, booleans and lists of them are TOML too.
    return [f"{key}={orjson.dumps(value).decode()}" for key, value in point.items()]


class _Trial:
    """One point while it is tried: its stages, and the marks of the stories so far."""

    def __init__(
        self, point: dict[str, Any], settings: Settings, again: Sequence[str], measured: Sequence[str]
    ) -> None:
        self.point, self.settings = point, settings
        self.stages: list[Stage] = [settings.stage(name) for name in again]
        self.tables = {stage: Marking(stage) for stage in measured}
        self.failures = 0
        # Two points whose settings agree on a stage and on what it reads share its result.
        self.keys: dict[str, bytes] = {}
        for stage in self.stages:
            reads = [self.keys[name] for name in needed_by(stage) if name in self.keys]
            self.keys[stage.name] = b"\0".join([stage.name.encode(), stage.settings.model_dump_json().encode(), *reads])


def _try(run: Run, gold: Gold, trials: Sequence[_Trial], again: Sequence[str]) -> None:
    made = {section for name in again for section in installed()[name].makes}
    seen: set[str] = set()
    for (_, row), parse in zip(rows(run.out), run.parses(), strict=True):
        wanted = gold.find(str(row["id"]))
        if wanted is None or wanted.id in seen:
            continue
        seen.add(wanted.id)
        rest = {key: value for key, value in row.items() if key not in made}
        document = Document.from_dict(rest)
        results: dict[bytes, dict[str, list[Any]] | None] = {}
        for trial in trials:
            found = _apply(trial, document, parse, results)
            pair(wanted, story({**rest, **found}), run.out, trial.tables)
    if not seen:
        first = next(iter(gold.stories))
        raise UsageError(f"{run.out} has none of the stories of {gold.path}", f"Gold's first is {first!r}")
    for id_, absent in gold.stories.items():
        for trial in trials if id_ not in seen else ():
            pair(absent, Story(id_), run.out, trial.tables)


def _apply(
    trial: _Trial, document: Document, parse: Doc, results: dict[bytes, dict[str, list[Any]] | None]
) -> dict[str, list[Any]]:
    """The sections a trial's stages make of one story. A stage that fails makes none, nor do those that need it."""
    found: dict[str, list[Any]] = {}
    broken: set[str] = set()
    for stage in trial.stages:
        key = trial.keys[stage.name]
        if key not in results:
            lacks = parse.text != document.text or broken & set(needed_by(stage))
            results[key] = None if lacks else _sections(stage, document, parse)
        sections = results[key]
        if sections is None:
            broken.add(stage.name)
            trial.failures += 1
        for section in stage.makes:
            items = (sections or {}).get(section, [])
            setattr(document, section, items)
            found[section] = [_plain(item) for item in items]
    return found


def _sections(stage: Stage, document: Document, parse: Doc) -> dict[str, list[Any]] | None:
    try:
        return {name: list(items) for name, items in stage.apply(document, parse).items()}
    except Exception:
        return None  # what a run would write to failures.jsonl is counted here


def _plain(item: Any) -> Any:
    return item.model_dump(by_alias=True, exclude_unset=True) if isinstance(item, BaseModel) else item


def _judged(trials: Sequence[_Trial], base: Settings, by: tuple[str, str], samples: int) -> Iterator[Point]:
    import numpy as np

    stage, measure = by
    names = [name for name, _ in trials[0].tables[stage].names()]
    if measure not in names:
        raise UsageError(f"{stage} has no figure {measure!r}", did_you_mean(measure, names))
    scores = [{name: table.scores(samples) for name, table in trial.tables.items()} for trial in trials]
    run_at = next(n for n, trial in enumerate(trials) if trial.settings.stages == base.stages)
    drawn = [trial.tables[stage].samples([measure], samples) for trial in trials]
    figures = [found.f if (found := one[stage].get(measure)) else 0.0 for one in scores]
    best = max(range(len(trials)), key=lambda n: (round(figures[n], 6), n == run_at, -n))
    for n, trial in enumerate(trials):
        ours, theirs = drawn[n], drawn[run_at]
        difference = None
        if n != run_at and ours is not None and theirs is not None:
            low, high = np.nanquantile(ours[:, 0] - theirs[:, 0], (0.025, 0.975))
            difference = (float(low), float(high))
        yield Point(trial.point, scores[n], trial.failures, n == run_at, n == best, difference)
