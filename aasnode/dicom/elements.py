"""Values of a header as they come in practice: missing, empty, of another type, broken. Never raises for a value.

What the values mean is for the other modules of this room.
"""

import math
import struct
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from pydicom import Dataset
from pydicom.errors import BytesLengthException
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as DicomSequence

BROKEN = (
    ValueError, TypeError, LookupError, AttributeError, NotImplementedError, OverflowError, struct.error,
    BytesLengthException,
)  # fmt: skip
"""What pydicom raises when it converts an element that breaks the rules of its value representation."""


def value(dataset: Dataset, keyword: str) -> Any:
    """The element's value as pydicom reads it; None when missing, empty or broken."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of odd values and quotes them: they may be a patient's
        try:
            found = dataset.get(keyword)
        except BROKEN:
            return None
    return None if found is None or (isinstance(found, str | Sequence) and len(found) == 0) else found


def text(dataset: Dataset, keyword: str) -> str:
    """The element as text, several values joined by a backslash; empty when missing or broken."""
    found = value(dataset, keyword)
    if found is None or isinstance(found, bytes | DicomSequence):
        return ""
    parts = found if isinstance(found, MultiValue | list | tuple) else [found]
    try:
        return "\\".join(str(part) for part in parts).strip(" \0")
    except BROKEN:
        return ""


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """The element's values one by one; empty when missing or broken."""
    joined = text(dataset, keyword)
    return tuple(joined.split("\\")) if joined else ()


def numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """The element's values as finite numbers; empty when missing, broken, or when one of them is no finite number."""
    try:
        found = tuple(float(part) for part in texts(dataset, keyword))
    except ValueError:
        return ()
    return found if all(math.isfinite(number) for number in found) else ()


def number(dataset: Dataset, keyword: str) -> float | None:
    """The element's first value as a finite number; None when there is none."""
    found = numbers(dataset, keyword)
    return found[0] if found else None


def integer(dataset: Dataset, keyword: str) -> int | None:
    """The element's first value as a whole number; None when there is none."""
    found = number(dataset, keyword)
    return int(found) if found is not None and found == int(found) else None


def items(dataset: Dataset, keyword: str) -> tuple[Dataset, ...]:
    """The items of a sequence; empty when missing or broken."""
    found = value(dataset, keyword)
    return tuple(found) if isinstance(found, DicomSequence) else ()


def codes(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """Values and meanings of all codes inside a sequence, nested ones (view modifiers) included."""
    return tuple(word for item in items(dataset, keyword) for word in _codes_of(item))


def _codes_of(item: Dataset) -> Iterator[str]:
    for keyword in ("CodeValue", "LongCodeValue", "CodeMeaning"):
        if word := text(item, keyword):
            yield word
    for keyword in item.dir("Sequence"):
        yield from codes(item, keyword)
