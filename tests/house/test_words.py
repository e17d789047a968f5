"""What is committed names no private place, and every link between the pages leads somewhere."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BINARY = {".dcm", ".gif", ".jpg", ".npz", ".pdf", ".png", ".safetensors", ".tif"}
PRIVATE = re.compile(r"(?<![\w./-])/(home|root|work|Users|mnt)/\w+")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def committed() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    paths = [ROOT / name for name in done.stdout.split("\0") if name]
    return [path for path in paths if path.suffix not in BINARY and path.is_file()]


@pytest.mark.parametrize("line", ["see /home/anna/films", "open('/root/x.dcm')"])
def test_the_check_knows_a_private_path(line: str) -> None:
    assert PRIVATE.search(line)


def test_no_committed_file_names_a_private_path() -> None:
    here = Path(__file__)
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in committed()
        if path != here
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if PRIVATE.search(line)
    ]
    assert found == []


def test_every_link_between_pages_leads_to_a_file() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in committed()
        if page.suffix == ".md"
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []
