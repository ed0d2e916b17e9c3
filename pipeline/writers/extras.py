"""Libraries that only some formats need, installed as extras."""

from __future__ import annotations

from importlib.util import find_spec

from pipeline.errors import UsageError


def needed(module: str, extra: str, what: str) -> None:
    """Raises :class:`UsageError`, with the command that cures it, if ``module`` is not installed."""
    if find_spec(module) is None:
        raise UsageError(f"{what} needs the extra {extra!r}", f"pip install 'copydesk[{extra}]'")
