"""Other exposures and other vendors' processing of the same crop. Moves no point; the simulator has its own physics."""

import math

import cv2
import numpy as np

from aasnode.inference.crop import Floats


def vary(picture: Floats, rng: np.random.Generator) -> Floats:
    """One random combination: window, gamma, local contrast, sharpness, blur, noise, a slope, seldom inverted."""
    low, high = np.percentile(picture, (rng.uniform(0, 4), rng.uniform(96, 100)))
    y = np.clip((picture - low) / max(float(high - low), 1e-6), -1, 2)  # what is flat but for a speck stays finite
    for step, probability in _STEPS:
        if rng.random() < probability:
            y = step(y, rng)
    return np.asarray(y, np.float32)


def _gamma(y: Floats, rng: np.random.Generator) -> Floats:
    return np.asarray(np.clip(y, 0, 1.2) ** math.exp(rng.normal(0, 0.35)), np.float32)


def _local_contrast(y: Floats, rng: np.random.Generator) -> Floats:
    wide = cv2.GaussianBlur(y, (0, 0), rng.uniform(0.03, 0.15) * y.shape[0])
    return np.asarray(y - rng.uniform(-0.3, 0.7) * (wide - wide.mean()), np.float32)


def _sharpen(y: Floats, rng: np.random.Generator) -> Floats:
    return np.asarray(y + rng.uniform(0, 1.2) * (y - cv2.GaussianBlur(y, (0, 0), rng.uniform(0.8, 4))), np.float32)


def _blur(y: Floats, rng: np.random.Generator) -> Floats:
    return np.asarray(cv2.GaussianBlur(y, (0, 0), rng.uniform(0.3, 1.4)), np.float32)


def _curve(y: Floats, rng: np.random.Generator) -> Floats:
    return np.asarray(1 / (1 + np.exp(-rng.uniform(2, 7) * (y - rng.uniform(0.3, 0.7)))), np.float32)


def _slope(y: Floats, rng: np.random.Generator) -> Floats:
    across = np.linspace(-0.5, 0.5, y.shape[0], dtype=np.float32)
    a, b = rng.uniform(-0.3, 0.3, 2).astype(np.float32)
    return np.asarray(y + a * across[None, :] + b * across[:, None], np.float32)


def _noise(y: Floats, rng: np.random.Generator) -> Floats:
    grain = rng.standard_normal(y.shape, dtype=np.float32)
    return np.asarray(y + rng.uniform(0, 0.06) * cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.3, 1.5)), np.float32)


def _invert(y: Floats, rng: np.random.Generator) -> Floats:
    return np.asarray(rng.uniform(0.8, 1.2) * (y.max() - y), np.float32)


_STEPS = (
    (_local_contrast, 0.5),
    (_sharpen, 0.4),
    (_blur, 0.4),
    (_curve, 0.4),
    (_gamma, 0.7),
    (_slope, 0.3),
    (_noise, 0.5),
    (_invert, 0.03),
)
