"""One film from one appointment: anatomy, posture, scene, processing, and how it is stored.

All chance comes from the appointment's seed, so a film is the same whoever makes it, in whatever order.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aasnode.anatomy import LANDMARKS, Facing, Landmark
from aasnode.geometry import Point
from aasnode.inference.detection import Reason
from aasnode.training.simulate.articulation import anatomy_of
from aasnode.training.simulate.bank import Bank
from aasnode.training.simulate.courses import Appointment
from aasnode.training.simulate.disturbances import Disturbance, draw_disturbances
from aasnode.training.simulate.film import attenuation, draw_technique, exposed, processed, quantised
from aasnode.training.simulate.in_beam import lay_on_maps
from aasnode.training.simulate.on_film import Disturbed, lay_on_film
from aasnode.training.simulate.posture import Stand, draw_posture, draw_stand
from aasnode.training.simulate.scene import Scene, Window, compose
from aasnode.training.simulate.truth import FilmTruth, Hidden, LandmarkTruth

_JOINT = (Landmark.C1_ANTERIOR_ARCH_POSTERIOR, Landmark.DENS_ANTERIOR)
_CANAL = (Landmark.DENS_POSTERIOR, Landmark.C1_POSTERIOR_ARCH_ANTERIOR)
_REASONS = {
    Hidden.OUTSIDE_FIELD: Reason.POINT_OUTSIDE_FIELD,
    Hidden.COVERED: Reason.POINT_HIDDEN,
    Hidden.ABSENT: Reason.POINT_HIDDEN,
}


@dataclass(frozen=True, kw_only=True)
class Film:
    """A film as it is stored: pixels, truth, and what its tags need to know."""

    pixels: npt.NDArray[np.uint16]  # (rows, columns), 12 bits
    truth: FilmTruth
    appointment: Appointment
    stand: Stand
    monochrome1: bool
    quarter_turns: int  # counter-clockwise, after mirroring
    mirrored: bool
    cephalogram: bool
    states_magnification: bool  # whether the tags give the magnification


@dataclass(frozen=True, kw_only=True)
class FilmWish:
    """What every film of a run has in common."""

    pixel_mm: float
    disturbed: bool


def expose(appointment: Appointment, bank: Bank, wish: FilmWish, path: str) -> Film:
    """Make the film that is stored under ``path``."""
    rng = np.random.default_rng(np.random.SeedSequence([*appointment.seed, 7]))
    disturbances = draw_disturbances(rng) if wish.disturbed else {}
    cephalogram = Disturbance.CEPHALOGRAM in disturbances
    posture, stand = draw_posture(appointment.view, rng), draw_stand(rng, cephalogram=cephalogram)
    anatomy = anatomy_of(appointment.patient, bank.bones(appointment.patient))
    scene = compose(anatomy, posture, stand, appointment.years, _window(wish.pixel_mm, cephalogram), rng)
    disturbed = _developed(scene, appointment, disturbances, rng)
    return _stored(disturbed, scene, appointment, stand, disturbances, path)


def _window(pixel_mm: float, cephalogram: bool) -> Window:
    """24 × 30 cm with a margin; a cephalogram shows the whole head."""
    rows_mm, columns_mm = (250.0, 210.0) if cephalogram else (260.0, 220.0)
    return Window(rows=round(rows_mm / pixel_mm), columns=round(columns_mm / pixel_mm), pixel_mm=pixel_mm)


def _developed(
    scene: Scene, appointment: Appointment, disturbances: Mapping[Disturbance, float], rng: np.random.Generator
) -> Disturbed:
    pixel_mm = scene.window.pixel_mm
    technique = draw_technique(rng)
    laid_on = lay_on_maps(scene, disturbances, rng)
    total = attenuation(laid_on.maps, technique, appointment.patient.osteoporosis, pixel_mm, rng)
    film = processed(exposed(total, technique, pixel_mm, rng), technique, pixel_mm)
    return lay_on_film(film, laid_on.covered, scene, disturbances, rng)


def _stored(
    disturbed: Disturbed,
    scene: Scene,
    appointment: Appointment,
    stand: Stand,
    disturbances: Mapping[Disturbance, float],
    path: str,
) -> Film:
    mirrored, turns = Disturbance.MIRRORED in disturbances, round(disturbances.get(Disturbance.TURNED, 0) * 4)
    pixels = np.rot90(disturbed.film[:, ::-1] if mirrored else disturbed.film, turns)
    monochrome1 = Disturbance.MONOCHROME1 in disturbances
    landmarks = _landmarks(scene, disturbed, mirrored, turns)
    facing = (Facing.LEFT if mirrored else Facing.RIGHT) if turns == 0 else Facing.UNKNOWN
    return Film(
        pixels=np.ascontiguousarray(quantised(1 - pixels if monochrome1 else pixels)),
        truth=_truth(scene, appointment, stand, landmarks, facing, disturbances, path),
        appointment=appointment,
        stand=stand,
        monochrome1=monochrome1,
        quarter_turns=turns,
        mirrored=mirrored,
        cephalogram=Disturbance.CEPHALOGRAM in disturbances,
        states_magnification=appointment.patient.draws[3] < 0.2,
    )


def _landmarks(scene: Scene, disturbed: Disturbed, mirrored: bool, turns: int) -> dict[str, LandmarkTruth]:
    rows, columns = disturbed.film.shape
    found = {}
    for name, point in scene.landmarks.items():
        moved = turned(Point(x=columns - 1 - point.x, y=point.y) if mirrored else point, turns, rows, columns)
        found[name] = LandmarkTruth(point=moved, hidden=_hidden(name, point, scene, disturbed))
    return found


def turned(point: Point, quarter_turns: int, rows: int, columns: int) -> Point:
    """Where a point of a (rows, columns) image lies after ``numpy.rot90`` by that many turns."""
    x, y = point.x, point.y
    for _ in range(quarter_turns % 4):
        x, y = y, columns - 1 - x
        rows, columns = columns, rows
    return Point(x=x, y=y)


def _hidden(name: str, point: Point, scene: Scene, disturbed: Disturbed) -> Hidden | None:
    if name in scene.absent:
        return Hidden.ABSENT
    row, column = round(point.y), round(point.x)
    rows, columns = disturbed.film.shape
    if not (0 <= row < rows and 0 <= column < columns) or disturbed.outside[row, column]:
        return Hidden.OUTSIDE_FIELD
    return Hidden.COVERED if disturbed.covered[row, column] else None


def _truth(
    scene: Scene,
    appointment: Appointment,
    stand: Stand,
    landmarks: Mapping[str, LandmarkTruth],
    facing: Facing,
    disturbances: Mapping[Disturbance, float],
    path: str,
) -> FilmTruth:
    pixel_mm = scene.window.pixel_mm
    aa, da, dp, pa = (scene.landmarks[name] for name in LANDMARKS)
    operated = Disturbance.UPPER_FUSION in disturbances
    return FilmTruth(
        path=path,
        patient_id=patient_id(appointment),
        visit=appointment.visit,
        acquired=appointment.acquired,
        view=appointment.view,
        facing=facing,
        landmarks=landmarks,
        adi_mm=scene.adi_mm,
        sac_mm=scene.sac_mm,
        adi_detector_mm=_apart(aa, da) * pixel_mm,
        sac_detector_mm=_apart(dp, pa) * pixel_mm,
        c1_inner_diameter_mm=scene.c1_inner_diameter_mm,
        magnification=scene.magnification,
        pixel_mm=pixel_mm,
        yaw_degrees=stand.yaw,
        roll_degrees=stand.roll,
        pitch_degrees=stand.pitch,
        variant=appointment.patient.variant.value,
        disturbances={name.value: strength for name, strength in disturbances.items()},
        adi_reason=_reason(landmarks, _JOINT, operated),
        sac_reason=_reason(landmarks, _CANAL, operated),
    )


def patient_id(appointment: Appointment) -> str:
    """Plainly synthetic, and the same for all films of a patient."""
    return f"SIM-{appointment.seed[0]}-{appointment.patient.number:05d}"


def _apart(a: Point, b: Point) -> float:
    return float(np.hypot(a.x - b.x, a.y - b.y))


def _reason(landmarks: Mapping[str, LandmarkTruth], points: tuple[Landmark, Landmark], operated: bool) -> Reason | None:
    """Why a length cannot be measured on this film, or None."""
    if operated:
        return Reason.OPERATED_NECK
    hidden = [landmarks[name].hidden for name in points]
    dens_absent = any(landmarks[n].hidden is Hidden.ABSENT for n in (Landmark.DENS_ANTERIOR, Landmark.DENS_POSTERIOR))
    if dens_absent:
        return Reason.JOINT_DESTROYED
    return next((_REASONS[h] for h in hidden if h is not None), None)
