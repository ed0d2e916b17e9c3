"""From files to documents: hostile files, encodings, rows, ids. Whatever lies in a folder, nothing is raised."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.document import Document, check
from pipeline.errors import StoryError, UsageError
from pipeline.readers import Found, ReadSettings, read, stories
from pipeline.readers.decode import decode
from pipeline.readers.moments import moment

HOSTILE = Path(__file__).parent / "hostile"


def one(path: Path, **options: Any) -> Found:
    found = list(stories([path], ReadSettings(**options)))
    assert len(found) == 1
    return found[0]


def outcome(found: Found) -> str:
    assert sum(x is not None for x in (found.document, found.error, found.skipped)) == 1
    if found.error is not None:
        return found.error.code
    if found.skipped is not None:
        return "skipped"
    return "warned" if found.warnings else "ok"


@pytest.mark.parametrize(
    ("name", "outcomes"),
    [
        ("billion-laughs.nitf.xml", ["E_XML_ENTITY"]),
        ("binary.png.txt", ["E_BINARY"]),
        ("bom-utf8.txt", ["ok"]),
        ("cp1252.txt", ["ok"]),
        ("cr-only.txt", ["ok"]),
        ("crlf.txt", ["ok"]),
        ("dup-id.jsonl", ["ok", "warned"]),
        ("dup-key.json", ["warned"]),
        ("empty.txt", ["warned"]),
        ("entities.html", ["ok"]),
        ("ext-dtd.nitf.xml", ["ok"]),
        ("huge-int.jsonl", ["E_JSON"]),
        ("invalid-utf8.txt", ["warned"]),
        ("nan.jsonl", ["E_JSON"]),
        ("nul.txt", ["warned"]),
        ("ok.txt", ["ok"]),
        ("rtl-override.txt", ["ok"]),
        ("surrogate-escape.jsonl", ["warned"]),
        ("traversal-id.jsonl", ["ok", "warned", "ok", "ok"]),
        ("truncated-last-line.jsonl", ["ok", "E_JSON"]),
        ("truncated.nitf.xml", ["E_XML"]),
        ("utf16be-nobom.txt", ["ok"]),
        ("utf16le-bom.txt", ["ok"]),
        ("whitespace.txt", ["warned"]),
        ("xxe.nitf.xml", ["E_XML_ENTITY"]),
        ("zalgo.txt", ["ok"]),
    ],
)
def test_hostile_files_have_their_defined_outcome(name: str, outcomes: list[str]) -> None:
    found = list(stories([HOSTILE / name]))
    assert [outcome(item) for item in found] == outcomes
    for item in found:
        if item.document is not None:
            assert check(item.document) == []
            assert Document.from_json(item.document.to_json()).text == item.document.text


@pytest.mark.parametrize(
    ("name", "encoding", "by"),
    [
        ("ok.txt", "utf-8", "valid"),
        ("bom-utf8.txt", "utf-8-sig", "bom"),
        ("utf16le-bom.txt", "utf-16-le", "bom"),
        ("utf16be-nobom.txt", "utf-16-be", "nul-pattern"),
        ("cp1252.txt", "cp1252", "fallback"),
        ("rtl-override.txt", "utf-8", "valid"),
    ],
)
def test_the_encoding_is_found_and_recorded(name: str, encoding: str, by: str) -> None:
    document = one(HOSTILE / name).document
    assert document is not None
    assert document.source is not None
    assert (document.source.encoding, document.source.encoding_by) == (encoding, by)
    assert document.source.bytes == (HOSTILE / name).stat().st_size
    assert not document.text.startswith("\ufeff")


def test_the_text_is_as_delivered(tmp_path: Path) -> None:
    text = "OSLO (AP) — “Naïve,” he said.\r\nNext\rline\n\n\ttab  "
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        (tmp_path / "a.txt").write_bytes(text.encode(encoding))
        document = one(tmp_path / "a.txt").document
        assert document is not None
        assert document.text == text
    (tmp_path / "a.txt").write_bytes("“Naïve,” he said — 5 €".encode("cp1252"))
    assert next(read(tmp_path / "a.txt")).text == "“Naïve,” he said — 5 €"


def test_an_encoding_can_be_forced(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("Łódź".encode("iso8859-2"))
    assert next(read(tmp_path / "a.txt", encoding="latin2")).text == "Łódź"
    with pytest.raises(StoryError, match="not valid utf-8"):
        next(read(tmp_path / "a.txt", encoding="utf-8"))
    with pytest.raises(UsageError, match="no encoding 'utf-9'"):
        next(read(tmp_path / "a.txt", encoding="utf-9"))


def test_undefined_bytes_of_windows_1252_are_replaced_one_for_one() -> None:
    decoded = decode(b"caf\xe9 \x81 \x9d")
    assert decoded.text == "café \ufffd \ufffd"
    assert "2 bytes" in decoded.warnings[0]


def test_rows_carry_their_meta_and_keep_unknown_fields(tmp_path: Path) -> None:
    row = {
        "id": 7,
        "text": "PARIS, March 28 (AFP) - The talks ended on Friday.",
        "published": "Fri, 28 Mar 2025 10:00:00 +0000",
        "headline": "Talks end",
        "keywords": "trade, talks",
        "desk": {"editor": "R"},
        "entities": [{"start": 0, "end": 5, "label": "LOC"}],
        "byline": 3,
    }
    (tmp_path / "rows.jsonl").write_bytes(orjson.dumps(row) + b"\n\n" + b'{"text":"No id."}')
    first, second = stories([tmp_path / "rows.jsonl"])
    document = first.document
    assert document is not None
    assert (document.id, document.meta.headline, document.meta.agency) == ("7", "Talks end", "AFP")
    assert document.meta.published == "2025-03-28T10:00:00+00:00"
    assert document.meta.keywords == ["trade", "talks"]
    assert document.to_dict()["desk"] == {"editor": "R"}
    assert "entities" not in document.to_dict()
    assert first.warnings == ("byline is not a string and is left out",)
    assert second.id == "rows.jsonl:3"


@pytest.mark.parametrize("row", ["{}", '{"text":null}', '{"text":3}', '{"text":[]}', '{"id":"a"}'])
def test_a_row_without_text_is_told(row: str, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(row)
    assert outcome(one(tmp_path / "rows.jsonl")) == "E_EMPTY_FIELD"


@pytest.mark.parametrize(
    "row", ["[]", "3", "nonsense", "{", '{"text":"a"', "[" * 100_000, '{"text":"\\ud800","x":NaN}']
)
def test_a_broken_row_is_told_with_its_line(row: str, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(f'{{"text":"fine"}}\n{row}\n{{"text":"fine"}}\n')
    assert [outcome(found) for found in stories([tmp_path / "rows.jsonl"])] == ["ok", "E_JSON", "ok"]
    assert list(stories([tmp_path / "rows.jsonl"]))[1].line == 2


def test_a_finished_document_is_read_back_whole(tmp_path: Path) -> None:
    line = b'{"id":"a","schema":1,"text":"On Friday.","dates":[],"mine":{"x":1},"stages":{"dates":{"version":"1"}}}'
    (tmp_path / "documents.jsonl").write_bytes(line + b'\n{"id":"b","schema":99,"text":""}\n')
    first, second = stories([tmp_path / "documents.jsonl"])
    assert first.document is not None
    assert orjson.loads(first.document.to_json()) == orjson.loads(line)
    assert second.error is not None
    assert second.error.code == "E_DOCUMENT"


def test_too_large(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("word " * 100)
    (tmp_path / "b.jsonl").write_text(orjson.dumps({"text": "x" * 60_000_000}).decode() + '\n{"text":"after"}\n')
    assert outcome(one(tmp_path / "a.txt", max_bytes=100)) == "E_TOO_LARGE"
    assert outcome(one(tmp_path / "a.txt", max_bytes=500)) == "ok"
    assert [outcome(found) for found in stories([tmp_path / "b.jsonl"])] == ["E_TOO_LARGE", "ok"]


def test_a_folder_is_walked_in_order_and_ids_are_paths(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.txt", "a/b/c.wire", "c", "A.txt", "picture.png", ".hidden", "z.xml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "link.txt").symlink_to(tmp_path / "b.txt")
    os.mkfifo(tmp_path / "pipe.txt")
    os.chmod(os.open(tmp_path / os.fsdecode(b"caf\xe9.txt"), os.O_CREAT), 0o644)
    found = [(item.id, outcome(item)) for item in stories([tmp_path])]
    assert found == [
        (".hidden", "skipped"),
        ("A.txt", "ok"),
        ("a/b/c.wire", "ok"),
        ("a/loop", "skipped"),
        ("a/z.txt", "ok"),
        ("b.txt", "ok"),
        ("c", "ok"),
        ("caf%E9.txt", "warned"),
        ("link.txt", "ok"),
        ("picture.png", "skipped"),
        ("pipe.txt", "skipped"),
        ("self", "skipped"),
        ("z.xml", "E_XML"),
    ]
    assert all(item.skipped for item in stories([tmp_path / "pipe.txt"]))


def test_folders_left_out(tmp_path: Path) -> None:
    for name in ("a.txt", "out/b.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert [item.id for item in stories([tmp_path], exclude=[tmp_path / "out"])] == ["a.txt"]


def test_stories_with_one_id_are_both_kept(tmp_path: Path) -> None:
    for folder in "ab":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "s.txt").write_text(folder)
    (tmp_path / "rows.jsonl").write_text('{"id":"s.txt#2","text":"r"}\n{"id":"s.txt","text":"q"}\n')
    found = list(stories([tmp_path / "a", tmp_path / "rows.jsonl", tmp_path / "b"]))
    assert [item.id for item in found] == ["s.txt", "s.txt#2", "s.txt#3", "s.txt#4"]
    assert [item.document.id for item in found if item.document] == [item.id for item in found]
    assert "another story has the id 's.txt'" in found[3].warnings[0]


def test_what_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    for name in ("a.txt", "b.jsonl"):
        (tmp_path / name).write_text('{"text":"x"}')
    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", refuse)
        assert [outcome(item) for item in stories([tmp_path])] == ["E_IO", "E_IO"]
    with monkeypatch.context() as patched:
        patched.setattr("pipeline.readers.discover.os.scandir", refuse)
        assert [outcome(item) for item in stories([tmp_path])] == ["E_IO"]
    with pytest.raises(UsageError, match="no file or folder"):
        list(stories([tmp_path / "absent"]))
    with pytest.raises(UsageError, match="no file or folder"):
        list(stories([f"{tmp_path}/a.txt/"]))


def test_read_raises_for_the_first_bad_story(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"text":"fine"}\n{')
    reading = read(tmp_path)
    assert next(reading).text == "fine"
    with pytest.raises(StoryError, match=r"rows\.jsonl: the last line is cut short"):
        next(reading)


@pytest.mark.parametrize(
    ("value", "iso"),
    [
        ("2025-03-28", "2025-03-28"),
        ("2025-03-28 10:00", "2025-03-28T10:00"),
        ("2025-03-28T10:00:00Z", "2025-03-28T10:00:00Z"),
        ("28 Mar 2025 10:00:00 GMT", "2025-03-28T10:00:00+00:00"),
        ("20250328T101500Z", "2025-03-28T10:15:00Z"),
        ("20250328T1015+0530", "2025-03-28T10:15+0530"),
        ("20250328", "2025-03-28"),
        ("2025-03-28 10:00:00 UTC", "2025-03-28T10:00:00Z"),
        ("2025-03", "2025-03"),
        ("2025-13", None),
        ("2025-02-30", None),
        ("20250230", None),
        ("2025-03-28T25:00", None),
        ("yesterday", None),
        (20250328, None),
    ],
)
def test_moments(value: Any, iso: str | None) -> None:
    assert moment(value) == iso


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200), name=st.sampled_from(["a.txt", "a.jsonl", "a.json", "a"]))
def test_any_bytes_give_documents_or_told_errors(data: bytes, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    for item in stories([path]):
        outcome(item)
        if item.document is not None:
            assert check(item.document) == []
            item.document.to_json()


@given(st.text())
def test_decoding_gives_back_what_was_encoded(text: str) -> None:
    if "\x00" in text or text.startswith("\ufeff") or any(ord(c) < 32 for c in text):
        return
    assert decode(text.encode("utf-8")).text == text
    assert decode(b"\xef\xbb\xbf" + text.encode("utf-8")).text == text
    assert decode(b"\xff\xfe" + text.encode("utf-16-le")).text == text
