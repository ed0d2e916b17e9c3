"""What a stage is, and which stages are installed.

A stage is a desk: it declares its name, version, what it needs, which sections of the document it makes and what
can be tuned, and has one pure method, :meth:`Stage.apply`. Stages are found through the entry-point group
``copydesk.stages``, ours and other packages' alike.
"""

from __future__ import annotations

import difflib
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import orjson
from pydantic import BaseModel, ConfigDict

from pipeline.errors import UsageError

if TYPE_CHECKING:
    from spacy.tokens import Doc

    from models.document import Document

GROUP = "copydesk.stages"
BASE = frozenset({"parse", "meta", "text", "body", "zones"})
"""What a stage may need that no stage makes: the reader's fields and the parse."""


class StageSettings(BaseModel):
    """What a person can tune in a stage. Every field has a default and a description."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Stage(ABC):
    """A desk of the pipeline. Subclasses set the class variables and write :meth:`apply`."""

    name: ClassVar[str]
    version: ClassVar[str]
    needs: ClassVar[tuple[str, ...]]
    makes: ClassVar[tuple[str, ...]]
    Settings: ClassVar[type[StageSettings]] = StageSettings
    libraries: ClassVar[tuple[str, ...]] = ()
    """Distributions whose version can change the output, other than the language model's."""

    def __init__(self, settings: StageSettings | None = None) -> None:
        self.settings: Any = settings if settings is not None else self.Settings()

    @abstractmethod
    def apply(self, document: Document, parse: Doc) -> Mapping[str, list[Any]]:
        """The sections this stage makes, by name, for one story.

        ``parse.text == document.text``, so token offsets are document offsets. Pure: no I/O, no clock, no
        state kept between stories, nothing of ``document`` or ``parse`` changed. Items are models of
        :mod:`models.document` or, in sections of other packages, plain JSON data.
        """

    def facts(self) -> Mapping[str, str]:
        """What the record of this stage says in every document beside version and model; by default nothing."""
        return {}

    def resources(self) -> list[Path]:
        """Files whose bytes can change the output: by default the stage's own package, code and lexicons."""
        return _package_files(type(self).__module__)

    def key(self, needed: Mapping[str, str]) -> str:
        """Digest that names this stage's layer: version, settings, resources, and keys of the layers it needs."""
        facts = {
            "stage": self.name,
            "version": self.version,
            "settings": self.settings.model_dump(mode="json"),
            "resources": digest_files(self.resources()),
            "libraries": {name: version(name) for name in self.libraries},
            "needs": dict(sorted(needed.items())),
        }
        return hashlib.sha256(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _package_files(module: str) -> list[Path]:
    import sys

    path = Path(str(sys.modules[module].__file__))
    if path.name != "__init__.py":
        return [path]
    return files_of(path.parent)


def files_of(folder: Path) -> list[Path]:
    """Every file below ``folder`` but compiled ones, in order."""
    return sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)


def digest_files(paths: Iterable[Path]) -> str:
    """One digest of the names and bytes of ``paths``, in the order given."""
    total = hashlib.sha256()
    for path in paths:
        total.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


@cache
def installed() -> dict[str, type[Stage]]:
    """Stage classes by name, in an order in which every stage comes after those it needs.

    Raises :class:`UsageError` where a package's stage cannot be loaded, two share a name or a section, or the
    needs run in a circle.
    """
    found: dict[str, type[Stage]] = {}
    makers: dict[str, str] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda p: (p.name, p.value)):
        try:
            stage = point.load()
        except Exception as error:
            raise UsageError(
                f"the stage {point.name!r} ({point.value}) cannot be loaded: {error}",
                "Repair or uninstall the package that brings it",
            ) from error
        if found.get(stage.name, stage) is not stage:
            raise UsageError(f"two packages bring a stage named {stage.name!r}", "Uninstall one of them")
        found[stage.name] = stage
        for section in stage.makes:
            if makers.setdefault(section, stage.name) != stage.name or section in BASE:
                raise UsageError(
                    f"the stage {stage.name!r} makes the section {section!r}, which is not its own",
                    "Uninstall one of the packages",
                )
    return _ordered(found, makers)


def _ordered(found: dict[str, type[Stage]], makers: Mapping[str, str]) -> dict[str, type[Stage]]:
    order: dict[str, type[Stage]] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise UsageError("stages need one another in a circle: " + " -> ".join((*path, name)))
        if name in order:
            return
        for section in found[name].needs:
            if section in makers:
                visit(makers[section], (*path, name))
            elif section not in BASE:
                raise UsageError(f"the stage {name!r} needs {section!r}, which nothing makes")
        order[name] = found[name]

    ours = ("entities", "dates", "quotes", "attribution", "topics")
    for name in sorted(found, key=lambda n: (ours.index(n) if n in ours else len(ours), n)):
        visit(name, ())
    return order


def needed_by(stage: type[Stage] | Stage) -> list[str]:
    """Names of the stages whose sections ``stage`` reads."""
    makers = {section: name for name, other in installed().items() for section in other.makes}
    return sorted({makers[section] for section in stage.needs if section in makers})


def with_needs(names: Sequence[str]) -> list[str]:
    """``names`` and every stage they need, in running order. Raises :class:`UsageError` for an unknown name."""
    known = installed()
    wanted: set[str] = set()

    def want(name: str) -> None:
        if name not in known:
            raise UsageError(f"there is no stage {name!r}", did_you_mean(name, known))
        if name not in wanted:
            wanted.add(name)
            for other in needed_by(known[name]):
                want(other)

    for name in names:
        want(name)
    return [name for name in known if name in wanted]


def dependants(name: str) -> list[str]:
    """Stages that read what ``name`` makes, directly or through others, in running order."""
    stale = {name}
    for other, stage in installed().items():
        if stale & set(needed_by(stage)):
            stale.add(other)
    return [other for other in installed() if other in stale and other != name]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The cure for a mistyped name."""
    names = list(known)
    close = difflib.get_close_matches(word, names, n=1)
    return f"Did you mean {close[0]!r}?" if close else "Known are: " + ", ".join(names)
