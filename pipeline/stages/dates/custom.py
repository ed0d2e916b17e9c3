"""Customs that differ by country: day or month first in figures, and when a fiscal year begins."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

from pipeline.stages.dates.anchor import Context
from pipeline.stages.dates.lexicon import HERE


@cache
def _customs() -> dict[str, Any]:
    return tomllib.loads((HERE / "customs.toml").read_text("utf-8"))


def country(context: Context) -> str | None:
    """Country whose customs a story follows: that of its place, else of its agency."""
    customs = _customs()
    for table, name in (("places", context.place), ("agencies", context.agency)):
        for code, names in customs[table].items():
            if name and name.lower() in names:
                return str(code)
    return None


def day_first(context: Context) -> bool:
    """Whether ``3/4/25`` is the third of April."""
    if context.settings.day_first != "auto":
        return bool(context.settings.day_first == "dmy")
    return country(context) in _customs()["day_first"]


def fiscal_start(context: Context) -> int | None:
    """Month the government's fiscal year begins in, where the country is known."""
    start = _customs()["fiscal_start"].get(country(context))
    return None if start is None else int(start)
