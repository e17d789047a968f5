"""Samples for the training: a composition, seen through one stage's crop, warped, exposed and marked."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from aasnode.inference.crop import normalise
from aasnode.inference.hrnet import STRIDE
from aasnode.training.sampler.attenuation import PRIORS as ATTENUATION
from aasnode.training.sampler.attenuation import AttenuationPriors, CropMaps, line_integral
from aasnode.training.sampler.compose import PRIORS as JOINT_PRIORS
from aasnode.training.sampler.compose import TRAINING, Composition, JointPriors, Split, draw_composition
from aasnode.training.sampler.crops import (
    COVER,
    DENS_DEFECT,
    HARDWARE,
    MASKS,
    NOMINAL_DIAMETER_MM,
    SECTIONS,
    CloseUp,
    Placed,
    WholeFilm,
    place_close_up,
    place_whole_film,
    share_of_patient,
)
from aasnode.training.sampler.elsewhere import draw_elsewhere
from aasnode.training.sampler.exposure import PRIORS as EXPOSURE
from aasnode.training.sampler.exposure import ExposurePriors, copy, develop, expose
from aasnode.training.sampler.hardware import Hardware, draw_hardware
from aasnode.training.sampler.joint import AxisPoints, Points, Sections, axis_points
from aasnode.training.sampler.library import Library
from aasnode.training.sampler.missing import Missing, absent_points, defective
from aasnode.training.sampler.occlusions import Cover, Occlusions, draw_occlusions, no_occlusions
from aasnode.training.sampler.projected import PIXEL_MM as BONE_PIXEL_MM
from aasnode.training.sampler.projected import UNITS_PER_MM
from aasnode.training.sampler.sketch import FRAC_BITS, fixed_point
from aasnode.training.sampler.surroundings import Reach
from aasnode.training.sampler.warp import Affine, Floats, Look, draw_shift, turned
from aasnode.training.samples import Sample
from aasnode.training.sources import digest

_LEAST_ADI_MM = 0.15  # a warp that closes the joint further makes no sense
_UNSURE_PX = 8.0  # beyond the edge: the target's Gaussian would reach in, so such a point teaches nothing
_LEAST_SHARE = 0.4  # of an empty film that must show some of the patient


def version() -> str:
    """Changes when a source that composes the samples changes; what shapes their parts is the library's to tell."""
    here = Path(__file__).parent
    package = here.parents[1]
    around = [package / "training" / "simulate" / "film.py", package / "inference" / "crop.py"]
    return digest([*sorted(here.glob("*.py")), *around])


_VERSION = version()  # of the sources that were imported, whatever becomes of the files while a training runs


@dataclass(frozen=True, kw_only=True)
class StreamPriors:
    """How widely everything varies; what a single stage varies stands with its crops."""

    joint: JointPriors = JOINT_PRIORS
    attenuation: AttenuationPriors = ATTENUATION
    exposure: ExposurePriors = EXPOSURE


PRIORS = StreamPriors()


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A composition through a warped crop: where everything is, in pixels; None where the joint is not shown."""

    placed: Placed
    c1: Look
    c2: Look
    around: Look
    sections: Sections | None
    axis: AxisPoints | None
    c2_inferior_centre: Points | None
    dens: Points | None = None  # (2, 2): middle of its base, its end


class ComposedStream:
    """Endless samples of one stage, from one share of the library."""

    def __init__(
        self,
        library: Library,
        crops: WholeFilm | CloseUp,
        split: Split = TRAINING,
        priors: StreamPriors = PRIORS,
    ) -> None:
        self._library, self._crops, self._split, self._priors = library, crops, split, priors

    @property
    def channels(self) -> tuple[str, ...]:
        """The landmarks, then what helps to find them."""
        return self._crops.channels

    @property
    def masks(self) -> tuple[str, ...]:
        """Sections of the bones, a surgeon's hardware, defects of the bones, and what covers the patient."""
        return MASKS

    @property
    def size(self) -> int:
        """Side of a crop in pixels."""
        return self._crops.input_px

    @property
    def identity(self) -> str:
        """Library, crops, everything that varies, and the sources that vary it."""
        described = f"{self._library.folder.name} {self._library.size} {self._crops} {self._split} {self._priors}"
        return hashlib.sha256(f"{described} {_VERSION}".encode()).hexdigest()

    def sample(self, seed: int, number: int) -> Sample:
        """One of an endless sequence."""
        rng = np.random.default_rng([seed, number])
        while True:
            sample = self._draw(rng)
            if sample is not None:
                return sample

    def held_out(self, count: int, seed: int) -> list[Sample]:
        """The first so many samples, for validation."""
        return [self.sample(seed, number) for number in range(count)]

    def _draw(self, rng: np.random.Generator) -> Sample | None:
        """One sample; None where a warp has made nonsense of it."""
        if rng.random() < self._crops.elsewhere:
            return make_empty_sample(self._crops, rng, self._priors)
        reach = Reach.FIELD if isinstance(self._crops, WholeFilm) else Reach.NEIGHBOURHOOD
        composition = draw_composition(self._library, reach, self._split, rng, self._priors.joint)
        seen = look_at(composition, self._crops, rng)
        return None if seen is None else make_sample(composition, seen, self._crops, rng, self._priors)


