"""What other code made is never taken for it."""

from pathlib import Path

from aasnode.training.sources import digest


def test_every_source_their_borders_their_order_and_what_is_told_count(tmp_path: Path) -> None:
    def of(*texts: str, told: str = "") -> str:
        files = [tmp_path / str(number) for number in range(len(texts))]
        for file, text in zip(files, texts, strict=True):
            file.write_text(text)
        return digest(files, told)

    found = [of("ab", "c"), of("a", "bc"), of("c", "ab"), of("ab", "c", told="1"), of("ab"), of("ab", "d")]
    assert len({*found}) == len(found)
    assert of("ab", "c") == found[0]
    assert len(found[0]) == 12
