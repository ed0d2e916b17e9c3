"""Inputs and outputs that are URLs (extra ``remote``): stories are fetched into the run's folder, results copied out.

Any address fsspec knows will do: ``s3://``, ``gs://``, ``az://``, ``https://``, ``sftp://``, ``zip://`` ... The run
itself works on files of a folder, because only they can be replaced whole and made sure of.
"""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from pipeline.batch.files import atomic, write_atomic
from pipeline.errors import CopydeskError, StorageError, UsageError

_CHUNK = 1 << 20
_LAST = "run.json"


def is_url(given: str) -> bool:
    """Whether an input or output is an address and no path of this machine."""
    return "://" in given


def fetch(url: str, work: Path) -> Path:
    """Copy the file or folder at ``url`` below ``work`` and return where it lies, with its own name.

    What was fetched before and has not changed there is not fetched again. Raises :class:`UsageError` where there is
    nothing at the address, :class:`StorageError` where it cannot be read.
    """
    fs, path = _open(url)
    folder = work / "fetched" / hashlib.sha256(url.encode()).hexdigest()[:16]
    root = folder / (PurePosixPath(path).name or "stories")
    try:
        found = {path: fs.info(path)} if fs.isfile(path) else fs.find(path, detail=True)
        if not found:
            raise UsageError(f"there is no file or folder {url}", "Check the address")
        index = folder / "index.json"
        before = orjson.loads(index.read_bytes()) if index.exists() else {}
        now = {}
        for name in sorted(found):
            target = root / _within(name, path, url)
            # fsspec's mark of a version: an ETag, or a digest of size and time.
            now[name] = str(fs.ukey(name))
            if before.get(name) != now[name] or not target.exists():
                with fs.open(name, "rb") as file, atomic(target) as copy:
                    while chunk := file.read(_CHUNK):
                        copy.write(chunk)
        for gone in sorted({p for p in root.rglob("*") if p.is_file()} - {root / _within(n, path, url) for n in found}):
            gone.unlink()
        write_atomic(index, orjson.dumps(now))
    except CopydeskError:
        raise
    except Exception as error:  # each kind of store has errors of its own
        raise StorageError(f"{url} cannot be read: {error}", "Check the address and your right to read it") from error
    return root


def publish(out: Path, url: str) -> int:
    """Copy the files of a finished run (not its work folder) to ``url``, run.json last, and return how many.

    Raises :class:`StorageError` where they cannot be written there.
    """
    fs, path = _open(url)
    files = sorted((p for p in out.iterdir() if p.is_file()), key=lambda p: (p.name == _LAST, p.name))
    try:
        fs.makedirs(path, exist_ok=True)
        for file in files:
            fs.put_file(str(file), f"{path.rstrip('/')}/{file.name}")
    except Exception as error:
        cure = "The run itself is whole: check the address and your right to write, then give the same command again"
        raise StorageError(f"{url} cannot be written: {error}", cure) from error
    return len(files)


def _within(name: str, path: str, url: str) -> Path:
    """The path of a fetched file below its root; what would lead out of it is refused."""
    parts = PurePosixPath(name[len(path) :].lstrip("/")).parts
    if ".." in parts:
        raise UsageError(f"{url} holds a file named {name!r}, which leads out of its folder", "Rename it there")
    return Path(*parts)


def _open(url: str) -> tuple[Any, str]:
    try:
        import fsspec.core

        fs, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        cure = "Install it with: pip install 'copydesk[remote]', and for s3, gs or az also s3fs, gcsfs or adlfs"
        raise UsageError(f"{url} cannot be opened: {error}", cure) from error
    except ValueError as error:
        raise UsageError(f"{url} cannot be opened: {error}", "Check the address") from error
    return fs, str(path)
