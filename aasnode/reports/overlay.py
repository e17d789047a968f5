"""The picture of one film with its points, lines and values beside it."""

import numpy as np
import numpy.typing as npt

from aasnode.reports.findings import FilmFindings, StudyFindings


def draw_overlay(study: StudyFindings, film: FilmFindings) -> npt.NDArray[np.uint8]:
    """(rows, columns, 3) RGB; ``film.pixels`` must be given. The study lends settings and, where known, its change."""
    raise NotImplementedError
