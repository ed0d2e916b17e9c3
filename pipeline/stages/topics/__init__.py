"""Topics: IPTC Media Topics with the phrases that spoke for them, and keyphrases.

A story's words are looked up in one pass in an index of some 9,000 terms (labels of the vocabulary and
``terms.tsv``), each speaking for topics with a strength; the evidence is weighed by place and frequency, rolled up
the tree, and turned into the chance that the topic is right. A story with too little evidence gets no topic.

To retune: add or change terms in ``terms.tsv`` (columns from decisive to faint), then fit the numbers in
``classify.TUNING`` on your labelled stories with cross validation; ``min_score`` and ``max_topics`` trade
precision for recall without touching either. To use your own topics set ``taxonomy`` to a JSON list of
``{"id", "label", "parent", "definition", "terms", "examples"}``; the same machinery runs on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from pipeline.errors import UsageError
from pipeline.stage import Stage, StageSettings

if TYPE_CHECKING:
    from spacy.tokens import Doc

    from models.document import Document


class TopicsSettings(StageSettings):
    """What a person can tune in the topics stage."""

    min_score: float = Field(0.35, ge=0, le=1, description="Topics less sure than this are left out.")
    max_topics: int = Field(4, ge=0, description="At most so many topics a story.")
    keyphrases: int = Field(10, ge=0, description="At most so many keyphrases a story.")
    taxonomy: str | None = Field(
        None, description="JSON file with your own topics: a list of {id, label, parent, definition, terms}."
    )


class Topics(Stage):
    """Puts topics and keyphrases on a story."""

    name: ClassVar[str] = "topics"
    version: ClassVar[str] = "1"
    needs: ClassVar[tuple[str, ...]] = ("parse", "entities")
    makes: ClassVar[tuple[str, ...]] = ("topics", "keyphrases")
    Settings: ClassVar[type[StageSettings]] = TopicsSettings

    def apply(self, document: Document, parse: Doc) -> Mapping[str, list[Any]]:
        """The topics, best first, and the keyphrases, best first."""
        from pipeline.stages.topics.classify import topics, weigh
        from pipeline.stages.topics.evidence import index
        from pipeline.stages.topics.keyphrases import keyphrases

        own = index(self.settings.taxonomy)
        found = own.find(document.text, weigh(document))
        return {
            "topics": topics(document, found, own, self.settings.min_score, self.settings.max_topics),
            "keyphrases": keyphrases(document, parse, found, self.settings.keyphrases),
        }

    def resources(self) -> list[Path]:
        """The package's own files and the taxonomy in use. Raises :class:`UsageError` if that is not there."""
        if (own := self.settings.taxonomy) is None:
            return super().resources()
        if not Path(own).is_file():
            raise UsageError(f"the taxonomy {own} is not a file", "Give topics.taxonomy the path of a JSON list")
        return [*super().resources(), Path(own)]
