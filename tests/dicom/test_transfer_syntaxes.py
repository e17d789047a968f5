from pydicom.uid import UID

from aasnode.dicom.transfer_syntaxes import BY_UID, TRANSFER_SYNTAXES
from aasnode.network import contexts


def test_encapsulated_is_what_the_standard_says() -> None:
    assert all(row.is_encapsulated == UID(row.uid).is_encapsulated for row in TRANSFER_SYNTAXES)


def test_what_the_node_accepts_on_the_wire_can_be_decoded_and_nothing_else_is_promised() -> None:
    assert set(contexts.TRANSFER_SYNTAXES) == set(BY_UID)
