"""Sentences for the eye: the stretch of a story in which an annotation is shown. No parse is needed."""

from __future__ import annotations

import re

_END = re.compile(r"[.!?…][\"'”’)\]]*\s+(?=[\"'“‘(\[]*[^\W_a-z])")
_SHORT = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|Rev|Hon|St|Sr|Jr|Gen|Lt|Col|Maj|Capt|Sgt|Cmdr|Adm|Sen|Rep|Gov|Pres|Inc|Ltd|Co|Corp|No|vs"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)|(?:^|[\s(.\"“])[A-Z])\.[\"'”’)\]]*\s+$"
)
LONGEST = 1000
"""Characters of context at most, so that a story without full stops is not shown whole at every change."""


def around(text: str, paragraphs: list[tuple[int, int]], start: int, end: int) -> tuple[int, int]:
    """Range of the sentences that ``[start, end)`` lies in, within its paragraphs; at most :data:`LONGEST` unless it
    is longer itself."""
    left, right = start, end
    for first, last in paragraphs:
        if first < end and start < last:
            left, right = min(left, first), max(right, last)
    edges = [m.end() for m in _END.finditer(text, left, right) if not _SHORT.search(text, left, m.end())]
    first = max((edge for edge in edges if edge <= start), default=left)
    last = min((edge for edge in edges if edge >= end), default=right)
    room = max((LONGEST - (end - start)) // 2, 0)
    first, last = max(first, start - room), min(last, end + room)
    return first, max(first + len(text[first:last].rstrip()), end)
