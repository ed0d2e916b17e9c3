"""Mentions without a name: ``the foreign secretary``, ``the ministry``, ``he``, ``its``, ``it said``.

What grammar says outright (``Okoye, a lawyer``, ``Okoye is a lawyer``) is taken as said. Every other pronoun and noun
phrase goes to the actor the ranking finds likeliest, or to nobody; ``I`` and ``we`` go to who is quoted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.stages.entities.anaphors import PRONOUNS, Anaphor, family_of, modifiers, nominal, pronoun
from pipeline.stages.entities.clusters import Cluster
from pipeline.stages.entities.lexicons import Lexicons, lexicons
from pipeline.stages.entities.ranking import Seen, choose
from pipeline.stages.entities.story import SAYING, SUBJECT, Story

if TYPE_CHECKING:
    from collections.abc import Callable

    from spacy.tokens import Doc, Token

Kind = Literal["nominal", "pronoun"]
_NOUNS = frozenset(("NOUN", "PROPN"))
_INNER = frozenset(("compound", "amod", "nmod", "npadvmod", "quantmod"))
_LEDE = 2
"""Sentences, from the first, in which somebody may stand who is named only later."""
_BEING = frozenset(("be", "become", "remain"))
_FITS = {
    "person": ("PERSON",),
    "body": ("ORG", "GPE", "FAC", "NORP", "PRODUCT", "WORK_OF_ART"),
    "place": ("GPE", "LOC", "FAC", "ORG"),
}


@dataclass(frozen=True)
class Reference:
    """Tokens ``[i, j)`` that stand for the cluster at ``index``, with how sure that is (0 to 1)."""

    i: int
    j: int
    index: int
    kind: Kind
    confidence: float


@dataclass
class Resolved:
    """What was found: references in order, and the roles that appositions and predicates gave, by cluster."""

    references: list[Reference]
    roles: dict[int, list[str]]


def resolve(
    parse: Doc,
    clusters: list[Cluster],
    nominals: bool,
    pronouns: bool,
    min_confidence: float,
    chooser: Callable[[Story, Anaphor, Seen], tuple[int, float] | None] = choose,
) -> Resolved:
    """References of the story, in order, none overlapping a name."""
    return _Reading(parse, clusters, nominals, pronouns, min_confidence, chooser).read()


class _Reading:
    """One pass over a story from left to right."""

    def __init__(
        self,
        parse: Doc,
        clusters: list[Cluster],
        nominals: bool,
        pronouns: bool,
        min_confidence: float,
        chooser: Callable[[Story, Anaphor, Seen], tuple[int, float] | None],
    ) -> None:
        self.story, self.seen, self.lex = Story(parse, clusters), Seen(), lexicons()
        self.nominals, self.pronouns, self.floor, self.choose = nominals, pronouns, min_confidence, chooser
        self.found: list[Reference] = []
        self.roles: dict[int, list[str]] = {}
        self.ahead = sorted((name.i, name.j, n) for n, c in enumerate(clusters) for name in c.names)
        self.titles = {k for c in clusters for n in c.names if n.role_i is not None for k in range(n.role_i, n.i)}
        self.named = frozenset(
            token.lower_
            for c in clusters
            if c.label not in ("PERSON", "NORP", "MONEY")
            for n in c.names
            if n.j - n.i > 1
            for token in parse[n.i : n.j]
            if token.pos_ in _NOUNS
        )
        self.apposed = self._appositions()
        self.early: list[Anaphor] = []

    def read(self) -> Resolved:
        """Resolve everything."""
        upcoming = iter(self.ahead)
        name = next(upcoming, None)
        for i in range(len(self.story.tokens)):
            while name is not None and name[0] <= i:
                self.story.see(*name, "name")
                name = next(upcoming, None)
            if i in self.story.inside:
                continue
            pos = self.story.pos[i]
            if pos == "PRON" and self.story.lower[i] in PRONOUNS:
                if self.pronouns:
                    self._pronoun(i)
            elif pos in _NOUNS:
                self._noun(i)
        if self.nominals:
            self._headlines()
        if self.pronouns:
            self._quoted()
        return Resolved(sorted(self.found, key=lambda r: r.i), self.roles)

    def _keep(self, anaphor: Anaphor, index: int, confidence: float) -> None:
        kind: Kind = "pronoun" if anaphor.pronoun else "nominal"
        self.found.append(Reference(anaphor.i, anaphor.j, index, kind, round(confidence, 2)))
        self.seen.by_token[anaphor.head] = index
        self.story.see(anaphor.i, anaphor.j, index, kind)
        actor = self.story.actors[index]
        if anaphor.gender and actor.gender is None and actor.label == "PERSON":
            actor.gender = anaphor.gender
        if kind == "nominal":
            actor.nouns.add(self.story.lower[anaphor.head])

    def _pronoun(self, i: int) -> None:
        anaphor = pronoun(self.story, i)
        if anaphor is None or anaphor.family in ("i", "we"):
            return
        if anaphor.family == "who":
            index = self._antecedent(i)
            if index is not None:
                self._keep(anaphor, index, 0.9)
            return
        chosen = self._it_said(anaphor) or self._its(anaphor) or self.choose(self.story, anaphor, self.seen)
        if chosen is not None and chosen[1] >= self.floor:
            self._keep(anaphor, *chosen)

    def _it_said(self, anaphor: Anaphor) -> tuple[int, float] | None:
        """``it said``: the body that said something last."""
        story, i = self.story, anaphor.i
        if story.lower[i] != "it" or story.quote[i] >= 0 or story.last_body < 0:
            return None
        says = story.dep[i] in SUBJECT and story.parse[story.head[i]].lemma_ in SAYING
        return (story.last_body, 0.8) if says else None

    def _its(self, anaphor: Anaphor) -> tuple[int, float] | None:
        """``its``: the body or place that is the subject of the same clause."""
        story, here = self.story, self.story.sentence[anaphor.i]
        if story.lower[anaphor.i] != "its":
            return None
        clause = story.clause(anaphor.i)
        fits = [
            (place.i, actor.index)
            for actor in story.actors
            if actor.label in ("ORG", "GPE") and actor.places
            for place in actor.places[-3:]
            if place.sentence == here and place.part == "subject" and story.clause(place.i) == clause
        ]
        return (max(fits)[1], 0.7) if fits else None

    def _office_or_body(self, anaphor: Anaphor) -> tuple[int, float] | None:
        """``the foreign secretary``: the one who bears that office; ``the ministry``: the one body so called.

        Where two bear it, nobody, at confidence 0; None where the phrase is of neither kind.
        """
        story = self.story
        if anaphor.form not in ("the", "this", "that"):
            return None
        noun, phrase = story.lower[anaphor.head], " ".join([*modifiers(story, anaphor), story.lower[anaphor.head]])
        spoken = [actor for actor in story.actors if actor.places]
        if noun in self.lex.heads:
            bearers = [a for a in spoken if a.label == "PERSON" and any(_is_role(phrase, role) for role in a.roles)]
            if bearers:
                return (bearers[0].index, 0.9) if len(bearers) == 1 else (bearers[0].index, 0.0)
        after = story.lower[anaphor.j] if anaphor.j < len(story.lower) else ""
        if after not in ("of", "for") and noun not in self.seen.unnamed and anaphor.head - anaphor.i == 1:
            called = [a for a in spoken if a.label in ("ORG", "FAC", "LOC") and noun in a.words]
            if called and (noun in self.lex.bodies or noun in self.named):
                last = max(called, key=lambda a: a.places[-1].i)
                return last.index, 0.8 if len(called) == 1 else 0.6
            if noun in ("company", "firm"):
                here = story.sentence[anaphor.i]
                near = [a for a in spoken if a.label == "ORG" and 0 <= here - a.subject <= 2]
                if len(near) == 1:
                    return near[0].index, 0.6
        return None

    def _antecedent(self, i: int) -> int | None:
        """The person right before a relative ``who``, over one comma."""
        k = i - 1
        if k >= 0 and self.story.lower[k] == ",":
            k -= 1
        index = self.story.inside.get(k, self.seen.by_token.get(k))
        return index if index is not None and self.story.actors[index].label == "PERSON" else None

    def _noun(self, i: int) -> None:
        story, here = self.story, self.story.sentence[i]
        if self.nominals and story.inside.get(i + 1) is not None and self._before_name(i):
            return
        if story.dep[i] in _INNER or i in self.titles:
            return
        if story.parse[i].tag_ in ("NNS", "NNPS"):
            self.seen.plural = here
            return
        certain = self._certain(i)
        anaphor = nominal(story, i, self.named, certain is not None)
        if anaphor is None or (anaphor.i <= i and any(k in story.inside for k in range(anaphor.i, i))):
            if anaphor is None and story.dep[i] in SUBJECT:
                self.seen.thing = here
            return
        if certain is not None:
            self._note_role(certain, i)
            if self.nominals:
                self._keep(anaphor, certain, 0.9)
            return
        if self.nominals and anaphor.form != "a":
            chosen = self._office_or_body(anaphor) or self.choose(story, anaphor, self.seen)
            if chosen is not None and chosen[1] >= self.floor:
                self._keep(anaphor, *chosen)
                return
        if here <= _LEDE and certain is None:
            self.early.append(anaphor)
        if anaphor.form == "a":
            self.seen.unnamed.add(story.lower[i])
        if anaphor.family == "person":
            self.seen.person = here
        elif story.dep[i] in SUBJECT:
            self.seen.thing = here

    def _before_name(self, i: int) -> bool:
        """``the referee Joel Aguilar``, ``Tunisia's coach Nabil Maaloul``: a phrase of its own before the name."""
        story, index = self.story, self.story.inside[i + 1]
        noun = story.lower[i]
        if story.actors[index].label != "PERSON" or noun not in self.lex.persons or story.tokens[i].text[0].isupper():
            return False
        start = i
        while start > 0 and i - start < 5 and start - 1 not in story.inside:
            pos = story.pos[start - 1]
            if pos in ("DET", "PRON") or story.dep[start - 1] == "case":
                start -= pos != "PART"
                break
            if pos not in ("ADJ", "NOUN", "PROPN"):
                break
            start -= 1
        led = story.dep[start - 1] == "case" if start else False
        if (
            not (led or story.lower[start] in ("the", "a", "an") or story.dep[start] == "poss")
            or story.pos[start] == "X"
        ):
            return False
        gender = "male" if noun in self.lex.male else "female" if noun in self.lex.female else None
        self._keep(Anaphor(start, i + 1, i, "person", "the", gender), index, 0.9)
        return True

    def _appositions(self) -> dict[int, int]:
        """Tokens of nouns that stand beside a name, ``Okoye, a lawyer`` or ``the lawyer, Okoye``, to its cluster."""
        found: dict[int, int] = {}
        for i, j, index in self.ahead:
            root = self.story.parse[i:j].root
            beside = [token for token in root.children if token.dep_ == "appos"]
            beside += [token for child in beside for token in child.children if token.dep_ == "conj"]
            if root.dep_ == "appos" and root.head.i not in self.story.inside:
                beside.append(root.head)
            for noun in beside:
                if noun.pos_ in _NOUNS and noun.i not in self.story.inside and self._may_be(noun, index):
                    found.setdefault(noun.i, index)
                    self.story.actors[index].nouns.add(noun.lower_)
        return found

    def _may_be(self, noun: Token, index: int) -> bool:
        """Whether a noun beside a name, or said of it, can be what the name names; of a person most nouns can."""
        family, label = family_of(self.lex, noun.lower_, frozenset()), self.story.actors[index].label
        if noun.tag_ in ("NNS", "NNPS") or noun.ent_type_ in (
            "DATE",
            "TIME",
            "MONEY",
            "PERCENT",
            "CARDINAL",
            "QUANTITY",
        ):
            return False
        return label == "PERSON" and noun.pos_ == "NOUN" if family is None else label in _FITS[family]

    def _certain(self, i: int) -> int | None:
        """The cluster that an apposition or a predicate says noun ``i`` is."""
        story = self.story
        if i in self.apposed:
            return self.apposed[i]
        noun = story.parse[i]
        attribute = noun
        while attribute.dep_ == "conj" and attribute.head.i != attribute.i:
            attribute = attribute.head
        if attribute.dep_ != "attr" or attribute.head.lemma_ not in _BEING:
            return None
        children = list(attribute.head.children)
        if any(child.dep_ == "neg" for child in children):
            return None
        subject = next((child for child in children if child.dep_ == "nsubj"), None)
        if subject is None or subject.i > i:
            return None
        index = story.inside.get(subject.i, self.seen.by_token.get(subject.i))
        return index if index is not None and self._may_be(noun, index) else None

    def _note_role(self, index: int, i: int) -> None:
        """Keep an office named by apposition or predicate: from its modifiers to the end of ``of ...``."""
        if self.story.actors[index].label != "PERSON" or self.story.lower[i] not in self.lex.offices:
            return
        text = _office(self.story.parse, i, self.story.inside, index)
        if text:
            self.roles.setdefault(index, []).append(text)

    def _headlines(self) -> None:
        """``Boy arrested``: what headline and lede leave unnamed and the story then says of one of its main actors."""
        for anaphor in self.early:
            noun = self.story.lower[anaphor.head]
            told = [a for a in self.story.actors if noun in a.nouns and a.places]
            fits = [a for a in told if a.places[0].i > anaphor.head and a.places[0].sentence <= _LEDE + 3]
            if len(told) == 1 and fits == told:
                self._keep(anaphor, told[0].index, 0.6)

    def _quoted(self) -> None:
        """``I`` and ``my`` are who says the quotation, ``we`` the body that one speaks for."""
        story = self.story
        resolved = dict(self.seen.by_token)
        story.forget_speakers()
        for i, quote in enumerate(story.quote):
            found = PRONOUNS.get(story.lower[i]) if quote >= 0 and story.pos[i] == "PRON" else None
            if found is None or found[0] not in ("i", "we") or i in story.inside:
                continue
            anaphor = pronoun(story, i)
            speaker = story.speaker(quote, resolved)
            if anaphor is None or speaker is None:
                continue
            person = story.actors[speaker].label == "PERSON"
            if anaphor.family == "i" and person:
                self._keep(anaphor, speaker, 0.8)
            elif anaphor.family == "we":
                body = self._body_of(speaker) if person else speaker
                if body is not None:
                    self._keep(anaphor, body, 0.5)

    def _body_of(self, speaker: int) -> int | None:
        """The organisation or country named in the speaker's title or apposition."""
        story = self.story
        for name in story.clusters[speaker].names:
            spans = [range(name.role_i, name.i)] if name.role_i is not None else []
            spans += [
                range(story.parse[k].left_edge.i, min(story.parse[k].right_edge.i + 1, k + 10))
                for k, index in self.apposed.items()
                if index == speaker
            ]
            for span in spans:
                for k in span:
                    index = story.inside.get(k)
                    if index is not None and story.actors[index].label in ("ORG", "GPE"):
                        return index
        return None


