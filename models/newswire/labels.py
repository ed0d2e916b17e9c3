"""What the model's heads say of a word piece, in the order of their outputs."""

from __future__ import annotations

ENTITIES = ("PERSON", "ORG", "LOC", "FAC", "NORP", "MONEY", "PRODUCT", "MISC", "DATE")
QUOTES = ("SOURCE", "CUE", "CONTENT", "THOUGHT_CUE", "THOUGHT")
"""``CUE`` and ``CONTENT`` of what is said, written or asked; ``THOUGHT_CUE`` and ``THOUGHT`` of the rest (PolNeAR)."""
CLASS = {
    "Person": "PERSON",
    "PER": "PERSON",
    "Organization": "ORG",
    "Location": "LOC",
    "GPE": "LOC",
    "Facility": "FAC",
    "Money": "MONEY",
    "Product": "PRODUCT",
    "Misc": "MISC",
    "EVENT": "MISC",
    "WORK_OF_ART": "MISC",
    "LAW": "MISC",
    "Date": "DATE",
}
"""Other corpora's names of the classes."""
LINK = 64
"""Length of a link vector: which cue a content belongs to, which source a cue has."""


def tags(names: tuple[str, ...]) -> list[str]:
    """BIO tags: ``O``, then ``B-`` and ``I-`` of every name."""
    return ["O", *(f"{prefix}-{name}" for name in names for prefix in "BI")]
