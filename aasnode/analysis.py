"""One film in, one ``Analysis`` out: selection, pixels, spacing, detector, measurement. No database, no wire.

The node and ``aasnode analyse`` call it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from pydicom import Dataset

from aasnode.anatomy import LANDMARKS, Facing, LandmarkEstimate, Landmarks, View
from aasnode.config import Config, MeasurementSection, PixelsSection, SelectionSection
from aasnode.dicom.file import is_dicom, read_data_set, read_start
from aasnode.dicom.grey import Pixels
from aasnode.dicom.identity import read_age_years
from aasnode.dicom.picture import read_picture
from aasnode.dicom.pixels import read_pixels
from aasnode.dicom.selection import Rejected, Selected, ViewSource, select
from aasnode.dicom.spacing import read_spacings
from aasnode.errors import PermanentError
from aasnode.geometry import PixelSpacing, Spacings, Unscaled
from aasnode.inference.detection import Detection, Detector, Outcome
from aasnode.measurement import ComparedLength, FilmStatus, Length, LengthFinding, Measurement, measure

_DECIMALS = 4


@dataclass(frozen=True, kw_only=True)
class AnalysisSettings:
    """The sections of config.toml that the analysis of one film needs."""

    selection: SelectionSection
    pixels: PixelsSection
    measurement: MeasurementSection

    @classmethod
    def of(cls, config: Config) -> Self:
        """The sections of a whole configuration."""
        return cls(selection=config.selection, pixels=config.pixels, measurement=config.measurement)


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """What the node knows of one film after steps 4 to 7. Fields that were not reached are None."""

    status: FilmStatus
    reason: str | None  # why not measured, or what is missing
    rule: str | None  # the selection rule that rejected it or gave its view
    selected_by: str | None  # the site's rule after which no other could reject it
    view: View
    view_source: ViewSource
    facing: Facing
    landmarks: Landmarks
    spacing: Spacings | Unscaled | None
    measurement: Measurement | None
    model: str | None
    rows: int | None
    columns: int | None


_NOTHING = Analysis(
    status=FilmStatus.FAILED,
    reason=None,
    rule=None,
    selected_by=None,
    view=View.UNKNOWN,
    view_source=ViewSource.NONE,
    facing=Facing.UNKNOWN,
    landmarks=dict.fromkeys(LANDMARKS),
    spacing=None,
    measurement=None,
    model=None,
    rows=None,
    columns=None,
)


def failed(reason: str) -> Analysis:
    """The analysis of a film that could not be read."""
    return replace(_NOTHING, reason=reason)


def analyse(dataset: Dataset, detector: Detector, settings: AnalysisSettings) -> Analysis:
    """Analyse one data set. What cannot be read is a result (FAILED), never an exception.

    TransientError passes: the same work may succeed later.
    """
    selection = select(dataset, settings.selection)
    if isinstance(selection, Rejected):
        return replace(_NOTHING, status=FilmStatus.REJECTED, reason=selection.reason, rule=selection.rule)
    try:
        pixels = read_pixels(dataset, settings.pixels)
    except PermanentError as error:
        return failed(str(error))
    return _analyse_pixels(
        pixels, read_spacings(dataset), selection, detector, settings.measurement, age_years=read_age_years(dataset)
    )


def analyse_file(path: Path, detector: Detector, settings: AnalysisSettings, spacing: PixelSpacing | None) -> Analysis:
    """Analyse a file: DICOM (which ignores ``spacing``), or PNG, JPEG, TIFF."""
    try:
        if not is_dicom(read_start(path)):
            return analyse_picture(path, detector, settings, spacing)
        dataset = read_data_set(path, settings.pixels)
    except PermanentError as error:
        return failed(str(error))
    return analyse(dataset, detector, settings)


def analyse_picture(
    path: Path, detector: Detector, settings: AnalysisSettings, spacing: PixelSpacing | None
) -> Analysis:
    """Analyse a PNG, JPEG or TIFF; ``spacing`` as the user states it, None where unknown."""
    try:
        pixels = read_picture(path, settings.pixels)
    except PermanentError as error:
        return failed(str(error))
    if spacing is None:
        scale: Spacings | Unscaled = Unscaled(reason="no pixel spacing given (--pixel-spacing)")
    else:
        scale = Spacings(primary=spacing, detector_plane=None, corrected=None)
    selection = Selected(view=View.UNKNOWN, view_source=ViewSource.NONE, rule=None)
    return _analyse_pixels(pixels, scale, selection, detector, settings.measurement, age_years=None)


def as_json(analysis: Analysis, file: str) -> dict[str, object]:
    """The object that ``aasnode analyse --format json`` prints: always all keys, null when unknown."""
    measurement, spacing = analysis.measurement, analysis.spacing
    adi, sac = (measurement.adi, measurement.sac) if measurement else (None, None)
    scale = spacing.primary if isinstance(spacing, Spacings) else None
    return {
        "file": file,
        "status": str(analysis.status),
        "reason": analysis.reason,
        "view": str(analysis.view),
        "facing": str(analysis.facing),
        "landmarks": {str(name): _landmark_json(analysis.landmarks.get(name)) for name in LANDMARKS},
        "adi_mm": _mm(adi),
        "adi_interval_mm": _interval_mm(adi),
        "adi_finding": _finding_json(measurement.adi_finding if measurement else None),
        "adi_ratio": _rounded(measurement.adi_ratio if measurement else None),
        "sac_mm": _mm(sac),
        "sac_interval_mm": _interval_mm(sac),
        "sac_finding": _finding_json(measurement.sac_finding if measurement else None),
        "sac_ratio": _rounded(measurement.sac_ratio if measurement else None),
        "assessment": str(measurement.assessment) if measurement else None,
        "assessment_reason": measurement.assessment_reason if measurement else None,
        "criteria": measurement.criteria if measurement else None,
        "assumption": measurement.assumption if measurement else None,
        "spacing_mm": [round(scale.row_mm, 6), round(scale.column_mm, 6)] if scale else None,
        "spacing_rule": str(scale.rule) if scale else None,
        "model": analysis.model,
        "interval_source": measurement.calibrated_on if measurement else None,
    }


def _analyse_pixels(
    pixels: Pixels,
    spacing: Spacings | Unscaled,
    selection: Selected,
    detector: Detector,
    settings: MeasurementSection,
    *,
    age_years: float | None,
) -> Analysis:
    """Steps 6 and 7: landmarks, then mm."""
    if isinstance(spacing, Spacings):
        detection = detector.detect(pixels, spacing.primary)
    else:
        detection = detector.detect(pixels, None, spacing.aspect_ratio)
    view, view_source = _view(selection, detection, settings.view_confidence)
    seen = replace(
        _NOTHING,
        rule=selection.rule,
        selected_by=selection.selected_by,
        view=view,
        view_source=view_source,
        facing=detection.facing,
        landmarks=detection.landmarks,
        spacing=spacing,
        model=detection.model,
        rows=pixels.shape[0],
        columns=pixels.shape[1],
    )
    if detection.outcome is not Outcome.FOUND:
        status = FilmStatus.REJECTED if detection.outcome is Outcome.OTHER_VIEW else FilmStatus.ABSTAINED
        return replace(seen, status=status, reason=detection.reason or detection.outcome)
    measurement = measure(
        landmarks=detection.landmarks,
        spacing=spacing,
        view=view,
        calibration=detector.calibration,
        settings=settings,
        age_years=age_years,
        adi_reason=detection.adi_reason,
        sac_reason=detection.sac_reason,
        model=detection.model,
    )
    status, reason = _status(measurement, detection.landmarks, spacing)
    return replace(seen, status=status, reason=reason, measurement=measurement)


def _view(selection: Selected, detection: Detection, least_confidence: float) -> tuple[View, ViewSource]:
    """The tags go before the picture; a picture that is not sure leaves the view unknown."""
    if selection.view is not View.UNKNOWN:
        return selection.view, selection.view_source
    if detection.view is not View.UNKNOWN and detection.view_confidence >= least_confidence:
        return detection.view, ViewSource.PICTURE
    return View.UNKNOWN, ViewSource.NONE


def _status(
    measurement: Measurement, landmarks: Landmarks, spacing: Spacings | Unscaled
) -> tuple[FilmStatus, str | None]:
    reasons = {"ADI": measurement.adi_reason, "SAC": measurement.sac_reason}
    if measurement.adi or measurement.sac:
        return FilmStatus.MEASURED, _not_measured(reasons)
    if isinstance(spacing, Unscaled) and sum(point is not None for point in landmarks.values()) >= 2:
        besides = _not_measured({name: reason for name, reason in reasons.items() if reason != spacing.reason})
        return FilmStatus.LOCATED, "; ".join(filter(None, (spacing.reason, besides)))
    return FilmStatus.ABSTAINED, _not_measured(reasons)


def _not_measured(reasons: Mapping[str, str | None]) -> str | None:
    """Which lengths are missing and why, in words; None where none is."""
    return "; ".join(f"{name} not measured ({reason})" for name, reason in reasons.items() if reason) or None


def _landmark_json(estimate: LandmarkEstimate | None) -> dict[str, float] | None:
    if estimate is None:
        return None
    return {
        "x": round(estimate.point.x, _DECIMALS),
        "y": round(estimate.point.y, _DECIMALS),
        "sigma_px": round(estimate.sigma_px, _DECIMALS),
        "confidence": round(estimate.confidence, _DECIMALS),
    }


def _mm(length: Length | None) -> float | None:
    return _rounded(length.mm if length else None)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DECIMALS)


def _finding_json(finding: LengthFinding | None) -> dict[str, object] | None:
    if finding is None:
        return None
    compared = finding.compared
    return {
        "assessment": str(finding.assessment),
        "limit": finding.limit,
        "threshold_mm": finding.threshold_mm,
        "spans_threshold": finding.spans_threshold,
        "doubt": finding.doubt or None,
        "compared_mm": _rounded(compared.mm),
        "compared_interval_mm": _interval_mm(compared),
        "plane": str(compared.plane) if compared.plane else None,
    }


def _interval_mm(length: Length | ComparedLength | None) -> list[float] | None:
    return [round(length.low_mm, _DECIMALS), round(length.high_mm, _DECIMALS)] if length else None
