"""Files that are either whole or not there: temporary file, fsync, rename, fsync of the folder."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pipeline.errors import StorageError

TEMPORARY = ".part-"
"""Prefix of files being written; one that is left over belongs to a run that was killed."""


class Digesting:
    """A file being written, with the digest and size of what went in."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.bytes = 0

    def write(self, data: bytes) -> None:
        """Append ``data``."""
        self._file.write(data)
        self._digest.update(data)
        self.bytes += len(data)

    @property
    def sha256(self) -> str:
        """Digest of everything written so far."""
        return self._digest.hexdigest()


@contextmanager
def atomic(path: Path) -> Iterator[Digesting]:
    """Write ``path`` whole or not at all; it replaces what is there when the block ends without error.

    Raises :class:`StorageError` when the disk is full or the folder cannot be written.
    """
    temporary = path.with_name(f"{TEMPORARY}{secrets.token_hex(6)}-{path.name}")
    try:
        with storage(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(temporary, "wb") as file:
                yield Digesting(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
            sync_folder(path.parent)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A name beside ``path`` under which to make a file or a folder; it becomes ``path`` when the block ends well.

    A folder takes the place of nothing or of an empty folder. Raises :class:`StorageError` as :func:`atomic` does.
    """
    temporary = path.with_name(f"{TEMPORARY}{secrets.token_hex(6)}-{path.name}")
    try:
        with storage(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            for file in [temporary] if temporary.is_file() else temporary.rglob("*"):
                if file.is_file():
                    with open(file, "rb+") as written:
                        os.fsync(written.fileno())
            os.replace(temporary, path)
            sync_folder(path.parent)
    finally:
        with suppress(OSError):
            shutil.rmtree(temporary, ignore_errors=True) if temporary.is_dir() else temporary.unlink(missing_ok=True)


@contextmanager
def storage(path: Path) -> Iterator[None]:
    """Turn an ``OSError`` of writing ``path`` into a :class:`StorageError` for people."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror or error}",
            "Free space or choose another folder with -o, then give the same command again: nothing is lost",
        ) from error


def write_atomic(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path``, whole or not at all."""
    with atomic(path) as file:
        file.write(data)


def keep(path: Path, at: Path) -> None:
    """Let the file at ``path`` be found at ``at`` too, whatever replaces it later. A link, else a copy."""
    temporary = at.with_name(f"{TEMPORARY}{secrets.token_hex(6)}-{at.name}")
    with storage(at):
        try:
            try:
                os.link(path, temporary)
            except OSError:
                shutil.copy2(path, temporary)
            os.replace(temporary, at)
        finally:
            # Left where the rename failed, and where both names were links to one file already (rename(2)).
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make renames in ``folder`` survive a power cut, where the system can."""
    with suppress(OSError, AttributeError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def digest(path: Path) -> str | None:
    """SHA-256 of a file's bytes; None if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def sweep(folder: Path) -> None:
    """Remove what killed runs left half written below ``folder``."""
    for path in folder.rglob(f"{TEMPORARY}*"):
        with suppress(OSError):
            path.unlink()
