from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline import stage as stages
from pipeline.errors import UsageError
from pipeline.stage import Stage, StageSettings, dependants, installed, needed_by, with_needs


def test_the_five_desks_are_installed_in_running_order() -> None:
    order = list(installed())
    assert [name for name in order if name in {"entities", "dates", "quotes", "attribution", "topics"}] == [
        "entities",
        "dates",
        "quotes",
        "attribution",
        "topics",
    ]
    for n, name in enumerate(order):
        assert set(needed_by(installed()[name])) <= set(order[:n])


def test_every_stage_says_what_it_is_and_what_can_be_set() -> None:
    for name, stage in installed().items():
        assert stage.name == name
        assert stage.__doc__
        assert stage.makes
        for key, field in stage.Settings.model_fields.items():
            assert field.description, f"{name}.{key} has no description"
            assert not field.is_required(), f"{name}.{key} has no default"


def test_needs_are_brought_along_and_dependants_follow() -> None:
    assert with_needs(["attribution"]) == ["entities", "quotes", "attribution"]
    assert dependants("quotes") == ["attribution"]
    assert dependants("dates") == []
    with pytest.raises(UsageError, match="Did you mean 'topics'"):
        with_needs(["topcs"])


class Numbers(StageSettings):
    base: int = 10


class Counting(Stage):
    """A stage of this test."""

    name, version, needs, makes = "counting", "1", ("parse",), ("counts",)
    Settings = Numbers

    def apply(self, document: Any, parse: Any) -> Mapping[str, list[Any]]:
        return {"counts": [len(parse)]}


def test_a_key_follows_version_settings_resources_and_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lexicon = tmp_path / "words.txt"
    lexicon.write_text("one")
    monkeypatch.setattr(Counting, "resources", lambda self: [lexicon])
    key = Counting().key({"parse": "a"})
    assert Counting().key({"parse": "a"}) == key
    assert Counting(Numbers(base=2)).key({"parse": "a"}) != key
    assert Counting().key({"parse": "b"}) != key
    lexicon.write_text("two")
    assert Counting().key({"parse": "a"}) != key
    lexicon.write_text("one")
    monkeypatch.setattr(Counting, "version", "2")
    assert Counting().key({"parse": "a"}) != key


def test_resources_are_the_stage_s_own_package() -> None:
    names = {path.name for path in installed()["quotes"]().resources()}
    assert "__init__.py" in names
    assert any(not name.endswith(".py") for name in names)


class Point:
    """What an entry point is to the registry."""

    def __init__(self, stage: type[Stage] | Exception) -> None:
        self.stage, self.name, self.value = stage, getattr(stage, "name", "broken"), "somewhere:Stage"

    def load(self) -> type[Stage]:
        if isinstance(self.stage, Exception):
            raise self.stage
        return self.stage


def variant(**fields: Any) -> type[Stage]:
    return type("Variant", (Counting,), fields)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([ImportError("no module")], "cannot be loaded"),
        ([Counting, variant(makes=("others",))], "two packages"),
        ([Counting, variant(name="other")], "not its own"),
        ([variant(makes=("text",))], "not its own"),
        ([variant(needs=("nothing-makes-this",))], "which nothing makes"),
        ([variant(needs=("b",), makes=("a",)), variant(name="b", needs=("a",), makes=("b",))], "in a circle"),
    ],
)
def test_packages_that_do_not_fit_are_named(found: list[Any], says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "entry_points", lambda group: [Point(stage) for stage in found])
    installed.cache_clear()
    try:
        with pytest.raises(UsageError, match=says):
            installed()
    finally:
        installed.cache_clear()
