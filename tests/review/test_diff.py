"""What differs between two runs, through the API, the command and the page."""

from __future__ import annotations

from copy import deepcopy
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import diff, evaluate, rerun, run
from pipeline.errors import UsageError
from pipeline.review.diff_page import page
from pipeline.review.sentences import around
from pipeline.settings import load

WIKINEWS = Path(__file__).parent / "wikinews"
TEXT = 'Anna Berg met Sen. Lee in Oslo on Friday. "We agreed," Berg said. Lee left in May 2024 & <b>smiled</b>.'


def at(words: str, nth: int = 0) -> dict[str, Any]:
    start = -1
    for _ in range(nth + 1):
        start = TEXT.index(words, start + 1)
    return {"start": start, "end": start + len(words), "text": words}


def document() -> dict[str, Any]:
    quote = at('"We agreed,"')
    return {
        "id": "a",
        "schema": 1,
        "text": TEXT,
        "entities": [
            {
                "id": "e1",
                "label": "PERSON",
                "name": "Anna Berg",
                "mentions": [{**at("Anna Berg"), "kind": "name"}, {**at("Berg", 1), "kind": "name"}],
            },
            {"id": "e2", "label": "PERSON", "name": "Lee", "mentions": [{**at("Lee"), "kind": "name"}]},
            {"id": "e3", "label": "GPE", "name": "Oslo", "mentions": [{**at("Oslo"), "kind": "name"}]},
        ],
        "dates": [
            {**at("Friday"), "id": "d1", "type": "DATE", "value": "2025-03-28"},
            {**at("May 2024"), "id": "d2", "type": "DATE", "value": "2024-05"},
        ],
        "quotes": [
            {
                "id": "q1",
                "start": quote["start"],
                "end": quote["end"],
                "type": "direct",
                "kind": "speech",
                "parts": [{"start": quote["start"], "end": quote["end"]}],
                "cue": {**at("said"), "lemma": "say"},
                "source": at("Berg", 1),
                "confidence": 0.8,
            }
        ],
        "attributions": [
            {
                "quote": "q1",
                "speaker": at("Berg", 1),
                "entity": "e1",
                "name": "Anna Berg",
                "method": "name",
                "confidence": 1,
            }
        ],
        "topics": [
            {"qcode": "medtop:11000000", "uri": "x", "label": "politics", "path": ["medtop:11000000"], "score": 0.8},
            {"qcode": "medtop:20000639", "uri": "y", "label": "diplomacy", "path": ["medtop:11000000"], "score": 0.4},
        ],
        "keyphrases": [{"text": "Anna Berg", "score": 1.0, "start": 0, "end": 9}],
    }


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return path


@pytest.fixture
def compared(tmp_path: Path) -> Any:
    """Compare the document with itself after ``change(document)``."""

    def compare(change: Any, **options: Any) -> Any:
        other = deepcopy(document())
        change(other)
        return diff(write(tmp_path / "old.jsonl", document()), write(tmp_path / "new.jsonl", other), **options)

    return compare


def only(result: Any) -> Any:
    (change,) = result.changes
    return change


def test_nothing_differs_from_itself(compared: Any) -> None:
    result = compared(lambda d: None)
    assert (result.stories, result.differing, result.changes) == (1, 0, [])
    assert result.counts["entities"].same == 4
    assert result.counts["dates"].same == 2


def test_the_same_place_with_another_value_is_changed(compared: Any) -> None:
    change = only(compared(lambda d: d["dates"][0].update(value="2025-04-04")))
    assert (change.section, change.kind, change.fields) == ("dates", "changed", ("value",))
    assert (change.old["value"], change.new["value"]) == ("2025-03-28", "2025-04-04")
    assert change.sentence == "Anna Berg met Sen. Lee in Oslo on Friday."
    assert change.sentence[change.old["start"] - change.at : change.old["end"] - change.at] == "Friday"


def test_boundaries_that_move_are_a_change(compared: Any) -> None:
    change = only(compared(lambda d: d["dates"][0].update(at("on Friday"))))
    assert (change.kind, change.fields) == ("changed", ("boundaries",))
    assert (change.old["text"], change.new["text"]) == ("Friday", "on Friday")


def test_what_has_no_partner_is_added_or_removed(compared: Any) -> None:
    removed = only(compared(lambda d: d["dates"].pop()))
    assert (removed.kind, removed.old["text"], removed.new) == ("removed", "May 2024", None)
    added = only(
        compared(lambda d: d["entities"].append({"id": "e4", "label": "GPE", "name": "May", "mentions": [at("May")]}))
    )
    assert (added.section, added.kind, added.new["label"]) == ("entities", "added", "GPE")


