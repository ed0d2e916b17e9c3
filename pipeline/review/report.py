"""``copydesk report``: a run as one HTML page that needs nothing else: no network, no server, no other file.

The page is drawn by the script in ``page/``; this module puts the run into it. What is needed to list, filter and
count (ids, headlines, names, speakers, topics, days) is one index; texts and annotations are in chunks that the page
decodes when they are looked at. Index and chunks are JSON, gzipped, in base64: a story of 400 words takes some 2 KB.
Nothing of a story is ever read as markup: the page makes text nodes of it, and a content security policy that knows
only the page's own script and style stands behind that.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from models.document import Document
from models.markup import MarkKind, speaker_name, speakers, woven
from pipeline.batch.files import atomic
from pipeline.batch.place import PAGE_BEGINS, local, protect
from pipeline.errors import StorageError

if TYPE_CHECKING:
    from pipeline.batch.run import Run

PAGE = Path(__file__).parent / "page"
SCRIPTS = ("store.js", "widgets.js", "story.js", "views.js", "main.js")
"""Parts of the page's script, in order; they share one scope."""
_CHUNK = 600_000
"""Characters of JSON at which a chunk is closed: some 60 stories, decoded in a few milliseconds."""
_VALUES = frozenset({"MONEY", "PERCENT", "QUANTITY", "CARDINAL", "ORDINAL", "DATE", "TIME"})
"""Labels of amounts: marked in the story, but nothing one looks stories up by."""
_MARK: dict[tuple[MarkKind, str | None], int] = {
    ("quote", None): 0,
    ("source", None): 1,
    ("cue", None): 2,
    ("date", None): 3,
    ("entity", "name"): 4,
    ("entity", "nominal"): 5,
    ("entity", "pronoun"): 6,
}
"""How the script tells marks apart; a mark is one number, eight times the place of its owner plus this."""


