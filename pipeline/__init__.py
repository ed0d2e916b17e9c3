"""copydesk: wire copy in, structured data out.

The public API in one screen. :func:`read` gives the stories of a file or folder, not yet annotated:

>>> from pipeline import Desk, diff, export, open_run, read, rerun, run, write_report
>>> [story] = read("seeds/pti-2025-03-28-tariff-talks.txt")
>>> story.meta.agency, story.meta.place, story.meta.published
('PTI', 'New Delhi', '2025-03-28')

A :class:`Desk` runs the stages over one story in this process; in a notebook the document shows itself, marked up:

>>> desk = Desk()
>>> document = desk(story)
>>> {date.text: date.value for date in document.dates}["April 2"]
'2025-04-02'
>>> names = {said.quote: said.name for said in document.attributions}
>>> {names.get(q.id) for q in document.quotes if "touched on" in document.text[q.start : q.end]}
{'Ministry of External Affairs'}

:func:`run` is the batch: worker processes, a folder that can be stopped, gone on with and read again:

>>> result = run(["samples/stories/desk.jsonl"], "out")
>>> result.found, result.ok, result.failed
(3, 3, 0)
>>> [document.id for document in open_run("out").documents()]
['desk-20250616-001', 'desk-20250616-002', 'desk-20250616-003']

:func:`rerun` does one stage of it again over the kept parses, here with another setting and as a run of its own, and
:func:`diff` tells what changed:

>>> rerun("quotes", "out", assignments=["quotes.min_confidence=1.0"], new="out2").made
('quotes', 'attribution')
>>> found = diff("out", "out2")
>>> found.stories, found.counts["quotes"].removed > 0, found.counts["entities"].removed
(3, True, 0)

:func:`write_report` makes one page of a run, to search and read in a browser; it returns the number of its stories:

>>> write_report(open_run("out"), "report.html")
3

:func:`export` writes a run for other programs: tables, a database, standoff, ninjs, tasks to correct:

>>> export("out", "out.db", "sqlite")
3

Names are imported at first use, so that ``import pipeline`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.document import Document, check
    from pipeline.batch.run import Run, open_run, rerun, run, run_shards
    from pipeline.desk import Desk
    from pipeline.readers import read
    from pipeline.review.diff import diff
    from pipeline.review.evaluate import evaluate
    from pipeline.review.report import write_report
    from pipeline.review.sweep import sweep
    from pipeline.settings import Settings
    from pipeline.stage import Stage, StageSettings
    from pipeline.writers import export

__all__ = [
    "Desk",
    "Document",
    "Run",
    "Settings",
    "Stage",
    "StageSettings",
    "check",
    "diff",
    "evaluate",
    "export",
    "open_run",
    "read",
    "rerun",
    "run",
    "run_shards",
    "sweep",
    "write_report",
]

_HOMES = {
    "Desk": "pipeline.desk",
    "Document": "models.document",
    "check": "models.document",
    "Run": "pipeline.batch.run",
    "open_run": "pipeline.batch.run",
    "rerun": "pipeline.batch.run",
    "run": "pipeline.batch.run",
    "run_shards": "pipeline.batch.run",
    "read": "pipeline.readers",
    "diff": "pipeline.review.diff",
    "evaluate": "pipeline.review.evaluate",
    "export": "pipeline.writers",
    "sweep": "pipeline.review.sweep",
    "write_report": "pipeline.review.report",
    "Settings": "pipeline.settings",
    "Stage": "pipeline.stage",
    "StageSettings": "pipeline.stage",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'pipeline' has no attribute {name!r}")
