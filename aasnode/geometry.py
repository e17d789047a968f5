"""Points in a stored image, the millimetres of its pixels, and where these came from.

Frame: ``x`` is the column, ``y`` the row; 0, 0 is the centre of the first pixel.
This module knows no DICOM and no anatomy.
"""

import math
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, kw_only=True)
class Point:
    """A point in pixels of the stored image."""

    x: float
    y: float


class SpacingRule(StrEnum):
    """Which rule gave the millimetres; the order and the conditions are those of viewers (docs/measurements.md)."""

    GEOMETRY = "geometry"  # PixelSpacing, Calibration Type GEOMETRY
    FIDUCIAL = "fiducial"  # PixelSpacing, Calibration Type FIDUCIAL
    IMAGER_MAGNIFIED = "imager_magnified"  # ImagerPixelSpacing / EstimatedRadiographicMagnificationFactor
    SOURCE_DISTANCES = "source_distances"  # ImagerPixelSpacing * source-to-patient / source-to-detector distance
    PIXEL_SPACING_CORRECTED = "pixel_spacing_corrected"  # PixelSpacing smaller than ImagerPixelSpacing
    DETECTOR_PLANE = "detector_plane"  # ImagerPixelSpacing and/or an equal PixelSpacing, magnification unknown
    PIXEL_SPACING_UNKNOWN = "pixel_spacing_unknown"  # PixelSpacing alone or above ImagerPixelSpacing: plane not stated
    GIVEN = "given"  # stated by the user on the command line

    @property
    def is_magnification_corrected(self) -> bool:
        """Whether mm refer to the patient's plane instead of the detector's."""
        return self in _CORRECTED


_CORRECTED = frozenset(
    {
        SpacingRule.GEOMETRY,
        SpacingRule.FIDUCIAL,
        SpacingRule.IMAGER_MAGNIFIED,
        SpacingRule.SOURCE_DISTANCES,
        SpacingRule.PIXEL_SPACING_CORRECTED,
    }
)


@dataclass(frozen=True, kw_only=True)
class PixelSpacing:
    """Millimetres between the centres of neighbouring pixels, and the rule that gave them."""

    row_mm: float  # between rows, along y
    column_mm: float  # between columns, along x
    rule: SpacingRule


@dataclass(frozen=True, kw_only=True)
class Spacings:
    """The spacing that viewers measure with, and the same film's spacing in each plane that its header knows.

    ``primary`` equals one of the two others, or neither where its plane is not stated.
    """

    primary: PixelSpacing
    detector_plane: PixelSpacing | None
    corrected: PixelSpacing | None  # corrected for magnification: in the patient's plane


@dataclass(frozen=True, kw_only=True)
class Unscaled:
    """No usable millimetres, and why; the pixels' shape may still be known, so ratios of lengths stand."""

    reason: str
    aspect_ratio: float = 1.0  # distance between rows / distance between columns


def distance_mm(a: Point, b: Point, spacing: PixelSpacing) -> float:
    """Distance of two points in mm; rows and columns scaled separately."""
    return math.hypot((a.x - b.x) * spacing.column_mm, (a.y - b.y) * spacing.row_mm)
