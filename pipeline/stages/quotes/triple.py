"""What finding hands to joining: a cue, a source and the parts of a content, as token ranges.

Rules on the parse make these here; a tagger that labels cue, source and content can make them as well, and joining
need not know which did.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Range = tuple[int, int]
"""Tokens ``[first, past the last)``."""


@dataclass
class Triple:
    """One attribution as found: who, by which words, what."""

    head: int
    """Token the cue turns on; -1 where there is no cue."""
    cue: Range | None
    source: Range | None
    parts: list[Range]
    lemma: str | None
    kind: str
    frame: str
    weight: float
    negative: bool = False
    holds: bool = False
    """Whether what is attributed inside its content is a part of it, however sure."""
    cues: list[Range] = field(default_factory=list)

    @property
    def first(self) -> int:
        """First token of the content."""
        return self.parts[0][0]

    @property
    def last(self) -> int:
        """One past the last token of the content."""
        return self.parts[-1][1]

    @property
    def size(self) -> int:
        """Tokens of content."""
        return sum(b - a for a, b in self.parts)
