"""``aasnode doctor``: looks at everything that a node needs; says of each whether it is well, and what to do if not."""

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import partial

import numpy as np
from pydicom.uid import UID

from aasnode.assets import shipped_model
from aasnode.cli.options import (
    Format,
    NoStoreError,
    add_config,
    add_format,
    config_path,
    database_of,
    existing_store,
    load_config,
)
from aasnode.cli.parser import one_of
from aasnode.cli.table import print_json, print_table
from aasnode.config import Config, Destination
from aasnode.errors import AasnodeError, ModelError, PeerRefusedError, UnsupportedError
from aasnode.inference.detection import Outcome
from aasnode.network import scu
from aasnode.services.sender import destinations
from aasnode.store import jobs
from aasnode.store.files import FileStore
from aasnode.store.schema import JobState

Look = Callable[[], Iterator[str]]
"""Yields what is well; raises what is not."""

_BLANK_PX = 1024


class Part(StrEnum):
    """What is looked at, in this order."""

    CONFIG = "config"
    DISK = "disk"
    DATABASE = "database"
    MODEL = "model"
    DESTINATIONS = "destinations"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One look: ``well`` or not, and what was seen."""

    part: Part
    well: bool
    seen: str


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--only", type=one_of(Part), metavar="|".join(Part), help="look at this part alone")
    add_format(parser, Format.TABLE, Format.JSON)
    add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Look, print, and exit 1 when anything is not well; 2 when the configuration is not."""
    config = load_config(arguments)
    path = config_path(arguments)
    config_seen = f"{path} is in order" if path else "no file: the values as shipped"
    if not config.receiver.allowed_calling_ae_titles:
        config_seen += "; whoever reaches the port may send (receiver.allowed_calling_ae_titles is empty)"
    findings = [Finding(part=Part.CONFIG, well=True, seen=config_seen)]
    for part, look in _looks(config):
        if arguments.only in (None, part):
            print(f"looking at {part} …", file=sys.stderr)
            findings += _findings(part, look)
    if arguments.format is Format.JSON:
        print_json([asdict(finding) for finding in findings])
    else:
        rows = [(one.part, "well" if one.well else "NOT WELL", one.seen) for one in findings]
        print_table(("part", "is", "because"), rows)
    return 0 if all(finding.well for finding in findings) else 1


def _looks(config: Config) -> Iterator[tuple[Part, Look]]:
    """What there is to look at, each by itself: one that fails hides no other."""
    yield Part.DISK, partial(_disk, config)
    yield Part.DATABASE, partial(_database, config)
    yield Part.MODEL, partial(_model, config)
    places = destinations(config)
    if not places:
        yield Part.DESTINATIONS, partial(_nowhere, config)
    for destination in places:
        yield Part.DESTINATIONS, partial(_destination, config, destination)


def _findings(part: Part, look: Look) -> Iterator[Finding]:
    """What a look saw; an error is the last thing that it sees."""
    try:
        for seen in look():
            yield Finding(part=part, well=True, seen=seen)
    except (AasnodeError, OSError) as error:
        yield Finding(part=part, well=False, seen=str(error))


def _nowhere(config: Config) -> Iterator[str]:
    """No destination is well only where nothing is to be sent."""
    if not config.delivery.shadow:
        hint = "name one in delivery.destinations, or set delivery.shadow"
        raise UnsupportedError(f"none configured: reports are made and go nowhere; {hint}")
    yield "none configured, and none needed: delivery.shadow"


def _disk(config: Config) -> Iterator[str]:
    """Free space where the data lies, or will lie; makes nothing."""
    folder = config.node.data_dir.absolute()
    place = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        raise UnsupportedError(f"{folder}: {place} is no folder that this user may write in; see node.data_dir")
    FileStore(place, reserve_bytes=config.receiver.disk_reserve_mb << 20).require_space()
    not_yet = "" if place == folder else ", not there yet: aasnode serve makes it"
    yield f"{folder}: {shutil.disk_usage(place).free >> 30} GB free{not_yet}"


def _database(config: Config) -> Iterator[str]:
    try:
        with existing_store(config) as store, store.reading() as connection:
            counts = jobs.counts(connection)
    except NoStoreError:
        yield f"{database_of(config)}: not there yet: aasnode serve makes it"
        return
    dead = sum(count for (_, state), count in counts.items() if state is JobState.DEAD)
    yield f"{sum(counts.values())} jobs, {dead} of them rest in the dead letter"


def _model(config: Config) -> Iterator[str]:
    """Weights that match their card, the device, and a blank film that must not be answered."""
    from aasnode.inference.detector import load_detector
    from aasnode.inference.stage import choose_device

    folder = config.model.directory or shipped_model()
    detector = load_detector(folder, config.model.device)
    yield f"{detector.model} on {choose_device(config.model.device)}: weights match their card"
    started = time.perf_counter()
    outcome = detector.detect(np.zeros((_BLANK_PX, _BLANK_PX), np.float32), None).outcome
    if outcome is Outcome.FOUND:
        raise ModelError(f"{folder}: finds landmarks on a blank film; install the model again")
    yield f"a blank film is not answered ({time.perf_counter() - started:.1f} s)"


def _destination(config: Config, destination: Destination) -> Iterator[str]:
    """Whether it answers C-ECHO, and which of our objects it accepts."""
    title, seconds = config.node.ae_title, config.delivery.timeout_seconds
    scu.echo(destination, calling_ae_title=title, timeout_seconds=seconds)
    yield f"{destination.name}: answers C-ECHO"
    accepted = scu.probe(destination, calling_ae_title=title, timeout_seconds=seconds)
    names = [UID(sop_class).name for sop_class, syntaxes in accepted.items() if syntaxes]
    if not names:
        raise PeerRefusedError(f"{destination.name}: accepts none of our objects; see docs/conformance.md")
    yield f"{destination.name}: accepts {', '.join(names)}"
