"""Put the real output of the two commands, and a real overlay, into README.md. `make readme` runs it.

The folder of the demo is shown as ``demo``; nothing else is changed.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import cv2

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
OVERLAY = ROOT / "docs" / "pictures" / "overlay.jpg"
_OVERLAY_WIDTH_PX = 1200
_PICTURE = f"\nOne of the overlays, a flexion film:\n\n![Overlay of a simulated film]({OVERLAY.relative_to(ROOT)})\n"


def _output(*arguments: str) -> str:
    command = [sys.executable, "-m", "aasnode", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _console(command: str, output: str) -> str:
    lines = [line.rstrip() for line in output.rstrip().splitlines()]
    return "\n".join(["```console", f"$ {command}", *lines, "```", ""])


def _put(page: str, name: str, text: str) -> str:
    """Replace what stands between the marks of ``name``."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, rest = page.split(begin)
    return before + begin + text + end + rest.split(end)[1]


def _write_overlay(picture: Path) -> None:
    pixels = cv2.imread(str(picture))
    height = round(pixels.shape[0] * _OVERLAY_WIDTH_PX / pixels.shape[1])
    smaller = cv2.resize(pixels, (_OVERLAY_WIDTH_PX, height), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(OVERLAY), smaller, [cv2.IMWRITE_JPEG_QUALITY, 88])


def main() -> None:
    """Run the demo once, then ``analyse`` on its films."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "demo"
        demo = _output("demo", "--keep", str(folder)).replace(str(folder), "demo")
        films = sorted((folder / "films").glob("*visit-02*.dcm"))
        analysed = _output("analyse", *map(str, films))
        _write_overlay(folder / "archive" / "visit-2-flexion-overlay.png")
    page = _put(README.read_text(encoding="utf-8"), "demo", _console("aasnode demo --keep demo", demo) + _PICTURE)
    page = _put(page, "analyse", _console("aasnode analyse demo/films/*visit-02*.dcm", analysed))
    README.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
