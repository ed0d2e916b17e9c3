"""The report in a real browser: a headless Chromium, skipped where there is none."""

from __future__ import annotations

import random
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from models.document import Document
from pipeline import open_run
from pipeline.review.report import write_report

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect

ROOT = Path(__file__).parent.parent.parent
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SEED = "pti-2025-03-28-tariff-talks.txt"
HOSTILE = '<script>window.bad=1</script></script><!-- <img src=x onerror="window.bad=1"> &amp; ]]>'
CROSSED = "\U0001f600 The minister, Ana Díaz of\r\nOslo, said: “We \U0001f680 go on May 2, 2025 and stay.”\n\nShe left."


def manifest(stories: int) -> dict[str, Any]:
    return {
        "manifest": 1,
        "copydesk": "0",
        "state": "finished",
        "inputs": ["stories"],
        "counts": {"found": stories + 3, "ok": stories, "partial": 0, "failed": 1, "skipped": 2, "words": 4_000},
        "seconds": {"total": 2.0, "parse": 1.0, "dates": 0.5},
        "stages": {"dates": {"version": "1", "key": "0123456789abcdef", "needs": []}},
    }


def written(folder: Path, documents: list[dict[str, Any]]) -> Path:
    out = folder / "out"
    out.mkdir()
    (out / "run.json").write_bytes(orjson.dumps(manifest(len(documents))))
    (out / "documents.jsonl").write_bytes(b"".join(orjson.dumps(document) + b"\n" for document in documents))
    failure = {"id": "f", "path": "bad.txt", "code": "E_BINARY", "message": HOSTILE, "in_documents": False}
    (out / "failures.jsonl").write_bytes(orjson.dumps(failure) + b"\n")
    skips = [{"id": f"s{n}", "path": f"s{n}.png", "reason": "a picture"} for n in range(2)]
    (out / "skipped.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in skips))
    write_report(open_run(out), folder / "report.html", "Desk")
    return folder / "report.html"


def span(text: str, words: str) -> dict[str, Any]:
    start = text.index(words)
    return {"start": start, "end": start + len(words), "text": words}


def hostile() -> dict[str, Any]:
    """A story of markup: in its text, headline, id, names, roles, topics and speaker."""
    quoted = {k: v for k, v in span(HOSTILE, "window.bad=1</script>").items() if k != "text"}
    return {
        "id": HOSTILE,
        "text": HOSTILE,
        "meta": {"headline": HOSTILE, "byline": HOSTILE, "agency": HOSTILE, "place": HOSTILE},
        "entities": [
            {
                "id": "e1",
                "label": "PERSON",
                "name": HOSTILE,
                "mentions": [{**span(HOSTILE, "<img"), "kind": "name"}],
                "roles": [HOSTILE],
                "aliases": [HOSTILE],
            }
        ],
        "quotes": [{**quoted, "id": "q1", "type": "direct", "parts": [quoted], "confidence": 1}],
        "attributions": [{"quote": "q1", "name": HOSTILE, "role": HOSTILE, "method": HOSTILE, "confidence": 1}],
        "topics": [{"qcode": "x:<b>", "uri": "", "label": HOSTILE, "path": ["x:<b>"], "score": 1}],
        "keyphrases": [{"text": HOSTILE, "score": 1}],
    }


def crossed() -> dict[str, Any]:
    """A story beyond the basic plane whose ranges cross each other and its lines."""
    quote = {k: v for k, v in span(CROSSED, "“We \U0001f680 go on May 2, 2025 and stay.”").items() if k != "text"}
    return {
        "id": "crossed",
        "text": CROSSED,
        "meta": {"published": "2025-05-01"},
        "entities": [
            {
                "id": "e1",
                "label": "PERSON",
                "name": "Ana Díaz",
                "mentions": [{**span(CROSSED, "Ana Díaz of\r\nOslo"), "kind": "name"}],
            },
            {"id": "e2", "label": "GPE", "name": "Oslo", "mentions": [{**span(CROSSED, "Oslo, said: “We")}]},
        ],
        "dates": [
            {
                **span(CROSSED, "May 2, 2025"),
                "id": "d1",
                "type": "DATE",
                "value": "2025-05-02",
                "earliest": "2025-05-02",
                "latest": "2025-05-02",
            }
        ],
        "quotes": [{**quote, "id": "q1", "type": "direct", "parts": [quote], "confidence": 1}],
        "attributions": [{"quote": "q1", "entity": "e1", "name": "Ana Díaz", "method": "name", "confidence": 0.9}],
    }


SAMPLES = [orjson.loads(line) for line in (ROOT / "samples" / "documents.jsonl").read_bytes().splitlines()]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("browser"), [*SAMPLES, crossed(), hostile()])


