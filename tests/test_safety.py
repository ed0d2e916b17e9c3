"""No data is run: nothing unpickles, nothing evaluates, and a model is what its digest says."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

from pipeline.encoder import DEFAULT_ENCODER, encoder_path
from pipeline.language import Parser

ROOT = Path(__file__).parent.parent
MODULES = sorted(path for name in ("pipeline", "models") for path in (ROOT / name).rglob("*.py"))
UNPACKERS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml"}
EVALUATORS = {"eval", "exec", "compile", "__import__"}


def test_no_module_unpickles_or_evaluates() -> None:
    assert len(MODULES) > 100
    found = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Import(names) if UNPACKERS & {name.name.split(".")[0] for name in names}:
                    found.append((path.name, node.lineno))
                case ast.ImportFrom(module=str(module)) if module.split(".")[0] in UNPACKERS:
                    found.append((path.name, node.lineno))
                case ast.Call(ast.Name(name)) if name in EVALUATORS:
                    found.append((path.name, node.lineno))
                case ast.keyword("shell", ast.Constant(True)) | ast.keyword("allow_pickle", ast.Constant(True)):
                    found.append((path.name, node.value.lineno))
    assert found == []


@pytest.mark.parametrize("place", ["model", "encoder"])
def test_a_model_with_one_bit_changed_is_another_model(place: str, blank_model: Path, tmp_path: Path) -> None:
    """Layers are named by the digest of the model's files, so what another model made is never taken for this one's."""
    source = blank_model if place == "model" else encoder_path(DEFAULT_ENCODER)
    keys = []
    for name in ("same", "again", "changed"):
        folder = tmp_path / name
        shutil.copytree(source, folder)
        if name == "changed":
            path = next(path for path in sorted(folder.rglob("*")) if path.suffix in {".bin", ".onnx", ".cfg"})
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 1
            path.write_bytes(bytes(data))
        model, encoder = (folder, "none") if place == "model" else (blank_model, folder)
        keys.append(Parser(str(model), str(encoder)).key())
    assert keys[0] == keys[1] != keys[2]
