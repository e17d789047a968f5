"""One length between two points: its mm in each plane, its interval, and the difference of two such lengths."""

import math
from dataclasses import dataclass

from aasnode.anatomy import LandmarkEstimate
from aasnode.geometry import PixelSpacing, Spacings, distance_mm

Z_90 = 1.6449  # a normal distribution's central 90 %
Z_95 = 1.9600

PointPair = tuple[LandmarkEstimate, LandmarkEstimate]


@dataclass(frozen=True, kw_only=True)
class Length:
    """One measured length with its 90 % interval, in mm, in the plane of the spacing rule."""

    mm: float
    low_mm: float
    high_mm: float
    sigma_mm: float  # the standard deviation that the interval implies: half-width / 1.645
    detector_plane_mm: float | None  # the same without correction for magnification, where that is known
    corrected_mm: float | None  # the same corrected for magnification, where that is known


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What makes half-widths of intervals (``half_width_mm``), by split conformal prediction; from the model's card."""

    adi_quantile: float
    sac_quantile: float
    adi_floor_mm: float
    sac_floor_mm: float
    source: str  # "simulated films" until a site has calibrated


@dataclass(frozen=True, kw_only=True)
class Change:
    """A difference of two lengths and the measurement error of such a difference (95 %), in mm."""

    mm: float
    error_mm: float

    @property
    def exceeds_error(self) -> bool:
        """Whether the difference is larger than measurement error explains."""
        return abs(self.mm) > self.error_mm


def length_sigma_mm(a: LandmarkEstimate, b: LandmarkEstimate, spacing: PixelSpacing) -> float:
    """Standard deviation of the distance of two points: their covariances, in mm, along the line that joins them."""
    x_mm, y_mm = (b.point.x - a.point.x) * spacing.column_mm, (b.point.y - a.point.y) * spacing.row_mm
    length = math.hypot(x_mm, y_mm)
    along = (x_mm / length, y_mm / length) if length else (math.sqrt(0.5), math.sqrt(0.5))
    x, y = along[0] * spacing.column_mm, along[1] * spacing.row_mm  # mm along the line per pixel of x and of y
    variance = sum(
        x * x * xx + x * y * (xy + yx) + y * y * yy for (xx, xy), (yx, yy) in (a.covariance_px2, b.covariance_px2)
    )
    return math.sqrt(max(variance, 0.0))


def half_width_mm(sigma_mm: float, quantile: float, floor_mm: float) -> float:
    """Half-width of a 90 % interval, and never less than the floor, which is what no network knows of itself.

    So careful readers differ, and so the bones behind a sharp picture may; it adds to the network's own doubt.
    """
    return max(floor_mm, quantile * math.hypot(sigma_mm, floor_mm))


def measure_length(pair: PointPair, spacings: Spacings, *, quantile: float, floor_mm: float) -> Length:
    """The distance of two points with its calibrated interval, and the same distance in each plane that is known."""
    a, b = pair
    mm = distance_mm(a.point, b.point, spacings.primary)
    half_width = half_width_mm(length_sigma_mm(a, b, spacings.primary), quantile, floor_mm)
    detector_plane, corrected = spacings.detector_plane, spacings.corrected
    return Length(
        mm=mm,
        low_mm=max(0.0, mm - half_width),
        high_mm=mm + half_width,
        sigma_mm=half_width / Z_90,
        detector_plane_mm=distance_mm(a.point, b.point, detector_plane) if detector_plane else None,
        corrected_mm=distance_mm(a.point, b.point, corrected) if corrected else None,
    )


def difference(later: Length, earlier: Length, *, magnification_sd: float) -> Change:
    """``later`` minus ``earlier``, with the error of both measurements and of two set-ups' magnification."""
    measured = later.sigma_mm**2 + earlier.sigma_mm**2
    magnified = magnification_sd**2 * (later.mm**2 + earlier.mm**2)
    return Change(mm=later.mm - earlier.mm, error_mm=Z_95 * math.sqrt(measured + magnified))
