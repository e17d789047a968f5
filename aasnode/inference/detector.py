"""One film in, landmarks out: loads a model's card and weights and runs its stages.

Knows no DICOM and no thresholds in millimetres: what a value means is decided in ``measurement``.
"""

from pathlib import Path

from aasnode.inference.detection import Detector


def load_detector(model_dir: Path, device: str = "auto") -> Detector:
    """Load ``model_dir/card.toml`` and the weights it names; warm when it returns.

    ``device``: ``"auto"`` (a GPU where there is one, else the CPU), ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
    Raises ModelError when the card, a weights file or its SHA-256 does not hold, or the device is not there.
    """
    raise NotImplementedError(model_dir, device)
