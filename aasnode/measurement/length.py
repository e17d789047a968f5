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
class IntervalRule:
    """What makes the 90 % interval of one length, after split conformal prediction."""

    quantile: float
    floor_mm: float  # what no network knows of itself: so careful readers differ, and so bones behind a sharp picture
    length_share: float  # of the length, likewise: the longer, the more an axis or a scale that is off makes

    def half_width_mm(self, sigma_mm: float, length_mm: float) -> float:
        """Of a length with that standard deviation; never less than the floor. Each doubt adds to the others."""
        doubt = math.hypot(sigma_mm, self.floor_mm, self.length_share * length_mm)
        return max(self.floor_mm, self.quantile * doubt)


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """The rules of both intervals, by split conformal prediction; from the model's card."""

    adi_quantile: float
    sac_quantile: float
    adi_floor_mm: float
    sac_floor_mm: float
    length_share: float = 0.0  # cards before 0.6.0 have none
    source: str  # "simulated films" until a site has calibrated

    @property
    def adi(self) -> IntervalRule:
        """That of ADI."""
        return IntervalRule(quantile=self.adi_quantile, floor_mm=self.adi_floor_mm, length_share=self.length_share)

    @property
    def sac(self) -> IntervalRule:
        """That of SAC."""
        return IntervalRule(quantile=self.sac_quantile, floor_mm=self.sac_floor_mm, length_share=self.length_share)


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


def measure_length(pair: PointPair, spacings: Spacings, rule: IntervalRule) -> Length:
    """The distance of two points with its calibrated interval, and the same distance in each plane that is known."""
    a, b = pair
    mm = distance_mm(a.point, b.point, spacings.primary)
    half_width = rule.half_width_mm(length_sigma_mm(a, b, spacings.primary), mm)
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
