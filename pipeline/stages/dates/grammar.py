"""The pattern language of ``patterns.toml``: classes of tokens, phrases, and the scan of a text.

A text is cut into tokens (runs of letters, runs of figures, stretches of space, single marks) and every token is
replaced by one character that stands for the set of classes it is in. A pattern is compiled to a regular expression
over those characters, so that matching is as fast as ``re`` is and offsets are token indices. Written are:

``word``        that word in any case; ``,`` ``.`` ``-`` ``/`` ``:`` ``'`` that mark
``<class>``     a token of a class of the lexicon, or a phrase of the patterns file
``<name=class>``  the same, kept under a name for the normaliser
`` ``           space between two tokens; ``~`` space or a hyphen
``(a|b)``, ``?``  choice, and what may be left out

There is no repetition, so the work for a story is linear in its length.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from typing import Any

from pipeline.stages.dates.calendar_rules import holidays
from pipeline.stages.dates.lexicon import HERE, classes, classes_of, data

_TOKEN = re.compile(r"[^\W\d_]+|[0-9]+|\s+|.", re.DOTALL)
_MARKS = {"–": "-", "‐": "-", "‑": "-", "’": "'"}
_OTHER, _SPACE, _BREAK = "x", " ", "\n"
_FIRST_CODE = 0x4E00
_LEFT = 14
"""How many tokens left of a trigger an expression may begin."""


@dataclass(frozen=True)
class Example:
    """A worked example of a pattern."""

    text: str
    found: str
    type: str
    value: str | None
    published: str | None = None
    mod: str | None = None


@dataclass(frozen=True)
class Pattern:
    """One kind of expression: how it is written, what reads its value, and a worked example."""

    name: str
    pattern: str
    normaliser: str
    example: Example
    options: dict[str, Any]
    order: int
    regex: re.Pattern[str] = field(repr=False)
    first: frozenset[str] = field(repr=False)


@dataclass(frozen=True)
class Match:
    """A pattern found in a text."""

    pattern: Pattern
    tokens: Tokens
    first: int
    last: int
    groups: dict[str, tuple[int, int]]

    @property
    def start(self) -> int:
        """Offset of the first character."""
        return self.tokens.offsets[self.first]

    @property
    def end(self) -> int:
        """Offset after the last character."""
        return self.tokens.offsets[self.last]

    @property
    def text(self) -> str:
        """What was matched."""
        return self.tokens.text[self.start : self.end]

    def __contains__(self, group: str) -> bool:
        return group in self.groups

    def __getitem__(self, group: str) -> str:
        """The text of a group, empty where it was left out."""
        if group not in self.groups:
            return ""
        first, last = self.groups[group]
        return self.tokens.text[self.tokens.offsets[first] : self.tokens.offsets[last]]

    def span(self, group: str) -> tuple[int, int]:
        """Offsets of a group."""
        first, last = self.groups[group]
        return self.tokens.offsets[first], self.tokens.offsets[last]


@dataclass(frozen=True)
class Tokens:
    """A text as tokens, their offsets (one more than tokens) and their class codes."""

    text: str
    offsets: list[int]
    codes: str

    def at(self, offset: int) -> int:
        """Index of the first token that begins at or after ``offset``."""
        return bisect_left(self.offsets, offset)


class _Codes(dict[str, str]):
    """Character of every token seen, by the token as written."""

    limit = 100_000

    def __init__(self, vocabulary: frozenset[str]) -> None:
        super().__init__({" ": _SPACE, "\n": _SPACE})
        self.vocabulary = vocabulary
        self.signatures: dict[frozenset[str], str] = {}

    def __missing__(self, token: str) -> str:
        code = self._code(token)
        if len(self) < self.limit:
            self[token] = code
        return code

    def _code(self, token: str) -> str:
        if token.isspace():
            return _BREAK if token.count("\n") > 1 or "\u2029" in token else _SPACE
        token = _MARKS.get(token, token)
        signature = classes_of(token)
        if (literal := token.lower()) in self.vocabulary:
            signature |= {"=" + literal}
        return self.of(signature) if signature else _OTHER

    def of(self, signature: frozenset[str]) -> str:
        return self.signatures.setdefault(signature, chr(_FIRST_CODE + len(self.signatures)))


class Grammar:
    """The compiled patterns. Build it with :func:`grammar`."""

    def __init__(self, source: dict[str, Any]) -> None:
        self.phrases: dict[str, str] = {**source["phrases"], "holiday": _holiday_phrase()}
        written = [*self.phrases.values(), *(entry["pattern"] for entry in source["pattern"] + source["prefix"])]
        words = _literals(written, {*self.phrases, *classes()})
        self.codes = _Codes(words)
        self._meet_all_words(words)
        self.patterns = [self._pattern(n, entry) for n, entry in enumerate(source["pattern"])]
        self.prefixes = [self._pattern(n, entry) for n, entry in enumerate(source["prefix"])]
        self._by_code = self._index(self.patterns)
        self._prefix_by_code = self._index(self.prefixes)
        triggers = set(data()["triggers"])
        trigger_codes = "".join(c for s, c in self.codes.signatures.items() if s & triggers)
        self._trigger = re.compile(f"[{re.escape(trigger_codes)}]")

    def tokens(self, text: str) -> Tokens:
        """Cut a text into coded tokens."""
        pieces = _TOKEN.findall(text)
        codes = self.codes
        return Tokens(text, [0, *accumulate(map(len, pieces))], "".join([codes[piece] for piece in pieces]))

    def candidates(self, tokens: Tokens) -> Iterator[tuple[int, int]]:
        """Stretches of token indices ``[from, trigger]`` in which an expression may begin, in order."""
        codes, done = tokens.codes, 0
        for found in self._trigger.finditer(codes):
            trigger = found.start()
            left = trigger
            while left > done and trigger - left < _LEFT and codes[left - 1] not in (_OTHER, _BREAK):
                left -= 1
            yield left, trigger
            done = trigger + 1

    def matches(self, tokens: Tokens, at: int) -> list[Match]:
        """All patterns that match at a token, the longest first, then in the order of the file."""
        return self._all(self._by_code, tokens, at)

    def prefix(self, tokens: Tokens, at: int) -> list[Match]:
        """All prefixes (``early``, ``the end of``, ``nearly``) that match at a token, the longest first."""
        return self._all(self._prefix_by_code, tokens, at)

    def _all(self, index: dict[str, list[Pattern]], tokens: Tokens, at: int) -> list[Match]:
        found = []
        for pattern in index.get(tokens.codes[at], ()) if at < len(tokens.codes) else ():
            match = pattern.regex.match(tokens.codes, at)
            if match:
                groups = {name: match.span(name) for name, got in match.groupdict().items() if got}
                found.append(Match(pattern, tokens, at, match.end(), groups))
        if len(found) > 1:
            found.sort(key=lambda m: (-m.last, m.pattern.order))
        return found

    def _meet_all_words(self, words: frozenset[str]) -> None:
        """Give every token that can be in a pattern its code before the patterns are compiled."""
        for name, table in data().items():
            if isinstance(table, dict) and name:
                for word in table:
                    for form in (word, word.title(), word.upper()):
                        self.codes[form]
        for word in sorted(words):
            for form in (word, word.title(), word.upper()):
                self.codes[form]
        for figures in (*map(str, range(2200)), *(f"{n:02}" for n in range(100)), *(f"{n:04}" for n in range(2401))):
            self.codes._code(figures)
        for figures in ("9999", "12345", "1234567", "123"):
            self.codes._code(figures)

    def _pattern(self, order: int, entry: dict[str, Any]) -> Pattern:
        node = _Parser(self._expand(entry["pattern"])).parse()
        regex = node.regex(self)
        first, nullable = node.first(self)
        if nullable:
            raise ValueError(f"the pattern {entry['name']!r} matches nothing")
        known = {"name", "pattern", "normaliser", "example"}
        return Pattern(
            name=entry["name"],
            pattern=entry["pattern"],
            normaliser=entry.get("normaliser", ""),
            example=Example(**entry["example"]),
            options={k: v for k, v in entry.items() if k not in known},
            order=order,
            regex=re.compile(regex),
            first=first,
        )

    def _expand(self, text: str) -> str:
        """Put phrases in the place of their names."""

        def phrase(found: re.Match[str]) -> str:
            name, _, class_ = found[1].rpartition("=")
            if class_ not in self.phrases:
                return found[0]
            inner = self._expand(self.phrases[class_])
            return f"{{{name}:{inner}}}" if name else f"({inner})"

        return re.sub(r"<([^>]*)>", phrase, text)

    def _index(self, patterns: list[Pattern]) -> dict[str, list[Pattern]]:
        index: dict[str, list[Pattern]] = {}
        for pattern in patterns:
            for code in sorted(pattern.first):
                index.setdefault(code, []).append(pattern)
        return index

    def class_codes(self, name: str) -> str:
        """Codes of all signatures that hold the class or ``=word``."""
        codes = self.codes.signatures.items()
        found = "".join(code for signature, code in codes if name in signature) or "".join(
            code for signature, code in codes if "=" + name in signature
        )
        if not found:
            raise ValueError(f"no token is in the class {name!r}")
        return found


def _literals(patterns: list[str], names: set[str]) -> frozenset[str]:
    """Words and marks written out in patterns, also as ``<name=word>`` where no class has that name."""
    found = {"-"}
    for text in patterns:
        found.update(re.findall(r"[a-z]+|[0-9]+|[,.\-/:'&]", re.sub(r"<[^>]*>", " ", text)))
        found.update(word for word in re.findall(r"<(?:\w+=)?(\w+)>", text) if word not in names)
    return frozenset(found)


# --- the pattern language ---


@dataclass
class _Node:
    """A piece of a pattern: ``set`` of codes, ``seq``, ``alt``, ``opt`` or a named ``group``."""

    kind: str
    parts: list[_Node] = field(default_factory=list)
    name: str = ""

    def codes(self, grammar: Grammar) -> str:
        if self.name in (" ", "~"):
            return _SPACE if self.name == " " else _SPACE + grammar.class_codes("=-")
        return grammar.class_codes(self.name)

    def regex(self, grammar: Grammar) -> str:
        inner = [part.regex(grammar) for part in self.parts]
        match self.kind:
            case "set":
                return f"[{re.escape(self.codes(grammar))}]"
            case "seq":
                return "".join(inner)
            case "alt":
                return f"(?:{'|'.join(inner)})"
            case "opt":
                return f"(?:{inner[0]})?"
            case _:
                return f"(?P<{self.name}>{inner[0]})"

    def first(self, grammar: Grammar) -> tuple[frozenset[str], bool]:
        """Codes it can begin with, and whether it can be empty."""
        if self.kind == "set":
            return frozenset(self.codes(grammar)), False
        inner = [part.first(grammar) for part in self.parts]
        if self.kind == "alt":
            return frozenset().union(*(codes for codes, _ in inner)), any(empty for _, empty in inner)
        if self.kind == "seq":
            found: frozenset[str] = frozenset()
            for codes, empty in inner:
                found |= codes
                if not empty:
                    return found, False
            return found, True
        return inner[0][0], self.kind == "opt" or inner[0][1]


class _Parser:
    _PIECE = re.compile(r"<(?:(\w+)=)?(\w+)>|\{(\w+):|([a-z]+|[0-9]+)|([ ~,.\-/:'&])|([()|?}])")

    def __init__(self, text: str) -> None:
        self.text = text
        self.pieces = list(self._PIECE.finditer(text))
        if "".join(piece[0] for piece in self.pieces) != text:
            raise ValueError(f"not a pattern: {text!r}")
        self.at = 0

    def parse(self) -> _Node:
        node = self._choice()
        if self.at != len(self.pieces):
            raise ValueError(f"unbalanced pattern: {self.text!r}")
        return node

    def _peek(self) -> str:
        return self.pieces[self.at][0] if self.at < len(self.pieces) else ""

    def _choice(self) -> _Node:
        options = [self._sequence()]
        while self._peek() == "|":
            self.at += 1
            options.append(self._sequence())
        return options[0] if len(options) == 1 else _Node("alt", options)

    def _sequence(self) -> _Node:
        parts: list[_Node] = []
        while self._peek() not in ("", "|", ")", "}"):
            if self._peek() == "?":
                self.at += 1
                parts[-1] = _Node("opt", [parts[-1]])
            else:
                parts.append(self._atom())
        return _Node("seq", parts)

    def _atom(self) -> _Node:
        piece = self.pieces[self.at]
        self.at += 1
        group, class_, phrase, word, mark, _ = piece.groups()
        if class_:
            node = _Node("set", name=class_)
            return _Node("group", [node], group) if group else node
        if word:
            return _Node("set", name="=" + word)
        if mark:
            return _Node("set", name=mark if mark in " ~" else "=" + mark)
        node = self._choice()
        self.at += 1
        return _Node("group", [node], phrase) if phrase else node


def _holiday_phrase() -> str:
    names = sorted(holidays(), key=lambda name: (-len(name), name))
    return "|".join(names)


@cache
def grammar() -> Grammar:
    """The patterns of ``patterns.toml``, compiled once."""
    return Grammar(tomllib.loads((HERE / "patterns.toml").read_text("utf-8")))
