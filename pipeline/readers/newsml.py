"""NewsML-G2: news items with text, one by one or in a news message; every other kind of item is passed over.

The text is inline NITF, inline XHTML or plain inline data. What an item only points at is never fetched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.readers import nitf
from pipeline.readers.decode import Decoded
from pipeline.readers.found import Copy, File, Found
from pipeline.readers.markup import Element, child, children, fragment, name, paragraphs, plain, words
from pipeline.readers.moments import moment
from pipeline.readers.subjects import subject
from pipeline.readers.wire import agency_of

FORMAT = "newsml-g2"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_OTHERS = {
    "packageitem": "a package: it refers to items and holds no text",
    "conceptitem": "a concept item",
    "knowledgeitem": "a knowledge item: a list of concepts",
    "planningitem": "a planning item",
    "catalogitem": "a catalogue",
}
ROOTS = frozenset({"newsitem", "newsmessage", *_OTHERS})
"""Names of root elements, in small letters."""


def read(file: File, root: Element, decoded: Decoded) -> Iterator[Found]:
    """The items of a file: the item it is, or those its news message brings."""
    if name(root) != "newsmessage":
        yield _item(file, root, decoded, None)
        return
    message = child(root, "itemset")
    items = [item for item in message if name(item)] if message is not None else []
    if not items:
        yield file.skip("a news message without items")
    for number, item in enumerate(items, 1):
        yield _item(file, item, decoded, number)


def _item(file: File, item: Element, decoded: Decoded, number: int | None) -> Found:
    id_ = file.id(number, item.get("guid"))
    kind = name(item)
    if kind in _OTHERS:
        return file.skip(_OTHERS[kind], id_)
    if kind != "newsitem":
        return file.skip(f"<{kind}> is no news item", id_)
    about = child(item, "itemmeta")
    of = _code(child(about, "itemclass"))
    if of not in ("text", "composite", ""):
        return file.skip(f"{'an' if of[0] in 'aeiou' else 'a'} {of} item", id_)
    status = _code(child(about, "pubstatus"))
    if status == "canceled":
        return file.skip("canceled by its provider", id_)
    parts, reason = _content(child(item, "contentset"))
    if parts is None:
        return file.skip(reason, id_)
    given = _meta(item, about, child(item, "contentmeta"))
    parts.dateline = parts.dateline or words(child(item, "contentmeta", "dateline"))
    parts.meta = {**parts.meta, **given}
    parts.hints = {**parts.hints, **_hints(item, about)}
    return parts.found(file, file.source(FORMAT, decoded, number), id_, decoded.warnings)


def _content(content: Element | None) -> tuple[Copy | None, str]:
    """The first content of an item that is text, NITF before XHTML before plain; or why there is none."""
    inline = [*children(content, "inlinexml"), *children(content, "inlinedata")]
    unread: list[str] = []
    best: tuple[int, Copy] | None = None
    for element in inline:
        rank, parts = _inline(element)
        if parts is None:
            unread.append(element.get("contenttype") or name(element))
        elif best is None or rank < best[0]:
            best = (rank, parts)
    if best is not None:
        return best[1], ""
    if unread:
        return None, f"no text inside: its content ({', '.join(unread)[:120]}) is empty or of another kind"
    if children(content, "remotecontent"):
        return None, "its content is in another file, which is not fetched"
    return None, "a news item without content"


def _inline(element: Element) -> tuple[int, Copy | None]:
    kind = (element.get("contenttype") or "").lower()
    if name(element) == "inlinedata":
        if element.get("encoding"):
            return 3, None
        text = "".join(map(str, element.itertext()))
        found = fragment(text) if "html" in kind else plain(_unindented(text))
        return 2, Copy(found, {}) if found and (not kind or "text" in kind or "html" in kind) else None
    for below in element.iter():
        if nitf.is_nitf(below):
            parts = nitf.copy(below)
            return 0, parts if parts.paragraphs or parts.tail else None
    known = not kind or "html" in kind or kind.startswith("text/")
    if not known or any(name(below) == "events" for below in element):
        return 3, None
    found = paragraphs(element)
    return 1, Copy(found, {}) if found else None


def _unindented(text: str) -> str:
    lines = text.strip("\r\n").splitlines()
    return "\n".join(line.strip() for line in lines).strip()


def _code(element: Element | None) -> str:
    """The code of an element without its scheme: ``text`` of ``ninat:text``."""
    if element is None:
        return ""
    value = element.get("qcode") or element.get("uri") or ""
    return value.rstrip("/").replace("/", ":").rpartition(":")[2].lower()


def _name(element: Element | None) -> str:
    """The name of a concept: the English one if there is one, else the first."""
    names = children(element, "name")
    names.sort(key=lambda each: not (each.get(_LANG) or "").startswith("en"))
    return words(names[0]) if names else ""


def _meta(item: Element, about: Element | None, content: Element | None) -> dict[str, Any]:
    def time(parent: Element | None, step: str) -> str | None:
        return moment(words(child(parent, step)))

    created = time(content, "contentcreated") or time(about, "firstcreated")
    version = time(about, "versioncreated")
    language = child(content, "language")
    urgency = words(child(content, "urgency"))
    authors = [each for each in (_name(creator) for creator in children(content, "creator")) if each]
    fields = {
        "headline": words(child(content, "headline")),
        "byline": nitf.byline(words(child(content, "by"))) or ", ".join(authors),
        "slug": words(child(content, "slugline")),
        "published": created or version,
        "updated": version if created and version != created else None,
        "language": (language.get("tag") if language is not None else None) or item.get(_LANG),
        "keywords": [word for word in map(words, children(content, "keyword")) if word],
        "subjects": [each for each in map(_subject, children(content, "subject")) if each],
        "guid": item.get("guid"),
        "version": item.get("version"),
        "status": _code(child(about, "pubstatus")),
        "urgency": int(urgency) if len(urgency) == 1 and urgency.isdigit() else None,
        "embargo": moment(words(child(about, "embargoed"))),
        "abstract": " ".join(words(each) for each in children(content, "description")),
        "copyright": words(child(item, "rightsinfo", "copyrightnotice")),
        "note": " ".join(words(each) for each in children(about, "ednote")),
    }
    return {key: value for key, value in fields.items() if value}


def _hints(item: Element, about: Element | None) -> dict[str, Any]:
    content = child(item, "contentmeta")
    credits_ = [child(content, "infosource"), child(about, "provider")]
    known = [agency_of(_name(each)) or agency_of(_code(each)) for each in credits_]
    named = [_name(each) for each in credits_]
    hints = {
        "agency": next((each for each in (*known, *named) if each), None),
        "place": _name(child(content, "located")).split(",")[0],
    }
    return {key: value for key, value in hints.items() if value}


def _subject(element: Element) -> dict[str, str]:
    main = child(element, "mainconcept")
    concept = element if main is None else main
    return subject(code=concept.get("literal"), uri=concept.get("uri"), name=_name(concept), qcode=concept.get("qcode"))
