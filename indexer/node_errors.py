"""What can go wrong with a local node: one sentence with the way out, then the node's own words."""

from pathlib import Path

import click

from indexer.errors import IndexerError


class NodeError(IndexerError, click.ClickException):
    """The local node could not do what it was asked; click shows the sentence and takes the exit code."""

    exit_code = 2


class NodeSetupError(NodeError):
    """Something this machine lacks: Java, Maven, disk, a free port, a usable folder."""


class NodeStartError(NodeError):
    """The node was started and did not come to answer: it died, or the time was up."""

    exit_code = 3

    def __init__(self, sentence: str, own_words: str) -> None:
        super().__init__(f"{sentence}\n{own_words}" if own_words else sentence)


class NodeNotRunningError(NodeError):
    """No node of this folder is running."""

    exit_code = 3

    def __init__(self, data: Path) -> None:
        super().__init__(
            f"no node is running in {data}: `audit-indexer node start --data {data} --port 9200` starts one"
        )
