"""Names: where they stand and of which class, from the parse's own entities.

This is the part a better model replaces. It gives bare names: no article, no possessive, no title; the title is
kept as the name's role.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.encoder import GROUP
from pipeline.stages.entities.lexicons import fold, lexicons

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

    from models.document import Document
    from pipeline.stages.entities.links import Known

KEPT = frozenset(
    ("PERSON", "ORG", "GPE", "LOC", "FAC", "NORP", "PRODUCT", "EVENT", "WORK_OF_ART", "LAW", "MISC", "MONEY")
)
_ARTICLES = frozenset(("the", "a", "an"))
_TAILS = frozenset(("'s", "’s", "'", "’", "s’", "s'"))
_MARKS = frozenset('",;:.!?()[]“”‘`-—–_')
_FURNITURE = frozenset(("header", "embargo", "credit", "note"))
_IN_TITLE = frozenset(("PROPN", "NOUN", "ADJ"))
_BEFORE_TITLE = 2
"""Most words of a name, as the encoder gives it, that may stand before a title within it."""
_BROKEN = 48
"""Shortest line a hard-wrapped feed breaks, in code points."""
SMALL = frozenset(("of", "and", "the", "for", "in", "on", "to", "&", "-", "de", "la", "du", "des", "del", "da", "do"))
_LINKS = frozenset(("of", "for", "and", "&"))


@dataclass(frozen=True)
class Name:
    """A name at tokens ``[i, j)`` of the parse. ``role`` is the title before it, as tokens ``[role_i, i)``.

    ``known`` is the row of the user's table that it stands in.
    """

    i: int
    j: int
    label: str
    role_i: int | None = None
    address: str | None = None
    agency: bool = False
    known: Known | None = None

    def text(self, parse: Doc) -> str:
        """The name as written."""
        return str(parse[self.i : self.j].text)


def find(document: Document, parse: Doc, known: tuple[Known, ...] = ()) -> list[Name]:
    """The names of a story, in order, none overlapping; those of the user's table before all others."""
    found = _of_the_user(document, parse, known) if known else []
    taken = {k for name in found for k in range(name.i, name.j)}
    for name in _candidates(parse):
        if not taken.intersection(range(name.i, name.j)) and document.zone(parse[name.i].idx) not in _FURNITURE:
            found.append(name)
            taken.update(range(name.i, name.j))
    found += _places(document, parse, taken)
    found += _known(document, parse, taken)
    found += _agency(document, parse, taken)
    found = _spelt_out(parse, _whole(parse, found))
    found = [_titled(parse, name) for name in found]
    found = _after_titles(document, parse, found)
    # The encoder knows a title from a name; the stock model's slips are taken out.
    return found if GROUP in parse.spans else _without_fragments(parse, found)


def _whole(parse: Doc, names: list[Name]) -> list[Name]:
    """``names`` with those of companies in one piece: what stands before ``Forgings Ltd`` is the front of its name."""
    words = lexicons()
    found: list[Name] = []
    for name in sorted(names, key=lambda n: n.i):
        last = found[-1] if found else None
        if (
            last is not None
            and last.j == name.i
            and name.label == "ORG"
            and parse[name.j - 1].lower_ in words.companies
            and last.label in ("PERSON", "ORG", "GPE", "LOC", "PRODUCT", "MISC")
            and not (last.known or name.known)
        ):
            found[-1] = Name(last.i, name.j, "ORG")
        else:
            found.append(name)
    return found


def _spelt_out(parse: Doc, names: list[Name]) -> list[Name]:
    """``names`` with every phrase in capitals that the letters in the brackets after it spell: the CM's Office (CMO).

    After Schwartz and Hearst 2003, the first letters of the words, all or the capital ones, and no others.
    """
    held = {k: name for name in names for k in range(name.i, name.j)}
    made: list[Name] = []
    gone: set[Name] = set()
    for k in range(2, len(parse) - 2):
        short = parse[k + 1].text
        if parse[k].text != "(" or parse[k + 2].text != ")" or not (short.isupper() and len(short) > 2):
            continue
        last = parse[k - 1].lower_
        if last in _TAILS or last in lexicons().persons or last in lexicons().heads:
            continue
        for i in range(max(k - len(short) - 4, 0), k - 1):
            capital = all(t.text[0].isupper() or t.lower_ in SMALL or t.text in _TAILS for t in parse[i:k])
            if not capital or parse[i].lower_ in SMALL or short.casefold() not in first_letters(parse, i, k):
                continue
            here = {held[m] for m in range(i, k) if m in held}
            parts = all(i <= name.i and name.j <= k and name.label not in ("GPE", "LOC") for name in here)
            if parts and not any((name.i, name.j) == (i, k) or name.known for name in here):
                gone |= here
                made.append(Name(i, k, "ORG"))
            break
    return sorted([*(name for name in names if name not in gone), *made], key=lambda name: name.i)


