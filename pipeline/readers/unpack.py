"""Compressed files and zip archives, unpacked as they are read and never to disk.

What unpacks to more than 200 times its size is refused: news text packs to a third or a tenth. Members of archives
are named by data and never become paths; an archive within an archive is passed over.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any

from pipeline.errors import StoryError
from pipeline.readers.discover import Thing
from pipeline.readers.extras import needed

_RATIO = 200
_FREE = 4_000_000
"""Bytes unpacked before the ratio counts: short files of one letter pack very well."""
PACKED = (".gz", ".zst")
_FAULTS = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError)
"""What the standard library raises for broken or encrypted packing."""


def unpacked(stream: IO[bytes], size: int, suffix: str) -> IO[bytes]:
    """The unpacked bytes of a ``.gz`` or ``.zst`` stream of ``size`` bytes. Raises :class:`StoryError` E_EXTRA.

    Reading raises :class:`StoryError` E_PACKED where the packing is broken, E_TOO_LARGE where it is a bomb.
    """
    if suffix == ".gz":
        return _bounded(gzip.GzipFile(fileobj=stream), size, stream)
    needed("zstandard", "zstd", ".zst files")
    import zstandard

    # The window is what must be held to unpack; more than 128 MiB has to be asked for when packing, too.
    reader = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(stream, read_across_frames=True)
    return _bounded(reader, size, stream, (zstandard.ZstdError,))


def members(thing: Thing) -> Iterator[Thing]:
    """What lies in a zip archive, by name; each can be opened while the iteration goes on."""
    try:
        with zipfile.ZipFile(thing.path) as archive:
            # An entry may have no name at all, which is_dir() cannot take.
            entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
            if sum(entry.compress_size for entry in entries) > thing.size:
                raise StoryError("E_TOO_LARGE", "its entries lie over one another, as in a zip bomb")
            for entry in sorted(entries, key=lambda entry: entry.filename.encode("utf-8", "replace")):
                yield _member(archive, entry, thing)
    except _FAULTS as error:
        raise StoryError("E_PACKED", f"not a zip archive that can be read: {_short(error)}") from None


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, thing: Thing) -> Thing:
    name = f"{thing.name}/{entry.filename.encode('utf-8', 'replace').decode()}"
    if any(part.startswith(".") or part == "__MACOSX" for part in entry.filename.split("/") if part not in ("..", ".")):
        return Thing(thing.path, name, skipped="hidden")
    if entry.filename.lower().endswith(".zip"):
        return Thing(thing.path, name, skipped="an archive within an archive")
    if entry.flag_bits & 1:
        return Thing(thing.path, name, error=StoryError("E_PACKED", "it is encrypted"))
    return Thing(thing.path, name, entry.compress_size, opener=lambda: _open(archive, entry))


def _open(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> IO[bytes]:
    try:
        return _bounded(archive.open(entry), entry.compress_size)
    except _FAULTS as error:
        raise StoryError("E_PACKED", f"it cannot be unpacked: {_short(error)}") from None


def _bounded(
    source: Any, size: int, below: IO[bytes] | None = None, faults: tuple[type[Exception], ...] = ()
) -> IO[bytes]:
    return io.BufferedReader(_Bounded(source, max(size * _RATIO, _FREE), below, (*_FAULTS, *faults)), 1 << 16)


class _Bounded(io.RawIOBase):
    """A stream that ends in :class:`StoryError` when it gives more than ``limit`` bytes or its packing is broken."""

    def __init__(self, source: Any, limit: int, below: IO[bytes] | None, faults: tuple[type[Exception], ...]) -> None:
        self._source, self._left, self._below, self._faults = source, limit, below, faults

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data: bytes = self._source.read(len(buffer))
        except self._faults as error:
            raise StoryError("E_PACKED", f"it cannot be unpacked: {_short(error)}") from None
        self._left -= len(data)
        if self._left < 0:
            raise StoryError("E_TOO_LARGE", f"it unpacks to more than {_RATIO} times its size")
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._source.close()
            if self._below is not None:
                self._below.close()
        super().close()


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
