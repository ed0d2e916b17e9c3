"""One class a name: what a story says of a name in one place holds in the others.

A bare surname takes its person's class, a country is a place wherever it stands, and where the parse wavers the
majority decides. Then the text is read again for places the parse passed over.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.stages.entities.lexicons import fold, lexicons
from pipeline.stages.entities.names import Name, spells

if TYPE_CHECKING:
    from spacy.tokens import Doc

    from models.document import Document

_OPENING, _CLOSING = frozenset(('"', "“", "‘")), frozenset(('"', "”", "’"))
_WORKS = frozenset(
    (
        "film",
        "movie",
        "book",
        "novel",
        "song",
        "album",
        "play",
        "series",
        "show",
        "debut",
        "single",
        "track",
        "painting",
    )
)
_SERVING = frozenset(
    (
        *("adviser", "advisor", "aide", "attorney", "lawyer", "nominee", "solicitor", "strategist"),
        *("spokesman", "spokesperson", "spokeswoman"),
    )
)
"""Who serves a person as often as a body: Trump adviser Stephen Miller."""
_FIRM = ("PERSON", "ORG", "GPE")


def consistent(parse: Doc, names: list[Name]) -> list[Name]:
    """``names`` with one class a name through the story."""
    persons = _persons(parse, names)
    names = [replace(name, label=told) if (told := _told(parse, name)) else name for name in names]
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for name in names:
        votes[fold(name.text(parse))][name.label] += 2 if name.role_i is not None or name.address else 1
    bodies = _bodies(parse, names)
    return [replace(name, label=_class(parse, name, persons, bodies, votes)) for name in names]


def _bodies(parse: Doc, names: list[Name]) -> set[str]:
    """First and last words of names of organisations of several words, where they are no place's or person's."""
    found: set[str] = set()
    other: set[str] = set()
    for name in names:
        words = [fold(token.text) for token in parse[name.i : name.j] if token.text[0].isupper()]
        if name.label == "ORG" and len(words) > 1:
            found.update((words[0], words[-1]))
        elif name.label in ("GPE", "LOC", "NORP") or (
            name.label == "PERSON" and (len(words) > 1 or name.role_i is not None)
        ):
            other.update(words)
    return found - other


def _persons(parse: Doc, names: list[Name]) -> set[str]:
    """Single words that are part of a person's full name, or were given a title."""
    words = lexicons()
    found: set[str] = set()
    for name in names:
        if name.label != "PERSON":
            continue
        tokens = [token.text for token in parse[name.i : name.j] if token.text[0].isalpha()]
        text = name.text(parse)
        if text in words.countries or len(tokens) > 5:
            continue
        sure = name.role_i is not None or name.address is not None
        if len(tokens) > 1 or sure:
            found.add(fold(tokens[-1]) if tokens else "")
        if len(tokens) > 1 and fold(tokens[0]) in words.genders:
            found.add(fold(tokens[0]))
    return found


def _class(parse: Doc, name: Name, persons: set[str], bodies: set[str], votes: dict[str, Counter[str]]) -> str:
    words = lexicons()
    if name.agency or name.known or name.label == "MONEY":
        return name.label
    text = name.text(parse)
    if name.role_i is not None or name.address:
        return "PERSON"
    if text in words.acronyms:
        return words.acronyms[text][0]
    if text in words.countries and name.label in ("GPE", "LOC", "ORG", "PERSON", "NORP", "PRODUCT"):
        return "GPE"
    if text in words.demonyms and name.label != "PERSON":
        return "NORP"
    tokens = [token.lower_ for token in parse[name.i : name.j]]
    if len(tokens) > 1 and (tokens[-1] in words.companies or _heads_organisation(tokens)):
        return "ORG" if name.label not in ("EVENT", "LAW", "WORK_OF_ART") else name.label
    if len(tokens) == 1 and fold(text) in persons and text[0].isupper():
        return "PERSON"
    if text in words.agencies:
        return "ORG"
    if len(tokens) == 1 and name.label == "PERSON" and tokens[0] in words.org_heads:
        return "ORG"  # Congress said
    if len(tokens) == 1 and name.label in ("PERSON", "MISC", "PRODUCT") and fold(text) in bodies:
        return "ORG"
    if text in words.capitals and name.label in ("ORG", "PERSON", "PRODUCT", "NORP", "LOC"):
        return "GPE"
    if name.label in ("ORG", "GPE", "LOC", "PRODUCT") and _is_given(parse, name):
        return "PERSON"
    surname = votes.get(fold(parse[name.j - 1].text))
    given = words.given(fold(parse[name.i].text))
    if name.label == "GPE" and 1 < len(tokens) < 4 and given and surname and set(surname) == {"PERSON"}:
        return "PERSON"  # Kendra Batiste, where Batiste says something further on
    count = votes[fold(text)]
    best = max(count.values())
    return name.label if count[name.label] == best else next(label for label, n in count.items() if n == best)


