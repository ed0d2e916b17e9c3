"""Which actor a pronoun or a noun phrase stands for: a log-linear choice among the actors in reach and nobody.

Each candidate, and nobody, is a handful of named features; ``models/references/weights.tsv`` gives a weight to each,
by family of anaphor, fitted on annotated Wikinews (``models/references/card.md``). The softmax over the sums is the
confidence (Denis and Baldridge 2008, mention ranking).
"""

from __future__ import annotations

import math
from functools import cache
from importlib.resources import files

from pipeline.stages.entities.anaphors import Anaphor, modifiers
from pipeline.stages.entities.story import Actor, Story

_LABELS: dict[str, frozenset[str]] = {
    "he": frozenset(("PERSON",)),
    "who": frozenset(("PERSON",)),
    "it": frozenset(("ORG", "GPE", "LOC", "FAC", "PRODUCT", "EVENT", "WORK_OF_ART")),
    "they": frozenset(("ORG", "NORP")),
    "we": frozenset(("ORG", "GPE", "NORP")),
    "person": frozenset(("PERSON",)),
    "body": frozenset(("ORG", "GPE", "FAC", "NORP")),
    "place": frozenset(("GPE", "LOC", "FAC", "ORG")),
    "named": frozenset(("ORG", "GPE", "LOC", "FAC", "EVENT", "PRODUCT", "WORK_OF_ART", "LAW")),
}
_REACH = {"he": 6, "it": 2, "they": 3, "who": 0}
"""Sentences a pronoun looks back over; noun phrases look back over the whole story."""
_MOST = 10
"""Candidates weighed, the last spoken of first."""
_BUCKETS = ((0, "0"), (1, "1"), (2, "2"), (4, "4"), (9, "9"))


def candidates(story: Story, anaphor: Anaphor) -> list[Actor]:
    """Actors the anaphor may stand for, the last spoken of first."""
    labels, here = _LABELS.get(anaphor.family, frozenset()), story.sentence[anaphor.i]
    reach = _REACH.get(anaphor.family, 1000)
    owner = story.inside.get(anaphor.owner, -1) if anaphor.owner is not None else -1
    told = story.told_of(anaphor.i) if anaphor.family == "he" else frozenset()
    found = []
    for actor in story.actors:
        if actor.label not in labels or not actor.places or actor.index == owner or actor.index in told:
            continue
        if anaphor.gender and actor.gender and actor.gender != anaphor.gender:
            continue
        if here - actor.places[-1].sentence <= reach:
            found.append(actor)
    found.sort(key=lambda actor: -actor.places[-1].i)
    if anaphor.pronoun or len(found) <= _MOST:
        return found[:_MOST]
    noun = story.lower[anaphor.head]
    alike = [actor for actor in found[_MOST:] if noun in actor.nouns or noun in actor.words]
    return found[:_MOST] + alike


def _nearest(story: Story, anaphor: Anaphor, actors: list[Actor], part: str) -> int | None:
    """Actor a plain rule would pick: of those in the last sentence that has any, the subject, else the nearest."""
    here = story.sentence[anaphor.i]
    close = [(p, a.index) for a in actors for p in a.places[-4:] if here - p.sentence <= 3]
    if not close:
        return None
    last = max(p.sentence for p, _ in close)
    close = sorted(((p, n) for p, n in close if p.sentence == last), key=lambda pair: pair[0].i)
    if last == here and part != "subject":
        return close[-1][1]
    subjects = [n for p, n in close if p.part == "subject"]
    if not subjects:
        return close[-1][1]
    return subjects[-1] if last == here else subjects[0]


def _bucket(n: int) -> str:
    return next((name for limit, name in _BUCKETS if n <= limit), "x")


