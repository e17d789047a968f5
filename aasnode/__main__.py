"""``python -m aasnode`` is ``aasnode``."""

import sys

from aasnode.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
