"""How the C1 axis inclines in neutral position, flexion and extension: from simulated necks, for a model's card."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from aasnode.anatomy import View
from aasnode.inference.card import Posture
from aasnode.training.simulate.articulation import anatomy_of, articulate, patient_in_room
from aasnode.training.simulate.bank import Bank
from aasnode.training.simulate.patient import draw_patient
from aasnode.training.simulate.posture import draw_posture, draw_stand
from aasnode.training.simulate.priors import VIEW_SHARES, Priors

NECKS = 200  # of each view


def simulated_postures(bank: Bank, seed: int, necks: int = NECKS) -> Mapping[str, Posture]:
    """Mean and deviation of the inclination in each view; no film is drawn for it."""
    postures = {}
    for number, (view, share) in enumerate(VIEW_SHARES.items()):
        rng = np.random.default_rng([seed, number])
        degrees = [_inclination_deg(view, bank, rng) for _ in range(necks)]
        postures[str(view)] = Posture(mean_deg=_mean(degrees), deviation_deg=_deviation(degrees), share=share)
    return postures


def _inclination_deg(view: View, bank: Bank, rng: np.random.Generator) -> float:
    """By how much the front of the C1 axis stands above its back."""
    while True:
        patient = draw_patient(0, rng, Priors.NATURAL, first_view=view, variants=False)
        bones = {name: replace(bone, shells=()) for name, bone in bank.bones(patient).items()}
        posture, stand = draw_posture(view, rng), draw_stand(rng)
        try:
            neck = articulate(anatomy_of(patient, bones), posture, 0.0)
        except ValueError:  # the C1 axis misses this dens
            continue
        to_room = patient_in_room(neck, stand)
        ends = (neck.atlas_point("anterior_arch_posterior"), neck.atlas_point("posterior_arch_anterior"))
        front, back = (to_room(end) for end in ends)
        return math.degrees(math.atan2(front[2] - back[2], front[1] - back[1]))


def _mean(degrees: list[float]) -> float:
    return round(float(np.mean(degrees)), 1)


def _deviation(degrees: list[float]) -> float:
    return round(float(np.std(degrees)), 1)
