import pytest

from aasnode.dicom.words import holds


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("C-SPINE LAT", "c spine"),
        ("Flexão", "flexao"),
        ("ＦＬＥＸＩＯＮ", "flexion"),  # full width
        ("hyperextension", "hyperext*"),
        ("CSPINE FLEX1", "flex"),
        ("CervicalSpineFlexion", "flexion"),
        ("頚椎2R 前屈", "前屈"),
        ("頚椎前屈flexion", "flexion"),
        ("경추 굴곡", "굴곡"),
        ("R-10206", "R-10206"),
        ("Hüfte", "hufte"),
        ("FUSS", "fuß"),
        ("ガイド", "カ゛"[:1] + "゙イド"),  # composed and decomposed
    ],
)
def test_word_is_found_however_it_is_written(text: str, word: str) -> None:
    assert holds(text, word)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("capital", "ap"),
        ("retroflexion", "flexion"),
        ("R-102060", "R-10206"),
        ("spine c", "c spine"),
        ("後屈", "前屈"),
        ("ガ", "カ"),
        ("anything", "*"),
        ("", "ap"),
    ],
)
def test_part_of_a_word_is_another_word(text: str, word: str) -> None:
    assert not holds(text, word)
