"""Finding: what hangs on a cue as its content, by the clause, the object or the quoted region it governs.

Frames: ``after`` a clause to the right, ``before`` one to the left, ``around`` one on both sides, ``wh`` an embedded
question, ``to`` an infinitive, ``np`` an object, ``prep`` a prepositional object, ``quote`` a quoted region that
touches the cue, ``out`` one that ends where the cue's clause begins, ``as`` and ``according`` for the parentheses.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.stages.quotes import sources
from pipeline.stages.quotes.colons import introduced
from pipeline.stages.quotes.contents import clause_of, extend, has_verb, past_region, sentence_start, skip, snap, stop
from pipeline.stages.quotes.cues import Lexicon, group, negative
from pipeline.stages.quotes.extents import settle
from pipeline.stages.quotes.nominals import according, adjectival, nominal
from pipeline.stages.quotes.scoring import score
from pipeline.stages.quotes.tree import Tree
from pipeline.stages.quotes.triple import Range, Triple

_WH = frozenset({"whether", "if", "what", "why", "how", "who", "which", "when", "where"})
_ADJUNCTS = frozenset({"prep", "npadvmod", "advmod", "dobj", "dative", "prt", "neg", "tmod", "pobj"})
_TOLD = frozenset(
    {"tell", "ask", "remind", "assure", "inform", "advise", "warn", "notify", "brief", "caution", "promise"}
)
"""Verbs whose object is the recipient, no content."""
_THAT = _TOLD | frozenset(
    {"say", "announce", "add", "claim", "state", "explain", "argue", "insist", "declare", "admit"}
)
"""Verbs whose ``that`` may come after a recipient and a venue."""
_PREPOSITIONS = frozenset({"for", "of", "about", "against", "to", "on", "as", "with", "in", "at", "over", "from"})
FLOOR = 0.03
"""Lexicon weight under which a word is no cue whatever stands around it."""


def find(tree: Tree, lexicon: Lexicon, floor: float) -> list[Triple]:
    """Every attribution a word of the story may open, with weight at least ``floor``; they may overlap."""
    found: list[Triple] = []
    for i in range(tree.size):
        best: Triple | None = None
        for triple in candidates(tree, i, lexicon):
            if triple.weight >= FLOOR:
                triple.weight = max(score(tree, triple), _unanswered(tree, triple))
            if best is None or triple.weight > best.weight:
                best = triple
        if best is not None and best.weight >= floor:
            settle(tree, best)
            found.append(best)
    found += introduced(tree, lexicon, {t.head for t in found if t.frame == "quote"})
    return [t for t in found if t.weight >= floor]


def candidates(tree: Tree, i: int, lexicon: Lexicon) -> Iterator[Triple]:
    """What token ``i`` may attribute, a triple a frame, weighted by the lexicon alone."""
    pos = tree.pos[i]
    if tree.quoted[i] or pos not in ("VERB", "NOUN", "ADJ") or tree.lower[i] in ("following", "including"):
        return
    if tree.lower[i] == "according":
        yield from according(tree, i)
    elif pos == "VERB":
        yield from _verb(tree, i, lexicon)
    else:
        yield from (nominal if pos == "NOUN" else adjectival)(tree, i, lexicon)


def _verb(tree: Tree, i: int, lexicon: Lexicon) -> Iterator[Triple]:
    if any(sources.quoted_as(tree, c) == i for p in tree.kids(i, "prep") for c in tree.kids(p, "pcomp")):
        return  # "was quoted as saying": the cue turns on "saying"
    cue = group(tree, i)
    source = _source(tree, i, cue)
    for frame, parts, spoken in _frames(tree, i, cue, source):
        parts = [p for p in (snap(tree, *part, i) for part in parts) if p[1] > p[0]]
        if parts and not _void(tree, i, frame, parts):
            lemma = tree.lemma[i]
            weight = lexicon.weight(lemma, "V", frame)
            kind = "speech" if _withheld(tree, i, parts[-1]) else lexicon.kind(lemma, "V")
            yield Triple(i, cue, spoken, parts, lemma, kind, frame, weight, negative(tree, i))


def _withheld(tree: Tree, i: int, part: Range) -> bool:
    """``declined to say``: what is withheld is speech, where the refusal itself would be an intention."""
    return tree.lemma[i] in ("decline", "refuse") and any(
        tree.pos[k] == "VERB" and (tree.lemma[k] in sources.SPOKEN or tree.lemma[k] in _WITHHELD)
        for k in range(part[0], min(part[0] + 3, part[1]))
    )


_WITHHELD = frozenset(
    {"answer", "comment", "confirm", "disclose", "discuss", "divulge", "elaborate", "identify", "name", "respond",
     "reveal", "specify", "speculate", "talk"}
)  # fmt: skip


def _unanswered(tree: Tree, triple: Triple) -> float:
    """How sure ``did not respond to a request for comment`` is, else 0."""
    if not triple.negative or triple.lemma not in ("respond", "reply", "return", "answer", "comment"):
        return 0.0
    a, b = triple.parts[-1]
    asked = any(tree.lemma[k] in _REQUESTS for k in range(a, min(b, a + 6)))
    return 0.8 if asked and triple.source is not None else 0.0


_REQUESTS = frozenset({"request", "call", "message", "email", "e-mail", "question", "inquiry", "query"})


def _void(tree: Tree, i: int, frame: str, parts: list[Range]) -> bool:
    """Whether nothing is quoted: a work's title as an object, ``said nothing``, ``declined to be named``."""
    a, b = parts[-1]
    if frame == "np":
        quoted = next((k for k in range(a, b) if tree.region[k] >= 0), None)
        if quoted is not None and quoted - a <= 3 and _title(tree, quoted):
            return True
        return b - a == 1 and tree.lower[a] in _NOTHING
    if frame in ("to", "comp", "after") and tree.lemma[i] in _UNNAMED:
        return any(tree.lower[k] in ("named", "identified") for k in range(a, b)) and b - a <= 8
    return False


