"""A receiver and nothing else: ``python -m tests.services.receiver_alone DATA_DIR``; ends when its stdin does."""

import sys
from dataclasses import replace
from pathlib import Path

from aasnode.config import Config, NodeSection, ReceiverSection
from aasnode.network.scp import storage_scp
from aasnode.services.receiver import Receiver
from aasnode.store.store import open_store


def main() -> None:
    """Say the port, receive until told to stop."""
    node = NodeSection(host="127.0.0.1", port=0, data_dir=Path(sys.argv[1]))
    config = replace(Config(), node=node, receiver=ReceiverSection(disk_reserve_mb=0))
    with open_store(node.data_dir) as store:
        receiver = Receiver(store, config)
        with storage_scp(config.node, config.receiver, receiver.on_store, receiver.has_room) as port:
            sys.stdout.write(f"{port}\n")
            sys.stdout.flush()
            sys.stdin.read()


if __name__ == "__main__":
    main()
