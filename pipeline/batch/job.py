"""One command's work in a run's folder: make the layers that are missing, join them, write the manifest."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import orjson

from models.document import Document
from pipeline.batch.engine import Engine, engine_for
from pipeline.batch.files import Digesting, atomic, digest, keep, storage, write_atomic
from pipeline.batch.plan import damage
from pipeline.batch.store import PREVIOUS, Layer, Plan, Shard, Store
from pipeline.errors import CopydeskError, StorageError, UsageError
from pipeline.language import Parser
from pipeline.settings import Settings
from pipeline.stage import installed, needed_by

MANIFEST = 1
"""Version of run.json's shape."""
_STOP = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_WARNINGS = 100
"""Warnings kept in run.json."""
_SLOWEST = 10
"""Stories run.json names as the ones that took longest."""
_LIBRARIES = ("spacy", "thinc", "numpy", "dateparser", "pydantic", "orjson")
_ORDER = [field.alias or name for name, field in Document.model_fields.items()]


class Observer(Protocol):
    """What a progress display is told."""

    def plan(self, plan: Plan, asked: Sequence[Shard], todo: Sequence[Shard]) -> None:
        """The plan is made; of the shards ``asked`` for, ``todo`` have something to make."""

    def progress(self, stories: int, words: int) -> None:
        """So many more stories and words have been read."""

    def shard(self, facts: Mapping[str, Any]) -> None:
        """A shard is done: its number, stories, words, failures and CPU seconds a stage."""

    def note(self, row: Mapping[str, Any]) -> None:
        """A failure, a skip or a warning."""


class Quiet:
    """An observer that shows nothing."""

    def plan(self, plan: Plan, asked: Sequence[Shard], todo: Sequence[Shard]) -> None:
        """Nothing."""

    def progress(self, stories: int, words: int) -> None:
        """Nothing."""

    def shard(self, facts: Mapping[str, Any]) -> None:
        """Nothing."""

    def note(self, row: Mapping[str, Any]) -> None:
        """Nothing."""


class Interrupted(CopydeskError):
    """Stopped by Ctrl-C or SIGTERM, with everything finished so far kept."""

    code = "E_INTERRUPTED"
    exit_code = 130


class FailedFast(CopydeskError):
    """Stopped at the first failure, as asked."""

    code = "E_FAIL_FAST"
    exit_code = 3


@dataclass(frozen=True)
class Result:
    """How a run ended. ``found == ok + partial + failed + skipped`` always holds.

    ``partial`` documents lack a section because a stage failed on them; ``changed`` counts stories whose
    document differs from the run before (of ``rerun``) in more than its record of the stages. ``cpu`` are the workers'
    CPU seconds for the parse and each stage; ``slow`` the stories that took most of them, as ``{id, words, seconds}``.
    ``stale`` are the stages whose layer was made of what others made before.
    """

    out: Path
    found: int
    ok: int
    partial: int
    failed: int
    skipped: int
    words: int
    seconds: float
    made: tuple[str, ...]
    changed: int | None = None
    cpu: Mapping[str, float] = field(default_factory=dict)
    slow: Sequence[Mapping[str, Any]] = ()
    stale: Sequence[str] = ()

    @property
    def exit_code(self) -> int:
        """0 all well, 3 finished with failures."""
        return 3 if self.failed or self.partial else 0


@dataclass(frozen=True)
class Part:
    """How the work on some of a run's shards ended: ``made`` of ``wanted`` were made now, of ``shards`` in all."""

    out: Path
    shards: int
    wanted: int
    made: int
    failures: int
    seconds: float

    @property
    def exit_code(self) -> int:
        """0 all well, 3 finished with failures."""
        return 3 if self.failures else 0


def read_manifest(out: Path) -> dict[str, Any]:
    """A run's run.json. Raises :class:`UsageError` where there is none, or a newer copydesk wrote it."""
    path = out / "run.json"
    try:
        data: dict[str, Any] = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        raise UsageError(f"{out} is not the folder of a run", "Make one with: copydesk run STORIES -o OUT") from None
    except (OSError, ValueError) as error:
        raise StorageError(f"{path} cannot be read: {error}", "Give the run's own command again") from error
    if data.get("manifest", 0) > MANIFEST:
        raise UsageError(f"{path} was written by a newer copydesk ({data.get('copydesk')})", "Upgrade copydesk")
    return data


