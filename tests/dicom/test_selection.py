from typing import Any

import pytest
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from aasnode.anatomy import View
from aasnode.config import SelectionRule, SelectionSection, Then
from aasnode.dicom.identity import own_uid
from aasnode.dicom.selection import Rejected, Selected, ViewSource, explain, select
from tests.dicom.films import film

SHIPPED = SelectionSection()


def coded(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code.value, code.scheme_designator, code.meaning
    return item


def view_of(**elements: Any) -> View:
    selected = select(film(**elements), SHIPPED)
    assert isinstance(selected, Selected), selected
    return selected.view


def rule_that_rejects(**elements: Any) -> str:
    rejected = select(film(**elements), SHIPPED)
    assert isinstance(rejected, Rejected), rejected
    assert rejected.reason
    return rejected.rule


def test_film_without_a_word_goes_to_the_detector() -> None:
    assert select(film(), SHIPPED) == Selected(view=View.UNKNOWN, view_source=ViewSource.NONE, rule=None)


@pytest.mark.parametrize(
    "description",
    [
        "C-Spine lateral", "CSPINE LAT", "HWS seitl.", "HWS 2 Ebenen", "Rachis cervical profil",
        "Columna cervical lateral",
        "Coluna cervical perfil", "Rachide cervicale LL", "CWK lateraal", "頚椎側面", "頸椎 側位",
        "颈椎侧位", "경추 측면",
        "C-spine AP/LAT", "Skull lateral", "Cephalogram", "Schädel seitlich", "Whole spine lateral", "C-arm lateral",
        "頚椎 手術後", "cervical spine, left hand raised", "Atlas/Axis", "Dens seitlich",
    ],
)  # fmt: skip
def test_what_may_be_a_lateral_cervical_film_is_selected(description: str) -> None:
    assert isinstance(select(film(SeriesDescription=description), SHIPPED), Selected)


@pytest.mark.parametrize(
    "description",
    [
        "Chest PA", "Thorax p.a.", "Torax", "Poumons", "胸部", "흉부", "Abdomen", "Bauchübersicht", "腹部",
        "LWS seitlich",
        "L-Spine lateral", "Lombaire profil", "Columna lumbar", "Coluna lombar perfil", "腰椎側面", "요추",
        "骨盤", "骨盆",
        "Hand", "Main et poignet", "Mano", "Mão", "手関節", "左手", "손목", "Knie seitlich", "Genou",
        "Rodilla", "Joelho",
        "Ginocchio", "膝", "무릎", "Schulter", "Hombro", "Ombro", "肩", "Fuß", "Pied", "足関節", "발목",
        "Hüfte", "Heup",
    ],
)  # fmt: skip
def test_another_body_part_is_rejected_in_every_language(description: str) -> None:
    assert rule_that_rejects(SeriesDescription=description) in ("other-body-part", "frontal-or-oblique-description")


@pytest.mark.parametrize(
    "description",
    [
        "C-spine AP", "HWS a.p.", "Rachis cervical de face", "Cervical oblicua", "C-spine oblique",
        "HWS schräg", "頸椎正面",
        "頚椎 斜位", "颈椎正位", "颈椎张口位", "경추 정면", "Dens transoral", "Open mouth odontoid",
    ],
)  # fmt: skip
def test_frontal_and_oblique_films_of_the_neck_are_rejected(description: str) -> None:
    assert rule_that_rejects(SeriesDescription=description) == "frontal-or-oblique-description"


@pytest.mark.parametrize("modality", ["CT", "MR", "US", "MG", "SR"])
def test_another_modality_is_rejected(modality: str) -> None:
    assert rule_that_rejects(Modality=modality) == "other-modality"


@pytest.mark.parametrize("modality", ["CR", "DX", "RF", "RG", "OT", "", "XA"])
def test_modality_of_a_radiograph_or_none_is_selected(modality: str) -> None:
    assert isinstance(select(film(Modality=modality), SHIPPED), Selected)


def test_view_position_and_view_code_reject_frontal_films() -> None:
    assert rule_that_rejects(ViewPosition="AP") == "frontal-or-oblique-view"
    frontal = [coded(codes.cid4010.AnteroPosterior)]
    assert rule_that_rejects(ViewCodeSequence=frontal) == "frontal-or-oblique-view"
    assert isinstance(select(film(ViewCodeSequence=[coded(codes.cid4010.LateralProjection)]), SHIPPED), Selected)


def test_code_without_a_meaning_is_known_by_its_value() -> None:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = "399348003", "SCT"
    assert rule_that_rejects(ViewCodeSequence=[item]) == "frontal-or-oblique-view"


def test_tags_that_contradict_one_another_leave_it_to_the_detector() -> None:
    assert isinstance(select(film(BodyPartExamined="CHEST", StudyDescription="XR cervical spine"), SHIPPED), Selected)
    assert isinstance(select(film(ViewPosition="AP", SeriesDescription="C-spine lateral"), SHIPPED), Selected)


def test_study_description_alone_rejects_nothing() -> None:
    assert isinstance(select(film(StudyDescription="Chest PA"), SHIPPED), Selected)


@pytest.mark.parametrize(
    ("code", "view"),
    [
        (codes.cid92.NeutralMusculoskeletalPosition, View.NEUTRAL),
        (codes.cid92.Flexion, View.FLEXION),
        (codes.cid92.Extension, View.EXTENSION),
    ],
)
def test_joint_position_codes_give_the_view(code: Code, view: View) -> None:
    lateral = coded(codes.cid4010.LateralProjection)
    lateral.ViewModifierCodeSequence = [coded(code)]
    assert view_of(ViewCodeSequence=[lateral]) is view
    context = Dataset()
    context.ConceptCodeSequence = [coded(code)]
    assert view_of(AcquisitionContextSequence=[context]) is view


@pytest.mark.parametrize(
    "name", ["Chest", "Abdomen", "Pelvis", "LumbarSpine", "ThoracicSpine", "Hand", "Knee", "Foot", "Hip"]
)
def test_a_code_of_another_region_rejects_without_its_meaning(name: str) -> None:
    region = Dataset()
    region.CodeValue, region.CodingSchemeDesignator = getattr(codes.cid4031, name).value, "SCT"
    assert rule_that_rejects(AnatomicRegionSequence=[region]) == "other-body-part"


@pytest.mark.parametrize("name", ["CervicalSpine", "Neck", "HeadAndNeck", "Spine"])
def test_a_code_of_the_neck_goes_to_the_detector(name: str) -> None:
    region = Dataset()
    region.CodeValue, region.CodingSchemeDesignator = getattr(codes.cid4031, name).value, "SCT"
    assert view_of(AnatomicRegionSequence=[region]) is View.UNKNOWN


@pytest.mark.parametrize(
    ("description", "view"),
    [
        ("C-SPINE LAT FLEX", View.FLEXION), ("Cervical Flexion1", View.FLEXION), ("HWS Inklination", View.FLEXION),
        ("HWS Anteflexion", View.FLEXION), ("Rachis profil hyperflexion", View.FLEXION), ("Flexión", View.FLEXION),
        ("Hiperflexão", View.FLEXION), ("Flessione", View.FLEXION), ("Anteflexie", View.FLEXION),
        ("頚椎 前屈", View.FLEXION), ("頸椎前屈位", View.FLEXION), ("颈椎过屈位", View.FLEXION),
        ("경추 굴곡", View.FLEXION),
        ("C-SPINE LAT EXT", View.EXTENSION), ("HWS Reklination", View.EXTENSION), ("Retroflexion", View.EXTENSION),
        ("Extensión", View.EXTENSION), ("Hiperextensão", View.EXTENSION), ("Estensione", View.EXTENSION),
        ("Extensie", View.EXTENSION), ("頚椎 後屈位", View.EXTENSION), ("颈椎过伸位", View.EXTENSION),
        ("경추 신전", View.EXTENSION),
        ("Neutral lateral", View.NEUTRAL), ("Profil neutre", View.NEUTRAL), ("HWS Neutralstellung", View.NEUTRAL),
        ("Posición neutra", View.NEUTRAL), ("頚椎 中間位", View.NEUTRAL), ("颈椎 中立位", View.NEUTRAL),
        ("경추 중립", View.NEUTRAL),
        ("Flexion / Extension", View.UNKNOWN), ("HWS Funktionsaufnahmen", View.UNKNOWN), ("前後屈", View.UNKNOWN),
        ("頚椎 前屈・後屈", View.UNKNOWN), ("Lateral", View.UNKNOWN),
        ("Columna cervical flexo-extensión", View.UNKNOWN), ("Flexoextensión", View.UNKNOWN),
        ("Coluna flexo extensão", View.UNKNOWN), ("Rachide flesso-estensione", View.UNKNOWN),
        ("HWS Ante-/Retroflexion", View.UNKNOWN), ("HWS Ante-/Reklination", View.UNKNOWN),
        ("HWS In-/Reklination", View.UNKNOWN), ("HWS Ink./Rekl.", View.UNKNOWN), ("Vor-/Rückneigung", View.UNKNOWN),
        ("CWK ante-/retroflexie", View.UNKNOWN), ("颈椎 屈伸位", View.UNKNOWN), ("颈椎前后屈", View.UNKNOWN),
        ("頚椎 前屈後屈", View.UNKNOWN), ("경추 굴신", View.UNKNOWN), ("颈椎 后仰位", View.EXTENSION),
    ],
)  # fmt: skip
def test_descriptions_give_the_view_in_every_language(description: str, view: View) -> None:
    assert view_of(SeriesDescription=description) is view


def test_our_own_objects_are_never_analysed() -> None:
    assert rule_that_rejects(SOPInstanceUID=own_uid("overlay")) == "own-object"
    assert rule_that_rejects(Manufacturer="aasnode") == "own-object"


def test_what_has_no_picture_is_rejected() -> None:
    assert rule_that_rejects(Rows=None, PixelData=None) == "no-picture"


def test_every_rule_is_explained_in_its_order() -> None:
    verdicts = explain(film(SeriesDescription="C-spine flexion"), SHIPPED)
    assert [verdict.rule for verdict in verdicts] == [
        "own-object",
        "no-picture",
        *(rule.name for rule in SHIPPED.rules),
    ]
    assert [(verdict.rule, verdict.matched) for verdict in verdicts if verdict.applies] == [
        ("flexion", "SeriesDescription holds 'flexion*'")
    ]


def test_rule_of_the_site_decides_before_those_that_are_shipped() -> None:
    knee_room = SelectionRule(name="knee-room", elements=("StationName",), words=("knee1",), then=Then.REJECT)
    special = SelectionRule(name="our-flexion", elements=("SeriesDescription",), words=("bow",), then=Then.FLEXION)
    site = SelectionSection(site_rules=(knee_room, special))
    rejected = select(film(StationName="KNEE1"), site)
    assert isinstance(rejected, Rejected)
    assert rejected.rule == "knee-room"
    selected = select(film(SeriesDescription="bow, neutral chair"), site)
    assert selected == Selected(view=View.FLEXION, view_source=ViewSource.TAGS, rule="our-flexion")


@pytest.mark.parametrize(
    ("element", "value"), [("PatientID", "AB-4711"), ("PatientName", "DOE^JANE"), ("PatientBirthDate", "19500101")]
)
def test_what_identifies_a_patient_may_decide_and_is_not_repeated(element: str, value: str) -> None:
    opted_out = SelectionRule(name="opted-out", elements=(element,), words=(value.lower(),), then=Then.REJECT)
    rejected = select(film(**{element: value}), SelectionSection(site_rules=(opted_out,)))
    assert rejected == Rejected(reason=f"opted-out: {element} holds a word of the rule", rule="opted-out")


def site_rule(name: str, word: str, then: Then) -> SelectionRule:
    return SelectionRule(name=name, elements=("StationName",), words=(word,), then=then)


def test_rule_of_the_site_takes_what_a_shipped_rule_would_reject() -> None:
    spine_room = film(StationName="SPINE1", BodyPartExamined="CHEST", SeriesDescription="Thorax flexion")
    assert isinstance(select(spine_room, SHIPPED), Rejected)
    site = SelectionSection(site_rules=(site_rule("spine-room", "spine1", Then.SELECT),))
    assert select(spine_room, site) == Selected(
        view=View.FLEXION, view_source=ViewSource.TAGS, rule="flexion", selected_by="spine-room"
    )


def test_of_the_rules_of_a_site_the_first_that_rejects_or_selects_decides() -> None:
    select_it = site_rule("select", "room", Then.SELECT)
    reject_it = site_rule("reject", "room", Then.REJECT)
    room = film(StationName="room")
    assert isinstance(select(room, SelectionSection(site_rules=(select_it, reject_it))), Selected)
    assert isinstance(select(room, SelectionSection(site_rules=(reject_it, select_it))), Rejected)


def test_no_rule_of_the_site_makes_a_film_of_our_own_objects() -> None:
    site = SelectionSection(site_rules=(site_rule("select", "room", Then.SELECT),))
    assert isinstance(select(film(StationName="room", Manufacturer="aasnode"), site), Rejected)
