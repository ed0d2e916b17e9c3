"""A story as references see it: its words, its sentences, what stands in quotation marks and who says that."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.stages.entities.clusters import Cluster
from pipeline.stages.entities.lexicons import fold, lexicons

if TYPE_CHECKING:
    from spacy.tokens import Doc

SUBJECT = frozenset(("nsubj", "nsubjpass"))
SAYING = frozenset(
    (
        *("say", "add", "state", "announce", "tell", "note", "claim", "report", "warn", "confirm", "deny", "declare"),
        *("explain", "argue", "reply", "ask", "answer", "recall", "insist", "stress", "urge", "admit", "acknowledge"),
        *("assert", "allege", "complain", "conclude", "comment", "remark", "respond", "write", "tweet", "joke"),
        *("continue", "describe", "testify", "emphasize", "emphasise", "reiterate", "suggest", "observe"),
    )
)
_OPEN, _CLOSE, _EITHER = frozenset("“«„"), frozenset("”»"), frozenset('"')


@dataclass(frozen=True)
class Place:
    """A mention already resolved: its first token, sentence, grammatical part and kind."""

    i: int
    sentence: int
    part: str
    kind: str


@dataclass
class Actor:
    """An entity as the story has shown it so far."""

    index: int
    label: str
    words: frozenset[str]
    gender: str | None
    roles: list[str]
    nouns: set[str] = field(default_factory=set)
    country: bool = False
    company: bool = False
    total: int = 0
    places: list[Place] = field(default_factory=list)
    subject: int = -1
    said: int = -1


class Story:
    """Words and actors of one story, filled in from left to right."""

    def __init__(self, parse: Doc, clusters: list[Cluster]) -> None:
        self.parse, self.clusters = parse, clusters
        self.tokens = list(parse)
        self.lower = [token.lower_ for token in self.tokens]
        self.pos = [token.pos_ for token in self.tokens]
        self.dep = [token.dep_ for token in self.tokens]
        self.head = [token.head.i for token in self.tokens]
        self.sentence: list[int] = []
        for n, sentence in enumerate(parse.sents):
            self.sentence += [n] * (sentence.end - sentence.start)
        self.inside = {k: n for n, c in enumerate(clusters) for name in c.names for k in range(name.i, name.j)}
        self.quote, self.quotes = self._quotations()
        self.actors = [_actor(parse, n, c) for n, c in enumerate(clusters)]
        self.last_said = self.last_body = -1
        self._speakers: dict[int, int | None] = {}

    def _quotations(self) -> tuple[list[int], list[tuple[int, int]]]:
        """For each token the number of the quotation it stands in, or -1; and the tokens each covers."""
        within, found, start = [-1] * len(self.tokens), [], -1
        for i, token in enumerate(self.tokens):
            text = self.lower[i]
            if token.is_space and text.count("\n") > 1:
                if start >= 0 and i - start > 1:  # a paragraph left open goes on in the next one
                    found.append((start, i))
                start = -1
            elif start < 0 and (text in _OPEN or text in _EITHER):
                start = i
            elif start >= 0 and (text in _CLOSE or text in _EITHER):
                found.append((start, i + 1))
                start = -1
        if start >= 0:
            found.append((start, len(self.tokens)))
        for n, (i, j) in enumerate(found):
            within[i:j] = [n] * (j - i)
        return within, found

    def part(self, i: int, j: int) -> tuple[str, int]:
        """Grammatical part of tokens ``[i, j)`` and the token their head hangs from."""
        root = i
        for k in range(i, j):
            if not i <= self.head[k] < j or self.head[k] == k:
                root = k
                break
        while self.dep[root] in ("conj", "appos") and self.head[root] != root:
            root = self.head[root]
        dep, at = self.dep[root], self.head[root]
        if dep in SUBJECT:
            return "subject", at
        if dep in ("dobj", "dative", "attr", "oprd"):
            return "object", at
        if dep == "poss":
            return "poss", at
        if dep == "ROOT":
            return "root", at
        if dep == "pobj":
            return "agent" if self.dep[at] == "agent" else "pobj", at
        return "other", at

    def clause(self, i: int) -> int:
        """The verb whose clause token ``i`` stands in."""
        k = i
        while self.head[k] != k and (k == i or self.pos[k] not in ("VERB", "AUX")):
            k = self.head[k]
        return k

    def see(self, i: int, j: int, index: int, kind: str) -> None:
        """Note a mention of actor ``index`` at tokens ``[i, j)``."""
        actor, (part, at) = self.actors[index], self.part(i, j)
        here = self.sentence[i]
        actor.places.append(Place(i, here, part, kind))
        if part == "subject":
            actor.subject = here
        says = part == "subject" and self.quote[at] < 0 and self.parse[at].lemma_ in SAYING
        if says or (self.quote[i] < 0 and self._says_next(j)):
            actor.said = here
            self.last_said = index
            if actor.label == "ORG":
                self.last_body = index

    def _says_next(self, j: int) -> bool:
        """Whether a verb of saying follows token ``j``, over an acronym in brackets, however the parse hangs it."""
        if j < len(self.lower) and self.lower[j] == "(":
            j = next((k + 1 for k in range(j, min(j + 5, len(self.lower))) if self.lower[k] == ")"), j)
        return j < len(self.lower) and self.pos[j] == "VERB" and self.parse[j].lemma_ in SAYING

    def told_of(self, i: int) -> frozenset[int]:
        """Actors named in what the subject at token ``i`` says: nobody calls himself by name there.

        A pronoun does not stand for a name in its own clause's complement (binding, principle C), nor, in news copy,
        for one in the words quoted beside it.
        """
        verb = self.head[i]
        if self.dep[i] not in SUBJECT or self.quote[i] >= 0 or self.parse[verb].lemma_ not in SAYING:
            return frozenset()
        said = [range(c.left_edge.i, c.right_edge.i + 1) for c in self.parse[verb].children if c.dep_ == "ccomp"]
        here = self.sentence[i]
        low = bisect_left(self.quotes, here, key=lambda span: self.sentence[span[1] - 1])
        high = bisect_right(self.quotes, here, key=lambda span: self.sentence[span[0]])
        said += [range(*span) for span in self.quotes[low:high]]
        own = [k for span in said for k in span if k in self.inside and self.dep[k] not in ("poss", "compound")]
        return frozenset(self.inside[k] for k in own)

    def speaker(self, quote: int, references: dict[int, int]) -> int | None:
        """Actor who says quotation ``quote``; ``references`` are the tokens of pronouns resolved so far.

        The subject of a verb of saying beside the quotation, in its last or first sentence, else who said the
        quotation before where that one stands in the same or the last paragraph.
        """
        if quote in self._speakers:
            return self._speakers[quote]
        i, j = self.quotes[quote]
        found = self._subject_beside(i, j, references)
        if found is None and quote > 0 and i - self.quotes[quote - 1][1] < 40:
            found = self.speaker(quote - 1, references)
        self._speakers[quote] = found
        return found

    def forget_speakers(self) -> None:
        """Speakers found before all pronouns were resolved are looked for again."""
        self._speakers.clear()

    def _subject_beside(self, i: int, j: int, references: dict[int, int]) -> int | None:
        sentences = [self.sentence[min(j, len(self.lower) - 1)], self.sentence[max(j - 1, 0)], self.sentence[i]]
        sentences.append(self.sentence[max(i - 1, 0)])
        for sentence in dict.fromkeys(sentences):
            low, high = i, min(j, len(self.lower) - 1)
            while low > 0 and self.sentence[low - 1] >= sentence and self.sentence[low] >= sentence:
                low -= 1
            while high + 1 < len(self.lower) and self.sentence[high] <= sentence:
                high += 1
            best: tuple[int, int] | None = None
            for k in range(low, high + 1):
                if self.sentence[k] != sentence or self.quote[k] >= 0:
                    continue
                actor = self.inside.get(k, references.get(k))
                if actor is None or self.actors[actor].label not in ("PERSON", "ORG", "GPE", "NORP"):
                    continue
                part, at = self.part(k, k + 1)
                if part == "subject" and self.parse[at].lemma_ in SAYING:
                    away = min(abs(k - i), abs(k - j))
                    if best is None or away < best[0]:
                        best = (away, actor)
            if best is not None:
                return best[1]
        return None


def _actor(parse: Doc, index: int, cluster: Cluster) -> Actor:
    lex = lexicons()
    tokens = [token.lower_ for name in cluster.names for token in parse[name.i : name.j]]
    roles = []
    for name in cluster.names:
        if name.role_i is not None:
            roles.append(fold(str(parse[name.role_i : name.i].text).strip(" ,")))
    return Actor(
        index,
        cluster.label,
        frozenset(tokens),
        gender_of(parse, cluster) if cluster.label == "PERSON" else None,
        list(dict.fromkeys(roles)),
        nouns={role.split()[-1] for role in roles if role.split()}
        | {word for role in roles for word in role.split(" of ")[0].split()[-1:]},
        country=cluster.country is not None,
        total=len(cluster.names),
        company=any(word in lex.companies for word in tokens),
    )


def gender_of(parse: Doc, cluster: Cluster) -> str | None:
    """``male`` or ``female`` by form of address, title or given name; None where nothing tells."""
    lex = lexicons()
    for name in cluster.names:
        if name.address in ("male", "female"):
            return name.address
        if name.role_i is None:
            continue
        for word in str(parse[name.role_i : name.i].text).lower().split():
            if word in lex.male:
                return "male"
            if word in lex.female:
                return "female"
    for name in cluster.names:
        if name.j - name.i > 1:
            first = fold(parse[name.i].text)
            return lex.genders.get(first) or lex.given_genders.get(first)
    return None
