"""The extent of a content: where a clause, an object or a quoted region that belongs to a cue begins and ends.

The parser's subtrees are bent by quotation marks and long sentences, so a clause runs on to the end of its sentence
unless a verb of the cue's own level takes over, and no edge cuts a quoted region.
"""

from __future__ import annotations

from pipeline.stages.quotes import sources
from pipeline.stages.quotes.tree import Tree
from pipeline.stages.quotes.triple import Range

_CLAUSE = frozenset({"ccomp"})
_BREAKERS = frozenset({"according", "citing"})
_VENUES = frozenset({"in", "on", "at", "during", "to", "after", "before", "while", "when", "through", "via"})
_EDGE = frozenset({",", ".", ";", ":", "—", "–", "-", "--"})


def past_region(tree: Tree, into: int, i: int) -> int:
    """End of a content that begins with a quoted region: its end, or the clause's where the sentence runs on."""
    region = max(tree.region[into], tree.region[into + 1] if into + 1 < tree.size else -1)
    end = into
    while end < tree.size and (tree.region[end] == region or end == into):
        end += 1
    if end >= 2 and any(tree.word[k] in (".", "?", "!", ",") for k in range(max(end - 2, into), end)):
        return end
    if (
        end < tree.last[i]
        and tree.word[end] not in (",", ";", ".", "—")
        and tree.lower[end] not in ("and", "but", "as")
    ):
        edge = max((tree.right[c] + 1 for c in tree.children[i] if c < end <= tree.right[c]), default=end)
        return max(end, stop(tree, end, min(edge, tree.last[i]), i))
    return end


def clause_of(tree: Tree, i: int) -> int | None:
    """Head of the cue's clausal complement: the next one to its right, else the one to its left."""
    clauses = [c for c in tree.children[i] if tree.dep[c] in _CLAUSE]
    return min((c for c in clauses if c > i), default=max(clauses, default=None))


def skip(tree: Tree, start: int, clause: int) -> int:
    """``start`` moved past commas, colons and dashes, up to the clause\'s head."""
    while (
        start < clause
        and (tree.word[start] in (",", ":", "—") or tree.pos[start] == "SPACE")
        and tree.region[start] < 0
    ):
        start += 1
    return start


def extend(tree: Tree, i: int, clause: int, start: int) -> int:
    """End of a clause to the right of its cue: on to the sentence's end where nothing else takes over."""
    end = max(tree.right[clause] + 1, clause + 1)
    last = tree.last[i]
    if tree.dep[i] in ("ROOT", "conj", "advcl") or tree.head[i] == i:
        end = max(end, min(last, tree.right[i] + 1))
        if tree.dep[i] == "ROOT":
            end = last
    return stop(tree, start, min(end, last), i)


def stop(tree: Tree, start: int, end: int, cue: int) -> int:
    """Where a stretch from ``start`` gives way to another clause of the cue's own level, at latest ``end``."""
    for k in range(start + 1, end):
        if tree.region[k] >= 0:
            continue
        if tree.pos[k] == "SPACE":
            if "\n" in tree.word[k]:
                return k
        elif tree.pos[k] == "VERB" and _takes_over(tree, k, cue):
            left = max(tree.left[k], start)
            while left > start + 1 and (tree.word[left - 1] in (",", "—") or tree.dep[left - 1] == "cc"):
                left -= 1
            return left
        elif tree.lower[k] in _BREAKERS and tree.word[k - 1] == ",":
            return k - 1
    return end


def _takes_over(tree: Tree, k: int, cue: int) -> bool:
    """Whether verb ``k`` goes on with the cue's subject rather than with the content: ``and added``, ``, citing``."""
    dep, head = tree.dep[k], tree.head[k]
    if dep == "advcl":
        close = head == cue and tree.tag[k] == "VBG" and tree.word[tree.left[k] - 1] == ","
        return close or sources.resumed(tree, k) == cue
    if dep != "conj" or tree.kids(k, "mark"):
        return False
    spoken = tree.lemma[k] in sources.SPOKEN
    if tree.kids(k, "nsubj", "nsubjpass", "expl"):
        return head == cue and spoken
    if head == cue:
        return True
    return sources.resumed(tree, k) == cue


def has_verb(tree: Tree, low: int, high: int) -> bool:
    """Whether tokens ``[low, high)`` hold a verb."""
    return any(tree.pos[k] in ("VERB", "AUX") for k in range(low, high))


def sentence_start(tree: Tree, first: int) -> int:
    """First token of a sentence that is no bullet, dash or space."""
    while first < tree.size - 1 and (tree.pos[first] == "SPACE" or tree.word[first] in (",", ";", "—", "-", "•", "*")):
        first += 1
    return first


def snap(tree: Tree, start: int, end: int, cue: int) -> Range:
    """The range trimmed of stray punctuation and widened so that it cuts no quoted region."""
    first = tree.region[start] if start < tree.size else -1
    if first >= 0:
        while start - 1 > cue and tree.region[start - 1] == first:
            start -= 1
    end = _before_venue(tree, start, end)
    inside = tree.region[end - 1] if 0 < end <= tree.size else -1
    if inside >= 0 and inside != tree.region[cue]:
        while end < tree.size and tree.region[end] == inside and end != cue:
            end += 1
    while end > start and tree.region[end - 1] < 0 and (tree.word[end - 1] in _EDGE or tree.pos[end - 1] == "SPACE"):
        end -= 1
    while start < end and tree.region[start] < 0 and (tree.word[start] in _EDGE or tree.pos[start] == "SPACE"):
        start += 1
    return start, end


def _before_venue(tree: Tree, start: int, end: int) -> int:
    """End of a content before a venue that follows a region closed with a comma: ``"A," in an interview``."""
    for k in range(start + 2, min(end, tree.size)):
        if tree.region[k] < 0 <= tree.region[k - 1] and tree.word[k - 2] == "," and tree.lower[k] in _VENUES:
            return k
    return end
