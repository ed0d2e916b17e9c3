"""Entities: who and what is named in a story, each with all its mentions, roles and, for countries, a link."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from pipeline.stage import Stage, StageSettings

if TYPE_CHECKING:
    from spacy.tokens import Doc

    from models.document import Document


class EntitiesSettings(StageSettings):
    """What can be tuned in the entities stage."""

    nominals: bool = Field(True, description="Find 'the foreign secretary', 'the ministry' as mentions.")
    pronouns: bool = Field(True, description="Find he, she, it, they, who, and I and we within quotation marks.")
    min_confidence: float = Field(
        0.3, ge=0, le=1, description="Nominals and pronouns less certain than this stand for nobody."
    )
    rescan: bool = Field(True, description="Look for further places of every name found.")
    aliases: str | None = Field(
        None, description="A CSV table of your own names: columns alias, name, class, id; they go before all others."
    )
    geonames: bool = Field(False, description="Link cities to GeoNames; needs the extra geonames.")
    money: bool = Field(True, description="Keep amounts of money as entities.")


class Entities(Stage):
    """People, organisations, places and other names, merged over the story, with their roles."""

    name: ClassVar[str] = "entities"
    version: ClassVar[str] = "3"
    needs: ClassVar[tuple[str, ...]] = ("parse", "meta")
    makes: ClassVar[tuple[str, ...]] = ("entities",)
    Settings: ClassVar[type[StageSettings]] = EntitiesSettings

    def resources(self) -> list[Path]:
        """The stage's own files, the weights it ranks by, and the tables of names in use.

        Raises :class:`UsageError` where one of those is missing or wrong.
        """
        from importlib.resources import files

        from pipeline.stages.entities.links import geonames_files, known_names

        found = [*super().resources(), Path(str(files("models.references") / "weights.tsv"))]
        if self.settings.aliases:
            known_names(self.settings.aliases)
            found.append(Path(self.settings.aliases))
        return [*found, *(geonames_files() if self.settings.geonames else ())]

    def apply(self, document: Document, parse: Doc) -> Mapping[str, list[Any]]:
        """The story's entities in the order of their first mention."""
        from pipeline.stages.entities.extract import entities

        return {"entities": entities(document, parse, self.settings)}
