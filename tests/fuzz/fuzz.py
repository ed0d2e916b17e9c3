"""Fuzz the readers and the text stages, guided by coverage (atheris, libFuzzer).

    pip install -e '.[fuzz]'
    python tests/fuzz/fuzz.py readers -max_total_time=3600 found/readers
    python tests/fuzz/fuzz.py stages -max_total_time=3600 found/stages

The last word is a folder that grows with inputs of new coverage. The run ends at the first input that is not read,
refused with a reason or annotated soundly, and leaves it as ``crash-*``: put it in ``tests/fuzz/finds`` as
``readers-NAME`` or ``stages-NAME``, where the everyday tests read it again, and mend the fault.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

KINDS = (".txt", ".jsonl", ".nitf.xml", ".newsml.xml", ".json", ".rss", ".html", ".csv", ".anpa", ".gz", ".zip")


def readers(data: bytes) -> None:
    """Read ``data[1:]`` as a file of the kind ``data[0]`` picks: stories that are sound, or a reason."""
    from models.document import check
    from pipeline.readers import stories

    if not data:
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"story{KINDS[data[0] % len(KINDS)]}"
        path.write_bytes(data[1:])
        for found in stories([path]):
            if found.document is not None:
                assert check(found.document) == []
                assert found.document.to_json()


def stages(data: bytes) -> None:
    """Annotate ``data`` as text: every stage, and every invariant of the document."""
    from models.document import Document, check

    document = Document(id="fuzz", text=data.decode("utf-8", "replace")[:4000])
    assert check(_desk()(document)) == []


@cache
def _desk() -> Any:
    from pipeline import Desk

    return Desk()


TARGETS: dict[str, Callable[[bytes], None]] = {"readers": readers, "stages": stages}


def main() -> None:
    """Fuzz the target named first on the command line; the rest is libFuzzer's."""
    import atheris

    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"give one of {', '.join(TARGETS)}, then options of libFuzzer and a folder")
    target = TARGETS[sys.argv.pop(1)]
    with atheris.instrument_imports(include=["pipeline", "models"]):
        target(b"\x00he said on Friday")
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
