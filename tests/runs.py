"""What tests of runs share: small stories, what a run left behind, an engine within the process, a disk that fills."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import orjson
import psutil
import pytest

from pipeline.batch import files
from pipeline.batch.worker import Workplace

CITIES = ["OSLO", "LIMA", "PUNE", "ACCRA", "HANOI"]


def write_stories(folder: Path, count: int = 24) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(count):
        city = CITIES[n % len(CITIES)]
        body = f'The minister said on Friday the plan number {n} would go ahead. "We agreed," she said.\n\n' * (
            1 + n % 4
        )
        (folder / f"story-{n:03d}.txt").write_text(f"{city}, Mar 28 (Reuters) - {body}", encoding="utf-8")
    return folder


def ours(tmp_path: Path) -> list[psutil.Process]:
    """Worker processes of this test that are alive."""
    return [process for process in psutil.process_iter() if _is_ours(process, tmp_path)]


def _is_ours(process: psutil.Process, tmp_path: Path) -> bool:
    try:
        if "pipeline.batch.worker" not in process.cmdline() or process.status() == psutil.STATUS_ZOMBIE:
            return False
        return process.environ().get("COPYDESK_TEST") == str(tmp_path)
    except psutil.Error:
        return False


class Here:
    """An engine that does the shards in this process, so that a test can reach all that a run does."""

    def __init__(self, _settings: Any, hello: Any) -> None:
        self.place = Workplace(hello)
        self.stopping = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def stop(self) -> None:
        self.stopping = True

    def run(self, tasks: Sequence[Any], note: Callable[[Any], None]) -> Iterator[Any]:
        for task in tasks:
            if not self.stopping:
                yield self.place.do(task, note)


def rows(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def digest(out: Path) -> str:
    return hashlib.sha256((out / "documents.jsonl").read_bytes()).hexdigest()


def leftovers(out: Path) -> list[Path]:
    return list(out.rglob(f"{files.TEMPORARY}*"))


class Disk:
    """Fails the n-th of the calls by which files are made: open, write, fsync, replace, mkdir, unlink.

    With ``for_good``, all that come after it too.
    """

    def __init__(self, patch: pytest.MonkeyPatch, at: int, code: int = errno.ENOSPC, *, for_good: bool = False) -> None:
        self.at, self.code, self.calls, self.for_good = at, code, 0, for_good
        self._new = self.counted(open)
        patch.setattr(files, "open", self._open, raising=False)
        patch.setattr(os, "fsync", self.counted(lambda _: None))
        for name in ("replace", "mkdir", "unlink"):
            patch.setattr(os, name, self.counted(getattr(os, name)))

    def counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls == self.at or (self.for_good and self.calls > self.at):
                raise OSError(self.code, os.strerror(self.code))
            return real(*args, **kwargs)

        return call

    def _open(self, path: Any, mode: str) -> Any:
        return _Counting(self._new(path, mode), self) if "w" in mode else open(path, mode)


class _Counting:
    def __init__(self, file: Any, disk: Disk) -> None:
        self._file = file
        self.write = disk.counted(file.write)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
