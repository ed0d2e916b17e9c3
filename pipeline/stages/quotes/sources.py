"""The source of a cue: the phrase that names who says it, titles and appositives included."""

from __future__ import annotations

from pipeline.stages.quotes.tree import Tree
from pipeline.stages.quotes.triple import Range

_EMPTY = frozenset({"it", "there", "that", "this", "what", "which"})
FELT = frozenset(
    {
        "alarm", "anger", "concern", "convince", "delight", "determine", "disappoint", "dismay", "frustrate", "honor",
        "honour", "inspire", "outrage", "persuade", "please", "shock", "startle", "surprise", "thrill", "upset",
        "worry",
    }
)  # fmt: skip
"""Verbs whose passive subject is the one who thinks: ``they are convinced that``."""
_NOMINAL = frozenset({"PROPN", "NOUN", "PRON", "NUM", "ADJ", "DET", "X"})
_TIMES = frozenset(
    {
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "today", "yesterday", "tomorrow",
        "week", "month", "year", "night", "morning", "afternoon", "evening",
    }
)  # fmt: skip


def of_verb(tree: Tree, verb: int, depth: int = 0) -> Range | None:
    """Source of a verbal cue: subject, agent of a passive, or the subject it shares with the verb above it."""
    reported = quoted_as(tree, verb)
    if reported is not None:
        # "X was quoted as saying (by Y)": X says it, whoever quotes.
        subjects = tree.kids(reported, "nsubjpass", "nsubj")
        return phrase(tree, subjects[0], verb) if subjects else None
    passive = bool(tree.kids(verb, "auxpass", "nsubjpass")) or _bare_passive(tree, verb)
    if passive and (subject := _has(tree, verb)) is not None:
        return phrase(tree, subject, verb)
    agent = by_phrase(tree, verb)
    if passive and tree.lemma[verb] in FELT:
        felt = tree.kids(verb, "nsubjpass", "nsubj")
        return phrase(tree, felt[0], verb) if felt else _shared(tree, verb, depth)
    if passive and depth and tree.kids(verb, "nsubjpass"):
        return phrase(tree, tree.kids(verb, "nsubjpass")[0], verb)
    if passive:
        return agent
    subjects = tree.kids(verb, "nsubj", "csubj")
    if subjects:
        # Inverted with a phrase in front, the nearest subject is the speaker.
        subject = min(subjects, key=lambda s: abs(s - verb))
        if tree.dep[subject] == "nsubj":
            return phrase(tree, subject, verb)
    if agent is not None:
        return agent
    return None if depth > 6 else _shared(tree, verb, depth)


def told(tree: Tree, verb: int, source: Range) -> bool:
    """Whether ``source`` is who is told, asked or told of: the subject of a passive.

    ``Smith was asked if``, ``the plan was criticised``; not who ``was quoted as saying`` or ``was pleased that``.
    """
    passive = verb >= 0 and bool(tree.kids(verb, "auxpass")) and _has(tree, verb) is None
    if not passive or tree.lemma[verb] in FELT | {"quote"} or quoted_as(tree, verb) is not None:
        return False
    return any(source[0] <= s < source[1] for s in tree.kids(verb, "nsubjpass", "nsubj"))


def above(tree: Tree, verb: int) -> Range | None:
    """Source of a participle or a second verb without a subject: of the next verb above that has one.

    The parser gives an inverted verb no subject (``said Smith, explaining ...``); what stands beside it is taken.
    """
    tag = tree.tag[verb]
    if tag not in ("VBG", "VBD", "VBZ", "VBP") or tree.kids(verb, "auxpass", "nsubjpass") or _bare_passive(tree, verb):
        return None
    for higher in tree.root_path(verb):
        if tree.first[higher] != tree.first[verb]:
            break
        if tree.pos[higher] != "VERB" or tree.region[higher] != tree.region[verb]:
            continue
        found = of_verb(tree, higher)
        if found is None and tree.tag[higher] in _FINITE:
            found = beside(tree, higher, tree.first[higher], min(tree.last[higher], max(verb, higher + 1)))
        if found is not None and not found[0] <= verb < found[1] and tree.region[found[0]] == tree.region[verb]:
            return found
    # Where the tree is torn, the nearest subject before, of a clause that is no relative one.
    for k in range(verb - 1, tree.first[verb] - 1, -1):
        head = tree.head[k]
        own = tree.dep[k] == "nsubj" and tree.region[k] == tree.region[verb] and head < verb
        if own and tree.dep[head] not in ("relcl", "ccomp", "advcl") and tree.lower[k] not in _WHO:
            return phrase(tree, k, verb)
    return None