def _of_the_user(document: Document, parse: Doc, known: tuple[Known, ...]) -> list[Name]:
    """Every place where a name of the user's table stands, whole words, as written in the table, the longest first.

    Where it is but a part of a longer name, that name is left whole.
    """
    found: list[Name] = []
    taken: set[int] = set()
    for row in known:
        at = document.text.find(row.alias)
        while at >= 0:
            span = parse.char_span(at, at + len(row.alias))
            at = document.text.find(row.alias, at + 1)
            if span is None or taken.intersection(range(span.start, span.end)):
                continue
            if not _is_part(parse, span.start, span.end) and document.zone(span.start_char) not in _FURNITURE:
                found.append(Name(span.start, span.end, row.label, known=row))
                taken.update(range(span.start, span.end))
    return sorted(found, key=lambda name: name.i)


def _is_part(parse: Doc, i: int, j: int) -> bool:
    """Whether tokens ``[i, j)`` are but a part of a name: another of its words stands right beside them."""
    words = lexicons()
    if i > 0 and parse[i - 1].whitespace_ and parse[i - 1].pos_ == "PROPN" and not parse[i - 1].is_sent_start:
        low = parse[i - 1].lower_.rstrip(".")
        if low not in words.heads and low not in words.modifiers and low not in words.address and low not in _ARTICLES:
            return True
    if i > 0 and parse[i - 1].whitespace_ and parse[i - 1].dep_ == "compound" and i <= parse[i - 1].head.i < j:
        low = parse[i - 1].lower_.rstrip(".")
        return parse[i - 1].pos_ == "PROPN" and low not in words.heads and low not in words.address
    return j < len(parse) and parse[j].pos_ == "PROPN" and parse[j].is_title and bool(parse[j - 1].whitespace_)


def _candidates(parse: Doc) -> list[Name]:
    found = []
    for ent in parse.ents:
        if ent.label_ in KEPT:
            for start, end in _pieces(parse, ent.start, ent.end, ent.label_):
                name = _trimmed(parse, Name(start, end, ent.label_))
                if name is not None:
                    found.append(_placed(parse, name))
    return found


def _placed(parse: Doc, name: Name) -> Name:
    """Places of the encoder, which does not tell polities from other places: those that name no landform are."""
    if name.label != "LOC":
        return name
    words = lexicons()
    landform = any(parse[k].text.rstrip(".") in words.landforms for k in {name.i, name.j - 1})
    return name if landform or name.text(parse) in words.regions else replace(name, label="GPE")


def _pieces(parse: Doc, start: int, end: int, label: str) -> list[tuple[int, int]]:
    """A name that runs on into brackets, ``World Health Organization (WHO``, is two."""
    for k in range(start + 1, end - 1):
        if label == "PERSON" and parse[k].text in lexicons().sport["dismissals"]:
            return [(start, k), *_pieces(parse, k + 1, end, label)]
        if parse[k].text == "(" and ")" not in (token.text for token in parse[k : end - 1]):
            return [(start, k), (k + 1, end)]
        if parse[k].text == ")" and "(" not in (token.text for token in parse[start:k]):
            return [(start, k), *_pieces(parse, k + 1, end, label)]
    return [(start, end)]