def features(story: Story, anaphor: Anaphor, actors: list[Actor], seen: Seen) -> list[list[str]]:
    """Features of nobody, then of each of ``actors``."""
    here = story.sentence[anaphor.i]
    quote = story.quote[anaphor.i]
    part, _ = story.part(anaphor.i, anaphor.j)
    rows: list[list[str]] = []
    most = max((len(actor.places) for actor in actors), default=0)
    top = max((actor.subject for actor in actors), default=-1)
    noun = story.lower[anaphor.head]
    mods = [] if anaphor.pronoun else modifiers(story, anaphor)
    phrase = " ".join([*mods, noun])
    matched = 0
    subject_here = False
    picked = _nearest(story, anaphor, actors, part) if anaphor.pronoun else None
    clause = story.clause(anaphor.i)
    kin = [] if anaphor.pronoun else [a for a in actors if _kind(anaphor, noun, a)]
    chief = max(kin, key=lambda a: (a.total, -a.places[0].i), default=None)
    first = kin[0] if kin else None
    holders = [a for a in actors if noun in a.nouns or noun in a.words]
    for rank, actor in enumerate(actors):
        last = actor.places[-1]
        near = _bucket(here - last.sentence)
        row = [f"d{near}", f"is{actor.label}", f"r{min(rank, 3)}"]
        if anaphor.pronoun:
            row += [
                f"n{min(len(actor.places), 5)}",
                f"last={last.kind}",
                f"d{min(here - last.sentence, 2)}{last.part}",
                f"part={part}>{last.part}" if here - last.sentence <= 1 else "far",
            ]
            if actor.subject >= 0 and actor.subject == top and here - top <= 3:
                row.append("top subject")
                subject_here |= top == here
        if len(actor.places) == most and most > 1:
            row.append("main")
        if actor.places[0].sentence <= 2:
            row.append("lede")
        if anaphor.gender:
            row.append("gender known" if actor.gender else "gender open")
        if actor.index == story.last_said:
            row.append("last said")
        if actor.index == picked:
            row.append("nearest")
        if any(p.sentence == here and p.part == "subject" and story.clause(p.i) == clause for p in actor.places[-3:]):
            row.append("own clause poss" if part == "poss" else "own clause")
        if quote >= 0:
            row.append("said in here" if story.quote[last.i] == quote else "said out there")
        elif story.quote[last.i] >= 0:
            row.append("out of a quote")
        if not anaphor.pronoun:
            hit = noun in actor.nouns
            word = noun in actor.words
            if hit:
                row.append("noun known")
            elif actor.nouns:
                row.append("other nouns")
            if word:
                row.append("noun in name")
            elif actor.label == "ORG" and anaphor.family in ("body", "named"):
                row.append("noun not in name")
            if hit or word:
                matched += 1
                row.append("only with noun" if len(holders) == 1 else "with noun")
                if actor is holders[0]:
                    row.append("last with noun")
            if actor in kin:
                row.append("of kind")
                if len(kin) == 1:
                    row.append("only of kind")
                if actor is chief:
                    row.append("chief of kind")
                if actor is first:
                    row.append("last of kind")
            if any(
                role == phrase or role.endswith(" " + phrase) or role.startswith(phrase + " of ")
                for role in actor.roles
            ):
                row.append("role")
            if mods and any(word in actor.words for word in mods):
                row.append("modifier in name")
            if anaphor.family == "place":
                row.append(f"{_place_kind(noun)}/{'country' if actor.country else actor.label}")
            if anaphor.family == "body":
                row.append(
                    f"{_body_kind(noun)}/{'company' if actor.company else 'country' if actor.country else actor.label}"
                )
            if anaphor.form == "own" and anaphor.owner is not None and seen.by_token.get(anaphor.owner) == actor.index:
                row.append("owner")
        rows.append(row)
    rows.insert(0, _nobody(story, anaphor, len(actors), matched, subject_here, part, seen))
    return rows


def _kind(anaphor: Anaphor, noun: str, actor: Actor) -> bool:
    """Whether an actor is, as far as its name tells, such a thing as the noun says."""
    if anaphor.family == "place":
        kind = _place_kind(noun)
        if kind == "country":
            return actor.country
        if kind in ("city", "region"):
            return actor.label in ("GPE", "LOC") and not actor.country
        return actor.label in ("FAC", "LOC", "ORG") and noun in actor.words
    if anaphor.family == "body":
        kind = _body_kind(noun)
        if kind == "state":
            return noun in actor.words or actor.country
        if kind in ("company", "group", "team"):
            return actor.label == "ORG"
        return noun in actor.words
    if anaphor.family == "person":
        return not actor.gender or not anaphor.gender or actor.gender == anaphor.gender
    return noun in actor.words