def test_ids_and_their_order_do_not_count(compared: Any) -> None:
    def renumber(d: dict[str, Any]) -> None:
        for n, entity in enumerate(d["entities"]):
            entity["id"] = f"e{n + 7}"
        d["attributions"][0] |= {"entity": "e7", "quote": "q9"}
        d["quotes"][0]["id"] = "q9"
        d["dates"][0]["id"] = "d5"

    result = compared(renumber)
    assert result.changes == []
    assert result.differing == 0


def test_confidence_alone_is_counted_and_not_listed(compared: Any) -> None:
    def rescore(d: dict[str, Any]) -> None:
        d["quotes"][0]["confidence"] = 0.5
        d["attributions"][0]["method"] = "pronoun"
        d["topics"][1]["score"] = 0.5

    result = compared(rescore)
    assert result.changes == []
    assert [result.counts[s].rescored for s in ("quotes", "attributions", "topics")] == [1, 1, 1]


def test_a_mention_that_goes_to_another_entity_is_changed(compared: Any) -> None:
    def move(d: dict[str, Any]) -> None:
        d["entities"][1]["mentions"].append(d["entities"][0]["mentions"].pop())

    change = only(compared(move))
    assert (change.kind, change.fields) == ("changed", ("entity",))
    assert (change.old["entity"], change.new["entity"]) == ("Anna Berg", "Lee")


def test_an_entity_with_another_name_is_one_change_and_not_one_a_mention(compared: Any) -> None:
    change = only(compared(lambda d: d["entities"][0].update(name="A. Berg")))
    assert (change.section, change.fields, change.old["name"], change.new["name"]) == (
        "entities",
        ("name",),
        "Anna Berg",
        "A. Berg",
    )


def test_another_speaker_is_a_change_of_the_attribution_at_its_quotation(compared: Any) -> None:
    def move(d: dict[str, Any]) -> None:
        d["attributions"][0] |= {"speaker": at("Lee", 1), "entity": "e2", "name": "Lee"}

    change = only(compared(move))
    assert change.section == "attributions"
    assert set(change.fields) == {"speaker", "name", "entity"}
    assert change.new["text"] == '"We agreed,"'


def test_attributions_whose_quotation_is_gone_are_compared_by_their_speaker(compared: Any, tmp_path: Path) -> None:
    """As after ``rerun quotes --only``, which leaves attributions stale."""
    gold = write(tmp_path / "gold.jsonl", document())
    result = compared(lambda d: d.update(quotes=[]), gold=gold)
    assert [(c.section, c.kind) for c in result.changes] == [("quotes", "removed")]
    assert result.counts["attributions"].same == 1

    def other(d: dict[str, Any]) -> None:
        d["quotes"] = []
        d["attributions"][0]["name"] = "Lee"

    change = compared(other, gold=gold).changes[1]
    assert (change.section, change.fields, change.new["text"]) == ("attributions", ("name",), "Berg")


def test_topics_are_paired_by_code_and_the_first_counts(compared: Any) -> None:
    swapped = compared(lambda d: d["topics"].reverse())
    assert [(c.kind, c.fields) for c in swapped.changes] == [("changed", ("primary",))] * 2
    assert only(compared(lambda d: d["topics"].pop())).kind == "removed"


def test_sections_of_other_stages_are_compared_too(compared: Any) -> None:
    change = only(compared(lambda d: d.update(readability=[{"words_a_sentence": 3.5}])))
    assert (change.section, change.kind, change.new) == ("readability", "added", {"words_a_sentence": 3.5})


def test_only_the_stages_asked_for(compared: Any) -> None:
    def both(d: dict[str, Any]) -> None:
        d["dates"].pop()
        d["topics"].pop()

    assert only(compared(both, stages=["topics"])).section == "topics"
    with pytest.raises(UsageError, match="Did you mean 'topics'"):
        compared(both, stages=["topic"])


def test_stories_are_paired_by_id_in_any_order(tmp_path: Path) -> None:
    rows = [{**document(), "id": str(n)} for n in range(6)]
    moved = [rows[n] for n in (3, 0, 5, 1, 2)] + [{**document(), "id": "x"}]
    moved[1] = {**moved[1], "text": TEXT + "!"}
    moved[2] = {**moved[2], "dates": []}
    result = diff(write(tmp_path / "old.jsonl", *rows), write(tmp_path / "new.jsonl", *moved))
    assert (result.stories, result.differing) == (4, 1)
    assert (result.only_old, result.only_new, result.other_text) == (["4"], ["x"], ["0"])
    assert {change.story for change in result.changes} == {"5"}


