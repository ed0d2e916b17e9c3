"""``copydesk diff``: what is added, removed and changed between two runs over the same stories, stage by stage.

Annotations are paired by where they stand: the same range first, then the longest overlap. A pair whose boundaries or
values differ is *changed*; what has no partner is *added* or *removed*. Topics are paired by code. Ids do not count,
and neither does how sure a stage is (confidence, score, method, evidence): pairs that differ in nothing else are
*rescored* and only counted. An entity is not its id but its mentions, so a mention is changed if its entity is another.

With gold each change is judged: what it makes right is a gain, what it makes wrong a loss.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from pipeline.batch.store import PREVIOUS, Store
from pipeline.errors import UsageError
from pipeline.review.changes import SECTIONS, Change, Counts, Row, changes_of, in_context
from pipeline.review.gold import Gold, beyond, documents_of, read_gold
from pipeline.review.judge import Judge


@dataclass
class Diff:
    """What differs between two runs.

    ``stories`` were compared, ``differing`` of them have changes; ``only_old``, ``only_new`` and ``other_text`` are
    ids of stories that could not be compared.

    >>> from pipeline import diff                                               # doctest: +SKIP
    >>> diff("out", "out2").counts["dates"].changed                             # doctest: +SKIP
    12
    """

    old: Path
    new: Path
    judged: bool = False
    stories: int = 0
    differing: int = 0
    only_old: list[str] = field(default_factory=list)
    only_new: list[str] = field(default_factory=list)
    other_text: list[str] = field(default_factory=list)
    counts: dict[str, Counts] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        names = ["added", "removed", "changed", "same", "rescored", *(["gains", "losses"] if self.judged else [])]
        return {
            "old": str(self.old),
            "new": str(self.new),
            "stories": self.stories,
            "differing": self.differing,
            "only_old": self.only_old,
            "only_new": self.only_new,
            "other_text": self.other_text,
            "sections": {s: {name: getattr(c, name) for name in names} for s, c in self.counts.items()},
            "changes": [change.to_dict() for change in self.changes],
        }


def diff(
    old: str | Path,
    new: str | Path | None = None,
    *,
    gold: str | Path | None = None,
    stages: Sequence[str] | None = None,
    listed: bool = True,
) -> Diff:
    """Compare the runs ``old`` and ``new`` (folders, or files of documents), story by story, paired by id.

    Without ``new``, what the last ``rerun`` of the run ``old`` changed. ``gold`` says which changes are gains and
    which losses; ``stages`` are the only ones compared; unless ``listed`` changes are only counted. Raises
    :class:`UsageError` where one of them cannot be read.
    """
    before, after = _two(old, new)
    annotated = read_gold(gold) if gold is not None else None
    result = Diff(Path(old), Path(new if new is not None else old), judged=annotated is not None)
    wanted = _sections(stages)
    for one, other in pairs(before, after):
        if one is None or other is None:
            row = one or other or {}
            (result.only_new if one is None else result.only_old).append(str(row.get("id")))
        elif one.get("text") != other.get("text"):
            result.other_text.append(str(one["id"]))
        else:
            result.stories += 1
            result.differing += _compare(one, other, wanted, annotated, result, listed)
    order = [*SECTIONS, *sorted(set(result.counts) - set(SECTIONS))]
    result.counts = {name: result.counts[name] for name in order if name in result.counts}
    return result


def _two(old: str | Path, new: str | Path | None) -> tuple[Path, Path]:
    if new is not None:
        return documents_of(old), documents_of(new)
    after = documents_of(old)
    before = Store(Path(old)).work / PREVIOUS
    if not before.is_file():
        raise UsageError(f"{old} has not been rerun since it was made", "Name two runs: copydesk diff OLD NEW")
    return before, after


def _sections(stages: Sequence[str] | None) -> frozenset[str] | None:
    if stages is None:
        return None
    from pipeline.stage import installed, with_needs

    with_needs(list(stages))  # says so if there is no such stage
    return frozenset(section for name in stages for section in installed()[name].makes)


def pairs(old: Path, new: Path) -> Iterator[tuple[Row | None, Row | None]]:
    """Documents of two files paired by id. Lines in the same order are held one at a time."""
    waiting: tuple[dict[Any, Row], dict[Any, Row]] = ({}, {})
    same: Row = {}
    with open(old, "rb") as olds, open(new, "rb") as news:
        while True:
            lines = (olds.readline(), news.readline())
            if not any(lines):
                break
            if lines[0] == lines[1]:
                same = _row(lines[0], old)
                yield same, same
                continue
            for side, line, path in ((0, lines[0], old), (1, lines[1], new)):
                if line.strip():
                    row = _row(line, path)
                    partner = waiting[1 - side].pop(row.get("id"), None)
                    if partner is None:
                        waiting[side][row.get("id")] = row
                    else:
                        yield (row, partner) if side == 0 else (partner, row)
    for row in waiting[0].values():
        yield row, None
    for row in waiting[1].values():
        yield None, row


def _row(line: bytes, path: Path) -> Row:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise UsageError(
            f"{path} holds a line that is not JSON: {error.msg}", "Check it with: copydesk check"
        ) from None
    if not isinstance(row, dict):
        raise UsageError(f"{path} holds a line that is no document", "Check it with: copydesk check")
    return row


def _compare(old: Row, new: Row, wanted: frozenset[str] | None, gold: Gold | None, result: Diff, listed: bool) -> bool:
    annotated = gold.find(str(old.get("id"))) if gold is not None else None
    if annotated is not None and (what := beyond(annotated, len(str(old.get("text", ""))))) is not None:
        raise UsageError(f"the gold of {annotated.id!r}: {what}", "Offsets are counted in code points, from 0")
    try:
        judge = Judge(annotated, old, new) if annotated is not None else None
        changes = list(changes_of(old, new, wanted, result.counts, judge))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        cure = "Check both with: copydesk check"
        raise UsageError(f"the documents of {old.get('id')!r} are not sound: {error!r}", cure) from None
    if changes and listed:
        result.changes.extend(in_context(new, changes))
    return bool(changes)
