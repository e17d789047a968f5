"""A film on which the four points are drawn as marks, and a detector that finds the marks: real, exact, no network."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aasnode.anatomy import LANDMARKS, Facing, LandmarkEstimate, Landmarks, View
from aasnode.geometry import PixelSpacing, Point
from aasnode.inference.detection import Detection, Outcome, Reason
from aasnode.measurement import Calibration

ADI_MM, DENS_MM, SAC_MM = 4.0, 10.0, 16.0
_GREY_OF_MARKS = (0.6, 0.7, 0.8, 0.9)  # in the order of LANDMARKS
_RADIUS_MM = 1.2
_HEIGHT_MM, _WIDTH_MM = 60.0, 80.0
_CALIBRATION = Calibration(adi_quantile=1.8, sac_quantile=1.8, adi_floor_mm=0.2, sac_floor_mm=0.3, source="drawn marks")


def marked_film(
    spacing: PixelSpacing, *, marks: int = 4, height_mm: float = 60.0, width_mm: float = 80.0
) -> np.ndarray:
    """(rows, columns) uint16 of 12 bits: the face to the left, the C1 axis tilted, the darkest mark ventral."""
    rows, columns = round(_HEIGHT_MM / spacing.row_mm), round(_WIDTH_MM / spacing.column_mm)
    y_mm = np.arange(rows)[:, None] * spacing.row_mm
    x_mm = np.arange(columns)[None, :] * spacing.column_mm
    film = 0.1 + 0.2 * x_mm / _WIDTH_MM + 0.1 * y_mm / _HEIGHT_MM
    along = np.array([np.cos(0.3), np.sin(0.3)])
    at_mm = (0, ADI_MM, ADI_MM + DENS_MM, ADI_MM + DENS_MM + SAC_MM)
    for distance_mm, grey in list(zip(at_mm, _GREY_OF_MARKS, strict=True))[:marks]:
        x, y = np.array([20.0, 20.0]) + distance_mm * along
        distance = np.hypot(x_mm - x, y_mm - y)
        film = np.where(distance < _RADIUS_MM, grey, film)
    film[:8, :8], film[-8:, -8:] = 0.0, 1.0
    return np.rint(film * 4095).astype(np.uint16)


@dataclass(frozen=True, kw_only=True)
class MarksDetector:
    """Finds the marks by their grey. Fewer than two marks are no lateral cervical view."""

    model: str = "marks 1.0.0"
    calibration: Calibration = _CALIBRATION

    def detect(
        self, pixels: npt.NDArray[np.float32], spacing: PixelSpacing | None, aspect_ratio: float = 1.0
    ) -> Detection:
        """Every blob brighter than the background, told apart by its grey."""
        landmarks: dict = dict.fromkeys(LANDMARKS)
        count, labels, stats, _ = cv2.connectedComponentsWithStats((pixels > 0.5).astype(np.uint8))
        for label in range(1, count):
            inside = labels == label
            rows, columns = np.nonzero(inside)
            grey = float(np.median(pixels[inside]))
            nearest = int(np.argmin([abs(grey - mark) for mark in _GREY_OF_MARKS]))
            if stats[label, cv2.CC_STAT_AREA] > 20 and abs(grey - _GREY_OF_MARKS[nearest]) < 0.04:
                landmarks[LANDMARKS[nearest]] = LandmarkEstimate(
                    point=Point(x=float(columns.mean()), y=float(rows.mean())),
                    covariance_px2=((0.1, 0.0), (0.0, 0.1)),
                    confidence=0.9,
                )
        return self._answer(landmarks)

    def _answer(self, landmarks: Landmarks) -> Detection:
        first, second, third, fourth = (landmarks[name] for name in LANDMARKS)
        found = [point for point in (first, second, third, fourth) if point]
        outcome = Outcome.FOUND if len(found) >= 2 else Outcome.ABSTAINED if found else Outcome.OTHER_VIEW
        hidden = Reason.POINT_HIDDEN if found else Reason.NO_LATERAL_CERVICAL_VIEW
        facing = Facing.UNKNOWN
        if len(found) >= 2:
            facing = Facing.LEFT if found[0].point.x < found[-1].point.x else Facing.RIGHT
        return Detection(
            outcome=outcome,
            landmarks=landmarks,
            adi_reason=None if first and second else hidden,
            sac_reason=None if third and fourth else hidden,
            facing=facing,
            facing_confidence=1.0,
            view=View.FLEXION,
            view_confidence=0.95,
            model=self.model,
        )
