"""What a person sees of a run: a bar in a terminal, plain lines elsewhere, a summary at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipeline.batch.job import Part, Quiet
from pipeline.review.log import JsonLog

if TYPE_CHECKING:
    from pipeline.batch.job import Result
    from pipeline.batch.store import Plan, Shard

_EVERY = 10.0
"""Seconds between plain lines."""
_SLOW = 1.0
"""CPU seconds from which a story is told of in the summary."""
_SHOWN = 20
"""Failures and warnings shown one by one; the rest is counted and stands in the files."""


class Watching(Quiet):
    """Observer that shows what it is told on standard error."""

    def __init__(self, quiet: bool, verbose: bool = False, log: JsonLog | None = None) -> None:
        self.quiet, self.verbose, self.log = quiet, verbose, log
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self.bar: Progress | None = None
        self.failures = self.stories = self.words = self.shown = 0
        self.total = self.total_words = 0
        self.started = self.told = time.monotonic()

    def plan(self, plan: Plan, asked: Sequence[Shard], todo: Sequence[Shard]) -> None:
        """Say what is there and what is to be done; open the bar."""
        if self.log is not None:
            self.log.plan(plan, asked, todo)
        self.total, self.total_words = sum(s.stories for s in todo), sum(s.words for s in todo)
        self.started = self.told = time.monotonic()
        if self.quiet:
            return
        stories, words = sum(s.stories for s in asked), sum(s.words for s in asked)
        kept = stories - self.total
        line = f"{stories} stories, {words:,} words"
        if len(asked) < len(plan.shards):
            line += f" in {len(asked)} of {len(plan.shards)} shards"
        if not plan.stories:
            line += ": nothing that could be read was found"
        elif not asked:
            line += ": nothing to do here"
        elif not todo:
            line += ": everything is made already"
        elif kept:
            line += f": {kept} made already, {self.total} to do"
        self.console.print(line)
        if todo and self.console.is_terminal:
            self.bar = Progress(
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[speed]}"),
                TimeRemainingColumn(),
                console=self.console,
                transient=True,
            )
            self.bar.start()
            self.bar.add_task("stories", total=self.total, speed="loading the language model")

    def progress(self, stories: int, words: int) -> None:
        """Move the bar on, or print a line every few seconds."""
        if self.log is not None:
            self.log.progress(stories, words)
        self.stories += stories
        self.words += words
        now = time.monotonic()
        rate = self.words / max(now - self.started, 1e-9)
        speed = f"{rate:,.0f} words/s, {self.failures} failures"
        if self.bar is not None:
            self.bar.update(self.bar.task_ids[0], advance=stories, speed=speed)
        elif not self.quiet and now - self.told >= _EVERY:
            self.told = now
            left = max(self.total_words - self.words, 0) / rate
            self.console.print(f"{self.stories} of {self.total} stories, {speed}, {left:.0f} s left")

    def shard(self, facts: Mapping[str, Any]) -> None:
        """With ``verbose``, a line a shard."""
        if self.log is not None:
            self.log.shard(facts)
        if self.verbose and not self.quiet:
            stages = ", ".join(f"{name} {seconds:.1f}" for name, seconds in facts["seconds"].items())
            self.console.print(
                f"shard {facts['shard']}: {facts['stories']} stories, {facts['words']:,} words, "
                f"{facts['failures']} failures in {facts['wall']:.1f} s (CPU seconds: {stages})"
            )

    def note(self, row: Mapping[str, Any]) -> None:
        """Show a failure or a warning; the first ones one by one."""
        if self.log is not None:
            self.log.note(row)
        failed = "code" in row
        self.failures += failed
        if self.quiet or "reason" in row:
            return
        self.shown += 1
        if self.shown > _SHOWN:
            return
        where = row.get("path") or row["id"]
        where = f"{where}:{row['line']}" if "line" in row else where
        if failed:
            self.console.print(f"[red]failed[/] {_safe(where)}: {_safe(row['message'])} \\[{row['code']}]")
        else:
            self.console.print(f"[yellow]warning[/] {_safe(where)}: {_safe(row['warning'])}")
        if self.shown == _SHOWN:
            self.console.print("further ones are not shown here; failures.jsonl has all failures")

    def close(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None

    def finish(self, result: Result | Part) -> None:
        """The summary."""
        self.close()
        if self.log is not None:
            self.log.finish(result)
        if self.quiet:
            return
        if isinstance(result, Part):
            kept = result.wanted - result.made
            self.console.print(f"{result.made} shards made, {kept} made already, of {result.shards} in the run")
            self.console.print("when all are done, the same command without --shards joins them")
            return
        parts = [f"{result.ok} ok"]
        parts += [f"{result.partial} partial"] if result.partial else []
        parts += [f"{result.failed} failed"] if result.failed else []
        parts += [f"{result.skipped} skipped"] if result.skipped else []
        self.console.print(f"{result.found} found: {', '.join(parts)} in {result.seconds:.1f} s")
        if result.changed is not None:
            made = ", ".join(result.made) or "nothing, all of it was kept"
            self.console.print(f"made again: {made}; {result.changed} documents changed")
            if result.stale:
                self.console.print(f"stale, made of what was before: {', '.join(result.stale)}")
        self._times(result)
        if result.exit_code:
            self.console.print(f"what went wrong stands in {_safe(str(result.out / 'failures.jsonl'))}")
        self.console.print(f"documents: {_safe(str(result.out / 'documents.jsonl'))}")

    def _times(self, result: Result) -> None:
        """CPU seconds by stage, and the stories that took most of them."""
        total = sum(result.cpu.values())
        if not total:
            return
        self.console.print("CPU seconds of the workers:")
        for name, seconds in result.cpu.items():
            self.console.print(f"  {name:<12}{seconds:10.1f}  {seconds / total:4.0%}")
        slow = [row for row in result.slow if self.verbose or row["seconds"] >= _SLOW]
        if slow:
            self.console.print("slowest stories:")
        for row in slow:
            self.console.print(f"  {row['seconds']:.1f} s  {row['words']:,} words  {_safe(row['id'])}")


def _safe(text: str) -> str:
    """Text from stories and file names must not steer the terminal."""
    return escape("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text))


@contextmanager
def observer(quiet: bool, verbose: bool = False, log: str | None = None) -> Iterator[Watching]:
    """Something to watch a run with; the bar is gone at the end whatever happens.

    ``log`` is a file for events as JSON lines; ``-`` writes them to standard error instead of everything else.
    """
    with ExitStack() as stack:
        lines = None
        if log is not None:
            file = sys.stderr.buffer if log == "-" else stack.enter_context(open(log, "ab"))
            lines = JsonLog(file)
        watching = Watching(quiet or log == "-", verbose, lines)
        try:
            yield watching
        except BaseException as error:
            if lines is not None and not isinstance(error, SystemExit):
                lines.error(error)
            raise
        finally:
            watching.close()
            sys.stderr.flush()
