"""The page of changes in a real browser: filters, escaping, accessibility. Skipped where there is no Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from pipeline import diff
from pipeline.review.diff_page import page as page_of

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
WIKINEWS = Path(__file__).parent / "wikinews"
HOSTILE = '</li></script><script>window.bad=1</script><img src=x onerror="window.bad=1">'


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("diff")
    rows = [orjson.loads(line) for line in (WIKINEWS / "documents.jsonl").read_bytes().splitlines()]
    rows[0]["dates"][0]["value"] = HOSTILE
    for row in rows:
        row["dates"] = row["dates"][:1] + row["dates"][2:]
        row["quotes"] = [{**quote, "end": quote["end"] - 1} for quote in row["quotes"]]
    (folder / "new.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    found = diff(WIKINEWS / "documents.jsonl", folder / "new.jsonl", gold=WIKINEWS / "gold.jsonl")
    (folder / "diff.html").write_text(page_of(found), encoding="utf-8")
    return folder / "diff.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Any, html: Path) -> Iterator[Any]:
    """Open the page; at the end, nothing may have been asked of the network or gone wrong."""
    contexts, faults = [], []

    def go(width: int = 1280, scheme: str = "light", scripts: bool = True) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=scripts
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda r: faults.append(r.url) if not r.url.startswith("file:") else None)
        page.goto(html.as_uri())
        return page

    yield go
    for context in contexts:
        context.close()
    assert faults == []


def shown(page: Any) -> int:
    return int(page.locator("li[data-section]:visible").count())


def test_filters_leave_what_was_asked_for(visit: Any) -> None:
    page = visit()
    every = shown(page)
    assert page.locator("#told").inner_text() == f"Changes shown: {every}"
    page.get_by_label("Section").select_option("dates")
    page.get_by_label("Kind").select_option("removed")
    assert 0 < shown(page) < every
    assert set(page.locator("li:visible .kind").all_inner_texts()) == {"dates: removed"}
    page.get_by_label("Section").select_option("")
    page.get_by_label("Kind").select_option("")
    page.get_by_label("Words").fill("NO STORY HAS THESE WORDS")
    assert shown(page) == 0
    assert page.locator("main h2:visible").count() == 0
    page.get_by_label("Words").fill("")
    page.get_by_label("Verdict").select_option("loss")
    assert shown(page) == page.locator("li[data-verdict=loss]").count() > 0


def test_text_from_stories_stays_text(visit: Any) -> None:
    page = visit()
    assert page.evaluate("window.bad") is None
    assert page.locator("img").count() == 0
    assert HOSTILE in page.locator("main").inner_text()


def test_without_scripts_everything_can_be_read(visit: Any) -> None:
    page = visit(scripts=False)
    assert shown(page) == page.locator("li").count() > 10
    assert not page.locator("form").is_visible()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_the_page_is_accessible_and_fits(width: int, scheme: str, visit: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    page = visit(width=width, scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = axe.run(page).response
    assert len(found["passes"]) > 10
    assert [(fault["id"], [node["target"] for node in fault["nodes"]]) for fault in found["violations"]] == []