SPORT = {"qcode": "medtop:15000000", "uri": "z", "label": "sport", "path": ["medtop:15000000"], "score": 0.3}
GAINS = [
    (lambda d: d["dates"][0].update(value="2025-03-28"), lambda d: d["dates"][0].update(value="2025-04-04"), "loss"),
    (lambda d: d["dates"][0].update(value="2025-04-04"), lambda d: None, "gain"),
    (lambda d: d["dates"].pop(), lambda d: None, "gain"),
    (lambda d: None, lambda d: d["dates"].pop(), "loss"),
    (lambda d: d["dates"].insert(0, {**at("met"), "type": "DATE", "value": "x"}), lambda d: None, "gain"),
    (lambda d: None, lambda d: d["entities"][2].update(label="ORG"), "loss"),
    (lambda d: d["entities"].pop(0), lambda d: None, "gain"),
    (lambda d: None, lambda d: d["attributions"][0].update(speaker=at("Lee", 1)), "loss"),
    (lambda d: d["attributions"][0].update(name="Lee"), lambda d: None, "gain"),
    (lambda d: None, lambda d: d["quotes"].clear(), "loss"),
    (lambda d: d["quotes"][0].update(at("We agreed")), lambda d: None, None),
    (lambda d: None, lambda d: d["topics"].reverse(), None),  # both of one branch
    (lambda d: d["topics"].insert(0, SPORT), lambda d: d["topics"].append(SPORT), "gain"),
    (lambda d: d["topics"].insert(1, SPORT), lambda d: d["topics"].insert(0, SPORT), "loss"),
    (lambda d: None, lambda d: d["keyphrases"].clear(), None),
    (lambda d: d["dates"][0].update(value="1999"), lambda d: d["dates"][0].update(value="2000"), None),
]


@pytest.mark.parametrize(("before", "after", "verdict"), GAINS)
def test_gold_tells_gains_from_losses(before: Any, after: Any, verdict: str | None, tmp_path: Path) -> None:
    rows = [deepcopy(document()), deepcopy(document())]
    before(rows[0])
    after(rows[1])
    for row in rows:
        if not row["quotes"]:
            row["attributions"] = []
    paths = [write(tmp_path / f"{n}.jsonl", row) for n, row in enumerate(rows)]
    gold = write(tmp_path / "gold.jsonl", document())
    result = diff(*paths, gold=gold)
    verdicts = {change.verdict for change in result.changes if change.section != "keyphrases"} or {None}
    assert verdicts <= {verdict, None}
    assert verdict in verdicts
    assert sum(c.gains for c in result.counts.values()) == sum(c.verdict == "gain" for c in result.changes)
    assert sum(c.losses for c in result.counts.values()) == sum(c.verdict == "loss" for c in result.changes)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["2025-03-28", "2025-04-04", None]), min_size=6, max_size=6), st.randoms())
def test_gains_less_losses_are_what_the_right_ones_grow_by(values: list[str | None], chance: Any) -> None:
    """Over dates at the same places, where nothing is spurious."""
    from pipeline.review.changes import changes_of
    from pipeline.review.gold import story
    from pipeline.review.judge import Judge
    from pipeline.review.scoring import mark

    gold = {"id": "a", "text": "x" * 60, "dates": [place(n, "2025-03-28") for n in range(6)]}
    sides = []
    for _ in range(2):
        chance.shuffle(values)
        dates = [place(n, value) for n, value in enumerate(values) if value is not None]
        sides.append({"id": "a", "text": "x" * 60, "dates": dates})
    old, new = sides
    changes = list(changes_of(old, new, judge=Judge(story(gold), old, new)))
    # A wrong value where there was none is a loss of precision, and its going a gain: count those out.
    net = sum((c.verdict == "gain") - (c.verdict == "loss") for c in changes)
    wrong = sum(
        (c.kind == "removed") - (c.kind == "added") for c in changes if (c.new or c.old or {})["value"] != "2025-03-28"
    )
    right = [mark("dates", story(gold), story(side), {}).tallies["value"][0] for side in sides]
    assert net - wrong == right[1] - right[0]


def place(n: int, value: str | None) -> dict[str, Any]:
    return {"start": n * 10, "end": n * 10 + 5, "text": "xxxxx", "type": "DATE", "value": value}


