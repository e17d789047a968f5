"""A film's overlay, decoded and drawn in a process that can be ended: a film that hangs or crashes it ends no node."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pydicom import Dataset

from aasnode import log
from aasnode.child import no_quoted_data
from aasnode.config import Config, PixelsSection
from aasnode.dicom.file import read_data_set
from aasnode.dicom.pixels import read_pixels
from aasnode.reports.findings import StudyFindings
from aasnode.reports.secondary_capture import build_secondary_capture


@dataclass(frozen=True, kw_only=True)
class Request:
    """The film whose overlay is wanted, and where it lies. No film of ``study`` has pixels."""

    study: StudyFindings
    sop_instance_uid: str
    path: Path


def prepare(config: Config) -> Callable[[Request], Dataset]:
    """What the process answers with; it loads no network."""
    log.configure(config.log.level)
    return partial(draw, config.pixels)


def draw(limits: PixelsSection, request: Request) -> Dataset:
    """The overlay as a whole data set. Raises AasnodeError: the film cannot be read, or a defect showed."""
    with no_quoted_data():
        return _draw(limits, request)


def _draw(limits: PixelsSection, request: Request) -> Dataset:
    film = next(one for one in request.study.films if one.sop_instance_uid == request.sop_instance_uid)
    pixels = read_pixels(read_data_set(request.path, limits), limits)
    return build_secondary_capture(request.study, replace(film, pixels=pixels))
