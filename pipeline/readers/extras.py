"""Libraries that only some formats need, installed as extras."""

from __future__ import annotations

from importlib.util import find_spec

from pipeline.errors import StoryError


def needed(module: str, extra: str, what: str) -> None:
    """Raises :class:`StoryError` E_EXTRA, with the command that cures it, if ``module`` is not installed."""
    if find_spec(module) is None:
        raise StoryError("E_EXTRA", f"{what} need the extra {extra!r}: pip install 'copydesk[{extra}]'")