_WHO = frozenset({"who", "which", "that", "what", "it", "there"})


def _bare_passive(tree: Tree, verb: int) -> bool:
    if tree.kids(verb, "aux", "nsubj"):
        return False
    if tree.lemma[verb] in _PUT and (tree.dep[verb] == "advcl" or verb == tree.first[verb]):
        # "Asked whether ...", "when asked about ...": not the one who answers asks.
        return tree.tag[verb] in ("VBN", "VBD")
    return tree.tag[verb] == "VBN" and tree.dep[verb] == "acl"


_PUT = frozenset({"ask", "press", "question", "quiz", "prod"})


def quoted_as(tree: Tree, verb: int) -> int | None:
    """The passive of ``was quoted as saying`` that ``verb`` (saying) hangs on."""
    preposition = tree.head[verb]
    if tree.dep[verb] != "pcomp" or tree.lower[preposition] != "as":
        return None
    above = tree.head[preposition]
    return above if tree.lemma[above] in ("quote", "cite", "report") and tree.kids(above, "auxpass") else None


def _has(tree: Tree, verb: int) -> int | None:
    """Subject of ``he's said``, ``who's argued``, where the parser reads *has* as *is*."""
    if tree.lemma[verb] not in SPOKEN or not any(tree.lower[c] in ("'s", "’s") for c in tree.kids(verb, "auxpass")):
        return None
    subjects = tree.kids(verb, "nsubjpass", "nsubj")
    return subjects[0] if subjects and tree.lower[subjects[0]] in ("he", "she", "who") else None


def by_phrase(tree: Tree, token: int) -> Range | None:
    """The phrase after ``by`` that depends on ``token``."""
    for child in tree.children[token]:
        if tree.lower[child] == "by" and tree.dep[child] in ("agent", "prep"):
            for obj in tree.kids(child, "pobj"):
                return phrase(tree, obj, token)
    return None


def _shared(tree: Tree, verb: int, depth: int) -> Range | None:
    dep, head = tree.dep[verb], tree.head[verb]
    if head == verb:
        return None
    cue = resumed(tree, verb)
    if cue is not None:
        return of_verb(tree, cue, depth + 1)
    if dep == "csubj" and tree.tag[verb] == "VBG" and verb == tree.first[verb]:
        # "Slamming the plan, Smith said": the parser takes the participle for the subject.
        return beside(tree, head, verb + 1, head)
    if dep in ("acl", "relcl") and tree.tag[verb] == "VBG":
        above = tree.head[head]
        if tree.dep[head] in ("dobj", "pobj") and tree.pos[above] in ("VERB", "AUX", "ADP"):
            above = tree.head[above] if tree.pos[above] == "ADP" else above
            found = of_verb(tree, above, depth + 1) if tree.pos[above] in ("VERB", "AUX") else None
            return found or phrase(tree, head, verb)
        return phrase(tree, head, verb)
    if dep in ("xcomp", "ccomp") and tree.pos[head] == "ADJ" and tree.pos[tree.head[head]] in ("VERB", "AUX"):
        return of_verb(tree, tree.head[head], depth + 1)
    if dep == "pcomp" and tree.pos[tree.head[head]] in ("VERB", "AUX"):
        return of_verb(tree, tree.head[head], depth + 1)
    if dep in ("conj", "xcomp", "advcl", "ccomp", "dep", "pcomp", "parataxis", "acl") and tree.pos[head] in (
        "VERB",
        "AUX",
    ):
        return of_verb(tree, head, depth + 1)
    if dep in ("pcomp", "prep", "acl", "xcomp", "conj", "advcl", "ccomp"):
        return _shared(tree, head, depth + 1) if tree.pos[head] not in _NOMINAL else of_noun(tree, head)
    return None