def _is_role(phrase: str, role: str) -> bool:
    return role == phrase or role.endswith(" " + phrase) or role.startswith(phrase + " of ")


def _office(parse: Doc, i: int, inside: dict[int, int], index: int) -> str | None:
    """The office whose noun is token ``i``, without its article, as written."""
    start = i
    while start > 0 and i - start < 10:
        token = parse[start - 1]
        if (
            (token.dep_ in ("det", "punct", "appos") and token.text != "-")
            or inside.get(token.i) == index
            or token.is_space
        ):
            break
        if not (token.left_edge.i >= parse[i].left_edge.i and token.i >= parse[i].left_edge.i):
            break
        if token.pos_ in ("VERB", "AUX", "PRON") or (token.dep_ == "case" and start - 2 not in inside):
            break
        start -= 1
    end = i + 1
    while end < len(parse) and end - i < 14:
        token = parse[end]
        if token.pos_ in ("VERB", "AUX", "PRON", "SCONJ") or token.is_space or token.text in ',.;:()"“”-–—':
            break
        if end == i + 1 and token.lower_ not in ("of", "for", "at", "to", "-", "'s", "’s"):
            break
        if inside.get(end) == index:
            break
        end += 1
    while end > i + 1 and parse[end - 1].lower_ in ("of", "for", "at", "to", "the", "and", "'s", "’s"):
        end -= 1
    return str(parse[start:end].text).strip() or None