_NOTHING = frozenset({"nothing", "so", "something", "anything", "everything", "little", "much", "more", "yes", "no"})
_UNNAMED = frozenset({"decline", "refuse", "ask", "request", "want", "wish", "prefer", "insist"})


def _source(tree: Tree, i: int, cue: Range) -> Range | None:
    """Source of a verbal cue by the tree, set right where a quoted region or an inversion misled the parser."""
    source = sources.of_verb(tree, i)
    if source is not None and (tree.quoted[source[0]] or _enclosed(tree, source, i)):
        source = None  # a word of the content, not who says it
    if source is None and tree.tag[i] in ("VBD", "VBZ", "VBP") and not tree.kids(i, "auxpass"):
        source = sources.beside(tree, i, _after_region(tree, i), tree.last[i] if _inverted(tree, i) else i)
    elif source is not None and source[1] == cue[0] - 1 and (turned := sources.inverted(tree, i, source)):
        source = turned
    elif source is not None and source[1] < i:
        # A subject on the far side of a quoted region is the content's, where a name stands on the near side.
        after = _after_region(tree, i)
        if source[0] < after and tree.tag[i] in ("VBD", "VBZ", "VBP"):
            source = sources.beside(tree, i, after, i) or source
    if source is None:
        source = sources.above(tree, i)
    return None if sources.is_empty(tree, source) and tree.kids(i, "nsubjpass", "auxpass") else source


def _enclosed(tree: Tree, source: Range, i: int) -> bool:
    """Whether the source stands in quotation marks that the cue does not share."""
    region = tree.region[source[0]]
    return region >= 0 and region == tree.region[source[1] - 1] and region != tree.region[i]


def _after_region(tree: Tree, i: int) -> int:
    """First token after the last longer quoted region before the cue in its sentence, else the sentence's first."""
    for k in range(i - 1, tree.first[i] - 1, -1):
        if tree.quoted[k] or (tree.region[k] >= 0 and tree.word[k - 1] in (",", ".", "?", "!")):
            return k + 1
    return tree.first[i]


def _inverted(tree: Tree, i: int) -> bool:
    """Whether the cue follows a quoted region directly."""
    return i > 0 and tree.region[i - 1] >= 0


Frame = tuple[str, list[Range], Range | None]


