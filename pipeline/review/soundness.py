"""``copydesk check``: the invariants of the shared document over a whole file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson

from models.document import Document, check


def problems(path: Path) -> Iterator[tuple[int, str, list[str]]]:
    """Line number, id and faults of every document in ``path``, a JSON Lines file.

    A line that is no document has its one fault; an id used twice is a fault of the second.
    """
    seen: set[str] = set()
    with open(path, "rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                document = Document.from_json(line)
            except (orjson.JSONDecodeError, ValueError) as error:
                yield number, "?", [str(error)]
                continue
            faults = [str(problem) for problem in check(document)]
            if document.id in seen:
                faults.append("id: another document of this file has it too")
            seen.add(document.id)
            yield number, document.id, faults