def look_at(composition: Composition, crops: WholeFilm | CloseUp, rng: np.random.Generator) -> Seen | None:
    """Place and warp a crop; None where it shows nothing of use."""
    n = crops.input_px
    if isinstance(crops, WholeFilm):
        placed = place_whole_film(crops, composition, rng)
        if not placed.shows_joint and share_of_patient(placed, n) < _LEAST_SHARE:
            return None
        common = Look(to_crop=placed.to_crop, shift=draw_shift(crops.common, n, placed.mm_per_px, rng))
        return _seen(composition, placed, common, common, common)
    placed = place_close_up(crops, composition, rng)
    shift = draw_shift(crops.common, n, placed.mm_per_px, rng)
    c1, c2 = (
        Look(to_crop=placed.to_crop, shift=shift + draw_shift(crops.own, n, placed.mm_per_px, rng)) for _ in range(2)
    )
    return _seen(composition, placed, c1, c2, Look(to_crop=placed.to_crop, shift=shift))


def _seen(composition: Composition, placed: Placed, c1: Look, c2: Look, around: Look) -> Seen | None:
    """The sections as they are seen, and the points on them; None where the warp has spoilt the joint."""
    if not placed.shows_joint:
        return Seen(placed=placed, c1=c1, c2=c2, around=around, sections=None, axis=None, c2_inferior_centre=None)
    flat = composition.sections
    sections = Sections(
        anterior_arch=c1.find(flat.anterior_arch), posterior_arch=c1.find(flat.posterior_arch), core=c2.find(flat.core)
    )
    axis = axis_points(sections)
    if axis is None or axis.adi * placed.mm_per_px < _LEAST_ADI_MM:
        return None
    foot, base, end = c2.find(np.vstack([composition.c2_inferior_centre, composition.dens]))
    return Seen(
        placed=placed,
        c1=c1,
        c2=c2,
        around=around,
        sections=sections,
        axis=axis,
        c2_inferior_centre=foot,
        dens=np.stack([base, end]),
    )


def make_sample(
    composition: Composition,
    seen: Seen,
    crops: WholeFilm | CloseUp,
    rng: np.random.Generator,
    priors: StreamPriors = PRIORS,
) -> Sample | None:
    """Weigh, expose, cover and mark what is seen."""
    n, mm_per_px = crops.input_px, seen.placed.mm_per_px
    maps = crop_maps(composition, seen, _skull_moved(crops, seen, rng))
    hardware = _hardware(seen, n, rng) if rng.random() < crops.operated else None
    hidden = _occlusions(crops, mm_per_px, rng, _landmarks_within(seen, n))
    total = line_integral(maps, mm_per_px, rng, priors.attenuation) + hidden.added
    if hardware is not None:
        total = total + hardware.added
    edges = _edges(crops, rng, seen.axis.landmarks if seen.axis is not None else None)
    picture = edges.over(_picture(total, hidden, mm_per_px, rng, priors.exposure))
    if not np.isfinite(picture).all():
        return None
    metal = np.zeros((n, n), bool) if hardware is None else hardware.covered & ~(hidden.covered | edges.covered)
    covered = hidden.covered | edges.covered | metal
    points, visible = _marks(seen, crops.channels, covered)
    if not isinstance(crops, WholeFilm):  # the first look is to find such a neck, the closer ones say what it lacks
        visible &= [name not in absent_points(composition.missing) for name in crops.channels]
    about_px = crops.about_arch_mm / mm_per_px if isinstance(crops, CloseUp) else 0.0
    masks = draw_masks(seen, metal, covered, composition.missing, about_px)
    return Sample(image=normalise(picture), points=points, visible=visible, masks=masks)


