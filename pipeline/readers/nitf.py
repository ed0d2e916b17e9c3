"""NITF 3.x: one story a file, or the body of a NewsML-G2 item or of a ninjs item."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pipeline.readers.decode import Decoded
from pipeline.readers.found import Copy, File, Found
from pipeline.readers.markup import Element, child, children, name, paragraphs, words
from pipeline.readers.moments import moment
from pipeline.readers.subjects import subject
from pipeline.readers.wire import agency_of

FORMAT = "nitf"


def read(file: File, root: Element, decoded: Decoded) -> Iterator[Found]:
    """The story of a NITF file."""
    parts = copy(root)
    if not parts.paragraphs and not parts.tail:
        yield file.skip("NITF without text")
    else:
        yield parts.found(file, file.source(FORMAT, decoded), warnings=decoded.warnings)


def copy(root: Element) -> Copy:
    """Text and metadata of an ``nitf`` element, whatever its namespace."""
    body = child(root, "body")
    head = child(body, "body.head")
    content = child(body, "body.content")
    tail = " ".join(words(line) for line in children(child(body, "body.end"), "tagline"))
    dateline = child(head, "dateline")
    return Copy(
        paragraphs=_paragraphs(content),
        meta=_known({**_head(child(root, "head")), **_body_head(head), "language": _language(root)}),
        hints=_known(
            {"agency": _agency(words(child(head, "distributor"))), "place": words(child(dateline, "location"))}
        ),
        dateline=words(dateline),
        tail=tail,
    )


def _paragraphs(content: Element | None) -> list[str]:
    """The paragraphs of the content. Archives send the lead twice, by itself and in a block with the full text."""
    full = [block for block in children(content, "block") if block.get("class") == "full_text"]
    return [paragraph for block in full for paragraph in paragraphs(block)] if full else paragraphs(content)


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value}


def _agency(credit: str) -> str:
    return agency_of(credit) or credit


def _body_head(head: Element | None) -> dict[str, Any]:
    lines = [line for line in children(head, "byline") if words(line)]
    return _known(
        {
            "headline": words(child(head, "hedline", "hl1")),
            "byline": "; ".join(byline(words(line)) for line in lines),
            "abstract": " ".join(paragraphs(child(head, "abstract"))),
            "copyright": words(child(head, "rights")),
            "note": " ".join(words(note) for note in children(head, "note")),
        }
    )


def byline(line: str) -> str:
    """A byline without its ``By``."""
    return re.sub(r"^by\b[:\s]*", "", line, flags=re.IGNORECASE).strip(" ,")


def _head(head: Element | None) -> dict[str, Any]:
    data = child(head, "docdata")

    def attribute(step: str, key: str) -> str:
        element = child(data, step)
        return (element.get(key) or "").strip() if element is not None else ""

    urgency = attribute("urgency", "ed-urg")
    issued = attribute("date.issue", "norm") or attribute("date.release", "norm")
    if not issued and (printed := child(head, "pubdata")) is not None:
        issued = printed.get("date.publication") or ""
    fields = {
        "headline": words(child(head, "title")),
        "slug": attribute("du-key", "key"),
        "guid": attribute("doc-id", "id-string"),
        "version": attribute("du-key", "version"),
        "published": (moment(issued) or "").removesuffix("T00:00:00"),
        "note": attribute("ed-msg", "info"),
        "urgency": int(urgency) if urgency.isdigit() and len(urgency) == 1 else None,
        "copyright": " ".join(filter(None, (attribute("doc.copyright", "holder"), attribute("doc.copyright", "year")))),
        "keywords": [key for word in children(child(data, "key-list"), "keyword") if (key := word.get("key"))],
        "subjects": _subjects(head, data),
    }
    return _known(fields)


def _subjects(head: Element | None, data: Element | None) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for element in children(child(head, "tobject"), "tobject.subject"):
        about = (element.get(f"tobject.subject.{part}") for part in ("detail", "matter", "type"))
        code = element.get("tobject.subject.refnum") or ""
        found.append(subject(code=code, name=next((text for text in about if text), None)))
    for element in children(child(data, "identified-content"), "classifier"):
        label = element.get("value") or words(element) or element.get("type")
        found.append(subject(code=element.get("idsrc-value") or "", name=label))
    return [each for each in found if each]


def _language(root: Element) -> str | None:
    for element in (root, child(root, "body")):
        if element is not None:
            for key, value in element.attrib.items():
                if str(key).endswith("}lang") and value:
                    return str(value)
    return None


def is_nitf(element: Element) -> bool:
    """Whether this is the root of a NITF document."""
    return name(element) == FORMAT
