from collections.abc import Sequence

import pytest

from aasnode.anatomy import View
from aasnode.config import MeasurementSection
from aasnode.geometry import SpacingRule
from aasnode.measurement import Assessment, Measurement, StudyAssessment, StudyFilm, assess_study
from tests.measurement.points import CALIBRATION, SHIPPED, in_plane, measured, on_axis, settings


def study_of(films: Sequence[Measurement], section: MeasurementSection = SHIPPED) -> StudyAssessment:
    return assess_study([alone(film) for film in films], section)


def alone(film: Measurement) -> StudyFilm:
    return StudyFilm(measurement=film, is_view_stated=True, is_repeat=False)


def test_gravest_film_speaks_for_the_study() -> None:
    study = study_of([measured(1, 20, view=View.NEUTRAL), measured(5, 16, view=View.FLEXION)])
    assert study.assessment is Assessment.AAS_SUSPECTED
    assert study.reason.startswith("flexion: ADI 5.0 mm")
    assert "neutral" not in study.reason


def test_neutral_film_alone_never_excludes() -> None:
    study = study_of([measured(1, 20, view=View.NEUTRAL)])
    assert study.assessment is Assessment.NO_AAS_ON_THIS_VIEW
    assert not study.excludes_aas
    assert "Not excluded without a measured flexion film" in study.reason


def test_normal_flexion_film_excludes() -> None:
    study = study_of([measured(1, 20, view=View.NEUTRAL), measured(1.5, 19, view=View.FLEXION)])
    assert study.excludes_aas
    assert "Not excluded" not in study.reason


def test_a_flexion_that_the_picture_alone_tells_excludes_nothing() -> None:
    guessed = StudyFilm(measurement=measured(1.5, 19, view=View.FLEXION), is_view_stated=False, is_repeat=False)
    study = assess_study([guessed], SHIPPED)
    assert not study.excludes_aas
    assert "Not excluded: the flexion is told from the picture alone" in study.reason


def test_a_normal_flexion_whose_interval_spans_the_threshold_excludes_nothing() -> None:
    near = measured(2.5, 20, view=View.FLEXION, landmarks=on_axis(2.5, 20, sigma_px=1.2))
    assert near.assessment is Assessment.NO_AAS_ON_THIS_VIEW
    study = study_of([near])
    assert not study.excludes_aas
    assert "Not excluded: the interval spans the threshold" in study.reason


def test_a_graver_repeat_speaks_for_the_study_and_the_primary_film_for_its_movement() -> None:
    repeat = StudyFilm(measurement=measured(8, 12, view=View.FLEXION), is_view_stated=True, is_repeat=True)
    others = [alone(measured(2, 18, view=view)) for view in (View.FLEXION, View.EXTENSION)]
    study = assess_study([repeat, *others], SHIPPED)
    assert study.assessment is Assessment.AAS_SUSPECTED
    assert study.reason.startswith("flexion, repeat: ADI 8.0 mm")
    assert study.adi_flexion_minus_extension is not None
    assert study.adi_flexion_minus_extension.mm == pytest.approx(0)


def test_normal_flexion_film_excludes_nothing_beside_an_abnormal_one() -> None:
    study = study_of([measured(5, 20, view=View.NEUTRAL), measured(1, 20, view=View.FLEXION)])
    assert study.assessment is Assessment.AAS_SUSPECTED
    assert not study.excludes_aas


def test_movement_is_flexion_minus_extension_with_its_error() -> None:
    films = [
        measured(2, 20, view=View.EXTENSION),
        measured(6, 16, view=View.FLEXION),
        measured(3, 19, view=View.NEUTRAL),
    ]
    study = study_of(films, settings(magnification_sd=0.0))
    adi, sac = study.adi_flexion_minus_extension, study.sac_flexion_minus_extension
    assert adi is not None
    assert sac is not None
    assert adi.mm == pytest.approx(4.0)
    assert sac.mm == pytest.approx(-4.0)
    assert adi.error_mm == pytest.approx(
        1.96 * 2**0.5 * CALIBRATION.adi_quantile * CALIBRATION.adi_floor_mm / 1.645, rel=1e-3
    )
    assert adi.exceeds_error


def test_movement_needs_both_views_and_one_spacing_rule() -> None:
    flexion = measured(6, 16, view=View.FLEXION)
    assert study_of([flexion]).adi_flexion_minus_extension is None
    other = measured(2, 20, view=View.EXTENSION, spacing=in_plane(rule=SpacingRule.FIDUCIAL))
    assert study_of([flexion, other]).adi_flexion_minus_extension is None
    no_adi = measured(2, 20, view=View.EXTENSION, landmarks=on_axis(2, 20), adi_reason="point_hidden")
    study = study_of([flexion, no_adi])
    assert study.adi_flexion_minus_extension is None
    assert study.sac_flexion_minus_extension is not None


def test_study_without_films_is_not_assessed() -> None:
    study = study_of([])
    assert study.assessment is Assessment.NOT_ASSESSED
    assert study.reason == "no film of this study was measured"


def test_movement_is_not_taken_across_models_or_spacing_rules_and_the_reason_says_so() -> None:
    flexion = measured(6, 16, view=View.FLEXION, model="aas 1.0.0")
    newer = measured(2, 20, view=View.EXTENSION, model="aas 1.1.0")
    study = study_of([flexion, newer])
    assert study.adi_flexion_minus_extension is study.sac_flexion_minus_extension is None
    assert "differ in their models: aas 1.0.0, aas 1.1.0" in study.reason
    other = measured(2, 20, view=View.EXTENSION, model="aas 1.0.0", spacing=in_plane(rule=SpacingRule.FIDUCIAL))
    assert "spacing rules: detector_plane, fiducial" in study_of([flexion, other]).reason
