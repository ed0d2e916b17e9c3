"""Fixtures shared by the suite: the language model is loaded once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from models.document import Document, Meta
from pipeline.language import Parser


@pytest.fixture(scope="session")
def parser() -> Parser:
    return Parser()


@pytest.fixture
def parse(parser: Parser) -> Callable[..., tuple[Document, Any]]:
    """Make a document of a text and parse it: ``parse(text, published=..., **meta)``."""

    def make(text: str, published: str | None = None, **meta: Any) -> tuple[Document, Any]:
        fields = {k: v for k, v in {"published": published, **meta}.items() if v is not None}
        document = Document(id="test", schema_=1, text=text, meta=Meta(**fields))
        return document, next(parser.parse([document]))

    return make
