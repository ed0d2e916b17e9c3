"""Learning topics from labelled stories: terms that speak for them, how often each is used, and what scores mean.

Stories are pairs of a document and its topics, the main one first. What comes out is a :class:`Learned`, plain data
that a person can read and edit:

* terms: words and pairs of words of the stories, in lower case there, that stand in a topic's stories far more often
  than in others and in news at large (log odds, as in Monroe et al. 2008), at a strength chosen by cross validation;
* priors: how readily each top-level topic is used, given equal evidence (multinomial logistic regression with the
  evidence as offset, drawn towards the numbers it began with);
* chances: what share and amount of evidence say of a topic being right (logistic regression).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from pipeline.stages.topics.classify import TUNING, Gathered, Tuning, classify, gather, reach, shares, weigh
from pipeline.stages.topics.evidence import Index, frequencies, idf, index_of
from pipeline.stages.topics.model import Learned
from pipeline.stages.topics.vocabulary import Vocabulary
from pipeline.stages.topics.words import stem, tokens

if TYPE_CHECKING:
    from models.document import Document

Labelled = tuple["Document", Sequence[str]]
STRENGTHS = (0.0, 0.4, 0.8)
"""Weights of learned terms that are tried; 0 keeps the lexicon as it is."""
_WORDS = 250
_COMMON = 0.22
_LEAST_STORIES = 2
_LEAST_ODDS = 1.6
_STRONGEST = 1.6


@dataclass(frozen=True)
class Scores:
    """How topics fared on labelled stories: the first one's top level, sets of top levels, sets with all ancestors."""

    stories: int
    primary: float
    level1: float
    hierarchical: float


@dataclass(frozen=True)
class Band:
    """Topics with a score of ``low`` and more, below ``high``: how many, and their mean score.

    ``right`` are those that are among the story's topics or above one; ``branch`` those whose branch (the level below
    the top, or the topic itself where it is at the top) is.
    """

    low: float
    high: float
    topics: int
    right: int
    branch: int
    mean: float


@dataclass(frozen=True)
class Training:
    """What :func:`train` gives: the model, and figures on stories each fold had not seen, before and after."""

    learned: Learned
    before: Scores
    after: Scores
    bands: list[Band]


def train(
    stories: Sequence[Labelled], vocabulary: Vocabulary, *, priors: bool = True, folds: int = 5, least: float = 0.37
) -> Training:
    """Learn from ``stories`` what cross validation finds to be a gain: terms at one of :data:`STRENGTHS`, and numbers.

    Set ``priors`` only where the stories are a fair sample of what comes in. Raises ``ValueError`` where a topic is
    not in ``vocabulary`` or there are fewer than two stories a fold.
    """
    stories = [(document, _live(topics, vocabulary)) for document, topics in stories]
    if len(stories) < 2 * folds:
        raise ValueError(f"{len(stories)} labelled stories are too few to learn from; {2 * folds} is the least")
    plain = index_of(vocabulary)
    start = TUNING
    parts = [
        (
            [s for n, s in enumerate(stories) if n % folds != fold],
            [s for n, s in enumerate(stories) if n % folds == fold],
        )
        for fold in range(folds)
    ]
    before = _predicted(stories, plain, start, least)
    tried = []
    for strength, numbers in ((s, n) for s in STRENGTHS for n in (False, True)):
        predicted: list[_Story] = []
        for seen, rest in parts:
            learned = _learn(seen, plain, start, strength, numbers, priors)
            predicted += _predicted(rest, index_of(vocabulary, learned.terms), learned.tuning(start), least)
        scores = _scores(predicted, vocabulary)
        # Of equals the one that changes least.
        tried.append((scores.primary + scores.level1 + scores.hierarchical, -strength, not numbers, scores, predicted))
    _, strength, plainly, after, unseen = max(tried, key=lambda row: row[:3])
    return Training(
        _learn(stories, plain, start, -strength, not plainly, priors),
        _scores(before, vocabulary),
        after,
        calibration(unseen, vocabulary),
    )


_Story = tuple[Sequence[str], list[tuple[str, float]]]
"""Right topics of a story, and those found with their scores, best first."""


def calibration(
    stories: Iterable[_Story], vocabulary: Vocabulary, edges: Sequence[float] = (0.2, 0.4, 0.6, 0.8, 1.0)
) -> list[Band]:
    """How many topics in each band of scores are right, surest band first. Stories are right topics and found ones."""
    rows = []
    for right, found in stories:
        closed = _closed(right, vocabulary)
        for id_, score in found:
            branch = vocabulary.concepts[id_].path[:2][-1] if id_ in vocabulary.concepts else id_
            rows.append((score, id_ in closed, branch in closed))
    bands = []
    for low, high in reversed(list(pairwise(edges))):
        inside = [row for row in rows if low <= row[0] and (row[0] < high or high == edges[-1])]
        mean = sum(score for score, _, _ in inside) / len(inside) if inside else 0.0
        right_ones, branches = sum(row[1] for row in inside), sum(row[2] for row in inside)
        bands.append(Band(low, high, len(inside), right_ones, branches, round(mean, 3)))
    return bands