@pytest.fixture
def visit(browser: Any, report: Path) -> Iterator[Any]:
    """Open the report at an address; at the end, nothing may have gone wrong in the page."""
    contexts, faults = [], []

    def go(address: str = "", path: Path = report, width: int = 1280, scheme: str = "light") -> Any:
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: message.type == "error" and faults.append(message.text))
        page.on("request", lambda request: request.url.startswith(("file:", "data:")) or faults.append(request.url))
        page.goto(f"{path.as_uri()}#{address}")
        page.wait_for_selector("html[data-ready]")
        return page

    expect.set_options(timeout=60_000)
    yield go
    for context in contexts:
        context.close()
    assert not faults


def options(page: Any, id_: str = "list") -> Any:
    return page.locator(f"#{id_} [role=option]")


def choose(page: Any, facet: str, words: str) -> None:
    """Type into a box with suggestions and take the first with the keyboard."""
    page.fill(f"#{facet}", words)
    expect(page.locator(f"#{facet}-list [role=option]").first).to_contain_text(re.compile(re.escape(words), re.I))
    page.press(f"#{facet}", "Enter")


def test_a_page_opens_with_all_stories_and_the_first_one_drawn(visit: Any) -> None:
    page = visit()
    expect(page.locator("#count")).to_have_text(f"{len(SAMPLES) + 2} stories")
    expect(page.locator(".story h2")).to_have_text(SAMPLES[0]["meta"]["headline"])
    expect(options(page).first).to_have_attribute("aria-setsize", str(len(SAMPLES) + 2))


def test_a_story_of_markup_stays_text(visit: Any) -> None:
    page = visit("story=" + page_escape(HOSTILE))
    for place in (".story h2", ".story .byline", ".text", ".kicker"):
        expect(page.locator(place)).to_contain_text(HOSTILE)
    for table in ("Who said what", "Names"):
        expect(page.get_by_role("table", name=table)).to_contain_text(HOSTILE)
    page.locator(".note").first.focus()
    expect(page.get_by_role("tooltip")).to_contain_text(HOSTILE)
    page.press("#name", "ArrowDown")
    for view in ("said", "topics", "timeline", "run"):
        page.click(f"#tab-{view}")
    expect(page.locator("#failures")).to_contain_text(HOSTILE)
    assert page.evaluate("window.bad") is None
    assert page.evaluate("document.querySelectorAll('img, .text script').length") == 0
    assert page.evaluate("document.querySelectorAll('script').length") == 6


