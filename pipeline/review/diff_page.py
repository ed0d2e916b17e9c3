"""``copydesk diff --html``: one self-contained page on which each change is seen in its sentence.

Everything from stories is escaped. The page is plain HTML: it reads and prints without scripts; a short one adds the
filters. Nothing is loaded from anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from itertools import groupby, islice, pairwise
from typing import Any

from pipeline.review.changes import Change
from pipeline.review.diff import Diff
from pipeline.review.terminal import clean

LIMIT = 5_000
"""Changes put on the page; a browser scrolls through so many without effort."""
_PLACE = frozenset({"start", "end", "text"})

_STYLE = """
:root{color-scheme:light dark;--ink:#1b1b1f;--soft:#55555f;--paper:#fff;--card:#f6f6f8;--line:#d4d4da;
--old:#ffd9d6;--old-ink:#7a0b0b;--new:#cdf0d3;--new-ink:#0b4f1c;--both:#dfe6fb;--both-ink:#1d2f6f;--link:#1a4fb4}
@media(prefers-color-scheme:dark){:root{--ink:#ececf1;--soft:#b4b4c0;--paper:#16161a;--card:#212127;--line:#3d3d47;
--old:#5a1f1f;--old-ink:#ffd9d6;--new:#17452a;--new-ink:#cdf5d6;--both:#2b3767;--both-ink:#dfe6fb;--link:#9dbcff}}
*{box-sizing:border-box}body{margin:0;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
header,main{max-width:60rem;margin:0 auto;padding:1rem}h1{font-size:1.5rem;margin:.5rem 0;overflow-wrap:anywhere}
h2{font-size:1.05rem;margin:1.5rem 0 .5rem;overflow-wrap:anywhere}
table{border-collapse:collapse;margin:.75rem 0}caption{text-align:left;color:var(--soft)}
th,td{padding:.2rem .8rem;border-bottom:1px solid var(--line);text-align:right}th:first-child{text-align:left}
form{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:end;position:sticky;top:0;background:var(--paper);
padding:.6rem 0;border-bottom:1px solid var(--line);z-index:1}
label{display:flex;flex-direction:column;font-size:.85rem;color:var(--soft)}
select,input{font:inherit;color:var(--ink);background:var(--card);border:1px solid var(--soft);border-radius:4px;
padding:.25rem .4rem}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
ol{list-style:none;margin:0;padding:0}
li{background:var(--card);border:1px solid var(--line);border-left:6px solid var(--both-ink);border-radius:4px;
margin:.5rem 0;padding:.5rem .8rem;content-visibility:auto;contain-intrinsic-size:auto 7rem}
li.added{border-left-color:var(--new-ink)}li.removed{border-left-color:var(--old-ink)}
p{margin:.2rem 0}blockquote{margin:.4rem 0 0;overflow-wrap:anywhere;white-space:pre-line}
.kind{font-weight:600}.badge{border-radius:3px;padding:0 .4rem;font-weight:600}
.gain{background:var(--new);color:var(--new-ink)}.loss{background:var(--old);color:var(--old-ink)}
del,ins,mark{border-radius:2px;padding:0 .1em;text-decoration:none;color:inherit}
del{background:var(--old);color:var(--old-ink);text-decoration:line-through}
ins{background:var(--new);color:var(--new-ink);text-decoration:underline}
mark{background:var(--both);color:var(--both-ink)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:0 .8rem;margin:.2rem 0}dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}.flat{display:flex;flex-wrap:wrap;gap:0 .4rem}.flat dd{margin-right:.8rem}
.wide{overflow-x:auto}.soft{color:var(--soft)}[hidden]{display:none}
@media print{form{display:none}}
"""

_SCRIPT = """
const form=document.querySelector('form'),told=document.getElementById('told');form.hidden=false;
const items=[...document.querySelectorAll('li[data-section]')].map(e=>[e,e.textContent.toLowerCase()]);
const groups=[...document.querySelectorAll('main section')];
function filter(){const f=new FormData(form),words=f.get('words').toLowerCase().split(/\\s+/).filter(Boolean);let n=0;
for(const [e,text] of items){const ok=['section','kind','verdict'].every(k=>!f.get(k)||e.dataset[k]===f.get(k))
&&words.every(w=>text.includes(w));e.hidden=!ok;n+=ok}
for(const g of groups)g.hidden=!g.querySelector('li:not([hidden])');told.textContent='Changes shown: '+n}
form.addEventListener('input',filter);form.addEventListener('submit',e=>e.preventDefault());filter();
"""


def page(diff: Diff, limit: int = LIMIT) -> str:
    """The page as HTML, with at most ``limit`` changes in the order of the stories."""
    return "".join(_page(diff, limit))


def _page(diff: Diff, limit: int) -> Iterator[str]:
    title = f"Changes from {_e(diff.old)} to {_e(diff.new)}" if diff.old != diff.new else f"Changes in {_e(diff.new)}"
    yield (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><header><h1>{title}</h1>"
    )
    yield f"<p>{diff.stories} stories compared, {diff.differing} with changes.</p>"
    for ids, what in (
        (diff.only_old, "only in the old run"),
        (diff.only_new, "only in the new run"),
        (diff.other_text, "not compared: their text is another one"),
    ):
        if ids:
            yield f"<p>{len(ids)} stories {what}: {_e(', '.join(ids[:20]))}{' …' if len(ids) > 20 else ''}</p>"
    yield from _summary(diff)
    yield (
        "<p>In the sentences <del>struck out</del> is what only the old run marks, <ins>underlined</ins> what only the"
        " new run marks, and <mark>plain colour</mark> what both do.</p></header><main>"
    )
    yield from _form(diff)
    shown = list(islice(diff.changes, limit))
    if len(shown) < len(diff.changes):
        yield f"<p>The first {len(shown):,} of {len(diff.changes):,} changes are shown here; --json has all.</p>"
    for n, (story, changes) in enumerate(groupby(shown, key=lambda change: change.story)):
        yield f'<section aria-labelledby="s{n}"><h2 id="s{n}">{_e(story)}</h2><ol>'
        for change in changes:
            yield from _item(change)
        yield "</ol></section>"
    yield f"</main><script>{_SCRIPT}</script></body></html>\n"


def _summary(diff: Diff) -> Iterator[str]:
    heads = ["added", "removed", "changed", "same", *(["gains", "losses"] if diff.judged else [])]
    yield '<div class="wide" role="region" aria-label="Annotations" tabindex="0">'
    yield "<table><caption>Annotations</caption><thead><tr><th scope=col>Section</th>"
    yield "".join(f"<th scope=col>{head.capitalize()}</th>" for head in heads)
    yield "</tr></thead><tbody>"
    for section, counts in diff.counts.items():
        cells = "".join(f"<td>{getattr(counts, head):,}</td>" for head in heads)
        yield f"<tr><th scope=row>{_e(section)}</th>{cells}</tr>"
    yield "</tbody></table></div>"


def _form(diff: Diff) -> Iterator[str]:
    yield '<form hidden role="search" aria-label="Changes shown">'
    choices = [("section", [s for s, c in diff.counts.items() if c.total]), ("kind", ["added", "removed", "changed"])]
    if diff.judged:
        choices.append(("verdict", ["gain", "loss"]))
    for name, values in choices:
        options = "".join(f'<option value="{_e(value)}">{_e(value)}</option>' for value in values)
        yield f'<label>{name.capitalize()}<select name="{name}"><option value="">all</option>{options}</select></label>'
    yield '<label>Words<input type="search" name="words"></label>'
    yield '<span id="told" class="soft" role="status"></span></form>'


def _item(change: Change) -> Iterator[str]:
    verdict = change.verdict or ""
    yield (
        f'<li class="{_e(change.kind)}" data-section="{_e(change.section)}" data-kind="{_e(change.kind)}"'
        f' data-verdict="{_e(verdict)}"><p><span class="kind">{_e(change.section)}: {_e(change.kind)}</span>'
    )
    if verdict:
        yield f' <span class="badge {verdict}">{verdict}</span>'
    yield "</p><dl>" if change.kind == "changed" else '</p><dl class="flat">'
    for name, old, new in facts(change):
        sides = [f"<del>{_e(old)}</del>" if old else "nothing", f"<ins>{_e(new)}</ins>" if new else "nothing"]
        value = " → ".join(sides) if change.kind == "changed" else _e(old or new)
        yield f"<dt>{_e(name)}</dt><dd>{value}</dd>"
    yield f"</dl><blockquote>{''.join(_marked(change))}</blockquote></li>"


def facts(change: Change) -> Iterator[tuple[str, str, str]]:
    """Name, old and new value of what a change is about: every value of one added or removed, else what differs."""
    old, new = change.old or {}, change.new or {}
    names = [name for name in change.fields if name != "boundaries"] or [
        name for name in dict.fromkeys((*old, *new)) if name not in _PLACE
    ]
    if change.kind == "changed" and "boundaries" in change.fields:
        yield "text", " ".join(str(old.get("text", "")).split()), " ".join(str(new.get("text", "")).split())
        names = [name for name in change.fields if name != "boundaries"]
    for name in names:
        yield name, told(old.get(name)), told(new.get(name))


def told(value: Any) -> str:
    """A value in a few words: spans by their text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        if "text" in value:
            return " ".join(str(value["text"]).split())
        return ", ".join(f"{key} {told(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join("–".join(map(str, item)) if isinstance(item, list) else told(item) for item in value)
    return str(value)


def _marked(change: Change) -> Iterator[str]:
    """The sentence, with what only one side marks and what both do."""
    sides = [spans(change.old, change.at), spans(change.new, change.at)]
    size = len(change.sentence)
    edges = {0, size, *(min(max(edge, 0), size) for side in sides for span in side for edge in span)}
    cuts = sorted(edges)
    for start, end in pairwise(cuts):
        piece = _e(change.sentence[start:end])
        old, new = (any(a <= start and end <= b for a, b in side) for side in sides)
        tag = "mark" if old and new else "del" if old else "ins" if new else ""
        yield f"<{tag}>{piece}</{tag}>" if tag else piece


def spans(item: Mapping[str, Any] | None, at: int) -> list[tuple[int, int]]:
    """What an annotation covers, counted from ``at``: its parts where it has several."""
    if item is None or item.get("start") is None:
        return []
    parts = item.get("parts") or [[item["start"], item["end"]]]
    return [(start - at, end - at) for start, end in parts]


def _e(text: object) -> str:
    return escape(clean(str(text), keep="\n\t"))
