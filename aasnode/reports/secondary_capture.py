"""The overlay of one film as a secondary capture in the film's study."""

from pydicom import Dataset

from aasnode.reports.findings import FilmFindings, StudyFindings


def build_secondary_capture(study: StudyFindings, film: FilmFindings) -> Dataset:
    """The overlay as a whole data set with file meta information; ``film`` is one of ``study.films``, with pixels."""
    raise NotImplementedError
