"""Every format by the sample of it and by small files of its own: text, paragraphs, metadata, ids, refusals."""

from __future__ import annotations

import gzip
import importlib.util
import io
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.document import Document, check
from pipeline.errors import StoryError
from pipeline.readers import Found, ReadSettings, read, stories

SAMPLES = Path(__file__).parent.parent.parent / "samples" / "formats"
HEADLINE = "Ferries to Lindsøe sail again after storm repairs"


def found_in(path: Path, **options: Any) -> list[Found]:
    return list(stories([path], ReadSettings(**options)))


def told(found: Found) -> str:
    """``ok``, the code of the error, or why it was skipped."""
    if found.error is not None:
        return found.error.code
    return found.skipped if found.skipped is not None else "ok"


def outcomes(path: Path, **options: Any) -> list[str]:
    return [told(found) for found in found_in(path, **options)]


def document_in(path: Path, **options: Any) -> Document:
    documents = [found.document for found in found_in(path, **options) if found.document is not None]
    assert len(documents) == 1
    assert check(documents[0]) == []
    return documents[0]


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# --- the samples


@pytest.mark.parametrize(
    ("name", "format_", "id_", "published"),
    [
        ("anpa.txt", "iptc7901", "anpa.txt", "2025-06-12T11:15"),
        ("atom.xml", "atom", "urn:example:entry:4711", "2025-06-12T09:15:00Z"),
        ("iptc7901.txt", "iptc7901", "iptc7901.txt", "2025-06-12T09:15+00:00"),
        ("newsml-g2.xml", "newsml-g2", "urn:example:text:20250612-8", "2025-06-12T09:15:00Z"),
        ("ninjs-1.json", "ninjs", "ninjs-1.json", "2025-06-12T09:15:00Z"),
        ("ninjs-3.json", "ninjs", "ninjs-3.json", "2025-06-12T09:15:00Z"),
        ("nitf.xml", "nitf", "nitf.xml", "2025-06-12T09:15:00Z"),
        ("nitf.xml.gz", "nitf", "nitf.xml.gz", "2025-06-12T09:15:00Z"),
        ("page.html", "html", "page.html", "2025-06-12T09:15:00Z"),
        ("rss.xml", "rss", "courier-4711", "2025-06-12T09:15:00+00:00"),
        ("stories.zip", "wire", "stories.zip/morning/ferries.txt", None),
        ("table.csv", "csv", "story-1", "2025-06-12"),
        ("table.parquet", "parquet", "row-1", "2025-06-12"),
        ("wire.txt.zst", "wire", "wire.txt.zst", None),
    ],
)
def test_one_story_in_every_format_is_one_document(name: str, format_: str, id_: str, published: str | None) -> None:
    document = next(found.document for found in found_in(SAMPLES / name) if found.document is not None)
    assert check(document) == []
    assert document.id == id_
    assert document.source is not None
    assert document.source.path.startswith(name)
    assert document.source.format == format_
    meta = document.meta
    assert (meta.headline, str(meta.byline).title()) == (HEADLINE, "Mara Teller")
    assert (meta.place, meta.agency, meta.published) == ("Oslo", "Reuters", published)
    assert meta.dateline is not None
    assert document.text[meta.dateline.start : meta.dateline.end] == "OSLO, June 12 (Reuters) -"
    plain = next(read(SAMPLES / "ninjs-1.json"))
    copy = [document.text[a:b] for a, b in document.paragraphs() if document.zone(a) == "body"]
    assert [" ".join(text.split()) for text in copy] == [
        plain.text[a:b] for a, b in plain.paragraphs() if plain.zone(a) == "body"
    ]
    if format_ in ("nitf", "newsml-g2", "ninjs"):
        assert meta.slug == "NORWAY-FERRIES/"
        assert meta.subjects is not None
        assert (meta.subjects[0].qcode, meta.subjects[0].name) == ("medtop:20000158", "windstorms")


def test_the_folder_of_samples() -> None:
    found = found_in(SAMPLES)
    assert {told(item) for item in found} == {
        "ok",
        "a package: it refers to items and holds no text",
        "a picture item",
    }
    assert all(not item.warnings for item in found)
    assert sum(item.document is not None for item in found) == 17


# --- XML: nothing fetched, nothing expanded


