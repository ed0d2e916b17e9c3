"""Fixtures shared by the suite: the language model is loaded once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.document import Document, Meta
from pipeline.language import Parser

COPYDESK = str(Path(sysconfig.get_path("scripts")) / "copydesk")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="Accept the documents made now as the reviewed ones.")
    parser.addoption("--bench-stories", type=int, default=1_000, help="Largest corpus of the measurements.")
    parser.addoption("--soak-stories", type=int, default=2_000, help="Stories of the large run that is killed.")
    parser.addoption("--soak-kills", type=int, default=20, help="How often it is killed.")
    parser.addoption("--soak-blank", action="store_true", help="With a language model that costs nothing.")


@pytest.fixture(scope="session")
def parser() -> Parser:
    """The stock language model alone: the stages' own tests show what rules make of a parse."""
    return Parser(encoder="none")


@pytest.fixture
def parse(parser: Parser) -> Callable[..., tuple[Document, Any]]:
    """Make a document of a text and parse it: ``parse(text, published=..., **meta)``."""

    def make(text: str, published: str | None = None, **meta: Any) -> tuple[Document, Any]:
        fields = {k: v for k, v in {"published": published, **meta}.items() if v is not None}
        document = Document(id="test", schema_=1, text=text, meta=Meta(**fields))
        return document, next(parser.parse([document]))

    return make


@pytest.fixture(scope="session")
def blank_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A language model that only splits words and sentences: quick to load, for tests of the runner."""
    import spacy

    folder = tmp_path_factory.mktemp("models") / "blank"
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(folder)
    return folder


@pytest.fixture(scope="session")
def troubled_model(tmp_path_factory: pytest.TempPathFactory, blank_model: Path) -> Path:
    """The same, with a component of another package that does to the process what a story asks for."""
    folder = tmp_path_factory.mktemp("models") / "troubled"
    shutil.copytree(blank_model, folder)
    config = (folder / "config.cfg").read_text()
    config = config.replace('pipeline = ["sentencizer"]', 'pipeline = ["sentencizer","trouble"]')
    config = config.replace(
        "[components.sentencizer]", '[components.trouble]\nfactory = "trouble"\n\n[components.sentencizer]'
    )
    (folder / "config.cfg").write_text(config)
    return folder


Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def copydesk() -> Command:
    """Run the installed command: ``copydesk("run", ..., code=0)``; the exit code is asserted unless None."""

    def call(
        *args: object,
        code: int | None = 0,
        env: dict[str, str] | None = None,
        timeout: float = 300,
        **kwargs: Any,
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [COPYDESK, *map(str, args)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            env={**os.environ, **(env or {})},
            timeout=timeout,
            check=False,
            **kwargs,
        )
        assert code is None or done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return call


@pytest.fixture(scope="session")
def trouble_env() -> dict[str, str]:
    """An environment in which another package's stage, ``trouble``, is installed."""
    paths = [str(Path(__file__).parent / "plugin"), os.environ.get("PYTHONPATH", "")]
    return {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}
