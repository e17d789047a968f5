"""aasnode as a wheel, and installed from it: what a user has who never saw the checkout."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
_PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]


def build_wheel(source: Path, out: Path) -> Path:
    """A wheel in ``out`` of what git knows, linked into the empty folder ``source``."""
    known = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in known.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).symlink_to(ROOT / name)
    command = [*_PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(out), str(source)]
    subprocess.run(command, check=True, timeout=280)
    (wheel,) = out.glob("*.whl")
    return wheel


def install_wheel(wheel: Path, folder: Path) -> Path:
    """The wheel in an environment of its own in ``folder``; gives the folder of its programs.

    It sees the packages of this environment, which are installed already, but not its link to the checkout: the names
    in a .pth file become folders to import from, and .pth files in these are not read.
    """
    venv.create(folder, symlinks=True)
    programs = folder / "bin"
    subprocess.run([*_PIP, "--python", programs / "python", "install", "--no-deps", "--no-index", wheel], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "of_the_tests.pth").write_text(f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n")
    return programs
