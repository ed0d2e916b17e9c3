"""What counts as right: one story's gold against what was found in it.

Each measure is a tally of four numbers that add up over stories: right ones among the predicted, predicted, right
ones among the gold, gold. Precision is the first over the second, recall the third over the fourth.

entities      names with the same trimmed boundaries and class. PER, ORG, LOC (GPE, LOC, FAC) and MISC (NORP,
              PRODUCT, EVENT, WORK_OF_ART, LAW, LANGUAGE); ``micro3`` is over the first three, ``unlabelled`` leaves
              the class out.
coreference   B-cubed over gold mentions of persons, organisations and places whose cluster holds a name
              (Bagga and Baldwin 1998); a mention is found where an annotation covers its head, the shortest first.
dates         TempEval-3 (UzZaman et al. 2013): strict boundaries, relaxed (any overlap), and type and value over
              relaxed matches.
quotes        ``overlap``: intersection over union of hulls at least 0.5, one to one, best first; ``exact``: the same
              trimmed boundaries. ``speech`` is over what is said or written: other gold is neither owed nor
              punished, nor is other output that matches nothing. ``all`` has beliefs and intentions too.
attribution   ``end_to_end``: the quotation matched and its source right (overlaps the gold source, or none where there
              is none). ``source``, ``name``, ``surname``: the share right among matched quotations that have one.
topics        ``primary``: the first topic's level-1 ancestor; ``level1``: sets of level-1 ancestors; ``hierarchical``:
              sets of topics with all their ancestors (Kiritchenko et al. 2005).
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.review.gold import Name, Story, Timed, Uttered

HEADLINE = {
    "entities": "micro3",
    "coreference": "b_cubed",
    "dates": "value",
    "quotes": "speech overlap",
    "attribution": "speech end_to_end",
    "topics": "primary",
}
"""The figure by which a stage is known."""
ACCURACIES = frozenset({"source", "name", "surname", "primary"})
"""Measures that are a share of what could be right, not a precision and a recall."""
_JUNK = " \n\t\r"
_QUOTE_JUNK = " \n\t\r\"“”'‘’.,;:!?—-"

Tally = list[float]


@dataclass(frozen=True)
class Fault:
    """One thing wrong: ``missed``, ``spurious``, or what was wrong of a match, with what gold and output have."""

    kind: str
    text: str
    gold: str | None = None
    predicted: str | None = None


@dataclass
class Marks:
    """One story's tallies by measure, and what is wrong in it. ``classes`` names the measures that are classes."""

    tallies: dict[str, Tally] = field(default_factory=lambda: defaultdict(lambda: [0.0] * 4))
    classes: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)

    def add(self, measure: str, right: float, predicted: float, gold: float, found: float | None = None) -> None:
        """Add to a tally; ``found`` is the right ones among the gold where that is another number than ``right``."""
        tally = self.tallies[measure]
        for n, more in enumerate((right, predicted, right if found is None else found, gold)):
            tally[n] += more

    def add_class(self, name: str, right: float, predicted: float, gold: float, found: float | None = None) -> None:
        """The same for a measure that is one class of many."""
        self.classes.add(name)
        self.add(name, right, predicted, gold, found)


def mark(stage: str, gold: Story, found: Story, paths: Mapping[str, Sequence[str]]) -> Marks:
    """The marks of one story on one of :data:`~pipeline.review.gold.STAGES`; ``paths`` has each topic's ancestors."""
    text = gold.text if gold.text is not None else found.text or ""
    marks = Marks()
    if stage == "entities":
        _entities(text, gold.names or (), found.names or (), marks)
    elif stage == "coreference":
        _coreference(gold, found, marks)
    elif stage == "dates":
        _dates(text, gold.timexes or (), found.timexes or (), marks)
    elif stage == "quotes":
        _quotes(text, gold.quotes or (), found.quotes or (), marks)
    elif stage == "attribution":
        _attribution(text, gold.quotes or (), found.quotes or (), marks)
    else:
        _topics(gold.topics or (), found.topics or (), paths, marks)
    return marks


def trim(text: str, start: int, end: int, junk: str = _JUNK) -> tuple[int, int]:
    """The range without ``junk`` at its edges."""
    while start < end and text[start] in junk:
        start += 1
    while end > start and text[end - 1] in junk:
        end -= 1
    return start, end


def trimmed(text: str, names: Iterable[Name]) -> set[tuple[int, int, str]]:
    """Names as they are compared."""
    return {(*trim(text, name.start, name.end), name.label) for name in names}


def _entities(text: str, gold: Iterable[Name], found: Iterable[Name], marks: Marks) -> None:
    g, p = trimmed(text, gold), trimmed(text, found)
    for measure in ("micro3", "micro4"):
        marks.add(measure, 0, 0, 0)
    for one in g | p:
        right, predicted, owed = one in g and one in p, one in p, one in g
        marks.add_class(one[2], right, predicted, owed)
        marks.add("micro4", right, predicted, owed)
        if one[2] != "MISC":
            marks.add("micro3", right, predicted, owed)
    g2, p2 = {one[:2] for one in g}, {one[:2] for one in p}
    marks.add("unlabelled", len(g2 & p2), len(p2), len(g2))
    marks.faults += [Fault("missed", text[a:b], gold=label) for a, b, label in sorted(g - p)]
    marks.faults += [Fault("spurious", text[a:b], predicted=label) for a, b, label in sorted(p - g)]


