from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from models.document import Document
from models.markup import Mark, marks, weave

TEXT = "Anna Berg, the mayor, <script>alert(1)</script> said “it rains & pours on Friday”.\n\nNext & last </p>."


def story(**sections: Any) -> Document:
    return Document.from_dict({"id": "a&b", "schema": 1, "text": TEXT, **sections})


def span(words: str, **fields: Any) -> dict[str, Any]:
    start = TEXT.index(words)
    return {"start": start, "end": start + len(words), "text": words, **fields}


QUOTE = span("it rains & pours on Friday")
SAID: dict[str, Any] = {
    "entities": [
        {"id": "e1", "label": "PERSON", "name": "Anna <b>Berg", "mentions": [span("Anna Berg", kind="name")]},
    ],
    "dates": [span("Friday", id="d1", type="DATE", value='2025-03-28"')],
    "quotes": [
        {
            **{k: QUOTE[k] for k in ("start", "end")},
            "id": "q1",
            "type": "direct",
            "parts": [{k: QUOTE[k] for k in ("start", "end")}],
            "cue": span("said", lemma="say"),
            "source": span("Anna Berg, the mayor"),
            "confidence": 0.9,
        }
    ],
    "attributions": [{"quote": "q1", "entity": "e1", "name": "Anna <b>Berg", "method": "name", "confidence": 1.0}],
    "topics": [{"qcode": "x:1", "uri": "", "label": "a<b>c", "path": ["x:1"], "score": 0.5}],
}


class Tree(HTMLParser):
    """Elements as they open and close, and the text between."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.titles: list[str] = []
        self.at: dict[str, list[str]] = {}
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.seen.add(tag)
        self.titles.append(dict(attrs).get("title") or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.titles.pop()

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        for title in filter(None, self.titles):
            self.at.setdefault(title, []).append(data)


ranges = st.lists(
    st.builds(
        lambda start, size, kind, ref: Mark(start, start + size, kind, ref),
        st.integers(0, 30),
        st.integers(1, 30),
        st.sampled_from(["quote", "source", "cue", "entity", "date"]),
        st.sampled_from(["x1", "x2", "x3"]),
    ),
    max_size=8,
)


@given(ranges, st.integers(0, 40), st.integers(0, 40))
def test_what_is_woven_nests_and_covers_each_place_with_its_marks(found: list[Mark], start: int, size: int) -> None:
    end = start + size
    open_marks: list[Mark] = []
    covered: dict[int, list[Mark]] = {}
    at = start
    for offset, mark in weave(found, start, end):
        assert at <= offset <= end
        for place in range(at, offset):
            covered[place] = list(open_marks)
        at = offset
        if mark is None:
            open_marks.pop()
        else:
            open_marks.append(mark)
    assert not open_marks
    for place in range(start, end):
        wanted = [mark for mark in found if mark.start <= place < mark.end]
        got = covered.get(place, [])
        assert sorted(map(repr, got)) == sorted(map(repr, wanted))


def test_a_notebook_shows_the_story_with_what_was_found_in_it() -> None:
    html = story(**SAID)._repr_html_()
    tree = Tree(html)
    assert not tree.open
    shown = "".join(tree.text)
    for part in TEXT.split("\n\n"):
        assert part.split("”")[0] in shown
    assert tree.at["PERSON Anna <b>Berg"] == ["Anna Berg"]
    assert tree.at['DATE 2025-03-28"'] == ["Friday"]
    assert "".join(tree.at["quote 1, direct: Anna <b>Berg"]) == QUOTE["text"]
    assert "".join(tree.at["source of quote 1: Anna <b>Berg"]) == "Anna Berg, the mayor"
    assert "Who said what" in shown
    assert "a<b>c 0.50" in shown


def test_no_text_of_a_story_becomes_markup() -> None:
    tree = Tree(story(**SAID)._repr_html_())
    ours = {"div", "p", "b", "i", "span", "sup", "table", "caption", "thead", "tbody", "tr", "th", "td"}
    assert tree.seen <= ours
    assert not {"script", "style"} & tree.seen


def test_control_characters_and_overriding_directions_are_shown_as_such() -> None:
    html = Document(id="a", text="a\x00b\x1bc \u202eevil\u202c d\re")._repr_html_()
    assert not {"\x00", "\x1b", "\u202e", "\u202c", "\r"} & set(html)
    assert "a\ufffdb\ufffdc \ufffdevil\ufffd d e" in html


@given(st.text())
def test_any_text_is_shown_whole(text: str) -> None:
    document = Document(id="a", text=text)
    shown = "".join(Tree(document._repr_html_()).text)
    for start, end in document.paragraphs():
        assert all(word in shown for word in text[start:end].split() if word.isalnum())


@given(st.text(min_size=1, alphabet="ab\n <&\U0001f600"), st.data())
def test_overlapping_annotations_never_break_the_page(text: str, data: st.DataObject) -> None:
    def place() -> dict[str, Any]:
        start = data.draw(st.integers(0, len(text) - 1))
        end = data.draw(st.integers(start, len(text)))
        return {"start": start, "end": end, "text": text[start:end]}

    spans = [place() for _ in range(data.draw(st.integers(0, 4)))]
    document = Document.from_dict(
        {
            "id": "a",
            "text": text,
            "entities": [
                {"id": f"e{n}", "label": "ORG", "name": "x", "mentions": [one]} for n, one in enumerate(spans)
            ],
            "dates": [{**place(), "id": "d1", "type": "DATE", "value": None}],
            "quotes": [
                {**(one := place()), "id": "q1", "type": "mixed", "parts": [one], "source": place(), "confidence": 1}
            ],
        }
    )
    assert all(mark.start < mark.end for mark in marks(document))
    tree = Tree(document._repr_html_())
    assert not tree.open
    assert orjson.loads(document.to_json())["text"] == text