def _told(parse: Doc, name: Name) -> str | None:
    """The class the words around a name tell: letters that stand for it, what kind of body it is, marks of a title.

    ``Asom Yuva Parishad (AYP)``, ``pump maker Brenner Hydraulik``, ``Osaka-based Minami Seiko``, ``her debut "Gali"``.
    """
    if name.label != "PERSON" or name.known or name.role_i is not None or name.address or name.i == 0:
        return None
    words, i, j = lexicons(), name.i, name.j
    if words.given(fold(parse[i].text)):
        return None
    before, after = parse[i - 1], parse[j] if j < len(parse) else None
    if before.text in _OPENING and after is not None and (after.text in _CLOSING or parse[j : j + 2].text[-1] in '"”'):
        outer = parse[i - 2] if i > 1 else None
        work = outer is not None and outer.lower_ in _WORKS
        return "WORK_OF_ART" if work or (j - i > 1 and (outer is None or outer.pos_ != "PROPN")) else None
    if j + 2 < len(parse) and parse[j].text == "(" and parse[j + 2].text == ")" and j - i > 1:
        short = parse[j + 1].text
        if len(short) > 2 and short.isupper() and short.isalpha() and spells(parse, i, j, short):
            return "ORG"
    based = before.lower_ == "based" and i > 1 and parse[i - 2].text == "-"
    if before.text == "," and i > 1 and after is not None and after.text == ",":
        before = parse[i - 2]  # the supplier, Garner Biologics,
    kind = (
        bool(before.lower_ in words.bodies) and before.lower_ not in words.persons and before.lower_ not in words.heads
    )
    plain = before.text.islower() or bool(before.is_sent_start)
    kind = kind and before.pos_ in ("NOUN", "PROPN") and plain and j - i < 5
    chief = parse[j : j + 2]  # Jan Morcha chief Nand Sahay
    headed = (
        len(chief) == 2
        and (j - i > 1 or chief[0].lower_ not in _SERVING)
        and chief[0].text.islower()
        and chief[0].lower_ in words.heads
        and chief[1].pos_ == "PROPN"
    )
    return "ORG" if based or kind or headed else None


def _is_given(parse: Doc, name: Name) -> bool:
    """A given name and one or two more words in capitals, none an organisation's."""
    words, tokens = lexicons(), parse[name.i : name.j]
    return (
        1 < len(tokens) <= 3
        and fold(tokens[0].text) in words.genders
        and all(token.is_title and token.is_alpha for token in tokens)
        and not any(token.lower_ in words.org_heads or token.lower_ in words.companies for token in tokens)
    )


def _heads_organisation(tokens: list[str]) -> bool:
    words = lexicons()
    if "of" in tokens[1:]:
        return tokens[tokens.index("of", 1) - 1] in words.org_heads or tokens[-1] in words.org_heads
    if "for" in tokens[1:]:
        return tokens[tokens.index("for", 1) - 1] in words.org_heads
    return tokens[-1] in words.org_heads


def rescanned(document: Document, parse: Doc, names: list[Name]) -> list[Name]:
    """``names`` and the further places in the text where one of them stands untagged."""
    labels: dict[tuple[str, ...], str] = {}
    for name in names:
        tokens = tuple(token.text for token in parse[name.i : name.j])
        if name.label in ("MONEY",) or not tokens[0][0].isupper():
            continue
        if len(tokens) > 1 or name.label in _FIRM or name.label == "NORP":
            labels.setdefault(tokens, name.label)
        if name.label == "PERSON" and len(tokens) > 1 and len(tokens[-1]) > 2 and tokens[-1][0].isupper():
            labels.setdefault(tokens[-1:], "PERSON")
    by_first: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for tokens in sorted(labels, key=lambda t: (-len(t), t)):
        by_first[tokens[0]].append(tokens)
    taken = {k for name in names for k in range(name.i, name.j)}
    taken |= {k for name in names if name.role_i is not None for k in range(name.role_i, name.i)}
    found = []
    for token in parse:
        for tokens in by_first.get(token.text, ()):
            j = token.i + len(tokens)
            if j > len(parse) or any(k in taken for k in range(token.i, j)):
                continue
            if any(parse[token.i + k].text != word for k, word in enumerate(tokens)):
                continue
            if len(tokens) == 1 and not _is_name_here(parse, token.i):
                continue
            if document.zone(token.idx) in ("header", "embargo", "credit", "note"):
                continue
            found.append(Name(token.i, j, labels[tokens]))
            taken.update(range(token.i, j))
            break
    return sorted([*names, *found], key=lambda name: name.i)


def _is_name_here(parse: Doc, i: int) -> bool:
    """Whether a single word repeated is the name again, not part of another or the first word of a sentence."""
    token = parse[i]
    if token.pos_ not in ("PROPN", "NOUN", "ADJ", "X") and token.is_sent_start:
        return False
    before = parse[i - 1] if i else None
    after = parse[i + 1] if i + 1 < len(parse) else None
    glued = (before is not None and before.text == "-" and not before.whitespace_) or (
        after is not None and after.text == "-" and not token.whitespace_
    )
    joined = after is not None and after.pos_ == "PROPN" and after.is_title and token.whitespace_ == " "
    led = before is not None and before.pos_ == "PROPN" and before.is_title and before.whitespace_ == " "
    return not (glued or joined or led)
