"""``aasnode jobs list|show|retry``: the queue as rows, one row whole, one row put back to work."""

import argparse
import dataclasses
import sys
from collections.abc import Iterator
from datetime import datetime

from aasnode.cli import job_story
from aasnode.cli.job_story import JobStory
from aasnode.cli.options import Format, add_config, add_format, existing_store, load_config
from aasnode.cli.parser import one_of, whole_number
from aasnode.cli.table import print_json, print_table, site_time
from aasnode.config import Config
from aasnode.store import jobs
from aasnode.store.jobs import Job
from aasnode.store.schema import JobKind, JobState
from aasnode.store.store import Store, utc_now

_HEADINGS = ("job", "kind", "state", "attempts", "due", "of", "destination", "reason")


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    actions = parser.add_subparsers(dest="action", metavar="list|show|retry", required=True)
    listing = actions.add_parser("list", help="the newest jobs, newest first")
    listing.add_argument("--kind", type=one_of(JobKind), metavar="|".join(JobKind))
    listing.add_argument("--state", type=one_of(JobState), metavar="|".join(JobState))
    listing.add_argument(
        "--limit", type=whole_number(at_least=1), default=100, metavar="N", help="100 unless told otherwise"
    )
    show = actions.add_parser("show", help="one job: its film and study, how it stands, what happened when")
    retry = actions.add_parser("retry", help="put a job back that rests, or the film's that was rejected")
    for one in (show, retry):
        one.add_argument("job", type=whole_number(at_least=1), metavar="JOB", help="its number in the list")
    for one in (listing, show):
        add_format(one, Format.TABLE, Format.JSON)
    for one in (listing, show, retry):
        add_config(one)


def run(arguments: argparse.Namespace) -> int:
    """List, show, or put back."""
    actions = {"list": _list, "show": _show, "retry": _retry}
    actions[arguments.action](arguments)
    return 0


def _list(arguments: argparse.Namespace) -> None:
    config = load_config(arguments)
    with existing_store(config) as store, store.reading() as connection:
        found = jobs.list_jobs(connection, kind=arguments.kind, state=arguments.state, limit=arguments.limit)
        subjects = [job_story.subject(connection, job) for job in found]
    if arguments.format is Format.JSON:
        print_json([_as_json(job) for job in found])
    else:
        print_table(_HEADINGS, [_cells(job, of, config) for job, of in zip(found, subjects, strict=True)])


def _show(arguments: argparse.Namespace) -> None:
    config = load_config(arguments)
    with existing_store(config) as store, store.reading() as connection:
        story = job_story.read(connection, arguments.job)
        file = _file(story, store)
    if arguments.format is Format.JSON:
        print_json(_story_as_json(story, file))
        return
    for name, value in _story_rows(story, file):
        print(f"{name:<10}{value}")
    print()
    print_table(("when", "what happened"), [(site_time(event.at, config), event.what) for event in story.events()])


def _retry(arguments: argparse.Namespace) -> None:
    with existing_store(load_config(arguments)) as store, store.writing() as connection:
        job = jobs.retry(connection, arguments.job, now=utc_now())
    print(f"Job {job.id} ({job.kind}) is due again, with all its attempts.", file=sys.stderr)


def _cells(job: Job, of: str, config: Config) -> tuple[object, ...]:
    due = site_time(job.due_at, config)
    return job.id, job.kind, job.state, _attempts(job), due, of, job.destination, job.reason


def _attempts(job: Job) -> str:
    return f"{job.attempts} of {job.max_attempts}"


def _file(story: JobStory, store: Store) -> str | None:
    """Where the film lies; None where it is no longer kept, or the job is of none."""
    name = story.arrival.file_name if story.arrival else None
    return None if name is None else str(store.inbox.path(name))


def _story_rows(story: JobStory, file: str | None) -> Iterator[tuple[str, str]]:
    """What the job is, what it is of, and how it stands."""
    job = story.job
    yield "job", f"{job.id}, {job.kind}"
    yield "state", str(job.state)
    yield "attempts", _attempts(job)
    if job.reason:
        yield "reason", job.reason
    if job.kind is JobKind.DELIVER:
        yield "sends", f"{(job.role or '').partition(':')[0].replace('_', ' ')} to {job.destination}"
    if story.sop_instance_uid:
        yield "film", f"{story.sop_instance_uid} (SOP Instance UID)"
    if story.arrival is not None:
        yield "file", file or "no longer kept"
    yield "study", story.study_instance_uid or "not known before the film is read"
    if story.arrival is not None and story.arrival.reason:
        yield "arrival", f"{story.arrival.state}: {story.arrival.reason}"
    for stored in story.films:
        found = ": ".join(filter(None, [stored.film.status, stored.film.reason]))
        of = "" if story.sop_instance_uid else f"{stored.film.identity.sop_instance_uid}: "
        yield "result" if story.sop_instance_uid else "film", f"{of}{stored.film.view}, {found}"


def _story_as_json(story: JobStory, file: str | None) -> dict[str, object]:
    film = {
        "file": file,
        "sop_instance_uid": story.sop_instance_uid,
        "study_instance_uid": story.study_instance_uid,
        "arrival": story.arrival.state if story.arrival else None,
        "reason": story.arrival.reason if story.arrival else None,
    }
    films = [
        {
            "sop_instance_uid": stored.film.identity.sop_instance_uid,
            "view": stored.film.view,
            "rule": stored.film.rule,
            "selected_by": stored.film.selected_by,
            "status": stored.film.status,
            "reason": stored.film.reason,
        }
        for stored in story.films
    ]
    history = [{"at": event.at.isoformat(), "what": event.what} for event in story.events()]
    return {**_as_json(story.job), "film": film, "results": films, "history": history}


def _as_json(job: Job) -> dict[str, object]:
    return {
        field.name: value.isoformat() if isinstance(value := getattr(job, field.name), datetime) else value
        for field in dataclasses.fields(job)
    }
