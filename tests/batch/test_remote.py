"""Inputs that are URLs, and results copied to one."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from runs import digest, rows

from pipeline import run
from pipeline.batch.remote import fetch, publish
from pipeline.errors import StorageError, UsageError

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def bucket(stories: Path) -> Iterator[Any]:
    """The stories in a store that is no file system."""
    fs = fsspec.filesystem("memory")
    fs.put(str(stories), "/bucket/stories", recursive=True)
    yield fs
    fs.rm("/bucket", recursive=True)


def test_stories_at_a_url_give_the_documents_they_give_at_home(
    bucket: Any, stories: Path, tmp_path: Path, quick: Any, here: None
) -> None:
    run([stories], tmp_path / "home", settings=quick())
    run(["memory://bucket/stories"], tmp_path / "away", settings=quick())
    assert digest(tmp_path / "home") == digest(tmp_path / "away")
    one = run(["memory://bucket/stories/story-003.txt"], tmp_path / "one", settings=quick())
    assert one.ok == 1
    assert rows(tmp_path / "one" / "documents.jsonl")[0]["id"] == "story-003.txt"


def test_only_what_changed_is_fetched_again(bucket: Any, tmp_path: Path) -> None:
    root = fetch("memory://bucket/stories", tmp_path)
    (root / "story-000.txt").write_text("mark of what was fetched before")
    bucket.pipe("/bucket/stories/story-001.txt", b"A new text.")
    bucket.rm("/bucket/stories/story-002.txt")
    bucket.pipe("/bucket/stories/more/story-099.txt", b"One more.")
    assert fetch("memory://bucket/stories", tmp_path) == root
    assert (root / "story-000.txt").read_text() == "mark of what was fetched before"
    assert (root / "story-001.txt").read_text() == "A new text."
    assert (root / "more" / "story-099.txt").read_text() == "One more."
    assert not (root / "story-002.txt").exists()


def test_a_finished_run_is_copied_to_a_url(stories: Path, tmp_path: Path, args: list[str], copydesk: Any) -> None:
    with zipfile.ZipFile(tmp_path / "stories.zip", "w") as packed:
        for path in sorted(stories.iterdir())[:3]:
            packed.write(path, path.name)
    url = f"zip://::file://{tmp_path}/stories.zip"
    copydesk("run", url, "-o", tmp_path / "out", *args, "--publish", f"file://{tmp_path}/public/run")
    public = tmp_path / "public" / "run"
    assert {p.name for p in public.iterdir()} == {"documents.jsonl", "failures.jsonl", "skipped.jsonl", "run.json"}
    assert digest(public) == digest(tmp_path / "out")
    assert len(rows(public / "documents.jsonl")) == 3


def test_the_manifest_comes_last(bucket: Any, stories: Path, tmp_path: Path, quick: Any, here: None) -> None:
    """Who sees run.json at the other end sees a whole run."""
    run([stories], tmp_path / "out", settings=quick())
    seen: list[str] = []
    real = type(bucket).put_file

    def put_file(self: Any, local: str, remote: str, **options: Any) -> Any:
        seen.append(remote.rsplit("/", 1)[1])
        return real(self, local, remote, **options)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(bucket), "put_file", put_file)
        assert publish(tmp_path / "out", "memory://bucket/run") == 4
    assert seen[-1] == "run.json"


def test_what_cannot_be_fetched_or_written_is_said(tmp_path: Path, quick: Any, monkeypatch: Any) -> None:
    with pytest.raises(UsageError, match="there is no file or folder memory://bucket/absent"):
        run(["memory://bucket/absent"], tmp_path / "out", settings=quick())
    with pytest.raises(UsageError, match="cannot be opened"):
        run(["nonsense://bucket/x"], tmp_path / "other", settings=quick())
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="cannot be written"):
        publish(tmp_path / "out", f"file://{tmp_path}/file/run")
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(UsageError, match=r"pip install 'copydesk\[remote\]'"):
        fetch("memory://bucket/stories", tmp_path)


def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    def find(self: Any, path: str, **_: Any) -> dict[str, Any]:
        return {f"{path}/../../../escaped.txt": {"name": "x", "size": 1}}

    monkeypatch.setattr(MemoryFileSystem, "find", find)
    with pytest.raises(UsageError, match="leads out of its folder"):
        fetch("memory://bucket/stories", tmp_path / "work")
    assert not list(tmp_path.rglob("escaped*"))
