"""The tables. Columns that may be written by one statement and read by another have their values named here.

Times are UTC; DICOM dates and times are kept verbatim beside them. Nothing is deleted but files, and a rejection that
an operator takes back: numbers stay.
"""

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)


class Arrival(StrEnum):
    """What became of one arrival: one SOP Instance UID with one content."""

    RECEIVED = "received"  # stored, its analysis is a job
    ACKNOWLEDGED = "acknowledged"  # a class that is recorded and never analysed
    ANALYSED = "analysed"  # a result exists
    OWN_OBJECT = "own_object"  # we made it; never analysed
    REENCODED = "reencoded"  # same pixels, same identity as the first arrival under this UID
    REVISION = "revision"  # same pixels, other header: shown to the operator
    UNREADABLE = "unreadable"  # its analysis rests in the dead letter; whatever comes next under its UID is the first
    QUARANTINED = "quarantined"  # other pixels under a UID that is known, or no such instance at all


class JobKind(StrEnum):
    """The three kinds of job."""

    ANALYSE = "analyse"  # one arrival
    REPORT = "report"  # one study
    DELIVER = "deliver"  # one object of a report to one destination


class JobState(StrEnum):
    """The life of a job."""

    PENDING = "pending"
    CLAIMED = "claimed"
    FINISHED = "finished"
    DEAD = "dead"  # rests with its reason until an operator puts it back
    WITHDRAWN = "withdrawn"  # an undelivered version or a resting report, whose place a newer one took


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as UTC."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Aware to naive UTC."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Naive UTC to aware."""
        return None if value is None else value.replace(tzinfo=UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

instances = Table(
    "instances",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sop_instance_uid", String(64), nullable=False),
    Column("digest", String(64), nullable=False),  # SHA-256 of the encoded data set
    Column("sop_class_uid", String(64), nullable=False),
    Column("transfer_syntax_uid", String(64), nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("file_name", String(64)),  # in the inbox; NULL when not kept, or no longer
    Column("kept_since", Instant),  # the file: when it was written, first or again
    Column("likeness", JSON),  # of what was analysed, see instances.Likeness; NULL where that was never recorded
    Column("calling_ae_title", String(16), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text),
    UniqueConstraint("sop_instance_uid", "digest"),
    Index(None, "state", "received_at"),
)

results = Table(
    "results",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("instance_id", ForeignKey("instances.id"), nullable=False, unique=True),
    Column("sop_instance_uid", String(64), nullable=False, unique=True),
    Column("sop_class_uid", String(64), nullable=False),
    Column("series_instance_uid", String(64), nullable=False),
    Column("study_instance_uid", String(64), nullable=False, index=True),
    Column("accession_number", Text, nullable=False),
    Column("patient_id", Text, nullable=False),  # empty when blank
    Column("issuer_of_patient_id", Text, nullable=False),
    Column("birth_date", Date),
    Column("sex", String(16), nullable=False),
    Column("acquired_at", Instant),
    Column("acquisition_date", Text, nullable=False),  # verbatim
    Column("acquisition_time", Text, nullable=False),  # verbatim
    Column("exposure_key", Text, nullable=False),
    Column("source_sop_instance_uids", JSON, nullable=False),
    Column("for_processing", Boolean, nullable=False),
    Column("is_representative", Boolean, nullable=False),  # of the renderings of one exposure, the one that counts
    Column("is_primary", Boolean, nullable=False),  # of the repeats of one view, the one that counts
    Column("status", String(16), nullable=False),
    Column("reason", Text),
    Column("view", String(16), nullable=False),
    Column("spacing_rule", String(32)),
    Column("adi_mm", Float),
    Column("sac_mm", Float),
    Column("assessment", String(32)),
    Column("model", Text),
    Column("details", JSON, nullable=False),  # everything that was found, see results.FilmResult
    Column("analysed_at", Instant, nullable=False),
    Index(None, "patient_id", "acquired_at"),
)

revisions = Table(
    "revisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sop_instance_uid", String(64), nullable=False, index=True),
    Column("first_instance_id", ForeignKey("instances.id"), nullable=False),
    Column("instance_id", ForeignKey("instances.id"), nullable=False, unique=True),
    Column("differences", JSON, nullable=False),  # [{"element", "before", "after"}], identity only
    Column("found_at", Instant, nullable=False),
)

reports = Table(
    "reports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("study_instance_uid", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("predecessor_id", ForeignKey("reports.id")),
    Column("content_digest", String(64), nullable=False),  # equal content makes no new version
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("study_instance_uid", "version"),
)

objects = Table(
    "objects",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("report_id", ForeignKey("reports.id"), nullable=False),
    Column("role", String(96), nullable=False),  # structured_report, or overlay:<SOP Instance UID of the film>
    Column("preference", Integer, nullable=False),  # 0 is offered first; one of a role is sent
    Column("sop_class_uid", String(64), nullable=False),
    Column("sop_instance_uid", String(64), nullable=False),
    Column("series_instance_uid", String(64), nullable=False),
    Column("transfer_syntax_uid", String(64), nullable=False),
    Column("file_name", String(64)),  # among the objects; NULL when no longer kept
    Column("digest", String(64), nullable=False),
    Column("bytes", Integer, nullable=False),
    UniqueConstraint("report_id", "role", "preference"),
    Index(None, "sop_instance_uid"),
)

facts = Table(
    "facts",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("instance_id", ForeignKey("instances.id")),  # analyse
    Column("study_instance_uid", String(64)),  # report, deliver
    Column("report_id", ForeignKey("reports.id")),  # deliver
    Column("role", String(96)),  # deliver
    Column("destination", String(64)),  # deliver
    Column("object_id", ForeignKey("objects.id")),  # deliver: which object of the role was sent
    Column("priority", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("max_attempts", Integer, nullable=False),
    Column("lease_until", Instant),
    Column("token", Integer, nullable=False),  # grows with every claim: a late finisher holds an old one
    Column("owner", Text),
    Column("reason", Text),  # of the last failure, or the outcome
    Column("created_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("delivered_at", Instant),  # deliver: when the peer last took the object; nothing unsays it
    Index("ix_jobs_due", "kind", "state", "destination", "priority", "due_at"),
    Index("uq_jobs_analyse", "instance_id", unique=True, sqlite_where=text("kind = 'analyse'"),
          postgresql_where=text("kind = 'analyse'")),
    Index("uq_jobs_report", "study_instance_uid", unique=True,
          sqlite_where=text("kind = 'report' AND state = 'pending'"),
          postgresql_where=text("kind = 'report' AND state = 'pending'")),
    Index("uq_jobs_deliver", "report_id", "role", "destination", unique=True, sqlite_where=text("kind = 'deliver'"),
          postgresql_where=text("kind = 'deliver'")),
)  # fmt: skip
