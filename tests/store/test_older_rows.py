"""Results of an older node stay readable: what was not recorded then has its default."""

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from aasnode.reports.wording import describe_verdict
from aasnode.store import results
from aasnode.store.schema import results as results_table
from aasnode.store.store import Store
from tests.measurement.points import measured
from tests.store.arrivals import film, keep


@pytest.mark.parametrize(
    "later", [("measurement", "adi_withheld"), ("measurement", "sac_withheld"), ("selected_by",)], ids=".".join
)
def test_a_result_without_a_later_fact_is_read(store: Store, later: tuple[str, ...]) -> None:
    found = film("1.2.3")
    with store.writing() as connection:
        keep(connection, found)
        details = connection.execute(select(results_table.c.details)).scalar_one()
        *path, key = later
        del (details[path[0]] if path else details)[key]
        connection.execute(update(results_table).values(details=details))
        [stored] = results.of_study(connection, "1.2.9")
    assert stored.film == found


def test_a_result_that_was_assessed_by_the_interval_is_read_with_what_it_said_then(store: Store) -> None:
    """Before the guard bands: another limit, no threshold beside it, and what a film is in its study."""
    found = replace(film("1.2.3"), measurement=measured(3.2, 20.0))
    with store.writing() as connection:
        keep(connection, found)
        details = connection.execute(select(results_table.c.details)).scalar_one()
        told = details["measurement"]
        told |= {"assessment": "uncertain", "is_view_stated": True, "is_repeat": False}
        told["adi_finding"] |= {"assessment": "uncertain", "limit": "spans 3 mm"}
        del told["criteria"], told["adi_finding"]["threshold_mm"], told["sac_finding"]["threshold_mm"]
        connection.execute(update(results_table).values(details=details))
        [stored] = results.of_study(connection, "1.2.9")
    assert stored.film.measurement is not None
    assert stored.film.measurement.adi_finding is not None
    assert describe_verdict(stored.film.measurement.adi_finding).endswith("spans 3 mm: uncertain")
    assert stored.film.measurement.adi_finding.spans_threshold is None
    assert stored.film.measurement.assessed_by == "thresholds that were not kept"
