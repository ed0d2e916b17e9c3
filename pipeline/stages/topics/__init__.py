"""Topics: IPTC Media Topics with the phrases that spoke for them, and keyphrases.

A story's words are looked up in one pass in an index of some 9,000 terms (labels of the vocabulary and
``terms.tsv``), each speaking for topics with a strength; the evidence is weighed by place and frequency, rolled up
the tree, and turned into the chance that the topic is right. A story with too little evidence gets no topic, and the
document says so.

To retune: ``min_score`` and ``max_topics`` trade precision for recall. With labelled stories of your own,
``copydesk train topics`` learns terms, priors and scores (:mod:`pipeline.stages.topics.learn`) into a file that
``model`` names. Terms can also be added or changed by hand in ``terms.tsv`` (columns from decisive to faint). To use
your own topics set ``taxonomy`` to a JSON list of ``{"id", "label", "parent", "definition", "terms", "examples"}``;
the same machinery runs on it.
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

    min_score: float = Field(0.37, ge=0, le=1, description="Topics less sure than this are left out.")
    max_topics: int = Field(4, ge=0, description="At most so many topics a story.")
    keyphrases: int = Field(10, ge=0, description="At most so many keyphrases a story.")
    taxonomy: str | None = Field(
        None, description="JSON file with your own topics: a list of {id, label, parent, definition, terms, examples}."
    )
    model: str | None = Field(None, description="File made by copydesk train topics from your own labelled stories.")


class Topics(Stage):
    """Puts topics and keyphrases on a story."""

    name: ClassVar[str] = "topics"
    version: ClassVar[str] = "2"
    needs: ClassVar[tuple[str, ...]] = ("parse", "entities")
    makes: ClassVar[tuple[str, ...]] = ("topics", "keyphrases", "abstentions")
    Settings: ClassVar[type[StageSettings]] = TopicsSettings

    def apply(self, document: Document, parse: Doc) -> Mapping[str, list[Any]]:
        """The topics, best first, the keyphrases, best first, and, where there are no topics, why."""
        from pipeline.stages.topics.classify import TUNING, abstention, topics, weigh
        from pipeline.stages.topics.evidence import index
        from pipeline.stages.topics.keyphrases import keyphrases
        from pipeline.stages.topics.model import load

        own = index(self.settings.taxonomy, self.settings.model)
        tuning = load(self.settings.model).tuning(TUNING) if self.settings.model else TUNING
        found = own.find(document.text, weigh(document, tuning))
        sure = topics(found, own, self.settings.min_score, self.settings.max_topics, tuning)
        return {
            "topics": sure,
            "keyphrases": keyphrases(document, parse, found, self.settings.keyphrases),
            "abstentions": [] if sure else [abstention(found, own, self.settings.min_score, tuning)],
        }

    def facts(self) -> Mapping[str, str]:
        """The vocabulary of the topics, with its version."""
        from pipeline.stages.topics.vocabulary import media_topics, taxonomy

        own = self.settings.taxonomy
        return {"vocabulary": (taxonomy(own) if own else media_topics()).title}

    def resources(self) -> list[Path]:
        """The package's own files, and taxonomy and model in use. Raises :class:`UsageError` if one is not there."""
        files = super().resources()
        for setting, of in (("taxonomy", "a JSON list of topics"), ("model", "a file made by copydesk train topics")):
            if (path := getattr(self.settings, setting)) is not None:
                if not Path(path).is_file():
                    raise UsageError(f"the {setting} {path} is not a file", f"Give topics.{setting} the path of {of}")
                files.append(Path(path))
        return files
