"""Landmarks on a straight axis, settings as shipped, lengths of a chosen value."""

import math
from dataclasses import replace
from typing import Any

from aasnode.anatomy import LANDMARKS, Landmark, LandmarkEstimate, Landmarks, View
from aasnode.config import MeasurementSection
from aasnode.geometry import PixelSpacing, Point, SpacingRule, Spacings
from aasnode.measurement import Calibration, Length, Measurement, measure

SHIPPED = MeasurementSection()
CALIBRATION = Calibration(
    adi_quantile=2.0, sac_quantile=2.0, adi_floor_mm=0.1, sac_floor_mm=0.1, source="simulated films"
)


def in_plane(row_mm: float = 0.15, column_mm: float = 0.15, rule: SpacingRule = SpacingRule.DETECTOR_PLANE) -> Spacings:
    spacing = PixelSpacing(row_mm=row_mm, column_mm=column_mm, rule=rule)
    detector_plane = spacing if rule is SpacingRule.DETECTOR_PLANE else None
    corrected = spacing if rule.is_magnification_corrected else None
    return Spacings(primary=spacing, detector_plane=detector_plane, corrected=corrected)


def estimate(x: float, y: float, sigma_px: float = 0.0) -> LandmarkEstimate:
    variance = sigma_px**2
    return LandmarkEstimate(point=Point(x=x, y=y), covariance_px2=((variance, 0.0), (0.0, variance)), confidence=0.9)


def on_axis(
    adi_mm: float,
    sac_mm: float,
    *,
    scale_mm: float = 0.15,
    sigma_px: float = 0.0,
    tilt: float = 0.3,
    dens_mm: float = 10.0,
) -> Landmarks:
    """The four points on a line tilted by ``tilt`` radians, for square pixels of ``scale_mm``."""
    at_mm = (0.0, adi_mm, adi_mm + dens_mm, adi_mm + dens_mm + sac_mm)
    return {
        name: estimate(100 + mm / scale_mm * math.cos(tilt), 200 + mm / scale_mm * math.sin(tilt), sigma_px)
        for name, mm in zip(LANDMARKS, at_mm, strict=True)
    }


def without(landmarks: Landmarks, name: Landmark) -> Landmarks:
    return {**landmarks, name: None}


def measured(adi_mm: float, sac_mm: float, **given: Any) -> Measurement:
    """A film of these lengths; keywords of ``measure`` go before what stands here."""
    arguments = {
        "landmarks": on_axis(adi_mm, sac_mm), "spacing": in_plane(), "view": View.FLEXION, "calibration": CALIBRATION,
        "settings": SHIPPED, "age_years": 60.0,
    }  # fmt: skip
    return measure(**(arguments | given))


def length(mm: float, *, half_width_mm: float = 0.5, **planes: float) -> Length:
    return Length(
        mm=mm, low_mm=max(0.0, mm - half_width_mm), high_mm=mm + half_width_mm, sigma_mm=half_width_mm / 1.645,
        detector_plane_mm=planes.get("detector_plane_mm", None if "corrected_mm" in planes else mm),
        corrected_mm=planes.get("corrected_mm"),
    )  # fmt: skip


def settings(**changed: Any) -> MeasurementSection:
    return replace(SHIPPED, **changed)
