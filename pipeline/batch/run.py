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
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from filelock import FileLock, Timeout

from models.document import Document
from pipeline.batch.files import storage, sweep
from pipeline.batch.job import Job, Observer, Part, Quiet, Result, read_manifest
from pipeline.batch.place import local
from pipeline.batch.plan import damage, make_plan
from pipeline.batch.remote import fetch, is_url
from pipeline.batch.store import Layer, Store
from pipeline.encoder import NONE
from pipeline.errors import BusyError, StorageError, UsageError
from pipeline.language import Parser
from pipeline.settings import Settings, assigned, resolve
from pipeline.stage import dependants, installed, needed_by, with_needs

if TYPE_CHECKING:
    from spacy.tokens import Doc
_PLANNING = 3600
"""Seconds a command for some shards waits for another that makes the plan."""
_PART = "part-"
"""Prefix of the locks of commands that do some shards of the run."""


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
        self.out = local(out)
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
    new_settings: bool = False,
    observer: Observer | None = None,
) -> Result:
    """Read every story of ``inputs`` into ``out``, or finish the run that was begun there.

    ``stages`` (default: all installed) are run with the stages they need. A run that was begun is gone on with under
    the settings it was begun with, or ``new_settings`` makes it anew. Raises :class:`UsageError`,
    :class:`StorageError`, :class:`BusyError`, :class:`Interrupted` or, with ``fail_fast``, :class:`FailedFast`.
    """
    job, given = _job(inputs, out, settings, stages, fail_fast, observer)
    with _held(job.out), job.stoppable():
        _refuse_other(job, given, new_settings)
        _plan(job, given)
        return job.finish(_keys(job.settings, job.names, job.parser), set())


def run_shards(
    shards: str,
    inputs: Sequence[str | Path],
    out: str | Path,
    *,
    settings: Settings | None = None,
    stages: Sequence[str] | None = None,
    new_settings: bool = False,
    observer: Observer | None = None,
) -> Part:
    """Do some shards of a run, as one of several commands at once over the same folder, on one machine or many.

    ``shards`` is ``0-99`` or ``0-9,17``, or ``3/10`` for every tenth from the third on, counted from 0. The first
    command to come makes the plan. :func:`run` over the same inputs does what is left and joins. Raises as
    :func:`run` does.
    """
    wanted = _numbers(shards)
    job, given = _job(inputs, out, settings, stages, False, observer)
    with ExitStack() as stack:
        with _held(job.out, wait=_PLANNING, parts=False):
            stack.enter_context(_locked(job.out / "work" / f"{_PART}{shards.replace('/', 'of')}", job.out))
            stack.enter_context(job.stoppable())
            _refuse_other(job, given, new_settings)
            manifest = read_manifest(job.out) if (job.out / "run.json").exists() else {}
            if manifest.get("state") == "running" and (job.out / "work" / "plan.json").exists():
                job.plan = job.store.read_plan()
            else:
                _plan(job, given)
        keys = _keys(job.settings, job.names, job.parser)
        return job.part(keys, wanted(len(job.plan.shards)))


def _job(
    inputs: Sequence[str | Path],
    out: str | Path,
    settings: Settings | None,
    stages: Sequence[str] | None,
    fail_fast: bool,
    observer: Observer | None,
) -> tuple[Job, list[str]]:
    settings = settings or resolve({}, "defaults")
    names = with_needs(list(installed()) if stages is None else stages)
    folder = local(out)
    given = [str(i) for i in inputs]
    if not given:
        raise UsageError("nothing to read", "Name a file or folder with stories")
    for path in given:
        if not is_url(path) and not os.path.lexists(path):
            raise UsageError(f"there is no file or folder {path}", "Check the path")
    return Job(folder, settings, names, Parser(settings.model, settings.encoder), fail_fast, observer or Quiet()), given


def _plan(job: Job, given: Sequence[str]) -> None:
    job.state("running", given, begun=True)
    local = [fetch(i, job.store.work) if is_url(i) else i for i in given]
    job.plan = make_plan(job.store, given, local, job.settings, [*job.names, *job.sections()], job.refused)


def _numbers(text: str) -> Callable[[int], list[int]]:
    """What ``--shards`` names, of so many shards. Raises :class:`UsageError`."""
    if match := re.fullmatch(r"(\d{1,9})/(\d{1,9})", text):
        first, step = int(match[1]), int(match[2])
        if first < step:
            return lambda count: list(range(first, count, step))
    elif re.fullmatch(r"\d{1,9}(-\d{1,9})?(,\d{1,9}(-\d{1,9})?)*", text):
        pairs = [part.partition("-") for part in text.split(",")]
        ranges = [range(int(a), int(b or a) + 1) for a, _, b in pairs]
        if all(ranges):
            return lambda count: [n for n in range(count) if any(n in r for r in ranges)]
    raise UsageError(f"--shards {text!r} names no shards", "Say 0-99, or 0-9,17, or 3/10 for every tenth from 3 on")


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
    made_with = _known(manifest["settings"], recorded)
    if (settings.model, settings.encoder) != (made_with["model"], made_with["encoder"]):
        raise UsageError("another language model means parsing again", "Use copydesk run with a new folder")
    readers = [name for name in dependants(stage) if name in recorded]
    again = [stage] if only else [stage, *readers]
    before = old.settings(())
    for name in recorded:
        if name not in again and settings.stages.get(name) != before.stages.get(name):
            raise UsageError(
                f"a rerun of {stage} does not run {name} again, whose settings you change",
                f"Run it first: copydesk rerun {name} {out} --set ...",
            )
    folder = old.out
    with ExitStack() as stack:
        stack.enter_context(_held(folder))
        if new is not None:
            folder = local(new)
            if folder.exists() and any(folder.iterdir()):
                raise UsageError(f"{folder} is not empty", "Name a new folder with -o")
            stack.enter_context(_held(folder))
            _copy(old.out, folder)
        # Names in order: a run keeps the stages it was made with, whatever is installed by now.
        names = [name for name in installed() if name in recorded]
        job = Job(folder, settings, names, Parser(settings.model, settings.encoder), False, observer or Quiet())
        stack.enter_context(job.stoppable())
        job.plan = job.store.read_plan()
        job.intact()
        keys = {name: recorded[name]["key"] for name in names}
        keys["parse"] = manifest["model"]["key"]
        for name in again:
            keys[name] = settings.stage(name).key({n: keys[n] for n in ("parse", *needed_by(installed()[name]))})
        stale = _stale(settings, recorded, keys, {*again, *readers})
        job.state("running", manifest["inputs"])
        return job.finish(keys, stale, before=old.out / "documents.jsonl")


