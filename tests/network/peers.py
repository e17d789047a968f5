"""Real peers on the loopback interface: an SCP of ours, an SCP of DCMTK or pynetdicom, films to send."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
    generate_uid,
)
from pynetdicom import AE, build_context, evt

from aasnode.config import Config, Destination, NodeSection, ReceiverSection
from aasnode.network.scp import IncomingInstance, storage_scp
from aasnode.network.status import Status


def film(
    *, sop_class: str = ComputedRadiographyImageStorage, rows: int = 16, columns: int = 16, uid: str | None = None
) -> Dataset:
    """A small film, explicit little endian."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = sop_class
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid or generate_uid(entropy_srcs=["film"])
    dataset.StudyInstanceUID = dataset.SeriesInstanceUID = "1.2.3.4"
    dataset.PatientID, dataset.PatientName = "P1", "DOE^JANE"
    dataset.Rows, dataset.Columns = rows, columns
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, 0
    dataset.PixelData = np.arange(rows * columns, dtype=np.uint32).astype(np.uint16).tobytes()
    return dataset


def write(dataset: Dataset, folder: Path) -> Path:
    path = folder / f"{len(list(folder.iterdir()))}.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return path


def receiver(**settings: object) -> ReceiverSection:
    return replace(Config().receiver, disk_reserve_mb=0, **settings)


@contextlib.contextmanager
def our_scp(
    on_store: Callable[[IncomingInstance], Status] = lambda _: Status.SUCCESS,
    *,
    has_room: Callable[[], bool] = lambda: True,
    finish_seconds: float = 5.0,
    **settings: object,
) -> Iterator[int]:
    """Our SCP on a free port of the loopback interface; gives the port."""
    node = NodeSection(host="127.0.0.1", port=0)
    with storage_scp(node, receiver(**settings), on_store, has_room, finish_seconds=finish_seconds) as port:
        yield port


def associate(port: int, *contexts: str, ae_title: str = "AASNODE", calling: str = "MODALITY", **options: object):
    """An association of a stock pynetdicom client."""
    entity = AE(ae_title=calling)
    syntaxes = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]
    wanted = [build_context(one, syntaxes) for one in contexts or (ComputedRadiographyImageStorage,)]
    return entity.associate("127.0.0.1", port, wanted, ae_title=ae_title, **options)


@contextlib.contextmanager
def archive(
    *,
    answer: int = 0x0000,
    sop_classes: tuple[str, ...] = (SecondaryCaptureImageStorage,),
    syntaxes: tuple[str, ...] = (ExplicitVRLittleEndian, ImplicitVRLittleEndian),
    ae_title: str = "PACS",
    mute: bool = False,
) -> Iterator[tuple[Destination, list[FileDataset]]]:
    """A peer that answers every C-STORE with ``answer``; gives its address and what it was sent."""
    kept: list[Dataset] = []

    def keep(event: evt.Event) -> int:
        dataset = event.dataset
        dataset.file_meta = event.file_meta
        kept.append(dataset)
        if mute:
            event.assoc.abort()
        return answer

    entity = AE(ae_title=ae_title)
    entity.require_called_aet = True
    for sop_class in sop_classes:
        entity.add_supported_context(sop_class, list(syntaxes))
    entity.add_supported_context("1.2.840.10008.1.1")
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, keep)])
    assert server is not None
    port = server.server_address[1]
    try:
        yield Destination(name="pacs", ae_title="PACS", host="127.0.0.1", port=port), kept
    finally:
        server.shutdown()