def _frames(tree: Tree, i: int, cue: Range, source: Range | None) -> Iterator[Frame]:
    first, last = tree.first[i], tree.last[i]
    own = source if source is not None and first <= source[0] < last else None
    low = min(cue[0], own[0]) if own is not None and own[0] < cue[0] and cue[0] - own[1] <= 12 else cue[0]
    high = _core_end(tree, i, cue, own)
    out = _before_core(tree, low, first)
    if out is not None and tree.region[out] >= 0:
        yield from _quoted_before(tree, i, cue, source, out, high)
    into = _after_core(tree, high, last)
    framed = _parenthetical(tree, low, high, first, last) and tree.lower[low] not in ("who", "which", "that")
    if into is not None and not (framed and _goes_on(tree, into)) and not _title(tree, into):
        begin = into
        objects = [c for c in tree.kids(i, "dobj", "nsubj") if i < c < into and not (own and own[0] <= c < own[1])]
        if tree.region[into] >= 0 and not tree.quoted[into] and clause_of(tree, i) is not None:
            begin = max(cue[1], min(into, tree.left[clause_of(tree, i) or into]))
        elif objects and tree.lemma[i] not in _TOLD and tree.word[into - 1] not in (",", ":"):
            begin = max(cue[1], tree.left[objects[0]])
        yield "quote", [(begin, max(past_region(tree, into, i), begin))], source
    if framed:
        yield "around", [(first, low - 1), (high + 1, stop(tree, high + 1, last, i))], source
    if _as_clause(tree, i):
        yield from _as(tree, i, source)
        return
    clause = clause_of(tree, i)
    if clause is None and (asked := _asked_if(tree, i)) is not None:
        clause = asked
    if (clause is None or clause < i) and into is None and (that := _that(tree, i, high)) is not None:
        yield "after", [(that, stop(tree, that, last, i))], source
    elif clause is not None and clause > i:
        start = max(tree.left[clause], high if tree.left[clause] < high <= clause else tree.left[clause], cue[1])
        if high < start and tree.lower[start] != "that" and tree.region[high] < 0:
            start = high  # what stands between the cue's clause and the content's subject is fronted in the content
        start = skip(tree, start, clause)
        frame = "wh" if tree.lower[start] in _WH else "after"
        yield frame, [(start, extend(tree, i, clause, start))], source
    elif (
        out is not None
        and tree.region[out] < 0
        and has_verb(tree, first, out + 1)
        and (clause is not None or _loose(tree, i, high, last))
    ):
        yield "before", [(sentence_start(tree, first), out + 1)], source
    infinitive = next((c for c in tree.kids(i, "xcomp") if c > i), None)
    if infinitive is not None:
        objects = [c for c in tree.kids(i, "dobj") if i < c < infinitive]
        start = tree.left[infinitive]
        if start <= i:
            start = cue[1]
        to = any(tree.lower[c] == "to" for c in tree.kids(infinitive, "aux"))
        if objects:
            start = min(start, tree.left[objects[0]]) if tree.left[objects[0]] > i else start
        yield ("to" if to else "comp"), [*_raised(tree, i), (start, tree.right[infinitive] + 1)], source
    yield from _objects(tree, i, cue, source)


def _raised(tree: Tree, i: int) -> list[Range]:
    """The subject of a passive, a part of its content: ``[The minister] is expected [to resign]``."""
    subjects = tree.kids(i, "nsubjpass")
    if not subjects or not tree.kids(i, "auxpass") or tree.lemma[i] in sources.FELT or subjects[0] > i:
        return []
    subject = sources.phrase(tree, subjects[0], i)
    return [] if sources.is_empty(tree, subject) else [subject]


def _asked_if(tree: Tree, i: int) -> int | None:
    """The question after ``asked X if`` and ``asked X whether``, which the parser takes for a condition."""
    if tree.lemma[i] not in _TOLD:
        return None
    for c in tree.kids(i, "advcl"):
        if c > i and any(tree.lower[m] in ("if", "whether") and m > i for m in tree.kids(c, "mark")):
            return c if tree.word[tree.left[c] - 1] != "," else None
    return None


