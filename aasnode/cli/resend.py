"""``aasnode resend``: deliveries back to work with the bytes that were stored: what failed, or a study once more."""

import argparse
import sys

from aasnode.cli.options import UsageError, add_config, existing_store, load_config
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
    with existing_store(load_config(arguments)) as store, store.writing() as connection:
        count = jobs.resend(
            connection, now=utc_now(), study_instance_uid=arguments.study, destination=arguments.destination
        )
    print(f"{count} deliveries are due again.", file=sys.stderr)
    return 0 if count else 1
