"""Subjects as providers give them, with the IPTC's qcode where one can be told."""

from __future__ import annotations

import re

_SCHEMES = {"mediatopic": "medtop", "subjectcode": "subj"}
_IPTC = re.compile(r"https?://cv\.iptc\.org/newscodes/([a-z]{3,40})/([\w.-]{1,60})/?")
_QCODE = re.compile(r"[A-Za-z][\w.-]{0,40}:[^\s:]\S{0,120}")


def subject(
    code: str | None = None, uri: str | None = None, name: str | None = None, qcode: str | None = None
) -> dict[str, str]:
    """A subject with its known fields; empty if there are none.

    ``code`` is a bare number: 20000639 is a Media Topic, 04011000 a code of the older Subject Codes.
    """
    if not qcode and code and _QCODE.fullmatch(code):
        qcode = code
    if not qcode and code and re.fullmatch(r"\d{8}", code):
        qcode = f"{'medtop' if code.startswith('20') else 'subj'}:{code}"
    if not qcode and uri and (found := _IPTC.fullmatch(uri)):
        qcode = f"{_SCHEMES.get(found[1], found[1])}:{found[2]}"
    fields = {"qcode": qcode, "uri": uri, "name": name or (code if not qcode else None)}
    return {key: value.strip() for key, value in fields.items() if value and value.strip()}


def uri_of(qcode: str | None) -> str | None:
    """The IRI of a code of the IPTC's Media Topics or Subject Codes; None for any other.

    >>> uri_of("medtop:20000639")
    'http://cv.iptc.org/newscodes/mediatopic/20000639'
    """
    alias, _, code = (qcode or "").partition(":")
    names = {alias: name for name, alias in _SCHEMES.items()}
    return f"http://cv.iptc.org/newscodes/{names[alias]}/{code}" if alias in names and code else None