def page_escape(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("row", [*SAMPLES[:4], crossed()], ids=lambda row: row["id"])
def test_a_story_is_shown_whole_with_each_mark_over_its_words(visit: Any, row: dict[str, Any]) -> None:
    document = Document.from_dict(row)
    page = visit("story=" + page_escape(document.id))
    expect(page.locator(".para")).to_have_count(len(document.paragraphs()))
    assert [squeezed(p) for p in page.locator(".para p").all_text_contents()] == [
        squeezed(document.text[start:end]) for start, end in document.paragraphs()
    ]

    def words(attribute: str, n: int) -> str:
        pieces = page.locator(f'.text [data-{attribute}="{n}"]').all_text_contents()
        return re.sub(r"\s", "", "".join(pieces))

    for n, entity in enumerate(document.entities):
        assert words("e", n) == re.sub(r"\s", "", "".join(m.text for m in entity.mentions)), entity.name
    for n, date in enumerate(document.dates):
        assert words("d", n) == re.sub(r"\s", "", date.text)
    for n, quote in enumerate(document.quotes):
        said = "".join(document.text[part.start : part.end] for part in quote.parts)
        assert words("quote", n) == re.sub(r"\s", "", said)
    expect(page.locator(".text .note")).to_have_count(len(document.quotes))


def test_speakers_are_told_on_hover_on_focus_and_in_the_legend(visit: Any) -> None:
    page = visit(f"story={SEED}")
    card = page.get_by_role("tooltip")
    quote = page.locator(".text .quote", has_text="touched on").first
    quote.hover()
    expect(card).to_contain_text("Ministry of External Affairs")
    expect(card).to_contain_text("said")
    expect(quote).to_have_class(re.compile("lit"))
    page.mouse.move(5, 5)
    expect(card).to_be_hidden()
    expect(quote).not_to_have_class(re.compile("lit"))
    note = page.locator(".note", has_text="Tammy Bruce").first
    note.focus()
    expect(card).to_contain_text("US State Department Spokesperson")
    expect(note).to_have_attribute("aria-describedby", "card")
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    legend = page.get_by_role("group", name="Speakers")
    legend.get_by_role("button", name="Tammy Bruce").hover()
    expect(page.locator(".text .quote.lit").first).to_be_visible()
    page.locator(".text .date", has_text="April 2").hover()
    expect(card).to_contain_text("Wednesday, 2 April 2025")
    page.locator(".text .person", has_text="Donald Trump").hover()
    expect(card).to_contain_text("person")
    # A name within a quote tells whose words it stands in.
    page.locator(".text .quote .person", has_text="Misri").first.hover()
    expect(card).to_contain_text(re.compile("Vikram Misri.*in quote .: Ministry of External Affairs", re.DOTALL))


def test_kinds_of_marks_are_switched_off_and_stay_so(visit: Any) -> None:
    page = visit(f"story={SEED}")
    person = page.locator(".text .person").first
    assert person.evaluate("e => getComputedStyle(e).borderBottomWidth") == "2px"
    page.get_by_role("button", name="People").press("Enter")
    assert person.evaluate("e => getComputedStyle(e).borderBottomWidth") == "0px"
    page.get_by_role("button", name="Previous story").click()
    expect(page.get_by_role("button", name="People")).to_have_attribute("aria-pressed", "false")


def test_words_are_searched_in_texts_and_shown(visit: Any) -> None:
    page = visit()
    page.fill("#q", "TARIFF KICKS")
    expect(page.locator("#count")).to_contain_text("1 of")
    assert {hit.lower() for hit in page.locator(".text .hit").all_text_contents()} == {"tariff", "kicks"}
    page.fill("#q", '"kicks tariff"')
    expect(page.locator("#story")).to_contain_text("No story has all of this")
    page.fill("#q", "diaz oslo -tariff")
    expect(page.locator("#count")).to_contain_text("1 of")
    assert page.locator(".text .hit").all_text_contents() == ["Díaz", "Oslo"]
    assert "q=diaz" in page.url
    page.click("#clear")
    expect(page.locator("#count")).to_have_text(f"{len(SAMPLES) + 2} stories")
    expect(page.locator("#q")).to_have_value("")


def test_stories_are_filtered_by_speaker_entity_topic_and_day(visit: Any) -> None:
    page = visit()
    count = page.locator("#count")
    choose(page, "speaker", "Tammy")
    expect(count).to_contain_text("1 of")
    expect(page.locator("#speaker")).to_have_value("Tammy Bruce")
    page.fill("#speaker", "")
    page.press("#speaker", "Enter")
    expect(count).to_have_text(f"{len(SAMPLES) + 2} stories")
    choose(page, "name", "Ana D")
    expect(count).to_contain_text("1 of")
    page.click("#clear")
    choose(page, "topic", "economy, business and finance")
    codes = "medtop:04000000"
    wanted = [row for row in SAMPLES if any(codes in topic["path"] for topic in row.get("topics", []))]
    assert wanted
    expect(count).to_contain_text(f"{len(wanted)} of")
    page.click("#clear")
    page.fill("#from", "2025-03-01")
    page.fill("#to", "2025-03-31")
    page.press("#to", "Tab")
    march = [row for row in SAMPLES if row["meta"].get("published", "")[:7] == "2025-03"]
    expect(count).to_contain_text(f"{len(march)} of")
    page.reload()
    expect(count).to_contain_text(f"{len(march)} of")


def test_the_list_and_the_tabs_are_worked_by_keyboard(visit: Any) -> None:
    page = visit()
    page.focus("#list")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#list")).to_have_attribute("aria-activedescendant", "list-1")
    expect(page.locator(".story h2")).to_contain_text(re.compile(r"\w"))
    page.keyboard.press("End")
    expect(options(page).last).to_have_attribute("aria-selected", "true")
    expect(page.locator(".steps")).to_contain_text(f"{len(SAMPLES) + 2} of {len(SAMPLES) + 2}")
    page.keyboard.press("Enter")
    expect(page.locator("#story")).to_be_focused()
    page.focus("#tab-stories")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-said")).to_be_focused()
    expect(page.locator("#view-said")).to_be_visible()
    expect(page.locator("#view-stories")).to_be_hidden()
    page.keyboard.press("End")
    expect(page.get_by_role("heading", name="The run")).to_be_visible()
    page.go_back()
    expect(page.locator("#view-said")).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.locator("#q")).to_be_focused()


