"""Who comes when: patients, visits about a year apart, and which films are made at each.

The bones of a patient never change; ADI, settling and slips go on from visit to visit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from aasnode.anatomy import View
from aasnode.training.simulate.disturbances import Disturbance, draw_hardware
from aasnode.training.simulate.patient import Patient, draw_patient
from aasnode.training.simulate.posture import draw_stand
from aasnode.training.simulate.priors import Priors, draw_view

VIEWS_OF_A_VISIT = (View.NEUTRAL, View.FLEXION, View.EXTENSION)
_DAYS_OF_A_YEAR = 365.25
_STATES_MAGNIFICATION = 0.2  # share of devices; most give the detector's spacing alone
_FIRST_VISITS_FROM = datetime(2018, 1, 8, 8, 0, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Device:
    """Where a patient goes for films: the same room, and the same shoulders between neck and detector."""

    source_to_image_mm: float
    object_to_image_mm: float
    states_magnification: bool  # whether it writes the magnification into its tags


def draw_device(rng: np.random.Generator) -> Device:
    """A device in its share of a patient's size and habit."""
    stand = draw_stand(rng)
    return Device(
        source_to_image_mm=stand.source_to_image_mm,
        object_to_image_mm=stand.object_to_image_mm,
        states_magnification=bool(rng.random() < _STATES_MAGNIFICATION),
    )


@dataclass(frozen=True, kw_only=True)
class Appointment:
    """One film of one visit; ``seed`` is all that its chance needs."""

    patient: Patient
    visit: int  # 0 is the first
    years: float  # after the first visit
    begun: datetime  # the visit, and so its study
    acquired: datetime
    view: View
    film: int  # number of the film within the visit
    device: Device
    hardware: Mapping[Disturbance, float]  # what a surgeon has put in by then
    seed: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """What is simulated: ``patients`` with ``visits`` each, three views a visit, or one film each (``single``)."""

    seed: int
    patients: int
    visits: int
    single: bool
    priors: Priors
    variants: bool

    @property
    def films(self) -> int:
        """How many films there are."""
        return self.patients if self.single else self.patients * self.visits * len(VIEWS_OF_A_VISIT)

    def appointments_of(self, number: int) -> Iterator[Appointment]:
        """The films of one patient, in order of acquisition; the same whoever asks, in whatever order."""
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, number]))
        view = draw_view(rng) if self.single else View.NEUTRAL
        patient = draw_patient(number, rng, self.priors, first_view=view, variants=self.variants)
        start = _FIRST_VISITS_FROM + timedelta(days=int(rng.integers(0, 1500)), minutes=int(rng.integers(0, 540)))
        device = draw_device(rng)
        views = (view,) if self.single else VIEWS_OF_A_VISIT
        hardware, operated_at = draw_hardware(rng), int(rng.integers(0, self.visits))
        days = 0.0
        for visit in range(1 if self.single else self.visits):
            begun = start + timedelta(days=round(days))
            for film, of_visit in enumerate(views):
                yield Appointment(
                    patient=patient,
                    visit=visit,
                    years=days / _DAYS_OF_A_YEAR,
                    begun=begun,
                    acquired=begun + timedelta(minutes=2 * film),
                    view=of_visit,
                    film=film,
                    device=device,
                    hardware=hardware if visit >= operated_at or self.single else {},
                    seed=(self.seed, number, visit, film),
                )
            days += _DAYS_OF_A_YEAR + rng.normal(0, 25)
