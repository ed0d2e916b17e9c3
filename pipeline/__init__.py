"""copydesk: wire copy in, structured data out.

The public API in one screen::

    from pipeline import open_run, read, run

    for document in read("stories/misri.txt"):        # a file or folder, read but not yet annotated
        print(document.meta.agency, document.meta.published)

    run(["stories/"], "out")                          # every stage over every story
    for document in open_run("out").documents():
        for quote, said in zip(document.quotes, document.attributions):
            print(said.name, ":", document.text[quote.start:quote.end])

Names are imported at first use, so that ``import pipeline`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.document import Document, check
    from pipeline.batch.run import Run, open_run, rerun, run
    from pipeline.desk import Desk
    from pipeline.readers import read
    from pipeline.settings import Settings
    from pipeline.stage import Stage, StageSettings

__all__ = [
    "Desk",
    "Document",
    "Run",
    "Settings",
    "Stage",
    "StageSettings",
    "check",
    "open_run",
    "read",
    "rerun",
    "run",
]

_HOMES = {
    "Desk": "pipeline.desk",
    "Document": "models.document",
    "check": "models.document",
    "Run": "pipeline.batch.run",
    "open_run": "pipeline.batch.run",
    "rerun": "pipeline.batch.run",
    "run": "pipeline.batch.run",
    "read": "pipeline.readers",
    "Settings": "pipeline.settings",
    "Stage": "pipeline.stage",
    "StageSettings": "pipeline.stage",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'pipeline' has no attribute {name!r}")