def roles_of(parse: Doc, cluster: Cluster, told: list[str]) -> list[str]:
    """Titles before a person's names, then what appositions and predicates told, as written, each once."""
    found: list[str] = []
    for name in cluster.names if cluster.label == "PERSON" else ():
        if name.role_i is not None:
            found.append(str(parse[name.role_i : name.i].text).strip(" ,"))
        if apposition := _apposition(parse, name.j, lexicons()):
            found.append(apposition)
    address = lexicons().address
    # Mr and Ms are no offices.
    found = [role for role in found if not all(word.rstrip(".") in address for word in role.lower().split())]
    found = list(dict.fromkeys(role for role in found if role))
    if cluster.label == "PERSON":
        found += [role for role in dict.fromkeys(told) if not any(role in other or other in role for other in found)]
    return found


def _apposition(parse: Doc, j: int, words: Lexicons) -> str | None:
    """``, the foreign secretary,`` after a name."""
    if j + 1 >= len(parse) or parse[j].text != ",":
        return None
    k = start = j + 1
    while start < len(parse) and parse[start].lower_ in ("the", "a", "an", "who", "is"):
        if parse[start].lower_ == "who":
            return None
        start += 1
    k, headed = start, False
    while k < len(parse) and k - start < 14 and parse[k].text not in (",", ".", ";", ":", "(", '"', "“", "-", "–", "—"):
        if parse[k].pos_ in ("VERB", "AUX") or parse[k].is_space:
            return None
        headed = headed or parse[k].lower_ in words.heads
        k += 1
    ended = k < len(parse) and parse[k].text in (",", ".", ";")
    return str(parse[start:k].text).strip() if headed and ended and k > start else None
