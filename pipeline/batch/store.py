"""The work folder of a run: the plan, and one folder a shard with a layer a stage.

    OUT/work/plan.json                the shards, and what the readers found
    OUT/work/previous.jsonl           documents.jsonl as it was before the last rerun
    OUT/work/refused.jsonl            stories that could not be read, things that were passed over
    OUT/work/shards/00000/
        documents.jsonl               stories as read, one a line
        parse-KEY.spacy               their parses (DocBin)
        STAGE-KEY.jsonl               a stage's sections, a line a story in the same order
        receipt.json                  digest and size of each layer, failures, seconds

A layer counts only if the receipt names it **and** the file's digest agrees **and** the receipt belongs to these
very stories. Old layers of a stage are kept for a while, so that going back to earlier settings costs nothing.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from pipeline.batch.files import digest, storage, write_atomic
from pipeline.errors import StorageError

KEPT = 4
"""Layers kept of one stage: the current one and those of the last settings tried."""
PREVIOUS = "previous.jsonl"


@dataclass(frozen=True)
class Shard:
    """A stretch of the plan: so many stories of so many words, in one file with this digest."""

    number: int
    stories: int
    words: int
    sha256: str


@dataclass
class Plan:
    """What a run is over: its shards in input order, and counts of what the readers found."""

    inputs: list[str]
    found: int = 0
    failed: int = 0
    skipped: int = 0
    warnings: int = 0
    shards: list[Shard] = field(default_factory=list)

    @property
    def stories(self) -> int:
        """Stories that could be read."""
        return sum(shard.stories for shard in self.shards)

    @property
    def words(self) -> int:
        """Their words."""
        return sum(shard.words for shard in self.shards)


@dataclass(frozen=True)
class Layer:
    """Name of one layer of a shard: ``parse`` or a stage, and the key that says how it was made."""

    name: str
    key: str

    @property
    def file(self) -> str:
        """Its file name within the shard's folder."""
        return f"{self.name}-{self.key[:16]}.{'spacy' if self.name == 'parse' else 'jsonl'}"


@dataclass
class Receipt:
    """What is there of a shard. ``layers`` maps file names to facts: key, sha256, bytes, failures, seconds."""

    documents: str
    layers: dict[str, dict[str, Any]] = field(default_factory=dict)


def _sealed(data: Mapping[str, Any]) -> bytes:
    """``data`` as JSON together with its digest: changed in place, it is not taken for what was written."""
    return orjson.dumps({"sha256": hashlib.sha256(orjson.dumps(data)).hexdigest(), "data": data})


def _unsealed(line: bytes) -> Any:
    """What was sealed. Raises ``ValueError`` if it is not what was written."""
    try:
        sealed = orjson.loads(line)
        stated, data = sealed["sha256"], sealed["data"]
    except (TypeError, KeyError) as error:
        raise ValueError("not of this shape") from error
    if hashlib.sha256(orjson.dumps(data)).hexdigest() != stated:
        raise ValueError("changed since it was written")
    return data


class Store:
    """The work folder of one run."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.work = out / "work"

    def shard_folder(self, number: int) -> Path:
        """Folder of a shard. Folders are named by number, never by anything a story says."""
        return self.work / "shards" / f"{number:06d}"

    def documents(self, number: int) -> Path:
        """File with the stories of a shard as read."""
        return self.shard_folder(number) / "documents.jsonl"

    def write_plan(self, plan: Plan) -> None:
        """Make the plan the run's plan, and drop shards it no longer has."""
        data = asdict(plan)
        data["shards"] = [[s.stories, s.words, s.sha256] for s in plan.shards]
        write_atomic(self.work / "plan.json", _sealed(data))
        for folder in (self.work / "shards").glob("*"):
            if folder.name.isdigit() and int(folder.name) >= len(plan.shards):
                shutil.rmtree(folder, ignore_errors=True)

    def read_plan(self) -> Plan:
        """The run's plan. Raises :class:`StorageError` if there is none that can be read."""
        try:
            data = _unsealed((self.work / "plan.json").read_bytes())
            data["shards"] = [Shard(n, *row) for n, row in enumerate(data["shards"])]
            return Plan(**data)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise StorageError(
                f"{self.out} holds no finished plan",
                "Give the run's own command again, it goes on from there",
            ) from error

    def drop_plan(self) -> None:
        """Take the plan away before another is made: it must never be taken for the new one."""
        with storage(self.work / "plan.json"):
            (self.work / "plan.json").unlink(missing_ok=True)

    def receipt(self, number: int) -> Receipt:
        """The receipt of a shard; an empty one where there is none or it cannot be read."""
        with suppress(OSError, ValueError, TypeError):
            return Receipt(**_unsealed((self.shard_folder(number) / "receipt.json").read_bytes()))
        return Receipt("")

    def write_receipt(self, number: int, receipt: Receipt, current: Iterable[Layer]) -> None:
        """Write a shard's receipt, and remove layers of settings long gone."""
        needed = {layer.file for layer in current}
        by_name: dict[str, list[str]] = {}
        for file, facts in receipt.layers.items():
            by_name.setdefault(facts["name"], []).append(file)
        old = [
            file
            for name, files in by_name.items()
            for file in files[: -1 if name == "parse" else -KEPT]
            if file not in needed
        ]
        for file in old:
            del receipt.layers[file]
        folder = self.shard_folder(number)
        write_atomic(folder / "receipt.json", _sealed(asdict(receipt)))
        with storage(folder):
            for path in folder.iterdir():
                if path.suffix in {".spacy", ".jsonl"} and path.name not in {"documents.jsonl", *receipt.layers}:
                    path.unlink(missing_ok=True)

    def missing(
        self, shard: Shard, layers: Iterable[Layer], damaged: Callable[[str], None] = lambda file: None
    ) -> list[Layer]:
        """Those of ``layers`` that are not there, or not as their receipt says.

        ``damaged`` is called with the name of each file that was there and is not any more what it was.
        """
        folder = self.shard_folder(shard.number)
        receipt = self.receipt(shard.number)
        if receipt.documents != shard.sha256:
            if not receipt.documents and (folder / "receipt.json").exists():
                damaged("receipt.json")
            return list(layers)
        missing = []
        for layer in layers:
            facts = receipt.layers.get(layer.file)
            if facts is None or facts["key"] != layer.key:
                missing.append(layer)
            elif facts["sha256"] != digest(folder / layer.file):
                damaged(layer.file)
                missing.append(layer)
        return missing

    def rows(self, number: int, file: str) -> Iterator[dict[str, Any]]:
        """The rows of one line file of a shard."""
        with open(self.shard_folder(number) / file, "rb") as lines:
            for line in lines:
                yield orjson.loads(line)
