"""What one film costs, in single passes of an HRNet-W18-small at 256 x 256, measured in the same run.

    python benchmarks/inference_cost.py MODEL_DIR [FILM ...]

Films are PNG, JPEG or TIFF; without any, two are made up of noise. Each is asked with its spacing unknown and with
0.1 mm a pixel, by the model as it is and by one that nothing convinces and that never gives up: it tries every
hypothesis and takes every look, and is the dearest that a film can be. One thread, processor time.
"""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import torch

from aasnode.config import PixelsSection
from aasnode.dicom.picture import read_picture
from aasnode.geometry import PixelSpacing, SpacingRule
from aasnode.inference.card import read_card
from aasnode.inference.crop import Floats
from aasnode.inference.detector import FilmDetector
from aasnode.inference.hrnet import PoseHRNet, Variant, to_inference
from aasnode.inference.stage import load_stages

BOUNDS = {"known": 16, "unknown": 40}
REPEATS = 7


def seconds(action: Callable[[], object]) -> float:
    """Least processor time of some repeats: what it costs when nothing else disturbs it."""
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        action()
        times.append(time.process_time() - start)
    return min(times)


def single_pass_seconds() -> float:
    network = to_inference(PoseHRNet(Variant.W18_SMALL, maps=4), torch.device("cpu"))
    crop = torch.zeros(1, 1, 256, 256).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        return seconds(lambda: network(crop))


def films(paths: list[str]) -> dict[str, Floats]:
    if paths:
        return {path: read_picture(Path(path), PixelsSection()) for path in paths}
    rng = np.random.default_rng(0)
    return {
        f"noise {rows} x {columns}": rng.random((rows, columns), np.float32)
        for rows, columns in ((2500, 2048), (600, 500))
    }


def detectors(model_dir: Path) -> dict[str, FilmDetector]:
    """The model as it is, and one that tries and takes everything."""
    card = read_card(model_dir)
    doubting = replace(
        card,
        search=replace(card.search, weak_confidence=2.0),
        decision=replace(card.decision, film_confidence=0.0),
    )
    stages = load_stages(card, model_dir, torch.device("cpu"))
    return {"as it is": FilmDetector(card, stages), "dearest": FilmDetector(doubting, stages)}


def main(model_dir: str, *paths: str) -> int:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    spacings = {"known": PixelSpacing(row_mm=0.1, column_mm=0.1, rule=SpacingRule.GIVEN), "unknown": None}
    one = single_pass_seconds()
    print(f"one pass: {1000 * one:.1f} ms")
    passes: dict[str, list[float]] = {name: [] for name in spacings}
    for (name, pixels), (how, detector) in product(films(list(paths)).items(), detectors(Path(model_dir)).items()):
        for known, spacing in spacings.items():
            cost = seconds(partial(detector.detect, pixels, spacing))
            passes[known].append(cost / one)
            print(f"{name}, {how}: spacing {known}: {1000 * cost:.0f} ms, {cost / one:.1f} passes")
    for known, values in passes.items():
        worst = max(values)
        print(f"spacing {known}: median {statistics.median(values):.1f}, most {worst:.1f}, bound {BOUNDS[known]}")
    return int(any(max(values) > BOUNDS[known] for known, values in passes.items()))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
