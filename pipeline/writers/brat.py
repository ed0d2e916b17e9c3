"""brat standoff (https://brat.nlplab.org/standoff.html): ``NAME.txt`` with ``NAME.ann`` beside it, written and read.

What the annotations mean is told by their labels, in reading upper or lower case alike:

* text-bound ``PERSON``, ``ORG``, ``GPE`` ...: names. ``Equiv`` (``*``) or a relation ``Coref`` makes mentions one
  entity; the attribute ``kind`` may say ``nominal`` or ``pronoun``, a note the entity's name.
* ``DATE``, ``TIME``, ``DURATION``, ``SET``, or ``TIMEX3`` with an attribute ``type``: dates. Their value is the
  attribute ``value``, or the annotator's note.
* ``QUOTE`` (or ``QUOTATION``, ``CONTENT``), in one or more fragments: quotations, with attributes ``type`` (direct,
  indirect, mixed) and ``kind`` (speech, writing, thought, intention). A relation or an event argument ``source`` or
  ``speaker`` leads to whose words they are, a relation ``cue`` to the ``CUE``; the note of a quotation is the
  speaker's full name.

:func:`write` also makes ``annotation.conf`` and ``visual.conf``, so that brat shows the folder as it is. Topics,
which are of no place in the text, are left out. Offsets are code points. As brat has no annotation across lines, one
that runs over a line break is written in fragments, and fragments parted by nothing but line breaks are read as one.

A section counts as looked at if any file of the folder has an annotation of its kind.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from models.document import Document
from pipeline.batch.files import atomic_path
from pipeline.errors import StoryError, UsageError
from pipeline.readers.decode import decode
from pipeline.writers.names import FileNames, id_of
from pipeline.writers.regions import (
    CUE,
    ENTITIES,
    QUOTE,
    SECTIONS,
    SOURCE,
    TIMEX,
    Link,
    Region,
    Task,
    document_of,
    sections_of,
    task_of,
)

_TIMEX = frozenset({"timex", "timex3", *(label.casefold() for label in TIMEX)})
_QUOTES = frozenset({"quote", "quotation", "content"})
_SOURCES = re.compile(r"(source|speaker)\d*", re.IGNORECASE)
_COREF = re.compile(r"(coref|coreference|equiv|identity)", re.IGNORECASE)
_SPANS = re.compile(r"\d+ \d+(;\d+ \d+)*")
_LINE = re.compile(r"[^\r\n]+")
_KINDS = {
    "entity": ("name", "nominal", "pronoun"),
    "quote": ("speech", "writing", "thought", "intention"),
    "type": ("direct", "indirect", "mixed"),
}
_MODS = (*"BEFORE AFTER ON_OR_BEFORE ON_OR_AFTER".split(), *"LESS_THAN MORE_THAN EQUAL_OR_LESS EQUAL_OR_MORE".split())
_MODS += ("START", "MID", "END", "APPROX")


# Writing


def write(documents: Iterable[Document], folder: str | Path) -> int:
    """Write a ``.txt`` and an ``.ann`` a document into the new ``folder``; how many documents."""
    names, labels, count = FileNames(), set[str](), 0
    with atomic_path(Path(folder)) as at:
        at.mkdir()
        for document in documents:
            task = task_of(document)
            file = at / names.of(document.id, ".txt")
            file.parent.mkdir(parents=True, exist_ok=True)
            # A text that itself begins with U+FEFF has one more before it: readers take the first away.
            file.write_bytes(task.text.encode("utf-8-sig" if task.text.startswith("\ufeff") else "utf-8"))
            file.with_suffix(".ann").write_bytes("".join(f"{line}\n" for line in _lines(task)).encode())
            labels |= {region.label for region in task.regions}
            count += 1
        for name, content in _configuration(labels).items():
            (at / name).write_text(content, encoding="utf-8")
    return count


def _lines(task: Task) -> Iterator[str]:
    """The annotations: what is bound to the text, then links between it, attributes and notes."""
    inner = {link.child: link.head for link in task.links if link.label == "part"}
    parts: dict[str, list[Region]] = defaultdict(list)
    for region in task.regions:
        parts[inner.get(region.id, region.id)].append(region)
    ids: dict[str, str] = {}
    attributes: list[str] = []
    notes: list[str] = []
    for region in task.regions:
        spans = [span for part in parts.get(region.id, ()) for span in _fragments(task.text, part)]
        if region.id in inner or not spans:
            continue
        ids[region.id] = id_ = f"T{len(ids) + 1}"
        places = ";".join(f"{start} {end}" for start, end in spans)
        label = "_".join(region.label.split())
        yield f"{id_}\t{label} {places}\t{' '.join(task.text[start:end] for start, end in spans)}"
        for name, value in region.facts.items():
            if name in {"kind", "type", "mod"}:
                attributes.append(f"A{len(attributes) + 1}\t{name} {id_} {value}")
            else:
                notes.append(f"#{len(notes) + 1}\tAnnotatorNotes {id_}\t{' '.join(value.split())}")
    relations = 0
    for group in _equal(task.links, ids):
        yield f"*\tEquiv {' '.join(group)}"
    for link in task.links:
        if link.label in {"cue", "source"} and link.head in ids and link.child in ids:
            relations += 1
            yield f"R{relations}\t{link.label} Arg1:{ids[link.head]} Arg2:{ids[link.child]}"
    yield from attributes
    yield from notes


def _fragments(text: str, region: Region) -> Iterator[tuple[int, int]]:
    for line in _LINE.finditer(text, region.start, region.end):
        yield line.span()


def _equal(links: Iterable[Link], ids: Mapping[str, str]) -> list[list[str]]:
    """Groups of two or more that ``coref`` links hold together."""
    group: dict[str, list[str]] = {}
    for link in links:
        if link.label == "coref":
            one, other = (group.get(id_, [id_]) for id_ in (link.child, link.head))
            both = list(dict.fromkeys((*one, *other)))
            group |= dict.fromkeys(both, both)
    unique = {id(each): each for each in group.values()}
    # A mention of nothing but line breaks is not written, and yet holds together those before and after it.
    written = ([ids[id_] for id_ in each if id_ in ids] for each in unique.values())
    return [each for each in written if len(each) > 1]


def _configuration(labels: Iterable[str]) -> dict[str, str]:
    """What brat must know of the annotations, and how to draw them."""
    entities = [label for label in dict.fromkeys((*ENTITIES, *sorted(labels))) if label not in {*TIMEX, QUOTE}]
    entities = [label for label in entities if label not in {CUE, SOURCE}]
    rows = [
        "[entities]",
        *(f"{label}" for label in (*entities, *TIMEX, QUOTE, CUE, SOURCE)),
        "[relations]",
        "Equiv Arg1:<ENTITY>, Arg2:<ENTITY>, <REL-TYPE>:symmetric-transitive",
        f"cue Arg1:{QUOTE}, Arg2:{CUE}",
        f"source Arg1:{QUOTE}, Arg2:<ENTITY>",
        "<OVERLAP> Arg1:<ENTITY>, Arg2:<ENTITY>, <OVL-TYPE>:<ANY>",
        "[events]",
        "[attributes]",
        f"kind Arg:<ENTITY>, Value:{'|'.join((*_KINDS['entity'], *_KINDS['quote']))}",
        f"type Arg:{QUOTE}, Value:{'|'.join(_KINDS['type'])}",
        f"mod Arg:{'|'.join(TIMEX)}, Value:{'|'.join(_MODS)}",
    ]
    colours = {"PERSON": "#ffccaa", "ORG": "#8fb2ff", "GPE": "#7fe2ff", "LOC": "#7fe2ff", "FAC": "#7fe2ff"}
    colours |= {**dict.fromkeys(TIMEX, "#9fe6a0"), QUOTE: "#fff3a0", CUE: "#e0d0f0", SOURCE: "#f0c0d0"}
    drawn = ["[labels]", "[drawing]", "SPAN_DEFAULT fgColor:black, bgColor:lightgray, borderColor:darken"]
    drawn += [f"{label} bgColor:{colour}" for label, colour in colours.items()]
    return {"annotation.conf": "\n".join([*rows, ""]), "visual.conf": "\n".join([*drawn, ""])}


# Reading


@dataclass
class _Standoff:
    """One .ann file: text-bound annotations, links between them, attributes and notes by id."""

    bound: dict[str, tuple[str, list[tuple[int, int]]]] = field(default_factory=dict)
    links: list[tuple[str, str, str]] = field(default_factory=list)
    same: list[list[str]] = field(default_factory=list)
    attributes: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    notes: dict[str, str] = field(default_factory=dict)
    events: dict[str, str] = field(default_factory=dict)


def is_standoff(folder: Path) -> bool:
    """Whether there are .ann files below ``folder``."""
    return next(folder.rglob("*.ann"), None) is not None


def read_gold(folder: str | Path) -> Iterator[Document]:
    """Every annotated story below ``folder``. Its id is the path of its text, as :func:`write` made it of an id.

    Raises :class:`UsageError` naming the file and the line that is not as it should.
    """
    folder = Path(folder)
    tasks = [_task(path, folder) for path in sorted(folder.rglob("*.ann"))]
    found = {name for task in tasks for name in sections_of(task)}
    if not any(_told(task) for task in tasks):
        found -= {"attributions"}
    for task in tasks:
        # What no file has an annotation of was not looked for.
        task.sections = tuple(name for name in SECTIONS if name in found)
        yield document_of(task)


def _told(task: Task) -> bool:
    """Whether any quotation of the story has a source."""
    return any(link.label == "source" for link in task.links) or any(r.facts.get("speaker") for r in task.regions)


def _task(path: Path, folder: Path) -> Task:
    beside = path.with_suffix(".txt")
    try:
        text = _text(beside.read_bytes())
    except (OSError, StoryError) as error:
        raise UsageError(
            f"the text of {path} cannot be read: {error}", f"It belongs in {beside.name} beside it"
        ) from None
    task = Task(id_of(beside.relative_to(folder).as_posix()), text)
    try:
        standoff = _parse(path, len(text))
        task.regions, task.links = _regions(standoff, text)
    except ValueError as error:
        raise UsageError(f"{path}: {error}", "See https://brat.nlplab.org/standoff.html") from None
    return task


def _text(data: bytes) -> str:
    """The text, as UTF-8, which is all that brat takes, where it can be that."""
    with suppress(UnicodeDecodeError):
        text = data.decode("utf-8-sig")
        if "\0" not in text:
            return text
    return decode(data).text


def _parse(path: Path, size: int) -> _Standoff:
    standoff = _Standoff()
    # Only a line feed ends a line: the words of an annotation may hold other characters that count as line breaks.
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), 1):
        if line.strip():
            try:
                _line(line, standoff, size)
            except (ValueError, IndexError) as error:
                raise UsageError(
                    f"{path}, line {number}: {error}", "See https://brat.nlplab.org/standoff.html"
                ) from None
    return standoff


def _line(line: str, standoff: _Standoff, size: int) -> None:
    id_, _, rest = line.partition("\t")
    head, _, tail = rest.partition("\t")
    words = head.split()
    if not words:
        raise ValueError(f"{line[:40]!r} is no standoff annotation")
    kind = id_[:1]
    if kind == "T":
        label, _, spans = head.partition(" ")
        if not _SPANS.fullmatch(spans.strip()):
            raise ValueError(f"{spans!r} is no range of offsets")
        pairs = [(int(a), int(b)) for a, b in (piece.split() for piece in spans.strip().split(";"))]
        if any(not a <= b <= size for a, b in pairs):
            raise ValueError(f"{spans} does not lie in a text of {size} characters")
        standoff.bound[id_] = (label, sorted(pairs))
    elif kind == "R":
        one, two = (word.partition(":")[2] for word in words[1:3])
        standoff.links.append((words[0], one, two))
    elif kind == "E":
        trigger = words[0].partition(":")[2]
        standoff.events[id_] = trigger
        for word in words[1:]:
            role, _, other = word.partition(":")
            standoff.links.append((role, id_, other))
    elif kind == "*":
        standoff.same.append(words[1:])
    elif kind in {"A", "M"}:
        standoff.attributes[words[1]][words[0].casefold()] = " ".join(words[2:]) or "true"
    elif kind == "#" and len(words) > 1:
        standoff.notes[words[1]] = tail.strip()


def _regions(standoff: _Standoff, text: str) -> tuple[list[Region], list[Link]]:
    """The annotations as regions and links, as every other tool's are. Raises ``ValueError`` for an unknown kind."""
    links = list(_links(standoff))
    sources = {link.child for link in links if link.label == "source"}
    triggers = set(standoff.events.values())
    regions: list[Region] = []
    for id_, (label, spans) in standoff.bound.items():
        folded, given, note = label.casefold(), standoff.attributes[id_], standoff.notes.get(id_, "")
        whole = (spans[0][0], spans[-1][1])
        if folded in _QUOTES:
            facts = {"type": _one_of("type", given, id_), "kind": _one_of("quote", given, id_), "speaker": note}
            for n, (start, end) in enumerate(_joined(spans, text)):
                regions.append(Region(f"{id_}.{n}" if n else id_, start, end, QUOTE, {} if n else _there(facts)))
                if n:
                    links.append(Link(id_, f"{id_}.{n}", "part"))
        elif folded in _TIMEX:
            type_ = given.get("type", "DATE" if folded.startswith("timex") else label).upper()
            if type_ not in TIMEX:
                raise ValueError(f"{id_}: type {type_!r} is none of {', '.join(TIMEX)}")
            facts = {"value": given.get("value", note), "mod": given.get("mod", "")}
            regions.append(Region(id_, *whole, type_, _there(facts)))
        elif folded.upper() in {CUE, SOURCE}:
            regions.append(Region(id_, *whole, folded.upper()))
        elif id_ in triggers or (id_ in sources and folded == "speaker"):
            regions.append(Region(id_, *whole, SOURCE if id_ in sources else CUE))
        else:
            facts = {"kind": _one_of("entity", given, id_), "name": note}
            regions.append(Region(id_, *whole, label.upper(), _there(facts)))
    return regions, links


