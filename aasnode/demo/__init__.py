"""One simulated patient, a node, an archive: the whole journey in a minute, with nothing installed but aasnode[train].

``patient`` makes the films, ``archive`` stands in for the PACS, ``node`` starts the real node in a process of its own,
``journey`` sends, waits (``progress``) and shows (``show``). Knows no service: like a PACS, it sees the node from
outside.
"""