class Seen(HTMLParser):
    """What a browser would make of the page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "input"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.text.setdefault(tag, []).append(data)


def test_the_page_shows_each_change_in_its_sentence(compared: Any, tmp_path: Path) -> None:
    def change(d: dict[str, Any]) -> None:
        d["dates"][0].update(at("on Friday"))
        d["dates"][1].update(value="2024-06")
        d["entities"].pop()

    result = compared(change, gold=write(tmp_path / "gold.jsonl", document()))
    html = page(result)
    seen = Seen(html)
    assert seen.open == []
    items = [attrs for tag, attrs in seen.tags if tag == "li"]
    assert [(i["data-section"], i["data-kind"], i["data-verdict"]) for i in items] == [
        ("entities", "removed", "loss"),
        ("dates", "changed", "loss"),
        ("dates", "changed", "loss"),
    ]
    assert "".join(seen.text["blockquote"]) == "".join(c.sentence for c in result.changes)
    for marked in ("<ins>on </ins><mark>Friday</mark>", "<del>Oslo</del>", "<del>2024-05</del> → <ins>2024-06</ins>"):
        assert marked in html


def test_the_page_loads_nothing_and_text_stays_text(compared: Any) -> None:
    evil = '</script><script>alert(1)</script><img src=x onerror="alert(1)">'

    def change(d: dict[str, Any]) -> None:
        d["dates"][1].update(value=evil, **{"<b>": "x"})
        d["entities"][0].update(name=evil)

    html = page(compared(change))
    tags = Seen(html).tags
    assert [tag for tag, _ in tags].count("script") == 1
    assert not {"img", "b", "link", "iframe"} & {tag for tag, _ in tags}
    assert not [attrs for _, attrs in tags if {"src", "href", "onerror"} & set(attrs)]
    assert "http" not in html
    assert "&lt;b&gt;smiled&lt;/b&gt;" in html


def test_the_page_can_be_read_by_all(compared: Any) -> None:
    html = page(compared(lambda d: d["dates"].pop()))
    tags = Seen(html).tags
    assert ("html", {"lang": "en"}) in tags
    assert "prefers-color-scheme:dark" in html
    headings = [tag for tag, _ in tags if tag in {"h1", "h2", "h3"}]
    assert headings == ["h1", "h2"]
    assert all("scope" in attrs for tag, attrs in tags if tag == "th")
    for ink, paper in CONTRASTS:
        for theme in (0, 1):
            assert contrast(colour(html, ink, theme), colour(html, paper, theme)) >= 4.5, (ink, paper, theme)


CONTRASTS = [
    ("ink", "paper"),
    ("ink", "card"),
    ("soft", "paper"),
    ("soft", "card"),
    ("old-ink", "old"),
    ("new-ink", "new"),
]
CONTRASTS += [("both-ink", "both")]


def colour(html: str, name: str, theme: int) -> tuple[float, ...]:
    import re

    value = re.findall(rf"--{name}:#([0-9a-f]+)", html)[theme]
    value = "".join(c * 2 for c in value) if len(value) == 3 else value
    return tuple(int(value[n : n + 2], 16) / 255 for n in (0, 2, 4))


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Contrast of two colours by WCAG 2."""

    def light(rgb: tuple[float, ...]) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def test_a_page_of_many_changes_says_what_it_leaves_out(compared: Any) -> None:
    result = compared(lambda d: d.update(dates=[], topics=[]))
    html = page(result, limit=3)
    assert "The first 3 of 4 changes are shown" in html
    assert html.count("<li ") == 3


@pytest.mark.parametrize(
    ("text", "word", "sentence"),
    [
        (TEXT, "Lee", "Anna Berg met Sen. Lee in Oslo on Friday."),
        (TEXT, "agreed", '"We agreed," Berg said.'),
        (
            "First line. He met J. Smith in the U.S. on May 1. Then he left.",
            "Smith",
            "He met J. Smith in the U.S. on May 1.",
        ),
        ("One.\n\nTwo is here. Three.", "Two", "Two is here."),
        ("word " * 1000 + "here", "here", None),
    ],
)
def test_the_sentence_of_a_word(text: str, word: str, sentence: str | None) -> None:
    from models.document import paragraphs

    start = text.index(word)
    a, b = around(text, paragraphs(text), start, start + len(word))
    assert text[a:b] == sentence if sentence else b - a <= 1100


