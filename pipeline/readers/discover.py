"""What lies below the inputs, in a stable order, with what is passed over and why."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pipeline.errors import StoryError


@dataclass(frozen=True)
class Thing:
    """A file found (``error`` and ``skipped`` None), or what cannot be taken and why.

    ``name`` is its path within the input, with ``/``; bytes that are no UTF-8 are percent-escaped. ``size`` is what
    it takes on disk, packed. A member of an archive has an ``opener``.
    """

    path: Path
    name: str
    size: int = 0
    error: StoryError | None = None
    skipped: str | None = None
    opener: Callable[[], IO[bytes]] | None = None

    def open(self) -> IO[bytes]:
        """The file's bytes as a stream: of the file itself, or of a member of an archive."""
        return self.opener() if self.opener is not None else self.path.open("rb")


def walk(root: Path, exclude: Sequence[Path] = ()) -> Iterator[Thing]:
    """Every thing below ``root`` (or ``root`` itself, if it is a file), sorted by name within each folder.

    Links to folders are not followed. The folders ``exclude`` are passed over in silence.
    """
    away = {folder.resolve() for folder in exclude}
    if root.is_dir():
        yield from _folder(root, "", away)
    else:
        yield _thing(root, readable(root.name))


def readable(name: str) -> str:
    """A file name as text: bytes that are no UTF-8 as ``%XX``."""
    return "".join(f"%{ord(c) - 0xDC00:02X}" if 0xDC80 <= ord(c) <= 0xDCFF else c for c in name)


def _folder(folder: Path, prefix: str, away: set[Path]) -> Iterator[Thing]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: os.fsencode(entry.name))
    except OSError as error:
        yield Thing(folder, prefix.rstrip("/") or readable(folder.name), error=_unreadable(error))
        return
    for entry in entries:
        path, name = folder / entry.name, prefix + readable(entry.name)
        if entry.is_dir(follow_symlinks=False):
            if entry.name.startswith("."):
                yield Thing(path, name, skipped="hidden")
            elif path.resolve() not in away:
                yield from _folder(path, name + "/", away)
        elif entry.name.startswith("."):
            yield Thing(path, name, skipped="hidden")
        else:
            yield _thing(path, name)


def _thing(path: Path, name: str) -> Thing:
    try:
        facts = path.stat()
    except OSError as error:
        if path.is_symlink():
            return Thing(path, name, skipped="a symbolic link that leads nowhere")
        return Thing(path, name, error=_unreadable(error))
    if stat.S_ISDIR(facts.st_mode):
        return Thing(path, name, skipped="a symbolic link to a folder")
    if not stat.S_ISREG(facts.st_mode):
        # Opening a named pipe would wait for ever.
        return Thing(path, name, skipped="not a regular file")
    return Thing(path, name, facts.st_size)


def _unreadable(error: OSError) -> StoryError:
    return StoryError("E_IO", f"cannot be read: {error.strerror or error}")
