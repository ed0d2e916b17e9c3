"""What fuzzing found stays mended, and its targets take what is known to be hostile."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzz.fuzz import KINDS, TARGETS

HERE = Path(__file__).parent
HOSTILE = HERE.parent / "readers" / "hostile"


@pytest.mark.parametrize("find", sorted((HERE / "finds").glob("*-*")), ids=lambda p: p.name)
def test_a_find_is_handled(find: Path) -> None:
    TARGETS[find.name.split("-")[0]](find.read_bytes())


@pytest.mark.parametrize("kind", range(len(KINDS)), ids=KINDS)
def test_hostile_files_as_every_kind(kind: int) -> None:
    for path in sorted(HOSTILE.iterdir()):
        TARGETS["readers"](bytes([kind]) + path.read_bytes()[:20_000])
