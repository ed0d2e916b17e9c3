"""``copydesk show``: one story in the terminal, marked up."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from rich.console import Console, Group
from rich.table import Column, Table
from rich.text import Text

from models.document import Attribution, Document
from pipeline.review.said import Said

STYLES = {
    "PERSON": "bold cyan",
    "ORG": "bold magenta",
    "GPE": "bold green",
    "LOC": "green",
    "FAC": "green",
    "date": "yellow",
    "quote": "on grey23",
    "cue": "underline",
}


def show(document: Document, console: Console | None = None) -> None:
    """Print ``document`` with entities, dates and quotes marked, and who said what in a table below."""
    console = console or Console(file=sys.stdout, highlight=False)
    console.print(Group(*_parts(document)))


def _parts(document: Document) -> Iterator[Text | Table]:
    meta = document.meta
    facts = [meta.agency, meta.place, meta.published, meta.byline]
    yield Text(" · ".join([clean(document.id), *(clean(f) for f in facts if f)]), style="bold")
    yield Text()
    yield marked(document)
    yield Text()
    if document.quotes:
        yield _quotes(document)
    if document.entities:
        yield _entities(document)
    if document.dates:
        yield _dates(document)
    if document.topics:
        yield Text("Topics  ", style="bold").append(
            " · ".join(f"{topic.label} {topic.score:.2f}" for topic in document.topics), style="not bold"
        )
    for abstention in document.abstentions:
        yield Text(f"{abstention.section.capitalize()}  ", style="bold").append(
            f"none: {clean(abstention.reason)}", style="not bold"
        )
    if document.keyphrases:
        yield Text("Keyphrases  ", style="bold").append(
            " · ".join(clean(phrase.text) for phrase in document.keyphrases), style="not bold"
        )


def marked(document: Document) -> Text:
    """The story's text with its annotations as styles; zones that are not copy are dim."""
    text = Text(clean(document.text, keep="\n\t"))
    for zone in document.zones:
        text.stylize("dim", zone.start, zone.end)
    names = {a.quote: a.name or (a.speaker.text if a.speaker else None) for a in document.attributions}
    for quote in document.quotes:
        for part in quote.parts:
            text.stylize(STYLES["quote"], part.start, part.end)
        if quote.cue:
            text.stylize(STYLES["cue"], quote.cue.start, quote.cue.end)
    for entity in document.entities:
        for mention in entity.mentions:
            style = STYLES.get(entity.label, "bold")
            text.stylize(style if mention.kind == "name" else style.replace("bold ", ""), mention.start, mention.end)
    for timex in document.dates:
        text.stylize(STYLES["date"], timex.start, timex.end)
    # Speakers go in last and from the end, since they move what follows.
    notes = sorted(((q.end, q.id) for q in document.quotes), reverse=True)
    for end, id_ in notes:
        number = Text(f"[{id_[1:]} {clean(names[id_] or '?')}]" if id_ in names else f"[{id_[1:]}]", style="dim")
        text = Text.assemble(text[:end], number, text[end:])
    return text


def _quotes(document: Document) -> Table:
    table = Table("#", "Speaker", "Role", "Quote", "Cue", title="Who said what", title_justify="left")
    said: dict[str, list[Attribution]] = {}
    for row in document.attributions:
        said.setdefault(row.quote, []).append(row)
    for quote in document.quotes:
        by = said.get(quote.id, [])
        speakers = [row.name or (row.speaker.text if row.speaker else "") for row in by]
        content = " … ".join(document.text[part.start : part.end] for part in quote.parts)
        table.add_row(
            quote.id[1:],
            Text(clean("; ".join(filter(None, dict.fromkeys(speakers))) or "?")),
            Text(clean("; ".join(filter(None, dict.fromkeys(row.role for row in by))))),
            Text(clean(content)),
            Text(clean(quote.cue.text if quote.cue else "")),
        )
    return table


def show_said(rows: Iterable[Said], console: Console | None = None) -> None:
    """Print quotations of a run as a table."""
    console = console or Console(file=sys.stdout, highlight=False)
    shares = {"Speaker": 4, "Role": 4, "Quote": 9, "Cue": 2, "Story": 3}
    table = Table(*(Column(name, ratio=share) for name, share in shares.items()), Column("Date", width=10), expand=True)
    for row in rows:
        cells = (row.speaker or "?", row.role, row.quote, row.cue, row.story, row.date)
        table.add_row(*(Text(clean(cell)) for cell in cells))
    console.print(table if table.rows else "no quotations")


def _entities(document: Document) -> Table:
    table = Table("Name", "Class", "Mentions", "Also", "Roles", title="Entities", title_justify="left")
    for entity in document.entities:
        table.add_row(
            Text(clean(entity.name), style=STYLES.get(entity.label, "")),
            entity.label,
            str(len(entity.mentions)),
            Text(clean(", ".join(entity.aliases))),
            Text(clean("; ".join(entity.roles))),
        )
    return table


def _dates(document: Document) -> Table:
    table = Table("Expression", "Type", "Value", "Mod", title="Dates", title_justify="left")
    for timex in document.dates:
        table.add_row(Text(clean(timex.text)), timex.type, timex.value or "?", timex.mod or "")
    return table


def clean(text: str, keep: str = "") -> str:
    """``text`` without what would steer a terminal: one character for one, so that offsets hold."""
    return "".join(
        c if c.isprintable() or c in keep else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text
    )
