"""The same bytes under every Python that copydesk supports: those on the PATH, each with an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
INPUTS = ("samples/stories", "samples/formats", "seeds", "tests/readers/hostile", "tests/golden/wikinews.jsonl")
FILES = ("documents.jsonl", "failures.jsonl", "skipped.jsonl")
THIS = f"python{sys.version_info.major}.{sys.version_info.minor}"


def made(command: Path | str, out: Path) -> dict[str, bytes]:
    inputs = [str(ROOT / name) for name in INPUTS]
    done = subprocess.run([command, "run", "-q", *inputs, "-o", out], capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr  # some of the hostile files are failures
    return {name: (out / name).read_bytes() for name in FILES}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return made(Path(sys.executable).parent / "copydesk", tmp_path_factory.mktemp("expected") / "out")


@pytest.mark.soak
@pytest.mark.parametrize("name", ["python3.11", "python3.12", "python3.13"])
def test_every_python_gives_the_same_bytes(name: str, expected: Any, tmp_path: Path) -> None:
    if name == THIS:
        pytest.skip(f"{name} is what the tests run under")
    if (python := shutil.which(name)) is None or subprocess.run([python, "-c", ""], check=False).returncode:
        pytest.skip(f"{name} is not on the PATH, or does not start")
    venv = tmp_path / "venv"
    env = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "PYTHONHOME"}}
    subprocess.run([python, "-m", "venv", venv], check=True, env=env)
    install = [venv / "bin" / "pip", "install", "-q", f"{ROOT}[html,parquet,zstd]"]
    done = subprocess.run(install, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    assert len(expected["documents.jsonl"].splitlines()) > 60
    assert made(venv / "bin" / "copydesk", tmp_path / "out") == expected
