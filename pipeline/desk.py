"""One process, one story at a time: the stages as a plain object, for notebooks and filters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from models.document import Document, StageRecord
from pipeline.language import Parser
from pipeline.settings import Settings, resolve
from pipeline.stage import installed, with_needs


class Desk:
    """Runs stages over documents in this process.

    >>> desk = Desk(["dates"])
    >>> document = desk(Document(id="1", text="It rained on Monday.", meta={"published": "2025-03-07"}))
    >>> [(date.text, date.value) for date in document.dates]
    [('Monday', '2025-03-03')]
    """

    def __init__(
        self, stages: Sequence[str] | None = None, settings: Settings | None = None, *, needs: bool = True
    ) -> None:
        """``stages`` by name (default: all); with ``needs`` the stages they need are run too."""
        self.settings = settings or resolve({}, "defaults")
        names = list(installed()) if stages is None else list(stages)
        ordered = with_needs(names)
        self.stages = [self.settings.stage(name) for name in ordered if needs or name in names]
        self.parser = Parser(self.settings.model, self.settings.encoder)

    def __call__(self, document: Document) -> Document:
        """Fill in the document's sections and return it. What a stage raises is raised."""
        return next(self.pipe([document]))

    def pipe(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Fill in the sections of each document, in order, bounded in memory by one batch."""
        held: list[Document] = []

        def noted() -> Iterator[Document]:
            for document in documents:
                held.append(document)
                yield document

        for parse in self.parser.parse(noted()):
            document = held.pop(0)
            for stage in self.stages:
                for section, items in stage.apply(document, parse).items():
                    setattr(document, section, items)
                document.stages = {
                    **document.stages,
                    stage.name: StageRecord(version=stage.version, model=self.parser.label, **stage.facts()),
                }
            yield document
