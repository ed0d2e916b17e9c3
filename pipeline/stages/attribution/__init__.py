"""Attribution: whose words every quotation of a story is, by mention, by entity, by full name and role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from pipeline.stage import Stage, StageSettings

if TYPE_CHECKING:
    from spacy.tokens import Doc

    from models.document import Document


class AttributionSettings(StageSettings):
    """What can be tuned in the attribution stage."""

    min_confidence: float = Field(
        0.3, ge=0, le=1, description="Speakers less certain than this keep their mention, without entity and name."
    )
    pronouns: bool = Field(True, description="Resolve he, she, they, it and who.")
    nominals: bool = Field(True, description="Resolve 'the minister', 'the ministry', 'the statement'.")
    continuation: bool = Field(True, description="Give quotations without a source the speaker before.")
    reach: int = Field(4, ge=1, description="Paragraphs back in which the bearer of a pronoun is sought.")


class Attribution(Stage):
    """Resolves the sources of quotations to speakers."""

    name: ClassVar[str] = "attribution"
    version: ClassVar[str] = "3"
    needs: ClassVar[tuple[str, ...]] = ("parse", "entities", "quotes")
    makes: ClassVar[tuple[str, ...]] = ("attributions",)
    Settings: ClassVar[type[StageSettings]] = AttributionSettings

    def apply(self, document: Document, parse: Doc) -> Mapping[str, list[Any]]:
        """One row a quotation and speaker, in the order of the quotations."""
        from pipeline.stages.attribution.resolve import resolve

        return {"attributions": resolve(document, parse, self.settings)}
