"""ADI and SAC, their uncertainty, their assessment and their change over time. Pure mathematics: no DICOM, no torch.

Definitions, decision table and the rule for changes: docs/measurements.md. The names below are the room's door.
"""

from aasnode.measurement.assessment import (
    FINDINGS,
    PLANE_NOT_STATED,
    PLANES,
    SEVERITY,
    Assessment,
    ComparedLength,
    FilmAssessment,
    LengthFinding,
    assess_film,
    criteria,
)
from aasnode.measurement.course import Compared, CourseChanges, CourseEntry, NotComparable, changes
from aasnode.measurement.film import ADI_ENDS, SAC_ENDS, Measurement, measure
from aasnode.measurement.length import Z_90, Calibration, Change, IntervalRule, Length, difference, length_sigma_mm
from aasnode.measurement.status import FilmStatus
from aasnode.measurement.study import StudyAssessment, StudyFilm, assess_study

__all__ = [
    "ADI_ENDS",
    "FINDINGS",
    "PLANES",
    "PLANE_NOT_STATED",
    "SAC_ENDS",
    "SEVERITY",
    "Z_90",
    "Assessment",
    "Calibration",
    "Change",
    "Compared",
    "ComparedLength",
    "CourseChanges",
    "CourseEntry",
    "FilmAssessment",
    "FilmStatus",
    "IntervalRule",
    "Length",
    "LengthFinding",
    "Measurement",
    "NotComparable",
    "StudyAssessment",
    "StudyFilm",
    "assess_film",
    "assess_study",
    "changes",
    "criteria",
    "difference",
    "length_sigma_mm",
    "measure",
]
