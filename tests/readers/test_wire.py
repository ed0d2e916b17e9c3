"""Zones and meta of wire text: worked examples, and what must never happen."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.document import Document, Meta, Source, check
from pipeline.readers.wire import agency_of, day_of, story, titled

COPY = "The council met for nine hours and agreed on very little, two members who were in the room said."


def read(text: str, **given: Any) -> Document:
    return story("s", text, Source(path="s.txt", format="wire", sha256="", bytes=0), Meta(**given))


def body(document: Document) -> str:
    assert document.body is not None
    return document.text[document.body.start : document.body.end]


def zones(document: Document) -> dict[str, str]:
    return {zone.kind: document.text[zone.start : zone.end] for zone in document.zones}


@pytest.mark.parametrize(
    ("dateline", "place", "agency", "rest"),
    [
        ("NEW DELHI, Mar 28 (PTI) ", "New Delhi", "PTI", {}),
        ("New Delhi, Mar 28 (PTI) ", "New Delhi", "PTI", {}),
        ("New Delhi, March 28 (PTI): ", "New Delhi", "PTI", {}),
        ("Mumbai, Mar 28 (PTI) ", "Mumbai", "PTI", {}),
        ("Thiruvananthapuram (Kerala) [India], March 28 (ANI): ", "Thiruvananthapuram", "ANI", {}),
        ("New Delhi [India], March 28 (ANI): ", "New Delhi", "ANI", {}),
        ("LONDON (Reuters) - ", "London", "Reuters", {}),
        ("LONDON, March 3 (Reuters) - ", "London", "Reuters", {}),
        ("LONDON, 3 March (Reuters) – ", "London", "Reuters", {}),
        ("LONDON, March 3, 2025 (Reuters) - ", "London", "Reuters", {"published": "2025-03-03"}),
        ("WASHINGTON (AP) — ", "Washington", "AP", {}),
        ("WASHINGTON (AP) _ ", "Washington", "AP", {}),
        ("WASHINGTON (AP) -- ", "Washington", "AP", {}),
        ("NAIROBI, Kenya (AP) — ", "Nairobi", "AP", {}),
        ("ST. LOUIS (AP) — ", "St. Louis", "AP", {}),
        ("AMHERST, N.Y. (AP) -- ", "Amherst", "AP", {}),
        ("PARIS, March 28 (AFP) - ", "Paris", "AFP", {}),
        ("Paris, March 28, 2025 (AFP) - ", "Paris", "AFP", {"published": "2025-03-28"}),
        ("BEIJING, March 28 (Xinhua) -- ", "Beijing", "Xinhua", {}),
        ("JERUSALEM/CAIRO, Oct 3 (Reuters) - ", "Jerusalem", "Reuters", {"places": ["Jerusalem", "Cairo"]}),
        ("MOSCOW and KYIV (AP) — ", "Moscow", "AP", {"places": ["Moscow", "Kyiv"]}),
        ("SALVADOR, Feb 26 - ", "Salvador", None, {}),
        ("SÃO PAULO, Feb 26 (EFE).- ", "São Paulo", "EFE", {}),
        ("São Paulo, 26 Feb (EFE) - ", "São Paulo", "EFE", {}),
        ("TOKYO, Sept. 4 (Kyodo) - ", "Tokyo", "Kyodo", {}),
        ("Berlin (dpa) - ", "Berlin", "dpa", {}),
        ("KUALA LUMPUR, July 7 (Bernama) -- ", "Kuala Lumpur", "Bernama", {}),
        ("ANKARA, Turkey (AA) - ", "Ankara", "Anadolu", {}),
        ("MOSCOW, April 1. /TASS/. ", "Moscow", "TASS", {}),
        ("afrol News, 27 January - ", None, "afrol News", {}),
        ("YAOUNDÉ, May 13 2022 (IPS) - ", "Yaoundé", "IPS", {"published": "2022-05-13"}),
        ("DAR ES SALAAM, Tanzania (AP) _ ", "Dar Es Salaam", "AP", {}),
        ("WASHINGTON — ", "Washington", None, {}),
        ("TEHRAN— ", "Tehran", None, {}),
        ("HAVANA (AP ) -- ", "Havana", "AP", {}),
        ("INDEPENDENCE, Mo. (AP)-- ", "Independence", "AP", {}),
        ("UNITED NATIONS, Friday, March 28 (AP) — ", "United Nations", "AP", {}),
        ("", None, None, {}),
    ],
)
def test_datelines(dateline: str, place: str | None, agency: str | None, rest: dict[str, Any]) -> None:
    document = read(dateline + COPY)
    assert (document.meta.place, document.meta.agency) == (place, agency)
    if place or agency:
        assert body(document) == COPY
        assert zones(document) == {"dateline": dateline.strip()}
        span = document.meta.dateline
        assert span is not None
        assert document.text[span.start : span.end] == dateline.strip()
    else:
        assert document.zones == []
    for key, value in rest.items():
        assert getattr(document.meta, key) == value
    if "published" not in rest:
        assert document.meta.published is None


@pytest.mark.parametrize(
    "copy",
    [
        "PARIS-based traders sold on Friday - and then sold again, a broker said, before the bank closed.",
        "UPDATE - The minister has resigned, her office said on Friday after a long night of talks in the capital.",
        "By Friday the water had reached the second step of the town hall, and nobody was laughing any longer.",
        "John Smith - who had been mayor since May - resigned on Friday after the vote in the council was lost.",
        "Source: the ministry. Nobody else would confirm the figure that was given on Friday to the reporters.",
        "Embargo or no embargo, the ships sailed on Friday, said the harbour master, and they sailed at noon.",
        "India (which abstained) said on Friday that it would study the text that the others had agreed upon.",
        "Reuters reported on Friday that the bank would close 40 branches, which the bank would not confirm.",
        "“We are done,” he said.\n\nThe talks ended on Friday without a date for the next round, officials said.",
    ],
)
def test_copy_is_left_alone(copy: str) -> None:
    document = read(copy)
    assert document.zones == []
    assert body(document) == copy


def test_the_feed_s_own_date_runs_on_into_the_dateline() -> None:
    document = read(f" date 2025-03-28 New Delhi, Mar 28 (PTI) {COPY}")
    assert zones(document) == {"header": "date 2025-03-28", "dateline": "New Delhi, Mar 28 (PTI)"}
    assert document.meta.published == "2025-03-28"
    assert body(document) == COPY


def test_header_fields() -> None:
    text = (
        "slug: TRADE-TALKS\nheadline: Talks end without a date\nbyline: Asha Rao\ndate: March 28, 2025\n"
        f"keywords: trade, tariffs\nembargo: 2025-03-28T18:00Z\n\nGENEVA, March 27 (Reuters) - {COPY}"
    )
    document = read(text)
    meta = document.meta
    assert (meta.slug, meta.headline, meta.byline) == ("TRADE-TALKS", "Talks end without a date", "Asha Rao")
    assert (meta.keywords, meta.embargo) == (["trade", "tariffs"], "2025-03-28T18:00Z")
    assert (meta.agency, meta.place) == ("Reuters", "Geneva")
    assert meta.published == "2025-03-28"
    assert body(document) == COPY
    assert zones(document)["headline"] == "Talks end without a date"


def test_headline_byline_and_dateline() -> None:
    document = read(f"Talks end without a date\n\nBy ASHA RAO and JOHN ROE\n\nGENEVA (AP) — {COPY}")
    assert zones(document) == {
        "headline": "Talks end without a date",
        "byline": "By ASHA RAO and JOHN ROE",
        "dateline": "GENEVA (AP) —",
    }
    assert document.meta.byline == "ASHA RAO and JOHN ROE"
    assert body(document) == COPY


def test_an_embargo_line() -> None:
    document = read(f"EMBARGOED until 1800 GMT Friday\n\nGENEVA (AP) — {COPY}")
    assert document.meta.embargo == "EMBARGOED until 1800 GMT Friday"
    assert body(document) == COPY


@pytest.mark.parametrize(
    ("tail", "kind"),
    [
        ("(Reporting by Asha Rao; Editing by John Roe)", "credit"),
        ("(Reporting by Asha Rao in Geneva; Additional reporting by Li Na; Editing by John Roe)", "credit"),
        ("(With inputs from agencies)", "credit"),
        ("PTI ABC XYZ", "credit"),
        ("-30-", "note"),
        ("ENDS", "note"),
        ("___", "note"),
        ("###", "note"),
        ("Associated Press writer Asha Rao in Geneva contributed to this report.", "credit"),
        ("Enditem", "note"),
    ],
)
def test_tails(tail: str, kind: str) -> None:
    document = read(f"GENEVA (AP) — {COPY}\n\n{tail}\n")
    assert body(document) == COPY
    assert (document.zones[-1].kind in {"credit", "note"}, document.text[document.zones[-1].start :].strip()) == (
        True,
        tail,
    )
    if kind == "credit":
        assert document.meta.credit == tail


def test_several_tails_and_one_on_the_last_line_of_copy() -> None:
    document = read(f"GENEVA (AP) — {COPY} (Reporting by Asha Rao; Editing by John Roe)\n___\n\nENDS")
    assert body(document) == COPY
    assert [zone.kind for zone in document.zones] == ["dateline", "credit", "note", "note"]


def test_what_is_given_wins_over_what_is_found() -> None:
    document = read(f"GENEVA, March 3, 2025 (AP) — {COPY}", agency="AFP", published="2025-03-04", headline="H")
    assert (document.meta.agency, document.meta.published, document.meta.headline) == ("AFP", "2025-03-04", "H")
    assert document.meta.place == "Geneva"


def test_a_year_given_and_a_day_in_the_dateline_make_a_date() -> None:
    assert read(f"date: 2025\n\nGENEVA, March 3 (AP) — {COPY}").meta.published == "2025-03-03"
    assert read(f"GENEVA, March 3 (AP) — {COPY}").meta.published is None
    assert read(f"GENEVA, Feb 31, 2025 (AP) — {COPY}").meta.published is None


PIECES = (
    *(" ", "\n", "\n\n", "\r\n", "\r", "date 2025-03-28", "slug: X", "headline: Talks on", "By JANE DOE", "PTI A B"),
    *("NEW DELHI, Mar 28 (PTI)", "LONDON (Reuters) -", "—", "-", "(", ")", "Talks end", COPY, "___", "ENDS", ":"),
    *("(Reporting by A; Editing by B)", "EMBARGOED until 6", "/", "é", "\u2029", "\x00", "“", '"', "A", "a."),
)
pieces = st.lists(st.sampled_from(PIECES) | st.text(max_size=12), max_size=14).map("".join)


@given(pieces)
def test_any_text_is_kept_and_its_zones_are_sound(text: str) -> None:
    document = read(text)
    assert document.text == text
    assert check(document) == []
    assert document.body is not None
    edges = [edge for zone in document.zones for edge in (zone.start, zone.end)]
    assert edges == sorted(edges)
    assert all(zone.start < zone.end for zone in document.zones)
    start, end = document.body.start, document.body.end
    assert all(zone.end <= start or zone.start >= end for zone in document.zones)
    outside = text[:start] + text[end:]
    zoned = "".join(text[zone.start : zone.end] for zone in document.zones)
    # Nothing but space and framing lies outside both body and zones.
    assert sorted("".join(outside.split()).replace("\x01", "").replace("\x02", "").replace("\ufeff", "")) == sorted(
        "".join(zoned.split()).replace("\x01", "").replace("\x02", "").replace("\ufeff", "")
    )


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2025-03-28", "2025-03-28"),
        ("2025-03", "2025-03"),
        ("2025-03-28T10:00:00Z", "2025-03-28T10:00:00+00:00"),
        ("March 28, 2025", "2025-03-28"),
        ("Friday, 28 Mar 2025 10:30", "2025-03-28"),
        ("28 March", None),
        ("31 February 2025", None),
        ("soon", None),
        ("", None),
    ],
)
def test_days_of_headers(value: str, day: str | None) -> None:
    assert day_of(value) == day


def test_names_of_agencies_and_places() -> None:
    assert agency_of("Press Trust of India") == "PTI"
    assert agency_of("Borneo Bulletin/ANN") is None
    assert agency_of("AP/PTI") == "AP"
    assert titled("RIO DE JANEIRO") == "Rio de Janeiro"
    assert titled("ST. JOHN'S") == "St. John's"
    assert titled("New Delhi") == "New Delhi"