def test_who_said_what_is_listed_by_speaker_and_leads_to_the_story(visit: Any) -> None:
    page = visit("view=said")
    quotes = sum(len(row.get("quotes", [])) for row in SAMPLES) + 2
    expect(page.get_by_role("heading", name="Everyone")).to_contain_text(f"{quotes} quotes")
    rows = page.locator("#said tbody tr")
    expect(rows).to_have_count(50)
    page.get_by_role("button", name="Last page").click()
    expect(rows).to_have_count(quotes % 50 or 50)
    options(page, "speakers").filter(has_text="Ministry of External Affairs").first.click()
    expect(page.get_by_role("heading", name="Ministry of External Affairs")).to_be_visible()
    expect(rows.first).to_contain_text("touched on")
    rows.first.get_by_role("link").click()
    expect(page.locator(".story .kicker")).to_contain_text("PTI")


def test_topics_are_a_tree_that_filters(visit: Any) -> None:
    page = visit("view=topics")
    branch = page.locator("button.topic", has_text="economy, business and finance")
    branch.click()
    expect(branch).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Show the stories on economy").click()
    expect(page.locator("#view-stories")).to_be_visible()
    expect(page.locator("#topic")).to_have_value("economy, business and finance")


def test_the_timeline_opens_into_days(visit: Any) -> None:
    page = visit("view=timeline")
    dates = sum(1 for row in SAMPLES for date in row.get("dates", []) if date.get("earliest") and date.get("latest"))
    expect(page.locator("#view-timeline h2")).to_contain_text(f"{dates + 1} dates")
    page.get_by_role("button", name=re.compile("^2025:")).click()
    page.get_by_role("button", name=re.compile("^May 2025:")).click()
    page.get_by_role("button", name=re.compile("^2 May 2025:")).click()
    row = page.locator("#view-timeline tbody tr").last
    expect(row).to_contain_text("go on May 2, 2025 and stay")
    page.get_by_role("navigation", name="Range of the timeline").get_by_role("button", name="All dates").click()
    expect(page.locator("#view-timeline h2")).to_contain_text(f"{dates + 1} dates")