def make_empty_sample(crops: WholeFilm | CloseUp, rng: np.random.Generator, priors: StreamPriors = PRIORS) -> Sample:
    """Another part of the body, with nothing to find."""
    n, mm_per_px = crops.input_px, NOMINAL_DIAMETER_MM / crops.diameter_px
    hidden, edges = _occlusions(crops, mm_per_px, rng), _edges(crops, rng)
    picture = edges.over(_picture(draw_elsewhere(n, rng) + hidden.added, hidden, mm_per_px, rng, priors.exposure))
    nowhere = np.full((len(crops.channels), 2), np.nan, np.float32)
    masks = _empty_masks(n)
    masks[COVER] = (hidden.covered | edges.covered).astype(np.float32)
    return Sample(image=normalise(picture), points=nowhere, visible=np.zeros(len(nowhere), bool), masks=_shrunk(masks))


def _occlusions(
    crops: WholeFilm | CloseUp, mm_per_px: float, rng: np.random.Generator, points: Points | None = None
) -> Occlusions:
    n = crops.input_px
    return draw_occlusions(n, mm_per_px, rng, points) if rng.random() < crops.occluded else no_occlusions(n)


def _landmarks_within(seen: Seen, n: int) -> Points | None:
    """(m, 2) those that the crop shows."""
    if seen.axis is None:
        return None
    points = seen.axis.landmarks
    return points[((points >= 0) & (points < n)).all(1)]


def _picture(
    total: Floats, hidden: Occlusions, mm_per_px: float, rng: np.random.Generator, priors: ExposurePriors
) -> Floats:
    """The line integral, exposed, developed and copied, with what covers it."""
    developed = develop(expose(total, mm_per_px, rng, priors), mm_per_px, rng, priors)
    return copy(hidden.over(developed), rng, priors)


def _hardware(seen: Seen, n: int, rng: np.random.Generator) -> Hardware | None:
    if seen.axis is None or seen.c2_inferior_centre is None:
        return None
    return draw_hardware(seen.axis, seen.c2_inferior_centre, seen.placed.mm_per_px, n, rng)


def crop_maps(composition: Composition, seen: Seen, skull_moved: Affine) -> CropMaps:
    """Every part's thickness as the crop shows it."""
    around = composition.surroundings
    to_plane = turned(around.pixel_mm, 0.0)
    rest = seen.around.sample(around.maps[[0, 1, 5]], to_plane, UNITS_PER_MM, endless=True)
    skull = seen.around.sample(around.maps[2:5], skull_moved.after(to_plane), UNITS_PER_MM, endless=True)
    blur_px = 0.5 * seen.placed.mm_per_px / BONE_PIXEL_MM / 1.6  # against aliasing where pixels are coarse
    c1, c2 = (
        look.sample(_smooth(bone.maps, blur_px), bone.to_plane, UNITS_PER_MM, endless=False)
        for look, bone in ((seen.c1, composition.c1), (seen.c2, composition.c2))
    )
    return CropMaps(c1=c1, c2=c2, spine=rest[:2], skull=skull, soft=rest[2])


def _smooth(maps: npt.NDArray[np.uint16], sigma_px: float) -> npt.NDArray[np.uint16]:
    if sigma_px < 0.6:
        return maps
    return np.stack([cv2.GaussianBlur(np.asarray(one), (0, 0), sigma_px) for one in maps])


def _skull_moved(crops: WholeFilm | CloseUp, seen: Seen, rng: np.random.Generator) -> Affine:
    """A small motion of the skull against the neck, about the crop's middle; none on whole films."""
    still = turned(1.0, 0.0)
    if isinstance(crops, WholeFilm):
        return still
    far = rng.random() < crops.skull_far_share
    shift = rng.normal(0, crops.skull_far_mm if far else crops.skull_shift_mm, 2)
    middle = seen.placed.to_crop.inverse(np.full(2, (crops.input_px - 1) / 2))
    return turned(1.0, math.radians(rng.normal(0, crops.skull_turn_degrees))).carrying(middle, middle + shift)


def _edges(crops: WholeFilm | CloseUp, rng: np.random.Generator, points: Points | None = None) -> Occlusions:
    """What borders a whole film, of whatever part of the body; ``points``, (m, 2), stay in its field."""
    if isinstance(crops, WholeFilm) and rng.random() < crops.collimated:
        return _collimation(crops.input_px, rng, np.full((1, 2), crops.input_px / 2) if points is None else points)
    return no_occlusions(crops.input_px)


