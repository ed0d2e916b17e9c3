"""Learned weights of the quotes stage: how sure a cue and its content are, and where a content ends (card.md)."""