def test_the_facts_of_the_run_are_there(visit: Any) -> None:
    page = visit("view=run")
    run = page.locator("#view-run")
    for fact in ("4,000", "E_BINARY", "bad.txt", "s1.png", "a picture", "0123456789ab"):
        expect(run).to_contain_text(fact)


def test_a_story_as_long_as_a_book_is_drawn_as_it_is_read(visit: Any, tmp_path: Path) -> None:
    text = "\n\n".join(f"Paragraph {n} of the report." for n in range(950)) + "\n\nIt is signed by Ana Díaz."
    mention = {**span(text, "Ana Díaz"), "kind": "name"}
    entity = {"id": "e1", "label": "PERSON", "name": "Ana Díaz", "mentions": [mention]}
    page = visit(path=written(tmp_path, [{"id": "book", "text": text, "entities": [entity]}]))
    expect(page.locator(".para").first).to_be_visible()
    assert page.locator(".para").count() == 100
    page.locator(".text .end").scroll_into_view_if_needed()
    expect(page.locator(".para").nth(150)).to_be_attached()
    # A name leads to its place in the text, though that is not drawn yet.
    page.get_by_role("table", name="Names").get_by_role("button", name="Ana Díaz").first.click()
    expect(page.locator(".text .person")).to_be_in_viewport()
    expect(page.locator(".para")).to_have_count(951)


def test_a_run_without_stories_is_a_page_too(visit: Any, tmp_path: Path) -> None:
    page = visit(path=written(tmp_path, []))
    expect(page.locator("#count")).to_have_text("0 stories")
    expect(page.locator("#story")).to_contain_text("The run has no stories")
    for view, says in (("said", "No quotes"), ("topics", "No topics"), ("timeline", "No dates")):
        page.click(f"#tab-{view}")
        expect(page.locator(f"#view-{view}")).to_contain_text(says)


def test_a_theme_is_chosen_and_kept(visit: Any) -> None:
    page = visit(scheme="dark")

    def paper() -> str:
        return str(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))

    dark = paper()
    page.click("#theme")
    light = paper()
    assert light != dark
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert paper() == light
    page.click("#theme")
    assert paper() == dark


def test_a_narrow_page_shows_the_list_or_the_story(visit: Any) -> None:
    page = visit(width=380)
    expect(page.locator("#story")).to_be_hidden()
    options(page).nth(1).click()
    expect(page.locator("#story")).to_be_visible()
    expect(page.locator("#list")).to_be_hidden()
    page.get_by_role("button", name="All stories").click()
    expect(page.locator("#list")).to_be_visible()
    page.get_by_role("button", name="Filters").click()
    choose(page, "speaker", "Tammy")
    expect(page.locator("#count")).to_contain_text("1 of")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (380, "dark")])
