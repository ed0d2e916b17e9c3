"""What can be set about reading: limits, encoding, and which column or field of a row is which."""

from __future__ import annotations

from pydantic import Field

from pipeline.stage import StageSettings

COLUMNS = {
    "id": ("id", "guid", "uri", "story_id", "article_id", "doc_id"),
    "text": ("text", "body", "content", "article", "story", "body_text", "full_text", "article_text"),
    "published": ("published", "date", "pubdate", "published_at", "publish_date", "publication_date", "datetime"),
    "headline": ("headline", "title"),
    "byline": ("byline", "author", "authors"),
    "agency": ("agency",),
    "place": ("place",),
    "slug": ("slug", "slugline"),
    "keywords": ("keywords", "tags"),
    "language": ("language", "lang"),
}
"""Names by which the columns of a table are known when none is set, the first that is there; case does not matter."""


def _column(what: str) -> str | None:
    value: str | None = Field(None, description=f"Column or JSON field with the {what}; default: known by its name.")
    return value


class ReadSettings(StageSettings):
    """How stories are read."""

    encoding: str | None = Field(None, description="Encoding of all text inputs; default: found out for each.")
    max_bytes: int = Field(5_000_000, ge=1, description="Largest story taken, in bytes.")
    max_file_bytes: int = Field(
        200_000_000, ge=1, description="Largest file that is held whole (XML, JSON, Parquet), unpacked, in bytes."
    )
    id_column: str | None = _column("story's id")
    text_column: str | None = _column("text")
    date_column: str | None = _column("day or time it was published")
    headline_column: str | None = _column("headline")
    byline_column: str | None = _column("byline")
    agency_column: str | None = _column("agency")
    place_column: str | None = _column("place")
    slug_column: str | None = _column("slug")
    keywords_column: str | None = _column("keywords")
    language_column: str | None = _column("language")

    def columns(self) -> dict[str, str]:
        """The columns that are set, by the field of a row they stand for (``text``, ``published``, ...)."""
        given = {field: getattr(self, f"{'date' if field == 'published' else field}_column") for field in COLUMNS}
        return {field: column for field, column in given.items() if column is not None}
