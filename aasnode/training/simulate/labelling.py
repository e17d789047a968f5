"""The truth of a stored film: where mirroring and turning put the landmarks, what hides them, what can be measured."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aasnode.anatomy import LANDMARKS, Facing, Landmark
from aasnode.geometry import Point
from aasnode.inference.detection import Reason
from aasnode.training.simulate.courses import Appointment
from aasnode.training.simulate.disturbances import Disturbance
from aasnode.training.simulate.on_film import Disturbed
from aasnode.training.simulate.posture import Posture, Stand
from aasnode.training.simulate.scene import Scene
from aasnode.training.simulate.truth import FilmTruth, Hidden, LandmarkTruth

_JOINT = (Landmark.C1_ANTERIOR_ARCH_POSTERIOR, Landmark.DENS_ANTERIOR)
_CANAL = (Landmark.DENS_POSTERIOR, Landmark.C1_POSTERIOR_ARCH_ANTERIOR)
_REASONS = {
    Hidden.OUTSIDE_FIELD: Reason.POINT_OUTSIDE_FIELD,
    Hidden.COVERED: Reason.POINT_HIDDEN,
    Hidden.ABSENT: Reason.POINT_HIDDEN,
}


@dataclass(frozen=True, kw_only=True)
class Storage:
    """How an image is stored: mirrored first, then turned counter-clockwise."""

    mirrored: bool
    quarter_turns: int

    @property
    def facing(self) -> Facing:
        """The side of the stored image to which the face points; unknown where it points up or down."""
        if self.quarter_turns % 2:
            return Facing.UNKNOWN
        return Facing.LEFT if self.mirrored != (self.quarter_turns == 2) else Facing.RIGHT

    def moved(self, point: Point, rows: int, columns: int) -> Point:
        """Where a point of the (rows, columns) image lies as stored."""
        start = Point(x=columns - 1 - point.x, y=point.y) if self.mirrored else point
        return turned(start, self.quarter_turns, rows, columns)


def turned(point: Point, quarter_turns: int, rows: int, columns: int) -> Point:
    """Where a point of a (rows, columns) image lies after ``numpy.rot90`` by that many turns."""
    x, y = point.x, point.y
    for _ in range(quarter_turns % 4):
        x, y = y, columns - 1 - x
        rows, columns = columns, rows
    return Point(x=x, y=y)


@dataclass(frozen=True, kw_only=True)
class Shot:
    """All that is known of one exposure."""

    path: str
    appointment: Appointment
    posture: Posture
    stand: Stand
    scene: Scene
    disturbances: Mapping[Disturbance, float]


def label(shot: Shot, disturbed: Disturbed, storage: Storage) -> FilmTruth:
    """The truth of the film as it is stored."""
    scene, landmarks = shot.scene, _landmarks(shot.scene, disturbed, storage)
    pixel_mm = scene.window.pixel_mm
    aa, da, dp, pa = (scene.landmarks[name] for name in LANDMARKS)
    return FilmTruth(
        path=shot.path,
        patient_id=patient_id(shot.appointment),
        visit=shot.appointment.visit,
        acquired=shot.appointment.acquired,
        view=shot.appointment.view,
        near_horizontal=shot.posture.near_horizontal,
        facing=storage.facing,
        landmarks=landmarks,
        adi_mm=scene.adi_mm,
        sac_mm=scene.sac_mm,
        adi_detector_mm=_apart(aa, da) * pixel_mm,
        sac_detector_mm=_apart(dp, pa) * pixel_mm,
        c1_inner_diameter_mm=scene.c1_inner_diameter_mm,
        magnification=scene.magnification,
        pixel_mm=pixel_mm,
        yaw_degrees=shot.stand.yaw,
        roll_degrees=shot.stand.roll,
        pitch_degrees=shot.stand.pitch,
        variant=shot.appointment.patient.variant.value,
        disturbances={name.value: strength for name, strength in shot.disturbances.items()},
        adi_reason=_reason(landmarks, _JOINT, shot.disturbances),
        sac_reason=_reason(landmarks, _CANAL, shot.disturbances),
    )


def patient_id(appointment: Appointment) -> str:
    """Plainly synthetic, and the same for all films of a patient."""
    return f"SIM-{appointment.seed[0]}-{appointment.patient.number:05d}"


def _apart(a: Point, b: Point) -> float:
    return float(np.hypot(a.x - b.x, a.y - b.y))


def _landmarks(scene: Scene, disturbed: Disturbed, storage: Storage) -> dict[str, LandmarkTruth]:
    rows, columns = disturbed.film.shape
    return {
        name: LandmarkTruth(point=storage.moved(point, rows, columns), hidden=_hidden(name, point, scene, disturbed))
        for name, point in scene.landmarks.items()
    }


def _hidden(name: str, point: Point, scene: Scene, disturbed: Disturbed) -> Hidden | None:
    if name in scene.absent:
        return Hidden.ABSENT
    row, column = round(point.y), round(point.x)
    rows, columns = disturbed.film.shape
    if not (0 <= row < rows and 0 <= column < columns) or disturbed.outside[row, column]:
        return Hidden.OUTSIDE_FIELD
    return Hidden.COVERED if disturbed.covered[row, column] else None


def _reason(
    landmarks: Mapping[str, LandmarkTruth],
    points: tuple[Landmark, Landmark],
    disturbances: Mapping[Disturbance, float],
) -> Reason | None:
    """Why a length cannot be measured on this film, or None."""
    if Disturbance.UPPER_FUSION in disturbances:
        return Reason.OPERATED_NECK
    if landmarks[Landmark.DENS_ANTERIOR].hidden is Hidden.ABSENT:
        return Reason.JOINT_DESTROYED
    return next((_REASONS[h] for name in points if (h := landmarks[name].hidden) is not None), None)
