"""Figures and changes in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.review.changes import Change
from pipeline.review.diff import Diff
from pipeline.review.diff_page import facts
from pipeline.review.evaluate import Evaluation, Measure, Scores
from pipeline.review.scoring import HEADLINE, Fault
from pipeline.review.sweep import Sweep
from pipeline.review.terminal import clean

if TYPE_CHECKING:
    from pipeline.stages.topics.learn import Band, Training

_FAULTS = 8
"""Faults shown of a story; --json has all."""


def show_evaluation(evaluation: Evaluation, console: Console | None = None) -> None:
    """Print a table a stage, headline first, then classes; and the worst stories with what is wrong in them."""
    console = console or Console(file=sys.stdout, highlight=False)
    absent = len(evaluation.absent)
    missing = f", {absent} of them not in {evaluation.out}" if absent else ""
    console.print(Text(clean(f"{evaluation.stories} stories of {evaluation.gold}{missing}")))
    for scores in evaluation.stages.values():
        console.print(Group(*_stage(scores)))


def show_training(training: Training, console: Console | None = None) -> None:
    """Print how topics fared on stories that each fold had not seen, before and after, and what scores are worth."""
    console = console or Console(file=sys.stdout, highlight=False)
    table = Table("", title=f"Topics, {training.after.stories} stories", title_justify="left")
    for head in ("First topic's branch", "Level-1 F1", "Hierarchical F1"):
        table.add_column(head, justify="right")
    for name, scores in (("as shipped", training.before), ("trained, unseen stories", training.after)):
        table.add_row(name, f"{scores.primary:.3f}", f"{scores.level1:.3f}", f"{scores.hierarchical:.3f}")
    console.print(table)
    show_bands(training.bands, console)
    terms = sum(map(len, training.learned.terms.values()))
    if training.after == training.before:
        console.print(
            "Nothing that was tried gained on stories not seen: what is written changes nothing", soft_wrap=True
        )
    console.print(f"{terms} terms learned for {len(training.learned.terms)} topics")


def show_bands(bands: Sequence[Band], console: Console | None = None) -> None:
    """Print how many of the topics in each band of scores are right."""
    console = console or Console(file=sys.stdout, highlight=False)
    table = Table("Score", title="Topics by score", title_justify="left")
    for head in ("Topics", "Branch right", "Topic right", "Mean score"):
        table.add_column(head, justify="right")
    for band in bands:
        shares = [f"{n / band.topics:.2f}" if band.topics else "" for n in (band.branch, band.right)]
        mean = f"{band.mean:.2f}" if band.topics else ""
        table.add_row(f"{band.low:.1f} to {band.high:.1f}", str(band.topics), *shares, mean)
    console.print(table)


def _stage(scores: Scores) -> Iterator[RenderableType]:
    title = f"{scores.stage}, {scores.stories} stories"
    table = Table("Measure", title=title, title_justify="left")
    for head in ("P", "R", "F1", "95% of F1", "Gold", "Found"):
        table.add_column(head, justify="right")
    for measure in scores.measures:
        style = "bold" if measure is scores.headline else "dim" if measure.kind == "class" else ""
        table.add_row(*_cells(measure), style=style)
    yield table
    if scores.worst:
        yield _worst(scores)


def _cells(measure: Measure) -> tuple[Text, ...]:
    share = measure.kind == "accuracy"
    interval = f"{measure.low:.3f} to {measure.high:.3f}" if measure.low is not None else ""
    cells = (
        clean(label(measure.name)),
        "" if share else f"{measure.p:.3f}",
        "" if share else f"{measure.r:.3f}",
        f"{measure.f:.3f}",
        interval,
        str(measure.gold),
        "" if share else str(measure.predicted),
    )
    return tuple(Text(cell) for cell in cells)


def label(name: str) -> str:
    """A measure's name for people: topics by label."""
    if ":" not in name:
        return name
    from pipeline.stages.topics.vocabulary import media_topics

    concept = media_topics().find(name)
    return concept.label if concept else name


def _worst(scores: Scores) -> Table:
    table = Table("Worst stories", "Wrong", "What", title_justify="left")
    table.columns[1].justify = "right"
    for story in scores.worst:
        lines = [fault_line(fault) for fault in story.faults[:_FAULTS]]
        if len(story.faults) > _FAULTS:
            lines.append(f"and {len(story.faults) - _FAULTS} more")
        table.add_row(Text(clean(story.id)), str(len(story.faults)), Text("\n".join(clean(line) for line in lines)))
    return table


