from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.settings import as_toml, load, resolve
from pipeline.stage import installed


def test_defaults_cover_every_installed_stage() -> None:
    settings = load()
    assert list(settings.stages) == list(installed())
    assert settings.stage("quotes").settings == installed()["quotes"].Settings()


def test_assignments_win_over_the_file(tmp_path: Path) -> None:
    config = tmp_path / "copydesk.toml"
    config.write_text("[run]\nworkers = 2\nshard_words = 900\n")
    settings = load(config, ["run.workers=3"])
    assert (settings.run.workers, settings.run.shard_words) == (3, 900)


def test_the_printed_file_says_the_same_again(tmp_path: Path) -> None:
    config = tmp_path / "copydesk.toml"
    config.write_text(as_toml(load()))
    assert load(config) == load()


@pytest.mark.parametrize(
    ("assignment", "says"),
    [
        ("quots.min_confidence=1", "Did you mean 'quotes'"),
        ("quotes.min_confidense=1", "Did you mean 'min_confidence'"),
        ("quotes.min_confidence=much", 'quotes.min_confidence = "much"'),
        ("quotes.min_confidence=much", "it is a number"),
        ("dates.ages=perhaps", 'dates.ages = "perhaps": it is true or false'),
        ("dates.set_adverbs=daily,weekly", 'it is a list, such as ["one", "two"]'),
        ("run.workers=-1", "greater than or equal to 0"),
        ("quotes", "not of the form"),
        ("quotes.=1", "not of the form"),
        ("quotes=1", "a section with keys"),
        ("model=3", "name of a package"),
    ],
)
def test_a_mistake_is_named_with_its_cure(assignment: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(None, [assignment])
    assert says in str(caught.value)


@pytest.mark.parametrize("content", [b"[run", b"\xff\xfe", b"[nonsense]\nx = 1\n"])
def test_a_broken_file_is_a_usage_error_naming_it(tmp_path: Path, content: bytes) -> None:
    config = tmp_path / "copydesk.toml"
    config.write_bytes(content)
    with pytest.raises(UsageError, match=r"copydesk\.toml"):
        load(config)
    with pytest.raises(UsageError, match=r"absent\.toml cannot be read: No such file or directory$"):
        load(tmp_path / "absent.toml")


def test_settings_cannot_be_changed_in_place() -> None:
    with pytest.raises(Exception, match="frozen"):
        resolve({}, "test").run.workers = 3