def _that(tree: Tree, i: int, high: int) -> int | None:
    """A ``that`` after the cue's recipient and venue, which the parser hung on a noun of theirs.

    ``told reporters on the sidelines of the summit that the two sides had agreed``.
    """
    if tree.lemma[i] not in _THAT or (tree.tag[i] in ("VBN", "VB") and not tree.children[i]):
        return None
    for k in range(high, min(tree.last[i] - 2, high + 25)):
        if tree.region[k] >= 0 or tree.word[k] in (",", ";", ":") or tree.pos[k] in ("VERB", "AUX"):
            return None
        if tree.lower[k] == "that" and tree.tag[k] in ("IN", "WDT"):
            opens = tree.pos[k + 1] in ("DET", "PRON", "PROPN", "NOUN", "ADJ", "NUM", "ADV", "SCONJ", "ADP")
            return k if k > i + 1 and opens and has_verb(tree, k + 1, tree.last[i]) else None
    return None


def _before_core(tree: Tree, low: int, first: int) -> int | None:
    """Token before the comma that parts the cue's clause from what stands before it."""
    k = low - 1
    while k >= first and (tree.pos[k] in ("ADV", "CCONJ") or tree.pos[k] == "SPACE"):
        k -= 1
    if k < first:
        return None
    if tree.region[k] >= 0:
        return k
    if tree.word[k] in (",", "—", "–", "--") and k - 1 >= first:
        return k - 1
    return None


def _after_core(tree: Tree, high: int, last: int) -> int | None:
    """First token of a region that begins right after the cue's clause."""
    k = high
    while (
        k < last and tree.region[k] < 0 and (tree.word[k] in (",", ":", "—") or tree.lower[k] in ("that", "as", "like"))
    ):
        k += 1
    if k < last and tree.region[k] >= 0 and (k == 0 or tree.region[k - 1] != tree.region[k]):
        return k if tree.word[k - 1].lower() != "that" or k - 1 < high else k - 1
    return None


def _goes_on(tree: Tree, into: int) -> bool:
    """Whether the region that begins at ``into`` goes on in the middle of a sentence: its first word is small."""
    return into + 1 < tree.size and tree.word[into + 1][:1].islower()


def _title(tree: Tree, into: int) -> bool:
    """Whether the region is a title as an object: ``sang "The Long Way Home"``, no comma or colon before."""
    if tree.region[into] < 0 or tree.word[into - 1] in (",", ":"):
        return False
    words = []
    k = into
    while k < tree.size and tree.region[k] == tree.region[into]:
        if tree.word[k] in (".", "?", "!"):
            return False
        if tree.word[k][0].isalpha():
            words.append(tree.word[k])
        k += 1
    return 1 < len(words) <= 8 and all(w[0].isupper() or len(w) < 4 for w in words)


def _core_end(tree: Tree, i: int, cue: Range, source: Range | None) -> int:
    """End of the cue's own clause: recipient, venue and day included, its content not."""
    end = cue[1]
    if source is not None and source[0] > i:
        end = max(end, source[1])
    clause = clause_of(tree, i)
    end = _past_day(tree, end, tree.last[i])
    moved = True
    while moved:
        moved = False
        for c in tree.children[i]:
            if tree.dep[c] not in _ADJUNCTS or not end - 1 < tree.left[c] <= end or tree.region[c] >= 0:
                continue
            right = tree.right[c] + 1
            if right > end and right - end <= 9 and not (clause is not None and c < clause < right):
                if any(tree.region[k] >= 0 or tree.pos[k] in ("VERB", "AUX") for k in range(end, right)):
                    continue
                end, moved = right, True
    return min(end, tree.last[i])


def _past_day(tree: Tree, k: int, last: int) -> int:
    """``k`` moved past a day after the cue: ``said on Friday India would ...``, where the parser joins day and name."""
    day = k
    while day < min(last, k + 3) and tree.lower[day] in ("on", "late", "early", "last", "this"):
        day += 1
    return day + 1 if day < last and tree.lower[day] in DAYS and tree.region[day] < 0 else k


DAYS = frozenset(
    {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "yesterday", "today"}
)  # fmt: skip