def _there(facts: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in facts.items() if value}


def _one_of(name: str, given: Mapping[str, str], id_: str) -> str:
    attribute = "type" if name == "type" else "kind"
    value = given.get(attribute, "").casefold()
    if value and value not in _KINDS[name]:
        raise ValueError(f"{id_}: {attribute} {value!r} is none of {', '.join(_KINDS[name])}")
    return value


def _joined(spans: Sequence[tuple[int, int]], text: str) -> list[tuple[int, int]]:
    """``spans`` with those made one that only line breaks part."""
    joined = [spans[0]]
    for start, end in spans[1:]:
        before = joined[-1][1]
        if before <= start and not text[before:start].strip("\r\n"):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _links(standoff: _Standoff) -> Iterator[Link]:
    for group in standoff.same:
        yield from (Link(group[0], other, "coref") for other in group[1:])
    for relation, one, two in standoff.links:
        left, right = standoff.events.get(one, one), standoff.events.get(two, two)
        if _COREF.fullmatch(relation):
            yield Link(left, right, "coref")
            continue
        if left in standoff.bound and standoff.bound[left][0].casefold() not in _QUOTES:
            left, right = right, left  # some draw the arrow from the speaker to the words
        label = "source" if _SOURCES.fullmatch(relation) else relation.casefold()
        if label in {"source", "cue"}:
            yield Link(left, right, label)
