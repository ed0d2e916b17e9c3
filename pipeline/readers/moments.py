"""Times as files give them, to ISO 8601."""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

_ISO = re.compile(r"\d{4}(-\d\d(-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?)?)?")
_UTC = re.compile(r"(?<=\d) ?(?:UTC|GMT)$")
_BASIC = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)?)?(Z|[+-]\d\d:?\d\d)?")


def moment(value: Any) -> str | None:
    """An ISO 8601 day or time of ``value``; None if it is none that is known.

    Known are ISO 8601, extended or basic (``20250328T101500Z``, as in NITF), and RFC 2822 as in mail and RSS.
    """
    if not isinstance(value, str):
        return None
    text = value.strip()
    iso = _UTC.sub("Z", text)
    if _ISO.fullmatch(iso):
        return iso.replace(" ", "T") if _exists(iso) else None
    if found := _BASIC.fullmatch(text):
        return _basic(found)
    try:
        when: datetime = parsedate_to_datetime(text)
        return when.isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _basic(found: re.Match[str]) -> str | None:
    year, month, day, hour, minute, second, zone = found.groups()
    iso = f"{year}-{month}-{day}"
    if hour is not None:
        iso += f"T{hour}:{minute}{f':{second}' if second else ''}{zone or ''}"
    return iso if _exists(iso) else None


def _exists(iso: str) -> bool:
    """Whether there is such a day and time."""
    try:
        datetime.fromisoformat(iso if len(iso) > 7 else f"{iso}-01-01"[:10])
    except ValueError:
        return False
    return True
