"""A run: make what is missing, join the layers, write the manifest. Stopped at any instant, it goes on from there.

    OUT/documents.jsonl   one document a story, in input order
    OUT/failures.jsonl    what went wrong, a row a story (and stage)
    OUT/skipped.jsonl     what was passed over, and why
    OUT/run.json          the manifest: settings, versions, keys, counts, times
    OUT/work/             plan and layers (see :mod:`pipeline.batch.store`)

documents.jsonl holds no time, host or number of workers: its bytes are those of an undisturbed run.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from filelock import FileLock, Timeout

from models.document import Document
from pipeline.batch.files import storage, sweep
from pipeline.batch.job import Job, Observer, Quiet, Result, read_manifest
from pipeline.batch.plan import make_plan
from pipeline.batch.store import Layer, Store
from pipeline.errors import BusyError, StorageError, UsageError
from pipeline.language import Parser
from pipeline.settings import Settings, assigned, resolve
from pipeline.stage import dependants, installed, needed_by, with_needs

if TYPE_CHECKING:
    from spacy.tokens import Doc


class Run:
    """A run's folder: read its documents, or do part of it again.

    >>> result = run(["seeds/pti-2025-03-28-tariff-talks.txt"], "out", stages=["dates"])
    >>> for document in open_run("out").documents():
    ...     print(document.id, document.dates[0].text, document.dates[0].value)
    pti-2025-03-28-tariff-talks.txt 2025-03-28 2025-03-28
    >>> open_run("out").manifest["counts"]["ok"]
    1
    """

    def __init__(self, out: str | Path) -> None:
        self.out = Path(out)
        self.store = Store(self.out)

    @property
    def manifest(self) -> dict[str, Any]:
        """run.json. Raises :class:`UsageError` where there is none, or a newer copydesk wrote it."""
        return read_manifest(self.out)

    def documents(self) -> Iterator[Document]:
        """The documents in input order."""
        for line in self._lines("documents.jsonl"):
            yield Document.from_json(line)

    def document(self, id_: str) -> Document:
        """The document with this id. Raises :class:`UsageError` with the nearest ids if there is none."""
        from pipeline.stage import did_you_mean

        ids = []
        for line in self._lines("documents.jsonl"):
            row = orjson.loads(line)
            if row["id"] == id_:
                return Document.from_dict(row)
            ids.append(row["id"])
        cure = did_you_mean(id_, ids) if len(ids) < 10_000 else "Ids stand in documents.jsonl"
        raise UsageError(f"{self.out} has no story {id_!r}", cure[:500])

    def settings(self, assignments: Sequence[str] = ()) -> Settings:
        """What the run was made with, with ``section.key=value`` assignments on top."""
        manifest = self._finished()
        return resolve(assigned(_known(manifest["settings"], manifest["stages"]), assignments), "--set")

    def parses(self) -> Iterator[Doc]:
        """The kept parses, one a document, in the documents' order; a story that could not be parsed has an empty one.

        Raises :class:`StorageError` where a parse is not there any more.
        """
        from pipeline.language import blank_vocab, read_bin

        layer = Layer("parse", self._finished()["model"]["key"])
        for shard in self.store.read_plan().shards:
            if self.store.missing(shard, [layer]):
                raise StorageError(f"the kept parses in {self.out} are not there", "Give the run's own command again")
            data = (self.store.shard_folder(shard.number) / layer.file).read_bytes()
            yield from read_bin(data, blank_vocab())

    def _finished(self) -> dict[str, Any]:
        manifest = self.manifest
        if "stages" not in manifest:
            raise UsageError(
                f"the run in {self.out} has not finished", "Give the run's own command again, it goes on from there"
            )
        return manifest

    def failures(self) -> Iterator[dict[str, Any]]:
        """The rows of failures.jsonl."""
        for line in self._lines("failures.jsonl"):
            yield orjson.loads(line)

    def skipped(self) -> Iterator[dict[str, Any]]:
        """The rows of skipped.jsonl."""
        for line in self._lines("skipped.jsonl"):
            yield orjson.loads(line)

    def _lines(self, name: str) -> Iterator[bytes]:
        try:
            with open(self.out / name, "rb") as lines:
                yield from lines
        except FileNotFoundError:
            self.manifest  # noqa: B018 (says what is wrong if this is no run at all)
            raise UsageError(
                f"the run in {self.out} has not finished",
                "Give the run's own command again, it goes on from there",
            ) from None


def run(
    inputs: Sequence[str | Path],
    out: str | Path,
    *,
    settings: Settings | None = None,
    stages: Sequence[str] | None = None,
    fail_fast: bool = False,
    observer: Observer | None = None,
) -> Result:
    """Read every story of ``inputs`` into ``out``, or finish the run that was begun there.

    ``stages`` (default: all installed) are run with the stages they need. Raises :class:`UsageError`,
    :class:`StorageError`, :class:`BusyError`, :class:`Interrupted` or, with ``fail_fast``, :class:`FailedFast`.
    """
    settings = settings or resolve({}, "defaults")
    names = with_needs(list(installed()) if stages is None else stages)
    folder = Path(out)
    given = [str(i) for i in inputs]
    if not given:
        raise UsageError("nothing to read", "Name a file or folder with stories")
    for path in given:
        if not os.path.lexists(path):
            raise UsageError(f"there is no file or folder {path}", "Check the path")
    parser = Parser(settings.model)
    with _held(folder):
        _refuse_other(folder, given)
        job = Job(folder, settings, names, parser, fail_fast, observer or Quiet())
        job.state("running", given)
        job.plan = make_plan(job.store, given, settings, [*names, *job.sections()], job.refused)
        return job.finish(_keys(settings, names, parser), set())


def rerun(
    stage: str,
    out: str | Path,
    *,
    assignments: Sequence[str] = (),
    only: bool = False,
    new: str | Path | None = None,
    workers: int | None = None,
    observer: Observer | None = None,
) -> Result:
    """Run ``stage`` again over the finished run in ``out``, and the stages that read what it makes.

    The kept parse is used; nothing is parsed. ``assignments`` change settings of the run; ``only`` leaves the
    dependants as they are, marked stale; ``new`` makes the result a run of its own and leaves ``out`` untouched.
    """
    old = Run(out)
    manifest = old._finished()
    recorded = manifest["stages"]
    if stage not in recorded:
        with_needs([stage])  # says so if there is no such stage at all
        raise UsageError(f"the run in {out} was made without {stage!r}", "Its stages are: " + ", ".join(recorded))
    settings = old.settings(assignments)
    if workers is not None:
        settings = settings.model_copy(update={"run": settings.run.model_copy(update={"workers": workers})})
    if settings.model != manifest["settings"]["model"]:
        raise UsageError("another language model means parsing again", "Use copydesk run with a new folder")
    stale = [name for name in dependants(stage) if name in recorded]
    again = [stage] if only else [stage, *stale]
    folder = Path(out)
    with ExitStack() as stack:
        stack.enter_context(_held(folder))
        if new is not None:
            folder = Path(new)
            if folder.exists() and any(folder.iterdir()):
                raise UsageError(f"{folder} is not empty", "Name a new folder with -o")
            stack.enter_context(_held(folder))
            _copy(old.out, folder)
        # Names in order: a run keeps the stages it was made with, whatever is installed by now.
        names = [name for name in installed() if name in recorded]
        job = Job(folder, settings, names, Parser(settings.model), False, observer or Quiet())
        job.plan = job.store.read_plan()
        keys = {name: recorded[name]["key"] for name in names}
        keys["parse"] = manifest["model"]["key"]
        for name in again:
            keys[name] = settings.stage(name).key({n: keys[n] for n in ("parse", *needed_by(installed()[name]))})
        job.state("running", manifest["inputs"])
        return job.finish(keys, set(stale) if only else set(), before=old.out / "documents.jsonl")


def open_run(out: str | Path) -> Run:
    """The run in a folder."""
    return Run(out)


def _known(settings: Mapping[str, Any], recorded: Mapping[str, Any]) -> dict[str, Any]:
    sections = {"model", "run", "read", *recorded}
    return {name: value for name, value in settings.items() if name in sections and value is not None}


def _keys(settings: Settings, names: Sequence[str], parser: Parser) -> dict[str, str]:
    keys = {"parse": parser.key()}
    for name in names:
        keys[name] = settings.stage(name).key({n: keys[n] for n in ("parse", *needed_by(installed()[name]))})
    return keys


@contextmanager
def _held(out: Path) -> Iterator[None]:
    """Hold the folder against other runs; make it if need be."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file", "Name a folder with -o")
    if out.is_dir() and any(out.iterdir()) and not (out / "run.json").exists() and not (out / "work").exists():
        raise UsageError(f"{out} holds other things than a run", "Name a new or empty folder with -o")
    with storage(out):
        (out / "work").mkdir(parents=True, exist_ok=True)
    lock = FileLock(out / "work" / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise BusyError(f"another run is at work in {out}", "Wait for it, or choose another folder") from None
    except OSError as error:
        raise StorageError(f"cannot write {out}: {error.strerror or error}", "Choose another folder with -o") from error
    try:
        sweep(out)
        yield
    finally:
        lock.release()


def _refuse_other(out: Path, inputs: Sequence[str]) -> None:
    with suppress(UsageError):
        before = Run(out).manifest.get("inputs")
        if before is not None and [os.path.abspath(p) for p in before] != [os.path.abspath(p) for p in inputs]:
            raise StorageError(
                f"{out} holds a run over {', '.join(before)}",
                "Choose another folder with -o, or remove that one",
            )


def _copy(old: Path, new: Path) -> None:
    """Start a run from another's plan and layers; files are replaced, never changed, so links do."""
    for path in sorted((old / "work").rglob("*")):
        target = new / path.relative_to(old)
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        elif path.name != "lock":
            with storage(target):
                try:
                    os.link(path, target)
                except OSError:
                    shutil.copy2(path, target)
