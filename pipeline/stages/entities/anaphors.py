"""Words that may stand for somebody or something named: pronouns, and phrases such as ``the foreign secretary``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.stages.entities.lexicons import Lexicons, fold, lexicons
from pipeline.stages.entities.story import Story

Family = Literal["he", "it", "they", "i", "we", "who", "person", "body", "place", "named"]
PRONOUNS: dict[str, tuple[Family, str | None]] = {
    **dict.fromkeys(("he", "him", "his", "himself"), ("he", "male")),
    **dict.fromkeys(("she", "her", "hers", "herself"), ("he", "female")),
    **dict.fromkeys(("it", "its", "itself"), ("it", None)),
    **dict.fromkeys(("they", "them", "their", "theirs", "themselves"), ("they", None)),
    **dict.fromkeys(("i", "me", "my", "mine", "myself"), ("i", None)),
    **dict.fromkeys(("we", "us", "our", "ours", "ourselves"), ("we", None)),
    **dict.fromkeys(("who", "whom", "whose"), ("who", None)),
}
_DEFINITE = frozenset(("the", "this", "that"))
_INDEFINITE = frozenset(("a", "an", "another", "some", "any", "no", "every", "each", "one", "many", "several", "most"))
_LEFT = frozenset(("amod", "compound", "nummod", "nmod", "poss", "det", "case", "punct", "predet"))


@dataclass(frozen=True)
class Anaphor:
    """Tokens ``[i, j)`` that may refer back. ``head`` is the noun's token, ``form`` how the phrase begins."""

    i: int
    j: int
    head: int
    family: Family
    form: str
    gender: str | None = None
    owner: int | None = None

    @property
    def pronoun(self) -> bool:
        """Whether it is a pronoun."""
        return self.form == "pronoun"


def pronoun(story: Story, i: int) -> Anaphor | None:
    """The pronoun at token ``i``."""
    found = PRONOUNS.get(story.lower[i])
    if found is None or (found[0] == "we" and story.parse[i].text == "US"):
        return None
    return Anaphor(i, i + 1, i, found[0], "pronoun", found[1])


def nominal(story: Story, head: int, named: frozenset[str], certain: bool = False) -> Anaphor | None:
    """The noun phrase whose noun is token ``head``; None where it can stand for no name.

    ``named`` are words of the story's names: ``the festival`` may be one of them. With ``certain`` any noun will do.
    """
    lex, noun = lexicons(), story.lower[head]
    family = family_of(lex, noun, named) or ("person" if certain else None)
    if family is None or story.parse[head].tag_ in ("NNS", "NNPS"):
        return None
    start, owner = head, None
    while start > 0 and start - 1 not in story.inside and head - start < 6:
        k = start - 1
        joined = story.dep[k] in _LEFT and start <= story.head[k] <= head
        if not joined and not (story.lower[k] == "-" and story.pos[k] == "PUNCT"):
            break
        if story.dep[k] in ("punct",) and story.lower[k] != "-":
            break
        start = k
        if story.dep[k] in ("det", "predet") or (story.dep[k] == "poss" and story.pos[k] == "PRON"):
            break
    while start < head and not (story.lower[start][0].isalnum()):
        start += 1
    first = story.lower[start]
    if first in _DEFINITE and start < head:
        form = first
    elif first in _INDEFINITE and start < head:
        form = "a"
    elif story.pos[start] == "PRON" and start < head:
        form, owner = "own", start
    elif start > 1 and story.dep[start - 1] == "case" and start - 2 in story.inside:
        form, owner = "of name", start - 2
    elif start > 0 and start - 1 in story.inside:
        form, owner = "of name", start - 1
    else:
        form = "bare"
    gender = "male" if noun in lex.male else "female" if noun in lex.female else None
    return Anaphor(start, head + 1, head, family, form, gender, owner)


def family_of(lex: Lexicons, noun: str, named: frozenset[str]) -> Family | None:
    """What a noun can stand for."""
    if noun in lex.persons:
        return "person"
    if noun in lex.bodies:
        return "body"
    if noun in lex.place_nouns:
        return "place"
    return "named" if noun in named else None


def modifiers(story: Story, anaphor: Anaphor) -> list[str]:
    """Folded words between the article and the noun."""
    skip = 0 if anaphor.form in ("bare", "of name") else 1
    return [fold(story.lower[k]) for k in range(anaphor.i + skip, anaphor.head)]
