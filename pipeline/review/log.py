"""A run as lines of JSON, for machines: one object an event, each with ``time``, ``event`` and what belongs to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

import orjson

from pipeline.batch.job import Quiet

if TYPE_CHECKING:
    from pipeline.batch.job import Part, Result
    from pipeline.batch.store import Plan, Shard


class JsonLog(Quiet):
    """Observer that writes events: plan, progress, shard, failure, skipped, warning, finished, error."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, event: str, **facts: Any) -> None:
        """One line, at once."""
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._file.write(orjson.dumps({"time": time, "event": event, **facts}, default=str) + b"\n")
        self._file.flush()

    def plan(self, plan: Plan, asked: Sequence[Shard], todo: Sequence[Shard]) -> None:
        """What is there and what is to be done."""
        self.write(
            "plan",
            stories=plan.stories,
            words=plan.words,
            shards=len(plan.shards),
            shards_asked=len(asked),
            shards_to_do=len(todo),
            stories_to_do=sum(shard.stories for shard in todo),
        )

    def progress(self, stories: int, words: int) -> None:
        """So many more stories and words."""
        self.write("progress", stories=stories, words=words)

    def shard(self, facts: Mapping[str, Any]) -> None:
        """A shard is done."""
        self.write("shard", **{key: value for key, value in facts.items() if key != "say"})

    def note(self, row: Mapping[str, Any]) -> None:
        """A failure, a skip or a warning."""
        event = "failure" if "code" in row else "skipped" if "reason" in row else "warning"
        self.write(event, **row)

    def finish(self, result: Result | Part) -> None:
        """How it ended."""
        self.write("finished", exit_code=result.exit_code, **asdict(result))

    def error(self, error: BaseException) -> None:
        """What ended the command before its time."""
        code = getattr(error, "code", type(error).__name__)
        self.write("error", code=code, message=str(error), exit_code=getattr(error, "exit_code", None))
