"""What a story is called outside: as an IRI, and as a file."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterator
from urllib.parse import quote, unquote

from models.document import Document

_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:[^\s<>\"{}|\\^`\x00-\x1f]+")
_ODD = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\%]|^\.{1,2}\Z|^\.part-|[. ]\Z')
_LONGEST = 180
"""Bytes of a file name, with room for a suffix: 255 is what file systems take."""


def iri(document: Document) -> str:
    """The provider's address or identifier of the story where it is an absolute IRI, else a UUID made of the id.

    >>> iri(Document(id="a.txt", text="", meta={"url": "https://example.org/a"}))
    'https://example.org/a'
    >>> iri(Document(id="a.txt", text=""))
    'urn:uuid:821025d5-8945-520e-8fe3-53ca8db02437'
    """
    for given in (document.meta.url, document.meta.guid):
        if given and _IRI.fullmatch(given):
            return given
    return named(document.id)


def named(*parts: str) -> str:
    """A UUID as an IRI: of the same parts always the same one."""
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, ' '.join(quote(part, safe='') for part in parts))}"


def file_name(id_: str) -> str:
    """A relative path that is safe on any system for the story with this id; its parts are those of the id.

    What no file name may hold is percent-encoded, so that :func:`id_of` gives the id again; very long parts are cut
    and end in a digest.

    >>> file_name("desk/a.txt"), file_name("../etc/passwd"), id_of("%2E%2E/etc/passwd")
    ('desk/a.txt', '%2E%2E/etc/passwd', '../etc/passwd')
    """
    return "/".join(_part(part) for part in id_.split("/"))


def _part(part: str) -> str:
    safe = _ODD.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), part) or "%"
    if len(safe.encode()) > _LONGEST:
        end = hashlib.sha256(part.encode()).hexdigest()[:12]
        return f"{safe.encode()[: _LONGEST - 13].decode(errors='ignore')}~{end}"
    return safe


def id_of(name: str) -> str:
    """The id that :func:`file_name` made ``name`` of; ``name`` itself where it was made of none."""
    id_ = "/".join("" if part == "%" else unquote(part) for part in name.split("/"))
    return id_ if file_name(id_) == name else name


class FileNames:
    """File names for many stories, told apart where systems that know no case would not."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def of(self, id_: str, suffix: str) -> str:
        """A name for the story that ends in ``suffix``, which the id may end in already."""
        stem = file_name(id_).removesuffix(suffix)
        name = next(name for name in _tries(stem, suffix) if name.casefold() not in self._seen)
        self._seen.add(name.casefold())
        return name


def _tries(stem: str, suffix: str) -> Iterator[str]:
    yield stem + suffix
    number = 2
    while True:
        yield f"{stem}#{number}{suffix}"
        number += 1
