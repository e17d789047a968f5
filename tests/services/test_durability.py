"""0x0000 only after everything is on the disk, as the kernel sees it."""

import re
import subprocess
import sys
from pathlib import Path

from pynetdicom import AE

from tests.drawn_films import marked_film

ROOT = Path(__file__).parents[2]
CALLS = "trace=fsync,fdatasync,rename,sendto"
FILM_SYNCED = re.compile(r"f(data)?sync\(\d+<.*/inbox/[0-9a-f]+\.dcm\.part>\)")
RENAMED = re.compile(r"rename\(.*\.dcm\.part\"")
FOLDER_SYNCED = re.compile(r"f(data)?sync\(\d+<.*/inbox>\)")
COMMITTED = re.compile(r"f(data)?sync\(\d+<.*aasnode\.db-wal>\)")
ANSWERED = re.compile(r"sendto\(\d+<(socket|TCP)")


def test_file_folder_and_row_are_synced_in_this_order_before_success_is_sent(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    command = ["strace", "-f", "-y", "-e", CALLS, "-o", trace]
    command += [sys.executable, "-m", "tests.services.receiver_alone", tmp_path / "data"]
    film = marked_film()
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        entity = AE(ae_title="MODALITY")
        entity.add_requested_context(film.SOPClassUID, film.file_meta.TransferSyntaxUID)
        association = entity.associate("127.0.0.1", int(process.stdout.readline()), ae_title="AASNODE")
        assert association.send_c_store(film).Status == 0
        association.release()
        process.stdin.close()
        assert process.wait(60) == 0
    lines = trace.read_text().splitlines()
    begun = next(number for number, line in enumerate(lines) if ANSWERED.search(line))  # the association is accepted
    answered = next(number for number in range(begun + 1, len(lines)) if ANSWERED.search(lines[number]))
    steps = [FILM_SYNCED, RENAMED, FOLDER_SYNCED, COMMITTED]
    order = [next(n for n, line in enumerate(lines) if n > begun and step.search(line)) for step in steps]
    assert order == sorted(order)
    assert order[-1] < answered
