"""The real node with the detector of drawn marks: ``python -m tests.journeys.marked_node CONFIG``."""

import sys
from pathlib import Path

from aasnode import config, log, node
from tests import drawn_films


def main() -> None:
    """Serve as ``aasnode serve`` does; says READY on stdout once films are taken."""
    settings = config.load(Path(sys.argv[1]))
    log.configure(settings.log.level)
    node.serve(settings, load_detector=drawn_films.load, ready=_say_ready)


def _say_ready(port: int) -> None:
    sys.stdout.write(f"READY {port}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