def open_run(out: str | Path) -> Run:
    """The run in a folder."""
    return Run(out)


def _known(settings: Mapping[str, Any], recorded: Mapping[str, Any]) -> dict[str, Any]:
    sections = {"model", "encoder", "run", "read", *recorded}
    known = {name: value for name, value in settings.items() if name in sections and value is not None}
    return {"encoder": NONE, **known}  # runs of before there were encoders do not name one


def _keys(settings: Settings, names: Sequence[str], parser: Parser) -> dict[str, str]:
    keys = {"parse": parser.key()}
    for name in names:
        keys[name] = settings.stage(name).key({n: keys[n] for n in ("parse", *needed_by(installed()[name]))})
    return keys


def _stale(settings: Settings, recorded: Mapping[str, Any], keys: Mapping[str, str], touched: set[str]) -> set[str]:
    """Stages whose layer is not the one they would make of what the others make now.

    Only ``touched`` stages and what was stale before are asked: what a newer copydesk would make of the same is no
    concern of a rerun.
    """
    asked = touched | {name for name, facts in recorded.items() if facts.get("stale")}
    now = dict(keys)
    for name in installed():
        if name in asked & keys.keys():
            now[name] = settings.stage(name).key({n: now[n] for n in ("parse", *needed_by(installed()[name]))})
    return {name for name in asked & keys.keys() if now[name] != keys[name]}


@contextmanager
def _held(out: Path, wait: float = 0, parts: bool = True) -> Iterator[None]:
    """Hold the folder against other runs; make it if need be. With ``parts``, against work on its shards too."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file", "Name a folder with -o")
    if out.is_dir() and any(out.iterdir()) and not (out / "run.json").exists() and not (out / "work").exists():
        raise UsageError(f"{out} holds other things than a run", "Name a new or empty folder with -o")
    with storage(out):
        (out / "work").mkdir(parents=True, exist_ok=True)
    with _locked(out / "work" / "lock", out, wait), ExitStack() as stack:
        if parts:
            for path in sorted((out / "work").glob(f"{_PART}*")):
                stack.enter_context(_locked(path, out))
            sweep(out)
        yield


@contextmanager
def _locked(path: Path, out: Path, wait: float = 0) -> Iterator[None]:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=wait)
    except Timeout:
        raise BusyError(f"another run is at work in {out}", "Wait for it, or choose another folder") from None
    except OSError as error:
        raise StorageError(f"cannot write {out}: {error.strerror or error}", "Choose another folder with -o") from error
    try:
        yield
    finally:
        lock.release()


def _refuse_other(job: Job, inputs: Sequence[str], new_settings: bool) -> None:
    """Raise where the folder holds a run over other stories, under other settings, or of a newer copydesk."""
    if not (job.out / "run.json").exists():
        return
    try:
        manifest = read_manifest(job.out)
    except StorageError:
        job.warn("run.json", damage("run.json"))
        return
    before = manifest.get("inputs")
    if before is not None and _places(before) != _places(inputs):
        more = f" and {len(before) - 3} more" if len(before) > 3 else ""
        raise UsageError(
            f"{job.out} holds a run over {', '.join(before[:3])}{more}",
            "Choose another folder with -o, or remove that one",
        )
    changed = _changed(manifest.get("begun", manifest.get("settings", {})), job.settings.to_dict())
    if changed and not new_settings:
        raise UsageError(
            f"the run in {job.out} was begun with other settings: {', '.join(changed)}",
            "Give those, or choose another folder with -o, or copydesk rerun for one stage of a finished run, "
            "or --new-settings to make the run anew with these",
        )


def _places(inputs: Sequence[str]) -> list[str]:
    return [path if is_url(path) else os.path.abspath(path) for path in inputs]


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Settings that decide a byte and are not what they were, as ``name = old, now new``."""
    found = []
    for section, value in before.items():
        if section == "run" or section not in now:
            continue
        old, new = (v if isinstance(v, Mapping) else {"": v} for v in (value, now[section]))
        for key in old:
            if key in new and old[key] != new[key]:
                found.append(f"{section}{'.' * bool(key)}{key} = {old[key]!r}, now {new[key]!r}")
    return found


def _copy(old: Path, new: Path) -> None:
    """Start a run from another's plan and layers; files are replaced, never changed, so links do."""
    for path in sorted((old / "work").rglob("*")):
        target = new / path.relative_to(old)
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        elif path.name != "lock" and not path.name.startswith(_PART):
            with storage(target):
                try:
                    os.link(path, target)
                except OSError:
                    shutil.copy2(path, target)
