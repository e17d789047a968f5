"""The pixels of a film as numbers: float32 (rows, columns), bright = dense. Knows no spacing and no anatomy."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

from aasnode.config import PixelsSection

Pixels = npt.NDArray[np.float32]
"""(rows, columns), bright = dense; finite everywhere."""


def read_pixels(dataset: Dataset, limits: PixelsSection) -> Pixels:
    """Decode the first frame of ``dataset`` and bring it to bright = dense.

    Raises UnreadableError for broken pixels, UnsupportedError for a kind or size that is not handled.
    """
    raise NotImplementedError


def read_picture(path: Path, limits: PixelsSection) -> Pixels:
    """Read a PNG, JPEG or TIFF as it is stored (EXIF orientation ignored), grey, bright = dense.

    Raises UnreadableError, UnsupportedError.
    """
    raise NotImplementedError
