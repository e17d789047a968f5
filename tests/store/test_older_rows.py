"""Results of an older node stay readable: what was not recorded then has its default."""

import pytest
from sqlalchemy import select, update

from aasnode.store import results
from aasnode.store.schema import results as results_table
from aasnode.store.store import Store
from tests.store.arrivals import film, keep


@pytest.mark.parametrize("key", ["adi_withheld", "sac_withheld"])
def test_a_measurement_without_a_later_fact_is_read(store: Store, key: str) -> None:
    found = film("1.2.3")
    with store.writing() as connection:
        keep(connection, found)
        details = connection.execute(select(results_table.c.details)).scalar_one()
        del details["measurement"][key]
        connection.execute(update(results_table).values(details=details))
        [stored] = results.of_study(connection, "1.2.9")
    assert stored.film == found
