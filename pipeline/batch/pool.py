"""Worker processes of one run on this machine: hand out shards, notice deaths and hangs, set the culprit aside.

A worker that dies or says nothing for too long is replaced. Its shard is done again story by story, so that the
story in hand is known should it happen again; a story that takes two workers with it is set aside (a row in
failures.jsonl), and the shard is finished without it.

Every process loads the model itself, once. A fork of a process that has loaded it would share 0.2 GB, and would not
have the threads onnxruntime and the numerical libraries wait for: it could hang for ever.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import orjson

from pipeline.errors import CopydeskError, StorageError, UsageError

Message = dict[str, Any]
COMMAND = [sys.executable, "-P", "-m", "pipeline.batch.worker"]
_DEATHS = 2
"""Workers a story may take with it before it is set aside: one may have been killed from outside."""
_START = 120.0
"""Seconds a process may take to start and to load the language model."""
_LONG = 20_000
"""Words up to which a story has the time limit as it is set; longer ones have more, in proportion."""


class Worker:
    """One process, its pipes, and the task it has in hand."""

    def __init__(self, hello: Message, inbox: queue.SimpleQueue[tuple[Worker, Message | None]]) -> None:
        self.process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # One thread each: the cores are shared out among workers, and sums stay the same everywhere.
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1"},
        )
        self.task: Message | None = None
        self.position: int | None = None
        self.heard = time.monotonic()
        self.words = 0
        self.timed_out = False
        self._inbox = inbox
        self.send(hello)
        threading.Thread(target=self._listen, daemon=True).start()

    def send(self, message: Message) -> None:
        """Hand a message over; a worker that is already dead is noticed by its closed pipe."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.write(orjson.dumps(message) + b"\n")
            self.process.stdin.flush()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with suppress(orjson.JSONDecodeError):  # a last line cut short by a kill
                self._inbox.put((self, orjson.loads(line)))
        self._inbox.put((self, None))

    def kill(self) -> None:
        """End the process now; what it was writing was never renamed into place."""
        self.process.kill()
        self.process.wait()


class Pool:
    """``workers`` processes for one run. Use as a context manager; leaving it kills what still runs."""

    def __init__(self, hello: Message, workers: int, timeout: float) -> None:
        self.hello, self.size, self.timeout = hello, workers, timeout
        self.stopping = False
        self.inbox: queue.SimpleQueue[tuple[Worker, Message | None]] = queue.SimpleQueue()
        self.workers: list[Worker] = []
        self._deaths: dict[tuple[int, int], int] = {}

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.kill()

    def stop(self) -> None:
        """Hand out no more tasks; those in hand are finished."""
        self.stopping = True

    def run(self, tasks: Sequence[Message], note: Callable[[Message], None]) -> Iterator[Message]:
        """Do ``tasks`` (see :mod:`pipeline.batch.worker`) and yield each one's ``done`` as it comes in.

        ``note`` is called with every ``progress`` message and with an ``aside`` or ``died`` row for what went
        wrong. Processes are kept for the next call. Raises :class:`StorageError` or :class:`UsageError` when a
        worker reports one.
        """
        waiting = deque(tasks)
        for _ in range(len(self.workers), min(self.size, len(waiting))):
            self.workers.append(Worker(self.hello, self.inbox))
        for worker in self.workers:
            self._hand_out(worker, waiting)
        while any(worker.task for worker in self.workers):
            try:
                worker, message = self.inbox.get(timeout=1.0)
            except queue.Empty:
                self._kill_silent()
                continue
            if worker not in self.workers:
                continue  # last words of one that was replaced
            worker.heard = time.monotonic()
            if message is None:
                self._replace(worker, waiting, note)
            elif message["say"] == "batch":
                worker.words = message["words"]
            elif message["say"] == "at":
                worker.position = message["position"]
            elif message["say"] == "progress":
                note(message)
            elif message["say"] == "error":
                raise _error(message)
            elif message["say"] == "done":
                worker.task = worker.position = None
                self._hand_out(worker, waiting)
                yield message

    def _hand_out(self, worker: Worker, waiting: deque[Message]) -> None:
        if waiting and not self.stopping:
            worker.task = waiting.popleft()
            worker.position, worker.words = None, 0
            worker.heard = time.monotonic()
            worker.send(worker.task)

    def _kill_silent(self) -> None:
        for worker in self.workers:
            # Until it begins a batch it starts up and loads the model, which a busy machine may make slow.
            allowed = self.timeout * max(1.0, worker.words / _LONG) if worker.words else max(self.timeout, _START)
            if worker.task and time.monotonic() - worker.heard > allowed:
                worker.timed_out = True
                worker.kill()

    def _replace(self, dead: Worker, waiting: deque[Message], note: Callable[[Message], None]) -> None:
        dead.kill()
        self.workers.remove(dead)
        task = dead.task
        if task is not None:
            shard, position = task["shard"], dead.position
            how = f"took longer than {self.timeout:g} seconds" if dead.timed_out else _how(dead.process.returncode)
            note({"say": "died", "shard": shard, "position": position, "how": how})
            task = {**task, "alone": True, "aside": dict(task.get("aside", {}))}
            if position is not None:
                count = self._deaths[shard, position] = self._deaths.get((shard, position), 0) + 1
                if count >= _DEATHS or dead.timed_out:
                    code = "E_TIMEOUT" if dead.timed_out else "E_WORKER_DIED"
                    task["aside"][str(position)] = [code, f"the process reading this story {how}"]
                    note({"say": "aside", "shard": shard, "position": position})
            elif task.get("deaths", 0) >= 5:
                raise UsageError(
                    f"worker processes keep dying before they reach a story ({how})",
                    "Check memory (fewer --workers, smaller run.shard_words) and that the language model loads",
                )
            task["deaths"] = task.get("deaths", 0) + (position is None)
            waiting.appendleft(task)
        if (waiting and not self.stopping) or task is not None:
            worker = Worker(self.hello, self.inbox)
            self.workers.append(worker)
            if task is not None:
                # What was in hand is finished even while stopping.
                waiting.popleft()
                worker.task = task
                worker.send(task)
            else:
                self._hand_out(worker, waiting)


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        return f"was killed by signal {-code}"
    return f"ended with exit code {code}"


def _error(message: Mapping[str, Any]) -> CopydeskError:
    kind = StorageError if message["kind"] == "storage" else UsageError
    return kind(message["message"], message["cure"])
