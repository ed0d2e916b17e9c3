"""Mentions without a name: ``the foreign secretary``, ``the ministry``, ``he``, ``its``, ``it said``.

Each goes to the entity the story has made ready for it, or to none. Recency and grammatical role decide, gender and
number forbid (after Lappin and Leass 1994, much reduced).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.stages.entities.clusters import Cluster
from pipeline.stages.entities.lexicons import fold, lexicons

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

Kind = Literal["nominal", "pronoun"]
_HE = frozenset(("he", "him", "his", "himself"))
_SHE = frozenset(("she", "her", "hers", "herself"))
_IT = frozenset(("it", "its", "itself"))
_FIRST = frozenset(("i", "me", "my", "myself"))
_SUBJECT = frozenset(("nsubj", "nsubjpass"))
_SAYING = frozenset(
    ("say", "add", "state", "announce", "tell", "note", "claim", "report", "warn", "confirm", "deny", "declare")
)
_REACH = 3
"""Sentences a pronoun looks back over."""


@dataclass(frozen=True)
class Reference:
    """Tokens ``[i, j)`` that stand for the cluster at ``index``."""

    i: int
    j: int
    index: int
    kind: Kind


@dataclass(frozen=True)
class _Place:
    i: int
    sentence: int
    index: int
    subject: bool


class _Scene:
    """What has been named so far, and what is known of those named."""

    def __init__(self, parse: Doc, clusters: list[Cluster]) -> None:
        self.parse, self.clusters = parse, clusters
        self.sentence = [0] * len(parse)
        for n, sentence in enumerate(parse.sents):
            for token in sentence:
                self.sentence[token.i] = n
        self.places: list[_Place] = []
        self.gender = {n: _gender(parse, c) for n, c in enumerate(clusters) if c.label == "PERSON"}
        self.at = sorted((name.i, name.j, n) for n, c in enumerate(clusters) for name in c.names)
        self.inside = {k: n for i, j, n in self.at for k in range(i, j)}
        self.speaker: int | None = None

    def see(self, i: int, j: int, index: int) -> None:
        """Note a mention: where, and whether it is a subject."""
        root = self.parse[i:j].root
        subject = root.dep_ in _SUBJECT or (root.dep_ == "conj" and root.head.dep_ in _SUBJECT)
        self.places.append(_Place(i, self.sentence[i], index, subject))
        # "the ministry said": who a later "it said" refers to.
        if self.clusters[index].label == "ORG" and ((subject and root.head.lemma_ in _SAYING) or self._says(j)):
            self.speaker = index

    def _says(self, j: int) -> bool:
        """Whether a verb of saying follows token ``j``, over an acronym in brackets, however the parse hangs it."""
        if j < len(self.parse) and self.parse[j].text == "(":
            j = next((k + 1 for k in range(j, min(j + 5, len(self.parse))) if self.parse[k].text == ")"), j)
        return j < len(self.parse) and self.parse[j].pos_ == "VERB" and self.parse[j].lemma_ in _SAYING

    def persons(self, i: int, gender: str) -> list[_Place]:
        """Persons in reach before token ``i`` that may be of this gender, nearest last."""
        here = self.sentence[i]
        return [
            place
            for place in self.places
            if place.i < i
            and here - place.sentence <= _REACH
            and self.clusters[place.index].label == "PERSON"
            and self.gender[place.index] in (gender, None)
        ]


def resolve(parse: Doc, clusters: list[Cluster], nominals: bool, pronouns: bool) -> list[Reference]:
    """References of the story, in order, none overlapping a name."""
    scene = _Scene(parse, clusters)
    roles = _roles(parse, clusters)
    found: list[Reference] = []
    names = iter(scene.at)
    upcoming = next(names, None)
    for token in parse:
        while upcoming is not None and upcoming[0] <= token.i:
            scene.see(*upcoming)
            upcoming = next(names, None)
        if token.i in scene.inside:
            continue
        reference = None
        if pronouns and token.pos_ == "PRON":
            reference = _pronoun(scene, token)
        elif nominals and token.lower_ in ("the", "this", "that"):
            reference = _nominal(scene, token, roles)
        if reference is not None:
            found.append(reference)
            scene.see(reference.i, reference.j, reference.index)
            gender = "male" if token.lower_ in _HE else "female" if token.lower_ in _SHE else None
            if gender and scene.gender.get(reference.index, "?") is None:
                scene.gender[reference.index] = gender
    if pronouns:
        found += _first_persons(scene)
    if nominals:
        found += _appositions(scene, found)
    return sorted(found, key=lambda reference: reference.i)


def _first_persons(scene: _Scene) -> list[Reference]:
    """``I`` and ``my`` between quotation marks: who says it in that sentence, else who spoke last."""
    speakers = [
        place
        for place in scene.places
        if place.subject and scene.clusters[place.index].label == "PERSON" and _speaks(scene.parse, place.i)
    ]
    by_sentence = {place.sentence: place.index for place in speakers}
    found, quoted, last = [], False, None
    for token in scene.parse:
        here = scene.sentence[token.i]
        if token.text in ("“", "”") or token.text == '"':
            quoted = token.text == "“" or (token.text == '"' and not quoted)
        elif token.is_space and "\n" in token.text:
            quoted = False
        last = by_sentence.get(here, last) if token.is_sent_start else last
        if quoted and token.lower_ in _FIRST and last is not None and token.i not in scene.inside:
            found.append(Reference(token.i, token.i + 1, last, "pronoun"))
    return found


def _speaks(parse: Doc, i: int) -> bool:
    token = parse[i]
    while token.dep_ in ("compound", "conj", "amod", "nmod") and token.head.i != token.i:
        token = token.head
    return token.dep_ in _SUBJECT and token.head.lemma_ in _SAYING


def _appositions(scene: _Scene, found: list[Reference]) -> list[Reference]:
    """Common nouns that say what a name is: ``Okoye, a lawyer`` and ``Okoye is a lawyer``, up to the noun itself."""
    taken = set(scene.inside) | {k for reference in found for k in range(reference.i, reference.j)}
    more: list[Reference] = []
    for i, j, index in scene.at:
        root = scene.parse[i:j].root
        nouns = [token for token in root.children if token.dep_ == "appos"]
        if root.dep_ == "nsubj" and root.head.lemma_ == "be":
            nouns += [token for token in root.head.children if token.dep_ == "attr"]
        for noun in nouns:
            span = range(noun.left_edge.i, noun.i + 1)
            if noun.pos_ == "NOUN" and noun.i >= j and span and not taken.intersection(span):
                more.append(Reference(span.start, span.stop, index, "nominal"))
                taken.update(span)
    return more


def _pronoun(scene: _Scene, token: Token) -> Reference | None:
    low = token.lower_
    if low in _HE or low in _SHE:
        index = _person(scene, token, "male" if low in _HE else "female")
    elif low == "who":
        index = _antecedent(scene, token)
    elif low in _IT:
        index = _thing(scene, token)
    else:
        return None
    return None if index is None else Reference(token.i, token.i + 1, index, "pronoun")


def _person(scene: _Scene, token: Token, gender: str) -> int | None:
    candidates = scene.persons(token.i, gender)
    if not candidates:
        return None
    here = scene.sentence[token.i]
    same = [place for place in candidates if place.sentence == here]
    if same:
        if token.dep_ == "poss" or token.dep_ not in _SUBJECT:
            return same[-1].index
        return next((place.index for place in reversed(same) if place.subject), same[-1].index)
    last = max(place.sentence for place in candidates)
    recent = [place for place in candidates if place.sentence == last]
    return next((place.index for place in recent if place.subject), recent[-1].index)


def _antecedent(scene: _Scene, token: Token) -> int | None:
    """The person right before a relative ``who``, over one comma."""
    i = token.i - 1
    if i >= 0 and scene.parse[i].text == ",":
        i -= 1
    index = scene.inside.get(i)
    return index if index is not None and scene.clusters[index].label == "PERSON" else None


def _thing(scene: _Scene, token: Token) -> int | None:
    """``it`` that says something is the organisation that last did; ``its`` the organisation or place at hand."""
    if token.dep_ in _SUBJECT and token.head.lemma_ in _SAYING and token.lower_ == "it":
        return scene.speaker
    if token.lower_ != "its":
        return None
    here = scene.sentence[token.i]
    near = [
        place
        for place in scene.places
        if place.sentence == here and scene.clusters[place.index].label in ("ORG", "GPE") and place.subject
    ]
    return near[-1].index if near else None


def _nominal(scene: _Scene, the: Token, roles: dict[str, list[int]]) -> Reference | None:
    parse, words = scene.parse, lexicons()
    j = the.i + 1
    while j < len(parse) and j - the.i <= 5 and parse[j].pos_ in ("NOUN", "PROPN", "ADJ") and j not in scene.inside:
        j += 1
    if j == the.i + 1 or (j < len(parse) and j in scene.inside and parse[j - 1].lower_ in words.heads):
        return None
    phrase = fold(str(parse[the.i + 1 : j].text))
    head = parse[j - 1].lower_
    if j < len(parse) and parse[j].lower_ in ("of", "for") and head in words.org_nominals:
        return None
    seen = {place.index: place.i for place in scene.places}
    if head in words.heads and the.lower_ == "the":
        fits = [n for role, holders in roles.items() if _is_role(phrase, role) for n in holders if n in seen]
        if len(set(fits)) == 1:
            return Reference(the.i, j, fits[0], "nominal")
        return None
    if head in words.org_nominals:
        fits = [n for n in seen if scene.clusters[n].label == "ORG" and _has_word(parse, scene.clusters[n], head)]
        if not fits and head in ("company", "firm", "group", "bank", "airline"):
            fits = [n for n in seen if scene.clusters[n].label == "ORG" and _is_company(parse, scene.clusters[n])]
        if fits:
            return Reference(the.i, j, max(fits, key=lambda n: seen[n]), "nominal")
    if j == the.i + 2 and (index := _by_kind(scene, the.i, head)) is not None:
        return Reference(the.i, j, index, "nominal")
    return None


def _by_kind(scene: _Scene, i: int, head: str) -> int | None:
    """``the country``, ``the city``, ``the company``: the only one of its kind just spoken of, else nobody."""
    here = scene.sentence[i]
    near = [place for place in scene.places if here - place.sentence <= 2]
    if head in ("country", "nation", "city", "town", "capital"):
        country = head in ("country", "nation")
        fits = [
            place.index
            for place in near
            if scene.clusters[place.index].label == "GPE"
            and (scene.clusters[place.index].country is not None) == country
        ]
    elif head in ("company", "firm", "organization", "organisation"):
        fits = [p.index for p in near if scene.clusters[p.index].label == "ORG" and p.subject]
    else:
        return None
    return fits[0] if len(set(fits)) == 1 else None


def _is_role(phrase: str, role: str) -> bool:
    return role == phrase or role.endswith(" " + phrase) or role.startswith(phrase + " of ")


def _has_word(parse: Doc, cluster: Cluster, head: str) -> bool:
    return any(
        token.lower_ == head and token.text[0].isupper() for name in cluster.names for token in parse[name.i : name.j]
    )


def _is_company(parse: Doc, cluster: Cluster) -> bool:
    words = lexicons().companies
    return any(token.lower_ in words for name in cluster.names for token in parse[name.i : name.j])


def _roles(parse: Doc, clusters: list[Cluster]) -> dict[str, list[int]]:
    """Folded titles to the persons who bear them."""
    found: dict[str, list[int]] = {}
    for n, cluster in enumerate(clusters):
        for role in roles_of(parse, cluster):
            holders = found.setdefault(fold(role), [])
            if n not in holders:
                holders.append(n)
    return found


def roles_of(parse: Doc, cluster: Cluster) -> list[str]:
    """Titles before a person's names and appositions after them, as written, each once."""
    found: list[str] = []
    for name in cluster.names if cluster.label == "PERSON" else ():
        if name.role_i is not None:
            found.append(str(parse[name.role_i : name.i].text).strip(" ,"))
        if apposition := _apposition(parse, name.j):
            found.append(apposition)
    return list(dict.fromkeys(role for role in found if role))


def _apposition(parse: Doc, j: int) -> str | None:
    """``, the foreign secretary,`` after a name."""
    words = lexicons()
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


def _gender(parse: Doc, cluster: Cluster) -> str | None:
    words = lexicons()
    for name in cluster.names:
        if name.address in ("male", "female"):
            return name.address
        role = str(parse[name.role_i : name.i].text).lower() if name.role_i is not None else ""
        if role.endswith(("woman", "actress", "queen", "princess", "sister", "mother", "baroness")):
            return "female"
        if role.endswith(("sman", "king", "prince", "father", "actor")) and not role.endswith("spokesman"):
            return "male"
    for name in cluster.names:
        if name.j - name.i > 1:
            return words.genders.get(fold(parse[name.i].text))
    return None
