"""Results of an older node stay readable: what was not recorded then has its default."""

import pytest
from sqlalchemy import select, update

from aasnode.store import results
from aasnode.store.schema import results as results_table
from aasnode.store.store import Store
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