def _live(topics: Sequence[str], vocabulary: Vocabulary) -> list[str]:
    live = []
    for id_ in topics:
        concept = vocabulary.find(id_)
        if concept is None:
            raise ValueError(f"there is no topic {id_!r} in {vocabulary.name}")
        live.append(concept.id)
    return list(dict.fromkeys(live))


def _predicted(stories: Sequence[Labelled], index: Index, tuning: Tuning, least: float) -> list[_Story]:
    found = []
    for document, topics in stories:
        ranked = classify(index.find(document.text, weigh(document, tuning)), index, tuning, least)
        found.append((topics, [(c.concept.id, c.chance) for c in ranked]))
    return found


def _scores(stories: Sequence[_Story], vocabulary: Vocabulary, most: int = 4) -> Scores:
    right_first = 0
    levels, trees = Counter[str](), Counter[str]()
    for right, ranked in stories:
        found = [id_ for id_, _ in ranked[:most]]
        top = [vocabulary.concepts[id_].path[0] for id_ in found]
        gold = [vocabulary.concepts[id_].path[0] for id_ in right]
        right_first += bool(top and gold and top[0] == gold[0])
        for counts, ours, theirs in (
            (levels, set(top), set(gold)),
            (trees, _closed(found, vocabulary), _closed(right, vocabulary)),
        ):
            counts.update(both=len(ours & theirs), ours=len(ours), theirs=len(theirs))
    f = [2 * c["both"] / max(c["ours"] + c["theirs"], 1) for c in (levels, trees)]
    return Scores(len(stories), round(right_first / max(len(stories), 1), 4), round(f[0], 4), round(f[1], 4))


def _closed(ids: Iterable[str], vocabulary: Vocabulary) -> set[str]:
    return {above for id_ in ids for above in vocabulary.concepts[id_].path}


def _learn(
    stories: Sequence[Labelled], plain: Index, start: Tuning, strength: float, numbers: bool, priors: bool
) -> Learned:
    terms = _terms(stories, strength) if strength else {}
    if not numbers:
        return Learned(plain.vocabulary.title, len(stories), terms)
    index = index_of(plain.vocabulary, terms)
    tuning = start
    gathered = [gather(index.find(d.text, weigh(d, tuning)), index, tuning) for d, _ in stories]
    roots = [
        ({id_: total for id_, total in g.score.items() if len(plain.vocabulary.concepts[id_].path) == 1}, topics)
        for g, (_, topics) in zip(gathered, stories, strict=True)
    ]
    if priors:
        tuning = replace(tuning, prior=_priors(roots, plain.vocabulary, tuning))
    tuning = replace(tuning, chance=_chance(roots, plain.vocabulary, tuning))
    top, below = _sureness(gathered, [topics for _, topics in stories], plain.vocabulary, tuning)
    return Learned(
        vocabulary=plain.vocabulary.title,
        stories=len(stories),
        terms=terms,
        prior=tuning.prior if priors else {},
        chance=tuning.chance,
        top=top,
        below=below,
    )


def _terms(stories: Sequence[Labelled], strength: float) -> dict[str, dict[str, float]]:
    """Terms by topic with their weights."""
    spoken = [dict(_phrases(document)) for document, _ in stories]
    everywhere = Counter(key for phrases in spoken for key in phrases)
    inside: dict[str, Counter[str]] = defaultdict(Counter)
    sizes = Counter[str]()
    for phrases, (_, topics) in zip(spoken, stories, strict=True):
        for topic in topics:
            inside[topic].update(phrases.keys())
            sizes[topic] += 1
    forms: dict[str, str] = {}
    for phrases in spoken:
        for key, form in phrases.items():
            forms.setdefault(key, form)
    read, _ = frequencies()
    found: dict[str, dict[str, float]] = {}
    for topic in sorted(inside):
        if sizes[topic] < _LEAST_STORIES:
            continue
        speaking = {}
        for key, count in inside[topic].items():
            if count < _LEAST_STORIES:
                continue
            here = (count + 0.5) / (sizes[topic] + 1)
            rest = everywhere[key] - count + _known(key)
            there = (rest + 0.5) / (len(stories) - sizes[topic] + read + 1)
            odds = math.log(here / (1 - min(here, 0.95))) - math.log(there)
            # Half a topic's stories may share a word by chance where there are two of them.
            sure = odds / math.sqrt(1 / count + 1 / (rest + 1))
            if odds >= _LEAST_ODDS and sure >= 2:
                speaking[forms[key]] = round(min(_STRONGEST, 0.3 * odds) * strength, 3)
        if speaking:
            found[topic] = dict(sorted(speaking.items()))
    return found


