"""What happens to one film in the analyser's process: read, compared with its namesake, measured. No database here.

The process may be ended at any moment, by its deadline or by a decoder that crashes; nothing is lost with it.
"""

import contextlib
import hashlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

from aasnode import analysis, log
from aasnode.analysis import Analysis, AnalysisSettings
from aasnode.child import no_quoted_data
from aasnode.config import Config
from aasnode.dicom import exposure
from aasnode.dicom.file import read_data_set
from aasnode.dicom.identity import Identity, identify, is_own_object
from aasnode.dicom.pixels import read_stored_pixels
from aasnode.errors import PermanentError
from aasnode.inference.detection import Detector
from aasnode.measurement import FilmStatus
from aasnode.store.instances import Difference, Likeness
from aasnode.store.results import FilmResult
from aasnode.store.schema import Arrival

LOGGER = logging.getLogger(__name__)

_IDENTITY = (
    "PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyInstanceUID",
    "SeriesInstanceUID", "AccessionNumber", "StudyDate", "AcquisitionDate", "AcquisitionTime", "ViewPosition",
    "ImageLaterality", "PixelSpacing", "ImagerPixelSpacing",
)  # fmt: skip

DetectorFactory = Callable[[], Detector]
"""Loads the detector, in the analyser's process; importable by name."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One film to examine, and where its namesake lies if another one arrived first under the same UID."""

    path: Path
    sop_instance_uid: str  # as the C-STORE command stated it
    has_namesake: bool
    namesake: Path | None  # None when its file is no longer kept
    likeness: Likeness | None  # of the namesake; None when it was not recorded


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What became of the arrival; ``film``, ``likeness`` where analysed, ``differences`` of a header revision."""

    state: Arrival
    reason: str | None = None
    film: FilmResult | None = None
    likeness: Likeness | None = None
    differences: tuple[Difference, ...] = ()


def prepare(load: DetectorFactory, config: Config) -> Callable[[Request | None], Examination | str]:
    """What the process answers with; its first question is None, and the answer is the model that it loaded."""
    log.configure(config.log.level)
    examiner = Examiner(load(), config)

    def answer(request: Request | None) -> Examination | str:
        return examiner.model if request is None else examiner.examine(request)

    return answer


class Examiner:
    """Examines one film after another with a warm model."""

    def __init__(self, detector: Detector, config: Config) -> None:
        self._detector = detector
        self._zone = ZoneInfo(config.node.time_zone)
        self._settings = AnalysisSettings.of(config)

    @property
    def model(self) -> str:
        """Name and version of the model that is loaded."""
        return self._detector.model

    def examine(self, request: Request) -> Examination:
        """Examine one film.

        Raises:
            AasnodeError: the film is unreadable, its pixels included, or examining it showed a defect (DefectError).
        """
        with no_quoted_data():
            return self._examine(request)

    def _examine(self, request: Request) -> Examination:
        dataset = read_data_set(request.path, self._settings.pixels)
        if is_own_object(dataset):
            return Examination(state=Arrival.OWN_OBJECT)
        identity = identify(dataset, self._zone)
        if identity.sop_instance_uid != request.sop_instance_uid:
            return Examination(state=Arrival.QUARANTINED, reason="the data set is another instance than was announced")
        if request.has_namesake:
            return self._compare(dataset, request)
        analysed = analysis.analyse(dataset, self._detector, self._settings)
        if analysed.status is FilmStatus.FAILED:
            raise PermanentError(analysed.reason)
        film = _film_result(dataset, identity, analysed)
        likeness = self._likeness(dataset, is_decoded=film.is_lateral_cervical)  # what was rejected is never decoded
        return Examination(state=Arrival.ANALYSED, film=film, likeness=likeness)

    def _compare(self, dataset: Dataset, request: Request) -> Examination:
        """What an arrival is that came under a UID which is already known."""
        first = request.likeness
        if request.namesake is not None:
            with contextlib.suppress(PermanentError):  # a file that was damaged is no fault of what comes after it
                first = self._likeness(read_data_set(request.namesake, self._settings.pixels))
        if first is None:
            gone = "the first film under this UID is no longer kept, or cannot be read any more"
            return Examination(state=Arrival.QUARANTINED, reason=gone)
        later = self._likeness(dataset)
        if not later.has_pixels_of(first):
            return Examination(state=Arrival.QUARANTINED, reason="other pixels under a UID that is known")
        differences = tuple(_differences(first, later))
        return Examination(state=Arrival.REVISION if differences else Arrival.REENCODED, differences=differences)

    def _likeness(self, dataset: Dataset, *, is_decoded: bool = True) -> Likeness:
        decoded = None
        if is_decoded:
            with contextlib.suppress(PermanentError):
                decoded = _values_digest(read_stored_pixels(dataset, self._settings.pixels))
        encoded = hashlib.sha256(dataset.get("PixelData") or b"").hexdigest()
        header = {keyword: str(dataset.get(keyword, "")) for keyword in _IDENTITY}
        return Likeness(decoded=decoded, encoded=encoded, header=header)


def _values_digest(pixels: npt.NDArray[np.integer]) -> str:
    """Equal for equal values, whatever the type that a decoder gives them."""
    digest = hashlib.sha256(repr(pixels.shape).encode())
    for row in pixels:
        digest.update(row.astype("<i8").tobytes())
    return digest.hexdigest()


def _differences(first: Likeness, later: Likeness) -> Iterator[Difference]:
    for keyword in _IDENTITY:
        before, after = first.header.get(keyword, ""), later.header.get(keyword, "")
        if before != after:
            yield Difference(element=keyword, before=before, after=after)


def _film_result(dataset: Dataset, identity: Identity, analysed: Analysis) -> FilmResult:
    return FilmResult(
        identity=identity,
        exposure_key=exposure.exposure_key(dataset),
        source_sop_instance_uids=exposure.source_sop_instance_uids(dataset),
        for_processing=exposure.is_for_processing(dataset),
        status=analysed.status,
        reason=analysed.reason,
        rule=analysed.rule,
        view=analysed.view,
        view_source=analysed.view_source,
        facing=analysed.facing,
        landmarks=analysed.landmarks,
        spacing=analysed.spacing,
        measurement=analysed.measurement,
        model=analysed.model,
        rows=analysed.rows,
        columns=analysed.columns,
        selected_by=analysed.selected_by,
    )