def write_report(run: Run, path: str | Path, title: str | None = None) -> int:
    """Write the report of the finished ``run`` to ``path`` and return the number of its stories.

    ``title`` (default: the name of the run's folder) heads the page. Memory holds the index and one chunk, whatever
    the size of the run. Raises :class:`UsageError` where there is no finished run or ``path`` is no
    earlier page, :class:`StorageError` where a
    kept document cannot be read or the page not be written.
    """
    manifest, path = run.manifest, local(path)
    protect(path, PAGE_BEGINS, run.out)
    index = Index()
    script = f"(() => {{\n{''.join((PAGE / name).read_text('utf-8') for name in SCRIPTS)}}})();"
    style = (PAGE / "report.css").read_text("utf-8")
    page = Environment(loader=FileSystemLoader(PAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    pieces = page.get_template("report.html").generate(
        title=title or run.out.resolve().name,
        manifest=manifest,
        timings=list(timings(manifest)),
        script=Markup(script),
        style=Markup(style),
        script_digest=_digest(script),
        style_digest=_digest(style),
        # Asked for by the template in this order: the index is whole once all chunks are written.
        chunks=index.chunks(_documents(run)),
        failures=lambda: _packed(list(run.failures())),
        skipped=lambda: _packed(list(run.skipped())),
        index=lambda: _packed(index.to_dict()),
    )
    with atomic(path) as file:
        for piece in pieces:
            file.write(piece.encode())
    return len(index.ids)


def timings(manifest: Mapping[str, Any]) -> Iterator[tuple[str, float, float]]:
    """Name, seconds of work and share of the longest, for the parse and each stage, as the run counted them."""
    seconds = {name: value for name, value in manifest.get("seconds", {}).items() if name != "total"}
    longest = max(seconds.values(), default=0.0)
    for name, value in seconds.items():
        yield name, value, value / longest if longest else 0.0


class Index:
    """What the page needs of every story at once, by column; strings that recur are numbered."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.columns: dict[str, list[Any]] = {
            name: [] for name in ("title", "day", "agency", "place", "words", "names", "said", "topics", "dates")
        }
        self.firsts: list[int] = []
        self.agencies, self.places, self.speakers = Numbers(), Numbers(), Numbers()
        self.names, self.topics = Numbers(), Numbers()
        self.labels: dict[str, str] = {}

    def chunks(self, documents: Iterable[Document]) -> Iterator[tuple[Markup, Markup]]:
        """Take in ``documents`` and yield them packed, a chunk at a time: texts, and a line of annotations a story.

        They are packed apart, so that a search unpacks texts alone, and a story parses no annotations but its own.
        """
        texts: list[str] = []
        lines: list[bytes] = []
        size = 0
        for document in documents:
            if not texts:
                self.firsts.append(len(self.ids))
            self.add(document)
            texts.append(document.text)
            lines.append(orjson.dumps(annotated(document)))
            size += len(document.text) + len(lines[-1])
            if size >= _CHUNK:
                yield _packed(texts), _gzipped(b"\n".join(lines))
                texts, lines, size = [], [], 0
        if texts:
            yield _packed(texts), _gzipped(b"\n".join(lines))

    def add(self, document: Document) -> None:
        """Take in one story."""
        self.ids.append(document.id)
        meta = document.meta
        said = speakers(document)
        names = {
            self.names[f"{entity.label} {entity.name}"]: None
            for entity in document.entities
            if entity.label not in _VALUES and any(mention.kind == "name" for mention in entity.mentions)
        }
        row = {
            "title": title_of(document),
            "day": (meta.published or "")[:10],
            "agency": self.agencies[meta.agency or ""],
            "place": self.places[meta.place or ""],
            "words": len(document.text.split()),
            "names": list(names),
            # A place a quote: the number of its speaker, -1 where the story gives no name.
            "said": [
                self.speakers[speaker_name(by)] if (by := said.get(quote.id)) and by.name else -1
                for quote in document.quotes
            ],
            "topics": [self._topic(topic.path or [topic.qcode], topic.label) for topic in document.topics],
            # Two numbers a date: days since 1970-01-01, null where it names no day.
            "dates": [day for timex in document.dates for day in _days(timex.earliest, timex.latest)],
        }
        for name, value in row.items():
            self.columns[name].append(value)

    def _topic(self, path: Sequence[str], label: str) -> int:
        self.labels[path[-1]] = label
        return self.topics["\t".join(path)]

    def to_dict(self) -> dict[str, Any]:
        """The index as the page reads it. Ancestors no story names get the label of the IPTC's own list."""
        from pipeline.stages.topics.vocabulary import media_topics

        codes = {code for path in self.topics for code in path.split("\t")}
        known = media_topics().concepts if any(code not in self.labels for code in codes) else {}
        labels = {
            code: self.labels.get(code) or (known[code].label if code in known else code) for code in sorted(codes)
        }
        return {
            "ids": self.ids,
            **self.columns,
            "firsts": self.firsts,
            "agencies": list(self.agencies),
            "places": list(self.places),
            "speakers": list(self.speakers),
            "entities": list(self.names),
            "paths": [path.split("\t") for path in self.topics],
            "labels": labels,
        }


class Numbers(dict[str, int]):
    """Numbers for strings, in the order they are met."""

    def __missing__(self, key: str) -> int:
        self[key] = len(self)
        return self[key]


def title_of(document: Document) -> str:
    """The headline, else the beginning of the copy, in one line."""
    start = document.body.start if document.body else 0
    line = " ".join((document.meta.headline or document.text[start : start + 200]).split())
    return line if len(line) <= 140 else line[:139].rstrip() + "…"


def annotated(document: Document) -> dict[str, Any]:
    """One story's annotations as the page reads them; offsets are UTF-16 units, which JavaScript counts in."""
    at = utf16(document.text)
    entities = {entity.id: n for n, entity in enumerate(document.entities)}
    owners = {
        "entity": entities,
        "date": {timex.id: n for n, timex in enumerate(document.dates)},
        "quote": {quote.id: n for n, quote in enumerate(document.quotes)},
    }
    said = speakers(document)
    paragraphs = []
    for start, end, events in woven(document):
        numbers: list[int] = []
        for offset, mark in events:
            numbers.append(at(offset))
            if mark is None:
                numbers.append(-1)
            else:
                owner = owners.get(mark.kind, owners["quote"])[mark.ref]
                numbers.append(8 * owner + _MARK[mark.kind, mark.form])
        zone = document.zone(start)
        paragraphs.append([at(start), at(end), "" if zone == "body" else zone, numbers])
    meta = document.meta
    return {
        "paragraphs": paragraphs,
        "entities": [[e.label, e.name, e.roles, e.aliases, len(e.mentions)] for e in document.entities],
        "dates": [
            [at(t.start), at(t.end), t.type, t.value, t.mod, t.earliest, t.latest, t.quant, t.freq]
            for t in document.dates
        ],
        "quotes": [
            {
                "type": quote.type,
                "kind": quote.kind,
                "parts": [[at(part.start), at(part.end)] for part in quote.parts],
                "cue": quote.cue.text if quote.cue else None,
                "confidence": quote.confidence,
                "polarity": quote.polarity,
                **_speaker(said.get(quote.id), entities),
            }
            for quote in document.quotes
        ],
        "topics": [[t.label, t.qcode, t.score, t.evidence] for t in document.topics],
        "keyphrases": [phrase.text for phrase in document.keyphrases],
        "byline": meta.byline,
        "published": meta.published,
        "source": document.source.path if document.source else None,
        "faults": [
            f"{name}: {record.error.message}" if record.error else f"{name} is stale: a stage it reads was run again"
            for name, record in document.stages.items()
            if record.error or record.stale
        ],
    }


def _speaker(said: Any, entities: Mapping[str, int]) -> dict[str, Any]:
    if said is None:
        return {}
    return {
        "speaker": speaker_name(said),
        "named": bool(said.name),
        "entity": entities.get(said.entity or ""),
        "role": said.role,
        "method": said.method,
        "sure": said.confidence,
        "anonymous": bool(said.anonymous),
    }


def utf16(text: str) -> Callable[[int], int]:
    """The map from code point offsets of ``text`` to offsets in UTF-16 units.

    >>> at = utf16("a\\U0001f600b")
    >>> [at(offset) for offset in range(4)]
    [0, 1, 3, 4]
    """
    if text.isascii() or max(text) <= "\uffff":
        return lambda offset: offset
    units = array("L", accumulate((2 if c > "\uffff" else 1 for c in text), initial=0))
    return lambda offset: units[min(offset, len(text))]


def _days(earliest: str | None, latest: str | None) -> tuple[int | None, int | None]:
    try:
        first, last = date.fromisoformat(earliest or ""), date.fromisoformat(latest or "")
    except ValueError:
        return None, None
    return first.toordinal() - _EPOCH, last.toordinal() - _EPOCH


_EPOCH = date(1970, 1, 1).toordinal()


def _documents(run: Run) -> Iterator[Document]:
    documents = run.documents()
    number = 0
    while True:
        number += 1
        try:
            document = next(documents)
        except StopIteration:
            return
        except ValueError as error:
            raise StorageError(
                f"{run.out / 'documents.jsonl'}:{number} is no document: {error}", "copydesk check tells more"
            ) from error
        yield document


def _packed(data: Any) -> Markup:
    return _gzipped(orjson.dumps(data))


def _gzipped(data: bytes) -> Markup:
    # Base64 has no character that HTML minds; no time in the gzip header, so that a run always gives the same page.
    return Markup(base64.b64encode(gzip.compress(data, 6, mtime=0)).decode("ascii"))


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
