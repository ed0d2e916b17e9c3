"""Wire text: what is copy and what is furniture around it.

A wire story may open with header fields, an embargo, a headline, a byline and a dateline, and close with credits
and notes. They are marked as zones, told in ``meta``, and kept out of ``body``; ``text`` is never touched. In doubt
a line is copy: a lost first sentence hurts more than a headline left in.

The forms are those of the agencies' own style books: ``NEW DELHI, Mar 28 (PTI)``, ``LONDON (Reuters) -``,
``WASHINGTON (AP) —``, ``PARIS, March 28 (AFP) -``, ``JERUSALEM/CAIRO, Oct 3 (Reuters) -``, ``SALVADOR, Feb 26 -``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from models.document import SCHEMA, Document, Meta, Source, Span, Zone

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)"
)
_WEEKDAY = r"(?:(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?\.?,?[ ]+)"
_DATE = (
    rf"{_WEEKDAY}?(?:(?P<m1>{_MONTH})\.?[ ]+(?P<d1>\d{{1,2}})|(?P<d2>\d{{1,2}})[ ]+(?P<m2>{_MONTH})\.?)"
    r"(?!\d)(?:,?[ ]+(?P<year>(?:19|20)\d\d)(?!\d))?"
)
_DASH = r"[-‐-―−_]{1,3}"
_WORD = r"(?:[A-ZÀ-ÖØ-ÞŁŚŞŠŽİ][\w.'’-]{0,30}|(?:de|del|da|do|la|el|al|of|the|and|upon|sur|am)\b)"
_PLACE = rf"[A-ZÀ-ÖØ-ÞŁŚŞŠŽİ][\w.'’-]{{0,30}}(?:[ ]{_WORD}){{0,4}}"
_ENDING = (
    rf"(?:,?[ ]+{_DATE},?)?"
    r"(?P<credit>\.?[ ]*(?:\((?P<agency>[A-Za-z][\w /.&-]{1,40})\)|/(?P<slashed>[A-Za-z]{2,10})/))?"
    rf"(?P<dash>\.?[ ]*(?:{_DASH}|:|(?<=/)\.)(?=\s|$))?"
)
_REGION = rf"(?:,[ ](?!{_MONTH}\b){_PLACE}|[ ]\({_PLACE}\)(?=[ ]?[\[,])|[ ]\[{_PLACE}\]){{0,3}}"
_DATELINE = re.compile(rf"(?P<places>{_PLACE}(?:[ ]?/[ ]?{_PLACE}){{0,3}}){_REGION}{_ENDING}")
_AGENCY_LINE = re.compile(rf"(?P<places>)(?P<first>[A-Za-z][\w/.]{{1,12}}(?:[ ]News)?)(?=,[ ]\d){_ENDING}")
"""``afrol News, 27 January -``: the agency where others put the place."""
_NO_PLACES = frozenset(
    (
        *("BREAKING", "UPDATE", "UPDATED", "EXCLUSIVE", "CORRECTED", "CORRECTION", "WATCH", "OPINION", "ANALYSIS"),
        *("FACTBOX", "TIMELINE", "VIDEO", "PHOTOS", "LIVE", "REFILE", "RPT", "ADVISORY", "ALERT", "URGENT", "FLASH"),
        *("EDITORIAL", "COMMENT", "INTERVIEW", "FEATURE", "EXPLAINER", "NOTE", "PS", "Q", "A"),
    )
)
"""Words in capitals that open a line with a dash and name no place."""
_FIELD = re.compile(
    r"[ \t]*(?P<key>slug|slugline|headline|head|title|byline|author|dateline|date|published|pubdate|keywords|tags"
    r"|embargo|embargoed until|agency|source|place|location|language|lang|copyright|urgency|priority|category|id"
    r"|desk|version|status|words|word count)[ \t]*:[ \t]*(?P<value>[^\r\n]{0,400})",
    re.IGNORECASE,
)
_GAP = re.compile(r"[ \t]*(?:\r\n|\r|\n)[ \t]*[\r\n\u2028\u2029]|\u2029")
_FEED_DATE = re.compile(r"\s*\bdate:?[ \t]+(?P<value>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?)\b[ \t]*", re.I)
_EMBARGO = re.compile(
    r"(?:\W{0,3}(?:STRICTLY )?EMBARGO(?:ED)?\b|Not for (?:release|publication|broadcast)\b|HOLD FOR RELEASE\b"
    r"|For (?:immediate )?release\b)[^\r\n]{0,200}",
    re.IGNORECASE,
)
_NAME = r"[A-ZÀ-ÖØ-ÞŁŚŞŠŽİ][\w.'’-]*"
_BYLINE = re.compile(
    rf"(?:By|BY)[ ]+(?P<name>{_NAME}(?:[ ](?:{_NAME}|de|van|von|der|bin|al|del|da|la)){{0,5}}"
    rf"(?:(?:,| and| &| AND)[ ]{_NAME}(?:[ ](?:{_NAME}|de|van|von|der|bin|al|del|da|la)){{0,5}}){{0,4}}"
    r"(?:[,|][ ][\w .&'’-]{1,60})?)[ \t]*"
)
_TAIL = re.compile(
    r"(?:\((?:With (?:inputs?|additional|agency)|Reporting|Additional reporting|Writing|Editing|Compiled|Edited|Written"
    r"|Production|Graphics|\$1|This (?:story|report)|©|c\)|Only the headline)[^()\r\n]{0,600}(?:\([^()\r\n]{0,40}\)"
    r"[^()\r\n]{0,200}){0,3}\)"
    r"|-{1,2}[ ]?(?:30|0|ENDS?)[ ]?-{0,2}|#{3}|ENDS?|End(?:it)?\.?|_{2,}|\*{3,}|-{3,}|\(ends?\)|\(END\)|Enditem"
    r"|/{1,3}[A-Z]{2,10}"
    r"|(?:(?:PTI|ANI|IANS|UNI)(?:/[A-Z]{2,4})?(?:[ ][A-Z]{2,4}){1,8})"
    r"|[-–—][-–—]?[ ]?(?:PTI|ANI|IANS|UNI|AFP|AP|Reuters|Xinhua|dpa|EFE|Bernama|BERNAMA|Agencies)"
    r"|(?:The )?(?:Associated Press|AP|Reuters|AFP|dpa|Kyodo|EFE)(?:[ ][\w'’.-]+){0,3}[ ](?:writers?|journalists?"
    r"|reporters?|correspondents?|photographers?|staff)[ ][^\r\n]{0,300}contribut[^\r\n]{0,80}"
    r"|[^\r\n.]{2,160}[ ]contributed (?:to this (?:report|story)|from [^\r\n]{2,60}|reporting)\.?"
    r"|(?:Follow|More)[ ](?:AP|Reuters|AFP|the AP|him|her|us)[^\r\n]{0,200}"
    r"|(?:Copyright|©|\(c\))[^\r\n]{0,300})",
)
_INLINE_TAIL = re.compile(r"\((?:Reporting|Additional reporting|Writing|Editing|With inputs?)\b[^()]{0,500}\)\s*\Z")
_LETTERS = re.compile(r"[^\W\d_]")


def story(
    id_: str, text: str, source: Source, given: Meta, *, headed: bool = True, dateline: int = 0, tail: int = 0
) -> Document:
    """The document of a wire text. ``given`` is what is known from outside; it wins over what the text says.

    A text that is not ``headed`` comes from a format that keeps header fields and headline elsewhere, so they are
    not looked for. So many letters at its start are known to be its ``dateline``, so many at its end its ``tail``.
    """
    desk = _Reading(text)
    if headed:
        desk.read()
    else:
        desk.read_copy(given.headline, dateline, tail)
    meta = Meta.model_validate({**desk.meta, **given.model_dump(exclude_unset=True)})
    fields: dict[str, Any] = {"id": id_, "schema": SCHEMA, "source": source, "meta": meta, "text": text}
    fields["body"] = Span(start=desk.at, end=desk.end)
    if desk.zones:
        fields["zones"] = sorted(desk.zones, key=lambda zone: zone.start)
    return Document.model_validate(fields)


class _Reading:
    """One pass over a text, from both ends inwards: ``at`` and ``end`` close in on the copy."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at, self.end = 0, len(text)
        self.zones: list[Zone] = []
        self.meta: dict[str, Any] = {}
        self.day: tuple[int, int] | None = None  # month and day of a dateline without a year

    def read(self) -> None:
        """Find the zones."""
        self._skip_space()
        self._tails()
        self._feed_date()
        self._fields()
        self._embargo()
        if not self._dateline():
            self._headline()
            self._byline()
            self._embargo()
            self._dateline()
        else:
            self._byline()
        self._published()

    def read_copy(self, headline: str | None, dateline: int, tail: int) -> None:
        """Find the zones of a text without header fields; a first line that is the known headline is one."""
        self._skip_space()
        if tail:
            self._tail(self.end - tail, self.end)
            self.end -= tail
            self._skip_space()
        self._tails()
        if dateline:
            found = _DATELINE.match(self.text, self.at, dateline)
            self._take_dateline(found, dateline)
        else:
            end = self._line()
            if headline and self.text[self.at : end].split() == headline.split() and self._more(end):
                self._take("headline", end)
            self._embargo()
            self._byline()
            self._dateline()
        self._published()

    def _skip_space(self) -> None:
        while self.at < self.end and (self.text[self.at].isspace() or self.text[self.at] in "\x01\x02\ufeff"):
            self.at += 1
        while self.end > self.at and self.text[self.end - 1].isspace():
            self.end -= 1

    def _zone(self, kind: Any, start: int, end: int) -> None:
        self.zones.append(Zone(start=start, end=end, kind=kind))

    def _take(self, kind: Any, end: int) -> None:
        self._zone(kind, self.at, end)
        self.at = end
        self._skip_space()

    def _line(self) -> int:
        """End of the line at ``at``."""
        for n in range(self.at, self.end):
            if self.text[n] in "\r\n\u2028\u2029":
                return n
        return self.end

    # --- above the copy

    def _feed_date(self) -> None:
        found = _FEED_DATE.match(self.text, 0, self.end)
        if found and (published := day_of(found["value"])):
            self.meta["published"] = published
            start = found.end() - len(found[0].lstrip())
            self._zone("header", start, found.end("value"))
            self.at = found.end("value")
            self._skip_space()

    def _fields(self) -> None:
        found = list(self._field_lines())
        # One line with a colon may be copy ("Source: ..."); a field that is alone must be followed by a gap.
        if len(found) == 1 and not self._gap(found[0].end()):
            return
        for field in found:
            self.at = field.start()
            self._skip_space()
            self._field(field["key"].lower(), field["value"].strip(), field.start("value"), field.end())
            self.at = field.end()
            self._skip_space()

    def _field_lines(self) -> Iterator[re.Match[str]]:
        at = self.at
        while found := _FIELD.match(self.text, at, self.end):
            yield found
            at = found.end()
            if at >= self.end or self.text[at] not in "\r\n":
                return
            at += 2 if self.text.startswith("\r\n", at) else 1

    def _field(self, key: str, value: str, start: int, end: int) -> None:
        names = {
            "slugline": "slug", "head": "headline", "title": "headline", "author": "byline", "lang": "language",
            "location": "place", "tags": "keywords", "embargoed until": "embargo", "source": "agency",
        }  # fmt: skip
        key = names.get(key, key)
        trimmed = start + len(self.text[start:end]) - len(self.text[start:end].lstrip())
        last = trimmed + len(value)
        if key in ("headline", "byline", "embargo") and value:
            if trimmed > self.at:
                self._zone("header", self.at, trimmed)
            self._zone(key, trimmed, last)
        else:
            self._zone("header", self.at, max(last, self.at + 1))
        if not value:
            return
        if key in ("date", "published", "pubdate"):
            if published := day_of(value):
                self.meta.setdefault("published", published)
        elif key == "keywords":
            self.meta["keywords"] = [word.strip() for word in re.split(r"[,;]", value) if word.strip()]
        elif key == "agency":
            self.meta["agency"] = agency_of(value) or value
        elif key == "place":
            self.meta["place"] = titled(value)
        elif key in ("slug", "headline", "byline", "embargo", "language"):
            self.meta[key] = value

    def _embargo(self) -> None:
        end = self._line()
        if self.at < end and _EMBARGO.fullmatch(self.text, self.at, end) and self._more(end):
            self.meta.setdefault("embargo", self.text[self.at : end].strip())
            self._take("embargo", end)

    def _headline(self) -> None:
        end = self._line()
        line = self.text[self.at : end].rstrip()
        if not 8 <= len(line) <= 130 or " " not in line or not self._more(end):
            return
        if line[-1] in ".:;,-" or ". " in line or line[0] in '"“«`' or self._is_byline(self.at, end):
            return
        before, start = self.at, self.at + len(line)
        self.at = end
        self._skip_space()
        follows = self._is_byline(self.at, self._line()) or self._dateline_at() is not None
        self.at = before
        # A headline is parted from the copy by a gap, or a byline or dateline comes next.
        if follows or (len(line.split()) > 3 and self._gap(end) and self._opens_copy(end)):
            self.meta.setdefault("headline", line)
            self._take("headline", start)

    def _opens_copy(self, at: int) -> bool:
        """Whether the paragraph after ``at`` is a sentence of copy, longer than a headline is."""
        rest = self.text[at : min(self.end, at + 400)].strip()
        first = re.split(r"[\r\n]", rest, maxsplit=1)[0]
        return len(first) > 60 or ". " in first

    def _is_byline(self, start: int, end: int) -> bool:
        return end - start <= 140 and _BYLINE.fullmatch(self.text, start, end) is not None

    def _byline(self) -> None:
        end = self._line()
        if self._is_byline(self.at, end) and self._more(end):
            found = _BYLINE.fullmatch(self.text, self.at, end)
            assert found is not None
            self.meta.setdefault("byline", found["name"].strip())
            self._take("byline", self.at + len(self.text[self.at : end].rstrip()))
            # A line with the by-liner's paper may follow.
            end = self._line()
            if agency_of(self.text[self.at : end].strip()) and self._more(end):
                self._take("byline", end)

    def _gap(self, at: int) -> bool:
        """Whether a blank line follows the line that ends at ``at``."""
        return _GAP.match(self.text, at, self.end) is not None

    def _more(self, at: int) -> bool:
        return _LETTERS.search(self.text, at, self.end) is not None

    def _dateline_at(self) -> re.Match[str] | None:
        if self.at >= self.end or not self.text[self.at].isalpha():
            return None
        limit = min(self.end, self.at + 220)
        found = _AGENCY_LINE.match(self.text, self.at, limit)
        if found and agency_of(found["first"]) and found["dash"]:
            return found
        found = _DATELINE.match(self.text, self.at, limit)
        if not found or found["places"].split(" ")[0].rstrip(".:") in _NO_PLACES:
            return None
        dated, dash = bool(found["m1"] or found["m2"]), found["dash"] or ""
        capitals = found["places"].isupper() and len(found["places"]) > 2
        if found["credit"]:
            # "(PTI)" closes a dateline by itself; after any other bracket a dash is wanted.
            known = agency_of(found["agency"] or found["slashed"])
            return found if dash or (known and (dated or capitals)) else None
        if not dash or dash.strip() == ":" or not self._more(found.end()):
            return None
        glued = dash[0] in "-_"  # "TOKYO-based" is copy; "TOKYO— " is not
        return found if dated or (capitals and not glued) else None

    def _dateline(self) -> bool:
        found = self._dateline_at()
        if found is None:
            return False
        if not self._more(found.end()):
            return False
        self._take_dateline(found, found.end())
        return True

    def _take_dateline(self, found: re.Match[str] | None, end: int) -> None:
        """The text up to ``end`` is the dateline; ``found`` is what could be read in it."""
        self.meta["dateline"] = {"start": self.at, "end": end}
        self._take("dateline", end)
        if found is None:
            return
        places = [titled(place.strip()) for place in re.split(r"/|\band\b", found["places"] or "") if place.strip()]
        if places:
            self.meta.setdefault("place", places[0])
            if len(places) > 1:
                self.meta["places"] = places
        credit = found.groupdict()
        agency = credit["agency"] or credit["slashed"] or credit.get("first")
        if agency:
            self.meta["agency"] = agency_of(agency) or agency
        month = found["m1"] or found["m2"]
        if month:
            number = _month(month)
            day = int(found["d1"] or found["d2"])
            if found["year"]:
                if valid := _valid(int(found["year"]), number, day):
                    self.meta.setdefault("published", valid)
            else:
                self.day = (number, day)

    def _published(self) -> None:
        """A header that gives the year and a dateline that gives the day make a date together."""
        year = self.meta.get("published", "")
        if self.day and re.fullmatch(r"\d{4}(-\d\d)?", year) and (day := _valid(int(year[:4]), *self.day)):
            self.meta["published"] = day

    # --- below the copy

    def _tails(self) -> None:
        while True:
            start = max(self.text.rfind(mark, self.at, self.end) for mark in "\r\n\u2028\u2029") + 1
            start = max(start, self.at)
            line = self.text[start : self.end]
            stripped = line.strip()
            if start <= self.at or len(stripped) > 700:
                break
            if stripped and not _TAIL.fullmatch(stripped):
                break
            if stripped:
                first = start + len(line) - len(line.lstrip())
                self._tail(first, first + len(stripped))
            self.end = start
            while self.end > self.at and self.text[self.end - 1].isspace():
                self.end -= 1
        inline = _INLINE_TAIL.search(self.text, max(self.at, self.end - 520), self.end)
        if inline and inline.start() > self.at:
            self._tail(inline.start(), self.end)
            self.end = inline.start()
            while self.end > self.at and self.text[self.end - 1].isspace():
                self.end -= 1

    def _tail(self, start: int, end: int) -> None:
        piece = self.text[start:end]
        credit = len(_LETTERS.findall(piece[:20])) > 5 or re.match(r"[-–—(]*(?:PTI|ANI|IANS|UNI|AFP|AP)\b", piece)
        self._zone("credit" if credit else "note", start, end)
        if credit:
            self.meta["credit"] = piece if "credit" not in self.meta else f"{piece} {self.meta['credit']}"
            if found := re.match(r"[-–— (]*([A-Za-z]+)", piece):
                agency = agency_of(found[1])
                if agency and found[1].isupper():
                    self.meta.setdefault("agency", agency)


