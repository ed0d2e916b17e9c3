"""Rows with named fields, from JSON lines, CSV and Parquet alike: which field is which, and a story of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from models.document import Document, Meta, Source
from pipeline.errors import StoryError
from pipeline.readers.decode import clean
from pipeline.readers.found import cleaned
from pipeline.readers.moments import moment
from pipeline.readers.options import COLUMNS, ReadSettings
from pipeline.readers.wire import day_of, story

SECTIONS = frozenset(Document.model_fields) - {"id", "text"} | {"schema", "timexes", "mentions"}
"""Names in plain rows that mean something else in a document; such fields are left out."""
_WORDS = ("headline", "byline", "agency", "place", "language", "slug", "embargo", "credit")


def columns(names: Iterable[str], settings: ReadSettings) -> dict[str, str]:
    """Field of a row to name of the table's column that has it: as set, else by its name.

    Raises :class:`StoryError` E_TABLE where there is no text or a column that is set is not there.
    """
    there = list(names)
    small = {name.strip().lower().replace(" ", "_"): name for name in reversed(there)}
    found = {field: next((small[name] for name in known if name in small), None) for field, known in COLUMNS.items()}
    listed = ", ".join(there)[:300]
    for field, column in settings.columns().items():
        if column not in there:
            raise StoryError("E_TABLE", f"there is no column {column!r}; the columns are: {listed}")
        found[field] = column
    if found["text"] is None:
        cure = "name the column with --set read.text_column=NAME"
        raise StoryError("E_TABLE", f"no column is known to be the text; {cure}; the columns are: {listed}")
    return {field: column for field, column in found.items() if column is not None}


def named(row: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """``row`` with its columns under the names of the fields they are; other columns keep their names."""
    taken = set(fields.values())
    rest = {key: value for key, value in row.items() if key not in taken and key not in fields}
    return {**{field: row[column] for field, column in fields.items() if column in row}, **rest}


def of_row(row: Mapping[str, Any], source: Source, id_: str) -> tuple[Document, tuple[str, ...]]:
    """The story of a row with ``text``, and warnings. ``id_`` is for a row without one.

    Raises :class:`StoryError` E_EMPTY_FIELD.
    """
    text = row.get("text")
    if not isinstance(text, str):
        raise StoryError("E_EMPTY_FIELD", "the row has no text" if text is None else "text is not a string")
    given, more = _meta(row)
    own = row.get("id")
    if not isinstance(own, bool) and isinstance(own, str | int) and own != "":
        id_ = str(own)
    text, unfit = clean(text)
    id_, unfit_id = clean(id_)
    document = story(id_, text, source, given)
    for key, value in row.items():
        if key not in SECTIONS and key not in {"id", "text", "published", "keywords", *_WORDS}:
            document.__pydantic_extra__[key] = cleaned(value)  # type: ignore[index]
    return document, (*(unfit or unfit_id), *more)


def _spelt(value: Any) -> str | None:
    return day_of(value) if isinstance(value, str) else None


def _meta(row: Mapping[str, Any]) -> tuple[Meta, tuple[str, ...]]:
    fields: dict[str, Any] = {}
    warnings: list[str] = []
    for key in _WORDS:
        if isinstance(row.get(key), str) and row[key].strip():
            fields[key] = row[key].strip()
        elif row.get(key) not in (None, ""):
            warnings.append(f"{key} is not a string and is left out")
    keywords = row.get("keywords")
    if isinstance(keywords, str):
        keywords = [word.strip() for word in keywords.split(",") if word.strip()]
    if isinstance(keywords, list) and keywords and all(isinstance(word, str) for word in keywords):
        fields["keywords"] = keywords
    if row.get("published") not in (None, ""):
        if published := moment(row["published"]) or _spelt(row["published"]):
            fields["published"] = published
        else:
            warnings.append(f"published is no date that can be read: {str(row['published'])[:40]!r}")
    return Meta(**cleaned(fields)), tuple(warnings)
