"""What one film costs, in single passes of an HRNet-W18-small at 256 x 256, measured in the same run.

    python benchmarks/inference_cost.py MODEL_DIR [FILM ...]

Films are PNG, JPEG or TIFF; without any, two are made up: noise, which is the dearest case, as nothing convinces and
every hypothesis is tried. Each is asked with its spacing unknown and with 0.1 mm a pixel. One thread, processor time.
"""

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch

from aasnode.config import PixelsSection
from aasnode.dicom.picture import read_picture
from aasnode.geometry import PixelSpacing, SpacingRule
from aasnode.inference.crop import Floats
from aasnode.inference.detector import load_detector
from aasnode.inference.hrnet import PoseHRNet, Variant, to_inference

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


def main(model_dir: str, *paths: str) -> int:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    detector = load_detector(Path(model_dir), "cpu")
    spacings = {"known": PixelSpacing(row_mm=0.1, column_mm=0.1, rule=SpacingRule.GIVEN), "unknown": None}
    one = single_pass_seconds()
    print(f"one pass: {1000 * one:.1f} ms")
    passes: dict[str, list[float]] = {name: [] for name in spacings}
    for name, pixels in films(list(paths)).items():
        for known, spacing in spacings.items():
            cost = seconds(partial(detector.detect, pixels, spacing))
            passes[known].append(cost / one)
            print(f"{name}: spacing {known}: {1000 * cost:.0f} ms, {cost / one:.1f} passes")
    for known, values in passes.items():
        worst = max(values)
        print(f"spacing {known}: median {statistics.median(values):.1f}, most {worst:.1f}, bound {BOUNDS[known]}")
    return int(any(max(values) > BOUNDS[known] for known, values in passes.items()))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