def test_every_view_is_accessible(visit: Any, width: int, scheme: str) -> None:
    """Roles, names, contrast and the rest of WCAG 2 AA that axe-core can tell."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    page = visit(f"q=trade&story={SEED}", width=width, scheme=scheme)
    for view in ("stories", "said", "topics", "timeline", "run"):
        if view != "stories":
            page.click(f"#tab-{view}")
        found = axe.run(page).response
        assert len(found["passes"]) > 10
        assert not [(fault["id"], [node["target"] for node in fault["nodes"]]) for fault in found["violations"]], view


def synthetic(count: int) -> Iterator[dict[str, Any]]:
    """Stories of some 150 words with names, a date and two quotes each; one word of each is its own."""
    chance = random.Random(5)
    words = [f"{a}{b}{c}" for a in "bdgklmnprst" for b in "aeiou" for c in ("n", "rt", "l", "sk", "")]
    people = [f"{a.title()} {b.title()}" for a in words[:40] for b in words[40:140:5]]
    for n in range(count):
        who, day = people[chance.randrange(len(people))], f"20{10 + n % 15}-{1 + n % 12:02}-{1 + n % 28:02}"
        body = " ".join(chance.choices(words, k=130))
        text = f"{who} said “{body[:90]}” on {day}. {body[90:]} code{n:05}."
        person, date = span(text, who), span(text, day)
        said = {k: v for k, v in span(text, f"“{body[:90]}”").items() if k != "text"}
        yield {
            "id": f"wire/{n:05}",
            "text": text,
            "meta": {"headline": f"Story {n}: {body[:50]}", "published": day},
            "entities": [{"id": "e1", "label": "PERSON", "name": who, "mentions": [{**person, "kind": "name"}]}],
            "dates": [{**date, "id": "d1", "type": "DATE", "value": day, "earliest": day, "latest": day}],
            "quotes": [{**said, "id": "q1", "type": "direct", "parts": [said], "confidence": 0.9}],
            "attributions": [{"quote": "q1", "entity": "e1", "name": who, "method": "name", "confidence": 1}],
            "topics": [
                {"qcode": f"x:{n % 9}", "uri": "", "label": f"desk {n % 9}", "path": [f"x:{n % 9}"], "score": 1}
            ],
        }


def test_ten_thousand_stories_are_listed_searched_and_filtered(visit: Any, tmp_path: Path) -> None:
    page = visit(path=written(tmp_path, list(synthetic(10_000))))
    count = page.locator("#count")
    expect(count).to_have_text("10,000 stories")
    # Only what is in sight is in the page, and the last story is a key press away.
    assert options(page).count() < 40
    page.focus("#list")
    page.keyboard.press("End")
    expect(page.locator(".story h2")).to_contain_text("Story 9999")
    assert options(page).count() < 40
    page.fill("#q", "code07654")
    expect(count).to_have_text("1 of 10,000 stories")
    expect(page.locator(".text .hit")).to_have_text("code07654")
    # A search is given up for the next one.
    page.fill("#q", "code0")
    page.fill("#q", "code09999 -code00001")
    expect(count).to_have_text("1 of 10,000 stories")
    page.fill("#q", "")
    expect(count).to_have_text("10,000 stories")
    choose(page, "topic", "desk 4")
    expect(count).to_have_text("1,111 of 10,000 stories")
    for view in ("said", "timeline", "topics"):
        page.click(f"#tab-{view}")
        expect(page.locator(f"#view-{view}")).to_contain_text("1,111" if view != "topics" else "10,000")
    page.click("#tab-said")
    expect(page.locator("#said tbody tr")).to_have_count(50)
    assert page.evaluate("document.querySelectorAll('*').length") < 4_000


@pytest.mark.bench
def test_measure_ten_thousand_stories(visit: Any, tmp_path: Path) -> None:
    """Size, and times of the machine as it is: ``pytest -m bench -s`` prints them, nothing fails on them."""
    stories = []
    for n in range(10_000):
        row = orjson.loads(orjson.dumps(SAMPLES[n % len(SAMPLES)]))
        stories.append({**row, "id": f"wire/{n:05}", "text": f"{row['text']}\n\nReference code{n:05}."})
    times = [time.perf_counter()]
    path = written(tmp_path, stories)
    times.append(time.perf_counter())
    page = visit(path=path)
    times.append(time.perf_counter())
    for words in ("code07654", "code09990"):
        page.fill("#q", words)
        expect(page.locator(".text .hit")).to_have_text(words)
        expect(page.locator("#count")).to_have_text("1 of 10,000 stories")
        times.append(time.perf_counter())
    names = ("written", "open", "first search", "second search")
    told = [f"{name} {after - before:.1f} s" for name, before, after in zip(names, times, times[1:], strict=False)]
    print(f"\n10,000 stories, {path.stat().st_size / 1e6:.1f} MB:", ", ".join(told))