def _trimmed(parse: Doc, name: Name) -> Name | None:
    """``name`` without article, possessive, marks and what stands behind a line break."""
    i, j = name.i, name.j
    for k in range(i, j):
        # A line break within a sentence is a hard-wrapped feed's; a gap, or a bracket, ends a name.
        gap = parse[k].text.count("\n") if parse[k].is_space else 0
        if k > i and (parse[k].text in "([" or gap > 1 or (gap and _short_line(parse, k))):
            j = k
            break
    # "Brokerage Carrow Securities": capital for the sentence's sake.
    trade = parse[i].is_sent_start and parse[i].lower_ in lexicons().trades
    if trade and j - i > 1 and name.label in ("ORG", "PERSON") and parse[i + 1].text[0].isupper():
        i += 1
    # The initial of A S Marathe is no article.
    initial = name.label == "PERSON" and parse[i].text == "A" and j - i > 2 and len(parse[i + 1].text.rstrip(".")) == 1
    while (
        not initial
        and i < j
        and (parse[i].lower_ in _ARTICLES or (not parse[i].text[0].isalnum() and parse[i].text not in "$€£₹"))
    ):
        i += 1
    while j > i and (parse[j - 1].text in _TAILS or parse[j - 1].is_space or parse[j - 1].text in _MARKS):
        j -= 1
    while j - i > 1 and parse[j - 1].lower_ in ("of", "the", "and", "for", "in", "on", "at", "to"):
        j -= 1
    if i >= j:
        return None
    text = str(parse[i:j].text)
    if name.label != "MONEY" and not any(c.isupper() for c in text):
        return None
    return replace(name, i=i, j=j)


def _short_line(parse: Doc, k: int) -> bool:
    """Whether the line that ends at token ``k`` was not broken for its length, as those of a table are."""
    end = parse[k].idx
    return end - max(parse.text.rfind("\n", 0, end), 0) < _BROKEN


def _known(document: Document, parse: Doc, taken: set[int]) -> list[Name]:
    """Countries, capitals, nationalities and well-known acronyms that the parse overlooked."""
    words = lexicons()
    found = []
    for token in parse:
        if token.i in taken or not token.text[0].isupper():
            continue
        label = None
        if token.text in words.acronyms:
            label = words.acronyms[token.text][0]
        elif token.text in words.countries and token.pos_ == "PROPN":
            label = "GPE"
        elif token.text in words.demonyms:
            label = "NORP"
        elif token.text in words.capitals and words.capitals[token.text].capital_id and token.pos_ == "PROPN":
            label = "GPE"
        neighbour = token.i + 1 < len(parse) and parse[token.i + 1].pos_ == "PROPN" and token.i + 1 not in taken
        if label and not neighbour and document.zone(token.idx) not in _FURNITURE:
            found.append(Name(token.i, token.i + 1, label))
            taken.add(token.i)
    return found


def _places(document: Document, parse: Doc, taken: set[int]) -> list[Name]:
    """Regions, seas, and countries of several words that the parse overlooked."""
    found = []
    for token in parse:
        for place, label in lexicons().places.get(token.text, ()):
            span = parse.char_span(token.idx, token.idx + len(place))
            if span is None or span.text != place or any(k in taken for k in range(span.start, span.end)):
                continue
            after = parse[span.end] if span.end < len(parse) else None
            if after is not None and after.pos_ == "PROPN" and after.is_title and span[-1].whitespace_:
                continue
            if document.zone(token.idx) not in _FURNITURE:
                found.append(Name(span.start, span.end, label))
                taken.update(range(span.start, span.end))
                break
    return found


def _agency(document: Document, parse: Doc, taken: set[int]) -> list[Name]:
    """The agency credited in the dateline, whatever the parse took it for."""
    found = []
    for zone in document.zones:
        if zone.kind != "dateline":
            continue
        for token in parse:
            if token.idx >= zone.end:
                break
            if token.idx >= zone.start and token.text in lexicons().agencies and token.i not in taken:
                found.append(Name(token.i, token.i + 1, "ORG", agency=True))
                taken.add(token.i)
    return found


