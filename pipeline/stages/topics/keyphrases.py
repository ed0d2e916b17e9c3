"""Keyphrases: noun phrases and names that stand for the story, by place, frequency and rarity.

Candidates are runs of adjectives and nouns that end in a noun, taken inside one sentence, and the names of merged
entities. The weight of a phrase is its frequency, damped, times the mean rarity of its words, more for phrases
of two to four words, for those near the top and for those that speak for a topic. What stands inside a phrase
already listed, or holds one, is not listed again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from models.document import Keyphrase
from pipeline.stages.topics.evidence import Found, idf
from pipeline.stages.topics.words import stem

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

    from models.document import Document

_WORD = re.compile(r"[^\W_]+(?:[.&'’][^\W_]+)*")
_MODIFIERS = frozenset({"ADJ", "NOUN", "PROPN"})
_HEADS = frozenset({"NOUN", "PROPN"})
_NAMES = frozenset({"PERSON", "ORG", "GPE", "LOC", "FAC", "EVENT", "NORP", "PRODUCT", "LAW", "WORK_OF_ART"})
_LONGEST = 4
_VAGUE_WORDS = """
    other such same last next first second third recent new many several few more most own former late
    early previous current due able various certain further later earlier main whole total year month
    week day time people person percent cent million billion thing way lot number part today tomorrow
    yesterday monday tuesday wednesday thursday friday saturday sunday morning afternoon evening night
    january february march april may june july august september october november december statement mr
    mrs ms
"""
_VAGUE = frozenset(_VAGUE_WORDS.split())
"""Words that open or make up phrases without saying what a story is about."""


@dataclass
class _Phrase:
    text: str
    stems: tuple[str, ...]
    start: int
    end: int
    count: int = 1
    name: bool = False


def keyphrases(document: Document, parse: Doc, found: list[Found], most: int) -> list[Keyphrase]:
    """The best phrases of the story, best first."""
    if not most:
        return []
    phrases: dict[tuple[str, ...], _Phrase] = {}
    for phrase in (*_names(document), *_nouns(document, parse)):
        known = phrases.get(phrase.stems)
        if known is None:
            phrases[phrase.stems] = phrase
        elif not known.name:
            known.count += phrase.count
    _count_within(phrases)
    speaks = {item.term.stems: max(item.term.votes.values()) for item in found}
    scored = sorted(((_weight(p, speaks), p) for p in phrases.values()), key=lambda pair: (-pair[0], pair[1].start))
    best = scored[0][0] if scored else 1.0
    kept: list[_Phrase] = []
    chosen: list[Keyphrase] = []
    for weight, phrase in scored:
        if len(chosen) == most:
            break
        if any(_repeats(phrase, other) for other in kept):
            continue
        kept.append(phrase)
        score = round(weight / best, 3)
        chosen.append(Keyphrase(text=phrase.text, score=score, start=phrase.start, end=phrase.end))
    return chosen


def _names(document: Document) -> Iterator[_Phrase]:
    for entity in document.entities:
        if entity.label not in _NAMES or entity.agency:
            continue
        named = [m for m in entity.mentions if m.kind == "name" and document.zone(m.start) in {"body", "headline"}]
        first = next((m for m in named if m.text == entity.name), named[0] if named else None)
        if first is None or "\n" in first.text:
            continue
        # Words as the parse cuts them, so that a name and the nouns it is made of are one phrase.
        stems = tuple(stem(word) for word in _WORD.findall(first.text))
        if not stems:
            continue
        yield _Phrase(first.text, stems, first.start, first.end, len(named), name=True)


def _nouns(document: Document, parse: Doc) -> Iterator[_Phrase]:
    furniture = [z for z in document.zones if z.kind != "headline"]
    run: list[Token] = []
    for token in parse:
        if run and (token.is_sent_start or token.pos_ not in _MODIFIERS or not token.is_alpha):
            # A hyphen inside a compound goes with its words.
            if token.text == "-" and not token.is_sent_start and not run[-1].whitespace_ and not token.whitespace_:
                run.append(token)
                continue
            yield from _trimmed(run, document.text, furniture)
            run = []
        if token.pos_ in _MODIFIERS and token.is_alpha:
            run.append(token)
    yield from _trimmed(run, document.text, furniture)


def _trimmed(run: list[Token], story: str, furniture: list[Any]) -> Iterator[_Phrase]:
    while run and (run[-1].pos_ not in _HEADS or run[-1].lower_ in _VAGUE):
        run.pop()
    while run and (run[0].lower_ in _VAGUE or not run[0].is_alpha or _mid_word(run[0])):
        run.pop(0)
    words = [token for token in run if token.is_alpha]
    if not 1 <= len(words) <= _LONGEST or all(token.pos_ == "PROPN" for token in words):
        return
    start, end = run[0].idx, run[-1].idx + len(run[-1])
    if any(zone.start < end and start < zone.end for zone in furniture):
        return
    text = story[start:end]
    if "\n" in text or (len(words) == 1 and len(text) < 4):
        return
    yield _Phrase(text, tuple(stem(token.text) for token in words), start, end)


def _mid_word(token: Token) -> bool:
    """Whether a hyphen ties the token to what stands before it, as in ``two-wheeler``."""
    return bool(token.i) and token.nbor(-1).text == "-" and not token.nbor(-1).whitespace_


def _weight(phrase: _Phrase, speaks: dict[tuple[str, ...], float]) -> float:
    rare = sum(max(idf(key), 0.0) for key in phrase.stems) / len(phrase.stems)
    size = 0.7 if phrase.name else 0.55 if len(phrase.stems) == 1 else 1.0
    place = 1.0 + 0.5 / (1.0 + phrase.start / 600)
    newsy = max((speaks.get(part, 0.0) for part in _parts(phrase.stems)), default=0.0)
    return (0.3 + math.log1p(phrase.count)) * rare * size * place * (1.0 + 0.8 * min(newsy, 2.0))


def _parts(stems: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for i in range(len(stems)):
        for j in range(i + 1, len(stems) + 1):
            yield stems[i:j]


def _count_within(phrases: dict[tuple[str, ...], _Phrase]) -> None:
    """A phrase of two words and more also stands wherever a longer one that holds it does."""
    counts = {stems: phrase.count for stems, phrase in phrases.items()}
    for stems, count in counts.items():
        for part in _parts(stems):
            if len(part) > 1 and part != stems and part in phrases:
                phrases[part].count += count


def _repeats(phrase: _Phrase, other: _Phrase) -> bool:
    """Whether one stands inside the other."""
    inner, outer = sorted((phrase, other), key=lambda p: len(p.stems))
    return inner.stems in _parts(outer.stems)
