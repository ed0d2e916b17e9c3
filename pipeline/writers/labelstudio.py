"""Label Studio: documents as tasks with predictions, and annotated tasks as gold.

:func:`write` makes ``NAME.json`` to import, and beside it ``NAME.xml``, the labelling interface to paste into the
project's settings. The project's JSON export is what :func:`read_gold` reads.

Offsets are code points: so Label Studio counts (in its text elements it spreads the text into an array). What a
front end counted in UTF-16 instead is told by the words that come with a region, and converted.

https://labelstud.io/guide/predictions and https://labelstud.io/guide/export
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import orjson

from models.document import Document
from pipeline.batch.files import write_atomic
from pipeline.errors import UsageError
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

_CHOICES = {
    "type": ("direct", "indirect", "mixed"),
    "kind": ("name", "nominal", "pronoun", "speech", "writing", "thought", "intention"),
}
"""What is chosen of a region; everything else said of one is written."""
BEGINS = rb'\[(\n  \{\n    "data": |\]\n)'
"""What tasks of ours begin with; the project's own export has other keys first."""
_WRITTEN = ("value", "mod", "speaker", "name")


def write(documents: Iterable[Document], path: str | Path) -> int:
    """Write a task a document to ``path``, and the labelling interface beside it; how many tasks."""
    path = Path(path)
    tasks = [task_of(document) for document in documents]
    write_atomic(path, _tasks(tasks))
    labels = {region.label for task in tasks for region in task.regions}
    write_atomic(beside(path), interface(sorted(labels), any(task.vocabulary for task in tasks)).encode())
    return len(tasks)


def beside(path: Path) -> Path:
    """The file of the interface. Raises :class:`UsageError` where the tasks themselves have its name."""
    if path.suffix == ".xml":
        raise UsageError(f"{path} is where the labelling interface goes", f"Name the tasks {path.with_suffix('.json')}")
    return path.with_suffix(".xml")


def lines(documents: Iterable[Document]) -> Iterator[bytes]:
    """The tasks to import, without the interface."""
    yield _tasks([task_of(document) for document in documents])


def _tasks(tasks: Sequence[Task]) -> bytes:
    vocabulary = {code: facts for task in tasks for code, facts in task.vocabulary.items()}
    return orjson.dumps([_row(task, vocabulary) for task in tasks], option=orjson.OPT_INDENT_2) + b"\n"


def interface(labels: Iterable[str] = (), topics: bool = True) -> str:
    """The labelling interface: every label of ours and ``labels``, what is said of a region, relations, topics."""
    known = [*ENTITIES, *TIMEX, QUOTE, CUE, SOURCE]
    lines = ["<View>", '  <Labels name="label" toName="text">']
    lines += [f"    <Label value={quoteattr(label)}/>" for label in dict.fromkeys((*known, *labels))]
    lines += ["  </Labels>", "  <Relations>"]
    lines += [f'    <Relation value="{label}"/>' for label in ("coref", "part", "cue", "source")]
    lines += ["  </Relations>", '  <Text name="text" value="$text"/>']
    for name, values in _CHOICES.items():
        lines.append(f'  <Choices name="{name}" toName="text" perRegion="true">')
        lines += [f'    <Choice value="{value}"/>' for value in values]
        lines.append("  </Choices>")
    for name in _WRITTEN:
        lines.append(
            f'  <TextArea name="{name}" toName="text" perRegion="true" placeholder="{name}" maxSubmissions="1"/>'
        )
    if topics:
        lines.append('  <Choices name="topic" toName="text" choice="multiple" value="$topics"/>')
    return "\n".join([*lines, "</View>", ""])