def fault_line(fault: Fault) -> str:
    """One thing wrong in one line."""
    what = f"{fault.kind}: {' '.join(fault.text.split())}" if fault.text else fault.kind
    told = {"missed": fault.gold, "spurious": fault.predicted}.get(fault.kind)
    if told is not None:
        return f"{what} ({told})"
    if fault.gold is None and fault.predicted is None:
        return what
    return f"{what}: {fault.predicted or 'nothing'}, not {fault.gold or 'nothing'}"


def show_diff(diff: Diff, shown: int = 20, console: Console | None = None) -> None:
    """Print what differs in numbers, and the first ``shown`` changes of each section."""
    console = console or Console(file=sys.stdout, highlight=False)
    console.print(Text(clean("\n".join(summary(diff)))))
    if any(counts.total for counts in diff.counts.values()):
        console.print(_counts(diff))
    for section in diff.counts if shown else ():
        changes = [change for change in diff.changes if change.section == section]
        if changes:
            console.print(_changes(section, changes, shown))


def summary(diff: Diff) -> Iterator[str]:
    """What was compared, and a line a section that differs."""
    yield f"{diff.stories} stories compared, {diff.differing} with changes"
    for ids, what in (
        (diff.only_old, "only in the old run"),
        (diff.only_new, "only in the new run"),
        (diff.other_text, "not compared, their text is another one"),
    ):
        if ids:
            yield f"{len(ids)} {what}: {', '.join(ids[:5])}{' ...' if len(ids) > 5 else ''}"


def change_lines(diff: Diff) -> Iterator[str]:
    """A line a section with changes, for the end of a rerun."""
    for section, counts in diff.counts.items():
        if counts.total:
            yield f"{section}: {counts.added} added, {counts.removed} removed, {counts.changed} changed"


def _counts(diff: Diff) -> Table:
    names = ["added", "removed", "changed", "same", "rescored", *(["gains", "losses"] if diff.judged else [])]
    table = Table("Section")
    for name in names:
        table.add_column(name.capitalize(), justify="right")
    for section, counts in diff.counts.items():
        table.add_row(section, *(f"{getattr(counts, name):,}" for name in names))
    return table


def _changes(section: str, changes: list[Change], shown: int) -> Table:
    more = f", the first {shown} of {len(changes)}" if len(changes) > shown else ""
    table = Table("Story", "What", "Where", title=f"{section}{more}", title_justify="left")
    signs = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}
    for change in changes[:shown]:
        sign, style = signs[change.kind]
        text = " ".join(str((change.new or change.old or {}).get("text", "")).split())
        both = change.kind == "changed"
        lines = [
            f"{name}: {old or 'nothing'} → {new or 'nothing'}" if both else f"{name}: {old or new}"
            for name, old, new in facts(change)
        ]
        what = Text(f"{sign} {clean('; '.join(lines))}", style=style)
        if change.verdict:
            what.append(f" {change.verdict}", style="bold")
        table.add_row(Text(clean(change.story)), what, Text(clean(text)))
    return table


def show_sweep(sweep: Sweep, console: Console | None = None) -> None:
    """Print a row a point of the grid: the figure that decides, its difference from the run's own, other headlines."""
    console = console or Console(file=sys.stdout, highlight=False)
    stage, measure = sweep.by
    others = [name for name in sweep.points[0].scores if name != stage]
    title = f"{stage}: {measure}, {sweep.stories} stories of {sweep.gold}"
    table = Table("", *sweep.points[0].settings, title=title, title_justify="left")
    for head in ("P", "R", "F1", "from as run, 95%", *(f"{o}: {HEADLINE[o]}" for o in others)):
        table.add_column(head, justify="right", no_wrap=head.startswith("from"))
    for point in sweep.points:
        figure = point.scores[stage].get(measure)
        apart = f"{point.difference[0]:+.3f} to {point.difference[1]:+.3f}" if point.difference else ""
        cells = [
            "best" if point.best else "as run" if point.as_run else "",
            *(clean(str(value)) for value in point.settings.values()),
            *(f"{x:.4f}" for x in ((figure.p, figure.r, figure.f) if figure else (0.0, 0.0, 0.0))),
            "as run" if point.as_run and point.best else apart,
            *(f"{point.scores[o].headline.f:.4f}" for o in others),
        ]
        table.add_row(*(Text(cell) for cell in cells), style="bold" if point.best else "")
    console.print(table)
    failures = max(point.failures for point in sweep.points)
    if failures:
        console.print(f"a stage failed on up to {failures} stories; what it would have found there is missed")
