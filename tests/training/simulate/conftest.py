"""A small bank that all tests of the simulator share, and patients made of it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aasnode.anatomy import View
from aasnode.training.simulate.articulation import Anatomy, anatomy_of
from aasnode.training.simulate.bank import Bank
from aasnode.training.simulate.patient import Variant, draw_patient
from aasnode.training.simulate.priors import Priors

MakeAnatomy = Callable[..., Anatomy]


@pytest.fixture(scope="session")
def bone_cache(training_cache: Path) -> Path:
    return training_cache / "bones"


@pytest.fixture(scope="session")
def bank(bone_cache: Path) -> Bank:
    return Bank(bone_cache, largest=1)


@pytest.fixture(scope="session")
def make_anatomy(bank: Bank) -> MakeAnatomy:
    def make(
        seed: int,
        priors: Priors = Priors.NATURAL,
        view: View = View.NEUTRAL,
        *,
        shells: bool = True,
        variant: Variant = Variant.NONE,
    ) -> Anatomy:
        patient = draw_patient(seed, np.random.default_rng(seed), priors, first_view=view, variants=False)
        bones = bank.bones(replace(patient, variant=variant))
        if not shells:
            bones = {name: replace(bone, shells=()) for name, bone in bones.items()}
        return anatomy_of(replace(patient, variant=variant), bones)

    return make
