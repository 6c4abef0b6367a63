"""Where an event lives: `<prefix>-audit-<class>-<period>`, chosen from the record's own bytes and time alone.

An index that retention has made of a partition's events has eight hex digits behind its name; where
writers may still have events for it, the partition's own name is its alias. Names are pure functions here;
`ensure` creates a partition before its first write, with settings, mapping and alias in the one request, so
that no missing template can make an editable or dynamic index.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from indexer import assets, indices, mappings
from indexer.client import Client
from indexer.errors import DeniedError, PartitionError, SettingsError

DAY: Final = "day"
MONTH: Final = "month"
PERIODS: Final = (DAY, MONTH)

_NAME: Final = re.compile(r"(.+)-audit-([a-z]+)-(\d{4})\.(\d\d)(?:\.(\d\d))?(?:-([0-9a-f]{8}))?")
_MARK_CHARS: Final = len("-1a2b3c4d")


@dataclass(frozen=True, slots=True)
class Partition:
    """What a partition's name says; the period is `start` <= time < `end`, UTC."""

    name: str
    prefix: str
    class_name: str
    period: str
    start: datetime
    end: datetime
    is_copy: bool = False
    """Whether retention made it."""

    @property
    def address(self) -> str:
        """The name by which writers know it."""
        return self.name[:-_MARK_CHARS] if self.is_copy else self.name


def alias(prefix: str) -> str:
    """Return the alias that reads all partitions."""
    return f"{prefix}-audit"


def pattern(prefix: str) -> str:
    """Return the index pattern of all partitions, whether in the alias or not."""
    return f"{prefix}-audit-*"


def partition_name(prefix: str, class_name: str, day: str, period: str) -> str:
    """Name the partition of an event: `day` is its UTC time as ISO text, at least "2026-11-23"."""
    if period == DAY:
        return f"{prefix}-audit-{class_name}-{day[:4]}.{day[5:7]}.{day[8:10]}"
    return f"{prefix}-audit-{class_name}-{day[:4]}.{day[5:7]}"


def copy_name(partition: Partition, class_name: str, mark: str) -> str:
    """Name what retention makes of a partition's events; `mark` are eight hex digits."""
    name = partition_name(partition.prefix, class_name, partition.start.isoformat(), partition.period)
    return f"{name}-{mark}"


def parse(name: str) -> Partition | None:
    """Read a partition's name back; None when it is no partition's."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    prefix, class_name, year, month, day, mark = found.groups()
    try:
        start = datetime(int(year), int(month), int(day or 1), tzinfo=UTC)
        # 31 days after its first, every month is over: the first of whichever month that is, is the next's.
        end = start + timedelta(days=1) if day else (start + timedelta(days=31)).replace(day=1)
    except (ValueError, OverflowError):
        return None
    return Partition(name, prefix, class_name, DAY if day else MONTH, start, end, is_copy=mark is not None)


def ensure(client: Client, name: str) -> bool:
    """Make sure that the partition `name` exists as ours; True when it was created now.

    `PartitionError` when an index of that name is editable, has left the alias, or is mapped otherwise:
    writing into it would break a promise, so its events wait until a person has looked. Safe to call from
    many processes.
    """
    partition = parse(name)
    if partition is None:
        raise SettingsError(f"{name!r} is no name of a partition, such as smartwms-audit-business-2026.11.23")
    template = assets.event_template(partition.prefix)
    alias_name = alias(partition.prefix)
    created = indices.create(
        client, name, settings=template.settings, mappings=template.mappings, aliases={alias_name: {}}
    )
    if not created:
        found = indices.look(client, name)[0]
        fault = fault_of(found, alias_name)
        if fault:
            raise PartitionError(fault)
        _complete(client, found, template)
    return created


def fault_of(index: indices.Index, alias_name: str) -> str:
    """Say in a sentence why events must not be written to (or trusted in) this index; "" when they may."""
    if index.is_closed:
        return f"partition {index.name} is closed: open it (`POST /{index.name}/_open`); its events wait"
    if not index.append_only:
        return (
            f"partition {index.name} is editable: index.append_only.enabled is not true; "
            "SmartWMS Audit did not create it, so move it away and let the events be sent again"
        )
    if alias_name not in index.aliases:
        return (
            f"partition {index.name} is not in the alias {alias_name}: it is being carried over, or was "
            "taken out by hand; its events wait until it is gone or back"
        )
    if alias_name in index.narrowed:
        return (
            f"partition {index.name} shows a part of its events only: the alias {alias_name} has a filter or "
            "a routing there; add it to the alias again without, and its events are sent"
        )
    difference = mappings.compare(
        index.mappings, assets.event_template(alias_name.removesuffix("-audit")).mappings
    )
    if difference.otherwise:
        return (
            f"partition {index.name} is mapped otherwise: {'; '.join(difference.otherwise)}; "
            "move it away and let its events be sent again"
        )
    return ""


def _complete(client: Client, index: indices.Index, template: assets.Template) -> None:
    """Give a partition of an older version the fields it lacks, where our role may."""
    missing = mappings.compare(index.mappings, template.mappings).missing
    if not missing:
        return
    try:
        indices.add_fields(client, index.name, template.mappings)
    except DeniedError as error:
        raise PartitionError(
            f"partition {index.name} lacks the fields {', '.join(missing)} of this version, and this user "
            "may not add them; run `audit-indexer apply` as one who may"
        ) from error