def _quoted_before(tree: Tree, i: int, cue: Range, source: Range | None, out: int, high: int) -> Iterator[Frame]:
    """``"A," X said`` and ``"A," said X``, with what stands unquoted before A in its sentence."""
    region = tree.region[out]
    start = out
    while start > 0 and tree.region[start - 1] == region:
        start -= 1
    first = tree.first[start]
    if source is None or not (source[1] <= i or source[0] >= i):
        source = source or sources.beside(tree, i, out + 1, tree.last[i])
    elif source[0] < first:
        source = sources.beside(tree, i, out + 1, tree.last[i]) or source
    begin = sentence_start(tree, first) if first < start else start
    if begin < start and (
        tree.word[start - 1] == ":" or (tree.word[start - 1] == "," and not has_verb(tree, begin, start))
    ):
        begin = start
    yield "out", [(begin, out + 1)], source


def _parenthetical(tree: Tree, low: int, high: int, first: int, last: int) -> bool:
    """Whether the cue's clause stands between commas, with words on both sides."""
    return (
        low - 1 > first
        and high + 1 < last
        and tree.word[low - 1] in (",", "—", "–")
        and tree.word[high] in (",", "—", "–")
        and high - low <= 14
        and tree.region[low - 2] < 0
    )


def _loose(tree: Tree, i: int, high: int, last: int) -> bool:
    """Whether nothing of weight follows the cue's clause, so that what stands before it is the content."""
    return tree.dep[i] in ("ROOT", "ccomp", "parataxis", "conj") and not has_verb(tree, high, last)


def _as_clause(tree: Tree, i: int) -> bool:
    """Whether the cue stands in ``as X said`` without a content of its own."""
    if tree.dep[i] != "advcl" or not any(tree.lower[c] == "as" and c < i for c in tree.kids(i, "mark", "advmod")):
        return False
    return clause_of(tree, i) is None and not any(c > i for c in tree.kids(i, "dobj"))


def _as(tree: Tree, i: int, source: Range | None) -> Iterator[Frame]:
    """``as X said``: the sentence without the parenthesis."""
    first, last = tree.first[i], tree.last[i]
    left, right = tree.left[i], min(tree.right[i] + 1, last)
    parts = []
    if left - first > 2:
        parts.append((sentence_start(tree, first), left))
    if last - right > 3 and tree.word[min(right, last - 1)] == ",":
        parts.append((right + 1, last))
    elif left - first <= 2 and last - right > 3:
        parts.append((right, last))
    if parts:
        yield "as", parts, source


def _objects(tree: Tree, i: int, cue: Range, source: Range | None) -> Iterator[Frame]:
    objects = [c for c in tree.kids(i, "dobj", "oprd", "attr") if c > i]
    preps = [c for c in tree.kids(i, "prep") if c > i and tree.lower[c] in _PREPOSITIONS]
    if objects:
        start = tree.left[objects[0]]
        if start <= i:
            start = cue[1]
        end = tree.right[objects[-1]] + 1
        if any(tree.word[k] == ":" and tree.region[k] < 0 <= tree.region[k + 1] for k in range(start, end - 1)):
            return  # "issued the following statement: ..." is the colon's
        later = [p for p in preps if p >= end - 1 and tree.lower[p] in ("as", "of", "for", "to", "against", "over")]
        if later:
            end = max(end, tree.right[later[0]] + 1)
        double = len(objects) > 1 or any(tree.lower[p] == "as" for p in later[:1])
        raised = _raised(tree, i) if tree.dep[objects[0]] == "oprd" else []
        yield ("oprd" if double or raised else "np"), [*raised, (start, end)], source
    elif preps and tree.lower[preps[0]] in ("as", "of", "for") and (raised := _raised(tree, i)):
        frame = "oprd" if tree.lower[preps[0]] == "as" else "p-" + tree.lower[preps[0]]
        yield frame, [*raised, (preps[0], tree.right[preps[0]] + 1)], source
    elif preps:
        end = tree.right[preps[0]] + 1
        yield "p-" + tree.lower[preps[0]], [(preps[0] + 1, end)], source
