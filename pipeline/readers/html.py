"""HTML pages: the article in a page, found by trafilatura (the extra ``html``)."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import orjson

from pipeline.errors import StoryError
from pipeline.readers.decode import Decoded, decode
from pipeline.readers.extras import needed
from pipeline.readers.found import Copy, File, Found
from pipeline.readers.markup import Element, html, paragraphs, words, xml_text
from pipeline.readers.moments import moment
from pipeline.readers.nitf import byline

FORMAT = "html"
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([A-Za-z0-9._-]{1,40})""", re.IGNORECASE)
_DATES = (
    "article:published_time", "datepublished", "date", "dc.date", "dc.date.issued", "dcterms.created", "pubdate",
    "publishdate", "parsely-pub-date", "sailthru.date", "og:published_time",
)  # fmt: skip
_HEADLINES = ("og:title", "headline", "dc.title", "twitter:title")
_AUTHORS = ("author", "article:author", "dc.creator", "parsely-author", "byl")
_ARTICLES = frozenset({"newsarticle", "article", "reportagenewsarticle", "analysisnewsarticle", "blogposting"})


def read(file: File) -> Iterator[Found]:
    """The article of a page."""
    needed("trafilatura", "html", "HTML pages")
    if len(file.data) > file.settings.max_bytes:
        limit = f"{file.settings.max_bytes:,} is the limit (read.max_bytes)"
        raise StoryError("E_TOO_LARGE", f"a page of {len(file.data):,} bytes, and {limit}")
    decoded = _decoded(file)
    root = html(decoded.text)
    meta = {} if root is None else _meta(root)
    found = [] if root is None else _article(root)
    if not any(re.search(r"\w", paragraph) for paragraph in found):
        yield file.skip("no article found in this page")
    else:
        yield Copy(found, meta).found(file, file.source(FORMAT, decoded), warnings=decoded.warnings)


def _decoded(file: File) -> Decoded:
    named = _CHARSET.search(file.data[:2048])
    if file.settings.encoding is None and named is not None:
        name = named[1].decode("ascii").lower()
        if name.startswith(("iso-8859-1", "windows-1252", "latin1", "us-ascii")) and name != "iso-8859-15":
            name = "cp1252"
        try:
            return decode(file.data, None if name.startswith(("utf-8", "utf8", "utf-16")) else name)
        except (LookupError, ValueError):
            pass  # a page may say anything of itself: go by its bytes
        except StoryError as error:
            if error.code != "E_DECODE":
                raise
    return xml_text(file.data, file.settings.encoding)


def _article(root: Element) -> list[str]:
    import trafilatura

    # It logs what it gives up on; here that is told in the story's row.
    logging.getLogger("trafilatura").addHandler(logging.NullHandler())
    page = _copied(root)
    try:
        result: Any = trafilatura.bare_extraction(
            page, output_format="xml", include_comments=False, include_tables=True, with_metadata=False
        )
    except Exception as error:  # the library's own errors are of every kind
        raise StoryError("E_HTML", f"trafilatura cannot read this page: {type(error).__name__}") from None
    return [] if result is None or result.body is None else paragraphs(result.body)


def _copied(root: Element) -> Any:
    """The page as the kind of tree trafilatura works on, which it may change."""
    from lxml import etree
    from lxml import html as pages

    return pages.fromstring(
        etree.tostring(root, encoding="unicode", method="html"), parser=pages.HTMLParser(huge_tree=True)
    )


def _meta(root: Element) -> dict[str, Any]:
    """What a page says of itself in its head: schema.org's JSON first, then meta elements, then its title.

    Dates are taken from such fields only: a guess from the text would depend on the day it is made.
    """
    said = _schema_org(root)
    tags: dict[str, str] = {}
    for element in root.iter("meta"):
        key = (element.get("property") or element.get("name") or element.get("itemprop") or "").lower()
        value = (element.get("content") or "").strip()
        if key and value:
            tags.setdefault(key, value)

    def first(keys: tuple[str, ...]) -> str | None:
        return next((tags[key] for key in keys if key in tags), None)

    times = [element.get("datetime") for element in root.iter("time")]
    dates = [said.get("datePublished"), *(tags.get(key) for key in _DATES), *islice(times, 1)]
    headings = [words(element) for element in root.iter("h1")]
    title = words(next(root.iter("title"), None))
    author = said.get("author") or first(_AUTHORS)
    keywords = tags.get("news_keywords") or tags.get("keywords") or ""
    links = {element.get("rel"): element.get("href") for element in root.iter("link")}
    fields = {
        "headline": said.get("headline") or first(_HEADLINES) or (headings[0] if len(headings) == 1 else title),
        "byline": byline(author) if author and not author.startswith("http") else None,
        "published": next((iso for iso in map(moment, dates) if iso), None),
        "language": root.get("lang"),
        "keywords": [word.strip() for word in keywords.split(",") if word.strip()],
        "url": links.get("canonical") or tags.get("og:url"),
        "abstract": tags.get("description") or tags.get("og:description"),
    }
    return {key: value for key, value in fields.items() if value}


def _schema_org(root: Element) -> dict[str, str]:
    """``headline``, ``datePublished`` and ``author`` of the first article in the page's JSON-LD."""
    for element in root.iter("script"):
        if (element.get("type") or "").lower() == "application/ld+json" and element.text:
            try:
                data = orjson.loads(element.text)
            except orjson.JSONDecodeError:
                continue
            for row in _objects(data):
                kinds = row.get("@type")
                kinds = kinds if isinstance(kinds, list) else [kinds]
                if any(isinstance(kind, str) and kind.lower() in _ARTICLES for kind in kinds):
                    fields = {key: row.get(key) for key in ("headline", "datePublished")}
                    fields["author"] = ", ".join(_names(row.get("author")))
                    return {key: value.strip() for key, value in fields.items() if isinstance(value, str)}
    return {}


def _objects(data: Any) -> Iterator[dict[str, Any]]:
    rows = data if isinstance(data, list) else [data]
    for row in rows:
        if isinstance(row, dict):
            yield row
            graph = row.get("@graph")
            yield from (each for each in graph if isinstance(each, dict)) if isinstance(graph, list) else ()


def _names(authors: Any) -> list[str]:
    rows = authors if isinstance(authors, list) else [authors]
    names = [row.get("name") if isinstance(row, dict) else row for row in rows]
    return [name for name in names if isinstance(name, str) and name]
