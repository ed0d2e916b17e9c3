"""The plan: every story found, read once, cut into shards in input order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from models.document import Document
from pipeline.batch.files import atomic, digest, write_atomic
from pipeline.batch.store import Plan, Shard, Store
from pipeline.errors import StorageError
from pipeline.readers import Found, stories
from pipeline.settings import Settings

_FIRST, _PART = 5_000, 24
"""Words of the first shards; they grow to one part of what came before, so that no worker is long at the last one."""


def make_plan(
    store: Store,
    inputs: Sequence[str],
    places: Sequence[str | Path],
    settings: Settings,
    made: Iterable[str],
    note: Callable[[dict[str, Any]], None],
) -> Plan:
    """Read every story of ``inputs``, which lie at ``places``, into shards below ``store``; the plan is written too.

    Sections of the names ``made`` are left out of the stories: the run makes them anew. ``note`` is called with
    a row for each story that fails, is skipped, or draws a warning. The same inputs give the same shards, and
    shards already there with the same bytes are left alone.
    """
    before: Sequence[Shard] = ()
    with suppress(StorageError):
        before = store.read_plan().shards
    store.drop_plan()
    plan = Plan(list(inputs))
    dropped = frozenset(made)
    lines: list[bytes] = []
    words = size = total = 0

    def close() -> None:
        nonlocal words, size, total
        number = len(plan.shards)
        data = b"".join(lines)
        sha256 = hashlib.sha256(data).hexdigest()
        path = store.documents(number)
        if digest(path) != sha256:
            if number < len(before) and before[number].sha256 == sha256:
                note({"id": f"shard {number}", "warning": damage("documents.jsonl")})
            write_atomic(path, data)
        plan.shards.append(Shard(number, len(lines), words, sha256))
        lines.clear()
        total += words
        words = size = 0

    with atomic(store.work / "refused.jsonl") as refused:
        for found in stories(places, settings.read, exclude=[store.out]):
            plan.found += 1
            if row := _refusal(found):
                plan.failed += "code" in row
                plan.skipped += "reason" in row
                refused.write(orjson.dumps(row) + b"\n")
                note(row)
                continue
            for warning in found.warnings:
                plan.warnings += 1
                note({"id": found.id, "path": found.path, "warning": warning})
            assert found.document is not None
            line = _line(found.document, dropped)
            lines.append(line)
            size += len(line)
            words += len(found.document.text.split())
            target = min(settings.run.shard_words, max(_FIRST, total // _PART))
            # Copy without spaces has few words and many letters: a shard is bounded in both.
            if words >= target or size >= target * 16 or len(lines) >= target:
                close()
        if lines:
            close()
    store.write_plan(plan)
    return plan


def damage(file: str) -> str:
    """What is said of a kept file that is no longer what its receipt says."""
    return f"the kept file {file} was changed, cut short or removed; it is made again"


def _refusal(found: Found) -> dict[str, Any] | None:
    row: dict[str, Any] = {"id": found.id, "path": found.path}
    if found.line is not None:
        row["line"] = found.line
    if found.error is not None:
        return {**row, "code": found.error.code, "message": found.error.message, "in_documents": False}
    if found.skipped is not None:
        return {**row, "reason": found.skipped}
    return None


def _line(document: Document, dropped: frozenset[str]) -> bytes:
    row = document.to_dict()
    for section in dropped & row.keys():
        del row[section]
    if stages := {k: v for k, v in row.get("stages", {}).items() if k not in dropped}:
        row["stages"] = stages
    else:
        row.pop("stages", None)
    return orjson.dumps(row) + b"\n"