@cache
def _agencies() -> dict[str, str]:
    lines = (files("pipeline.readers") / "agencies.tsv").read_text("utf-8").splitlines()
    table: dict[str, str] = {}
    for line in lines:
        if line and not line.startswith("#"):
            name, *variants = line.split("\t")
            table.update(dict.fromkeys((v.casefold() for v in variants), name))
    return table


def agency_of(credit: str) -> str | None:
    """Canonical short name of the agency credited, first of several; None if it is no agency we know."""
    table = _agencies()
    for part in (credit, *re.split(r"[/,&-]| and ", credit)):
        if name := table.get(part.strip().casefold()):
            return name
    return None


def titled(place: str) -> str:
    """A place in capitals as it is written in copy: ``NEW DELHI`` is New Delhi; mixed case is left alone."""
    if not place.isupper() or len(place.replace(".", "")) <= 2:
        return place
    small = {"DE", "DEL", "DA", "DO", "LA", "OF", "THE", "AND", "UPON", "SUR", "AM"}
    words = [
        word.lower() if n and word in small else re.sub(r"[^\W\d_]+", lambda w: w[0].capitalize(), word)
        for n, word in enumerate(place.split(" "))
    ]
    return re.sub(r"(?<=['’])S\b", "s", " ".join(words))


def _month(name: str) -> int:
    return _MONTHS.index(name[:3].capitalize()) + 1


def _valid(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


_SPELT = re.compile(_DATE, re.IGNORECASE)


def day_of(value: str) -> str | None:
    """ISO 8601 of a header's date: ISO itself, ``March 28, 2025``, ``28 Mar 2025``; None without a year."""
    value = value.strip()
    if re.fullmatch(r"\d{4}(?:-\d\d)?", value):
        return value
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        spelt = _SPELT.search(value[:80])
        if spelt and spelt["year"]:
            return _valid(int(spelt["year"]), _month(spelt["m1"] or spelt["m2"]), int(spelt["d1"] or spelt["d2"]))
        return None
    return value[:10] if len(value) <= 10 else found.isoformat()
