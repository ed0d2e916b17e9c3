"""What is added, removed and changed between two documents of one story, section by section.

Annotations are paired by where they stand: the very same first, then those at the same place, then those that
overlap most. Topics are paired by code, and ids never count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from models.document import Span, paragraphs
from pipeline.review.sentences import around

if TYPE_CHECKING:
    from pipeline.review.judge import Judge

Row = Mapping[str, Any]
SECTIONS = ("entities", "dates", "quotes", "attributions", "topics", "keyphrases")
_NOT_SECTIONS = frozenset({"id", "schema", "source", "meta", "text", "body", "zones", "stages"})
_QUIET = frozenset({"confidence", "score", "method", "evidence"})
"""Fields that say how sure a stage is and why, not what it says."""
_PLACE = frozenset({"start", "end", "text", "id"})


class Item(NamedTuple):
    """An annotation as it is compared: its range (topics have none), its values, how sure it is, its place in the list.

    ``group`` is what it belongs to beyond itself: the entity of a mention.
    """

    start: int | None
    end: int | None
    facts: dict[str, Any]
    quiet: dict[str, Any]
    at: int
    group: Any = None


@dataclass(frozen=True)
class Change:
    """One annotation added, removed or changed in one story.

    ``old`` and ``new`` are its values before and after, ``fields`` those that differ (``boundaries`` among them),
    ``sentence`` the stretch of the text it stands in and ``at`` where that begins. ``verdict`` is ``gain`` or
    ``loss``, where there is gold that tells.
    """

    story: str
    section: str
    kind: str
    old: dict[str, Any] | None
    new: dict[str, Any] | None
    fields: tuple[str, ...] = ()
    sentence: str = ""
    at: int = 0
    verdict: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        data = {
            "story": self.story,
            "section": self.section,
            "kind": self.kind,
            "old": self.old,
            "new": self.new,
            "fields": list(self.fields) or None,
            "sentence": self.sentence,
            "sentence_start": self.at,
            "verdict": self.verdict,
        }
        return {key: value for key, value in data.items() if value is not None}


@dataclass
class Counts:
    """Numbers of one section."""

    added: int = 0
    removed: int = 0
    changed: int = 0
    same: int = 0
    rescored: int = 0
    gains: int = 0
    losses: int = 0

    @property
    def total(self) -> int:
        """Changes of all kinds."""
        return self.added + self.removed + self.changed


def changes_of(
    old: Row,
    new: Row,
    wanted: frozenset[str] | None = None,
    counts: dict[str, Counts] | None = None,
    judge: Judge | None = None,
) -> Iterator[Change]:
    """The changes of one story, section by section, in the order of the text; ``counts`` are added to."""
    tally: dict[str, Counts] = counts if counts is not None else {}
    extra = sorted(key for key in {*old, *new} - _NOT_SECTIONS - set(SECTIONS) if _is_section(old, new, key))
    for section in (*SECTIONS, *extra):
        if (section in old or section in new) and (wanted is None or section in wanted):
            count = tally.setdefault(section, Counts())
            found = sorted(_section(section, old, new, count, judge), key=_position)
            for change in found:
                count.gains += change.verdict == "gain"
                count.losses += change.verdict == "loss"
            yield from found


def _is_section(old: Row, new: Row, key: str) -> bool:
    values = [row[key] for row in (old, new) if key in row]
    return all(isinstance(v, list) and all(isinstance(item, dict) for item in v) for v in values)


def _position(change: Change) -> tuple[int, int]:
    item = change.new or change.old or {}
    return item.get("start", -1), item.get("end", -1)


def _section(section: str, old: Row, new: Row, count: Counts, judge: Judge | None) -> Iterator[Change]:
    reads = {"attributions": ("attributions", "quotes", "entities")}.get(section, (section,))
    if all(old.get(name) == new.get(name) for name in reads):
        items = new.get(section, ())
        count.same += sum(len(e["mentions"]) for e in items) if section == "entities" else len(items)
        return
    if section == "entities":
        ours, theirs = _mentions(old, new)
    else:
        ours, theirs = _items(section, old), _items(section, new)
    if section == "attributions":
        ours, theirs = _grouped(old, new, ours, theirs)
    pairing = _by_key(ours, theirs) if section in {"topics", "keyphrases"} else _by_place(ours, theirs)
    for one, other in pairing:
        yield from _change(section, old, new, one, other, count, judge)
    if section == "entities":
        yield from _entities(old, new, count)


def _change(
    section: str, old: Row, new: Row, one: Item | None, other: Item | None, count: Counts, judge: Judge | None
) -> Iterator[Change]:
    fields: tuple[str, ...] = ()
    if one is not None and other is not None:
        fields = tuple(_differing(one, other))
        if not fields:
            count.rescored += one.quiet != other.quiet
            count.same += one.quiet == other.quiet
            return
    kind = "added" if one is None else "removed" if other is None else "changed"
    setattr(count, kind, getattr(count, kind) + 1)
    verdict = judge.verdict(section, one, other) if judge is not None else None
    shown = [_shown(item, row) for item, row in ((one, old), (other, new))]
    yield Change(str(new["id"]), section, kind, shown[0], shown[1], fields, verdict=verdict)


def _differing(one: Item, other: Item) -> Iterator[str]:
    if (one.start, one.end) != (other.start, other.end):
        yield "boundaries"
    if one.group != other.group:
        yield "entity"
    keys = dict.fromkeys((*one.facts, *other.facts))
    yield from (key for key in keys if key != "entity" and one.facts.get(key) != other.facts.get(key))


def _shown(item: Item | None, row: Row) -> dict[str, Any] | None:
    if item is None:
        return None
    place: dict[str, Any] = {}
    if item.start is not None and item.end is not None:
        place = {"start": item.start, "end": item.end, "text": row["text"][item.start : item.end]}
    return {**place, **item.facts, **item.quiet}


def _items(section: str, row: Row) -> list[Item]:
    make: Callable[[Row, Any, int], Item] = {
        "quotes": _quote,
        "attributions": _attribution,
        "topics": _topic,
        "keyphrases": _keyphrase,
    }.get(section, _other)
    return [make(row, item, n) for n, item in enumerate(row.get(section, ()))]


def _split(item: Row, leave: Iterable[str] = ()) -> tuple[dict[str, Any], dict[str, Any]]:
    left = _PLACE.union(leave)
    kept = {key: value for key, value in item.items() if value is not None and key not in left}
    facts = {key: value for key, value in kept.items() if key not in _QUIET}
    return facts, {key: value for key, value in kept.items() if key in _QUIET}


def _other(row: Row, item: Row, n: int) -> Item:
    facts, quiet = _split(item)
    if isinstance(item.get("start"), int) and isinstance(item.get("end"), int):
        return Item(item["start"], item["end"], facts, quiet, n, facts.get("entity"))
    return Item(None, None, {**facts, **({"text": item["text"]} if "text" in item else {})}, quiet, n)


def _place(span: Row | None) -> dict[str, Any] | None:
    return {key: span[key] for key in ("start", "end", "text") if key in span} if span else None


def _quote(row: Row, item: Row, n: int) -> Item:
    facts, quiet = _split(item, ("parts", "cue", "source", "continues"))
    parts = [[part["start"], part["end"]] for part in item["parts"]]
    if len(parts) > 1:
        facts["parts"] = parts
    for key in ("cue", "source"):
        if item.get(key):
            facts[key] = _place(item[key])
    if item.get("continues"):
        before = next((q for q in row["quotes"] if q["id"] == item["continues"]), None)
        facts["continues"] = [before["start"], before["end"]] if before else item["continues"]
    return Item(item["start"], item["end"], facts, quiet, n)


def _attribution(row: Row, item: Row, n: int) -> Item:
    facts, quiet = _split(item, ("quote", "speaker", "entity"))
    if item.get("speaker"):
        facts["speaker"] = _place(item["speaker"])
    if item.get("entity"):
        facts["entity"] = next(
            (e["name"] for e in row.get("entities", ()) if e["id"] == item["entity"]), item["entity"]
        )
    quote = next((q for q in row.get("quotes", ()) if q["id"] == item["quote"]), None)
    place = quote or item.get("speaker") or {"start": None, "end": None}
    return Item(place["start"], place["end"], facts, quiet, n)


def _at_speaker(item: Item) -> Item:
    speaker = item.facts.get("speaker")
    return item._replace(start=speaker["start"], end=speaker["end"]) if speaker else item


def _grouped(old: Row, new: Row, ours: list[Item], theirs: list[Item]) -> tuple[list[Item], list[Item]]:
    """Attributions of both with their entity as the number of the new entity it is.

    Where quotations are gone that attributions still speak of (quotes were run again alone), all stand at their
    speakers instead.
    """
    partner = _partners(old, new)
    quotes = [{quote["id"] for quote in row.get("quotes", ())} for row in (old, new)]
    rows = zip((old, new), quotes, strict=True)
    orphaned = any(a["quote"] not in ids for row, ids in rows for a in row.get("attributions", ()))
    if orphaned:
        ours, theirs = ([_at_speaker(item) for item in items] for items in (ours, theirs))
    sides = []
    for row, items, number in ((old, ours, partner.get), (new, theirs, lambda n: n)):
        numbers = {entity["id"]: number(n) for n, entity in enumerate(row.get("entities", ()))}
        known = [row["attributions"][item.at].get("entity") for item in items]
        sides.append([item._replace(group=numbers.get(id_, id_)) for item, id_ in zip(items, known, strict=True)])
    return sides[0], sides[1]


def _topic(row: Row, item: Row, n: int) -> Item:
    facts, quiet = _split(item, ("uri", "path"))
    return Item(None, None, {**facts, **({"primary": True} if n == 0 else {})}, quiet, n)


def _keyphrase(row: Row, item: Row, n: int) -> Item:
    return Item(item.get("start"), item.get("end"), {"phrase": item["text"]}, _split(item)[1], n)


def _mentions(old: Row, new: Row) -> tuple[list[Item], list[Item]]:
    """Mentions of both, the entity of each named by the number of the new entity it is."""
    partner = _partners(old, new)
    sides = []
    for row, number in ((old, partner.get), (new, lambda n: n)):
        items = []
        for n, entity in enumerate(row.get("entities", ())):
            for mention in entity["mentions"]:
                facts, quiet = _split(mention)
                facts = {"label": entity["label"], "entity": entity["name"], **facts}
                items.append(Item(mention["start"], mention["end"], facts, quiet, n, number(n)))
        sides.append(items)
    return sides[0], sides[1]


def _partners(old: Row, new: Row) -> dict[int, int]:
    """Number of the new entity that each old entity is: the one it shares most mentions with, one to one."""
    where = defaultdict(list)
    for n, entity in enumerate(new.get("entities", ())):
        for mention in entity["mentions"]:
            where[mention["start"], mention["end"]].append(n)
    shared: dict[tuple[int, int], int] = defaultdict(int)
    for m, entity in enumerate(old.get("entities", ())):
        for mention in entity["mentions"]:
            for n in where.get((mention["start"], mention["end"]), ()):
                shared[m, n] += 1
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for (m, n), _ in sorted(shared.items(), key=lambda pair: (-pair[1], pair[0])):
        if m not in partner and n not in taken:
            partner[m] = n
            taken.add(n)
    return partner


def _entities(old: Row, new: Row, count: Counts) -> Iterator[Change]:
    """Entities that are still the same and are called otherwise, or linked to another thing."""
    for m, n in _partners(old, new).items():
        one, other = old["entities"][m], new["entities"][n]
        fields = tuple(k for k in ("name", "roles", "link", "agency") if (one.get(k) or None) != (other.get(k) or None))
        if fields:
            count.changed += 1
            shown = [
                {**(_place(e["mentions"][0]) or {}), "label": e["label"], **{k: e[k] for k in fields if e.get(k)}}
                for e in (one, {**other, "mentions": [_same_place(one, other)]})
            ]
            yield Change(str(new["id"]), "entities", "changed", shown[0], shown[1], fields)


def _same_place(one: Row, other: Row) -> Row:
    """The mention of ``other`` where ``one`` is first mentioned, so that the two are shown at one place."""
    first = one["mentions"][0]
    mention: Row = next((m for m in other["mentions"] if m["start"] == first["start"]), other["mentions"][0])
    return mention


Pairing = Iterator[tuple[Item | None, Item | None]]


def _by_key(old: Sequence[Item], new: Sequence[Item]) -> Pairing:
    def key(item: Item) -> Any:
        return item.facts.get("qcode", item.facts.get("phrase"))

    there = {key(item): item for item in new}
    for item in old:
        yield item, there.pop(key(item), None)
    for item in there.values():
        yield None, item


def _by_place(old: Sequence[Item], new: Sequence[Item]) -> Pairing:
    """The very same first, then those at the same place, then those that overlap most."""
    lefts, rights = list(old), list(new)
    for same in (lambda a: (a[:2], orjson.dumps(a.facts, default=str), a.group), lambda a: a[:2]):
        there = defaultdict(list)
        for item in reversed(rights):
            there[same(item)].append(item)
        rest = []
        for item in lefts:
            if waiting := there.get(same(item)):
                yield item, waiting.pop()
            else:
                rest.append(item)
        lefts = rest
        rights = [item for item in rights if any(item is other for other in there[same(item)])]
    overlapping = sorted(
        (-overlap, a, b)
        for a, one in enumerate(lefts)
        for b, other in enumerate(rights)
        if (overlap := _overlap(one, other)) > 0
    )
    used: tuple[set[int], set[int]] = (set(), set())
    for _, a, b in overlapping:
        if a not in used[0] and b not in used[1]:
            used[0].add(a)
            used[1].add(b)
            yield lefts[a], rights[b]
    for a, item in enumerate(lefts):
        if a not in used[0]:
            yield item, None
    for b, item in enumerate(rights):
        if b not in used[1]:
            yield None, item


def _overlap(one: Item, other: Item) -> int:
    if one.start is None or one.end is None or other.start is None or other.end is None:
        return 0
    return min(one.end, other.end) - max(one.start, other.start)


def in_context(row: Row, changes: Iterable[Change]) -> Iterator[Change]:
    """The changes with the sentences they stand in; topics with the story's first."""
    text = row["text"]
    parts = paragraphs(text, [Span(start=z["start"], end=z["end"]) for z in row.get("zones", ())])
    headline = parts[0] if parts else (0, 0)
    for change in changes:
        spans = [s for s in (change.old, change.new) if s is not None and "start" in s]
        start = min((s["start"] for s in spans), default=headline[0])
        end = max((s["end"] for s in spans), default=start)
        first, last = around(text, parts, start, end)
        yield replace(change, sentence=text[first:last], at=first)