def _nobody(
    story: Story, anaphor: Anaphor, count: int, matched: int, subject: bool, part: str, seen: Seen
) -> list[str]:
    noun, here = story.lower[anaphor.head], story.sentence[anaphor.i]
    row = ["none", f"none {anaphor.form}", f"none n{min(count, 3)}"]
    if story.quote[anaphor.i] >= 0:
        row.append("none quoted")
    if subject:
        row.append("none subject")
    if anaphor.pronoun:
        if part == "poss":
            row.append("none poss")
        if anaphor.family == "it" and _pleonastic(story, anaphor.i):
            row.append("none pleonastic")
        if anaphor.family == "he" and here - seen.person <= 1:
            row.append("none person")
        if anaphor.family == "they" and here - seen.plural <= 1:
            row.append("none plural")
        if anaphor.family == "it" and here - seen.thing <= 1:
            row.append("none thing")
        return row
    row.append(f"none match{min(matched, 2)}")
    after = anaphor.j
    if after < len(story.lower):
        if story.lower[after] in ("of", "for", "in", "from", "at", "to", "with"):
            row.append(f"none {story.lower[after]}")
        elif story.lower[after] in ("who", "that", "which", "whose"):
            row.append("none relative")
        elif story.lower[after] in ("'s", "’s"):
            row.append("none owns")
    if noun in seen.unnamed:
        row.append("none unnamed")
    if anaphor.head - anaphor.i > (anaphor.form not in ("bare", "of name")):
        row.append("none modified")
    if here <= 1:
        row.append("none lede")
    return row


class Seen:
    """What else was spoken of: nouns of nobody's name, the last person and plural without one, tokens resolved."""

    def __init__(self) -> None:
        self.unnamed: set[str] = set()
        self.person = self.plural = self.thing = -9
        self.by_token: dict[int, int] = {}


def _pleonastic(story: Story, i: int) -> bool:
    """``it is likely that``, ``it was Monday``, ``it seems``: no subject of its own."""
    at = story.head[i]
    if story.dep[i] == "expl":
        return True
    lemma = story.parse[at].lemma_
    if lemma in ("seem", "appear", "happen", "rain", "snow", "turn", "take"):
        return True
    return lemma == "be" and any(
        child.dep_ in ("ccomp", "xcomp", "advcl", "csubj") for child in story.parse[at].children
    )


def _place_kind(noun: str) -> str:
    if noun in ("country", "nation", "republic", "kingdom"):
        return "country"
    if noun in ("city", "town", "village", "capital", "township", "suburb", "municipality"):
        return "city"
    if noun in ("state", "province", "region", "territory", "district", "county", "area", "island", "constituency"):
        return "region"
    return "building"


def _body_kind(noun: str) -> str:
    if noun in (
        "company",
        "firm",
        "corporation",
        "conglomerate",
        "maker",
        "manufacturer",
        "business",
        "giant",
        "carrier",
    ):
        return "company"
    if noun in ("team", "side", "club", "squad", "franchise"):
        return "team"
    if noun in ("government", "administration", "regime", "military", "army", "parliament", "cabinet"):
        return "state"
    if noun in ("group", "organization", "organisation", "body", "institution"):
        return "group"
    return "other"


def kin(family: str) -> str:
    """The group of families whose features share a weight."""
    return "nominal" if family in ("person", "body", "place", "named") else "pronoun"


@cache
def weights() -> dict[str, dict[str, float]]:
    """Weight of each feature by family; what is fitted for all families is added in."""
    own: dict[str, dict[str, float]] = {family: {} for family in (*_LABELS, "pronoun", "nominal")}
    for line in (files("models.references") / "weights.tsv").read_text("utf-8").splitlines():
        if line.startswith("#") or not line:
            continue
        family, feature, weight = line.split("\t")
        own[family][feature] = float(weight)
    return {
        family: {f: own[family].get(f, 0.0) + own[kin(family)].get(f, 0.0) for f in {*own[family], *own[kin(family)]}}
        for family in _LABELS
    }


def choose(story: Story, anaphor: Anaphor, seen: Seen) -> tuple[int, float] | None:
    """Index of the likeliest actor for ``anaphor``, and how likely that is; None where there is none in reach."""
    actors = candidates(story, anaphor)
    if not actors:
        return None
    table = weights()[anaphor.family]
    sums = [sum(table.get(f, 0.0) for f in row) for row in features(story, anaphor, actors, seen)]
    high = max(sums)
    shares = [math.exp(s - high) for s in sums]
    best = max(range(1, len(sums)), key=lambda n: (sums[n], -n))
    return actors[best - 1].index, shares[best] / sum(shares)
