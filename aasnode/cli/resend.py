"""``aasnode resend``: deliveries back to work with the bytes that were stored: what failed, or a study once more."""

import argparse
import sys

from aasnode.cli.options import UsageError, add_config, existing_store, load_config
from aasnode.cli.parser import unknown
from aasnode.services.sender import destinations
from aasnode.store import jobs
from aasnode.store.store import utc_now


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--study", metavar="UID", help="of this study, also what was delivered before")
    parser.add_argument("--destination", metavar="NAME", help="to this destination only")
    parser.add_argument("--all-dead", action="store_true", help="everything that rests in the dead letter")
    add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Put deliveries back and say how many."""
    if not (arguments.study or arguments.destination or arguments.all_dead):
        raise UsageError("say what: --study UID, --destination NAME or --all-dead")
    config = load_config(arguments)
    if arguments.destination is not None:
        _require_known(arguments.destination, [one.name for one in destinations(config)])
    with existing_store(config) as store, store.writing() as connection:
        count = jobs.resend(
            connection, now=utc_now(), study_instance_uid=arguments.study, destination=arguments.destination
        )
    print(_outcome(count, arguments.study), file=sys.stderr)
    return 0 if count else 1


def _require_known(name: str, known: list[str]) -> None:
    if not known:
        raise UsageError("--destination: there are none; [[delivery.destinations]] in config.toml names them")
    if name not in known:
        raise UsageError(f"--destination: {unknown(name, known)}")


def _outcome(count: int, study_instance_uid: str | None) -> str:
    if count:
        return f"{count} deliveries are due again." if count > 1 else "1 delivery is due again."
    of_study = f" of study {study_instance_uid}" if study_instance_uid else ""
    return f"No delivery{of_study} can be put back; `aasnode jobs list --kind deliver` shows those that there are."
