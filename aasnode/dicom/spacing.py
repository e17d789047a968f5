"""The millimetres of a pixel, by the same precedence as viewers, so that our values equal theirs (docs/measurements.md)."""

from pydicom import Dataset

from aasnode.geometry import Spacings, Unscaled


def read_spacings(dataset: Dataset) -> Spacings | Unscaled:
    """The spacing that a viewer measures with, and both planes where the header knows both.

    Zero, negative, not finite and absurd values count as absent; without a usable one the answer says why.
    """
    raise NotImplementedError