def resumed(tree: Tree, verb: int) -> int | None:
    """The cue that ``verb`` goes on from (``said it was late and added ...``, ``said it was late, noting ...``).

    The parser hangs such a verb on the content; its lemma, its form and the comma or ``that`` by it tell better.
    """
    if tree.lemma[verb] not in SPOKEN or tree.kids(verb, "nsubj", "nsubjpass", "aux", "mark"):
        return None
    head = tree.head[verb]
    if tree.dep[verb] == "advcl" and tree.tag[verb] == "VBG":
        if tree.word[tree.left[verb] - 1] not in (",", "-", "—", "–"):
            return None
        for above in tree.root_path(verb)[:5]:
            if tree.dep[above] == "ccomp" and tree.head[above] < above:
                cue = tree.head[above]
                return cue if tree.tag[cue] in _FINITE and tree.lemma[cue] in SPOKEN else None
        return None
    above = tree.head[head]
    if tree.dep[verb] != "conj" or tree.dep[head] != "ccomp" or tree.tag[above] != tree.tag[verb] or above > head:
        return None
    after = tree.lower[verb + 1] if verb + 1 < tree.size else ""
    return above if after in ("that", ",", ":") or tree.tag[head] != tree.tag[verb] else None


_FINITE = frozenset({"VBD", "VBZ", "VBP"})
SPOKEN = frozenset(
    {
        "accuse", "add", "announce", "argue", "ask", "call", "cite", "claim", "criticize", "deny", "describe",
        "express", "insist", "note", "pledge", "praise", "predict", "promise", "question", "say", "stress",
        "suggest", "tell", "tweet", "urge", "vow", "warn", "write",
    }
)  # fmt: skip
"""Verbs of saying common enough to be read as a second cue of the same source."""


def of_noun(tree: Tree, noun: int) -> Range | None:
    """Source of a nominal cue: ``X's claim``, ``the claim by X``, ``the view of X``, or the subject of its verb."""
    for child in tree.kids(noun, "poss"):
        return phrase(tree, child, noun)
    agent = by_phrase(tree, noun)
    if agent is not None:
        return agent
    for child in tree.children[noun]:
        if tree.lower[child] in ("of", "from", "among") and tree.dep[child] == "prep":
            for obj in tree.kids(child, "pobj"):
                return phrase(tree, obj, noun)
    head = tree.head[noun]
    if tree.dep[noun] in ("dobj", "attr", "pobj", "oprd") and head != noun:
        if tree.pos[head] == "ADP":
            head = tree.head[head]
        if tree.pos[head] in ("VERB", "AUX"):
            return of_verb(tree, head, 3)
    return None


def is_empty(tree: Tree, source: Range | None) -> bool:
    """Whether the source is the empty subject of a passive (``it was claimed``)."""
    return source is not None and source[1] - source[0] == 1 and tree.lower[source[0]] in _EMPTY


def phrase(tree: Tree, head: int, cue: int) -> Range:
    """The noun phrase of ``head``, kept on its side of the cue and without marks at its edges."""
    left, right = tree.left[head], tree.right[head] + 1
    if left <= cue < right:
        left, right = (left, cue) if head < cue else (cue + 1, right)
    # A clause or a quotation wrongly hung on the name is no part of it.
    region = tree.region[head]
    for i in range(head + 1, right):
        if tree.region[i] != region or tree.paragraph[i] != tree.paragraph[head]:
            right = i
            break
    for i in range(head - 1, left - 1, -1):
        if tree.region[i] != region or tree.paragraph[i] != tree.paragraph[head]:
            left = i + 1
            break
    right = min(right, tree.last[head])
    while right < tree.last[head] and right != cue and tree.pos[right] == "PROPN" and tree.pos[right - 1] in _TITLED:
        if tree.region[right] != region:
            break
        right += 1  # a title and the name after it, which the parser tore apart
    return trim(tree, max(left, tree.first[head]), right)


