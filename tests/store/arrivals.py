"""Short ways to put an arrival and a result into a store."""

from datetime import UTC, date, datetime

from sqlalchemy import Connection

from aasnode.anatomy import LANDMARKS, Facing, View
from aasnode.dicom.identity import Acquisition, Identity
from aasnode.dicom.selection import ViewSource
from aasnode.geometry import PixelSpacing, SpacingRule, Spacings
from aasnode.measurement import Assessment, FilmStatus, Length, Measurement
from aasnode.store import instances, results
from aasnode.store.results import FilmResult
from aasnode.store.schema import Arrival

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SPACING = PixelSpacing(row_mm=0.1, column_mm=0.2, rule=SpacingRule.DETECTOR_PLANE)


def arrive(connection: Connection, uid: str = "1.2.3", digest: str = "d", *, state: Arrival = Arrival.RECEIVED) -> int:
    """Record one arrival and give its id."""
    added = instances.add(
        connection,
        sop_instance_uid=uid,
        digest=digest,
        sop_class_uid="1.2.840.10008.5.1.4.1.1.1",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        size=10,
        file_name=f"{uid}.{digest}.dcm",
        calling_ae_title="MODALITY",
        now=NOON,
        state=state,
    )
    assert added is not None
    return added


def length(mm: float) -> Length:
    return Length(mm=mm, low_mm=mm - 0.5, high_mm=mm + 0.5, sigma_mm=0.3, detector_plane_mm=mm, corrected_mm=None)


def film(
    uid: str,
    *,
    patient_id: str = "P1",
    issuer: str = "",
    birth_date: date | None = date(1950, 1, 1),
    sex: str = "F",
    acquired_at: datetime | None = NOON,
    view: View = View.FLEXION,
    status: str = "measured",
    study: str = "1.2.9",
    exposure_key: str | None = None,
    adi_mm: float = 2.5,
) -> FilmResult:
    """One film's result with plausible values."""
    identity = Identity(
        sop_class_uid="1.2.840.10008.5.1.4.1.1.1",
        sop_instance_uid=uid,
        study_instance_uid=study,
        series_instance_uid=f"{study}.1",
        patient_id=patient_id,
        issuer_of_patient_id=issuer,
        birth_date=birth_date,
        sex=sex,
        acquisition=Acquisition(
            date_verbatim="20260301", time_verbatim="120000.50", element="AcquisitionDate", instant=acquired_at
        ),
        accession_number="A1",
        specific_character_set=("ISO_IR 192",),
    )
    measured = Measurement(
        view=view,
        spacing_rule=SpacingRule.DETECTOR_PLANE,
        adi=length(adi_mm),
        sac=None,
        adi_reason=None,
        sac_reason="point_hidden",
        adi_ratio=0.1,
        sac_ratio=None,
        c1_inner_diameter_mm=None,
        assessment=Assessment.NO_AAS_ON_THIS_VIEW,
        assessment_reason="because",
        interval_source="simulated films",
    )
    return FilmResult(
        identity=identity,
        exposure_key=exposure_key or uid,
        source_sop_instance_uids=(),
        for_processing=False,
        status=FilmStatus(status),
        reason=None,
        rule=None,
        view=view,
        view_source=ViewSource.TAGS,
        facing=Facing.LEFT,
        landmarks=dict.fromkeys(LANDMARKS),
        spacing=Spacings(primary=SPACING, detector_plane=SPACING, corrected=None),
        measurement=measured if status == "measured" else None,
        model="aas-test 1.0.0",
        rows=100,
        columns=200,
    )


def keep(connection: Connection, result: FilmResult) -> None:
    """Record an arrival together with its result."""
    uid = result.identity.sop_instance_uid
    results.add(connection, instance_id=arrive(connection, uid, state=Arrival.ANALYSED), film=result, now=NOON)
