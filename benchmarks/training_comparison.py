"""What each group of disturbances and each size of network is worth: one stage trained anew without it, for a while.

    python benchmarks/training_comparison.py FOLDER [--annotated DIR] [--images N] [--only NAME …] [--work DIR]
        [--device cpu|cuda] [--workers N]

Trains the refining stage on N samples in each variant, everything else equal, and measures it alone, on crops about
the truth: on samples of bones and surroundings never trained on, on FOLDER, films as ``aasnode simulate`` writes them,
and on DIR, annotated films. Needs ``aasnode[train]``. Prints rows of a table in Markdown as they come; what is trained
is kept in the work folder, so that several processes may share the variants. Errors in mm at a C1 of nominal size
(34 mm).
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import torch

from aasnode.inference.card import Role
from aasnode.inference.hrnet import PoseHRNet, Variant
from aasnode.inference.weights import load_weights
from aasnode.training.dataset import held_out_samples, read_annotated_films
from aasnode.training.sampler.attenuation import AttenuationPriors
from aasnode.training.sampler.compose import HELD_OUT, TRAINING
from aasnode.training.sampler.crops import CONDITIONS, REFINE, CloseUp, stage_card
from aasnode.training.sampler.exposure import ExposurePriors
from aasnode.training.sampler.library import Library
from aasnode.training.sampler.missing import MissingPriors
from aasnode.training.sampler.stream import ComposedStream, StreamPriors
from aasnode.training.samples import Sample
from aasnode.training.shipped import DECISIVE_WEIGHT, PRIORS
from aasnode.training.train import WEIGHTS, Recipe, Validation, train, validate

ONE_FILM = ExposurePriors(
    scatter=(0.3, 0.3), motion_mm=0.1, photons=(20_000.0, 20_000.0), detector_share=0.0, window_low=(1.0, 1.0),
    window_high=(99.5, 99.5), compression_share=0.0, sharpening_share=0.0, sigmoid_share=0.0, gamma_share=0.0,
    clipped_share=0.0, grain_share=0.0, slope_share=0.0, coarse_share=0.0, copied_share=0.0,
)  # fmt: skip
"""One detector and one processing for all."""
ONE_DENSITY = AttenuationPriors(
    energy_kev=(50.0, 50.0), cancellous_share=(0.44, 0.0), median_log=0.0, c1_lateral=(1.0, 1.0), c2_lateral=(1.0, 1.0),
    lateral_blur_mm=(0.0, 0.0), spine_log=0.0, skull_light_share=0.0, skull_log=0.0, textured_share=0.0,
    cloud_share=0.0, cells_strong_share=0.0,
)  # fmt: skip
"""Every part at its modelled weight: the lateral masses lie opaque over the dens."""
SHIPPED = PRIORS[Role.REFINE]
NORMAL_JOINTS = replace(SHIPPED.joint, adi_even_share=0.0, adi_threshold_share=0.0)
WHOLE_BONES = replace(
    SHIPPED.joint, missing=MissingPriors(arch_open=0.0, arch_gone=0.0, dens_destroyed=0.0, dens_apart=0.0)
)


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What a variant differs in; the network is the smallest, so that many variants can be paid for."""

    crops: CloseUp = REFINE
    priors: StreamPriors = SHIPPED
    network: Variant = Variant.W18_SMALL


def _without(**shares: Any) -> CloseUp:
    return replace(REFINE, **shares)


VARIANTS: Mapping[str, Trained] = {
    "everything, W18-small": Trained(),
    "without processing": Trained(priors=replace(SHIPPED, exposure=ONE_FILM)),
    "without densities": Trained(priors=replace(SHIPPED, attenuation=ONE_DENSITY)),
    "without warps": Trained(crops=_without(common=(), own=())),
    "without occlusions": Trained(crops=_without(occluded=0.0)),
    "without wrong places": Trained(crops=_without(misplaced=0.0, elsewhere=0.0)),
    "without hardware, all parts there": Trained(
        crops=_without(operated=0.0), priors=replace(SHIPPED, joint=WHOLE_BONES)
    ),
    "normal joints only": Trained(priors=replace(SHIPPED, joint=NORMAL_JOINTS)),
    "W18-small, version 2": Trained(network=Variant.W18_SMALL_V2),
    "W18": Trained(network=Variant.W18),
    "W32": Trained(network=Variant.W32),
}


def trained(
    variant: Trained, folder: Path, recipe: Recipe, library: Library, device: str
) -> tuple[PoseHRNet, ComposedStream]:
    """Train it, or go on with it."""
    stream = ComposedStream(library, variant.crops, TRAINING, variant.priors)
    train(stream, [], recipe, folder, device=device, progress=False)
    network = PoseHRNet(variant.network, len(stream.channels) + len(stream.masks))
    load_weights(network, folder / WEIGHTS)
    return network.eval().to(device), stream


def figures(name: str, results: Sequence[Validation | None]) -> str:
    """A row: of each set the error of the landmarks and, on the first, the height where there is nothing to see."""
    first, *_ = results
    assert first is not None
    errors = ["" if one is None else f"{one.error_px * REFINE.mm_per_px:.2f}" for one in results]
    return f"| {name} | " + " | ".join([*errors, f"{first.hidden_height:.2f}"]) + " |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--annotated", type=Path)
    parser.add_argument("--images", type=int, default=6_000)
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS), metavar="NAME")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--work", type=Path, default=Path("runs/comparison"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    library = Library()
    library.build(progress=sys.stderr.isatty())
    card = stage_card(REFINE, variant="", weights="", sha256="")
    sets: list[list[Sample] | None] = [
        ComposedStream(library, REFINE, HELD_OUT).held_out(320, 1),
        held_out_samples(read_annotated_films(arguments.folder), card),
        held_out_samples(read_annotated_films(arguments.annotated), card) if arguments.annotated else None,
    ]
    print(f"refine after {arguments.images} samples; mean errors of the four points in mm\n")
    print("| trained | samples never seen | simulated films | annotated films | height where nothing is |")
    print("|---|---|---|---|---|")
    for name in arguments.only:
        folder = arguments.work / name.replace(" ", "-").replace(",", "")
        recipe = Recipe(
            variant=VARIANTS[name].network,
            images=arguments.images,
            decisive=CONDITIONS,
            decisive_weight=DECISIVE_WEIGHT[Role.REFINE],
            workers=arguments.workers,
            validate_images=arguments.images,
        )
        network, stream = trained(VARIANTS[name], folder, recipe, library, arguments.device)
        place = torch.device(arguments.device)
        results = [None if one is None else validate(network, one, stream, recipe, place) for one in sets]
        print(figures(name, results), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
