"""The program ``aasnode``, which is also ``python -m aasnode``."""

import sys

INTERRUPTED = 130


def main() -> int:
    """Run the command line; gives the exit status. Ctrl-C is no error, not even while the imports last."""
    try:
        from aasnode.cli.main import main as run

        return run()
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