@pytest.fixture
def watch() -> Iterator[tuple[str, list[str]]]:
    """Address of a server on this machine, and the paths it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


BODIES = {
    "nitf": '<nitf><body><body.content><p class="{attribute}">{text}</p></body.content></body></nitf>',
    "newsml": '<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="{attribute}"><itemMeta>'
    '<itemClass qcode="ninat:text"/></itemMeta><contentSet><inlineXML><p>{text}</p></inlineXML></contentSet>'
    "</newsItem>",
    "rss": '<rss version="2.0"><channel x="{attribute}"><item><description>{text}</description></item></channel></rss>',
    "html": '<html xmlns="http://www.w3.org/1999/xhtml"><body class="{attribute}"><p>{text}</p></body></html>',
    "other": '<sitemap a="{attribute}">{text}</sitemap>',
}


@pytest.mark.parametrize("kind", BODIES)
def test_no_entity_is_fetched_or_expanded(kind: str, tmp_path: Path, watch: tuple[str, list[str]]) -> None:
    address, asked = watch
    secret = put(tmp_path, "secret.txt", "a secret")
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(10))
    hostile = {
        f'<!ENTITY x SYSTEM "{secret.as_uri()}">': "&x;",
        f'<!ENTITY x SYSTEM "{address}/entity">': "&x;",
        f'<!ENTITY % p SYSTEM "{address}/parameter"> %p;': "&x;",
        f'<!ENTITY x PUBLIC "-//X//EN" "{address}/public">': "&x;",
        levels: "&l9;",
        f'<!ENTITY a "{"a" * 50_000}">': "&a;" * 2_000,
        '<!ENTITY a "&b;"><!ENTITY b "&a;">': "&a;",
        '<!ENTITY own "Acme">': "&own;",
    }
    for declared, used in hostile.items():
        for place in ("text", "attribute"):
            body = BODIES[kind].format(**{"text": "T", "attribute": "A", place: used})
            path = put(tmp_path, "hostile.xml", f"<!DOCTYPE x [{declared}]>{body}")
            for item in found_in(path):
                if place == "text":
                    assert item.error is not None, (declared, kind)
                    assert item.error.code in ("E_XML_ENTITY", "E_XML")
                if item.document is not None:
                    assert "secret" not in str(item.document)
                    assert "lollol" not in str(item.document)
    assert asked == []


def test_external_dtds_are_not_fetched_and_html_entities_are_read(tmp_path: Path, watch: tuple[str, list[str]]) -> None:
    address, asked = watch
    body = BODIES["nitf"].format(attribute="x", text="caf&eacute;&nbsp;&mdash; &lt;b&gt; &amp;amp; &#x20AC;")
    for doctype in (
        f'<!DOCTYPE nitf SYSTEM "{address}/nitf.dtd">',
        '<!DOCTYPE nitf PUBLIC "-//IPTC//DTD" "n.dtd">',
        "",
    ):
        path = put(tmp_path, "a.xml", f'<?xml version="1.0"?>\n{doctype}<!-- x --><?y z?>{body}')
        assert document_in(path).text == "café\u00a0— <b> &amp; €"
    path = put(tmp_path, "feed.xml", BODIES["rss"].format(attribute="x", text="a&nbsp;b"))
    assert document_in(path).text == "a\u00a0b"
    path = put(tmp_path, "style.xml", f'<?xml-stylesheet href="{address}/style.xsl"?>{body}')
    assert document_in(path).text
    assert asked == []


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        ("<nitf>" + "<p>" * 20_000, "E_XML", "deeper than 256"),
        ("<nitf><body><body.content><p>half a sto", "E_XML", "cut short"),
        ("<nitf><body>\n<p>a</b></body></nitf>", "E_XML", "line 2"),
        ("", "E_XML", "not well-formed"),
        ("<nitf>\x01</nitf>", "E_XML", "not well-formed"),
        ("<nitf>&#0;</nitf>", "E_XML", "not well-formed"),
        ("<nitf><p>&bogus;</p></nitf>", "E_XML_ENTITY", "&bogus;"),
        ('<?xml version="1.0" encoding="latin-99"?><nitf/>', "E_DECODE", "does not exist: latin-99"),
        ('<?xml version="1.0" encoding="hex"?><nitf/>', "E_DECODE", "does not exist: hex"),
        (b'<?xml version="1.0" encoding="utf-8"?><nitf>\xff</nitf>', "E_DECODE", "not valid utf-8"),
        (b"\x89PNG\r\n" + bytes(range(32)) * 40, "E_BINARY", "not text"),
        ("<rss><channel><item><title>a", "E_XML", "cut short"),
    ],
)
def test_broken_xml_is_refused_with_what_is_wrong(content: str | bytes, code: str, says: str, tmp_path: Path) -> None:
    found = found_in(put(tmp_path, "a.xml", content))
    assert [told(item) for item in found] == [code]
    assert found[0].error is not None
    assert says in found[0].error.message


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16"),
        ("iso8859-2", "iso-8859-2"),
        ("cp1252", "iso-8859-1"),
        ("utf-8", None),
        ("cp1252", None),
    ],
)
def test_xml_in_its_encodings(encoding: str, said: str | None, tmp_path: Path) -> None:
    text = "Łódź" if encoding == "iso8859-2" else "“Blåbær,” he said"
    declaration = f'<?xml version="1.0" encoding="{said}"?>\n' if said else ""
    content = declaration + BODIES["nitf"].format(attribute="", text=text)
    assert document_in(put(tmp_path, "a.xml", content.encode(encoding))).text == text


def test_deep_json_and_long_lines(tmp_path: Path) -> None:
    assert outcomes(put(tmp_path, "deep.json", "[" * 100_000 + "]" * 100_000)) == ["E_JSON"]
    for content in ("x" * 100_000, "LONDON, March 3 (Reuters) - " + "word " * 40_000):
        assert document_in(put(tmp_path, "line.txt", content)).text == content


def test_xml_of_no_known_kind_is_passed_over(tmp_path: Path) -> None:
    content = "<project><modelVersion>4</modelVersion></project>"
    assert outcomes(put(tmp_path, "pom.xml", content)) == ["XML of a kind that is not read here: <project>"]


# --- NITF


def test_a_dateline_kept_apart_opens_the_text(tmp_path: Path) -> None:
    nitf = (
        "<nitf><body><body.head><hedline><hl1>H</hl1></hedline><byline>By Jane <b>Roe</b></byline>"
        "<byline>Tom Doe</byline><dateline><location>New Delhi</location>, <story.date>March 28</story.date></dateline>"
        "<abstract><p>In short.</p></abstract></body.head><body.content><p>Talks ended.</p><ul><li>One</li>"
        "<li>Two<br/>more</li></ul><table><tr><td>1</td><td>2</td></tr></table></body.content>"
        "<body.end><tagline>(Editing by Ann Poe)</tagline></body.end></body></nitf>"
    )
    document = document_in(put(tmp_path, "a.nitf", nitf))
    assert document.text.split("\n\n") == [
        "New Delhi, March 28",
        "Talks ended.",
        "One",
        "Two\nmore",
        "1 2",
        "(Editing by Ann Poe)",
    ]
    assert document.meta.dateline is not None
    assert (document.meta.dateline.start, document.meta.dateline.end) == (0, len("New Delhi, March 28"))
    assert (document.meta.place, document.meta.byline) == ("New Delhi", "Jane Roe; Tom Doe")
    assert document.meta.abstract == "In short."
    assert document.meta.credit == "(Editing by Ann Poe)"
    assert document.body is not None
    assert document.text[document.body.start : document.body.end].startswith("Talks ended.")
    assert document.text[document.body.start : document.body.end].endswith("1 2")


def test_the_forms_of_archives_and_agencies(tmp_path: Path) -> None:
    head = (
        '<head><docdata><ed-msg info="Adds quote"/><doc-id id-string="17"/></docdata>'
        '<pubdata date.publication="20070103T000000"/></head>'
    )
    blocks = '<block class="lead_paragraph"><p>A.</p></block><block class="full_text"><p>A.</p><p>B.</p></block>'
    place = "<body.head><dateline><location>NEW DELHI</location></dateline></body.head>"
    nitf = f"<nitf>{head}<body>{place}<body.content>{blocks}</body.content></body></nitf>"
    document = document_in(put(tmp_path, "a.xml", nitf))
    assert document.text == "NEW DELHI\n\nA.\n\nB."
    meta = document.meta
    assert (meta.published, meta.note, meta.guid, meta.place) == ("2007-01-03", "Adds quote", "17", "New Delhi")


def test_nitf_without_text_is_passed_over(tmp_path: Path) -> None:
    assert outcomes(put(tmp_path, "a.xml", "<nitf><body/></nitf>")) == ["NITF without text"]


def test_xml_is_known_by_its_declaration_whatever_it_is_called(tmp_path: Path) -> None:
    nitf = '<?xml version="1.0"?>' + BODIES["nitf"].format(attribute="", text="Copy.")
    assert document_in(put(tmp_path, "20250612_001", nitf)).text == "Copy."


# --- NewsML-G2


def item(content: str, about: str = '<itemClass qcode="ninat:text"/>', more: str = "") -> str:
    return (
        f'<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="g"><itemMeta>{about}</itemMeta>{more}'
        f"<contentSet>{content}</contentSet></newsItem>"
    )


PLAIN = '<inlineData contenttype="text/plain">First line\n   second.\n\nNext.</inlineData>'


def test_plain_and_html_inline_data(tmp_path: Path) -> None:
    assert document_in(put(tmp_path, "a.xml", item(PLAIN))).text == "First line\nsecond.\n\nNext."
    html = (
        '<inlineData contenttype="text/html">&lt;p&gt;One &amp;amp; two&lt;/p&gt;&lt;p&gt;Three&lt;/p&gt;</inlineData>'
    )
    assert document_in(put(tmp_path, "a.xml", item(html))).text == "One & two\n\nThree"
    both = (
        PLAIN + "<inlineXML>" + BODIES["nitf"].format(attribute="", text="NITF is the best of them.") + "</inlineXML>"
    )
    assert document_in(put(tmp_path, "a.xml", item(both))).text == "NITF is the best of them."


@pytest.mark.parametrize(
    ("news", "reason"),
    [
        (item('<remoteContent href="http://127.0.0.1:9/a.txt"/>'), "in another file, which is not fetched"),
        (item('<inlineData encoding="base64">QUJD</inlineData>'), "of another kind"),
        (item(PLAIN, '<itemClass qcode="ninat:text"/><pubStatus qcode="stat:canceled"/>'), "canceled by its provider"),
        (item(PLAIN, '<itemClass qcode="ninat:graphic"/>'), "a graphic item"),
        (item(PLAIN, '<itemClass uri="http://cv.iptc.org/newscodes/ninature/audio"/>'), "an audio item"),
        ("<newsMessage><itemSet/></newsMessage>", "without items"),
    ],
)
def test_items_that_are_passed_over(news: str, reason: str, tmp_path: Path) -> None:
    (said,) = outcomes(put(tmp_path, "a.xml", news))
    assert reason in said


def test_the_dateline_of_a_news_item(tmp_path: Path) -> None:
    about = (
        "<contentMeta><dateline>MOSCOW, Feb 9 (Reuters)</dateline><by>By A. B.</by><keyword>k</keyword></contentMeta>"
    )
    document = document_in(put(tmp_path, "a.xml", item(PLAIN, more=about)))
    assert document.text.startswith("MOSCOW, Feb 9 (Reuters)\n\nFirst line")
    assert document.zone(0) == "dateline"
    assert (document.meta.place, document.meta.agency, document.meta.byline) == ("Moscow", "Reuters", "A. B.")
    assert document.meta.keywords == ["k"]
    again = document_in(put(tmp_path, "a.xml", item(PLAIN.replace("First", "MOSCOW - First"), more=about)))
    assert again.text.startswith("MOSCOW - First line")


# --- ninjs


def ninjs(**fields: Any) -> dict[str, Any]:
    return {"uri": "urn:x", "type": "text", "versioncreated": "2025-03-28T10:00:00Z", **fields}


def test_bodies_of_ninjs(tmp_path: Path) -> None:
    broken = {"contenttype": "application/nitf+xml", "value": "<nitf><body"}
    plain = {"contenttype": "text/plain", "value": "Plain copy.\nNext."}
    path = tmp_path / "a.json"
    path.write_bytes(orjson.dumps(ninjs(bodies=[broken, plain])))
    assert document_in(path).text == "Plain copy.\nNext."
    path.write_bytes(orjson.dumps(ninjs(bodies=[broken])))
    assert outcomes(path) == ["E_XML"]
    path.write_bytes(orjson.dumps(ninjs(body_xhtml="<script>alert(1)</script><p>A <b>b</b></p><p><q>c</q></p>")))
    assert document_in(path).text == "A b\n\n“c”"
    path.write_bytes(orjson.dumps(ninjs(bodies="none", headlines=[1, {"value": 2}], subjects={"a": 1})))
    assert outcomes(path) == ["a text item without a body"]
    path.write_bytes(orjson.dumps(ninjs(body_text="Killed.", pubstatus="canceled")))
    assert outcomes(path) == ["canceled by its provider"]


def test_stories_among_associations(tmp_path: Path) -> None:
    picture = {"uri": "urn:p", "type": "picture", "body_text": "caption"}
    sidebar = {"uri": "urn:s", "type": "text", "body_text": "Sidebar."}
    for associations in ({"a": picture, "b": sidebar}, [picture, sidebar]):
        path = tmp_path / "a.json"
        path.write_bytes(orjson.dumps(ninjs(body_text="Main.", associations=associations)))
        found = found_in(path)
        assert [(each.id, each.document and each.document.text) for each in found] == [
            ("a.json", "Main."),
            ("urn:s", "Sidebar."),
        ]


def test_ninjs_in_lines_and_lists(tmp_path: Path) -> None:
    rows = [ninjs(body_text="One."), ninjs(uri="urn:y", type="video"), {"text": "A row."}]
    lines = put(tmp_path, "a.jsonl", b"\n".join(map(orjson.dumps, rows)))
    found = found_in(lines)
    assert [(each.id, told(each), each.line) for each in found] == [
        ("urn:x", "ok", 1),
        ("urn:y", "a video item", 2),
        ("a.jsonl:3", "ok", 3),
    ]
    listed = put(tmp_path, "b.json", orjson.dumps([*rows, 3, {"no": "text"}]))
    found = found_in(listed)
    assert [(each.id, told(each)) for each in found] == [
        ("urn:x", "ok"),
        ("urn:y", "a video item"),
        ("b.json#3", "ok"),
        ("b.json#4", "E_JSON"),
        ("b.json#5", "JSON without a text field"),
    ]
    assert outcomes(put(tmp_path, "c.json", "[]")) == ["E_JSON"]


# --- feeds


def test_entries_of_a_feed(tmp_path: Path) -> None:
    entries = (
        "<item><title>One &amp;amp; only</title><description>&lt;p&gt;A&lt;/p&gt;&lt;p&gt;B&lt;/p&gt;</description>"
        "<pubDate>Fri, 28 Mar 2025 10:00:00 +0530</pubDate></item>"
        "<item><title>No text</title><guid>g2</guid></item>"
        "<item><description>Plain words.\n\nTwo paragraphs.</description><link>https://x.example/3</link></item>"
    )
    path = put(tmp_path, "feed.rss", f"<rss version='2.0'><channel><language>en</language>{entries}</channel></rss>")
    one, two, three = found_in(path)
    assert one.document is not None
    assert (one.id, one.document.text) == ("feed.rss#1", "A\n\nB")
    assert (one.document.meta.headline, one.document.meta.language) == ("One & only", "en")
    assert one.document.meta.published == "2025-03-28T10:00:00+05:30"
    assert (two.id, two.skipped) == ("g2", "an entry without text")
    assert three.document is not None
    assert three.document.text == "Plain words.\n\nTwo paragraphs."
    assert outcomes(put(tmp_path, "e.xml", "<rss version='2.0'><channel/></rss>")) == ["a feed without entries"]


# --- HTML


def test_a_page_is_its_article(tmp_path: Path) -> None:
    head = '<meta property="article:published_time" content="2025-03-28T10:00:00+05:30">'
    head += '<meta name="author" content="By X">'
    page = f"<html lang=en><head><title>T</title>{head}</head><body><h1>Real headline</h1><p>{'Copy. ' * 80}</p></body>"
    document = document_in(put(tmp_path, "a.html", page))
    assert document.meta.published == "2025-03-28T10:00:00+05:30"
    assert (document.meta.headline, document.meta.byline) == ("Real headline", "X")
    assert document.meta.language == "en"


def test_a_page_has_the_limit_of_a_story(tmp_path: Path) -> None:
    path = put(tmp_path, "a.html", f"<html><body><p>{'Copy. ' * 80}</p></body></html>")
    assert outcomes(path, max_bytes=100) == ["E_TOO_LARGE"]
    assert outcomes(path) == ["ok"]


def test_the_charset_of_a_page(tmp_path: Path) -> None:
    for charset, encoding in (("iso-8859-2", "iso8859-2"), ("windows-1252", "cp1252"), ("nonsense", "utf-8")):
        words = "Łódź" if charset == "iso-8859-2" else "“Blåbær”"
        page = f'<html><head><meta charset="{charset}"></head><body><p>{words}</p></body></html>'
        assert document_in(put(tmp_path, "a.htm", page.encode(encoding))).text == words


@pytest.mark.parametrize(
    "page", ["", " ", "<html></html>", "<html><body><script>x()</script></body></html>", "<!-- x -->"]
)
def test_a_page_without_an_article_is_passed_over(page: str, tmp_path: Path) -> None:
    assert outcomes(put(tmp_path, "a.html", page)) == ["no article found in this page"]


# --- tables


def test_columns_are_known_by_name_or_set(tmp_path: Path) -> None:
    row = '7;2025-03-28;"Eins; zwei";"Erste Zeile\r\n\r\nZweite ""Zeile"""'
    table = f"Nr;Datum;Schlagzeile;Text\r\n{row}\r\n\r\n8;;;x;y\r\n"
    path = put(tmp_path, "a.csv", table.encode("cp1252"))
    one, two = found_in(path, id_column="Nr", date_column="Datum", headline_column="Schlagzeile")
    assert one.document is not None
    assert one.document.text == 'Erste Zeile\r\n\r\nZweite "Zeile"'
    assert (one.id, one.line) == ("7", 2)
    assert (one.document.meta.headline, one.document.meta.published) == ("Eins; zwei", "2025-03-28")
    assert one.document.source is not None
    assert (one.document.source.line, one.document.source.item) == (2, 1)
    assert (two.id, two.line) == ("8", 6)
    assert "5 cells and the header 4" in two.warnings[0]
    assert outcomes(path, text_column="Body") == ["E_TABLE"]
    found = found_in(put(tmp_path, "b.csv", "a,b\n1,2\n"))
    assert found[0].error is not None
    assert "read.text_column" in found[0].error.message
    assert "a, b" in found[0].error.message


