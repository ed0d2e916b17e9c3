"""IPTC 7901 and ANPA 1312: the satellite and teleprinter formats, text framed by control bytes.

    SOH  source, number, priority, category, words, slug    STX  the text    ETX  day and time    EOT

A file may hold one message or many. Framing and typesetting bytes are no text; line ends become ``\\n``, and an
indented line, which is how these formats begin a paragraph, is parted from the one before by a blank line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pipeline.errors import StoryError
from pipeline.readers.decode import Decoded, decode
from pipeline.readers.found import Copy, File, Found
from pipeline.readers.nitf import byline
from pipeline.readers.wire import agency_of

FORMAT = "iptc7901"
_SOH, _STX, _ETX, _EOT = b"\x01", b"\x02", b"\x03", b"\x04"
HEAD = 65_536
"""Bytes of a file by which it is known."""
_IDLE = b"\x00\x16\x7f\r\n \t"
"""Bytes sent between messages."""
_HEADER = re.compile(
    r"(?P<source>[A-Za-z]{1,6}?)\s?(?P<number>\d{1,4})[ \x1f]+(?P<priority>\d)[ ]+(?P<category>\w{1,3})"
    r"[ ]+(?P<words>\d{1,5})?[ ]*(?P<slug>[^\r\n]*)"
)
_ANPA = re.compile(
    r"(?P<service>[A-Za-z])(?P<number>\d{4})[ \x1f\r\n]*(?P<priority>[A-Za-z]) ?(?P<category>[A-Za-z])[ \x13\x14]?"
)
_ANPA_END = re.compile(r"\d{1,2}-\d{1,2}[ ]\d{4}\Z")
"""Day and words, at the end of an ANPA header."""
_ANPA_BREAKS = " \x13\x14\x1f\r\n"
"""What parts the fields of an ANPA header; a slug may hold the first."""
_TIME = re.compile(
    r"\b(?P<day>\d\d)(?P<hour>\d\d)(?P<minute>\d\d)[ ]?(?P<zone>GMT|UTC|Z)?[ ](?P<month>[A-Za-z]{3})"
    r"[ ](?P<year>\d\d(?:\d\d)?)\b"
)
_ESCAPE = re.compile("\x1b[^a-zA-Z]{0,8}[a-zA-Z]?")
_TYPESETTING = re.compile("[\x00-\x08\x0b\x0e-\x17\x19\x1a\x7f]")
_SEPARATORS = re.compile("[\x18\x1c-\x1f]")
_LINE_END = re.compile("\r*\n|\r+|\x0c")
_SLUG = re.compile(r"(?:BC|AM|PM|AP)-\S.*|[^ ]+--[^ ]+.*")


def is_framed(data: bytes) -> bool:
    """Whether a file begins with a message's header."""
    return data[:4096].lstrip(_IDLE).startswith(_SOH) and _STX in data[:HEAD]


def read(file: File) -> Iterator[Found]:
    """The messages of a file."""
    messages = file.data.split(_SOH)[1:]
    alone = len(messages) == 1
    for n, message in enumerate(messages, 1):
        number = None if alone else n
        try:
            yield _message(file, message, number)
        except StoryError as error:
            yield file.fail(error, file.id(number))


def _message(file: File, message: bytes, number: int | None) -> Found:
    header, stx, rest = message.partition(_STX)
    if not stx:
        raise StoryError("E_FRAME", "a message without a text (no STX)")
    ends = [at for at in (rest.find(_ETX), rest.find(_EOT)) if at >= 0]
    if not ends:
        raise StoryError("E_FRAME", "a message cut short (no ETX)")
    end = min(ends)
    decoded = decode(rest[:end], file.settings.encoding)
    meta = _header(_text(header))
    after = _text(rest[end + 1 :].split(_EOT)[0])
    if time := _time(after) or _time(decoded.text[-80:]):
        meta["published"] = time
    copy = _copy(decoded, meta)
    source = file.source(FORMAT, decoded, number)
    return copy.found(file, source, file.id(number), decoded.warnings, headed=not meta.get("headline"))


def _text(data: bytes) -> str:
    return data.decode("cp1252", "replace")


def _header(header: str) -> dict[str, Any]:
    header = header.strip(" \r\n\x00\x16")
    slug: str | None
    found = _HEADER.match(header)
    if found is not None:
        # Lines between header and text carry the rest of the slug.
        slug = " ".join([found["slug"], *header[found.end() :].split()])
        fields = {
            "agency": agency_of(found["source"]),
            "urgency": int(found["priority"]),
            "category": found["category"],
        }
    else:
        found = _ANPA.match(header)
        slug = _anpa_slug(header[found.end() :]) if found else None
        fields = {"category": found["category"]} if found and slug is not None else {}
    fields["slug"] = _SEPARATORS.sub(" ", _TYPESETTING.sub("", slug or "")).strip(" /")
    return {key: value for key, value in fields.items() if value}


def _anpa_slug(rest: str) -> str | None:
    """The slug of an ANPA header after its category; None where the rest is no ANPA."""
    rest = rest.rstrip()
    end = _ANPA_END.search(rest, max(len(rest) - len("12-31 0000"), 0))
    slug = rest[: end.start() if end else None].rstrip(_ANPA_BREAKS)
    return None if set(slug) & set(_ANPA_BREAKS[1:]) else slug


def _time(text: str) -> str | None:
    found = _TIME.search(text)
    if found is None:
        return None
    day, hour, minute, year = (int(found[key]) for key in ("day", "hour", "minute", "year"))
    month = "janfebmaraprmayjunjulaugsepoctnovdec".find(found["month"].lower())
    if month < 0 or month % 3:
        return None
    # The formats began in 1979; two figures of a year below 70 are of this century.
    year += 0 if year > 99 else 2000 if year < 70 else 1900
    try:
        when = datetime(year, month // 3 + 1, day, hour, minute)
    except ValueError:
        return None
    return when.isoformat(timespec="minutes") + ("+00:00" if found["zone"] else "")


def _copy(decoded: Decoded, meta: dict[str, Any]) -> Copy:
    text = _SEPARATORS.sub(" ", _TYPESETTING.sub("", _ESCAPE.sub("", decoded.text)))
    blocks: list[list[str]] = [[]]
    authors: list[str] = []
    heads = 0
    for line in _LINE_END.split(text):
        if line.startswith("^"):
            heads += _head(line.strip(" ^<=\t"), heads, meta, authors)
        elif not line.strip():
            blocks.append([])
        elif line.startswith(("\t", "  ")) and blocks[-1]:
            blocks.append([line.strip()])
        else:
            blocks[-1].append(line.strip())
    if authors:
        meta["byline"] = ", ".join(authors)
    return Copy(["\n".join(block) for block in blocks if block], meta)


def _head(line: str, heads: int, meta: dict[str, Any], authors: list[str]) -> int:
    """A heading line of ANPA, begun by a caret: slug, headline, note to editors or byline."""
    if not line:
        return 0
    if heads == 0 and _SLUG.fullmatch(line):
        meta["slug"] = line
    elif re.match(r"eds?:", line, re.IGNORECASE):
        meta["note"] = line[line.index(":") + 1 :].strip()
    elif authors or re.match(r"by\b", line, re.IGNORECASE):
        authors.append(byline(line))
    elif "headline" in meta:
        meta["headline"] += f" {line}"
    else:
        meta["headline"] = line
    return 1
