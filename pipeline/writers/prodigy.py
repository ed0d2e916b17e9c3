"""Prodigy: documents as pre-annotated tasks, and corrected tasks as gold.

:func:`write` makes a JSON Lines file for ``prodigy spans.manual DATASET blank:en FILE --label ...``, whose spans may
overlap; the same tasks work with ``rel.manual``. Tokens are given, so that every span begins and ends at one.
``prodigy db-out DATASET > FILE`` gives what :func:`read_gold` reads; rejected and ignored tasks are left out.

https://prodi.gy/docs/api-interfaces
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson

from models.document import Document
from pipeline.batch.files import atomic
from pipeline.errors import UsageError
from pipeline.writers.regions import SECTIONS, Link, Region, Task, document_of, sections_of, task_of

_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_KNOWN = frozenset({"start", "end", "label", "token_start", "token_end", "id", "text"})


def write(documents: Iterable[Document], path: str | Path) -> int:
    """Write a task a document to ``path``; how many. Topics found anywhere among them can be chosen in each."""
    count = 0
    with atomic(Path(path)) as file:
        for count, line in enumerate(lines(documents), 1):  # noqa: B007 (counts them)
            file.write(line)
    return count


def lines(documents: Iterable[Document]) -> Iterator[bytes]:
    """A task a line."""
    tasks = [task_of(document) for document in documents]
    vocabulary = {code: facts for task in tasks for code, facts in task.vocabulary.items()}
    for task in tasks:
        yield orjson.dumps(_row(task, vocabulary)) + b"\n"


def _row(task: Task, vocabulary: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    tokens = list(_tokens(task))
    starts = {token["start"]: token["id"] for token in tokens}
    ends = {token["end"]: token["id"] for token in tokens}
    spans: dict[str, dict[str, Any]] = {}
    for region in task.regions:
        if region.start < region.end:
            place = {"start": region.start, "end": region.end, "label": region.label}
            at = {"token_start": starts[region.start], "token_end": ends[region.end]}
            spans[region.id] = {**place, **at, "id": region.id, **region.facts}
    options = [{"id": c, "text": f["label"], "uri": f["uri"], "path": f["path"]} for c, f in sorted(vocabulary.items())]
    meta = {"id": task.id, "published": task.published, "sections": list(task.sections)}
    return {
        "text": task.text,
        "meta": {key: value for key, value in meta.items() if value is not None},
        "tokens": tokens,
        "spans": list(spans.values()),
        "relations": [
            _relation(spans[link.head], spans[link.child], link.label)
            for link in task.links
            if link.head in spans and link.child in spans
        ],
        **({"options": options, "accept": task.topics} if options else {}),
    }


def _tokens(task: Task) -> Iterator[dict[str, Any]]:
    """Words, marks and white space as Prodigy takes them: a single space belongs to the token before it."""
    text = task.text
    starts, ends = {region.start for region in task.regions}, {region.end for region in task.regions}
    cuts = sorted({0, len(text), *starts, *ends, *(m.start() for m in _TOKEN.finditer(text))})
    token: dict[str, Any] | None = None
    for start, end in pairwise(cuts):
        single = text[start:end] == " " and start not in starts and end not in ends
        if single and token is not None and not token["ws"]:
            token["ws"] = True
            continue
        if token is not None:
            yield token
        number = token["id"] + 1 if token is not None else 0
        token = {"text": text[start:end], "start": start, "end": end, "id": number, "ws": False}
    if token is not None:
        yield token


def _relation(head: Mapping[str, Any], child: Mapping[str, Any], label: str) -> dict[str, Any]:
    place = ("start", "end", "token_start", "token_end", "label")
    return {
        "head": head["token_end"],
        "child": child["token_end"],
        "head_span": {key: head[key] for key in place},
        "child_span": {key: child[key] for key in place},
        "label": label,
    }


def is_tasks(row: Mapping[str, Any]) -> bool:
    """Whether a row of JSON Lines is one of Prodigy's: an answer to a text, or spans of it by tokens."""
    return "answer" in row or ("spans" in row and "tokens" in row)


def read_gold(path: str | Path) -> Iterator[Document]:
    """Documents of the accepted tasks in a ``db-out`` file. Raises :class:`UsageError` naming the line that is none.

    A quotation whose ``source`` relation is gone has no source. Where the tasks do not say which sections were
    looked at, those that any of them has an annotation of were.
    """
    tasks = list(_tasks(Path(path)))
    found = {name for task, _ in tasks for name in sections_of(task)}
    for task, known in tasks:
        task.sections = task.sections if known else tuple(name for name in SECTIONS if name in found)
        yield document_of(task, by_id=True)


def _tasks(path: Path) -> Iterator[tuple[Task, bool]]:
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
            if row.get("answer") == "accept":
                yield _task(row, f"{path.name}:{number}"), "sections" in row.get("meta", {})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            what = f"has no {error}" if isinstance(error, KeyError) else str(error)
            raise UsageError(
                f"{path}, line {number}: not a Prodigy task: {what}", "Make it with: prodigy db-out"
            ) from None


def _task(row: Mapping[str, Any], name: str) -> Task:
    meta = row.get("meta", {})
    task = Task(str(meta.get("id", name)), row["text"], published=meta.get("published"))
    if "sections" in meta:
        task.sections = tuple(meta["sections"])
    places: dict[tuple[int, int, str], str] = {}
    for n, span in enumerate(row.get("spans", ())):
        start, end, label = span["start"], span["end"], span["label"]
        if not 0 <= start <= end <= len(row["text"]):
            raise ValueError(f"the span {start} to {end} does not lie in a text of {len(row['text'])} characters")
        facts = {key: value for key, value in span.items() if key not in _KNOWN and isinstance(value, str)}
        region = Region(str(span.get("id", f"s{n}")), start, end, label, facts)
        places[start, end, label] = region.id
        task.regions.append(region)
    for relation in row.get("relations", ()):
        head, child = (
            places.get((relation[k]["start"], relation[k]["end"], relation[k].get("label", "")), "")
            for k in ("head_span", "child_span")
        )
        task.links.append(Link(head, child, str(relation["label"]).casefold()))
    task.topics = [str(code) for code in row.get("accept", ())]
    task.vocabulary = {
        str(option["id"]): {
            "label": option["text"],
            "uri": option.get("uri", ""),
            "path": option.get("path", [option["id"]]),
        }
        for option in row.get("options", ())
    }
    return task
