"""One film in, landmarks out: loads a model's card and weights and runs its stages.

Knows no DICOM and no thresholds in millimetres: what a value means is decided in ``measurement``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aasnode.anatomy import LANDMARKS, Facing, Landmark, LandmarkEstimate, View
from aasnode.geometry import PixelSpacing, Point
from aasnode.inference import refine
from aasnode.inference.card import Card, MaskRule, Role, read_card
from aasnode.inference.crop import Film, Points
from aasnode.inference.decide import (
    Answer,
    common_sureness,
    decide,
    facing_of,
    neck_view_of,
    on_axis,
    seen,
    with_height_shared,
)
from aasnode.inference.detection import Detection, Detector, Outcome
from aasnode.inference.locate import Candidate, locate
from aasnode.inference.stage import Stage, choose_device, load_stages
from aasnode.measurement import Calibration

_WARM_UP_PX = 512


class FilmDetector:
    """The detector of a model's card; holds its networks, keeps nothing of a film."""

    def __init__(self, card: Card, stages: Sequence[Stage]) -> None:
        """``stages`` as the card lists them."""
        self._card = card
        self._stages = {stage.card.role: stage for stage in stages}

    @property
    def model(self) -> str:
        """Name and version of the model."""
        return self._card.model

    @property
    def calibration(self) -> Calibration:
        """How wide the 90 % intervals of its measurements are, from the model's card."""
        return self._card.calibration

    def detect(
        self, pixels: npt.NDArray[np.float32], spacing: PixelSpacing | None, aspect_ratio: float = 1.0
    ) -> Detection:
        """Find the landmarks. ``pixels`` is (rows, columns), bright = dense; ``spacing`` None if unknown.

        ``aspect_ratio``: distance between rows / between columns, used where there is no ``spacing``.
        """
        film = Film(pixels, spacing, aspect_ratio)
        return self.tell(self.answer(film), film)

    def answer(self, film: Film) -> Answer | None:
        """What the stages say, before anything is decided; None where the first stage points off the film."""
        place = self._best_place(film)
        if place is None:
            return None
        place = self._come_closer(film, place)
        if place.confidence < self._card.decision.film_confidence:
            return self._combine(place)  # another view: a closer look would change nothing
        return self._measure(film, place)

    def _best_place(self, film: Film) -> "_Place | None":
        """The first candidate if it convinces at a glance; else the best of it, of others, and of those turned."""
        search = self._card.search
        upright = self._locate(film, (0.0,), search.candidates)
        places = self._glance(film, upright[:1])
        if not any(place.confidence >= search.weak_confidence for place in places):
            turned = self._locate(film, search.weak_turns_deg, search.weak_candidates)
            places += self._glance(film, [*upright[1:], *turned])
        return max(places, key=lambda place: place.confidence, default=None)

    def _locate(self, film: Film, turns_deg: Sequence[float], most: int) -> list[Candidate]:
        locator, decision = self._stages[Role.LOCATE], self._card.decision
        return locate(locator, film, self._card.search, turns_deg, decision.diameter_mm, most)

    def _glance(self, film: Film, found: Sequence[Candidate]) -> "list[_Place]":
        """One crop of each, by the refining stage if there is one."""
        if not found:
            return []
        nearer = self._stages.get(Role.REFINE, self._stages[Role.LOCATE])
        views = refine.glance(nearer, film, [item.pose for item in found], self._card.search.caudal)
        return [_Place(located=item.confidence, views=[view]) for item, view in zip(found, views, strict=True)]

    def _come_closer(self, film: Film, place: "_Place") -> "_Place":
        """The further passes of the refining stage; then the joint stage's, where there is hope."""
        caudal = self._card.search.caudal
        place = replace(place, views=[refine.approach(place.views[0], film, caudal)])
        joint = self._stages.get(Role.JOINT)
        if joint is None or self._is_hopeless(place):
            return place
        (near,) = refine.glance(joint, film, [refine.towards(joint, place.views[0])], caudal)
        return replace(place, views=[*place.views, refine.approach(near, film, caudal)])

    def _is_hopeless(self, place: "_Place") -> bool:
        """Whether not even a joint stage without a doubt would make it a neck."""
        return common_sureness((*place.sureness, 1.0)) < self._card.decision.film_confidence

    def _measure(self, film: Film, place: "_Place") -> Answer:
        """Varied views of the best place and of its joint."""
        views = [refine.look(view, film, self._card.search.caudal) for view in place.views]
        return self._combine(_Place(located=place.located, views=views))

    def _combine(self, place: "_Place") -> Answer:
        """For each landmark the last stage that measures it; how high it lies, the first one tells as well."""
        decision, views, first = self._card.decision, place.views, place.views[0]
        last = {mark: view for view in views for mark in view.stage.card.measures}
        at = [(last[mark], last[mark].stage.index(mark)) for mark in LANDMARKS]
        found = np.stack([view.points[row] for view, row in at])
        rows = first.rows(LANDMARKS)
        earlier = first.points[rows]
        confidences = np.array([view.confidences[row] for view, row in at])
        is_seen = seen(confidences, decision)
        points, offsets = found, np.zeros(len(found))
        if is_seen[[0, -1]].all():
            both = is_seen & seen(first.confidences[rows], decision)
            points, offsets = on_axis(with_height_shared(found, earlier, both))
        return Answer(
            pose=first.pose,
            points=points,
            offsets=offsets,
            covariances=np.stack([view.covariances[row] for view, row in at]),
            confidences=confidences,
            spreads=np.array([view.spreads[row] for view, row in at]),
            disagreements=np.hypot(*(found - earlier).T),
            shares={name: _shares(name, rule, views, points) for name, rule in decision.masks.items()},
            stages=place.sureness,
        )

    def tell(self, answer: Answer | None, film: Film) -> Detection:
        """The answer as a detection: what stands, by the card's thresholds."""
        verdict = decide(answer, film, self._card.decision)
        facing, view, certainty = Facing.UNKNOWN, View.UNKNOWN, 0.0
        if answer is not None and verdict.outcome is not Outcome.OTHER_VIEW:
            facing = facing_of(answer.pose)
            view, certainty = neck_view_of(answer.pose, self._card.postures)
        estimates: dict[Landmark, LandmarkEstimate | None] = dict.fromkeys(LANDMARKS)
        if answer is not None:
            estimates = {
                mark: _estimate(answer, film, row) if verdict.shown[row] else None for row, mark in enumerate(LANDMARKS)
            }
        return Detection(
            outcome=verdict.outcome,
            landmarks=estimates,
            adi_reason=verdict.adi_reason,
            sac_reason=verdict.sac_reason,
            facing=facing,
            facing_confidence=answer.confidence if answer is not None and facing is not Facing.UNKNOWN else 0.0,
            view=view,
            view_confidence=certainty,
            model=self.model,
        )


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A candidate after its first close looks."""

    located: float  # sureness of the locating stage
    views: Sequence[refine.View]  # of the refining and of the joint stage, as far as there are such

    @property
    def sureness(self) -> tuple[float, ...]:
        """Of each stage that looked."""
        return (self.located, *(view.confidence for view in self.views))

    @property
    def confidence(self) -> float:
        return common_sureness(self.sureness)


def _shares(name: str, rule: MaskRule, views: Sequence[refine.View], points: Points) -> Points:
    """(4,) of each landmark the greatest that any closer look saw."""
    able = [view for view in views if name in view.stage.card.masks]
    if rule.at_points:
        return np.array([max(view.share(name, rule.reach, at) for view in able) for at in points])
    return np.full(len(LANDMARKS), max(view.share(name, rule.reach) for view in able))


def _estimate(answer: Answer, film: Film, row: int) -> LandmarkEstimate:
    x, y = film.to_pixels(answer.points[row])
    (xx, xy), (_, yy) = film.covariance_to_pixels(answer.covariances[row])
    return LandmarkEstimate(
        point=Point(x=float(x), y=float(y)),
        covariance_px2=((float(xx), float(xy)), (float(xy), float(yy))),
        confidence=float(answer.confidences[row]),
    )


def load_detector(model_dir: Path, device: str = "auto") -> Detector:
    """Load ``model_dir/card.toml`` and the weights it names; warm when it returns.

    ``device``: ``"auto"`` (a GPU where there is one, else the CPU), ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
    Raises ModelError when the card, a weights file or its SHA-256 does not hold, or the device is not there.
    """
    card = read_card(model_dir)
    detector = FilmDetector(card, load_stages(card, model_dir, choose_device(device)))
    detector.detect(np.zeros((_WARM_UP_PX, _WARM_UP_PX), np.float32), None)
    return detector