def _titled(parse: Doc, name: Name) -> Name:
    """``name`` with forms of address and titles moved out of the span, into ``address`` and ``role_i``."""
    words = lexicons()
    if name.text(parse) in words.countries or (name.known and name.label != "PERSON"):  # Sri Lanka has no title
        return name
    if name.label == "PERSON" and not name.known:
        i = name.i
        while (
            i > 0
            and len(parse[i - 1].text.rstrip(".")) == 1
            and parse[i - 1].text[0].isupper()
            and _middle(parse, i - 1)
        ):
            i -= 1  # A S Marathe
        if name.j - i > 2 and parse[i].text in words.demonyms:
            i += 1  # Briton Lionel Heath
        name = replace(name, i=i)
    i = name.i
    address = None
    for k in range(name.i, name.j - 1):
        low = parse[k].lower_.rstrip(".")
        if low in words.address:
            address = words.address[low]
        elif not (name.label == "PERSON" and (low in words.heads or low in words.modifiers)):
            if name.label == "PERSON" and k < name.i + _BEFORE_TITLE and parse[k].text not in ",-":
                continue  # Republican Sen. Tom Garrity: what stands before a title goes with it
            break
        i = k + 1
    before = parse[i - 1].lower_.rstrip(".") if i > 0 else ""
    if before in words.address and parse[i - 1].text[0].isupper():
        address = address or words.address[before]
        outer = _title_start(parse, i - 1)
        role = outer if outer is not None else (i - 1 if before in words.heads else None)
    else:
        role = _title_start(parse, i)
    if role is None and i > name.i:
        role = name.i
    if i == name.i and role is None and address is None:
        return name
    label = name.label
    if label != "PERSON" and parse[i].text[0].isupper() and not _is_organisation(parse, i, name.j):
        text = str(parse[i : name.j].text)
        place = text in words.countries or text in words.demonyms or text in words.capitals
        adjacent = role is not None and parse[i - 1].lower_ in words.heads and parse[i - 1].text[0].isupper()
        if (address and address != "any") or (adjacent and not place and label not in ("MONEY", "NORP", "WORK_OF_ART")):
            label = "PERSON"
    if label != "PERSON":
        return name
    return replace(name, i=i, label=label, role_i=role, address=address)


def _middle(parse: Doc, k: int) -> bool:
    """Whether a capital letter at token ``k`` is an initial: within its sentence, and no name's own."""
    return not parse[k].is_sent_start and not parse[k].ent_type_ and parse[k].pos_ in ("PROPN", "DET", "NOUN", "X")


def _title_start(parse: Doc, end: int) -> int | None:
    """First token of a title that ends just before token ``end``; None where there is none."""
    words = lexicons()
    k, start, headed = end - 1, end, False
    while k >= 0 and end - k <= 12:
        token = parse[k]
        low = token.lower_.rstrip(".")
        if token.text == ")" and start == end:  # Lt Gen (retd), Assistant Commissioner (Cyber)
            opening = next((m for m in range(k - 1, max(k - 4, 0), -1) if parse[m].text == "("), 0)
            if opening > 0 and parse[opening - 1].text[0].isupper():
                k = opening - 1
                continue
        if token.is_space or (token.is_sent_start and k + 1 < end and parse[k + 1].is_sent_start):
            break
        if low in words.heads and (token.pos_ in _IN_TITLE or token.text[0].isupper()):
            headed, start = True, k
        elif not headed and (jump := _of_title(parse, k)) is not None:
            headed, start, k = True, jump, jump
        elif low in words.modifiers and (headed or token.text[0].isupper()):
            start = k if headed else start
        elif not headed:
            break
        elif (
            token.text[0].isupper() and token.pos_ in _IN_TITLE and token.ent_type_ not in ("PERSON", "DATE", "TIME")
        ) or (token.text == "-" and k and parse[k - 1].text[0].isalnum()):
            start = k
        elif not (low in _LINKS and k and (parse[k - 1].text[0].isupper() or parse[k - 1].lower_ in words.heads)):
            break
        if parse[k].is_sent_start:
            break
        k -= 1
    return start if headed and start < end else None


def _of_title(parse: Doc, k: int) -> int | None:
    """For ``Secretary of State`` ending at token ``k``: where ``Secretary`` stands; ``Leader of the House``."""
    words = lexicons()
    m = k
    for _ in range(2):  # Minister of State for Chemicals and Fertilisers
        last = m
        while m > 0 and last - m < 5 and (parse[m].text[0].isupper() or parse[m].lower_ in ("and", "&", ",")):
            m -= 1
        article = 1 if parse[m].lower_ == "the" and m > 1 else 0
        if not (article < m < last and parse[m - article].lower_ in ("of", "for")):
            return None
        m -= article + 1
        if parse[m].lower_ in words.heads:
            return m
    return None


def _is_organisation(parse: Doc, i: int, j: int) -> bool:
    words = lexicons()
    return any(parse[k].lower_ in words.org_heads or parse[k].lower_ in words.companies for k in range(i, j))


