"""``aasnode status``: what waits, what rests, what arrived when, and what an operator should look at."""

import argparse
import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from aasnode.cli.options import Format, add_config, add_format, existing_store, load_config
from aasnode.cli.table import print_json, print_table, site_time
from aasnode.config import Config
from aasnode.store import instances, jobs
from aasnode.store.schema import Arrival, JobKind, JobState
from aasnode.store.store import Store, utc_now

State = Mapping[str, Any]
"""The object of ``--format json``."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_format(parser, Format.TABLE, Format.JSON)
    add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the state of the node as its database has it; the node need not run."""
    config = load_config(arguments)
    with existing_store(config) as store:
        state = {"shadow": config.delivery.shadow, **_state(store)}
    if arguments.format is Format.JSON:
        print_json(state)
    else:
        _show(state, config)
    return 0


def _state(store: Store) -> State:
    with store.reading() as connection:
        counts = jobs.counts(connection)
        arrivals = instances.last_arrivals(connection)
        quarantined = instances.list_in_state(connection, Arrival.QUARANTINED)
        return {
            "jobs": {kind: {state: counts.get((kind, state), 0) for state in JobState} for kind in JobKind},
            "waiting_seconds": {kind: _waiting(connection, kind) for kind in JobKind},
            "put_off": [
                {**dataclasses.asdict(one), "next_at": one.next_at.isoformat()} for one in jobs.put_off(connection)
            ],
            "last_arrivals": {name: when.isoformat() for name, when in arrivals.items()},
            "quarantined": [{"sop_instance_uid": one.sop_instance_uid, "reason": one.reason} for one in quarantined],
            "header_revisions": [
                {"sop_instance_uid": revision.sop_instance_uid, **dataclasses.asdict(difference)}
                for revision in instances.list_revisions(connection)
                for difference in revision.differences
            ],
        }


def _waiting(connection: Connection, kind: JobKind) -> float:
    """Seconds for which the job of a kind has waited that waits longest, tried in vain or not."""
    now = utc_now()
    since = jobs.waiting_since(connection, kind, now=now)
    return 0.0 if since is None else round((now - since).total_seconds(), 1)


def _show(state: State, config: Config) -> None:
    waiting = state["waiting_seconds"]
    rows = [(kind, *counts.values(), f"{waiting[kind]} s") for kind, counts in state["jobs"].items()]
    print_table(("jobs", *JobState, "longest wait"), rows)
    if state["shadow"]:
        print("Shadow mode: nothing is sent")
    if any(counts[JobState.DEAD] for counts in state["jobs"].values()):
        print("Dead jobs rest with their reason: aasnode jobs list --state dead")

    def when(instant: str) -> str:
        return site_time(datetime.fromisoformat(instant), config)

    _section(
        "Put off: tried in vain, and tried again",
        ("jobs", "to", "how many", "next", "because of"),
        [(o["kind"], o["destination"], o["count"], when(o["next_at"]), o["reason"]) for o in state["put_off"]],
    )
    _section("Last arrivals", ("sender", "when"), [(name, when(at)) for name, at in state["last_arrivals"].items()])
    _section(
        "Quarantined: other pixels under a known UID, or no such instance at all",
        ("SOP instance", "reason"),
        [(one["sop_instance_uid"], one["reason"]) for one in state["quarantined"]],
    )
    _section(
        "Header revisions: the same film came again with another identity; the first one holds",
        ("SOP instance", "element", "before", "after"),
        [tuple(one.values()) for one in state["header_revisions"]],
    )


def _section(title: str, headings: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    if rows:
        print(f"\n{title}")
        print_table(headings, rows)
