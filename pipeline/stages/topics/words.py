"""Words of a text as the term index sees them: folded to a stem, so that inflection does not matter.

One rule serves the lexicon and the story, which keeps both sides equal whatever the parser's lemma says. The stem
is light: plural, possessive, past and -ing endings, final e and y. It is a key, never shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

_TOKEN = re.compile(r"[^\W_]+(?:[.&'’][^\W_]+)*|[.,;:!?()\[\]\"“”\n]")
_AS_IS_WORDS = """
    news gas bus us is as his was has this thus yes always perhaps series species politics economics
    athletics physics mathematics analysis crisis basis virus census campus chaos olympics paralympics
    ethics during being thing something nothing anything everything king ring spring string wing sing
    bring building beijing red bed need seed speed feed breed indeed united hundred sacred naked wicked
    used rowing inning
"""
_AS_IS = frozenset(_AS_IS_WORDS.split())


def tokens(text: str) -> Iterator[tuple[int, str]]:
    """Offset and form of every word; punctuation that parts phrases comes as a form of its own."""
    for match in _TOKEN.finditer(text):
        yield match.start(), match.group()


@lru_cache(maxsize=1 << 16)
def stem(form: str) -> str:
    """The key of a word form: ``arrests``, ``arrested`` and ``arresting`` are one."""
    if not form[0].isalnum():
        return form
    word = form.lower().replace("’", "'")
    word = word.removesuffix("'s").replace(".", "")
    if len(word) < 4 or word in _AS_IS or not word.isalpha():
        return word
    if word.endswith("ies"):
        word = word[:-3] + "y"
    elif word.endswith(("sses", "shes", "ches", "xes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    if word in _AS_IS:
        return word
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and re.search("[aeiouy]", word[: -len(ending)]):
            word = word[: -len(ending)]
            if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    if len(word) > 3 and word[-1] == "e":
        word = word[:-1]
    return word[:-1] + "i" if len(word) > 3 and word[-1] == "y" else word
