"""Times as files give them, to ISO 8601."""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

_ISO = re.compile(r"\d{4}(-\d\d(-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?)?)?")
_BASIC = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)?)?(Z|[+-]\d\d:?\d\d)?")


def moment(value: Any) -> str | None:
    """An ISO 8601 day or time of ``value``; None if it is none that is known.

    Known are ISO 8601, extended or basic (``20250328T101500Z``, as in NITF), and RFC 2822 as in mail and RSS.
    """
    if not isinstance(value, str):
        return None
    text = value.strip()
    if _ISO.fullmatch(text):
        return text.replace(" ", "T")
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
    try:
        if hour is None:
            datetime.fromisoformat(iso)
            return iso
        iso += f"T{hour}:{minute}:{second or '00'}{zone or ''}"
        datetime.fromisoformat(iso)
    except ValueError:
        return None
    return iso
