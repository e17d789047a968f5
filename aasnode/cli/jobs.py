"""``aasnode jobs list|show|retry``: the queue as rows, one row whole, one row put back to work."""

import argparse
import dataclasses
import json
import sys
from datetime import datetime

from aasnode.cli.options import Format, add_config, add_format, existing_store, load_config
from aasnode.cli.table import print_table
from aasnode.store import jobs
from aasnode.store.jobs import Job
from aasnode.store.schema import JobKind, JobState
from aasnode.store.store import utc_now

_HEADINGS = ("job", "kind", "state", "attempts", "due", "of", "destination", "reason")


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    actions = parser.add_subparsers(dest="action", metavar="list|show|retry", required=True)
    listing = actions.add_parser("list", help="the newest jobs, newest first")
    listing.add_argument("--kind", type=JobKind, choices=list(JobKind), metavar="|".join(JobKind))
    listing.add_argument("--state", type=JobState, choices=list(JobState), metavar="|".join(JobState))
    listing.add_argument("--limit", type=int, default=100, metavar="N", help="100 unless told otherwise")
    show = actions.add_parser("show", help="everything that is known of one job")
    retry = actions.add_parser("retry", help="put a job back that rests in the dead letter")
    for one in (show, retry):
        one.add_argument("job", type=int, metavar="JOB", help="its number in the list")
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
    with existing_store(load_config(arguments)) as store, store.reading() as connection:
        found = jobs.list_jobs(connection, kind=arguments.kind, state=arguments.state, limit=arguments.limit)
    if arguments.format is Format.JSON:
        print(json.dumps([_as_json(job) for job in found], indent=2))
    else:
        print_table(_HEADINGS, [_cells(job) for job in found])


def _show(arguments: argparse.Namespace) -> None:
    with existing_store(load_config(arguments)) as store, store.reading() as connection:
        job = jobs.get(connection, arguments.job)
    if arguments.format is Format.JSON:
        print(json.dumps(_as_json(job), indent=2))
    else:
        print_table(("field", "value"), list(_as_json(job).items()))


def _retry(arguments: argparse.Namespace) -> None:
    with existing_store(load_config(arguments)) as store, store.writing() as connection:
        job = jobs.retry(connection, arguments.job, now=utc_now())
    print(f"Job {job.id} ({job.kind}) is due again, with all its attempts.", file=sys.stderr)


def _cells(job: Job) -> tuple[object, ...]:
    due = job.due_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    attempts = f"{job.attempts} of {job.max_attempts}"
    subject = job.study_instance_uid or f"instance {job.instance_id}"
    return job.id, job.kind, job.state, attempts, due, subject, job.destination, job.reason


def _as_json(job: Job) -> dict[str, object]:
    return {
        field.name: value.isoformat() if isinstance(value := getattr(job, field.name), datetime) else value
        for field in dataclasses.fields(job)
    }
