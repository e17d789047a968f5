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
    """Which rule gave the millimetres, as viewers apply them (docs/measurements.md)."""

    GEOMETRY = "geometry"  # PixelSpacing, Calibration Type GEOMETRY
    FIDUCIAL = "fiducial"  # PixelSpacing, Calibration Type FIDUCIAL
    IMAGER_MAGNIFIED = "imager_magnified"  # ImagerPixelSpacing / radiographic magnification
    PIXEL_SPACING_CORRECTED = "pixel_spacing_corrected"  # PixelSpacing smaller than ImagerPixelSpacing
    DETECTOR_PLANE = "detector_plane"  # ImagerPixelSpacing, magnification unknown
    PIXEL_SPACING_UNKNOWN = "pixel_spacing_unknown"  # PixelSpacing alone, meaning not stated
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
        SpacingRule.PIXEL_SPACING_CORRECTED,
    }
)


@dataclass(frozen=True, kw_only=True)
class PixelSpacing:
    """Millimetres between the centres of neighbouring pixels, and the rule that gave them."""

    row_mm: float  # between rows, along y
    column_mm: float  # between columns, along x
    rule: SpacingRule


def distance_mm(a: Point, b: Point, spacing: PixelSpacing) -> float:
    """Distance of two points in mm; rows and columns scaled separately."""
    return math.hypot((a.x - b.x) * spacing.column_mm, (a.y - b.y) * spacing.row_mm)
