"""Dates: the worked examples of the patterns, the expressions of wire copy, what is no date, and what always holds."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.document import Document, Meta, Timex, Zone, check
from pipeline.stages.dates import Dates, DatesSettings
from pipeline.stages.dates.grammar import grammar
from pipeline.stages.dates.timex3 import days, valid

Parse = Callable[..., tuple[Document, Any]]
ROOT = Path(__file__).parents[2]
PATTERNS = tomllib.loads((ROOT / "pipeline/stages/dates/patterns.toml").read_text("utf-8"))
EXAMPLES = [*PATTERNS["pattern"], *PATTERNS["prefix"]]
FRIDAY = "2025-03-28"


def dates_of(parse: Parse, text: str, published: str | None = FRIDAY, meta: Any = None, **tuned: Any) -> list[Timex]:
    document, doc = parse(text, published, **(meta or {}))
    found: list[Timex] = Dates(DatesSettings(**tuned)).apply(document, doc)["dates"]
    document.dates = found
    assert check(document) == []
    assert all(t.value is None or valid(t.value) for t in found)
    return found


def values(found: list[Timex]) -> dict[str, str | None]:
    return {t.text: t.value for t in found}


@pytest.mark.parametrize("entry", EXAMPLES, ids=lambda entry: entry["name"])
def test_every_pattern_reads_its_worked_example(parse: Parse, entry: dict[str, Any]) -> None:
    example = entry["example"]
    tuned = {"ages": True} if "age" in entry["name"].split() else {}
    found = dates_of(parse, example["text"], example.get("published", FRIDAY), **tuned)
    named = [t for t in found if t.text == example["found"]]
    assert named, f"found only {[(t.text, t.value) for t in found]}"
    assert (named[0].type, named[0].value) == (example["type"], example["value"])
    assert named[0].mod == example.get("mod", named[0].mod)


@pytest.mark.parametrize("entry", PATTERNS["pattern"], ids=lambda entry: entry["name"])
def test_every_pattern_is_tried_where_nothing_else_leads_to_it(entry: dict[str, Any]) -> None:
    # "to 7" of "March 3 to 7" is found through the month; all others must be seen by a word of their own
    found = entry["example"]["found"]
    assert found.isdigit() or list(grammar().candidates(grammar().tokens(found + " .")))


WIRE = [
    ("The House will vote on Monday.", {"Monday": "2025-03-31"}),
    ("Talks are scheduled to resume Tuesday in Geneva.", {"Tuesday": "2025-04-01"}),
    ("Police arrested him on Monday.", {"Monday": "2025-03-24"}),
    ("The dinner was on Friday evening.", {"Friday evening": "2025-03-28TEV"}),
    ("Reserve chiefs met last week and last quarter.", {"last week": "2025-W12", "last quarter": "2024-Q4"}),
    (
        "He was freed on March 3 after an arrest two days earlier.",
        {"March 3": "2025-03-03", "two days earlier": "2025-03-01"},
    ),
    ("The fair runs from March 3 to 7.", {"March 3": "2025-03-03", "7": "2025-03-07"}),
    ("It grew between 2010 and 2012.", {"2010": "2010", "2012": "2012"}),
    ("Output fell in fiscal 2024-25.", {"fiscal 2024-25": "FY2025"}),
    ("The office opened in mid-2006.", {"mid-2006": "2006"}),
    ("It rained for the past three days.", {"the past three days": "P3D"}),
    (
        "The attack came at 10 p.m. EST (0300 GMT).",
        {"10 p.m. EST": "2025-03-28T22:00", "0300 GMT": "2025-03-29T03:00Z"},
    ),
    ("The shop was raided at 10 p.m. Wednesday.", {"10 p.m. Wednesday": "2025-03-26T22:00"}),
    ("They meet every morning and every two weeks.", {"every morning": "XXXX-XX-XXTMO", "every two weeks": "P2W"}),
    ("It was signed on Good Friday and Labor Day.", {"Good Friday": "2025-04-18", "Labor Day": "2025-09-01"}),
    ("The lease runs twenty-five years.", {"twenty-five years": "P25Y"}),
    ("She spoke for two and a half hours.", {"two and a half hours": "PT2H30M"}),
    ("They spent 2 1/2 years and half an hour there.", {"2 1/2 years": "P2Y6M", "half an hour": "PT30M"}),
    ("It took an hour and 20 minutes.", {"an hour and 20 minutes": "PT1H20M"}),
    ("A weeklong, day-long or two-month-long wait.", {"weeklong": "P1W", "day-long": "P1D", "two-month-long": "P2M"}),
    ("He serves three years' probation.", {"three years": "P3Y"}),
    ("Trains stop at 1830 hrs.", {"1830 hrs": "2025-03-28T18:30"}),
    ("The train leaves at 9 a.m. and comes back.", {"9 a.m.": "2025-03-28T09:00"}),
    ("He spoke on Monday at 9 a.m. in Delhi.", {"Monday": "2025-03-24", "9 a.m.": "2025-03-24T09:00"}),
    ("He said Friday that it began at 10 p.m. Monday.", {"Friday": "2025-03-28", "10 p.m. Monday": "2025-03-24T22:00"}),
    (
        "It struck at 10:35 a.m. (0735 GMT) Monday.",
        {"10:35 a.m.": "2025-03-24T10:35", "0735 GMT": "2025-03-24T07:35Z", "Monday": "2025-03-24"},
    ),
    ("He woke at 4 in the morning.", {"4 in the morning": "2025-03-28T04:00"}),
    ("It ran from Wednesday to Saturday.", {"Wednesday": "2025-03-26", "Saturday": "2025-03-29"}),
    ("It ran from November to March.", {"November": "2024-11", "March": "2025-03"}),
    ("They meet every Monday and Thursday.", {"every Monday": "XXXX-WXX-1", "Thursday": "XXXX-WXX-4"}),
    ("He died on March 3; the night before, he sang.", {"March 3": "2025-03-03", "the night before": "2025-03-02TNI"}),
    ("It fell in 2020 after a rise the year before.", {"2020": "2020", "the year before": "2019"}),
    (
        "The last day of 2024 and the last Friday of last month.",
        {"The last day of 2024": "2024-12-31", "the last Friday of last month": "2025-02-28"},
    ),
    ("The 18th and 19th centuries were rich.", {"18th": "17", "19th centuries": "18"}),
    ("It reopens on the weekend of April 12-13.", {"the weekend of April 12-13": "2025-W15-WE"}),
    ("It has sold most recently last October.", {"last October": "2024-10"}),
    ("In H1 2024 and Q4 FY25 it grew.", {"H1 2024": "2024-H1", "Q4 FY25": "2025-Q4"}),
    ("He fell ill on the 2nd and on March the 5th.", {"March the 5th": "2025-03-05"}),
    ("The 1960s and 70s were dark.", {"The 1960s": "196", "70s": "197"}),
    (
        "On April 1 this year and March 3 last year it rained.",
        {"April 1 this year": "2025-04-01", "March 3 last year": "2024-03-03"},
    ),
    (
        "It was around 7:15 pm on Monday evening, March 24.",
        {"around 7:15 pm on Monday evening, March 24": "2025-03-24T19:15"},
    ),
    ("He won in 2014 and again four years later.", {"2014": "2014", "four years later": "2018"}),
    ("It was due by the year 2030.", {"the year 2030": "2030"}),
    (
        "It runs from 10 a.m. to 5 p.m. on Saturday.",
        {"10 a.m.": "2025-03-29T10:00", "5 p.m. on Saturday": "2025-03-29T17:00"},
    ),
    ("A multi-year deal after a several-day wait.", {"multi-year": "PXY", "several-day": "PXD"}),
    ("It may last days or weeks.", {"days or weeks": "PXD"}),
    ("In those days it was rare.", {"those days": "PAST_REF"}),
    ("It met every day of the week.", {"every day": "P1D"}),
    ("In the post-1991 period it grew.", {"1991": "1991"}),
    ("They cut the supply in April.", {"April": "2025-04"}),
    ("It lent them money through May.", {"May": "2025-05"}),
    ("They cut the supply in July.", {"July": "2024-07"}),
    ("Exports in April-February 2024-25 rose.", {"April": "2024-04", "February 2024-25": "2025-02"}),
    ("The second Test starts on Thursday.", {"Thursday": "2025-04-03"}),
    ("The vote is on Tuesday.", {"Tuesday": "2025-04-01"}),
    ("It will shut over the next year or so.", {"the next year or so": "2026"}),
    ("Profit rose in its fourth quarter.", {"fourth quarter": "2024-Q4"}),
    ("It rose in nearly four decades.", {"nearly four decades": "P40Y"}),
    ("It began in the early 1990s.", {"the early 1990s": "199"}),
    ("Prices rose in Q2 FY25.", {"Q2 FY25": "2025-Q2"}),
    ("Rain is due tomorrow.", {"tomorrow": "2025-03-29"}),
    ("Output fell in early 2014-15.", {"early 2014": "2014", "15": "2015"}),
]


@pytest.mark.parametrize(("text", "wanted"), WIRE, ids=lambda item: item if isinstance(item, str) else "")
def test_expressions_of_wire_copy(parse: Parse, text: str, wanted: dict[str, str]) -> None:
    assert values(dates_of(parse, text)) == wanted


DIRECTIONS = [
    ("The bank plans to open on Tuesday.", "2025-04-01"),
    ("It could arrive as early as Tuesday.", "2025-04-01"),
    ("The agency extended its deadline until 9 a.m. Tuesday.", "2025-04-01"),
    ("Until Tuesday, they had not called him.", "2025-03-25"),
    ("The offer had been scheduled to expire on Tuesday.", "2025-03-25"),
    ("The offer was scheduled to expire on Tuesday.", "2025-04-01"),
    ("The court wants to stay the order issued Tuesday.", "2025-03-25"),
    ("The government staged parades to mark the entry on Tuesday.", "2025-03-25"),
    ("Protesters planned a rally in the square on Tuesday.", "2025-04-01"),
    ("He will appeal against Tuesday's ruling.", "2025-04-01"),
    ("They are looking for ways to get around Tuesday's ruling.", "2025-03-25"),
    ("The leaders meet separately on Tuesday.", "2025-04-01"),
]


@pytest.mark.parametrize(("text", "day"), DIRECTIONS, ids=[text for text, _ in DIRECTIONS])
def test_direction_of_a_weekday(parse: Parse, text: str, day: str) -> None:
    assert [t.value[:10] for t in dates_of(parse, text) if t.value] == [day]


NO_DATES = [
    "Theresa May resigned as leader.",
    "You may go.",
    "Soldiers march through the square.",
    "He told the Sun newspaper so.",
    "The share closed at $1,990 and gained 3.25.",
    "The team won 3-2 and then 21-14.",
    "Flight 1989 was late.",
    "He came second in the race.",
    "Some 2,000 people and 1998 soldiers marched.",
    "His recent confirmation was praised.",
    "She reads USA Today.",
    "A 30-year-old man was held.",
    "Version 3.10.2 is out.",
    "Theresa May spoke and then May went home.",
    "April O'Neil and June Smith left.",
    "The Friday prayers were held.",
    "He reads The Sunday Times.",
    "Super Tuesday decides.",
    "He told the show 60 Minutes so.",
    "The Six-Day War changed the region.",
    "The programme is called Agenda 2030 there.",
    "The crew of flight AI 2010 was safe.",
    "The index fell 1.5 points to 1990.",
    "Temperatures were in the 80s.",
    "A leader of the April 6 Youth Movement spoke.",
    "The annual March for Life was held.",
    "It is a burden for today's youth.",
    "He scored a century before lunch.",
    "He burns the midnight oil.",
    "A man in his thirties and a woman in her 20’s fled.",
    "The mattress softened the fall.",
    "Its leader is Lee Jun-seok.",
    "It won the Airline of the Year award.",
]


@pytest.mark.parametrize("text", NO_DATES)
def test_what_is_no_date(parse: Parse, text: str) -> None:
    assert values(dates_of(parse, text)) == {}


def test_seed_story(parse: Parse) -> None:
    text = (ROOT / "seeds/pti-2025-03-28-tariff-talks.txt").read_text("utf-8")
    found = dates_of(parse, text, meta={"agency": "PTI", "place": "New Delhi"})
    assert [(t.text, t.type, t.value) for t in found] == [
        ("2025-03-28", "DATE", "2025-03-28"),
        ("Mar 28", "DATE", "2025-03-28"),
        ("Days", "DURATION", "PXD"),
        ("Friday", "DATE", "2025-03-28"),
        ("currently", "DATE", "PRESENT_REF"),
        ("days", "DURATION", "PXD"),
        ("April 2", "DATE", "2025-04-02"),
    ]


def test_year_before_inherits_the_quarter(parse: Parse) -> None:
    text = (
        "Net income fell 3% in the fourth quarter from a year earlier. For the year, sales were flat from a year ago."
    )
    found = values(dates_of(parse, text))
    assert found["the fourth quarter"] == "2024-Q4"
    assert found["a year earlier"] == "2023-Q4"


def test_day_and_month_by_custom(parse: Parse) -> None:
    text = "The order is dated 3/4/2025."
    assert values(dates_of(parse, text, meta={"agency": "PTI"})) == {"3/4/2025": "2025-04-03"}
    assert values(dates_of(parse, text, meta={"agency": "AP"})) == {"3/4/2025": "2025-03-04"}
    assert values(dates_of(parse, text, day_first="dmy")) == {"3/4/2025": "2025-04-03"}


def test_indian_fiscal_years(parse: Parse) -> None:
    found = dates_of(parse, "Growth in 2024-25 beat that of FY24.", meta={"agency": "PTI"})
    assert [(t.text, t.value, t.earliest, t.latest) for t in found] == [
        ("2024-25", "FY2025", "2024-04-01", "2025-03-31"),
        ("FY24", "FY2024", "2023-04-01", "2024-03-31"),
    ]


def test_without_document_time_values_stay_open(parse: Parse) -> None:
    text = "On Friday, April 2 was set; last year and yesterday were not. In March 2024 it was."
    found = dates_of(parse, text, published=None)
    assert values(found)["last year"] == "XXXX"
    assert values(found)["yesterday"] == "XXXX-XX-XX"
    assert values(found)["March 2024"] == "2024-03"
    assert {t.text for t in found if t.earliest} == {"March 2024"}


def test_full_date_of_the_header_is_the_anchor(parser: Any) -> None:
    text = "2025-03-28 New Delhi\n\nThe minister left on Wednesday."
    document = Document(id="a", schema_=1, text=text, meta=Meta(), zones=[Zone(kind="header", start=0, end=20)])
    found = Dates().apply(document, next(parser.parse([document])))["dates"]
    assert [t.value for t in found] == ["2025-03-28", "2025-03-26"]


def test_fiscals_as_indian_copy_has_them(parse: Parse) -> None:
    text = "In the current fiscal, exports rose; the next financial year may be harder. Q4FY25 was good."
    found = dates_of(parse, text, meta={"agency": "PTI"})
    assert [(t.text, t.value, t.earliest, t.latest) for t in found] == [
        ("the current fiscal", "FY2025", "2024-04-01", "2025-03-31"),
        ("the next financial year", "FY2026", "2025-04-01", "2026-03-31"),
        ("Q4FY25", "2025-Q4", "2025-01-01", "2025-03-31"),
    ]


def test_holidays_follow_the_country(parse: Parse) -> None:
    text = "Flags flew on Independence Day."
    assert values(dates_of(parse, text, meta={"agency": "PTI"})) == {"Independence Day": "2025-08-15"}
    assert values(dates_of(parse, text, meta={"place": "Chicago"})) == {"Independence Day": "2025-07-04"}
    assert values(dates_of(parse, "Shops filled on Black Friday 2023.")) == {"Black Friday 2023": "2023-11-24"}


def test_a_comparison_with_a_point_in_time(parse: Parse) -> None:
    found = dates_of(parse, "It began more than two years ago and ended less than a month ago.")
    assert [(t.value, t.mod) for t in found] == [("2023", "BEFORE"), ("2025-02", "AFTER")]


def test_a_date_on_a_line_of_its_own_is_the_anchor(parse: Parse) -> None:
    found = dates_of(parse, "Minister resigns\n\nFriday, March 28, 2025\n\nShe left on Wednesday.", published=None)
    assert [t.value for t in found] == ["2025-03-28", "2025-03-26"]


def test_sets_carry_quantity_and_frequency(parse: Parse) -> None:
    found = dates_of(parse, "They meet every Monday and twice a month.")
    assert [(t.type, t.value, t.quant, t.freq) for t in found] == [
        ("SET", "XXXX-WXX-1", "EVERY", "1X"),
        ("SET", "P1M", None, "2X"),
    ]


def test_settings_switch_classes_off(parse: Parse) -> None:
    text = "He is now a 30-year-old and has waited three years."
    assert values(dates_of(parse, text, references=False, durations=False)) == {}
    assert "30-year-old" in values(dates_of(parse, text, ages=True))


def test_future_bias(parse: Parse) -> None:
    text = "The panel may meet on Monday."
    assert values(dates_of(parse, text, future_bias=0.9)) == {"Monday": "2025-03-31"}
    assert values(dates_of(parse, text, future_bias=0.1)) == {"Monday": "2025-03-24"}


# --- TIMEX3 values ---

VALUES = {
    "2025-03-28": ("2025-03-28", "2025-03-28"),
    "2025-02": ("2025-02-01", "2025-02-28"),
    "2025-W13": ("2025-03-24", "2025-03-30"),
    "2025-W13-WE": ("2025-03-29", "2025-03-30"),
    "2025-Q1": ("2025-01-01", "2025-03-31"),
    "2025-H2": ("2025-07-01", "2025-12-31"),
    "2025-WI": ("2025-12-01", "2026-02-28"),
    "199": ("1990-01-01", "1999-12-31"),
    "19": ("1900-01-01", "1999-12-31"),
    "2025-03-28TMO": ("2025-03-28", "2025-03-28"),
    "2025-03-28T09:00Z": ("2025-03-28", "2025-03-28"),
    "XXXX-WXX-5": None,
    "P3D": None,
    "PT30M": None,
    "PXY": None,
    "FY1989": None,
    "PRESENT_REF": None,
    "XXXX-XX-XXTMO": None,
    "T09:00Z": None,
}


@pytest.mark.parametrize(("value", "span"), VALUES.items(), ids=VALUES)
def test_values_and_their_days(value: str, span: tuple[str, str] | None) -> None:
    assert valid(value)
    assert days(value) == span


@pytest.mark.parametrize("value", ["", "2025-13", "2025-02-30", "2025-W54", "soon", "P", "PT", "2025-Q5", "1D", "٢٠٢٥"])
def test_what_is_no_value(value: str) -> None:
    assert not valid(value)


@given(st.text(max_size=14) | st.from_regex(r"[0-9XPTW-]{0,12}", fullmatch=True))
def test_days_never_raises(value: str) -> None:
    span = days(value)
    assert span is None or span[0] <= span[1]


# --- what always holds ---

WORDS = """the a last next this past of in on by to from until early late mid end nearly two three half and 1 3 12 28 31
45 99 1989 2025 2024-25 '89 0900 GMT a.m. p.m. EST noon today yesterday tonight now recently future Friday Sunday March
May Sept. Easter Christmas spring quarter year week month day days years hours second fiscal FY Q ago earlier later
until till as soon early at least plans to every daily Mondays same then year-ago period third first decade century
1990s 20th night morning before after o'clock past H AD long 1/2 , . - / : ' s ( ) will said Sun"""
STORIES = st.lists(st.sampled_from(re.split(r"\s+", WORDS)), max_size=30).map(" ".join) | st.text(max_size=80)
DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31)).map(date.isoformat) | st.none() | st.text(max_size=10)


@settings(max_examples=300, deadline=None)
@given(text=STORIES, published=DAYS)
def test_any_story_any_document_time(text: str, published: str | None) -> None:
    import spacy

    document = Document(id="x", schema_=1, text=text, meta=Meta(published=published))
    doc = spacy.blank("en").make_doc(text)
    found = Dates().apply(document, doc)["dates"]
    document.dates = found
    assert check(document) == []
    for timex in found:
        assert timex.start < timex.end
        assert timex.value is None or valid(timex.value), timex
        assert (timex.earliest is None) == (timex.latest is None)
        assert timex.earliest is None or timex.latest is None or timex.earliest <= timex.latest
    assert all(one.end <= two.start for one, two in pairwise(found))
    assert [t.model_dump() for t in Dates().apply(document, doc)["dates"]] == [t.model_dump() for t in found]


@settings(max_examples=60, deadline=None)
@given(text=STORIES, published=DAYS)
def test_any_story_with_its_tree(parser: Any, text: str, published: str | None) -> None:
    document = Document(id="x", schema_=1, text=text, meta=Meta(published=published))
    found = Dates().apply(document, next(parser.parse([document])))["dates"]
    document.dates = found
    assert check(document) == []
    assert all(timex.value is None or valid(timex.value) for timex in found)
    assert all(timex.earliest <= timex.latest for timex in found if timex.earliest and timex.latest)


@pytest.mark.parametrize(
    "piece", ["the ", "1", "1:", "a half ", "March ", "1989-", "'", "of the year ", "every ", "two "]
)
def test_long_runs_are_read(piece: str) -> None:
    import spacy

    text = piece * (60_000 // len(piece))
    nlp = spacy.blank("en")
    document = Document(id="x", schema_=1, text=text, meta=Meta(published=FRIDAY))
    found = Dates().apply(document, nlp.make_doc(text[:100] + " " * (len(text) - 100)))["dates"]
    assert all(valid(t.value) for t in found if t.value)


def test_the_clock_and_heavy_modules_are_left_alone() -> None:
    code = "import sys, json; import pipeline.stages.dates; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT).stdout)
    assert not {"spacy", "dateparser", "numpy"} & set(loaded)
    source = "".join(p.read_text("utf-8") for p in (ROOT / "pipeline/stages/dates").glob("*.py"))
    assert not re.search(r"\.(today|now|utcnow)\(", source)
