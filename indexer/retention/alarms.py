"""What retention says ERROR about: each with what it means and what to do, as the runbook has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from indexer.errors import PermanentError


@dataclass(frozen=True, slots=True)
class Alarm:
    """What an alarm means, and the way out of it."""

    means: str
    do: str


ALARMS: Final[dict[str, Alarm]] = {
    "another-run": Alarm(
        "Another run holds the lease; this one did nothing, or ended.",
        "Wait for it. If its machine is gone, the lease ends by itself within ten minutes.",
    ),
    "clock-wrong": Alarm(
        "This machine's clock does not agree with the cluster's or the newest event; nothing was deleted.",
        "Put the clock right; if it is right and the warehouse was only quiet, run once with `--now`.",
    ),
    "certificate-not-written": Alarm(
        "A certificate of deletion could not be written, so nothing more was deleted.",
        "Run `audit-indexer apply`; this user must be allowed to write `*-app-certificates`.",
    ),
    "certificate-doubted": Alarm(
        "A certificate that a killed run seems to have left is not signed by our key; it stays as it is.",
        "Find out who wrote it. After a change of the key, run once with the one before.",
    ),
    "passed-over": Alarm(
        "The store refused, or failed at, something about one index; the others went on.",
        "The sentence says why (a block, a full disk, a lost shard); put that right: the next run goes on.",
    ),
    "outside-period": Alarm(
        "A partition holds events whose time is not of its period; it was passed over.",
        "Find out who wrote them (`host.name`, `event.ingested`): no agent of ours does.",
    ),
    "not-ours": Alarm(
        "An index among the partitions is editable, mapped otherwise or not in the alias; it is passed over.",
        "`audit-indexer plan` says what is wrong with it; put it right, or move it away.",
    ),
    "copy-differs": Alarm(
        "What was carried over is not what is to be kept (any more); the partition stays as it was.",
        "Nothing if a hold changed just then; else look into the store's log. The next run begins anew.",
    ),
    "held-erasure": Alarm(
        "A tenant whose erasure is confirmed is on legal hold; nothing of it is erased.",
        "Release the hold; the next run goes on with the erasure.",
    ),
    "not-merged": Alarm(
        "A closed partition could not be force-merged; it is as good as before, only larger.",
        "See that the disk has room for a second copy of it; the next run tries again.",
    ),
}


class AlarmError(PermanentError):
    """Something that a person must know of; `name` is one of ALARMS."""

    exit_code = 1

    def __init__(self, name: str, sentence: str) -> None:
        """Refuse a name that the runbook does not know."""
        super().__init__(sentence)
        self.name = name
        self.alarm = ALARMS[name]
