"""Engines: what hands the shards of a run out. A task is a shard's number and the layers to make of it, nothing more.

The worker (:mod:`pipeline.batch.worker`) reads and writes the run's folder itself, so an engine moves integers out and
receipts of a kilobyte back. Order, failures and resume are the store's, the same for every engine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from pipeline.settings import RunSettings

Message = dict[str, Any]


class Engine(Protocol):
    """Does tasks somewhere. A context manager; leaving it ends what still runs."""

    stopping: bool

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def stop(self) -> None:
        """Hand out no more tasks; those in hand are finished."""

    def run(self, tasks: Sequence[Message], note: Callable[[Message], None]) -> Iterator[Message]:
        """Do ``tasks`` in any order and yield what the worker says of each when it is done.

        ``note`` is called with ``progress`` and ``died`` messages. Raises the :class:`CopydeskError` a worker reports.
        """


def engine_for(settings: RunSettings, hello: Message) -> Engine:
    """The engine ``settings`` ask for, not yet started. Raises :class:`UsageError` if its package is not installed."""
    if settings.engine == "dask":
        from pipeline.batch.dask import Cluster

        return Cluster(hello, settings)
    from pipeline.batch.pool import Pool

    return Pool(hello, settings.workers or cores(), settings.story_timeout)


def cores() -> int:
    """Cores this process may use: a job of a cluster or a container often has fewer than the machine."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1