def _coreference(gold: Story, found: Story, marks: Marks) -> None:
    clusters = defaultdict(list)
    for mention in gold.mentions or ():
        clusters[mention.cluster].append(mention)
    named = {cluster for cluster, mentions in clusters.items() if any(m.named for m in mentions)}
    owed = [m for m in gold.mentions or () if m.cluster in named and m.etype in {"person", "organization", "place"}]
    theirs: list[str] = []
    for n, mention in enumerate(owed):
        start, end = mention.head or (mention.start, mention.end)
        hits = [s for s in found.mentions or () if s.start < end and s.end > start]
        # Where gold knows no heads, the very same range is the mention; a shorter one within it may be another's.
        whole = mention.head is None
        hits.sort(key=lambda s: (whole and (s.start, s.end) != (start, end), s.end - s.start))
        theirs.append(hits[0].cluster if hits else f"none {n}")
    by_gold, by_found = defaultdict(set), defaultdict(set)
    for n, (mention, cluster) in enumerate(zip(owed, theirs, strict=True)):
        by_gold[mention.cluster].add(n)
        by_found[cluster].add(n)
    marks.add("b_cubed", 0, 0, 0)
    for mention, cluster in zip(owed, theirs, strict=True):
        both = len(by_gold[mention.cluster] & by_found[cluster])
        precision, recall = both / len(by_found[cluster]), both / len(by_gold[mention.cluster])
        marks.add("b_cubed", precision, 1, 1, recall)
        if precision < 1 or recall < 1:
            text = (gold.text or found.text or "")[mention.start : mention.end]
            marks.faults.append(Fault("split" if precision == 1 else "mixed", text))


def match_timexes(gold: Sequence[Timed], found: Sequence[Timed]) -> list[tuple[int, int]]:
    """Indices of the expressions that overlap, one to one: same boundaries first, then the longest overlap."""
    pairs = []
    for a, x in enumerate(gold):
        for b, y in enumerate(found):
            overlap = min(x.end, y.end) - max(x.start, y.start)
            if overlap > 0:
                pairs.append(((x.start, x.end) != (y.start, y.end), -overlap, a, b))
    return _one_to_one((a, b) for _, _, a, b in sorted(pairs))


