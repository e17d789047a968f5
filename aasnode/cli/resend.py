"""``aasnode resend``: deliveries back to work with the bytes that were stored: what failed, or a study once more.

A study also goes where it never went: it was reported in shadow mode, or the destination is new.
"""

import argparse
import sys

from sqlalchemy import Connection

from aasnode.cli.options import UsageError, add_config, existing_store, load_config
from aasnode.cli.parser import unknown
from aasnode.config import Config
from aasnode.services.sender import destinations
from aasnode.store import deliveries, results
from aasnode.store.deliveries import Routes
from aasnode.store.store import utc_now


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--study", metavar="UID", help="of this study, also what was sent before or never was")
    parser.add_argument("--destination", metavar="NAME", help="to this destination only")
    parser.add_argument("--all-dead", action="store_true", help="everything that rests in the dead letter")
    add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Put deliveries back and say how many."""
    if not (arguments.study or arguments.destination or arguments.all_dead):
        raise UsageError("say what: --study UID, --destination NAME or --all-dead")
    config = load_config(arguments)
    known = [one.name for one in destinations(config)]
    if arguments.destination is not None:
        _require_known(arguments.destination, known)
    with existing_store(config) as store, store.writing() as connection:
        under_way = _under_way(connection, known, arguments)
        count, left_alone = _resend(connection, config, known, arguments)
    print(_outcome(count, under_way, arguments.study), file=sys.stderr)
    if left_alone:
        print(f"Left alone, since config.toml does not name it: {', '.join(sorted(left_alone))}.", file=sys.stderr)
    if (count or under_way) and config.delivery.shadow:
        print("Shadow mode: nothing is sent before delivery.shadow is false.", file=sys.stderr)
    return 0 if count or under_way else 1


def _resend(
    connection: Connection, config: Config, known: list[str], arguments: argparse.Namespace
) -> tuple[int, frozenset[str]]:
    """How many deliveries are due again, and the destinations that were left alone."""
    study, destination, now = arguments.study, arguments.destination, utc_now()
    resent = deliveries.resend(connection, known, now=now, study_instance_uid=study, destination=destination)
    if not study:
        return resent.count, resent.unknown
    routes = _routes(connection, config, study, destination)
    asked = deliveries.ask_for_study(connection, study, routes, now=now, attempts=config.delivery.attempts)
    return resent.count + asked, resent.unknown | (routes.keys() - frozenset(known))


def _under_way(connection: Connection, known: list[str], arguments: argparse.Namespace) -> int:
    """How many deliveries of the study need no resending; 0 where no study is named."""
    if not arguments.study:
        return 0
    asked = known if arguments.destination is None else [arguments.destination]
    return deliveries.on_their_way(connection, arguments.study, asked)


def _routes(connection: Connection, config: Config, study_instance_uid: str, destination: str | None) -> Routes:
    """Where a study goes: to the destination that is named, else wherever its report would go by itself."""
    if destination is not None:
        return {destination: None}
    films = results.of_study(connection, study_instance_uid)
    return deliveries.routes(config.delivery, (film.calling_ae_title for film in films if film.is_primary))


def _require_known(name: str, known: list[str]) -> None:
    if not known:
        raise UsageError("--destination: there are none; [[delivery.destinations]] in config.toml names them")
    if name not in known:
        raise UsageError(f"--destination: {unknown(name, known)}")


def _outcome(count: int, under_way: int, study_instance_uid: str | None) -> str:
    if count:
        return f"{count} deliveries are due again." if count > 1 else "1 delivery is due again."
    if under_way:
        verb = "are" if under_way > 1 else "is"
        return f"Deliveries of study {study_instance_uid}: {under_way} {verb} already waiting or being sent."
    of_study = f" of study {study_instance_uid}" if study_instance_uid else ""
    return f"No delivery{of_study} can be put back; `aasnode jobs list --kind deliver` shows those that there are."
