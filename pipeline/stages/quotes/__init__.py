"""Quotes: what is quoted in a story, direct, indirect or mixed, with its cue and its source as written.

Contents follow the conventions of PolNeAR (Newell, Margolin and Ruths 2018): marks and ``that`` belong to the
content, the recipient does not, a content split by its cue is one quotation, and of nested ones the outermost counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from pipeline.stage import Stage, StageSettings

if TYPE_CHECKING:
    from spacy.tokens import Doc

    from models.document import Document


class QuotesSettings(StageSettings):
    """What can be tuned in the quotes stage."""

    min_confidence: float = Field(0.45, ge=0, le=1, description="Quotes less certain than this are left out.")
    min_words: int = Field(3, ge=1, description="Fewest words in quotation marks that count without a cue.")
    thoughts: bool = Field(True, description="Also give beliefs and feelings (kind: thought).")
    intentions: bool = Field(True, description="Also give plans and wishes (kind: intention).")
    singles: bool = Field(True, description="Take 'single' quotation marks where they can be no apostrophes.")


class Quotes(Stage):
    """Finds quotations by quotation marks, cue words and the parse."""

    name: ClassVar[str] = "quotes"
    version: ClassVar[str] = "3"
    needs: ClassVar[tuple[str, ...]] = ("parse", "entities")
    makes: ClassVar[tuple[str, ...]] = ("quotes",)
    Settings: ClassVar[type[StageSettings]] = QuotesSettings

    def resources(self) -> list[Path]:
        """The stage's own files, and the learned weights."""
        from importlib.resources import files

        learned = files("models.quotes")
        return [
            *super().resources(),
            *(Path(str(learned / name)) for name in ("scores.tsv", "ends.tsv", "learned.tsv")),
        ]

    def apply(self, document: Document, parse: Doc) -> Mapping[str, list[Any]]:
        """The quotations of the story, ``q1`` onwards in order of offset."""
        from pipeline.stages.quotes.extract import extract

        return {"quotes": extract(document, parse, self.settings)}