def _known(key: str) -> float:
    """In how many stories read before a stem stood; of a pair, as many as if its words met by chance."""
    read, counts = frequencies()
    share = 1.0
    for part in key.split():
        share *= counts.get(part, 2) / read
    return share * read


def _phrases(document: Document) -> Iterator[tuple[str, str]]:
    """Words and pairs of words of the top of the story, by stem: in lower case, not too common, no furniture."""
    weight = weigh(document)
    before: tuple[str, str] | None = None
    for nth, (offset, form) in enumerate(tokens(document.text)):
        if nth >= _WORDS:
            return
        key = stem(form)
        if not form.isalpha() or not form.islower() or len(form) < 3 or idf(key) < _COMMON or not weight(nth, offset):
            before = None
            continue
        yield key, form
        if before is not None:
            yield f"{before[0]} {key}", f"{before[1]} {form}"
        before = key, form


def _priors(
    stories: Sequence[tuple[Mapping[str, float], Sequence[str]]], vocabulary: Vocabulary, tuning: Tuning
) -> dict[str, float]:
    """Priors of the top-level topics by gradient steps, drawn towards those in ``tuning``."""
    roots = [id_ for id_, concept in vocabulary.concepts.items() if len(concept.path) == 1]
    at = {id_: n for n, id_ in enumerate(roots)}
    said = np.full((len(stories), len(roots)), -6.0)
    right = np.zeros((len(stories), len(roots)))
    for row, (totals, topics) in enumerate(stories):
        for id_, total in totals.items():
            said[row, at[id_]] = tuning.slope * math.log1p(total)
        heads = list(dict.fromkeys(vocabulary.concepts[id_].path[0] for id_ in topics))
        for n, id_ in enumerate(heads):
            right[row, at[id_]] = (1.0 if len(heads) == 1 else 0.7) if n == 0 else 0.3 / (len(heads) - 1)
    begun = np.array([tuning.prior.get(id_, 0.0) for id_ in roots])
    prior = begun.copy()
    for _ in range(200):
        z = said + prior
        p = np.exp(z - z.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        prior -= 0.5 * ((p - right).sum(0) + 3.0 * (prior - begun)) / (3.0 + (p * (1 - p)).sum(0))
    return {id_: round(float(prior[n]), 3) for id_, n in at.items()}


def _chance(
    stories: Sequence[tuple[Mapping[str, float], Sequence[str]]], vocabulary: Vocabulary, tuning: Tuning
) -> tuple[float, ...]:
    rows, right = [], []
    for totals, topics in stories:
        heads = {vocabulary.concepts[id_].path[0] for id_ in topics}
        for id_, share in shares(totals, tuning).items():
            rows.append([1.0, share, math.log1p(totals[id_])])
            right.append(id_ in heads)
    return _logistic(rows, right, tuning.chance)


def _sureness(
    gathered: Sequence[Gathered], right: Sequence[Sequence[str]], vocabulary: Vocabulary, tuning: Tuning
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Weights of what says how sure a top-level topic and one below it are."""
    tops: list[tuple[float, ...]] = []
    belows: list[tuple[float, ...]] = []
    top_right: list[bool] = []
    below_right: list[bool] = []
    for evidence, topics in zip(gathered, right, strict=True):
        closed = _closed(topics, vocabulary)
        for reached in reach(evidence, vocabulary, tuning):
            belows += reached.below
            below_right += [id_ in closed for id_ in reached.path[1:]]
            if not reached.below or not reached.below[0][2]:
                tops.append(reached.top)
                top_right.append(reached.path[0] in closed)
    return _logistic(tops, top_right, tuning.top), _logistic(belows, below_right, tuning.below)


def _logistic(rows: Sequence[Sequence[float]], right: Sequence[bool], start: tuple[float, ...]) -> tuple[float, ...]:
    """Logistic regression by Newton steps, drawn a little towards ``start``."""
    if not rows:
        return start
    x, y, begun = np.array(rows, float), np.array(right, float), np.array(start)
    w = begun.copy()
    for _ in range(30):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        gradient = x.T @ (p - y) + (w - begun)
        hessian = (x * (p * (1 - p))[:, None]).T @ x + np.eye(len(w))
        w -= np.linalg.solve(hessian, gradient)
    return tuple(round(float(value), 3) for value in w)
