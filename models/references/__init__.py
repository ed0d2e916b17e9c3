"""Learned weights of the choice among actors that a pronoun or noun phrase may stand for (card.md)."""