def _after_titles(document: Document, parse: Doc, names: list[Name]) -> list[Name]:
    """Names that follow a title in capitals and that the parse left out."""
    words = lexicons()
    taken = {k for name in names for k in range(name.i, name.j)}
    found = []
    for token in parse:
        low = token.lower_.rstrip(".")
        if token.i + 1 >= len(parse) or not token.text[0].isupper() or token.i in taken:
            continue
        if low not in words.heads and words.address.get(low, "any") == "any":
            continue
        j = token.i + 1
        while j < len(parse) and j not in taken and _bare(parse[j]) and j - token.i <= 4:
            j += 1
        if j < len(parse) and parse[j].text[0].isupper() and parse[j].lower_.rstrip(".") in words.heads:
            continue  # Chief Financial Officer
        if (
            j > token.i + 1
            and document.zone(token.idx) not in _FURNITURE
            and not _is_organisation(parse, token.i + 1, j)
        ):
            found.append(_titled(parse, Name(token.i + 1, j, "PERSON")))
            taken.update(range(token.i + 1, j))
    return sorted([*names, *found], key=lambda name: name.i)


def _bare(token: Token) -> bool:
    words = lexicons()
    low = token.lower_.rstrip(".")
    known = low in words.heads or low in words.modifiers or low in words.org_heads or low in words.address
    return token.pos_ == "PROPN" and token.is_title and not known and not token.ent_type_


def _without_fragments(parse: Doc, names: list[Name]) -> list[Name]:
    """Drop organisations and persons that are but a piece of a title, or a title without a name."""
    words = lexicons()
    titles = [(name.role_i, name.i) for name in names if name.role_i is not None]
    kept = []
    for name in names:
        if name.known is not None:
            kept.append(name)
            continue
        inside = any(i <= name.i and name.j <= j for i, j in titles)
        if inside and name.label in ("ORG", "PERSON", "PRODUCT", "WORK_OF_ART", "LAW", "FAC", "LOC"):
            text = name.text(parse)
            if not (_is_organisation(parse, name.i, name.j) or (text.isupper() and len(text) > 1)):
                continue
        if name.label != "PERSON" and not name.agency and _only_title(parse, name, words.heads, words.modifiers):
            continue
        kept.append(name)
    return kept


def _only_title(parse: Doc, name: Name, heads: frozenset[str], modifiers: frozenset[str]) -> bool:
    tokens = [token.lower_ for token in parse[name.i : name.j]]
    if _is_organisation(parse, name.i, name.j):
        return False
    if "of" in tokens[1:]:
        return tokens[tokens.index("of", 1) - 1] in heads
    return tokens[-1] in heads and all(word in modifiers or word in heads for word in tokens)


def spells(parse: Doc, i: int, j: int, short: str) -> bool:
    """Whether ``short`` can be made of the words' first letters, small words counting or not, gaps allowed."""
    words = [token.text for token in parse[i:j] if token.text[0].isalnum()]
    # I4C is ICCCC: a figure is how often the next letter stands.
    plain = re.sub(r"([2-9])([A-Za-z])", lambda m: m[2] * int(m[1]), short)
    wanted = [c.casefold() for c in plain if c.isalnum()]
    firsts, big = first_letters(parse, i, j)
    letters = "".join(wanted)
    # Italian Episcopal Conference (CEI): the letters follow the order of another language.
    if len(letters) > 2 and sorted(letters) == sorted(big):
        return True
    if letters in (firsts, big) or (len(letters) > 1 and (firsts.endswith(letters) or big.endswith(letters))):
        return True
    # TASMAC, Interpol: letters in order through the name, the first one of the first word.
    flat = fold("".join(words))
    at = 0
    for letter in letters:
        at = flat.find(letter, at) + 1
        if not at:
            return False
    return flat[:1] == letters[:1] and len(words) >= 2


def first_letters(parse: Doc, i: int, j: int) -> tuple[str, str]:
    """First letters of the words, all of them and without small ones."""
    words = [token.text for token in parse[i:j] if token.text[0].isalnum()]
    return (
        "".join(fold(word)[:1] for word in words),
        "".join(fold(word)[:1] for word in words if word.lower() not in SMALL),
    )
