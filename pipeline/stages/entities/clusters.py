"""One entity, all its names: exact repeats, surnames, short forms, acronyms, countries by any name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from pipeline.stages.entities.lexicons import Country, fold, lexicons
from pipeline.stages.entities.names import SMALL, Name, first_letters, spells

if TYPE_CHECKING:
    from spacy.tokens import Doc

    from pipeline.stages.entities.links import Known

_SWAPPED = str.maketrans({"q": "k", "g": "k", "c": "k", "w": "v", "z": "s", "j": "i"})
_PLACES = frozenset(("GPE", "LOC", "FAC"))


@dataclass
class Cluster:
    """An entity in the making."""

    label: str
    names: list[Name] = field(default_factory=list)
    keys: set[tuple[str, ...]] = field(default_factory=set)
    country: Country | None = None
    known: Known | None = None

    @property
    def first(self) -> int:
        """Token at which it is first named."""
        return min(name.i for name in self.names)


def acronyms(parse: Doc, names: Iterable[Name]) -> tuple[dict[str, Name], set[str]]:
    """Acronyms the story defines, ``Long Name (LN)`` or ``LN (Long Name)``: of a name, or of a common phrase.

    A common phrase such as a bilateral trade agreement (BTA) makes no entity of its letters.
    """
    ends = {name.j: name for name in names}
    starts = {name.i: name for name in names}
    defined: dict[str, Name] = {}
    common: set[str] = set()
    for i in range(1, len(parse) - 2):
        if parse[i].text != "(":
            continue
        short = parse[i + 1].text
        long = ends.get(i)
        # Sebi, Nato: many desks write letters that are read as a word like one.
        worded = long is not None and short.istitle() and fold(short) in first_letters(parse, long.i, long.j)
        if parse[i + 2].text == ")" and (worded or _letters(short)):
            if long is not None and long.j - long.i > 1:
                # Doctors Without Borders (MSF): the letters may be those of another language.
                foreign = long.label == "ORG" and short.isupper() and len(short) < 6
                if spells(parse, long.i, long.j, short) or (
                    foreign and short not in lexicons().acronyms and short not in lexicons().countries
                ):
                    defined[short] = long
            elif long is None and _phrase(parse, i, short):
                common.add(short)
        before = parse[i - 1].text
        inside = starts.get(i + 1) or starts.get(i + 2)
        if inside is None or inside.j - inside.i < 2 or inside.j >= len(parse) or parse[inside.j].text != ")":
            continue
        if _letters(before) and spells(parse, inside.i, inside.j, before):
            defined[before] = inside
    for name in names:
        # The Department of Forestry, or Cal Fire: a second name.
        after = starts.get(name.j + 2)
        if after is None or not after.label == name.label == "ORG" or name.j - name.i <= after.j - after.i:
            continue
        full = _key(parse, name)
        if not all(any(word.startswith(short) for word in full) for short in _key(parse, after)):
            continue  # Bank of America, or Citigroup
        if (
            parse[name.j].text == ","
            and parse[name.j + 1].lower_ == "or"
            and parse[after.j : after.j + 1].text in (",", ")")
        ):
            defined[after.text(parse)] = name
    return defined, common


def _letters(text: str) -> bool:
    plain = text.replace(".", "").replace("-", "")
    return 2 <= len(plain) <= 10 and plain.isalnum() and sum(c.isupper() for c in plain) >= 2


def _phrase(parse: Doc, i: int, short: str) -> bool:
    """Whether the words before the bracket at token ``i`` are a lower-case phrase with these initials."""
    letters = [c.casefold() for c in short if c.isalpha()]
    k = i - 1
    for letter in reversed(letters):
        while k >= 0 and parse[k].lower_ in SMALL and parse[k].lower_[:1] != letter:
            k -= 1
        if k < 0 or not parse[k].text[0].isalpha() or parse[k].lower_[0] != letter:
            return False
        k -= 1
    return any(parse[m].text[0].islower() for m in range(k + 1, i) if parse[m].lower_ not in SMALL)


def cluster(parse: Doc, names: list[Name], defined: dict[str, Name]) -> list[Cluster]:
    """Entities of ``names``, in the order of their first name."""
    clusters: list[Cluster] = []
    places = {fold(n.text(parse)) for n in names if n.label in _PLACES}
    # Full names first, so that short ones find what they belong to wherever they stand.
    for name in sorted(names, key=lambda n: (n.known is None, n.i - n.j, n.i)):
        key = _key(parse, name)
        if not key:
            continue
        home = _home(parse, name, key, clusters, defined, places)
        if home is None:
            home = Cluster(name.label, country=_country(parse, name), known=name.known)
            clusters.append(home)
        home.names.append(name)
        home.keys.add(key)
        if name.label in _PLACES and (head := _before_comma(parse, name)):
            home.keys.add(head)
    for home in clusters:
        home.names.sort(key=lambda n: n.i)
    return sorted(clusters, key=lambda c: c.first)


def _key(parse: Doc, name: Name) -> tuple[str, ...]:
    words: list[str] = []
    hyphen = False
    for token in parse[name.i : name.j]:
        if token.text[0].isalnum():
            if hyphen and words:  # Okonjo-Iweala is one word.
                words[-1] += "-" + fold(token.text)
            else:
                words.append(fold(token.text))
        hyphen = token.text in "-‐–" and not token.whitespace_
    return tuple(words)


def _before_comma(parse: Doc, name: Name) -> tuple[str, ...]:
    """Key of ``Livorno`` in ``Livorno, Tuscany``; empty where there is no comma."""
    comma = next((k for k in range(name.i + 1, name.j) if parse[k].text == ","), None)
    return () if comma is None else _key(parse, Name(name.i, comma, name.label))


def _country(parse: Doc, name: Name) -> Country | None:
    text = name.text(parse)
    if name.label == "GPE":
        return lexicons().countries.get(text)
    return None


def _home(
    parse: Doc,
    name: Name,
    key: tuple[str, ...],
    clusters: list[Cluster],
    defined: dict[str, Name],
    places: set[str],
) -> Cluster | None:
    same = [c for c in clusters if c.label == name.label or (c.label in _PLACES and name.label in _PLACES)]
    if name.known is not None:
        return next(
            (c for c in same if c.known and (c.known.name, c.known.id) == (name.known.name, name.known.id)), None
        )
    if country := _country(parse, name):
        return next((c for c in same if c.country == country), None)
    if exact := [c for c in same if key in c.keys]:
        return _nearest(exact, name)
    text = name.text(parse)
    if name.label == "PERSON":
        fits = [c for c in same if any(_same_person(key, other) for other in c.keys)]
        return _nearest(fits or [c for c in same if any(_spelt_alike(key, other) for other in c.keys)], name)
    if name.label in _PLACES:
        capital = lexicons().capitals.get(text)
        return next((c for c in same if _same_place(key, text, capital, c, parse)), None)
    if name.label == "ORG":
        if text in defined:
            full = _key(parse, defined[text])
            return next((c for c in same if full in c.keys), None)
        if text in lexicons().acronyms:
            full = tuple(fold(word) for word in lexicons().acronyms[text][1].replace("'s", " 's").split())
            return next((c for c in same if any(_is_called(k, full) for k in c.keys)), None)
        near = [c for c in same if any(_short_form(key, other) for other in c.keys)]
        if not near and _letters(text):
            near = [c for c in same if any(_letters_of(key[0], other) for other in c.keys)]
        if not near and len(key) == 1 and key[0] in lexicons().org_heads:
            # "the Court" after "Supreme Court": the last one so called.
            called = [c for c in same if any(key[0] in other for other in c.keys) and c.first < name.i]
            near = [found] if (found := _nearest(called, name)) is not None else []
        return near[0] if len(near) == 1 and " ".join(key) not in places else None
    return None


def _same_place(key: tuple[str, ...], text: str, capital: Country | None, other: Cluster, parse: Doc) -> bool:
    """``Kiev`` and ``Kyiv``, ``Taipei`` and ``Taipei City``, ``NSW`` and ``New South Wales``, ``the North``."""
    if other.country is not None:
        return key in (("north",), ("south",)) and any(len(full) == 2 and full[:1] == key for full in other.keys)
    if capital is not None and any(lexicons().capitals.get(n.text(parse)) == capital for n in other.names):
        return True
    if any(full == (*key, "city") for full in other.keys):
        return True
    return len(key) == 1 and _letters(text) and any(_letters_of(key[0], full) for full in other.keys)


def _letters_of(short: str, full: tuple[str, ...]) -> bool:
    """Whether ``short`` is made of the first letters of a name of several words, small words counting or not."""
    if len(full) < 2:
        return False
    big = [word for word in full if word not in SMALL]
    if len(short) == 2 and len(big) > 2 and big[-1] == "court":  # the HC, the SC
        return short == "".join(word[:1] for word in big[-2:])
    return short in ("".join(word[:1] for word in full), "".join(word[:1] for word in big))


def _spelt_alike(key: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two persons' names differ only as transliterations and slips do: ``Zelensky``, ``Zelenskyy``."""
    if len(key) == 1 and len(other) > 1:
        return _alike(key[0], other[-1]) or _slipped(key[0], other[-1])
    if len(key) != len(other) or len(key) < 2:
        return False
    return all(a == b or _alike(a, b) for a, b in zip(key, other, strict=True))


