"""``python -m aasnode`` is ``aasnode``."""

import sys

from aasnode.cli.main import main

sys.exit(main())
