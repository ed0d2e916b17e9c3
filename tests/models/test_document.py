from __future__ import annotations

from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.document import SCHEMA, Document, check, paragraphs

TEXT = "Misri spoke on Friday. “We agreed,” he said."
SOUND: dict[str, Any] = {
    "id": "a",
    "schema": SCHEMA,
    "meta": {"published": "2025-03-28"},
    "text": TEXT,
    "body": {"start": 0, "end": len(TEXT)},
    "entities": [
        {
            "id": "e1",
            "label": "PERSON",
            "name": "Misri",
            "mentions": [
                {"start": 0, "end": 5, "text": "Misri", "kind": "name"},
                {"start": 36, "end": 38, "text": "he", "kind": "pronoun"},
            ],
        }
    ],
    "dates": [
        {
            "start": 15,
            "end": 21,
            "text": "Friday",
            "id": "d1",
            "type": "DATE",
            "value": "2025-03-28",
            "earliest": "2025-03-28",
            "latest": "2025-03-28",
        }
    ],
    "quotes": [
        {
            "start": 23,
            "end": 35,
            "id": "q1",
            "type": "direct",
            "parts": [{"start": 23, "end": 35}],
            "cue": {"start": 39, "end": 43, "text": "said", "lemma": "say"},
            "source": {"start": 36, "end": 38, "text": "he"},
            "confidence": 0.9,
        }
    ],
    "attributions": [
        {"quote": "q1", "entity": "e1", "name": "Misri", "method": "pronoun", "confidence": 0.8},
    ],
}


def broken(path: str, value: Any) -> dict[str, Any]:
    """SOUND with one value replaced; the path is dotted, numbers are list positions."""
    data: dict[str, Any] = orjson.loads(orjson.dumps(SOUND))
    *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
    at: Any = data
    for step in way:
        at = at[step]
    at[last] = value
    return data


def test_a_sound_document_has_no_problems() -> None:
    assert check(Document.from_dict(SOUND)) == []


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("id", "", "id"),
        ("body.end", 4000, "body"),
        ("entities.0.mentions.0.text", "Misrı", "entities[0].mentions[0]"),
        ("entities.0.mentions.0.end", 4, "entities[0].mentions[0]"),
        ("entities.0.mentions.1.start", 40, "entities[0].mentions[1]"),
        ("entities.0.mentions", [], "entities[0]"),
        ("dates.0.latest", "2025-03-01", "dates[0]"),
        ("dates.0.end", 22, "dates[0]"),
        ("quotes.0.parts", [{"start": 23, "end": 30}], "quotes[0]"),
        ("quotes.0.cue.text", "says", "quotes[0].cue"),
        ("quotes.0.source.start", 35, "quotes[0].source"),
        ("quotes.0.continues", "q7", "quotes[0].continues"),
        ("attributions.0.quote", "q2", "attributions[0].quote"),
        ("attributions.0.entity", "e9", "attributions[0].entity"),
    ],
)
def test_each_broken_invariant_is_named(path: str, value: Any, where: str) -> None:
    assert where in [problem.where for problem in check(Document.from_dict(broken(path, value)))]


def test_ids_are_unique_and_lists_in_order() -> None:
    data = broken("dates", [SOUND["dates"][0], {**SOUND["dates"][0], "start": 0, "end": 5, "text": "Misri"}])
    found = [str(problem) for problem in check(Document.from_dict(data))]
    assert any("used twice" in line for line in found)
    assert any("ordered by offset" in line for line in found)


def test_a_stale_section_may_refer_to_what_is_gone() -> None:
    data = broken("attributions.0.quote", "q2")
    data["stages"] = {"attribution": {"version": "1", "stale": True}}
    assert check(Document.from_dict(data)) == []


def test_unset_fields_are_not_written_and_null_is() -> None:
    data = broken("attributions.0.entity", None)
    document = Document.from_dict(data)
    assert document.to_dict() == data
    assert b'"entity":null' in document.to_json()
    assert b"topics" not in document.to_json()


def test_a_newer_schema_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="upgrade copydesk"):
        Document.from_dict({**SOUND, "schema": SCHEMA + 1})


@pytest.mark.parametrize("line", [b"[]", b"1", b'{"id":"a"}', b'{"id":"a","text":3}', b"{"])
def test_what_is_no_document_is_a_value_error_in_one_line(line: bytes) -> None:
    with pytest.raises(ValueError) as caught:
        Document.from_json(line)
    assert "\n" not in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(), lambda inner: st.lists(inner, max_size=3)
)
unknown = st.dictionaries(st.text(min_size=1).map(lambda key: f"x_{key}"), json_values, max_size=4)


@given(text=st.text(), extra=unknown, meta=unknown, record=unknown)
def test_a_round_trip_keeps_every_byte(
    text: str, extra: dict[str, Any], meta: dict[str, Any], record: dict[str, Any]
) -> None:
    data = {"id": "a", "schema": SCHEMA, "meta": meta, "text": text, "stages": {"dates": {"version": "1", **record}}}
    once = Document.from_dict({**data, **extra}).to_json()
    again = Document.from_json(once)
    assert again.to_json() == once
    assert orjson.loads(once) == {**data, **extra}
    assert again.text == text


@given(st.text(alphabet=st.sampled_from("ab .\n\r\t\u2028\u2029é\U0001f600")))
def test_paragraphs_lie_in_order_and_miss_nothing_but_space(text: str) -> None:
    found = paragraphs(text)
    assert all(0 <= a < b <= len(text) and text[a:b] == text[a:b].strip() for a, b in found)
    assert all(left[1] <= right[0] for left, right in pairwise(found))
    assert "".join("".join(text[a:b].split()) for a, b in found) == "".join(text.split())


def test_hard_wrapped_lines_are_one_paragraph_and_long_lines_are_one_each() -> None:
    wrapped = "a wire line that is\nwrapped by the feed\n\nnext"
    assert [wrapped[a:b] for a, b in paragraphs(wrapped)] == [wrapped[:39], "next"]
    long = "word " * 40
    assert len(paragraphs(f"{long}\n{long}\n{long}")) == 3
