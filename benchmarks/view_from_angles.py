"""How well neutral, flexion and extension can be told apart by the inclination of bones, if each were known exactly.

    python benchmarks/view_from_angles.py FOLDER [FOLDER ...]

FOLDER: films as ``aasnode simulate`` writes them. Of the films that lie upright, every other one fits one normal
distribution per view, the rest is told wherever a view is surer than a node asks for. Prints rows of a table in
Markdown: what no network can surpass that finds these bones, and so which further points would be worth learning.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aasnode.anatomy import View

Floats = npt.NDArray[np.float64]
ENDS: Mapping[str, tuple[str, str]] = {
    "C1": ("c1_posterior_arch_anterior", "c1_anterior_arch_posterior"),
    "C2": ("c2_inferior_posterior", "c2_inferior_anterior"),
    "C5": ("c5_inferior_posterior", "c5_inferior_anterior"),
    "C7": ("c7_inferior_posterior", "c7_inferior_anterior"),
    "skull base": ("basion", "posterior_nasal_spine"),
}
"""Dorsal and ventral end of what is inclined."""
SETS = (
    ("C1",),
    ("C1", "C2"),
    ("C1", "C2", "C5"),
    ("C1", "C2", "C7"),
    ("C1", "skull base"),
    ("C1", "C2", "C7", "skull base"),
)
VIEWS = (View.NEUTRAL, View.FLEXION, View.EXTENSION)
CONFIDENCE = 0.9  # as [measurement] of a node asks for


def upright_films(folders: Sequence[str]) -> list[dict[str, Any]]:
    films = [film for folder in folders for film in json.loads((Path(folder) / "truth.json").read_text())]
    return [film for film in films if "turned" not in film["disturbances"]]


def inclination(film: Mapping[str, Any], bone: str) -> float:
    """Degrees above the horizontal towards the face."""
    dorsal, ventral = (film["landmarks"][mark]["point"] for mark in ENDS[bone])
    towards = ventral["x"] - dorsal["x"]
    return float(np.degrees(np.arctan2(dorsal["y"] - ventral["y"], -towards if film["facing"] == "left" else towards)))


def log_likelihood(angles: Floats, of_view: Floats) -> Floats:
    """(n,) of a normal distribution that is fitted to ``of_view``; both (n, d) degrees."""
    spread = np.atleast_2d(np.cov(of_view.T))
    off = angles - of_view.mean(0)
    return np.asarray(-0.5 * (np.einsum("ni,ij,nj->n", off, np.linalg.inv(spread), off) + np.linalg.slogdet(spread)[1]))


def told(angles: Floats, views: npt.NDArray[np.str_]) -> tuple[float, float, float]:
    """Share right if every film is told, share told at CONFIDENCE, share right of those."""
    fitted, asked = np.arange(len(views)) % 2 == 0, np.arange(len(views)) % 2 == 1
    logs = [
        log_likelihood(angles[asked], angles[fitted & (views == view)]) + np.log(np.mean(views[fitted] == view))
        for view in VIEWS
    ]
    chances = np.exp(np.stack(logs, 1))
    chances /= chances.sum(1, keepdims=True)
    right = np.array(VIEWS)[chances.argmax(1)] == views[asked]
    sure = chances.max(1) >= CONFIDENCE
    return float(right.mean()), float(sure.mean()), float(right[sure].mean())


def main(folders: Sequence[str]) -> int:
    films = upright_films(folders)
    views = np.array([film["view"] for film in films])
    print(f"| {len(films)} films, exact inclination of | right, all told | told at {CONFIDENCE} | right of those |")
    print("|---|---|---|---|")
    for bones in SETS:
        angles = np.array([[inclination(film, bone) for bone in bones] for film in films])
        print(f"| {', '.join(bones)} | " + " | ".join(f"{share:.0%}" for share in told(angles, views)) + " |")
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
