"""What became of a film: the one list of it, and which films a report speaks of."""

from enum import StrEnum


class FilmStatus(StrEnum):
    """What became of a film."""

    MEASURED = "measured"  # at least one value in mm
    LOCATED = "located"  # a lateral cervical view with at least two points, but no mm
    ABSTAINED = "abstained"  # a lateral cervical view perhaps, not measurable
    REJECTED = "rejected"  # no such view
    FAILED = "failed"  # unreadable

    @property
    def is_reported(self) -> bool:
        """Whether the film may be what this node measures; any other is recorded and reported nowhere."""
        return self in (FilmStatus.MEASURED, FilmStatus.LOCATED, FilmStatus.ABSTAINED)
