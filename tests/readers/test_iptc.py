"""The IPTC's own examples of ninjs and NewsML-G2: text items are read, every other is passed over with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.document import check
from pipeline.readers import Found, stories

IPTC = Path(__file__).parent / "iptc"
EMPTY = "is empty or of another kind"
NOTHING = "a news item without content"
FRAGMENT = "XML of a kind that is not read here"
PACKAGE = "a package: it refers to items and holds no text"

NINJS = {
    "20231004-UEFA-ChampionLeague.json": "an event item",
    "20231005-65-addb-event.json": "an event item",
    "20231008-anti-doping-measures-at-the-tour-down-under-will-be-the-toughest-ever-addb-ninjs-nitf.json": None,
    "20231016-addb-example-press-conference.json": "an event item",
    "SIPA_image_2.json": "a picture item",
    "SIPA_image_3.json": "a picture item",
    "ap_audio.json": "an audio item",
    "ap_image.json": "a picture item",
    "ap_video.json": "a video item",
    "businesswire-newsml-20130515006361.json": None,
    "businesswire-newsml-20130605006126.json": None,
    "businesswire-newsml-20130612006110.json": None,
    "businesswire-newsml-20130731006140.json": None,
    "dpa_text.json": None,
    "imageEncodedRights.json": "a picture item",
    "imageLinkedRights.json": "a picture item",
    "ninjs-1-4-examples.json": "a text item without a body",
    "ninjsExComplex1.json": None,
    "ninjsExComplex2.json": None,
    "ninjsExMediumText1.json": None,
    "ninjsExSimplePhoto1.json": "a picture item",
    "ninjsExSimpleText1.json": None,
    "ninjsExSimpleText_2.json": None,
    "ninjsExSimpleText_3.json": None,
    "ntb_text.json": "a text item without a body",
    "simpleEvent.json": "an event item",
    "tt_event_pressconference_3.0.json": "an event item",
    "tt_text_image_2.json": None,
    "tt_text_image_3.json": None,
}

NEWSML = {
    "001_simplest_file": EMPTY,
    "002_knowledgeitem": "a knowledge item",
    "003_conceptitem": "a concept item",
    "004_planningitem": "a planning item",
    "005_conceptitem_persondetails": "a concept item",
    "006_conceptitem_geoareadetails": "a concept item",
    "008_roundtrip_test": None,
    "LISTING_10_Abstract_Concept_conveyed_in_a_NewsML-G2_Concept_Item": "a concept item",
    "LISTING_11_Person_Concept_conveyed_in_a_NewsML-G2_Concept_Item": "a concept item",
    "LISTING_12_Knowledge_Item_for_Access_Codes": "a knowledge item",
    "LISTING_13_Complete_Catalog_Item": "a catalogue",
    "LISTING_14_Event_sent_as_a_Concept_Item": "a concept item",
    "LISTING_15_Two_Related_Events_in_a_Knowledge_Item": "a knowledge item",
    "LISTING_16_A_Set_of_Events_carried_in_a_News_Item": EMPTY,
    "LISTING_17_Planning_Item_a_CCL": "a planning item",
    "LISTING_18_Planning_Item_at_PCL": "a planning item",
    "LISTING_19_Planning_Item_with_delivery_at_CCL": "a planning item",
    "LISTING_1_A_NewsML-G2_News_Item": EMPTY,
    "LISTING_20_Planning_Item_with_delivery_at_PCL": "a planning item",
    "LISTING_21_A_complete_sample_SportsML-G2_document": EMPTY,
    "LISTING_22_Sports_story_in_NewsML-G2NITF": None,
    "LISTING_23_SportsML-G2_Package": PACKAGE,
    "LISTING_25_An_NITF_marked-up_article_conveyed_in_inlineXML": FRAGMENT,
    "LISTING_26_Embedded_photo_metadata_fields_mapped_to_NewsML-G2": "a picture item",
    "LISTING_27_Company_Financial_Information": EMPTY,
    "LISTING_28_Illustrating_Located_Subject_and_Dateline": FRAGMENT,
    "LISTING_29_Hop_History": NOTHING,
    "LISTING_2_NewsML-G2_Text_Document": None,
    "LISTING_3A_Photo_in_NewsML-G2_(URI_sibling_attributes)": "a picture item",
    "LISTING_3_Photo_in_NewsML-G2": "a picture item",
    "LISTING_4_Multiple_Renditions_of_a_Video_in_NewsML-G2": "a video item",
    "LISTING_5_Multi-part_Video_in_NewsML-G2": "a video item",
    "LISTING_6_Simple_NewsML-G2_Package": PACKAGE,
    "LISTING_7_Group_Set_example_showing_Hierarchical_Package_Structure": FRAGMENT,
    "LISTING_8_Group_Set_example_showing_an_ALT_Package_Mode": FRAGMENT,
    "LISTING_9_Group_Set_example_showing_a_SEQ_Package_Mode": FRAGMENT,
    "Receiver View": None,
    "ap_metadata_example": "a video item",
    "facet-example": NOTHING,
    "facet-example-2": NOTHING,
    "facet-example-3": None,
}


def one(*path: str) -> Found:
    found = list(stories([IPTC.joinpath(*path)]))
    assert len(found) == 1
    return found[0]


def outcome_is(found: Found, reason: str | None) -> None:
    assert found.error is None
    if reason is not None:
        assert found.skipped is not None
        assert reason in found.skipped
        return
    assert found.document is not None
    assert check(found.document) == []
    assert found.document.text.strip()


@pytest.mark.parametrize(("name", "reason"), NINJS.items())
def test_every_example_of_ninjs(name: str, reason: str | None) -> None:
    outcome_is(one("ninjs", name), reason)


@pytest.mark.parametrize(("name", "reason"), NEWSML.items())
def test_every_example_of_newsml(name: str, reason: str | None) -> None:
    outcome_is(one("newsml-g2", f"{name}.xml"), reason)


def test_no_example_is_left_out() -> None:
    messages = {"007_emptynewsmessage", "LISTING_24_News_Message_conveying_a_complete_News_Package"}
    assert {path.name for path in (IPTC / "ninjs").iterdir()} == set(NINJS)
    assert {path.stem for path in (IPTC / "newsml-g2").iterdir()} == {*NEWSML, *messages}


def test_the_items_of_a_news_message_are_told_one_by_one() -> None:
    found = list(stories([IPTC / "newsml-g2" / "007_emptynewsmessage.xml"]))
    assert [(item.id, item.skipped) for item in found] == [("news-message-example", PACKAGE), ("N1", NOTHING)]
    name = "LISTING_24_News_Message_conveying_a_complete_News_Package.xml"
    found = list(stories([IPTC / "newsml-g2" / name]))
    assert [item.id for item in found] == [f"{name}#1", "N1", "N2", "N3", "N4"]
    assert [item.skipped for item in found] == [PACKAGE, *[NOTHING] * 4]


@pytest.mark.parametrize("name", ["ninjsExSimpleText1.json", "ninjsExSimpleText_2.json", "ninjsExSimpleText_3.json"])
def test_one_story_in_three_versions_of_ninjs_is_one_document(name: str) -> None:
    document = one("ninjs", name).document
    assert document is not None
    meta = document.meta
    assert meta.headline == "Captain of wrecked cruise ship on trial in Italy"
    assert (meta.byline, meta.place, meta.agency) == ("Paulo Santalucia and Frances d'Emilio", "Grosseto", "AP")
    assert meta.published == "2013-07-09T10:37:00Z"
    assert meta.guid == "http://ninjs.example.com/newsitems/20130709simp123"
    # The plain body runs all paragraphs together; the HTML body tells them apart.
    assert len(document.paragraphs()) - 1 == 4
    assert document.text.endswith("Schettino has denied wrongdoing.")


def test_the_metadata_of_ninjs() -> None:
    document = one("ninjs", "tt_text_image_3.json").document
    assert document is not None
    meta = document.meta
    assert (meta.slug, meta.language, meta.agency, meta.urgency) == ("militärövning", "sv", "TT", 3)
    assert (meta.version, meta.status) == ("1", "usable")
    assert meta.subjects is not None
    assert [(subject.qcode, subject.uri) for subject in meta.subjects] == [
        ("subj:16000000", "http://tt.se/spec/subref/1.0/16000000")
    ]
    # The headline stands in the body, too, and the picture's caption does not.
    assert document.zone(0) == "headline"
    assert "Arkivbild" not in document.text


def test_the_metadata_of_a_news_item() -> None:
    document = one("newsml-g2", "LISTING_2_NewsML-G2_Text_Document.xml").document
    assert document is not None
    meta = document.meta
    assert meta.headline == 'Fed to halt QE to avert "bubble"'
    assert (meta.byline, meta.slug, meta.agency) == ("Meredith Jameson", "US-Finance-Fed", "AP")
    assert (meta.place, meta.language) == ("New York", "en-US")
    assert (meta.published, meta.updated) == ("2016-11-21T15:21:06-05:00", "2018-11-21T16:25:32-05:00")
    assert (meta.guid, meta.version) == ("urn:newsml:acmenews.com:20161121:US-FINANCE-FED", "11")
    assert meta.subjects is not None
    assert [(subject.qcode, subject.name) for subject in meta.subjects] == [
        ("medtop:04000000", "economy, business and finance"),
        ("medtop:20000350", "central bank"),
        ("medtop:20000379", "money and monetary policy"),
    ]
    assert len(document.paragraphs()) == 2
    assert "commy Nim zzriureet vendreetue modo dolenis" in document.text


def test_a_subject_named_by_its_uri_gets_its_qcode() -> None:
    document = one("newsml-g2", "facet-example-3.xml").document
    assert document is not None
    assert document.meta.subjects is not None
    assert document.meta.subjects[0].model_dump() == {
        "qcode": "medtop:20001071",
        "uri": "http://cv.iptc.org/newscodes/mediatopic/20001071",
        "name": "swimming",
    }