def _row(task: Task, vocabulary: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    results = [result for region in task.regions for result in _results(region, task.text)]
    results += [
        {"type": "relation", "from_id": link.head, "to_id": link.child, "direction": "right", "labels": [link.label]}
        for link in task.links
    ]
    if task.topics:
        results.append(
            {
                "id": "topics",
                "from_name": "topic",
                "to_name": "text",
                "type": "choices",
                "value": {"choices": task.topics},
            }
        )
    data = {
        "id": task.id,
        "text": task.text,
        "published": task.published,
        "sections": list(task.sections),
        "topics": [{"value": facts["label"], "alias": code} for code, facts in sorted(vocabulary.items())],
        "vocabulary": vocabulary,
    }
    return {
        "data": {key: value for key, value in data.items() if value is not None},
        "predictions": [{"model_version": "copydesk", "result": results}],
    }


def _results(region: Region, text: str) -> Iterator[dict[str, Any]]:
    place = {"start": region.start, "end": region.end, "text": text[region.start : region.end]}
    common = {"id": region.id, "to_name": "text"}
    yield {**common, "from_name": "label", "type": "labels", "value": {**place, "labels": [region.label]}}
    for name, value in region.facts.items():
        if name in _CHOICES:
            yield {**common, "from_name": name, "type": "choices", "value": {**place, "choices": [value]}}
        else:
            yield {**common, "from_name": name, "type": "textarea", "value": {**place, "text": [value]}}


def is_export(data: Any) -> bool:
    """Whether parsed JSON is a list of Label Studio tasks."""
    return isinstance(data, list) and bool(data) and all(isinstance(t, dict) and "data" in t for t in data)


def read_gold(path: str | Path) -> Iterator[Document]:
    """Documents of the annotated tasks in a JSON export: of each the annotation marked as ground truth, else the last
    that was not cancelled. Tasks that nobody annotated are left out.

    Raises :class:`UsageError` where the file is no such export, or a region is not where its text is.
    """
    path = Path(path)
    try:
        data = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{path} is not JSON: {error.msg}", "Export the project as JSON") from None
    if not is_export(data):
        raise UsageError(f"{path} is no list of Label Studio tasks", "Export the project as JSON, not JSON-MIN")
    tasks = []
    for n, row in enumerate(data, 1):
        try:
            annotation = _chosen(row.get("annotations", ()))
            if annotation is not None:
                tasks.append((_task(row["data"], annotation["result"], f"{path.name}:{n}"), "sections" in row["data"]))
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            what = f"has no {error}" if isinstance(error, KeyError) else str(error)
            raise UsageError(f"{path}, task {n}: {what}", "Export the project as JSON") from None
    found = {name for task, _ in tasks for name in sections_of(task)}
    for task, known in tasks:
        task.sections = task.sections if known else tuple(name for name in SECTIONS if name in found)
        yield document_of(task)


def _chosen(annotations: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    done = [annotation for annotation in annotations if not annotation.get("was_cancelled")]
    truths = [annotation for annotation in done if annotation.get("ground_truth")]
    return (truths or done)[-1] if done else None


def _task(data: Mapping[str, Any], results: Iterable[Mapping[str, Any]], name: str) -> Task:
    text = data["text"]
    task = Task(str(data.get("id", name)), text, published=data.get("published"))
    if "sections" in data:
        task.sections = tuple(data["sections"])
    task.vocabulary = dict(data.get("vocabulary", {}))
    labels: dict[str, tuple[int, int, str]] = {}
    facts: dict[str, dict[str, str]] = {}
    for result in results:
        kind = result["type"]
        if kind == "relation":
            label = (result.get("labels") or ["coref"])[0]
            task.links.append(Link(str(result["from_id"]), str(result["to_id"]), label.casefold()))
        elif kind == "labels":
            start, end = _place(text, result["value"])
            labels[str(result["id"])] = (start, end, result["value"]["labels"][0])
        elif kind == "choices" and "start" not in result["value"]:
            task.topics = [str(code) for code in result["value"]["choices"]]
        elif kind in {"choices", "textarea"}:
            values = result["value"]["choices" if kind == "choices" else "text"]
            values = [values] if isinstance(values, str) else values
            facts.setdefault(str(result["id"]), {})[result["from_name"]] = str(values[0]) if values else ""
    task.regions = [Region(id_, *place, facts.get(id_, {})) for id_, place in labels.items()]
    return task


def _place(text: str, value: Mapping[str, Any]) -> tuple[int, int]:
    """Offsets in code points. Browsers count in UTF-16: the text that comes with a region decides between the two."""
    start, end, said = value["start"], value["end"], value.get("text")
    if not isinstance(start, int) or not isinstance(end, int):
        raise ValueError(f"{start!r} to {end!r} is no range of offsets")
    if 0 <= start <= end <= len(text) and (said is None or text[start:end] == said):
        return start, end
    wide = text.encode("utf-16-le", "surrogatepass")
    before, within = (wide[2 * a : 2 * b].decode("utf-16-le", "replace") for a, b in ((0, start), (start, end)))
    if said is not None and within == said:
        return len(before), len(before) + len(within)
    raise ValueError(f"the text at {start} to {end} is not {said!r}")