def _alike(a: str, b: str) -> bool:
    shorter = min(len(a), len(b))
    if shorter < 5 or abs(len(a) - len(b)) > 2 or _skeleton(a) != _skeleton(b):
        return False
    return _distance(a, b) <= (1 if shorter < 8 else 2)


def _slipped(short: str, full: str) -> bool:
    """Whether a surname lost or gained its last letter but is otherwise another's: ``Water`` for ``Waters``."""
    return (
        abs(len(short) - len(full)) == 1
        and min(len(short), len(full)) >= 5
        and (full.startswith(short) or short.startswith(full))
        and not lexicons().given(short)
    )


def _skeleton(word: str) -> str:
    """Consonants, those that alphabets swap made one, each once in a row."""
    found = ""
    for letter in word.translate(_SWAPPED):
        if letter not in "aeiouy-'’" and letter != found[-1:]:
            found += letter
    return found


def _distance(a: str, b: str) -> int:
    """Letters to change, add or leave out (Levenshtein 1966)."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def _nearest(found: list[Cluster], name: Name) -> Cluster | None:
    """Of several that fit, the one last named before ``name``."""
    if len(found) < 2:
        return found[0] if found else None
    return max(found, key=lambda c: max((n.i for n in c.names if n.i <= name.i), default=-1))


def _same_person(short: tuple[str, ...], full: tuple[str, ...]) -> bool:
    if len(short) == 1:
        return len(full) > 1 and (short[0] == full[-1] or (short[0] == full[0] and len(short[0]) > 2))
    if short[-1] != full[-1]:
        return len(short) < len(full) and short == full[: len(short)]
    if len(short) < len(full) and short == full[-len(short) :]:
        return True  # Benitez Rolon of Hernan Benitez Rolon
    first, other = short[0], full[0]
    return first == other or (first[:1] == other[:1] and (len(first) <= 2 or len(other) <= 2))


def _is_called(key: tuple[str, ...], full: tuple[str, ...]) -> bool:
    return key == full or key == tuple(word for word in full if word not in SMALL)


def _short_form(short: tuple[str, ...], full: tuple[str, ...]) -> bool:
    """``State Department`` of ``US State Department``, ``Tata Motors`` of ``Tata Motors Ltd``."""
    words = lexicons()
    if len(short) > 1 and _same_words(short, full):
        return True
    if len(short) >= len(full):
        return False
    if full[-len(short) :] == short and (len(short) > 1 or short[0] not in words.org_heads):
        return True
    rest = full[len(short) :]
    if full[: len(short)] != short:
        return False
    if rest[0] == "of" or (rest[0] == "for" and len(short) > 1):  # "the Church" of "Church of Norway"
        return True
    kinds = words.companies | words.org_heads | words.bodies
    return all(word in kinds for word in rest) and (len(short) > 1 or short[0] not in words.org_heads)


def _same_words(short: tuple[str, ...], full: tuple[str, ...]) -> bool:
    """``Justice Department`` and ``US Department of Justice``: the same words but for the country's."""
    one, two = set(short).difference(SMALL), set(full).difference(SMALL)
    if not one or not one <= two or not one & lexicons().org_heads:
        return False
    return all(word in _lands() for word in two - one)


@cache
def _lands() -> frozenset[str]:
    """Folded names of countries and their people, of one word."""
    words = lexicons()
    return frozenset(fold(name) for name in (*words.countries, *words.demonyms) if " " not in name)
