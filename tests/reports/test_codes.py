"""Every code is the standard's, or openly our own."""

from collections.abc import Iterator, Mapping

import pytest
from pydicom.sr._concepts_dict import concepts
from pydicom.sr.codedict import codes as standard
from pydicom.sr.coding import Code

from aasnode.anatomy import View
from aasnode.dicom.identity import is_own_uid
from aasnode.measurement import Assessment
from aasnode.reports import codes


def every_code() -> Iterator[Code]:
    for value in vars(codes).values():
        if isinstance(value, Code):
            yield value
        elif isinstance(value, Mapping):
            yield from (code for code in value.values() if isinstance(code, Code))


ALL = list(every_code())
# Schemes or meanings that pydicom does not tabulate, with their source.
NOT_TABULATED = {
    codes.ENGLISH,  # RFC 5646, as in CID 5000
    codes.QUALITATIVE_EVALUATIONS,  # PS3.16 TID 1500 row 12
    codes.PIXELS,  # UCUM annotation, PS3.16 TID 1602
}


def test_the_module_holds_codes() -> None:
    assert len(ALL) > 50


@pytest.mark.parametrize(
    "code", [code for code in ALL if code.scheme_designator != codes.SCHEME and code not in NOT_TABULATED], ids=str
)
def test_a_standard_code_has_the_standards_meaning(code: Code) -> None:
    known = [entry[code.value][0] for entry in concepts[code.scheme_designator].values() if code.value in entry]
    assert code.meaning in [meaning.removesuffix(" (attribute)") for meaning in known]


@pytest.mark.parametrize(
    ("code", "context_group"),
    [
        (codes.IMAGING_MEASUREMENT_REPORT, "cid7021"),
        (codes.RADIOLOGY_REPORT, "cid7000"),
        (codes.FINDINGS, "cid7001"),
        (codes.FINDING, "cid7002"),
        (codes.IMAGING_PROCEDURE, "cid100"),
        (codes.ATLANTOAXIAL_JOINT, "cid7482"),
        (codes.CERVICAL_SPINE, "cid4"),
        (codes.LATERAL, "cid4010"),
        (codes.ARTIFICIAL_INTELLIGENCE, "cid7162"),
        (codes.SOURCE_IMAGE, "cid7202"),
        (codes.ACQUISITION_EQUIPMENT, "cid7005"),
        *((code, "cid92") for code in codes.POSITIONS.values()),
        *((code, "cid29") for code in codes.MODALITIES.values()),
    ],
)
def test_a_code_is_in_the_context_group_of_its_place(code: Code, context_group: str) -> None:
    group = getattr(standard, context_group)
    assert code in [getattr(group, name) for name in dir(group)]


def test_no_two_private_codes_share_a_value() -> None:
    own = [code.value for code in ALL if code.scheme_designator == codes.SCHEME]
    assert len(own) == len(set(own)) > 10


def test_code_values_and_meanings_fit_their_elements() -> None:
    assert all(len(code.value) <= 16 and len(code.meaning) <= 64 for code in ALL)


def test_every_assessment_and_every_known_view_has_a_code() -> None:
    assert set(codes.ASSESSMENTS) == set(Assessment)
    assert set(codes.POSITIONS) == set(View) - {View.UNKNOWN}


def test_the_private_scheme_is_declared_under_our_own_root() -> None:
    item = codes.scheme_identification()
    assert item.CodingSchemeDesignator == codes.SCHEME
    assert is_own_uid(item.CodingSchemeUID)
