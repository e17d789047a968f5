"""The tree of errors: what may be tried again, and what never will work.

    AasnodeError
    ├── TransientError          try again later: the same work may succeed
    │   ├── DiskReserveError    the disk is below its reserve
    │   ├── StoreBusyError      the database did not answer in time
    │   └── PeerUnreachableError  no connection, time-out, or 0xA7xx from a peer
    └── PermanentError          never will work with this input
        ├── ConfigurationError  config.toml has problems; carries all of them
        ├── UnreadableError     a file or data set that cannot be read
        ├── UnsupportedError    readable, but of a kind that is not handled
        ├── ModelError          weights and card disagree, or are missing
        └── PeerRefusedError    a peer answered with a failure status

Messages name UIDs, never a patient's name, birth date or ID.
"""


class AasnodeError(Exception):
    """Root of every error that aasnode raises on purpose."""


class TransientError(AasnodeError):
    """The same work may succeed later."""


class DiskReserveError(TransientError):
    """The disk is below its configured reserve."""


class StoreBusyError(TransientError):
    """The database did not answer in time."""


class PeerUnreachableError(TransientError):
    """A peer could not be reached, timed out, or is out of resources."""


class PermanentError(AasnodeError):
    """The same work will never succeed with the same input."""


class ConfigurationError(PermanentError):
    """``config.toml`` has problems; all of them are listed at once."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


class UnreadableError(PermanentError):
    """A file or data set that cannot be read."""


class UnsupportedError(PermanentError):
    """Readable, but of a kind that is not handled."""


class ModelError(PermanentError):
    """Weights and card disagree, or one of them is missing."""


class PeerRefusedError(PermanentError):
    """A peer answered with a failure status that a retry will not change."""