class Job:
    """One command's work in one run folder."""

    plan: Plan

    def __init__(
        self,
        out: Path,
        settings: Settings,
        names: list[str],
        parser: Parser,
        fail_fast: bool,
        observer: Observer,
    ) -> None:
        self.out, self.settings, self.names = out, settings, names
        self.parser, self.fail_fast, self.observer = parser, fail_fast, observer
        self.store = Store(out)
        self.started = time.perf_counter()
        self.seconds: dict[str, float] = {}
        self.warnings: list[str] = []
        self.cpu: dict[str, float] = {}
        self.slow: list[tuple[float, str, int]] = []
        self.failures = 0
        self._engine: Engine | None = None
        self._stopping = False

    def sections(self) -> list[str]:
        """Sections the run makes."""
        return [section for name in self.names for section in installed()[name].makes]

    def refused(self, row: Mapping[str, Any]) -> None:
        """Take note of what the readers say."""
        self.observer.note(row)
        if "warning" in row and len(self.warnings) < _WARNINGS:
            self.warnings.append(f"{row['id']}: {row['warning']}")
        if self.fail_fast and "code" in row:
            raise FailedFast(f"{row['path']}: {row['message']} [{row['code']}]", "Mend it, or leave out --fail-fast")

    def finish(self, keys: Mapping[str, str], stale: set[str], before: Path | None = None) -> Result:
        """Make the layers ``keys`` name where they are missing, then join them."""
        layers = self._layers(keys)
        tasks = self._make(layers, keys, self.plan.shards)
        names = {name for task in tasks for name in task["make"]}
        made = tuple(layer.name for layer in layers if layer.name in names)
        self._keep_previous(before)
        joining = time.perf_counter()
        counts, changed = self._join([layer for layer in layers if layer.name != "parse"], stale, before)
        self.seconds["join"] = time.perf_counter() - joining
        result = Result(
            out=self.out,
            found=self.plan.found,
            failed=self.plan.failed,
            skipped=self.plan.skipped,
            words=self.plan.words,
            seconds=time.perf_counter() - self.started,
            made=made,
            changed=changed,
            cpu={layer.name: round(self.cpu[layer.name], 3) for layer in layers if layer.name in self.cpu},
            slow=[{"id": id_, "words": words, "seconds": seconds} for seconds, id_, words in self.slow],
            stale=tuple(name for name in self.names if name in stale),
            **counts,
        )
        total = result.ok + result.partial + result.failed + result.skipped
        if total != result.found:
            raise StorageError(f"{result.found} stories were found and {total} accounted for", "Please report this")
        self.state("finished", self.plan.inputs, keys, stale, result)
        return result

    def _keep_previous(self, before: Path | None) -> None:
        """The documents as they were stay in the work folder, so that what a rerun changed can be looked at."""
        previous = self.store.work / PREVIOUS
        if before is not None and before.exists():
            keep(before, previous)
        else:
            with storage(previous):
                previous.unlink(missing_ok=True)

    def part(self, keys: Mapping[str, str], numbers: Sequence[int]) -> Part:
        """Make the layers of some shards and leave the join to a later command."""
        wanted = [self.plan.shards[n] for n in numbers]
        tasks = self._make(self._layers(keys), keys, wanted)
        seconds = time.perf_counter() - self.started
        return Part(self.out, len(self.plan.shards), len(wanted), len(tasks), self.failures, seconds)

    def intact(self) -> None:
        """Raise :class:`StorageError` where the stories, as the run read them, are no longer what they were."""
        for shard in self.plan.shards:
            if digest(path := self.store.documents(shard.number)) != shard.sha256:
                raise StorageError(
                    f"{path} was changed or cut short", "Give the run's own command again: it reads them anew"
                )

    def _layers(self, keys: Mapping[str, str]) -> list[Layer]:
        return [Layer(name, keys[name]) for name in ("parse", *self.names)]

    def _make(self, layers: Sequence[Layer], keys: Mapping[str, str], shards: Sequence[Shard]) -> list[dict[str, Any]]:
        """Have made what is missing of ``shards``, and say what that was."""
        tasks: list[dict[str, Any]] = []
        for shard in shards:
            missing = self.store.missing(shard, layers, partial(self._damaged, shard.number))
            if missing:
                tasks.append({"shard": shard.number, "make": [layer.name for layer in missing]})
        self.observer.plan(self.plan, shards, [self.plan.shards[task["shard"]] for task in tasks])
        if not tasks:
            return []
        model, encoder = self.settings.model, self.settings.encoder
        hello = {
            "out": str(self.out.absolute()),
            # A package is found by its name on every machine; a folder has to be shared by them.
            "model": str(Path(model).absolute()) if Path(model).is_dir() else model,
            "encoder": str(Path(encoder).absolute()) if Path(encoder).is_dir() else encoder,
            "parse": keys["parse"],
            "stages": [
                {"name": n, "key": keys[n], "settings": self.settings.stages[n].model_dump(mode="json")}
                for n in self.names
            ],
        }
        with engine_for(self.settings.run, hello) as self._engine:
            done = 0
            for receipt in self._engine.run(tasks, self._heard):
                done += 1
                self._took(receipt)
            if done < len(tasks):
                raise Interrupted(
                    f"stopped with {len(shards) - len(tasks) + done} of {len(shards)} shards done",
                    "Give the same command again to go on",
                )
        self._engine = None
        return tasks

    def _took(self, receipt: Mapping[str, Any]) -> None:
        self.observer.shard(receipt)
        for name, seconds in receipt["seconds"].items():
            self.cpu[name] = self.cpu.get(name, 0.0) + seconds
        self.slow = sorted([*self.slow, *map(tuple, receipt["slow"])], reverse=True)[:_SLOWEST]
        self.failures += receipt["failures"]
        if receipt["failures"] and self.fail_fast:
            raise FailedFast(self._first_failure(receipt["shard"]), "Mend it, or leave out --fail-fast")

    def _damaged(self, number: int, file: str) -> None:
        self.warn(f"shard {number}", damage(file))

    def warn(self, id_: str, warning: str) -> None:
        """Tell a warning, and keep it for run.json."""
        if len(self.warnings) < _WARNINGS:
            self.warnings.append(f"{id_}: {warning}")
        self.observer.note({"id": id_, "warning": warning})

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        """Ctrl-C, SIGTERM and SIGHUP: finish the shards in hand, then stop; a second one stops at once.

        What was ignored when the command was started (``nohup``) stays so.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(signum: int, frame: object) -> None:
            if self._engine is None or self._stopping:
                raise Interrupted("stopped", "Give the same command again to go on")
            self._stopping = True
            self._engine.stop()

        heeded = [sig for sig in _STOP if signal.getsignal(sig) != signal.SIG_IGN]
        before = {sig: signal.signal(sig, stop) for sig in heeded}
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)

    def _heard(self, message: Mapping[str, Any]) -> None:
        if message["say"] == "progress":
            self.observer.progress(message["stories"], message["words"])
        elif message["say"] == "died":
            self.warn(
                f"shard {message['shard']}", f"a worker process {message['how']}; its stories are read one by one"
            )

    def _first_failure(self, number: int) -> str:
        for file, facts in self.store.receipt(number).layers.items():
            for position, code, message in facts["failures"]:
                row = list(self.store.rows(number, "documents.jsonl"))[position]
                return f"{row['id']}: {message} [{code}, {file.split('-')[0]}]"
        return "a stage failed"

    def _join(self, layers: Sequence[Layer], stale: set[str], before: Path | None) -> tuple[dict[str, int], int | None]:
        ok = lacking = changed = 0
        with ExitStack() as stack:
            old: Iterator[bytes] | None = None
            if before is not None and before.exists():
                old = iter(stack.enter_context(open(before, "rb")))
            documents = stack.enter_context(atomic(self.out / "documents.jsonl"))
            failures = stack.enter_context(atomic(self.out / "failures.jsonl"))
            skipped = stack.enter_context(atomic(self.out / "skipped.jsonl"))
            with open(self.store.work / "refused.jsonl", "rb") as refused:
                for line in refused:
                    (failures if b'"code":' in line and "code" in orjson.loads(line) else skipped).write(line)
            for shard in self.plan.shards:
                for row in self._joined(shard, layers, stale):
                    rows = _failures(row)
                    line = orjson.dumps(row) + b"\n"
                    documents.write(line)
                    _write_rows(failures, rows)
                    for failure in rows:
                        self.observer.note(failure)
                    ok, lacking = ok + (not rows), lacking + bool(rows)
                    if old is not None:
                        changed += _differs(next(old, b""), line)
        return {"ok": ok, "partial": lacking}, changed if before is not None else None

    def _joined(self, shard: Shard, layers: Sequence[Layer], stale: set[str]) -> Iterator[dict[str, Any]]:
        number = shard.number
        columns = [self.store.rows(number, layer.file) for layer in layers]
        facts = {layer.name: self.settings.stage(layer.name).facts() for layer in layers}
        for row in self.store.rows(number, "documents.jsonl"):
            records = dict(row.pop("stages", {}))
            for layer, column in zip(layers, columns, strict=True):
                part = next(column)
                row.update(part.get("sections", {}))
                record: dict[str, Any] = {
                    "version": installed()[layer.name].version,
                    "key": layer.key[:16],
                    "model": self.parser.label,
                    **facts[layer.name],
                }
                if layer.name in stale:
                    record["stale"] = True
                if "error" in part:
                    record["error"] = part["error"]
                records[layer.name] = record
            row["stages"] = records
            # Known fields in the model's order, then what other packages add: as Document.to_json writes them.
            yield {k: row[k] for k in _ORDER if k in row} | {k: v for k, v in row.items() if k not in _ORDER}

    def state(
        self,
        state: str,
        inputs: Sequence[str],
        keys: Mapping[str, str] | None = None,
        stale: set[str] | None = None,
        result: Result | None = None,
        begun: bool = False,
    ) -> None:
        """Write run.json. ``begun``: the settings now are what a resumed run has to have."""
        manifest: dict[str, Any] = {"manifest": MANIFEST, "copydesk": version("copydesk"), "state": state}
        previous: dict[str, Any] = {}
        with suppress(UsageError, StorageError):
            previous = read_manifest(self.out)
        if keys is None or result is None:
            # What the last finished state said stays true of the files until the new ones are joined.
            manifest = {**previous, **manifest, "inputs": list(inputs)}
            if begun:
                manifest["begun"] = self.settings.to_dict()
        else:
            manifest |= {
                "inputs": list(inputs),
                "settings": self.settings.to_dict(),
                "model": {"label": self.parser.label, "key": keys["parse"]},
                "stages": {
                    name: {
                        "version": installed()[name].version,
                        "key": keys[name],
                        "needs": needed_by(installed()[name]),
                        **({"stale": True} if stale and name in stale else {}),
                    }
                    for name in self.names
                },
                "counts": {
                    "found": result.found,
                    "ok": result.ok,
                    "partial": result.partial,
                    "failed": result.failed,
                    "skipped": result.skipped,
                    "words": result.words,
                    "shards": len(self.plan.shards),
                },
                "made": list(result.made),
                "warnings": self.warnings,
                "libraries": {name: version(name) for name in _LIBRARIES},
                "seconds": {"total": result.seconds, **self.seconds},
                "cpu_seconds": dict(result.cpu),
                "slow": list(result.slow),
            }
        write_atomic(self.out / "run.json", orjson.dumps(manifest, option=orjson.OPT_INDENT_2) + b"\n")


def _differs(old: bytes, new: bytes) -> bool:
    """Whether two lines of documents.jsonl differ in more than what they say of the stages."""
    if old == new:
        return False
    if not old:
        return True
    before, now = orjson.loads(old), orjson.loads(new)
    return any(before.get(key) != now.get(key) for key in (before.keys() | now.keys()) - {"stages"})


def _failures(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    source = row.get("source", {})
    base = {"id": row["id"], "path": source.get("path")}
    if "line" in source:
        base["line"] = source["line"]
    return [
        {**base, "stage": name, **record["error"], "in_documents": True}
        for name, record in row["stages"].items()
        if "error" in record
    ]


def _write_rows(file: Digesting, rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        file.write(orjson.dumps(row) + b"\n")
