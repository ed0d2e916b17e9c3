"""From terms found in a story to ranked topics.

Every term speaks for one or more topics and, through them, for the topics above. A term's say grows with the
logarithm of how often it stands in the story, and more near the top (:func:`weigh`). The 17 roots compete by the
share of the story's evidence they hold (:func:`_chance`, fitted by logistic regression); inside a root we go down
while one branch holds enough of its evidence. ``TUNING`` holds every number, see the stage's docstring.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from models.document import Topic
from pipeline.stages.topics.evidence import Found, Index, index

if TYPE_CHECKING:
    from models.document import Document
    from pipeline.stages.topics import TopicsSettings
    from pipeline.stages.topics.vocabulary import Concept


@dataclass(frozen=True)
class Tuning:
    """The numbers of the method."""

    lead_words: int = 45
    lead: float = 1.6
    top_words: int = 230
    rest: float = 0.15
    spread: float = 0.5
    prior: dict[str, float] = field(default_factory=dict)
    intercept: float = -2.0
    share: float = 6.0
    amount: float = 0.35
    ratio: float = 1.0
    descend: float = 0.35
    second: float = 0.55
    second_least: float = 3.0


TUNING = Tuning()
_EVIDENCE = 6


@dataclass
class Candidate:
    """A topic with the story's evidence for it."""

    concept: Concept
    evidence: float
    chance: float
    phrases: list[str]


def weigh(document: Document, tuning: Tuning = TUNING) -> Callable[[int, int], float]:
    """Weight of a word by its number and offset: headline and lead most, then the top, then the rest."""
    spans = [(zone.start, zone.end) for zone in document.zones if zone.kind == "headline"]
    off = [(z.start, z.end) for z in document.zones if z.kind in {"header", "byline", "credit", "embargo", "note"}]

    def weight(nth: int, offset: int) -> float:
        if off and any(start <= offset < end for start, end in off):
            return 0.0
        if spans and any(start <= offset < end for start, end in spans):
            return 2.0
        return tuning.lead if nth < tuning.lead_words else 1.0 if nth < tuning.top_words else tuning.rest

    return weight


def classify(found: list[Found], index: Index, tuning: Tuning = TUNING) -> list[Candidate]:
    """Topics the evidence supports, best first, at most two under one root."""
    concepts = index.vocabulary.concepts
    score: dict[str, float] = defaultdict(float)
    spoke: dict[str, list[tuple[float, int, str]]] = defaultdict(list)
    for item in found:
        if not item.weight:
            continue
        gain = math.log1p(item.weight) / math.log(2)
        best: dict[str, float] = {}
        for id_, vote in item.term.votes.items():
            for above in concepts[id_].path:
                best[above] = max(vote, best.get(above, 0.0))
        roots = sum(1 for id_ in best if len(concepts[id_].path) == 1)
        for id_, vote in best.items():
            say = gain * vote / roots**tuning.spread
            score[id_] += say
            spoke[id_].append((-say, item.start, item.text))
    roots_ranked = sorted(
        ((total * tuning.prior.get(id_, 1.0), id_) for id_, total in score.items() if len(concepts[id_].path) == 1),
        key=lambda pair: (-pair[0], pair[1]),
    )
    if not roots_ranked:
        return []
    whole = sum(total for total, _ in roots_ranked)
    top = roots_ranked[0][0]
    children: dict[str, list[str]] = defaultdict(list)
    for id_ in score:
        if len(concepts[id_].path) > 1:
            children[concepts[id_].path[-2]].append(id_)
    ranked: list[Candidate] = []
    for total, root in roots_ranked:
        chance = _chance(total, total / whole, total / top, tuning)
        for id_ in _down(root, score, children, tuning):
            phrases = [text for _, _, text in sorted(spoke[id_])]
            ranked.append(Candidate(concepts[id_], score[id_], chance, list(dict.fromkeys(phrases))))
    return ranked


def _chance(total: float, share: float, ratio: float, tuning: Tuning) -> float:
    """How likely a root with this evidence is rightly put on the story."""
    x = tuning.intercept + tuning.share * share + tuning.amount * math.log1p(total) + tuning.ratio * ratio
    return 1 / (1 + math.exp(-x))


def _down(root: str, score: dict[str, float], children: dict[str, list[str]], tuning: Tuning) -> list[str]:
    """Where to stop under ``root``: the best topic, and a second where it holds nearly as much."""
    reached = []
    here = root
    for _ in range(2):
        ranked = sorted(children.get(here, ()), key=lambda id_: (-score[id_], id_))
        if not ranked or score[ranked[0]] < tuning.descend * score[here]:
            break
        here = ranked[0]
    reached.append(here)
    return reached


def topics(document: Document, settings: TopicsSettings) -> list[Topic]:
    """The topics of a story that are sure enough, best first."""
    own = index(settings.taxonomy)
    chosen = classify(own.find(document.text, weigh(document)), own)
    return [
        Topic(
            qcode=c.concept.id,
            uri=c.concept.uri,
            label=c.concept.label,
            path=list(c.concept.path),
            score=round(c.chance, 3),
            evidence=c.phrases[:_EVIDENCE],
        )
        for c in chosen
        if round(c.chance, 3) >= settings.min_score
    ][: settings.max_topics]