def test_columns_that_are_set_count_for_json_lines_too(tmp_path: Path) -> None:
    path = put(tmp_path, "a.jsonl", '{"story":"Copy.","when":"2025-03-28","text":"not this"}\n{"text":"x"}\n')
    one, two = found_in(path, text_column="story", date_column="when")
    assert one.document is not None
    assert (one.document.text, one.document.meta.published) == ("Copy.", "2025-03-28")
    assert told(two) == "E_EMPTY_FIELD"
    assert next(read(path, text_column="story")).text == "Copy."


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("text\nå\n".encode("utf-8-sig"), ["å"]),
        ("text\nå\n".encode("utf-16"), ["å"]),
        ("text\nå “x”\n".encode("cp1252"), ["å “x”"]),
        (b"id\ttext\n1\ta,b\n", ["a,b"]),
        (b"id|text\n1|a,b\n", ["a,b"]),
        (b"text\rone\rtwo\r", ["one", "two"]),
        (b"TEXT\nnul \x00 here\n", ["nul \ufffd here"]),
    ],
)
def test_tables_in_their_forms(content: bytes, expected: list[str], tmp_path: Path) -> None:
    found = found_in(put(tmp_path, "a.csv", content))
    assert [each.document and each.document.text for each in found] == expected


def test_broken_tables(tmp_path: Path) -> None:
    assert outcomes(put(tmp_path, "a.csv", "")) == ["E_TABLE"]
    assert outcomes(put(tmp_path, "a.csv", "id,text\n\n")) == [NOTHING]
    assert outcomes(put(tmp_path, "a.csv", "id,text\n1,\n2,x\n")) == ["E_EMPTY_FIELD", "ok"]
    open_quote = 'text\nfine\n"never closed ' + "x" * 200
    found = found_in(put(tmp_path, "a.csv", open_quote), max_bytes=100)
    assert [told(each) for each in found] == ["ok", "E_TOO_LARGE"]
    many = 'text\nfine\n"never closed\n' + "x\n" * 200
    found = found_in(put(tmp_path, "a.csv", many), max_bytes=100)
    assert [(told(each), each.line) for each in found] == [("ok", 2), ("E_TABLE", 3)]
    assert outcomes(put(tmp_path, "a.csv", "text\nå\n".encode("cp1252")), encoding="utf-8") == ["E_DECODE"]


