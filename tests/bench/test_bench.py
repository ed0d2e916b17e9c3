"""Measurements, as ratios within one run: what we add to the language model's own time, and what a rerun saves.

    pytest -m bench -s tests/bench

The corpus is made from the samples and the seed: each copy of a story has its paragraphs in another order, so that
no two texts are alike. Nothing here fails on a time; the table is the result.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest

from pipeline import open_run, rerun, run
from pipeline.language import Parser
from pipeline.readers import stories
from pipeline.settings import load

ROOT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.bench


def corpus(path: Path, count: int) -> int:
    """Write ``count`` stories as JSON lines, return their words."""
    chance = random.Random(7)
    found = stories([ROOT / "samples" / "stories", ROOT / "seeds"])
    texts = [item.document.text for item in found if item.document is not None and item.path.endswith(("txt", "jsonl"))]
    words = 0
    with open(path, "wb") as lines:
        for n in range(count):
            head, *rest = texts[n % len(texts)].split("\n\n")
            chance.shuffle(rest)
            text = "\n\n".join([head, *rest])
            words += len(text.split())
            lines.write(orjson.dumps({"id": f"b{n}", "text": text, "published": "2025-03-28"}) + b"\n")
    return words


def timed(call: Callable[[], Any]) -> float:
    """CPU seconds of this process and of the children it has waited for, and so of the machine's other work none."""
    before = sum(psutil.Process().cpu_times()[:4])
    call()
    return sum(psutil.Process().cpu_times()[:4]) - before


def test_overhead_and_rerun(tmp_path: Path) -> None:
    words = corpus(tmp_path / "corpus.jsonl", 800)
    texts = [orjson.loads(line)["text"] for line in (tmp_path / "corpus.jsonl").read_bytes().splitlines()]
    settings = load(None, ["run.workers=1"])
    nlp = Parser().nlp
    list(nlp.pipe(texts[:50]))

    bare = timed(lambda: sum(1 for _ in nlp.pipe(texts, batch_size=16)))
    whole = timed(lambda: run([tmp_path / "corpus.jsonl"], tmp_path / "out", settings=settings))
    seconds = open_run(tmp_path / "out").manifest["seconds"]
    print(f"\n{len(texts)} stories, {words:,} words; CPU seconds, one worker")
    print(f"  bare nlp.pipe            {bare:8.1f} s  {words / bare:10,.0f} words/s")
    print(f"  whole run, all stages    {whole:8.1f} s  {words / whole:10,.0f} words/s  overhead {whole / bare:.2f}")
    parse = seconds["parse"]
    for name, value in seconds.items():
        if name != "total":
            print(f"    {name:<22} {value:8.1f} s  {value / parse:10.1%} of the parse")
    for stage, assignment in (
        ("dates", "dates.future_bias=0.9"),
        ("quotes", "quotes.min_confidence=0.61"),
        ("attribution", "attribution.min_confidence=0.61"),
        ("topics", "topics.min_score=0.61"),
        ("entities", "entities.rescan=false"),
    ):
        again = timed(lambda s=stage, a=assignment: rerun(s, tmp_path / "out", assignments=[a], only=True, workers=1))
        print(f"  rerun {stage:<18} {again:8.1f} s  {words / again:10,.0f} words/s  {whole / again:.0f} times faster")


def test_workers_and_memory(tmp_path: Path) -> None:
    print("\nwall-clock seconds and peak memory of the parent process")
    times: dict[int, float] = {}
    for count, workers in ((100, 1), (1_000, 1), (1_000, 2)):
        corpus(tmp_path / "corpus.jsonl", count)
        out = tmp_path / f"out-{count}-{workers}"
        begun = time.perf_counter()
        run([tmp_path / "corpus.jsonl"], out, settings=load(None, [f"run.workers={workers}"]))
        times[workers] = time.perf_counter() - begun
        memory = psutil.Process().memory_info().rss / 2**20
        print(f"  {count:>6} stories, {workers} workers: {times[workers]:6.1f} s, {memory:.0f} MiB")
    print(f"  two workers {times[1] / times[2]:.2f} times one")
