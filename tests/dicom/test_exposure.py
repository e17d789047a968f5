from dataclasses import replace
from datetime import timedelta
from typing import Any

from pydicom import Dataset

from aasnode.anatomy import View
from aasnode.dicom.exposure import (
    Exposure,
    Instance,
    exposure_key,
    group_exposures,
    is_for_processing,
    source_sop_instance_uids,
)
from tests.dicom.films import NOON, film

DOSE = {"AcquisitionDate": "20260301", "AcquisitionTime": "120000.1", "KVP": 70, "ExposureInuAs": 4021}


def instance(uid: str, **fields: Any) -> Instance:
    given = {"view": View.NEUTRAL, "acquired_at": NOON, "exposure_key": uid, "for_processing": False, "arrival": 1}
    given |= {"source_sop_instance_uids": (), "measured": True}
    return Instance(sop_instance_uid=uid, **(given | fields))


def primaries(exposures: tuple[Exposure, ...]) -> list[str]:
    return [exposure.representative for exposure in exposures if exposure.is_primary]


def test_processing_and_presentation_of_one_exposure_have_one_key() -> None:
    raw, shown = film(**DOSE, PresentationIntentType="FOR PROCESSING"), film(**DOSE)
    assert exposure_key(raw) == exposure_key(shown)
    assert is_for_processing(raw)
    assert not is_for_processing(shown)


def test_irradiation_event_goes_before_time_and_dose() -> None:
    assert exposure_key(film(**DOSE, IrradiationEventUID="1.2.3")) == exposure_key(film(IrradiationEventUID="1.2.3"))
    assert exposure_key(film(**DOSE, IrradiationEventUID="1.2.3")) != exposure_key(film(**DOSE))


def test_device_that_stamps_a_study_with_one_time_is_told_apart_by_dose() -> None:
    assert exposure_key(film(**DOSE)) != exposure_key(film(**(DOSE | {"ExposureInuAs": 5000})))


def test_film_without_time_or_dose_is_an_exposure_of_its_own() -> None:
    assert exposure_key(film()) != exposure_key(film())
    assert exposure_key(film(AcquisitionDate="20260301", AcquisitionTime="120000")).startswith("instance:")


def test_source_images_are_read() -> None:
    item = Dataset()
    item.ReferencedSOPInstanceUID = "1.2.3"
    assert source_sop_instance_uids(film(SourceImageSequence=[item])) == ("1.2.3",)
    assert source_sop_instance_uids(film()) == ()


def test_two_renderings_are_one_exposure_and_the_presentation_is_measured() -> None:
    raw = instance("raw", exposure_key="k", for_processing=True, arrival=1)
    shown = instance("shown", exposure_key="k", arrival=2)
    (exposure,) = group_exposures([raw, shown])
    assert exposure.representative == "shown"


def test_rendering_that_was_measured_goes_before_one_that_was_not() -> None:
    raw = instance("raw", exposure_key="k", for_processing=True)
    (exposure,) = group_exposures([instance("shown", exposure_key="k", measured=False), raw])
    assert exposure.representative == "raw"


def test_copy_is_linked_by_its_source_and_stays_behind_it() -> None:
    copy = instance("copy", source_sop_instance_uids=("film",), arrival=0)
    (exposure,) = group_exposures([copy, instance("film", arrival=5)])
    assert exposure.representative == "film"


def test_chain_of_sources_is_one_exposure_in_any_order_of_arrival() -> None:
    chain = [
        instance("a"),
        instance("c", source_sop_instance_uids=("b",)),
        instance("b", source_sop_instance_uids=("a",)),
    ]
    assert len(group_exposures(chain)) == len(group_exposures(chain[::-1])) == 1


def test_different_known_views_are_never_one_exposure() -> None:
    flexion = instance("f", exposure_key="k", view=View.FLEXION)
    extension = instance("e", exposure_key="k", view=View.EXTENSION)
    assert {exposure.view for exposure in group_exposures([flexion, extension])} == {View.FLEXION, View.EXTENSION}


def test_unknown_view_takes_the_view_of_its_exposure() -> None:
    unknown = instance("u", exposure_key="event:k", view=View.UNKNOWN)
    (exposure,) = group_exposures([unknown, instance("n", exposure_key="event:k")])
    assert exposure.view is View.NEUTRAL


def test_of_repeats_the_last_exposed_is_primary() -> None:
    first = instance("first", arrival=9)
    second = instance("second", acquired_at=NOON + timedelta(minutes=3), arrival=1)
    exposures = group_exposures([second, first])
    assert primaries(exposures) == ["second"]
    assert [exposure.representative for exposure in exposures] == ["first", "second"]


def test_repeat_that_could_not_be_measured_is_not_primary() -> None:
    poor = instance("poor", acquired_at=NOON + timedelta(minutes=3), measured=False)
    assert primaries(group_exposures([instance("good"), poor])) == ["good"]


def test_each_view_has_its_primary_and_unknown_views_are_no_repeats() -> None:
    films = [instance("n"), instance("f", view=View.FLEXION)]
    films += [instance("u1", view=View.UNKNOWN), instance("u2", view=View.UNKNOWN)]
    assert sorted(primaries(group_exposures(films))) == ["f", "n", "u1", "u2"]


def test_missing_time_of_acquisition_is_no_obstacle() -> None:
    undated = replace(instance("undated"), acquired_at=None)
    assert primaries(group_exposures([undated, instance("dated")])) == ["dated"]


def test_no_instances_are_no_exposures() -> None:
    assert group_exposures([]) == ()


def test_shared_time_stamp_and_kv_alone_join_nothing() -> None:
    preset = {"AcquisitionDate": "20260301", "AcquisitionTime": "120000", "KVP": 70}
    assert len({exposure_key(film(**preset)) for _ in range(3)}) == 3


def test_films_of_unknown_view_are_not_joined_by_time_and_dose() -> None:
    key = exposure_key(film(**DOSE))
    films = [instance(uid, exposure_key=key, view=View.UNKNOWN) for uid in ("a", "b")]
    assert len(group_exposures([*films, instance("n", exposure_key=key)])) == 3
