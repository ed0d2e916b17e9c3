"""The engine for Dask (extra ``dask``): its scheduler hands out shard numbers to machines that share the run's folder.

Every thread of a Dask worker keeps one of our own worker processes, the very ones a local run has. So a story that
kills or hangs its process costs what it costs at home, and a Dask worker that is lost takes its process with it and
hands the shard back to the scheduler.
"""

from __future__ import annotations

import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from pipeline.batch.engine import Message
from pipeline.batch.pool import Pool
from pipeline.errors import StorageError, UsageError
from pipeline.settings import RunSettings

_JOIN = 60
"""Seconds to wait for a first worker of the cluster."""
_pools: dict[int, Pool] = {}
"""On a Dask worker: the process of each of its threads."""


def work(hello: Message, timeout: float, task: Message) -> tuple[Message, list[Message]]:
    """Do one task, on a Dask worker: what our worker process says of it, and what it said meanwhile."""
    thread = threading.get_ident()
    pool = _pools.get(thread)
    if pool is None or pool.hello != hello:
        release(thread)
        pool = _pools[thread] = Pool(hello, 1, timeout)
    said: list[Message] = []
    try:
        (receipt,) = pool.run([task], said.append)
    except BaseException:
        release(thread)
        raise
    return receipt, said


def release(thread: int | None = None) -> None:
    """End the process of one thread of this Dask worker, or of all."""
    for number in list(_pools) if thread is None else [thread]:
        if pool := _pools.pop(number, None):
            pool.__exit__()


class Cluster:
    """A Dask cluster: the one at ``run.scheduler``, or one of processes on this machine for the length of the run."""

    def __init__(self, hello: Message, settings: RunSettings) -> None:
        try:
            import distributed
        except ImportError:
            raise UsageError(
                "the engine dask is not installed", "Install it with: pip install 'copydesk[dask]'"
            ) from None
        self.hello, self.settings = hello, settings
        self._dask: Any = distributed  # its functions have no types
        self.stopping = False

    def __enter__(self) -> Cluster:
        address: Any = self.settings.scheduler
        self._own = None
        if not address:
            self._own = address = self._dask.LocalCluster(
                n_workers=self.settings.workers or None, threads_per_worker=1, dashboard_address=None
            )
        try:
            self._client = self._dask.Client(address, timeout=_JOIN, set_as_default=False)
            self._client.wait_for_workers(1, timeout=_JOIN)
        except (OSError, ValueError, TimeoutError, self._dask.comm.core.CommClosedError) as error:
            cure = "Start it with dask scheduler and dask worker, or leave out --scheduler to run on this machine"
            raise UsageError(f"no Dask cluster answers at {address}: {error}", cure) from error
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Exception):  # a cluster that is gone needs no tidying, and the run's own error counts
            self._client.run(release)
        self._client.close()
        if self._own is not None:
            self._own.close()

    def stop(self) -> None:
        """Hand out no more shards; those in hand are finished."""
        self.stopping = True

    def run(self, tasks: Sequence[Message], note: Callable[[Message], None]) -> Iterator[Message]:
        """Do ``tasks`` on the cluster; see :class:`pipeline.batch.engine.Engine`."""
        waiting, run = deque(tasks), uuid.uuid4().hex
        running = self._dask.as_completed(loop=self._client.loop)

        def hand_out() -> None:
            # No more than there are threads: workers that join get their share, and stopping waits for few.
            threads = max(1, sum(self._client.nthreads().values()))
            while waiting and not self.stopping and running.count() < threads:
                task = waiting.popleft()
                key = f"copydesk-shard-{task['shard']}-{run}"
                running.add(
                    self._client.submit(work, self.hello, self.settings.story_timeout, task, key=key, pure=False)
                )

        hand_out()
        for future in running:
            try:
                receipt, said = future.result()
            except self._dask.KilledWorker as error:
                raise StorageError(
                    f"Dask workers keep dying: {error}",
                    "Check the memory of the machines, then give the same command again",
                ) from error
            future.release()
            for message in said:
                note(message)
            hand_out()
            yield receipt
