"""Promises of the janitor."""

import sqlite3

from sqlalchemy import event

from aasnode.anatomy import View
from aasnode.config import RetentionSection
from aasnode.store import jobs, results, retention
from aasnode.store.files import FileStore
from aasnode.store.schema import JobKind, JobState
from tests.drawn_films import marked_film
from tests.services.conftest import NOBODY, MakeNode, Node
from tests.services.test_reporter import deliver_everything

DAY = 86400.0


def films(node: Node) -> int:
    return len(list(node.store.inbox.folder.iterdir()))


def made(node: Node) -> int:
    return len(list(node.store.objects.folder.iterdir()))


def empty(files: FileStore) -> None:
    """As somebody who tidies up, or a backup that had no files in it."""
    for path in files.folder.iterdir():
        path.unlink()


def test_old_files_go_and_numbers_stay(node: Node) -> None:
    node.report(marked_film())
    deliver_everything(node)
    node.wait(31 * DAY)
    node.janitor.step()
    assert (films(node), made(node)) == (0, 4)
    node.wait(60 * DAY)
    node.janitor.step()
    assert made(node) == 0
    with node.store.reading() as connection:
        [stored] = results.of_study(connection, marked_film().StudyInstanceUID)
    assert stored.film.measurement is not None


def test_more_files_go_in_one_round_than_a_statement_may_have_parameters(node: Node) -> None:
    node.analyse(*(marked_film(f"film {number}", marks=0, view=View.UNKNOWN) for number in range(14)))
    node.store.engine.dispose()
    event.listen(node.store.engine, "connect", allow_few_parameters)
    node.wait(31 * DAY)
    with node.store.writing() as connection:
        released = retention.release_films(connection, older_than=node.now)
    assert len(released) == 14


def allow_few_parameters(connection: sqlite3.Connection, _: object) -> None:
    connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 13)


def test_nothing_goes_that_is_undelivered_or_rests_in_the_dead_letter(node: Node) -> None:
    node.report(marked_film())
    with node.store.writing() as connection:
        connection.exec_driver_sql("UPDATE jobs SET state = 'dead' WHERE role LIKE 'overlay%'")
    node.wait(1000 * DAY)
    node.janitor.step()
    assert (films(node), made(node)) == (1, 4)


def test_nothing_goes_that_was_not_analysed(node: Node) -> None:
    node.receive(marked_film())
    node.wait(1000 * DAY)
    node.janitor.step()
    assert films(node) == 1


def test_nothing_goes_that_is_in_quarantine(node: Node) -> None:
    node.report(marked_film())
    deliver_everything(node)
    node.analyse(marked_film(adi_px=50))
    node.wait(1000 * DAY)
    node.janitor.step()
    assert films(node) == 1


def test_an_object_stays_as_long_as_any_version_needs_it(node: Node) -> None:
    node.report(marked_film("flexion"))
    deliver_everything(node)
    node.wait(80 * DAY)
    node.report(marked_film("neutral", view=View.NEUTRAL))
    deliver_everything(node)
    node.wait(20 * DAY)
    node.janitor.step()
    assert made(node) == 3 + 2  # of the first version only the overlay that the second one shares


def test_leftovers_of_a_killed_process_are_swept_at_start(node: Node) -> None:
    node.receive(marked_film())
    (node.store.inbox.folder / "half.dcm.part").write_bytes(b"half a film")
    (node.store.objects.folder / "orphan.dcm").write_bytes(b"no row names it")
    assert node.janitor.sweep_leftovers() == 2
    assert films(node) == 1


def test_films_that_a_restored_database_does_not_name_are_not_swept(node: Node) -> None:
    (node.store.inbox.folder / ("a" * 32 + ".dcm")).write_bytes(b"acknowledged after the backup")
    assert node.janitor.sweep_leftovers() == 0
    assert films(node) == 1


def test_only_files_that_were_lost_are_forgotten(node: Node) -> None:
    node.report(marked_film("flexion"), marked_film("neutral", view=View.NEUTRAL))
    assert node.janitor.forget_lost_files() == 0
    with node.store.reading() as connection:
        lost, kept = results.of_study(connection, marked_film().StudyInstanceUID)
    node.store.inbox.remove(lost.file_name or "")
    assert node.janitor.forget_lost_files() == 1
    with node.store.reading() as connection:
        after = results.of_study(connection, marked_film().StudyInstanceUID)
    assert [one.file_name for one in after] == [None, kept.file_name]


def test_nothing_is_forgotten_while_the_folder_itself_is_away(node: Node) -> None:
    node.report(marked_film())
    folder = node.store.inbox.folder
    folder.rename(folder.with_name("of a disk that is not mounted"))
    assert node.janitor.forget_lost_files() == 0


def test_a_film_whose_row_is_about_to_be_committed_is_not_swept_however_short_films_are_kept(
    make_node: MakeNode,
) -> None:
    node = make_node(NOBODY, retention=RetentionSection(film_days=0.0))
    node.store.inbox.write([b"renamed a moment ago"])
    node.janitor.step()
    assert node.janitor.sweep_leftovers() == 0
    assert films(node) == 1


def test_a_job_whose_every_holder_died_is_laid_to_rest(node: Node) -> None:
    node.receive(marked_film())
    with node.store.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE jobs SET state = 'claimed', attempts = max_attempts, lease_until = '2026-01-01 00:00:00.000000'"
        )
    node.janitor.step()
    assert node.jobs(JobKind.ANALYSE, JobState.DEAD)


def test_a_delivery_to_a_destination_that_was_taken_out_is_told(node: Node, make_node: MakeNode) -> None:
    node.report(marked_film())
    other = make_node()
    other.janitor.step()
    assert "not in config.toml" in (node.jobs(JobKind.DELIVER, JobState.DEAD)[0].reason or "")


def test_a_claim_on_a_destination_that_was_taken_out_does_not_rest_for_ever(node: Node, make_node: MakeNode) -> None:
    node.report(marked_film())
    held = node.claim_delivery()
    assert held is not None
    other = make_node()
    other.janitor.step()
    with node.store.reading() as connection:
        assert jobs.get(connection, held.id).state is JobState.CLAIMED  # its sender may still be at work
    other.wait(3600)
    other.janitor.step()
    with node.store.reading() as connection:
        assert jobs.get(connection, held.id).state is JobState.DEAD