def _collimation(n: int, rng: np.random.Generator, points: Points) -> Occlusions:
    """Bars of the letterbox or of the collimator that leave the points in the field."""
    low, high = np.clip(points.min(0) - 8, 0, n), np.clip(points.max(0) + 8, 0, n)
    widths = np.minimum(np.abs(rng.normal(0, 0.14, 4)) * n, [low[0], n - high[0], low[1], n - high[1]])
    if rng.random() < 0.6:  # one side pair at a time, as a letterbox
        widths[0 if rng.random() < 0.5 else 2] = 0
    left, right, top, bottom = widths.astype(int)
    where = np.ones((n, n), bool)
    where[top : n - bottom, left : n - right] = False
    level = rng.uniform(-0.05, 0.1) if rng.random() < 0.85 else rng.uniform(0.7, 1)
    return replace(no_occlusions(n), covers=(Cover(where=where, level=level),))


def _marks(seen: Seen, channels: Sequence[str], covered: npt.NDArray[np.bool_]) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """(K, 2) points and (K,) whether they are visible. Just beyond the edge they are unknown, further off hidden."""
    points = np.full((len(channels), 2), np.nan, np.float32)
    if seen.axis is None or seen.c2_inferior_centre is None:
        return points, np.zeros(len(channels), bool)
    centres = np.stack([seen.axis.anterior_centre, seen.axis.posterior_centre])
    every = np.concatenate([seen.axis.landmarks, centres, seen.c2_inferior_centre[None]])
    points[:] = every[: len(channels)]
    last = covered.shape[0] - 1
    beyond = np.maximum(-points, points - last).max(1)
    at = np.clip(np.round(points), 0, last).astype(int)
    visible = ~covered[at[:, 1], at[:, 0]] & (beyond <= _UNSURE_PX)
    points[(beyond > 0) & (beyond <= _UNSURE_PX)] = np.nan
    return points, visible


def draw_masks(
    seen: Seen,
    metal: npt.NDArray[np.bool_],
    covered: npt.NDArray[np.bool_],
    missing: Missing | None = None,
    about_arch_px: float = 0.0,
) -> Floats:
    """(M, n / 4, n / 4): share of each heatmap pixel within each of MASKS; nan where unknown.

    ``metal`` is a surgeon's, ``covered`` whatever hides the patient. The defect of an arch is painted ``about_arch_px``
    beyond the section that is open or gone.
    """
    n = metal.shape[0]
    masks = _empty_masks(n)
    masks[HARDWARE], masks[COVER] = metal.astype(np.float32), covered.astype(np.float32)
    if seen.sections is not None:
        sections = (seen.sections.anterior_arch, seen.sections.posterior_arch, seen.sections.core)
        for name, contour in zip(SECTIONS, sections, strict=True):
            cv2.fillPoly(masks[name], [fixed_point(contour)], 1.0, cv2.LINE_8, FRAC_BITS)
        if missing is not None and seen.dens is not None:
            section, defect = defective(missing)
            masks[defect] = masks[section].copy()
            if defect == DENS_DEFECT:
                masks[defect] *= _above(seen.dens, n)
            else:
                masks[defect] = _grown(masks[defect], about_arch_px)
            masks[section] = np.full((n, n), np.nan, np.float32)  # what is left has no outline of its own
    return _shrunk(masks)


def _empty_masks(n: int) -> dict[str, Floats]:
    return {name: np.zeros((n, n), np.float32) for name in MASKS}


def _shrunk(masks: Mapping[str, Floats]) -> Floats:
    """(M, n / 4, n / 4) of masks (n, n)."""
    quarter = 1 / STRIDE
    small = [cv2.resize(mask, None, fx=quarter, fy=quarter, interpolation=cv2.INTER_AREA) for mask in masks.values()]
    return np.stack(small).astype(np.float32)


def _grown(mask: Floats, by_px: float) -> Floats:
    """The mask and what lies within so many pixels of it."""
    side = 2 * round(by_px) + 1
    return np.asarray(cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))), np.float32)


def _above(dens: Points, n: int) -> npt.NDArray[np.bool_]:
    """(n, n): what lies beyond the base of the dens, towards its end."""
    y, x = np.mgrid[0:n, 0:n]
    (base_x, base_y), (up_x, up_y) = dens[0], dens[1] - dens[0]
    return np.asarray((x - base_x) * up_x + (y - base_y) * up_y > 0)
