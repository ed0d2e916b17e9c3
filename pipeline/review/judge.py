"""Which changes are gains and which losses, by gold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.review.evaluate import paths_of
from pipeline.review.gold import CLASSES, Story, story
from pipeline.review.scoring import (
    closure,
    folded,
    match_quotes,
    match_timexes,
    right_source,
    trim,
    trimmed,
    trimmed_quote,
)

if TYPE_CHECKING:
    from pipeline.review.changes import Item, Row

Rank = tuple[bool, int]
"""Whether an annotation counts as right for its stage's headline figure, and how right it is beyond that."""


class Judge:
    """How right the annotations of both documents are, by gold."""

    def __init__(self, gold: Story, old: Row, new: Row) -> None:
        self.gold = gold
        self.text = str(old["text"])
        self.stories = (story(old), story(new))
        self.ranks: dict[str, tuple[list[Rank | None], list[Rank | None]]] = {}
        self.names = trimmed(self.text, gold.names or ())
        self.rows = (old, new)

    def verdict(self, section: str, one: Item | None, other: Item | None) -> str | None:
        """Gain, loss, or None where gold does not tell or it is as right or wrong as before."""
        before = self._rank(section, 0, one) if one is not None else None
        after = self._rank(section, 1, other) if other is not None else None
        if one is None or other is None:
            rank = after if one is None else before
            if rank is None:
                return None
            return "gain" if rank[0] == (one is None) else "loss"
        if section == "topics" and other.at != 0:
            return None  # of a topic that gives up the first place and the one that takes it, the latter is judged
        if before is None or after is None or before == after:
            return None
        return "gain" if after > before else "loss"

    def _rank(self, section: str, side: int, item: Item) -> Rank | None:
        if section == "entities":
            return self._name(item)
        measure = {
            "dates": self._dates,
            "quotes": self._quotes,
            "attributions": self._attributions,
            "topics": self._topics,
        }.get(section)
        if measure is None:
            return None
        if section not in self.ranks:
            self.ranks[section] = (measure(0), measure(1))
        return self.ranks[section][side][item.at]

    def _name(self, item: Item) -> Rank | None:
        label = CLASSES.get(str(item.facts["label"]).casefold())
        if self.gold.names is None or label is None or item.facts.get("kind", "name") != "name":
            return None
        span = trim(self.text, item.start or 0, item.end or 0)
        return (*span, label) in self.names, 0

    def _dates(self, side: int) -> list[Rank | None]:
        found, gold = self.stories[side].timexes or (), self.gold.timexes
        if gold is None:
            return [None] * len(found)
        ranks: list[Rank | None] = [(False, 0)] * len(found)
        for a, b in match_timexes(gold, found):
            x, y = gold[a], found[b]
            ranks[b] = (x.value == y.value, 1 + (x.type == y.type) + (x[:2] == y[:2]))
        return ranks

    def _quotes(self, side: int) -> list[Rank | None]:
        found, gold = self.stories[side].quotes or (), self.gold.quotes
        if gold is None:
            return [None] * len(found)
        # A belief that gold does not have is neither right nor wrong, as in the figures.
        ranks: list[Rank | None] = [(False, 0) if quote.speech else None for quote in found]
        for a, b in match_quotes(self.text, gold, found):
            ranks[b] = (True, trimmed_quote(self.text, gold[a]) == trimmed_quote(self.text, found[b]))
        return ranks

    def _attributions(self, side: int) -> list[Rank | None]:
        row, found, gold = self.rows[side], self.stories[side].quotes or (), self.gold.quotes
        numbers = {quote["id"]: n for n, quote in enumerate(row.get("quotes", ()))}
        ranks: list[Rank | None] = [None] * len(row.get("attributions", ()))
        if gold is None or not self.gold.sources:
            return ranks
        matched = {b: gold[a] for a, b in match_quotes(self.text, gold, found)}
        for n, attribution in enumerate(row.get("attributions", ())):
            b = numbers.get(attribution["quote"], -1)
            if b in matched:
                x, y = matched[b], found[b]
                ranks[n] = (right_source(x, y), bool(x.name) and folded(x.name) == folded(y.name))
        return ranks

    def _topics(self, side: int) -> list[Rank | None]:
        found, gold = self.stories[side].topics or (), self.gold.topics
        if gold is None:
            return [None] * len(found)
        paths = paths_of(self.gold, self.stories[side])
        every = closure(gold, paths)
        main = [paths.get(code, (code,))[0] for code in gold[:1]]
        first = [paths.get(code, (code,))[0] for code in found[:1]] == main
        return [(code in every, first) for code in found]
