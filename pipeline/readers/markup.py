"""Markup to paragraphs: XML parsed so that nothing is fetched or expanded, HTML fragments, and the words within.

The parser expands no entity, reads no DTD, opens no connection, and refuses more than 256 levels. What is left of an
``&nbsp;`` (real NITF names its DTD and uses HTML's entities) is put right here; any other entity is refused.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html.entities import html5

from lxml import etree

from pipeline.errors import StoryError
from pipeline.readers.decode import Decoded, clean, decode

Element = etree._Element

_DECLARED = re.compile(r"""\s*<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_DECLARATION = re.compile(r"\s*<\?xml\s[^>]{0,400}\?>")
_NAMED = re.compile(r"&(?!amp;|lt;|gt;|quot;|apos;)\w")
_POSITION = re.compile(r"(?:,? line \d+)?(?:, line (\d+), column \d+)?(?: \(<string>, line \d+\))?$")
_WIDE = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
_LATIN = frozenset({"ascii", "iso8859-1"})
_SPACE = re.compile(r"[ \t\r\n\f]+")

BLOCKS = frozenset(
    "address article aside blockquote body body.content body.end bq caption center dd details div dl dt fieldset fn"
    " footer h1 h2 h3 h4 h5 h6 header hl1 hl2 hr li main note ol p pre section summary table tagline tr ul block"
    " abstract main-hed sub-hed item list quote head row lg".split()
)
"""Elements of HTML, NITF and trafilatura's own XML that are paragraphs or hold some."""
DROPPED = frozenset(
    "applet audio button canvas embed figure iframe map media nitf-table-metadata noscript object picture script"
    " select style svg template textarea title video".split()
)
"""Elements whose content is no copy."""


def parse(data: bytes, encoding: str | None) -> tuple[Element, Decoded]:
    """The root of an XML file, and its text without the declaration.

    Raises :class:`StoryError` E_XML for what is not well-formed, E_XML_ENTITY for entities other than HTML's, and
    E_BINARY or E_DECODE.
    """
    decoded = xml_text(data, encoding)
    text = decoded.text
    if _NAMED.search(text) and not _has_doctype(text):
        # With a DTD that is named and not read, an entity nobody declared is no fault.
        text = f'<!DOCTYPE copy SYSTEM "">{text}'
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        encoding="utf-8",
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _refusal(str(error)) from None
    for entity in root.iter(etree.Entity):
        _character(entity)
    return root, decoded


def xml_text(data: bytes, encoding: str | None) -> Decoded:
    """The characters of an XML file, by its mark, its declaration or as any text; without the declaration."""
    if encoding is None and not data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        head = data.lstrip(b" \t\r\n")[:512]
        wide = _WIDE.get(head[:2])
        named = _DECLARED.match(head.decode("latin-1"))
        if wide is None and named is not None:
            return _without_declaration(_declared(data, named[1]))
    return _without_declaration(decode(data, encoding))


def _declared(data: bytes, name: str) -> Decoded:
    try:
        codec = codecs.lookup(name).name
        if codec in _LATIN:
            # Files said to be Latin-1 hold Windows-1252, as in HTML: its quotation marks are no control characters.
            return Decoded(clean(data.decode("cp1252", errors="replace"))[0], "cp1252", "declared")
        text, warnings = clean(data.decode(codec))
        return Decoded(text, codec, "declared", warnings)
    except UnicodeDecodeError as error:
        raise StoryError("E_DECODE", f"not valid {name}, which it declares, at byte {error.start}") from None
    except (LookupError, ValueError):
        raise StoryError("E_DECODE", f"it declares an encoding that does not exist: {name}") from None


def _without_declaration(decoded: Decoded) -> Decoded:
    found = _DECLARATION.match(decoded.text)
    return replace(decoded, text=decoded.text[found.end() if found else 0 :])


def _has_doctype(text: str) -> bool:
    at = 0
    while True:
        if text[at : at + 1].isspace():
            at += 1
            continue
        for opened, closed in (("<!--", "-->"), ("<?", "?>")):
            if text.startswith(opened, at):
                end = text.find(closed, at)
                if end < 0:
                    return False
                at = end + len(closed)
                break
        else:
            return text.startswith("<!DOCTYPE", at)


def _refusal(message: str) -> StoryError:
    if "amplification" in message or "entity loop" in message.lower():
        return StoryError("E_XML_ENTITY", "its entities expand without end; nothing of it is read")
    if "external entity" in message:
        return StoryError("E_XML_ENTITY", "it refers to another file by an entity; nothing is fetched")
    if "xcessive depth" in message:
        return StoryError("E_XML", "elements are nested deeper than 256 levels")
    if "Premature end" in message or "EndTag: '</' not found" in message:
        return StoryError("E_XML", f"not well-formed XML, it is cut short: {_short(message)}")
    return StoryError("E_XML", f"not well-formed XML: {_short(message)}")


