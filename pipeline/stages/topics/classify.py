"""From terms found in a story to ranked topics.

Every term speaks for one or more topics and, through them, for the topics above. A term's say grows with the
logarithm of how often it stands in the story, and more near the top (:func:`weigh`). The 17 roots compete by the
share of the story's evidence they hold (:func:`_chances`, fitted by logistic regression); inside a root we go down
while one branch holds enough of its evidence (:func:`_down`), and how sure each topic on the way is tells where to
stop (:func:`classify`). ``TUNING`` holds every number, see the stage's docstring.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from models.document import Abstention, Topic
from pipeline.stages.topics.evidence import Found, Index
from pipeline.stages.topics.words import tokens

if TYPE_CHECKING:
    from models.document import Document
    from pipeline.stages.topics.vocabulary import Concept, Vocabulary


@dataclass(frozen=True)
class Tuning:
    """The numbers of the method. ``prior`` is by root and empty for a newsroom's own taxonomy."""

    headline: float = 2.5
    lead_words: int = 23
    lead: float = 2.6
    top_words: int = 180
    rest: float = 0.28
    spread: float = 0.2
    slope: float = 2.05
    prior: dict[str, float] = field(default_factory=dict)
    chance: tuple[float, ...] = (0.32, 0.98, 0.76)
    top: tuple[float, ...] = (-0.35, 1.3)
    below: tuple[float, ...] = (-1.96, 1.69, -0.28, 0.99, 1.07)
    descend: float = 0.22
    second: float = 0.35
    second_least: float = 3.0
    enough: float = 1.0


_PRIOR = {
    "medtop:01000000": -0.65,  # arts, culture, entertainment and media
    "medtop:02000000": 0.75,  # crime, law and justice
    "medtop:03000000": -0.3,  # disaster, accident
    "medtop:04000000": -0.46,  # economy, business and finance
    "medtop:05000000": -0.94,  # education
    "medtop:06000000": -0.38,  # environment
    "medtop:07000000": -0.11,  # health
    "medtop:08000000": 0.4,  # human interest
    "medtop:09000000": 0.18,  # labour
    "medtop:10000000": -0.35,  # lifestyle and leisure
    "medtop:11000000": 1.3,  # politics and government
    "medtop:12000000": 0.19,  # religion
    "medtop:13000000": 0.43,  # science and technology
    "medtop:14000000": 0.24,  # society
    "medtop:15000000": 0.22,  # sport
    "medtop:16000000": -0.13,  # conflict, war and peace
    "medtop:17000000": 0.01,  # weather
}
"""How readily desks put each root on a story, given equal evidence; shrunk logistic regression."""

TUNING = Tuning(prior=_PRIOR)
_EVIDENCE = 6
_FURNITURE = frozenset({"header", "byline", "credit", "embargo", "note"})


@dataclass
class Candidate:
    """A topic with the story's evidence for it."""

    concept: Concept
    evidence: float
    chance: float
    phrases: list[str]
    top: float


@dataclass
class Gathered:
    """A story's evidence by topic, ancestors included, and the terms behind it, each with its (negative) say."""

    score: dict[str, float]
    spoke: dict[str, list[tuple[float, int, str]]]


def weigh(document: Document, tuning: Tuning = TUNING) -> Callable[[int, int], float]:
    """Weight of a word by its number and offset: headline and lead most, then the top, then the rest."""
    headlines = [(zone.start, zone.end) for zone in document.zones if zone.kind == "headline"]
    furniture = [
        (zone.start, zone.end, sum(1 for _ in tokens(document.text[zone.start : zone.end])))
        for zone in document.zones
        if zone.kind in _FURNITURE
    ]

    def weight(nth: int, offset: int) -> float:
        for start, end, words in furniture:
            if start <= offset < end:
                return 0.0
            if end <= offset:
                nth -= words
        if headlines and any(start <= offset < end for start, end in headlines):
            return tuning.headline
        return tuning.lead if nth < tuning.lead_words else 1.0 if nth < tuning.top_words else tuning.rest

    return weight


def gather(found: list[Found], index: Index, tuning: Tuning = TUNING) -> Gathered:
    """What the terms found say for each topic and the topics above it."""
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
        heads = sum(1 for id_ in best if len(concepts[id_].path) == 1)
        for id_, vote in best.items():
            say = gain * vote / heads**tuning.spread
            score[id_] += say
            spoke[id_].append((-say, item.start, item.text))
    return Gathered(score, spoke)


def classify(found: list[Found], index: Index, tuning: Tuning = TUNING, least: float = 0.0) -> list[Candidate]:
    """Topics the evidence supports, best first, at most two under one root.

    Branches come in the order of their roots' chances. Of a branch the deepest topic that is as sure as ``least`` is
    given; a topic is never surer than the one above it, nor than the one before it.
    """
    concepts = index.vocabulary.concepts
    gathered = gather(found, index, tuning)
    ranked: dict[str, Candidate] = {}
    before = 1.0
    for reached in reach(gathered, index.vocabulary, tuning):
        top = _sigmoid(dot(tuning.top, reached.top))
        if top < least:
            continue
        id_, chance = reached.path[0], top
        for below, facts in zip(reached.path[1:], reached.below, strict=True):
            sure = min(chance, _sigmoid(dot(tuning.below, facts)))
            if sure < least:
                break
            id_, chance = below, sure
        if any(id_ in other.concept.path for other in ranked.values()):
            continue
        before = min(before, chance)
        phrases = [text for _, _, text in sorted(gathered.spoke[id_])]
        ranked[id_] = Candidate(concepts[id_], gathered.score[id_], before, list(dict.fromkeys(phrases)), top)
    return list(ranked.values())


