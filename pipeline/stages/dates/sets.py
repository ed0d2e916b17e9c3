"""Normalisers of times that come back: daily, every Monday, a year as a rate."""

from __future__ import annotations

import re

from pipeline.stages.dates.anchor import Context, Reading
from pipeline.stages.dates.durations import duration_code, unit_code
from pipeline.stages.dates.grammar import Match
from pipeline.stages.dates.lexicon import lookup, number, words


def adverb(match: Match, context: Context) -> Reading | None:
    """``daily``, ``annually``."""
    said = match["w"].lower()
    if said not in context.settings.set_adverbs or (match["w"][0].isupper() and match.first > 0):
        return None
    if "sp" in match and said == "annual":
        return Reading("SET", "P6M", freq="1X")
    return Reading("SET", str(lookup("frequency", said)), freq="1X")


def every(match: Match, context: Context) -> Reading | None:
    """``every Monday``, ``each year``, ``every two weeks``, ``every morning``."""
    quant = "EACH" if "q2" in match else "EVERY"
    if "q3" in match:
        return _all(match)
    if "wd" in match:
        part = f"T{lookup('part', match['p2'])}" if "p2" in match else ""
        return Reading("SET", f"XXXX-WXX-{lookup('weekday', match['wd'])}{part}", quant=quant, freq="1X")
    if "m" in match:
        return Reading("SET", f"XXXX-{lookup('month', match['m']):02}", quant=quant, freq="1X")
    if "p" in match:
        return Reading("SET", f"XXXX-XX-XXT{lookup('part', match['p'])}", quant=quant, freq="1X")
    if "s" in match:
        return Reading("SET", f"XXXX-{lookup('season', match['s'])}", quant=quant, freq="1X")
    count = "2" if "other" in match else number(match["n"]) if "n" in match else "1"
    code = unit_code(match["u"] or match["us"])
    if count is None or (match["u"].lower() in ("second",)):
        return None
    if code == "WE":
        return Reading("SET", "XXXX-WXX-WE", quant=quant, freq="1X")
    return Reading("SET", duration_code(count, code), quant=quant, freq="1X")


def _all(match: Match) -> Reading | None:
    """``all day``, ``all year``: the whole length."""
    if "u" not in match or "n" in match or "other" in match:
        return None
    code = unit_code(match["u"])
    return Reading("DURATION", duration_code("1", code)) if code in ("D", "W", "Y", "M") else None


def plural_day(match: Match, context: Context) -> Reading | None:
    """``Mondays``, ``evenings``."""
    if "ps" in match:
        return None
    which = lookup("weekdays", match["wds"])
    if which == 8:
        return Reading("SET", "XXXX-WXX-WE", quant="EVERY", freq="1X")
    if which == 9 or not match["wds"][0].isupper():
        return None
    return Reading("SET", f"XXXX-WXX-{which}", quant="EVERY", freq="1X")


_FIGURES = re.compile(r"(?:[$£€#₹]\s?[\d.,]+[\w ]{0,12}|\d%?)\s*$")


def _is_amount(before: str) -> bool:
    """Whether a text ends in an amount or in what is counted: ``$20 million``, ``barrels``."""
    last = re.search(r"(?<![^\W\d_])([^\W\d_]+)\s*$", before)
    return bool(_FIGURES.search(before)) or (last is not None and last[1].lower() in words("amounts"))


def rate(match: Match, context: Context) -> Reading | None:
    """``$20 million a year``, ``once per day``; elsewhere ``a year`` is a length."""
    code = unit_code(match["u"])
    if code in ("TS", "WE") or (code == "D" and match["u"].lower() == "night"):
        return None
    before = context.text[max(0, match.start - 40) : match.start]
    if "q3" in match or _is_amount(before):
        return Reading("SET", duration_code("1", code), quant="EVERY", freq="1X")
    return None


def times(match: Match, context: Context) -> Reading | None:
    """``twice a month``."""
    count = "1" if "once" in match else "2" if "twice" in match else number(match["n"])
    if "wd" in match:
        return Reading("SET", f"XXXX-WXX-{lookup('weekday', match['wd'])}", freq=f"{count}X")
    return Reading("SET", duration_code("1", unit_code(match["u"])), freq=f"{count}X")


def seasons(match: Match, context: Context) -> Reading | None:
    """``the past three summers``."""
    count = number(match["n"])
    return Reading("SET", f"XXXX-{lookup('seasons', match['ss'])}", freq=f"{count}Y" if count else None)