def _short(message: str) -> str:
    found = _POSITION.search(message)
    what = message[: found.start()] if found else message
    return " ".join(clean(what)[0].split())[:200] + (f" (line {found[1]})" if found and found[1] else "")


def _character(entity: Element) -> str:
    name = str(getattr(entity, "name", ""))
    if (character := html5.get(f"{name};")) is not None:
        return character
    raise StoryError(
        "E_XML_ENTITY", f"the entity &{name[:60]}; is none of HTML's; entities are not expanded or fetched"
    )


def html(text: str) -> Element | None:
    """The tree of an HTML page or fragment; None if there is nothing in it. Raises :class:`StoryError` E_HTML."""
    parser = etree.HTMLParser(no_network=True, huge_tree=True, remove_comments=True, remove_pis=True, encoding="utf-8")
    try:
        root = etree.fromstring(clean(text)[0].encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        if "empty" in str(error).lower():
            return None
        raise StoryError("E_HTML", f"cannot be read as HTML: {_short(str(error))}") from None
    if any("depth" in entry.message for entry in parser.error_log):
        raise StoryError("E_HTML", "elements are nested too deep")
    return root


def name(element: Element) -> str:
    """An element's name without its namespace, in small letters; empty for what is no element."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def child(element: Element | None, *path: str) -> Element | None:
    """The first descendant along ``path``, by names without namespace."""
    for step in path:
        if element is None:
            return None
        element = next((below for below in element if name(below) == step), None)
    return element


def children(element: Element | None, step: str) -> list[Element]:
    """Children of that name."""
    return [] if element is None else [below for below in element if name(below) == step]


def words(element: Element | None) -> str:
    """All text within, on one line."""
    if element is None:
        return ""
    return _SPACE.sub(" ", "".join(text for event, text in _walk(element) if event == "text")).strip()


def paragraphs(element: Element | None) -> list[str]:
    """The paragraphs within. Space is as HTML has it; a line break is one, two of them part paragraphs."""
    made = _Paragraphs()
    if element is not None:
        for event, text in _walk(element):
            made.take(event, text)
        made.end()
    return made.done


def fragment(text: str) -> list[str]:
    """The paragraphs of a piece of HTML."""
    return paragraphs(html(text))


def plain(text: str) -> list[str]:
    """Text without markup: one paragraph, or as many as it parts by blank lines itself. Nothing in it is changed."""
    return [text.strip("\r\n")] if text.strip() else []


def _walk(root: Element) -> Iterator[tuple[str, str]]:
    """``open`` and ``close`` with names and ``text`` in document order, without what lies in dropped elements."""
    todo: list[Element | tuple[str, str]] = [root]
    while todo:
        item = todo.pop()
        if isinstance(item, tuple):
            yield item
        elif item.tag is etree.Entity:
            yield "text", _character(item)
        elif (tag := name(item)) and (tag not in DROPPED or item is root):
            yield "open", tag
            todo.append(("close", tag))
            for below in reversed(item):
                if below.tail:
                    todo.append(("text", below.tail))
                todo.append(below)
            if item.text:
                yield "text", item.text


@dataclass
class _Paragraphs:
    """Paragraphs from events: the lines of the one in hand, and those done."""

    done: list[str] = field(default_factory=list)
    lines: list[list[str]] = field(default_factory=lambda: [[]])
    preformatted: int = 0

    def take(self, event: str, text: str) -> None:
        if event == "text":
            self._text(text)
        elif text in BLOCKS:
            self.end()
            self.preformatted += text == "pre" if event == "open" else -(text == "pre")
        elif text in ("br", "lb"):
            self.lines += [[]] if event == "open" else []
        elif text == "q":
            self.lines[-1].append("“" if event == "open" else "”")
        elif text in ("td", "th", "cell"):
            self.lines[-1].append(" ")

    def _text(self, text: str) -> None:
        if not self.preformatted:
            self.lines[-1].append(text)
            return
        for n, line in enumerate(text.replace("\r\n", "\n").split("\n")):
            self.lines += [[]] if n else []
            self.lines[-1].append(line)

    def end(self) -> None:
        """The paragraph in hand is over."""
        block: list[str] = []
        for pieces in [*self.lines, []]:
            line = "".join(pieces)
            line = line.rstrip() if self.preformatted else _SPACE.sub(" ", line).strip(" ")
            if line.strip():
                block.append(line)
            elif block:
                self.done.append("\n".join(block))
                block = []
        self.lines = [[]]
