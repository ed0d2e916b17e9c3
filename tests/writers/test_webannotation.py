"""W3C Web Annotation: valid by the model, and every selector finds its words."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import orjson
from hypothesis import given, settings
from writers.stories import SAMPLES, documents, samples, spans

from models.document import Document
from pipeline import export
from pipeline.writers.webannotation import annotations_of, lines

IRI = {"type": "string", "pattern": '^[A-Za-z][A-Za-z0-9+.-]*:[^\\s<>"{}|^`\\\\]+$'}
MOTIVATIONS = (
    "assessing bookmarking classifying commenting describing editing highlighting identifying linking moderating "
    "questioning replying tagging"
).split()


def one_or_many(item: dict[str, Any]) -> dict[str, Any]:
    return {"if": {"type": "array"}, "then": {"items": item, "minItems": 2}, "else": item}


# The rules of https://www.w3.org/TR/annotation-model/ for what we use of it, section by section: the W3C publishes
# no schema of the model, so its tables of "Type" and cardinality are written down here.
POSITION = {  # 4.2.5
    "type": "object",
    "properties": {
        "type": {"const": "TextPositionSelector"},
        "start": {"type": "integer", "minimum": 0},
        "end": {"type": "integer", "minimum": 0},
    },
    "required": ["type", "start", "end"],
    "additionalProperties": False,
}
QUOTE = {  # 4.2.4
    "type": "object",
    "properties": {
        "type": {"const": "TextQuoteSelector"},
        **{key: {"type": "string"} for key in ("exact", "prefix", "suffix")},
    },
    "required": ["type", "exact"],
    "additionalProperties": False,
}
RESOURCE = {  # 3.2.2
    "type": "object",
    "properties": {
        "id": IRI,
        "type": {"enum": ["Dataset", "Image", "Video", "Sound", "Text"]},
        "format": {"type": "string", "pattern": "^[a-z]+/[a-z0-9.+-]+$"},
        "language": {"type": "string"},
        "dcterms:identifier": {"type": "string"},
    },
    "required": ["id"],
    "additionalProperties": False,
}
SPECIFIC = {  # 4
    "type": "object",
    "properties": {
        "type": {"const": "SpecificResource"},
        "source": {"anyOf": [IRI, RESOURCE]},
        "selector": one_or_many({"anyOf": [POSITION, QUOTE]}),
        "purpose": {"enum": MOTIVATIONS},
    },
    "required": ["source"],
    "additionalProperties": False,
}
TEXTUAL = {  # 3.2.4
    "type": "object",
    "properties": {
        "type": {"const": "TextualBody"},
        "value": {"type": "string"},
        "format": {"type": "string"},
        "language": {"type": "string"},
        "purpose": {"enum": MOTIVATIONS},
    },
    "required": ["type", "value"],
    "additionalProperties": False,
}
ANNOTATION = {  # 3.1, 3.3.5
    "type": "object",
    "properties": {
        "@context": {"const": "http://www.w3.org/ns/anno.jsonld"},
        "id": IRI,
        "type": {"const": "Annotation"},
        "motivation": {"enum": MOTIVATIONS},
        "body": one_or_many({"anyOf": [IRI, TEXTUAL, SPECIFIC]}),
        "target": one_or_many({"anyOf": [IRI, RESOURCE, SPECIFIC]}),
    },
    "required": ["id", "type", "target"],
    "additionalProperties": False,
}
COLLECTION = {  # 5.1, 5.2
    "type": "object",
    "properties": {
        "@context": {"const": "http://www.w3.org/ns/anno.jsonld"},
        "type": {"const": "AnnotationCollection"},
        "label": {"type": "string"},
        "total": {"type": "integer", "minimum": 0},
        "first": {
            "type": "object",
            "properties": {
                "type": {"const": "AnnotationPage"},
                "startIndex": {"type": "integer", "minimum": 0},
                "items": {"type": "array", "items": ANNOTATION},
            },
            "required": ["type", "items"],
        },
    },
    "required": ["@context", "type", "total", "first"],
    "additionalProperties": False,
}


VALID = jsonschema.Draft202012Validator(ANNOTATION)


def many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def selected(text: str, selectors: list[dict[str, Any]]) -> tuple[int, int]:
    """What the selectors select, each by itself, as the model tells; they must agree."""
    position, quote = selectors
    start, end = position["start"], position["end"]
    assert text[start:end] == quote["exact"]
    assert text[:start].endswith(quote["prefix"])
    assert text[end:].startswith(quote["suffix"])
    return start, end


@settings(max_examples=25, deadline=None)
@given(documents())
def test_selectors_find_every_range_in_code_points(document: Document) -> None:
    made = [orjson.loads(orjson.dumps(annotation)) for annotation in annotations_of(document)]
    for annotation in made:
        VALID.validate(annotation)
    found: dict[str, list[tuple[int, int]]] = {"identifying": [], "describing": [], "highlighting": []}
    for annotation in made:
        if annotation["motivation"] in found:
            found[annotation["motivation"]] += [
                selected(document.text, target["selector"]) for target in many(annotation["target"])
            ]
    names = {"identifying": "mentions", "describing": "dates", "highlighting": "quotes"}
    for motivation, name in names.items():
        assert found[motivation] == [(span.start, span.end) for where, span in spans(document) if where == name]


def test_the_samples_are_a_valid_collection(tmp_path: Path) -> None:
    assert export(SAMPLES, tmp_path / "a.jsonld", "webannotation") == 19
    made = json.loads((tmp_path / "a.jsonld").read_text("utf-8"))
    jsonschema.validate(made, COLLECTION)
    items = made["first"]["items"]
    counts = Counter(item["motivation"] for item in items)
    assert made["total"] == len(items) == counts.total()
    assert counts["identifying"] == sum(len(e.mentions) for d in samples() for e in d.entities)
    assert counts["describing"] == sum(len(d.dates) for d in samples())
    assert counts["highlighting"] == sum(len(d.quotes) for d in samples())
    assert counts["classifying"] == sum(len(d.topics) for d in samples())
    ids = {item["id"] for item in items}
    assert len(ids) == len(items)
    links = [item["body"] for item in items if item["motivation"] == "linking"]
    assert links
    assert set(links) <= ids


def test_who_said_what_can_be_followed() -> None:
    [document] = [each for each in samples() if each.id == "pti-2025-03-28-tariff-talks.txt"]
    made = {annotation["id"]: annotation for annotation in annotations_of(document)}
    speakers = {}
    for annotation in made.values():
        if annotation["motivation"] == "linking":
            quote = made[annotation["body"]]
            start, end = selected(document.text, annotation["target"]["selector"])
            names = [body["value"] for body in quote["body"] if body["purpose"] == "identifying"]
            speakers[document.text[start:end]] = names
    assert speakers["it"] == ["Ministry of External Affairs"]
    [topic, *_] = [annotation for annotation in made.values() if annotation["motivation"] == "classifying"]
    assert topic["body"]["source"] == "http://cv.iptc.org/newscodes/mediatopic/20000639"


def test_a_run_without_stories_is_an_empty_collection() -> None:
    made = json.loads(b"".join(lines([])))
    jsonschema.validate(made, COLLECTION)
    assert made["total"] == 0


def test_the_providers_address_is_the_source() -> None:
    document = samples()[0]
    document.meta.url = "https://example.org/news/1?a=b"
    assert {
        target["source"]["id"]
        for annotation in annotations_of(document)
        for target in many(annotation["target"])
        if "source" in target
    } == {"https://example.org/news/1?a=b"}