def _one_to_one(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    left: set[int] = set()
    right: set[int] = set()
    kept = []
    for a, b in pairs:
        if a not in left and b not in right:
            left.add(a)
            right.add(b)
            kept.append((a, b))
    return kept


def _dates(text: str, gold: Sequence[Timed], found: Sequence[Timed], marks: Marks) -> None:
    for measure in ("strict", "relaxed", "type", "value"):
        marks.add(measure, 0, len(found), len(gold))
    for x in gold:
        marks.add_class(x.type, 0, 0, 1)
    for y in found:
        marks.add_class(y.type, 0, 1, 0)
    matched = match_timexes(gold, found)
    for a, b in matched:
        x, y = gold[a], found[b]
        marks.add("relaxed", 1, 0, 0)
        marks.add("strict", x[:2] == y[:2], 0, 0)
        marks.add("type", x.type == y.type, 0, 0)
        marks.add("value", x.value == y.value, 0, 0)
        if x.type == y.type:
            marks.add_class(x.type, x.value == y.value, 0, 0)
        if x.value != y.value:
            marks.faults.append(Fault("value", text[x.start : x.end], x.value, y.value))
    lefts, rights = {a for a, _ in matched}, {b for _, b in matched}
    marks.faults += [Fault("missed", text[x.start : x.end], gold=x.value) for a, x in enumerate(gold) if a not in lefts]
    marks.faults += [
        Fault("spurious", text[y.start : y.end], predicted=y.value) for b, y in enumerate(found) if b not in rights
    ]


def iou(x: tuple[int, int], y: tuple[int, int]) -> float:
    """Intersection over union of two ranges, in characters."""
    common = min(x[1], y[1]) - max(x[0], y[0])
    return 0.0 if common <= 0 else common / (max(x[1], y[1]) - min(x[0], y[0]))


def trimmed_quote(text: str, quote: Uttered) -> tuple[int, int]:
    """A quotation's hull as it is compared: without quotation marks and full stops at its edges."""
    return trim(text, quote.start, quote.end, _QUOTE_JUNK)


def match_quotes(text: str, gold: Sequence[Uttered], found: Sequence[Uttered]) -> list[tuple[int, int]]:
    """Indices of the quotations whose hulls share at least half of what they cover, one to one, best first."""
    xs, ys = [trimmed_quote(text, q) for q in gold], [trimmed_quote(text, q) for q in found]
    pairs = [(-share, a, b) for a, x in enumerate(xs) for b, y in enumerate(ys) if (share := iou(x, y)) >= 0.5]
    return _one_to_one((a, b) for _, a, b in sorted(pairs))


def _quotes(text: str, gold: Sequence[Uttered], found: Sequence[Uttered], marks: Marks) -> None:
    for measure in ("speech overlap", "speech exact", "all overlap", "all exact"):
        marks.add(measure, 0, 0, 0)
    matched = match_quotes(text, gold, found)
    lefts, rights = {a for a, _ in matched}, {b for _, b in matched}
    for x in gold:
        marks.add_class(x.type, 0, 0, 1)
    for y in found:
        marks.add_class(y.type, 0, 1, 0)
    for a, b in matched:
        x, y = gold[a], found[b]
        marks.add_class(x.type, 0, 0, 0, found=1)
        marks.add_class(y.type, 1, 0, 0, found=0)
        exact = trimmed_quote(text, x) == trimmed_quote(text, y)
        for group in _groups(x):
            marks.add(f"{group} overlap", 1, 1, 1)
            marks.add(f"{group} exact", exact, 1, 1)
    for kind in ("overlap", "exact"):
        _unmatched(gold, found, lefts, rights, kind, marks)
    marks.faults += [Fault("missed", _short(text, x)) for a, x in enumerate(gold) if a not in lefts]
    marks.faults += [Fault("spurious", _short(text, y)) for b, y in enumerate(found) if b not in rights]


def _groups(quote: Uttered) -> tuple[str, ...]:
    return ("all", "speech") if quote.speech else ("all",)


def _unmatched(
    gold: Sequence[Uttered], found: Sequence[Uttered], lefts: set[int], rights: set[int], kind: str, marks: Marks
) -> None:
    for a, x in enumerate(gold):
        for group in _groups(x) if a not in lefts else ():
            marks.add(f"{group} {kind}", 0, 0, 1)
    for b, y in enumerate(found):
        for group in _groups(y) if b not in rights else ():
            marks.add(f"{group} {kind}", 0, 1, 0)


def _short(text: str, quote: Uttered) -> str:
    return " ".join(text[quote.start : quote.end][:120].split())


def right_source(gold: Uttered, found: Uttered) -> bool:
    """The sources overlap, or neither has one."""
    if gold.source is None or found.source is None:
        return gold.source is found.source
    return min(gold.source[1], found.source[1]) > max(gold.source[0], found.source[0])


def folded(name: str | None) -> list[str]:
    """Words of a name without accents, case and punctuation."""
    plain = unicodedata.normalize("NFKD", name or "")
    bare = "".join(c for c in plain if not unicodedata.combining(c)).lower()
    return re.sub(r"[^a-z0-9 ]", "", bare).split()


def _attribution(text: str, gold: Sequence[Uttered], found: Sequence[Uttered], marks: Marks) -> None:
    for measure in ("speech end_to_end", "all end_to_end"):
        marks.add(measure, 0, 0, 0)
    matched = match_quotes(text, gold, found)
    for a, b in matched:
        x, y = gold[a], found[b]
        right = right_source(x, y)
        for group in _groups(x):
            marks.add(f"{group} end_to_end", right, 1, 1)
        if x.source is not None:
            marks.add("source", right, 1, 1)
            if y.method:
                marks.add_class(f"by {y.method}", right, 1, 1)
        if not right:
            marks.faults.append(Fault("source", _short(text, x), _piece(text, x.source), _piece(text, y.source)))
        if x.name:
            want, got = folded(x.name), folded(y.name)
            marks.add("name", want == got, 1, 1)
            marks.add("surname", bool(got) and want[-1:] == got[-1:], 1, 1)
            if want != got:
                marks.faults.append(Fault("name", _short(text, x), x.name, y.name))
    _unmatched(gold, found, {a for a, _ in matched}, {b for _, b in matched}, "end_to_end", marks)


def _piece(text: str, span: tuple[int, int] | None) -> str | None:
    return " ".join(text[span[0] : span[1]].split()) if span else None


def closure(topics: Iterable[str], paths: Mapping[str, Sequence[str]]) -> set[str]:
    """``topics`` with all their ancestors."""
    return {code for topic in topics for code in paths.get(topic, (topic,))}


def _topics(gold: Sequence[str], found: Sequence[str], paths: Mapping[str, Sequence[str]], marks: Marks) -> None:
    roots = [paths.get(topic, (topic,))[0] for topic in gold]
    ours = [paths.get(topic, (topic,))[0] for topic in found]
    right = ours[:1] == roots[:1]
    marks.add("primary", right, 1, 1)
    g, p = set(roots), set(ours)
    marks.add("level1", len(g & p), len(p), len(g))
    for root in g | p:
        marks.add_class(root, root in g and root in p, root in p, root in g)
    every, all_found = closure(gold, paths), closure(found, paths)
    marks.add("hierarchical", len(every & all_found), len(all_found), len(every))
    if not right:
        marks.faults.append(Fault("primary", "", ", ".join(gold) or None, ", ".join(found) or None))