_TITLED = frozenset({"NOUN", "PROPN"})


def trim(tree: Tree, left: int, right: int) -> Range:
    """``[left, right)`` without punctuation, conjunctions and possessive marks at its edges."""
    while right - left > 1 and (
        tree.pos[right - 1] in ("PUNCT", "SPACE", "CCONJ") or tree.lower[right - 1] in ("'s", "’s")
    ):
        if tree.word[right - 1] == ")" and "(" in tree.word[left : right - 1]:
            break
        right -= 1
    while right - left > 1 and tree.pos[left] in ("PUNCT", "SPACE", "CCONJ"):
        left += 1
    return left, right


def beside(tree: Tree, cue: int, low: int, high: int) -> Range | None:
    """A noun phrase that touches the cue within tokens ``[low, high)``: what the parser did not call its subject."""
    i = cue - 1
    while i >= low and (tree.pos[i] in ("AUX", "ADV", "PART") or tree.tag[i] == "MD"):
        i -= 1
    if i >= low and tree.word[i] in (",", ")", "—", "–", "-"):
        return _before_comma(tree, i + (tree.word[i] == ")"), low)
    if i >= low and tree.pos[i] in _NOMINAL and tree.lower[i] not in _TIMES:
        return trim(tree, *_run(tree, i, low, high))
    i = cue + 1
    while i < high and tree.pos[i] == "ADV":
        i += 1
    if i < high and tree.pos[i] in _NOMINAL and tree.lower[i] not in _TIMES and tree.word[i] not in ("that", "this"):
        a, b = _run(tree, i, i, high)
        return trim(tree, a, b)
    return None


def inverted(tree: Tree, cue: int, before: Range) -> Range | None:
    """The name after a cue set off by commas (``The plan, said Smith, is sound``), not after an appositive."""
    if "," in tree.word[before[0] : before[1]]:
        return None
    if cue < 1 or cue + 1 >= tree.last[cue] or tree.word[cue - 1] not in (",", "—", "–"):
        return None
    if tree.lemma[cue] not in SPOKEN or tree.pos[cue + 1] not in ("PROPN", "DET", "PRON"):
        return None
    left, right = _run(tree, cue + 1, cue + 1, tree.last[cue])
    if right + 1 < tree.last[cue] and tree.lower[right] == "and" and tree.pos[right + 1] in _INSIDE:
        right = _run(tree, right + 1, right + 1, tree.last[cue])[1]
    return trim(tree, left, right) if right >= tree.last[cue] or tree.word[right] in (",", ".", ";", "—") else None


def _before_comma(tree: Tree, comma: int, low: int) -> Range | None:
    """Subject and appositive before a cue: ``Smith, a teacher, said``; the first segment that begins like a name."""
    for start in [low, *(k + 1 for k in range(low, comma) if tree.word[k] in (",", "—"))]:
        while start < comma and tree.pos[start] in ("PUNCT", "SPACE", "CCONJ", "ADV", "SCONJ"):
            start += 1
        if start >= comma or tree.pos[start] not in _NOMINAL:
            continue
        likely = start == low or tree.pos[start] in ("PROPN", "DET", "NOUN")
        if likely and (tree.pos[start] == "PROPN" or comma - start > 1):
            return trim(tree, start, comma)
    return None


_INSIDE = frozenset({"PROPN", "NOUN", "ADJ", "DET", "NUM", "PRON", "PART", "X"})


def _run(tree: Tree, i: int, low: int, high: int) -> Range:
    left = right = i
    while left - 1 >= low and (
        tree.pos[left - 1] in _INSIDE or tree.lower[left - 1] in ("of", "for", "and", "'s", "’s", ".", "-")
    ):
        left -= 1
    if tree.pos[i] == "PRON" and tree.tag[i] == "PRP":
        return i, i + 1
    while right + 1 < high and (
        tree.pos[right + 1] in _INSIDE or tree.lower[right + 1] in ("of", "for", "'s", "’s", "-")
    ):
        right += 1
    while left < i and tree.lower[left] in ("and", "of", "for", ".", "-", "'s", "’s"):
        left += 1
    return left, right + 1
