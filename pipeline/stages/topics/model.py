"""A learned topics model as a file: JSON that a person can read, edit and keep under version control."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.errors import UsageError
from pipeline.stages.topics.classify import Tuning

FORMAT = 1


@dataclass(frozen=True)
class Learned:
    """What labelled stories taught: terms by topic, priors by top-level topic, and what evidence is worth as a score.

    ``vocabulary`` names the topics it was learned for; ``prior`` is empty where the stories were no fair sample.
    """

    vocabulary: str
    stories: int
    terms: dict[str, dict[str, float]] = field(default_factory=dict)
    prior: dict[str, float] = field(default_factory=dict)
    chance: tuple[float, ...] = Tuning.chance
    top: tuple[float, ...] = Tuning.top
    below: tuple[float, ...] = Tuning.below

    def tuning(self, start: Tuning) -> Tuning:
        """``start`` with what was learned in its place."""
        return replace(start, prior=self.prior or start.prior, chance=self.chance, top=self.top, below=self.below)

    def save(self, path: Path) -> None:
        """Write the model as JSON."""
        data = {"topics-model": FORMAT, **asdict(self)}
        path.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


@cache
def load(path: str) -> Learned:
    """Read a model that :meth:`Learned.save` wrote. Raises :class:`UsageError` where it is none."""
    try:
        data: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
        if data["topics-model"] != FORMAT:
            raise ValueError(f"it has the format {data['topics-model']!r}, and this copydesk reads {FORMAT}")
        terms = {
            str(id_): {str(term): float(weight) for term, weight in own.items()} for id_, own in data["terms"].items()
        }
        return Learned(
            vocabulary=str(data["vocabulary"]),
            stories=int(data["stories"]),
            terms=terms,
            prior={str(id_): float(value) for id_, value in data["prior"].items()},
            **{name: _numbers(data[name], len(getattr(Tuning, name))) for name in ("chance", "top", "below")},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        says = f"{error} is missing" if isinstance(error, KeyError) else error
        raise UsageError(
            f"the topics model {path} cannot be read: {says}",
            "Make one with: copydesk train topics --gold stories.jsonl",
        ) from error


def _numbers(values: Any, count: int) -> tuple[float, ...]:
    if len(values) != count:
        raise ValueError(f"{len(values)} numbers stand where {count} belong")
    return tuple(float(value) for value in values)
