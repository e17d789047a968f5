"""One film from one appointment: anatomy, posture, scene, processing, and how it is stored.

All chance comes from the appointment's seed, so a film is the same whoever makes it, in whatever order.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from aasnode.training.simulate.articulation import anatomy_of
from aasnode.training.simulate.bank import Bank
from aasnode.training.simulate.courses import Appointment
from aasnode.training.simulate.disturbances import Disturbance, draw_disturbances
from aasnode.training.simulate.film import attenuation, draw_technique, exposed, processed, quantised
from aasnode.training.simulate.in_beam import lay_on_maps
from aasnode.training.simulate.labelling import Shot, Storage, label
from aasnode.training.simulate.on_film import Disturbed, lay_on_film
from aasnode.training.simulate.posture import Stand, draw_posture, draw_stand
from aasnode.training.simulate.scene import Window, compose
from aasnode.training.simulate.truth import FilmTruth

_EXPOSURE = 7  # keeps the chance of the exposure apart from the patient's


@dataclass(frozen=True, kw_only=True)
class Film:
    """A film as it is stored: pixels, truth, and what its tags need to know."""

    pixels: npt.NDArray[np.uint16]  # (rows, columns), 12 bits
    truth: FilmTruth
    appointment: Appointment
    stand: Stand
    storage: Storage
    monochrome1: bool


@dataclass(frozen=True, kw_only=True)
class FilmWish:
    """What every film of a run has in common."""

    pixel_mm: float
    disturbed: bool


def expose(appointment: Appointment, bank: Bank, wish: FilmWish, path: str) -> Film:
    """Make the film that is stored under ``path``."""
    rng = np.random.default_rng(np.random.SeedSequence([*appointment.seed, _EXPOSURE]))
    disturbances = {**appointment.hardware, **draw_disturbances(rng)} if wish.disturbed else {}
    cephalogram = Disturbance.CEPHALOGRAM in disturbances
    posture, stand = draw_posture(appointment.view, rng), _draw_stand(appointment, cephalogram, rng)
    anatomy = anatomy_of(appointment.patient, bank.bones(appointment.patient))
    scene = compose(anatomy, posture, stand, appointment.years, _window(wish.pixel_mm, cephalogram), rng)
    shot = Shot(
        path=path, appointment=appointment, posture=posture, stand=stand, scene=scene, disturbances=disturbances
    )
    return _stored(shot, _developed(shot, rng))


def _draw_stand(appointment: Appointment, cephalogram: bool, rng: np.random.Generator) -> Stand:
    """As the patient's own device has it, the shoulder a little nearer or farther; a cephalostat is another device."""
    stand = draw_stand(rng, cephalogram=cephalogram)
    if cephalogram:
        return stand
    device = appointment.device
    distance_mm = device.object_to_image_mm + rng.normal(0, 8)
    return replace(stand, source_to_image_mm=device.source_to_image_mm, object_to_image_mm=distance_mm)


def _window(pixel_mm: float, cephalogram: bool) -> Window:
    """24 × 30 cm with a margin; a cephalogram shows the whole head."""
    rows_mm, columns_mm = (250.0, 210.0) if cephalogram else (260.0, 220.0)
    return Window(rows=round(rows_mm / pixel_mm), columns=round(columns_mm / pixel_mm), pixel_mm=pixel_mm)


def _developed(shot: Shot, rng: np.random.Generator) -> Disturbed:
    """The scene with what lies in the beam, exposed and processed, with what lies on the film."""
    scene, pixel_mm = shot.scene, shot.scene.window.pixel_mm
    technique = draw_technique(rng)
    laid_on = lay_on_maps(scene, shot.disturbances, rng)
    total = attenuation(laid_on.maps, technique, shot.appointment.patient.osteoporosis, pixel_mm, rng)
    film = processed(exposed(total, technique, pixel_mm, rng), technique, pixel_mm)
    return lay_on_film(film, laid_on.covered, scene, shot.disturbances, rng)


def _stored(shot: Shot, disturbed: Disturbed) -> Film:
    turns = round(4 * shot.disturbances.get(Disturbance.TURNED, 0.0))
    storage = Storage(mirrored=Disturbance.MIRRORED in shot.disturbances, quarter_turns=turns)
    pixels = np.rot90(disturbed.film[:, ::-1] if storage.mirrored else disturbed.film, turns)
    monochrome1 = Disturbance.MONOCHROME1 in shot.disturbances
    return Film(
        pixels=np.ascontiguousarray(quantised(1 - pixels if monochrome1 else pixels)),
        truth=label(shot, disturbed, storage),
        appointment=shot.appointment,
        stand=shot.stand,
        storage=storage,
        monochrome1=monochrome1,
    )
