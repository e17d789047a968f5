"""A small archive on the loopback: takes what a node sends back and keeps it under names that people can read.

It stands in for a PACS, so that the demo needs none. It is no archive for patients.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
from pydicom import Dataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian
from pynetdicom import AE, evt

from aasnode.config import Destination
from aasnode.demo.patient import DemoFilm
from aasnode.network import library, scu
from aasnode.network.contexts import OBJECT_SOP_CLASSES

AE_TITLE = "ARCHIVE"
_SUCCESS = 0x0000


@dataclass(frozen=True, kw_only=True)
class Returned:
    """One object that the node sent back; ``picture`` is an overlay's PNG."""

    visit: int
    path: Path
    picture: Path | None


class Archive:
    """Listens from construction to ``close``; ``returned`` grows while objects arrive."""

    def __init__(self, folder: Path, films: Sequence[DemoFilm]) -> None:
        library.configure()
        folder.mkdir()
        self._folder = folder
        self._films = films
        self._lock = threading.Lock()
        self.returned: list[Returned] = []
        entity: Any = AE(ae_title=AE_TITLE)
        for sop_class in OBJECT_SOP_CLASSES:
            entity.add_supported_context(sop_class, ExplicitVRLittleEndian)
        handlers = [(evt.EVT_C_STORE, self._keep)]
        self._server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
        self.port = int(self._server.server_address[1])

    def send(self, film: DemoFilm, node: Destination) -> None:
        """C-STORE one film to the node."""
        candidate = scu.Candidate(
            path=film.path,
            sop_class_uid=DigitalXRayImageStorageForPresentation,
            sop_instance_uid=film.sop_instance_uid,
            transfer_syntax_uid=ExplicitVRLittleEndian,
        )
        scu.send(node, [candidate], calling_ae_title=AE_TITLE, timeout_seconds=30)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()

    def _keep(self, event: evt.Event) -> int:
        dataset = event.dataset
        dataset.file_meta = event.file_meta
        with self._lock:
            name = self._name(dataset)
            path = self._folder / f"{name}.dcm"
            dataset.save_as(path, enforce_file_format=True)
            picture = _save_picture(dataset, path.with_suffix(".png")) if "PixelData" in dataset else None
            self.returned.append(Returned(visit=self._visit(dataset), path=path, picture=picture))
        return _SUCCESS

    def _visit(self, dataset: Dataset) -> int:
        return next((film.visit for film in self._films if film.study_instance_uid == dataset.StudyInstanceUID), 0)

    def _name(self, dataset: Dataset) -> str:
        """Visit and what it is; nothing in it came over the wire."""
        film = next((film for film in self._films if film.sop_instance_uid in _sources(dataset)), None)
        what = f"{film.view}-overlay" if film else "report"
        name = f"visit-{self._visit(dataset)}-{what}"
        version = sum(one.path.stem.startswith(name) for one in self.returned) + 1
        return name if version == 1 else f"{name}-version-{version}"


def _sources(dataset: Dataset) -> set[str]:
    return {str(item.ReferencedSOPInstanceUID) for item in dataset.get("SourceImageSequence", [])}


def _save_picture(dataset: Dataset, path: Path) -> Path:
    """An overlay as PNG."""
    cv2.imwrite(str(path), cv2.cvtColor(dataset.pixel_array, cv2.COLOR_RGB2BGR))
    return path