@dataclass(frozen=True)
class Reached:
    """A topic that a story's evidence leads to, with what says how sure its root and each topic below it are.

    ``top``: 1 and the log odds of the root. ``below``, for each topic of the path after the root: 1, the logarithm of
    the root's chance, whether it is the root's second topic, its share of the root's evidence, and the logarithm of
    one and its evidence.
    """

    path: tuple[str, ...]
    top: tuple[float, ...]
    below: tuple[tuple[float, ...], ...]


def reach(gathered: Gathered, vocabulary: Vocabulary, tuning: Tuning = TUNING) -> list[Reached]:
    """The topics that the evidence leads to, those of the likeliest root first."""
    concepts, score = vocabulary.concepts, gathered.score
    children: dict[str, list[str]] = defaultdict(list)
    for id_ in score:
        if len(concepts[id_].path) > 1:
            children[concepts[id_].path[-2]].append(id_)
    found = []
    for chance, root in _chances({id_: score[id_] for id_ in score if len(concepts[id_].path) == 1}, tuning):
        odds = math.log(max(chance, 1e-6) / max(1 - chance, 1e-6))
        for nth, leaf in enumerate(_down(root, score, children, tuning)):
            path = concepts[leaf].path
            below = tuple(
                (1.0, math.log(max(chance, 1e-4)), float(nth), score[id_] / score[root], math.log1p(score[id_]))
                for id_ in path[1:]
            )
            found.append((-chance, nth, Reached(path, (1.0, odds), below)))
    return [reached for _, _, reached in sorted(found, key=lambda row: row[:2])]


def dot(weights: tuple[float, ...], facts: tuple[float, ...]) -> float:
    """Weighted sum."""
    return sum(weight * fact for weight, fact in zip(weights, facts, strict=True))


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def shares(totals: Mapping[str, float], tuning: Tuning) -> dict[str, float]:
    """Logarithm of the share of the evidence, priors counted, that each top-level topic holds."""
    if not totals:
        return {}
    says = {id_: tuning.slope * math.log1p(total) + tuning.prior.get(id_, 0.0) for id_, total in totals.items()}
    top = max(says.values())
    whole = top + math.log(sum(math.exp(say - top) for say in says.values()))
    return {id_: say - whole for id_, say in says.items()}


def _chances(totals: Mapping[str, float], tuning: Tuning) -> list[tuple[float, str]]:
    """How likely each top-level topic is rightly put on the story, best first."""
    base, by_share, by_amount = tuning.chance
    ranked = []
    for id_, share in shares(totals, tuning).items():
        x = base + by_share * share + by_amount * math.log1p(totals[id_])
        enough = 1 - math.exp(-totals[id_] / tuning.enough)
        ranked.append((enough / (1 + math.exp(-x)), share, id_))
    return [(chance, id_) for chance, _, id_ in sorted(ranked, key=lambda r: (-r[1], r[2]))]


def _down(root: str, score: dict[str, float], children: dict[str, list[str]], tuning: Tuning) -> list[str]:
    """Where to stop under ``root``: the best topic, and a second where it holds nearly as much."""
    below = [id_ for child in children.get(root, ()) for id_ in (children.get(child) or [child])]
    below.sort(key=lambda id_: (-score[id_], id_))
    best = root
    while level := sorted(children.get(best, ()), key=lambda id_: (-score[id_], id_)):
        if best != root and best not in children[root]:
            break
        if score[level[0]] < tuning.descend * score[best]:
            break
        best = level[0]
    reached = [best]
    for id_ in below:
        if id_ != best and best != root and id_ not in children.get(best, ()):
            if score[id_] >= max(tuning.second * score[best], tuning.second_least):
                reached.append(id_)
            break
    return reached


def topics(found: list[Found], own: Index, least: float, most: int, tuning: Tuning = TUNING) -> list[Topic]:
    """The topics of a story that are sure enough, best first."""
    return [
        Topic(
            qcode=c.concept.id,
            uri=c.concept.uri,
            label=c.concept.label,
            path=list(c.concept.path),
            score=round(c.chance, 3),
            evidence=c.phrases[:_EVIDENCE],
        )
        for c in classify(found, own, tuning, least)
    ][:most]


def abstention(found: list[Found], own: Index, least: float, tuning: Tuning = TUNING) -> Abstention:
    """Why a story has no topic, and the best it nearly had."""
    best = next(iter(classify(found, own, tuning)), None)
    if best is None:
        return Abstention(section="topics", reason="no term of any topic was found")
    root, score = own.vocabulary.concepts[best.concept.path[0]], round(best.top, 3)
    return Abstention(
        section="topics",
        reason=f"no topic is as sure as {least:g}; the likeliest, {root.label}, has {score:g}"
        if best.top < least
        else "no more than 0 topics are wanted",
        qcode=root.id,
        label=root.label,
        score=score,
    )
