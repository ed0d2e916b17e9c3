"""Finding in headlines: ``Misri: trade talks on``, ``Trade talks on: Misri``, ``14 killed in blast: police``.

A headline has no quotation marks for what it attributes; the colon counts where on its one side stands somebody who
speaks (a person or a body the story names, or a noun such as ``police``) and on its other side a statement.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.stages.quotes.tree import Tree
from pipeline.stages.quotes.triple import Range, Triple

if TYPE_CHECKING:
    from models.document import Document

LONGEST = 22
"""Most tokens of a headline."""
SPEAKER = 6
"""Most tokens of a speaker in a headline."""
_SPEAKING = frozenset(
    {
        "agency", "aide", "analyst", "analysts", "army", "attorney", "centre", "chief", "ceo", "cm", "coach", "court",
        "doctors", "expert", "experts", "fm", "government", "govt", "governor", "hospital", "lawyer", "lawyers",
        "leader", "leaders", "mayor", "media", "military", "minister", "ministry", "mp", "mps", "officer", "official",
        "officials", "parents", "pm", "police", "poll", "pope", "premier", "president", "prosecutor", "prosecutors",
        "report", "reports", "researchers", "residents", "scientists", "senator", "source", "sources", "spokesman",
        "spokesperson", "spokeswoman", "study", "survey", "union", "witness", "witnesses",
    }
)  # fmt: skip


_LABELS = frozenset(
    {
        "advisory", "analysis", "brief", "correction", "exclusive", "explainer", "factbox", "feature", "focus",
        "graphic", "interview", "newsmaker", "obituary", "opinion", "poll", "preview", "profile", "refile",
        "review", "timeline", "update", "urgent", "video", "watch", "wrapup",
    }
)  # fmt: skip
"""Words by which desks say what kind of story it is."""


def headlines(tree: Tree, document: Document) -> Iterator[Triple]:
    """Contents that a colon in the headline attributes."""
    first = _headline(tree, document)
    if first is None:
        return
    begin, end = first
    colons = [k for k in range(begin + 1, end - 1) if tree.word[k] == ":" and tree.region[k] < 0]
    if len(colons) != 1:
        return
    colon = colons[0]
    speaking = {
        (m.start, m.end): e.label for e in document.entities for m in e.mentions if m.kind == "name" and m.start < 400
    }
    surnames = {e.name.split()[-1].lower() for e in document.entities if e.label == "PERSON" and e.name.split()}
    for source, content in (((begin, colon), (colon + 1, end)), ((colon + 1, end), (begin, colon))):
        sure = _speaks(tree, source, speaking, surnames)
        if sure and _states(tree, content):
            yield Triple(colon, (colon, colon + 1), source, [content], ":", "speech", "headline", sure)
            return


def _headline(tree: Tree, document: Document) -> Range | None:
    """Tokens of the headline: its zone, else a first paragraph that is short and ends without a stop."""
    zone = next((z for z in document.zones if z.kind == "headline"), None)
    if zone is not None:
        inside = [k for k in range(tree.size) if zone.start <= tree.start[k] < zone.end]
    elif document.zones and document.zones[0].start == 0:
        return None
    else:
        inside = [k for k in range(min(tree.size, LONGEST + 2)) if tree.paragraph[k] == 0]
    while inside and tree.pos[inside[-1]] == "SPACE":
        inside.pop()
    if not 3 < len(inside) <= LONGEST or (zone is None and tree.word[inside[-1]] in (".", '"', "”")):
        return None
    return inside[0], inside[-1] + 1


def _speaks(tree: Tree, source: Range, names: dict[tuple[int, int], str], surnames: set[str]) -> float:
    """How sure the tokens are somebody who speaks: 0 where they are not."""
    a, b = source
    if not 0 < b - a <= SPEAKER or any(tree.pos[k] in ("VERB", "AUX") for k in range(a, b)):
        return 0.0
    if b - a == 1 and tree.lower[a] in _LABELS:
        return 0.0
    start, end = tree.start[a], tree.end[b - 1]
    for (x, y), label in names.items():
        if y == end and start <= x and label in ("PERSON", "ORG"):
            return 0.7 if label == "PERSON" else 0.5
    return 0.6 if tree.lower[b - 1] in _SPEAKING | surnames else 0.0


def _states(tree: Tree, content: Range) -> bool:
    """Whether the tokens read as a statement: three words or more, no question of the desk's own."""
    words = [k for k in range(*content) if tree.pos[k] not in ("PUNCT", "SPACE")]
    if len(words) < 3 or tree.lower[words[0]] in ("what", "who", "how", "why", "when", "where", "live", "watch"):
        return False
    return any(tree.pos[k] in ("VERB", "AUX", "PART", "ADP", "ADJ", "ADV") for k in words)
