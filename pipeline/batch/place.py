"""Where results may be written: on this machine, and over nothing that is not theirs to replace."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import orjson

from pipeline.batch.remote import is_url
from pipeline.errors import UsageError
from pipeline.readers.discover import readable

OURS = ("documents.jsonl", "failures.jsonl", "skipped.jsonl", "run.json")
"""Files of a run's folder, beside its ``work``."""
PAGE_BEGINS = re.compile(rb"<!doctype html>")
MODEL_BEGINS = re.compile(rb'\{\s*"topics-model":')
"""What pages, and what is learned of topics, begin with."""
_HEAD = 4096
"""Bytes of a file that show what it is."""
# Two letters or more, so that C:/ is a path; Path makes one slash of several.
_ADDRESS = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]+:)+/")


def local(given: str | Path) -> Path:
    """The path of an output. Raises :class:`UsageError` for an address such as ``s3://bucket/run``."""
    path = Path(given)
    if (found := _ADDRESS.match(str(given))) and ("://" in str(given) or not Path(found[0]).exists()):
        raise UsageError(
            f"{given} is an address, where a path of this machine is needed",
            "Name a path; to copy a finished run to an address, give copydesk run --publish ADDRESS",
        )
    return path


def protect(path: Path, begins: re.Pattern[bytes], source: Path | None = None) -> None:
    """Raise :class:`UsageError` where writing the file ``path`` would destroy what is no earlier form of it.

    That is: what a run keeps in its folder, ``source`` (the run or the file read now) and the stories that run was
    made from, a pipe or device, and any file that does not begin as ``begins`` says ours do.
    """
    there, read = path.resolve(), source.resolve() if source is not None else None
    if there == read and path.is_file():
        raise UsageError(f"{path} is what is read", "Choose another place with -o")
    if there == read or any(_keeps(folder, there, read) for folder in there.parents):
        raise UsageError(f"{path} belongs to the run itself", "Choose another place with -o")
    if not path.exists() or path.is_dir():
        return
    if not path.is_file():
        raise UsageError(f"{path} is no file", "Name one with -o")
    if read is not None and _was_read(there, read):
        raise UsageError(f"{path} is one of the stories that {source} was made from", "Choose another place with -o")
    with open(path, "rb") as file:
        head = file.read(_HEAD)
    if head and not begins.match(head):
        cure = "Choose another place with -o, or remove that file"
        raise UsageError(f"{path} is there and is nothing that this command made", cure)


def _keeps(folder: Path, path: Path, read: Path | None) -> bool:
    if folder != read and not (folder / "run.json").is_file():
        return False
    first, *more = path.relative_to(folder).parts
    return first == "work" or (not more and first in OURS)


def _was_read(path: Path, run: Path) -> bool:
    try:
        inputs = orjson.loads((run / "run.json").read_bytes())["inputs"]
    except (OSError, ValueError, KeyError):
        return False
    for root in (Path(given).resolve() for given in inputs if not is_url(given)):
        if path == root or (root in path.parents and _tells_of(run, readable(path.relative_to(root).as_posix()))):
            return True
    return False


def _tells_of(run: Path, name: str) -> bool:
    """Whether a row of the run is of the file ``name``, or of a member of that archive."""
    begins = b'"path":' + orjson.dumps(name)[:-1]
    for file in OURS[:-1]:
        with suppress(OSError), open(run / file, "rb") as lines:
            if any(begins + b'"' in line or begins + b"/" in line for line in lines):
                return True
    return False
