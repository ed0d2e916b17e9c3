"""Which models are installed: language models of spaCy and the encoders shipped in ``models/``."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import orjson

import models
from pipeline.encoder import encoder_files, encoder_path
from pipeline.errors import UsageError
from pipeline.language import model_path
from pipeline.stage import digest_files, files_of


@dataclass(frozen=True)
class Model:
    """An installed model: what to set, what it is, how good it says it is, and the digest of its files."""

    setting: str
    """``model`` or ``encoder``."""
    name: str
    version: str
    licence: str
    scores: dict[str, float]
    """F1 in 0..1 by what was scored."""
    card: str
    """Its description in full, Markdown."""
    path: Path
    digest: str


def catalogue() -> list[Model]:
    """Every installed model, encoders first, each kind by name."""
    shipped = sorted(Path(models.__file__).parent.glob("*/model.onnx"))
    return [*(_encoder(path.parent) for path in shipped), *_language_models()]


def find(name: str) -> Model:
    """The model called ``name``. Raises :class:`UsageError` where there is none."""
    for model in catalogue():
        if model.name == name:
            return model
    raise UsageError(f"no model {name!r} is installed", "See what is: copydesk models")


def _encoder(folder: Path) -> Model:
    path = encoder_path(str(folder)) or folder
    meta: dict[str, Any] = orjson.loads((path / "meta.json").read_bytes())
    card = path / "card.md"
    scores = {name: by["all"]["f"] for name, by in meta.get("scores", {}).items()}
    text = card.read_text("utf-8") if card.is_file() else ""
    digest = digest_files(encoder_files(path))
    return Model("encoder", path.name, meta["version"], meta.get("licence", ""), scores, text, path, digest)


def _language_models() -> list[Model]:
    # spaCy's own packages announce themselves by an entry point; a repackaged one by that too.
    names = sorted({e.name for d in distributions() for e in d.entry_points if e.group == "spacy_models"})
    found = []
    for name in names:
        try:
            path = model_path(name)
        except UsageError:
            continue
        meta = orjson.loads((path / "meta.json").read_bytes())
        measured = meta.get("performance", {})
        scores = {
            k: round(measured[k], 4) for k in ("ents_f", "dep_las", "tag_acc") if isinstance(measured.get(k), float)
        }
        text = meta.get("description", "")
        digest = digest_files(files_of(path))
        found.append(Model("model", name, meta["version"], meta.get("license", ""), scores, text, path, digest))
    return found