@settings(deadline=None)
@given(st.text(alphabet="aB. \n!?\"'”", max_size=80), st.integers(0, 80), st.integers(0, 20))
def test_the_sentence_always_holds_what_is_shown_in_it(text: str, start: int, length: int) -> None:
    from models.document import paragraphs

    start = min(start, len(text))
    end = min(start + length, len(text))
    a, b = around(text, paragraphs(text), start, end)
    assert 0 <= a <= start <= end <= b <= len(text)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory, blank_model: Path) -> Path:
    folder = tmp_path_factory.mktemp("diff")
    rows = [{"id": f"s{n}", "text": f"{t}", "published": "2025-03-28"} for n, t in enumerate(STORIES)]
    run(
        [write(folder / "stories.jsonl", *rows)],
        folder / "out",
        settings=load(None, [f'model="{blank_model}"', "run.workers=1"]),
    )
    return folder / "out"


STORIES = [
    "Oslo is currently cold. It was warm on Friday.",
    "Nothing here.",
    "He is now in Lima <script>alert(1)</script>.",
]


def test_after_a_rerun_its_changes_are_told_and_kept(out: Path, tmp_path: Path, copydesk: Any) -> None:
    before = (out / "documents.jsonl").read_bytes()
    told = copydesk("rerun", "dates", out, "--set", "dates.references=false", "--workers", "1").stderr
    assert "dates: 0 added, 2 removed, 0 changed" in told
    assert f"copydesk diff {out}" in told
    data = orjson.loads(copydesk("diff", out, "--json").stdout)
    assert data["sections"]["dates"] == {"added": 0, "removed": 2, "changed": 0, "same": 1, "rescored": 0}
    assert [change["old"]["text"] for change in data["changes"]] == ["currently", "now"]
    assert data["changes"][0]["sentence"] == "Oslo is currently cold."

    again = copydesk(
        "rerun", "dates", out, "--set", "dates.references=true", "-o", tmp_path / "new", "--workers", "1"
    ).stderr
    assert "dates: 2 added, 0 removed, 0 changed" in again
    assert (tmp_path / "new" / "documents.jsonl").read_bytes() == before
    html = tmp_path / "diff.html"
    shown = copydesk("diff", out, tmp_path / "new", "--html", html, env={"COLUMNS": "150"}).stdout
    assert "value: PRESENT_REF" in shown
    assert "<ins>currently</ins>" in html.read_text("utf-8")
    assert "<script>alert" not in html.read_text("utf-8")
    assert "[31m" not in shown

    assert copydesk("rerun", "dates", out, "--set", "dates.references=true", "--workers", "1", "-q").stderr == ""
    assert diff(out).counts["dates"].added == 2


def test_a_run_that_was_never_rerun_has_nothing_to_compare(tmp_path: Path, blank_model: Path, copydesk: Any) -> None:
    story = write(tmp_path / "s.jsonl", {"id": "a", "text": "On Friday."})
    args = ["run", story, "-o", tmp_path / "out", "--set", f'model="{blank_model}"', "--workers", "1", "-q"]
    copydesk(*args)
    assert "has not been rerun" in copydesk("diff", tmp_path / "out", code=2).stderr
    rerun("dates", tmp_path / "out", assignments=["dates.ages=true"], workers=1)
    assert diff(tmp_path / "out").differing == 0
    copydesk(*args, "--new-settings")  # the run as it was
    assert "has not been rerun" in copydesk("diff", tmp_path / "out", code=2).stderr


def test_documents_that_are_none_are_told(tmp_path: Path, copydesk: Any) -> None:
    good = write(tmp_path / "a.jsonl", document())
    (tmp_path / "b.jsonl").write_text("nonsense\n")
    assert "not JSON" in copydesk("diff", good, tmp_path / "b.jsonl", code=2).stderr
    bad = write(tmp_path / "c.jsonl", {**document(), "quotes": [{"id": "q"}]})
    assert "'a' are not sound" in copydesk("diff", good, bad, code=2).stderr


def test_gains_and_losses_on_real_stories_move_the_figures(tmp_path: Path) -> None:
    """Leave out every date with an open value: what gold says of each change is what the figure does."""
    rows = [orjson.loads(line) for line in (WIKINEWS / "documents.jsonl").read_bytes().splitlines()]
    fewer = [{**row, "dates": [d for d in row["dates"] if "X" not in d["value"]]} for row in rows]
    new = write(tmp_path / "new.jsonl", *fewer)
    gold = WIKINEWS / "gold.jsonl"
    result = diff(WIKINEWS / "documents.jsonl", new, gold=gold)
    counts = result.counts["dates"]
    before, after = (evaluate(gold, path, samples=0)["dates"]["value"] for path in (WIKINEWS / "documents.jsonl", new))
    assert counts.removed == before.predicted - after.predicted == counts.gains + counts.losses
    assert counts.losses == round(before.r * before.gold) - round(after.r * after.gold)
