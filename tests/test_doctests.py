"""The examples in the docstrings of the public API are run, in a folder that holds samples and seeds."""

from __future__ import annotations

import doctest
import pkgutil
import re
import shutil
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FINDER = doctest.DocTestFinder(exclude_empty=True)


def modules() -> list[str]:
    """Every module of ours whose source holds an example to be run."""
    names = ["pipeline", "models"]
    for package in ("pipeline", "models"):
        names += [found.name for found in pkgutil.walk_packages([str(ROOT / package)], f"{package}.")]
    paths = {name: ROOT.joinpath(*name.split(".")) for name in names}
    files = {name: path / "__init__.py" if path.is_dir() else path.with_suffix(".py") for name, path in paths.items()}
    return [name for name, file in files.items() if re.search(r">>> (?!.*\+SKIP)", file.read_text("utf-8"))]


@pytest.mark.parametrize("name", modules())
def test_examples_work(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "samples", tmp_path / "samples")
    shutil.copytree(ROOT / "seeds", tmp_path / "seeds")
    monkeypatch.chdir(tmp_path)
    done = doctest.testmod(import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert done.attempted
    assert not done.failed


def test_the_public_api_is_shown_by_example() -> None:
    assert {"pipeline", "pipeline.desk", "pipeline.batch.run", "models.document"} <= set(modules())
