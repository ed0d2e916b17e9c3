"""Dates: every temporal expression of a story with its TIMEX3 type and value.

Values are TIMEX3 (TimeML 1.2.1), resolved against ``meta.published``, the document time; without one, against the
full date of the story's header or dateline. Where neither is there, expressions that name their year still resolve
and all others get the open form of the standard (``Friday`` XXXX-WXX-5, ``April 2`` XXXX-04-02, ``last year`` XXXX);
these have no ``earliest`` and ``latest``. The clock of the machine is never looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from pipeline.stage import Stage, StageSettings

if TYPE_CHECKING:
    from spacy.tokens import Doc

    from models.document import Document


class DatesSettings(StageSettings):
    """What a person tunes in the reading of dates."""

    future_bias: float = Field(
        0.4, ge=0, le=1, description="How readily a bare weekday or month is the next one: 0 never, 1 at any hint."
    )
    direction_window: int = Field(
        14, ge=0, le=40, description="Words left of a bare date that are searched for words that look ahead."
    )
    references: bool = Field(True, description="Mark now, currently, recently, the future (PRESENT_REF and such).")
    reference_words: tuple[str, ...] = Field(
        ("now", "nowadays", "currently", "current", "recently", "lately"),
        description="Single words marked as references; soon, someday, presently are known too.",
    )
    durations: bool = Field(True, description="Mark lengths of time: three years, days, a 24-hour strike.")
    ages: bool = Field(False, description="Mark ages as durations: 30-year-old, 30 years old.")
    set_adverbs: tuple[str, ...] = Field(
        ("daily", "nightly", "hourly", "weekly", "monthly", "yearly"),
        description="Words that name a time that comes back and are marked as SET.",
    )
    day_first: Literal["auto", "dmy", "mdy"] = Field(
        "auto", description="Order of 3/4/25: by the story's place and agency, day first, or month first."
    )
    zone_offsets: bool = Field(False, description="Write offsets of zones other than GMT into values: T22:00-05.")


class Dates(Stage):
    """Finds temporal expressions and gives them TIMEX3 values."""

    name: ClassVar[str] = "dates"
    version: ClassVar[str] = "2"
    needs: ClassVar[tuple[str, ...]] = ("parse", "meta")
    makes: ClassVar[tuple[str, ...]] = ("dates",)
    Settings: ClassVar[type[StageSettings]] = DatesSettings
    libraries: ClassVar[tuple[str, ...]] = ("dateparser",)

    def apply(self, document: Document, parse: Doc) -> Mapping[str, list[Any]]:
        """The temporal expressions of the whole text, in order."""
        from pipeline.stages.dates.extract import extract

        return {"dates": extract(document, parse, self.settings)}
