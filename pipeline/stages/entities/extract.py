"""From a parse to entities: names, one class each, clusters, references, roles, links."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from models.document import Entity, Mention
from pipeline.stages.entities.classes import consistent, rescanned
from pipeline.stages.entities.clusters import Cluster, acronyms, cluster
from pipeline.stages.entities.lexicons import fold, lexicons
from pipeline.stages.entities.links import countries_of, known_names, link
from pipeline.stages.entities.names import Name, find
from pipeline.stages.entities.references import Reference, resolve, roles_of
from pipeline.stages.entities.sport import teams

if TYPE_CHECKING:
    from spacy.tokens import Doc

    from models.document import Document
    from pipeline.stages.entities import EntitiesSettings


def entities(document: Document, parse: Doc, settings: EntitiesSettings) -> list[Entity]:
    """The entities of ``document``, ordered by first mention, ids ``e1``, ``e2``, ..."""
    clusters = clusters_of(document, parse, settings)
    countries = countries_of(clusters, (n.text(parse) for c in clusters if c.label == "NORP" for n in c.names))
    resolved = resolve(parse, clusters, settings.nominals, settings.pronouns, settings.min_confidence)
    found = []
    for n, one in enumerate(clusters):
        entity = _entity(parse, one, [r for r in resolved.references if r.index == n], resolved.roles.get(n, []))
        if linked := link(one, entity.name, countries, settings.geonames):
            entity.link = linked
        found.append(entity)
    found.sort(key=lambda entity: (entity.mentions[0].start, entity.mentions[0].end))
    return [entity.model_copy(update={"id": f"e{n}"}) for n, entity in enumerate(found, 1)]


def clusters_of(document: Document, parse: Doc, settings: EntitiesSettings) -> list[Cluster]:
    """Who and what is named, each with all its names, in the order of the first."""
    known = known_names(settings.aliases) if settings.aliases else ()
    names = teams(parse, consistent(parse, find(document, parse, known)))
    defined, common = acronyms(parse, names)
    names = [name for name in names if name.text(parse) not in common]
    names = _with_acronyms(parse, names, defined)
    if settings.rescan:
        names = rescanned(document, parse, names)
    if not settings.money:
        names = [name for name in names if name.label != "MONEY"]
    return cluster(parse, names, defined)


def _with_acronyms(parse: Doc, names: list[Name], defined: dict[str, Name]) -> list[Name]:
    """``names`` with every acronym the story defines tagged as what it stands for."""
    taken = {k for name in names for k in range(name.i, name.j)}
    fixed = [
        replace(n, label=defined[text].label) if (text := n.text(parse)) in defined and not n.agency else n
        for n in names
    ]
    fixed += [
        Name(token.i, token.i + 1, defined[token.text].label)
        for token in parse
        if token.text in defined and token.i not in taken
    ]
    return sorted(fixed, key=lambda name: name.i)


def _entity(parse: Doc, found: Cluster, references: list[Reference], told: list[str]) -> Entity:
    mentions = [_mention(parse, name.i, name.j, "name", name) for name in found.names]
    mentions += [_mention(parse, r.i, r.j, r.kind, None, r.confidence) for r in references]
    mentions.sort(key=lambda mention: mention.start)
    name = found.known.name if found.known is not None else _full_name(parse, found)
    surfaces = dict.fromkeys(mention.text for mention in mentions if mention.kind == "name")
    fields: dict[str, Any] = {
        "id": "e0",
        "label": found.label,
        "name": name,
        "mentions": mentions,
        "roles": roles_of(parse, found, told),
        "aliases": [surface for surface in surfaces if surface != name],
    }
    if any(n.agency for n in found.names) or name in lexicons().agencies:
        fields["agency"] = True
    return Entity(**fields)


def _mention(parse: Doc, i: int, j: int, kind: Any, name: Name | None, confidence: float | None = None) -> Mention:
    span = parse[i:j]
    fields: dict[str, Any] = {"start": span.start_char, "end": span.end_char, "text": str(span.text), "kind": kind}
    if name is not None and name.role_i is not None:
        fields["role"] = str(parse[name.role_i : name.i].text).strip(" ,")
    if confidence is not None:
        fields["confidence"] = confidence
    return Mention(**fields)


def _titled(parse: Doc, name: Name, label: str) -> str:
    """The name as written, of a newspaper with its article, of an agency with its kind: Yonhap news agency.

    A town stands without the region after the comma.
    """
    text = name.text(parse)
    if label == "GPE":
        text = text.partition(", ")[0]
    if label == "ORG" and str(parse[name.j : name.j + 2].text).lower() == "news agency":
        return f"{text} {parse[name.j : name.j + 2].text}"
    paper = label == "ORG" and name.j - name.i > 1 and parse[name.j - 1].lower_ in lexicons().papers
    return f"The {text}" if paper and name.i > 0 and parse[name.i - 1].lower_ == "the" else text


def _full_name(parse: Doc, found: Cluster) -> str:
    """The fullest name: most words, then first in the story; capitals only where there is no other form."""
    texts = [(_titled(parse, name, found.label), name.j - name.i) for name in found.names]
    texts = [(text, words + 2 * text.lower().endswith(" news agency")) for text, words in texts]
    # An acronym that is well known stands for the full name, which the story need not spell out.
    mixed = [t for t in texts if not t[0].isupper()] or texts
    most = max(words for _, words in mixed)
    name = " ".join(next(text for text, words in mixed if words == most).split())
    plain, lex = name.title(), lexicons()
    # INDIA and WASHINGTON of a headline or dateline are written as everybody writes them.
    if name.isupper() and len(name) > 3 and (plain in lex.countries or plain in lex.capitals):
        return plain
    return _official(name, [text for text, _ in texts])


def _official(name: str, written: list[str]) -> str:
    """``name`` as its bearer spells it, where the story has its well-known letters too: WHO's Organization."""
    known = lexicons().acronyms
    full = next((known[text][1] for text in written if text in known), name)
    return full if _spelt(full) == _spelt(name) else name


def _spelt(name: str) -> str:
    return fold(name).replace("isation", "ization").replace("labor ", "labour ").removeprefix("the ")
