"""ninjs 3.0: valid by the standard's table of properties, and our own reader reads what was written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
from hypothesis import given, settings
from writers.stories import SAMPLES, documents, samples

from models.document import Document, Meta
from pipeline import export, read
from pipeline.writers.ninjs import item

EXAMPLES = Path(__file__).parent.parent / "readers" / "iptc" / "ninjs"
TEXT = {"type": "string"}
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"}
URI = {"type": "string", "pattern": r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$"}


def listed(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    row = {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}
    return {"type": "array", "minItems": 1, "items": row}


def concepts(**more: Any) -> dict[str, Any]:
    return listed(name=TEXT, rel=TEXT, uri=URI, literal=TEXT, **more)


# The part of the standard that is relied on, written from its table of properties (IPTC ninjs 3.0): names, types,
# cardinality and closed lists of values. The IPTC's own text example of 3.0 is valid by it, as a test here shows.
NINJS = {
    "type": "object",
    "properties": {
        "standard": {
            "type": "object",
            "properties": {"name": TEXT, "version": TEXT, "schema": URI},
            "additionalProperties": False,
        },
        "uri": URI,
        "altIds": listed(("value",), role=TEXT, value=TEXT),
        "type": {
            "enum": ["text", "audio", "video", "picture", "graphic", "composite", "planning", "component", "event"]
        },
        "representationType": {"enum": ["full", "partial"]},
        "profile": TEXT,
        "version": TEXT,
        "title": TEXT,
        "firstCreated": TIME,
        "versionCreated": TIME,
        "contentCreated": TIME,
        "embargoed": TIME,
        "pubStatus": {"enum": ["usable", "withheld", "canceled"]},
        "urgency": {"type": "integer", "minimum": 1, "maximum": 9},
        "copyrightHolder": TEXT,
        "copyrightNotice": TEXT,
        "edNote": TEXT,
        "language": TEXT,
        "by": TEXT,
        "slugline": TEXT,
        "located": TEXT,
        "keywords": {"type": "array", "items": TEXT},
        "headlines": listed(("value",), role=TEXT, contentType=TEXT, value=TEXT),
        "descriptions": listed(("value",), role=TEXT, contentType=TEXT, value=TEXT),
        "bodies": listed(
            ("value",),
            role=TEXT,
            contentType=TEXT,
            charCount={"type": "integer", "minimum": 0},
            wordCount={"type": "integer", "minimum": 0},
            value=TEXT,
        ),
        "infoSources": concepts(),
        "subjects": concepts(),
        "genres": concepts(),
        "people": concepts(),
        "organisations": concepts(symbols={"type": "array"}),
        "places": concepts(contactInfo={"type": "array"}),
    },
    "required": ["uri", "standard"],
    "additionalProperties": False,
}

VALID = jsonschema.Draft202012Validator(NINJS)


def test_the_rules_hold_of_the_iptcs_own_example() -> None:
    [path] = EXAMPLES.glob("20231008-*.json")
    jsonschema.validate(json.loads(path.read_text("utf-8")), NINJS)


@pytest.mark.parametrize(
    "spoil", [{"uri": "no uri"}, {"urgency": 0}, {"subjects": [{"label": "x"}]}, {"versionCreated": "2025-03-28"}]
)
def test_the_rules_refuse_what_is_none(spoil: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**item(samples()[0]), **spoil}, NINJS)


@settings(max_examples=20, deadline=None)
@given(documents())
def test_any_document_is_a_valid_item(document: Document) -> None:
    made = orjson.loads(orjson.dumps(item(document)))
    VALID.validate(made)
    body = made["bodies"][0]
    assert body["value"] == document.text.strip()
    assert body["charCount"] == len(body["value"])


def test_the_samples_are_valid_and_read_back(tmp_path: Path) -> None:
    assert export(SAMPLES, tmp_path / "ninjs", "ninjs") == 19
    assert export(SAMPLES, tmp_path / "all.jsonl", "ninjs") == 19
    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text("utf-8").splitlines()]
    assert sorted(map(str, lines)) == sorted(
        str(json.loads(path.read_text("utf-8"))) for path in (tmp_path / "ninjs").rglob("*.json")
    )
    for line in lines:
        VALID.validate(line)
    back = {document.meta.guid: document for document in read(tmp_path / "all.jsonl")}
    for document, line in zip(samples(), lines, strict=True):
        one = back[line["uri"]]
        assert line["altIds"] == [{"role": "copydesk", "value": document.id}]
        assert one.text.split() == document.text[document.body.start : document.body.end].split()  # type: ignore[union-attr]
        for name in ("headline", "language", "agency", "slug", "keywords"):
            assert getattr(one.meta, name) == getattr(document.meta, name), (document.id, name)
        assert (one.meta.published or "")[:10] == (document.meta.published or "")[:10]
        given = [subject.qcode for subject in document.meta.subjects or ()]
        assert [subject.qcode for subject in one.meta.subjects or ()] == [
            *given,
            *(topic.qcode for topic in document.topics if topic.qcode not in given),
        ]


def test_subjects_people_and_places_are_filled() -> None:
    [document] = [each for each in samples() if each.id == "pti-2025-03-28-tariff-talks.txt"]
    made = item(document)
    assert {
        "rel": "classifies",
        "name": "diplomacy",
        "uri": "http://cv.iptc.org/newscodes/mediatopic/20000639",
    } in made["subjects"]
    assert "Tammy Bruce" in {each["name"] for each in made["people"]}
    assert "Ministry of External Affairs" in {each["name"] for each in made["organisations"]}
    assert "New Delhi" in {each["name"] for each in made["places"]}
    assert "PTI" not in {each["name"] for each in made["organisations"]}
    assert made["infoSources"] == [{"name": "PTI"}]


def test_what_a_provider_said_is_kept() -> None:
    meta = Meta(
        guid="urn:example:1",
        published="2025-03-28T10:15+05:30",
        updated="2025-03-28T11:00:00Z",
        embargo="until noon",
        status="withheld",
        urgency=3,
        byline="Mara Teller",
    )
    made = item(Document(id="x", schema_=1, text="Text.", meta=meta))
    jsonschema.validate(made, NINJS)
    assert (made["uri"], made["firstCreated"]) == ("urn:example:1", "2025-03-28T10:15:00+05:30")
    assert (made["versionCreated"], made["pubStatus"]) == ("2025-03-28T11:00:00Z", "withheld")
    assert (made["urgency"], made["by"]) == (3, "Mara Teller")
    assert "embargoed" not in made  # it is no time
