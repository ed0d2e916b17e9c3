"""The report as a file; what a browser makes of it is tested in test_report_browser.py."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.document import Document
from pipeline import open_run
from pipeline.errors import StorageError, UsageError
from pipeline.review.report import utf16, write_report

ROOT = Path(__file__).parent.parent.parent
MANIFEST = {"manifest": 1, "copydesk": "0", "state": "finished", "inputs": ["stories"]}
HOSTILE = "</script><script>alert(1)</script><!-- <b>"


def folder_of(out: Path, documents: list[dict[str, Any]], **manifest: Any) -> Path:
    out.mkdir()
    (out / "run.json").write_bytes(orjson.dumps({**MANIFEST, **manifest}))
    (out / "documents.jsonl").write_bytes(b"".join(orjson.dumps(document) + b"\n" for document in documents))
    for name in ("failures.jsonl", "skipped.jsonl"):
        (out / name).touch()
    return out


class Page(HTMLParser):
    """Elements of a page with their attributes, and the text of scripts by class or id."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.blobs: dict[str, list[str]] = {}
        self.text = ""
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        tag, attrs = self.elements[-1] if self.elements else ("", {})
        if tag in ("script", "style") and data.strip():
            self.blobs.setdefault(attrs.get("class") or attrs.get("id") or tag, []).append(data)
        else:
            self.text += data

    def data(self, name: str) -> list[bytes]:
        return [gzip.decompress(base64.b64decode(blob)) for blob in self.blobs.get(name, [])]


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Page, list[Document]]:
    rows = [orjson.loads(line) for line in (ROOT / "samples" / "documents.jsonl").read_bytes().splitlines()]
    out = folder_of(tmp_path_factory.mktemp("report") / "out", rows)
    path = out.parent / "report.html"
    assert write_report(open_run(out), path) == len(rows)
    return out, Page(path), [Document.from_dict(row) for row in rows]


def test_everything_is_in_the_page(samples: Any) -> None:
    _, page, documents = samples
    index = orjson.loads(page.data("data-index")[0])
    assert index["ids"] == [document.id for document in documents]
    assert [text for blob in page.data("texts") for text in orjson.loads(blob)] == [d.text for d in documents]
    lines = [orjson.loads(line) for blob in page.data("annotations") for line in blob.split(b"\n")]
    assert [len(line["quotes"]) for line in lines] == [len(d.quotes) for d in documents]
    assert {e.name for d in documents for e in d.entities if e.label == "PERSON"} <= {
        name.partition(" ")[2] for name in index["entities"]
    }
    assert {t.label for d in documents for t in d.topics} <= set(index["labels"].values())
    # Ancestors that no story is put on have names too.
    assert not [label for label in index["labels"].values() if label.startswith("medtop:")]


def test_a_page_asks_for_nothing_and_runs_no_other_script(samples: Any) -> None:
    _, page, _ = samples
    for tag, attrs in page.elements:
        for key in ("src", "href", "action", "data", "srcset"):
            assert re.match(r"#|data:,?$", attrs.get(key) or "#"), (tag, attrs)
        assert not [key for key in attrs if key.startswith("on") or key == "style"], (tag, attrs)
    policy = next(a["content"] for t, a in page.elements if t == "meta" and a.get("http-equiv"))
    assert policy is not None
    assert "default-src 'none'" in policy
    [script], [style] = page.blobs["script"], page.blobs["style"]
    for text in (script, style):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "@import" not in style
    assert "url(" not in style


def test_the_same_run_gives_the_same_page(samples: Any, tmp_path: Path) -> None:
    out, _, _ = samples
    write_report(open_run(out), tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == (out.parent / "report.html").read_bytes()


def test_nothing_of_a_run_is_markup(tmp_path: Path) -> None:
    document = {"id": HOSTILE, "text": HOSTILE, "meta": {"headline": HOSTILE}}
    out = folder_of(
        tmp_path / "out", [document], inputs=[HOSTILE], warnings=[HOSTILE], settings={"read": {"encoding": HOSTILE}}
    )
    (out / "failures.jsonl").write_bytes(orjson.dumps({"id": HOSTILE, "code": "E_X", "message": HOSTILE}) + b"\n")
    write_report(open_run(out), tmp_path / "r.html", HOSTILE)
    page = Page(tmp_path / "r.html")
    assert len([tag for tag, _ in page.elements if tag == "script"]) == 6
    assert not [tag for tag, _ in page.elements if tag == "b"]
    assert page.text.count(HOSTILE) >= 4
    assert orjson.loads(page.data("texts")[0]) == [HOSTILE]


def test_facts_of_the_run_are_told(tmp_path: Path) -> None:
    counts = {"found": 1234, "ok": 1, "partial": 2, "failed": 3, "skipped": 4, "words": 5_000}
    out = folder_of(tmp_path / "out", [], counts=counts, seconds={"total": 9.5, "parse": 4.0, "dates": 2.0})
    write_report(open_run(out), tmp_path / "r.html")
    text = Page(tmp_path / "r.html").text
    for fact in ("1,234", "5,000", "parse", "4.00", "1,250", "9.50"):
        assert fact in text


def test_what_is_no_finished_run_is_said(tmp_path: Path, copydesk: Any) -> None:
    with pytest.raises(UsageError, match="not the folder of a run"):
        write_report(open_run(tmp_path), tmp_path / "r.html")
    out = folder_of(tmp_path / "out", [])
    (out / "documents.jsonl").write_bytes(b'{"id":"a"}\n')
    with pytest.raises(StorageError, match=r"documents\.jsonl:1 is no document"):
        write_report(open_run(out), tmp_path / "r.html")
    assert not (tmp_path / "r.html").exists()
    assert "not the folder of a run" in copydesk("report", tmp_path, "-o", tmp_path / "r.html", code=2).stderr


def test_the_command_writes_the_page(samples: Any, tmp_path: Path, copydesk: Any) -> None:
    out, _, documents = samples
    done = copydesk("report", out, "-o", tmp_path / "r.html", "--title", "Desk & wire")
    assert f"{len(documents)} stories" in done.stdout
    assert "Desk & wire" in Page(tmp_path / "r.html").text


@given(st.text())
def test_offsets_count_as_javascript_does(text: str) -> None:
    at = utf16(text)
    for offset in range(len(text) + 1):
        assert at(offset) == len(text[:offset].encode("utf-16-le", "surrogatepass")) // 2
