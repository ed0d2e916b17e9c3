"""Columns of a parse: what the rules ask of the tree, read once, so that they run over plain lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.tokens import Doc

    from pipeline.stages.quotes.marks import Region

QUOTED = 3
"""Fewest words in quotation marks that are taken as somebody's words: a cue inside of them is theirs."""


class Tree:
    """The tokens of a story by column, with its sentences and quoted regions as token ranges.

    A sentence never ends inside a quoted region nor right after one that a comma closes: the parser breaks
    sentences there, the desk does not.
    """

    def __init__(self, parse: Doc, paragraphs: list[tuple[int, int]], regions: list[Region]) -> None:
        self.text: str = parse.text
        tokens = list(parse)
        self.size = len(tokens)
        self.word = ["—" if t.text == "―" else t.text for t in tokens]
        self.lower = [w.lower() for w in self.word]
        self.lemma = [t.lemma_.lower() for t in tokens]
        self.pos = [t.pos_ for t in tokens]
        self.tag = [t.tag_ for t in tokens]
        self.dep = [t.dep_ for t in tokens]
        self.head = [t.head.i for t in tokens]
        self.left = [t.left_edge.i for t in tokens]
        self.right = [t.right_edge.i for t in tokens]
        self.start = [t.idx for t in tokens]
        self.end = [t.idx + len(w) for t, w in zip(tokens, self.word, strict=True)]
        self.children: list[list[int]] = [[] for _ in tokens]
        for i, h in enumerate(self.head):
            if h != i:
                self.children[h].append(i)
        self.region = self._regions(regions)
        long = [len(self.text[r.inner_start : r.inner_end].split()) >= QUOTED for r in regions]
        self.quoted = [n >= 0 and long[n] for n in self.region]
        self.paragraph = self._paragraphs(paragraphs)
        self._sentences([bool(t.is_sent_start) for t in tokens], regions)

    def _regions(self, regions: list[Region]) -> list[int]:
        """Index of the region a token lies in, or -1."""
        found = [-1] * self.size
        i = 0
        for n, region in enumerate(regions):
            while i < self.size and self.start[i] < region.start:
                i += 1
            while i < self.size and self.start[i] < region.end:
                found[i] = n
                i += 1
        return found

    def _paragraphs(self, paragraphs: list[tuple[int, int]]) -> list[int]:
        found = [0] * self.size
        n = 0
        for i, at in enumerate(self.start):
            while n + 1 < len(paragraphs) and at >= paragraphs[n + 1][0]:
                n += 1
            found[i] = n
        return found

    def _sentences(self, starts: list[bool], regions: list[Region]) -> None:
        """``first[i]`` and ``last[i]``: first and one-past-last token of the sentence of token ``i``."""
        self.first = [0] * self.size
        self.last = [self.size] * self.size
        begin = 0
        for i in range(1, self.size + 1):
            if i < self.size and not self._breaks(i, starts[i], regions):
                continue
            for k in range(begin, i):
                self.first[k], self.last[k] = begin, i
            begin = i

    def _breaks(self, i: int, start: bool, regions: list[Region]) -> bool:
        if self.paragraph[i] != self.paragraph[i - 1]:
            return True
        here, before = self.region[i], self.region[i - 1]
        if here >= 0 and here == before:
            return False
        previous = self.word[i - 1]
        k = i - 1
        # A few closing marks at most: walking back over a page of them from each would take its square in time.
        while k > max(0, i - 9) and (previous in _CLOSERS or previous.isspace()):
            k -= 1
            previous = self.word[k]
        if previous in _STOPS:
            if before >= 0 and here < 0:
                # "Who knows?" he asked: a mark that asks or cries does not end the sentence around it.
                follows = self.word[i][:1]
                return previous == "." or not (follows.islower() or (previous in "?!" and self._cue_like(i)))
            return True
        if here >= 0 and before < 0 and previous == ":":
            return False
        return start and not (before >= 0 and previous in (",", "—", "-", "…", "..."))

    def _cue_like(self, i: int) -> bool:
        """Whether a verb of saying with a short subject may follow at ``i``."""
        return any(self.lemma[k] in _ASKING for k in range(i, min(i + 7, self.size)))

    def root_path(self, i: int) -> list[int]:
        """Heads of token ``i``, nearest first."""
        path: list[int] = []
        while self.head[i] != i and len(path) < 60:
            i = self.head[i]
            path.append(i)
        return path

    def kids(self, i: int, *deps: str) -> list[int]:
        """Children of ``i`` with one of ``deps``, in order."""
        return [c for c in self.children[i] if self.dep[c] in deps]


_CLOSERS = frozenset({'"', "”", "''", "’’", "’", "'", ")", "]"})
_STOPS = frozenset({".", "!", "?", "…"})
_ASKING = frozenset({"say", "ask", "tell", "add", "wonder", "write", "reply", "shout", "tweet", "yell", "continue"})