def test_rows_of_parquet(tmp_path: Path) -> None:
    when = datetime(2025, 3, 28, 10, tzinfo=UTC)
    table = pa.table(
        {
            "body": ["One.", None, "Three."],
            "date": pa.array([when, when, datetime(2025, 3, 29)], pa.timestamp("us", "UTC")),
            "day": [date(2025, 3, 28)] * 3,
            "tags": [["a", "b"], [], None],
            "n": [b"bytes", None, b"\xff"],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    one, two, three = found_in(tmp_path / "a.parquet")
    assert one.document is not None
    assert (one.id, one.document.text, told(two), told(three)) == ("a.parquet#1", "One.", "E_EMPTY_FIELD", "ok")
    assert one.document.meta.published == "2025-03-28T10:00:00+00:00"
    assert one.document.meta.keywords == ["a", "b"]
    assert one.document.to_dict()["day"] == "2025-03-28"
    packed = put(tmp_path, "b.parquet.gz", gzip.compress((tmp_path / "a.parquet").read_bytes()))
    assert outcomes(packed) == ["ok", "E_EMPTY_FIELD", "ok"]
    data = (tmp_path / "a.parquet").read_bytes()
    for broken in (b"", b"PAR1", data[:-20], data[: len(data) // 2] + data[-8:]):
        assert outcomes(put(tmp_path, "c.parquet", broken)) == ["E_TABLE"]
    assert outcomes(tmp_path / "a.parquet", max_bytes=20)[0] == "E_TOO_LARGE"


@pytest.mark.parametrize(
    ("name", "module", "extra"),
    [
        ("page.html", "trafilatura", "html"),
        ("table.parquet", "pyarrow", "parquet"),
        ("wire.txt.zst", "zstandard", "zstd"),
    ],
)
def test_a_missing_extra_is_named(name: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec

    def without(wanted: str, package: str | None = None) -> Any:
        return None if wanted == module else find(wanted, package)

    monkeypatch.setattr("pipeline.readers.extras.find_spec", without)
    (found,) = found_in(SAMPLES / name)
    assert found.error is not None
    assert found.error.code == "E_EXTRA"
    assert f"pip install 'copydesk[{extra}]'" in found.error.message


def test_extras_are_those_of_the_package_and_loaded_only_when_used() -> None:
    project = tomllib.loads((SAMPLES.parent.parent / "pyproject.toml").read_text("utf-8"))["project"]
    assert {"html", "parquet", "zstd"} <= set(project["optional-dependencies"])
    code = (
        "import sys, pipeline.readers; print(sorted({'trafilatura', 'pyarrow', 'zstandard', 'spacy'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# --- packed files


NOTHING = "nothing in it: no rows, lines or files"


def zipped(*members: tuple[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return data.getvalue()


def test_what_lies_in_an_archive(tmp_path: Path) -> None:
    path = put(
        tmp_path,
        "a.zip",
        zipped(
            ("b/two.txt", b"Two."),
            ("a.jsonl.gz", gzip.compress(b'{"text":"x"}\n{"text":"y"}\n')),
            ("../../etc/passwd", b"Traversal."),
            ("__MACOSX/._two.txt", b"junk"),
            ("inner.zip", zipped(("x.txt", b"x"))),
            ("picture.png", b"x"),
            ("table.csv", b"text\nrow\n"),
            ("table.parquet", (SAMPLES / "table.parquet").read_bytes()),
            ("z.xml", b"<nitf>"),
        ),
    )
    assert [(each.id, told(each)) for each in found_in(path)] == [
        ("a.zip/../../etc/passwd", "ok"),
        ("a.zip/__MACOSX/._two.txt", "hidden"),
        ("a.zip/a.jsonl.gz:1", "ok"),
        ("a.zip/a.jsonl.gz:2", "ok"),
        ("a.zip/b/two.txt", "ok"),
        ("a.zip/inner.zip", "an archive within an archive"),
        ("a.zip/picture.png", "no reader for .png"),
        ("a.zip/table.csv#1", "ok"),
        ("row-1", "ok"),
        ("row-2", "ok"),
        ("a.zip/z.xml", "E_XML"),
    ]
    assert outcomes(put(tmp_path, "empty.zip", zipped())) == [NOTHING]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_bombs_are_refused(pack: Any, tmp_path: Path) -> None:
    suffix = ".gz" if pack is gzip.compress else ".zst"
    for name in ("a.txt", "a.xml", "a.jsonl", "a.csv", "a.parquet", "a.json"):
        content = b'{"text":"x"}\n' + (b" " * 999 + b"\n") * 6_000
        path = put(tmp_path, name + suffix, pack(content))
        assert outcomes(path)[-1] == "E_TOO_LARGE"
        archive = put(tmp_path, "a.zip", zipped((name, content)))
        assert outcomes(archive)[-1] == "E_TOO_LARGE"


def test_an_archive_whose_entries_lie_over_one_another_is_refused(tmp_path: Path) -> None:
    words = b" ".join(str(n).encode() for n in range(5_000))
    data = zipped(("a.txt", words), ("b.txt", words))
    # Both entries of the directory point at the first file, as in a zip bomb; its name fits them both.
    start = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", start + 4)
    first_entry, second_entry = data[start:second], data[second : data.index(b"PK\x05\x06")]
    local = data[: data.index(b"PK\x03\x04", 4)]
    moved = second_entry[:42] + first_entry[42:46] + second_entry[46:]
    end = data[data.index(b"PK\x05\x06") :]
    end = end[:16] + len(local).to_bytes(4, "little") + end[20:]
    (found,) = found_in(put(tmp_path, "a.zip", local + first_entry + moved + end))
    assert found.error is not None
    assert found.error.code in ("E_TOO_LARGE", "E_PACKED")


def test_broken_packing(tmp_path: Path) -> None:
    text = b" ".join(str(n).encode() for n in range(20_000))
    for packed, suffix in (
        (gzip.compress(text), ".gz"),
        (zstandard.ZstdCompressor(write_checksum=True).compress(text), ".zst"),
    ):
        assert document_in(put(tmp_path, f"a.txt{suffix}", packed)).text == text.decode()
        assert outcomes(put(tmp_path, f"a.txt{suffix}", b"not packed")) == ["E_PACKED"]
        broken = packed[:2_000] + b"\xff" * 100 + packed[2_100:]
        assert outcomes(put(tmp_path, f"a.txt{suffix}", broken)) == ["E_PACKED"]
    assert outcomes(put(tmp_path, "a.txt.gz", gzip.compress(text)[:-900])) == ["E_PACKED"]
    whole = zipped(("a.txt", text), ("b.txt", b"Fine."))
    spoiled = whole[:2_000] + b"\xff" * 100 + whole[2_100:]
    assert outcomes(put(tmp_path, "a.zip", spoiled)) == ["E_PACKED", "ok"]
    assert outcomes(put(tmp_path, "a.zip", whole[:-30])) == ["E_PACKED"]
    assert outcomes(put(tmp_path, "a.zip", b"PK")) == ["E_PACKED"]
    locked = bytearray(zipped(("a.txt", b"Secret.")))
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    assert outcomes(put(tmp_path, "a.zip", bytes(locked))) == ["E_PACKED"]
    assert outcomes(put(tmp_path, "a.tar.gz", b"x")) == ["an archive within an archive"]


def test_a_whole_file_has_a_limit(tmp_path: Path) -> None:
    path = put(tmp_path, "a.xml", BODIES["nitf"].format(attribute="", text="word " * 100))
    assert outcomes(path, max_file_bytes=100) == ["E_TOO_LARGE"]
    assert outcomes(path, max_bytes=100) == ["E_TOO_LARGE"]
    assert outcomes(path) == ["ok"]


# --- IPTC 7901

MESSAGE = (
    "\x01AFP0123 4 pol 21 Talks/\r\n\x02Talks end in Oslo\r\n   OSLO, June 12 (AFP) - Talks ended\r\non Thursday.\r\n"
    "   More\x1b[1m copy\x0e.\r\n\x03121015 GMT JUN 25\r\n\x04"
)


def test_messages_of_a_feed(tmp_path: Path) -> None:
    first, second = found_in(
        put(tmp_path, "feed.dat", "\x16\x16" + MESSAGE + "\r\n\x16" + MESSAGE.replace("June", "July"))
    )
    assert [first.id, second.id] == ["feed.dat#1", "feed.dat#2"]
    document = first.document
    assert document is not None
    assert document.text == "Talks end in Oslo\n\nOSLO, June 12 (AFP) - Talks ended\non Thursday.\n\nMore copy."
    meta = document.meta
    assert (meta.headline, meta.agency, meta.slug, meta.urgency) == ("Talks end in Oslo", "AFP", "Talks", 4)
    assert (meta.published, meta.place) == ("2025-06-12T10:15+00:00", "Oslo")
    assert document.to_dict()["meta"]["category"] == "pol"


@pytest.mark.parametrize(
    ("message", "says"), [(MESSAGE[:-40], "no ETX"), ("\x01AFP0123 4 pol\x03\x04" + MESSAGE, "no STX")]
)
def test_a_message_without_its_frame_is_refused(message: str, says: str, tmp_path: Path) -> None:
    found = found_in(put(tmp_path, "a.txt", message))
    assert found[0].error is not None
    assert found[0].error.code == "E_FRAME"
    assert says in found[0].error.message


def test_control_bytes_in_other_text_stay(tmp_path: Path) -> None:
    assert (
        document_in(put(tmp_path, "a.txt", "Copy with \x01 and \x02 in it.")).text == "Copy with \x01 and \x02 in it."
    )


# --- any bytes

NAMES = [
    "a.xml", "a.html", "a.csv", "a.tsv", "a.parquet", "a.json", "a.jsonl", "a.txt", "a.zip", "a.gz", "a.txt.zst",
    "a.xml.gz", "a.rss", "a",
]  # fmt: skip
PATIENT = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
SEEDS = [path.read_bytes() for path in sorted(SAMPLES.iterdir())]


def is_told(path: Path) -> None:
    for found in found_in(path):
        assert sum(x is not None for x in (found.document, found.error, found.skipped)) == 1
        if found.document is not None:
            assert check(found.document) == []
            assert Document.from_json(found.document.to_json()).text == found.document.text


@PATIENT
@given(data=st.binary(max_size=400), name=st.sampled_from(NAMES))
def test_any_bytes_give_documents_or_are_told(data: bytes, name: str, tmp_path: Path) -> None:
    is_told(put(tmp_path, name, data))


@settings(PATIENT, max_examples=300)
@given(
    seed=st.sampled_from(SEEDS),
    name=st.sampled_from(NAMES),
    edits=st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 40), st.binary(max_size=12)), max_size=6),
)
def test_any_damage_to_a_file_gives_documents_or_is_told(
    seed: bytes, name: str, edits: list[tuple[int, int, bytes]], tmp_path: Path
) -> None:
    data = seed
    for at, cut, put_in in edits:
        at %= len(data) + 1
        data = data[:at] + put_in + data[at + cut :]
    is_told(put(tmp_path, name, data))


MARKUP = st.recursive(
    st.text(max_size=8) | st.sampled_from(["&nbsp;", "&x;", "&#0;", "<br/>", "]]>", "<!--", "<![CDATA[", "<?p ?>"]),
    lambda inner: st.builds(
        lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag}>",
        st.sampled_from(
            "nitf body body.content p newsItem itemSet contentSet inlineXML rss channel item title html table td q pre "
            "description body.head dateline location hedline hl1 tagline script feed entry content".split()
        ),
        st.lists(inner, max_size=4),
    ),
    max_leaves=12,
)


@PATIENT
@given(markup=MARKUP, name=st.sampled_from(["a.xml", "a.html"]))
def test_any_markup_gives_documents_or_is_told(markup: str, name: str, tmp_path: Path) -> None:
    is_told(put(tmp_path, name, markup.encode("utf-8", "replace")))


KEYS = st.sampled_from(
    "uri type text bodies headlines value role contentType body_text body_xhtml subjects by urgency versionCreated id "
    "standard name associations located keywords infosources published schema".split()
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 99)
    | st.text(max_size=6)
    | st.sampled_from(["text", "2025-03-28", "<p>a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | KEYS, inner, max_size=8),
    max_leaves=20,
)


@PATIENT
@given(data=st.dictionaries(KEYS, JSON, max_size=9))
def test_any_object_gives_documents_or_is_told(data: dict[str, Any], tmp_path: Path) -> None:
    is_told(put(tmp_path, "a.json", orjson.dumps(data, option=orjson.OPT_NON_STR_KEYS, default=str)))


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), min_size=1, max_size=9)


@PATIENT
@given(paragraphs=st.lists(st.lists(WORDS, min_size=1, max_size=5).map(" ".join), min_size=1, max_size=4))
def test_paragraphs_come_back_as_they_went_in(paragraphs: list[str], tmp_path: Path) -> None:
    escaped = [re.sub("[&<>]", lambda found: f"&#{ord(found[0])};", text) for text in paragraphs]
    text = "\n\n".join(paragraphs)
    html = "".join(f"<p>{each}</p>" for each in escaped)
    nitf = f"<nitf><body><body.content>{html}</body.content></body></nitf>"
    assert document_in(put(tmp_path, "a.xml", nitf)).text == text
    (tmp_path / "a.json").write_bytes(orjson.dumps(ninjs(body_xhtml=html)))
    assert document_in(tmp_path / "a.json").text == text


def test_a_run_tells_everything_it_found(tmp_path: Path, blank_model: Path, copydesk: Any) -> None:
    hostile = Path(__file__).parent / "hostile"
    settings_ = ["--set", f"model={blank_model}", "--stages", "dates", "--workers", "1"]
    copydesk("run", SAMPLES, hostile, "-o", tmp_path / "out", *settings_, code=3)
    rows = {
        name: [orjson.loads(line) for line in (tmp_path / "out" / f"{name}.jsonl").read_bytes().splitlines()]
        for name in ("documents", "failures", "skipped")
    }
    assert {row["path"]: row["code"] for row in rows["failures"] if row["path"].endswith(".xml")} == {
        "billion-laughs.nitf.xml": "E_XML_ENTITY",
        "truncated.nitf.xml": "E_XML",
        "xxe.nitf.xml": "E_XML_ENTITY",
    }
    assert {row["reason"] for row in rows["skipped"]} == {
        "a package: it refers to items and holds no text",
        "a picture item",
    }
    found = list(stories([SAMPLES, hostile]))
    assert sum(map(len, rows.values())) == len(found)
    assert [row["id"] for row in rows["documents"]] == [each.id for each in found if each.document is not None]


def test_what_cannot_be_read_raises_from_read(tmp_path: Path) -> None:
    with pytest.raises(StoryError, match=r"a\.xml: not well-formed XML"):
        list(read(put(tmp_path, "a.xml", "<nitf>")))
