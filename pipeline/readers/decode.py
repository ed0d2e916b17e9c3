"""Bytes to text: byte-order mark, then strict UTF-8, then Windows-1252.

The order is the result: text that is valid UTF-8 by chance and something else in truth is vanishingly rare, and
statistical guessers mislabel short stories (a Windows-1252 curly quote comes back as Thai). Nothing is dropped: what
cannot stand in a document (NUL, lone surrogates, bytes Windows-1252 leaves undefined) becomes U+FFFD one for one.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from pipeline.errors import StoryError, UsageError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig", "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be", "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16-be"),
)
_SAMPLE = 8_192
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b") - {0x01, 0x02, 0x03, 0x04, 0x0E, 0x0F, 0x13, 0x16, 0x17})
"""Control bytes no text holds; those of IPTC 7901 framing are left out."""
_UNFIT = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Decoded:
    """A text, the encoding it was in, what decided that, and what had to be replaced."""

    text: str
    encoding: str
    by: str
    warnings: tuple[str, ...] = ()


def known(encoding: str) -> str:
    """The codec's own name. Raises :class:`UsageError` if there is no such encoding."""
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise UsageError(f"there is no encoding {encoding!r}", "Examples: utf-8, cp1252, utf-16") from None


def decode(data: bytes, encoding: str | None = None) -> Decoded:
    """The text of ``data``. Raises :class:`StoryError` E_BINARY for what is no text, E_DECODE for broken text."""
    if encoding is not None:
        return _strict(data, encoding, encoding, "option")
    for mark, name, codec in _BOMS:
        if data.startswith(mark):
            return _strict(data[len(mark) :], codec, name, "bom")
    if wide := _nul_pattern(data):
        return _strict(data, wide, wide, "nul-pattern")
    if _binary(data):
        raise StoryError("E_BINARY", "this is not text")
    try:
        return _cleaned(data.decode("utf-8"), "utf-8", "valid")
    except UnicodeDecodeError:
        return _cleaned(data.decode("cp1252", errors="replace"), "cp1252", "fallback")


def clean(text: str) -> tuple[str, tuple[str, ...]]:
    """``text`` with NULs and lone surrogates replaced one for one by U+FFFD, and a warning if there were any."""
    cleaned, count = _UNFIT.subn("\ufffd", text)
    return cleaned, (f"{count} characters that no text can hold were replaced by U+FFFD",) if count else ()


def _strict(data: bytes, codec: str, name: str, by: str) -> Decoded:
    try:
        return _cleaned(data.decode(codec), name, by)
    except UnicodeDecodeError as error:
        raise StoryError("E_DECODE", f"not valid {name} at byte {error.start}") from None


def _cleaned(text: str, name: str, by: str) -> Decoded:
    undefined = text.count("\ufffd") if by == "fallback" else 0
    text, warnings = clean(text)
    if undefined:
        warnings = (*warnings, f"{undefined} bytes that {name} does not define were replaced by U+FFFD")
    return Decoded(text, name, by, warnings)


def _nul_pattern(data: bytes) -> str | None:
    """UTF-16 without a mark: Latin letters leave every other byte NUL."""
    sample = data[:_SAMPLE]
    half = len(sample) // 2
    if half < 2 or len(data) % 2:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > 0.5 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.5 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


def _binary(data: bytes) -> bool:
    sample = data[:_SAMPLE]
    if sample.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF-", b"PK\x03\x04", b"\x1f\x8b")):
        return True
    return len(sample) - len(sample.translate(None, _CONTROLS)) > len(sample) / 10
