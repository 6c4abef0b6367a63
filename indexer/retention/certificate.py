"""What is left of events that were deleted: what they were, why they went, who saw to it. Pure.

An index that is deleted is deleted once, so a certificate is known by the index's UUID. It is written before
the deletion (`finished` is None) and completed after it; one that is not finished says that the index may
still be there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum, unique
from typing import Any, Final

import orjson

from indexer import keys
from indexer.errors import PermanentError
from indexer.keys import SigningKey
from indexer.query import iso

VERSION: Final = 1
_SIGNED_AS: Final = b"smartwms-audit certificate\n"
# As many documents as a shard holds; days are far fewer.
_COUNT_MAX: Final = 1 << 31


@unique
class Kind(StrEnum):
    """Why an index was deleted."""

    EXPIRY = "expiry"  # its time was over
    ERASURE = "erasure"  # one tenant's events were removed from it before their time


@dataclass(frozen=True, slots=True)
class Carried:
    """So many events of a tenant that were kept: where they lie now, and why."""

    tenant: str
    index: str
    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """The deletion of one index. Times aware; counts by tenant; `-` is no tenant's."""

    id: str
    """The UUID of the deleted index."""
    kind: Kind
    index: str
    """The deleted index; `partition` with something behind it where that had been rebuilt before."""
    partition: str
    """The partition, as writers address it."""
    class_name: str
    period: str
    """"day" or "month"; the events' times were `start` <= time < `end`."""
    start: datetime
    end: datetime
    days: int | None
    """For how long the class kept events when this was decided; None: for as long as there was a reason."""
    tenants: Mapping[str, int]
    """Events before, by tenant."""
    carried: tuple[Carried, ...]
    oldest: str
    """Time of the oldest event, and of the newest; empty where there was none."""
    newest: str
    ids_sha256: str
    """SHA-256 over the sorted ids of all events before, each followed by a newline."""
    policy: Mapping[str, Any]
    """The retention classes that were in force."""
    policy_version: str
    """The first 16 hex digits of the SHA-256 over `policy`, so that equal policies are told at a glance."""
    ran_by: str
    now: datetime
    """The moment by which was decided what is beyond its time; `clock` is that of the cluster, then."""
    clock: datetime
    begun: datetime
    finished: datetime | None = None
    reason: str = ""
    """Of an erasure: what was said for it."""
    signatures: Mapping[str, str] = field(default_factory=dict)
    """By public key, both in hex; empty where no key is set."""

    @property
    def before_count(self) -> int:
        return sum(self.tenants.values())

    @property
    def after_count(self) -> int:
        """How many of the events are kept."""
        return sum(each.count for each in self.carried)

    @property
    def removed(self) -> dict[str, int]:
        """Events that are gone, by tenant; tenants that lost none are left out."""
        left = dict(self.tenants)
        for each in self.carried:
            left[each.tenant] = left.get(each.tenant, 0) - each.count
        return {tenant: count for tenant, count in left.items() if count}

    @property
    def message(self) -> bytes:
        """What is signed: everything that is said here, and of which index."""
        said = {**self.to_source(), "id": self.id}
        del said["signatures"]
        return _SIGNED_AS + orjson.dumps(said, option=orjson.OPT_SORT_KEYS)

    def signed(self, key: SigningKey | None) -> Certificate:
        """Sign as it is now; without a key, no signature of an earlier state is left."""
        return replace(self, signatures={} if key is None else {key.public: key.sign(self.message)})

    @property
    def signers(self) -> set[str]:
        """The public keys whose signatures fit what is said here."""
        message = self.message
        return {key for key, each in self.signatures.items() if keys.is_signed(key, message, each)}

    def is_believed(self, known: Collection[str]) -> bool:
        """Whether one of the known keys signed it; where none is known, whether nothing speaks against it."""
        return not self.signers.isdisjoint(known) if known else self.signers == self.signatures.keys()

    def to_source(self) -> dict[str, Any]:
        """Write as JSON, for the store."""
        return {
            "version": VERSION,
            "kind": self.kind.value,
            "index": self.index,
            "partition": self.partition,
            "class": self.class_name,
            "period": self.period,
            "start": iso(self.start),
            "end": iso(self.end),
            "days": self.days,
            "tenant_ids": sorted(self.tenants),
            "tenants": dict(sorted(self.tenants.items())),
            "carried": [
                {"tenant": each.tenant, "index": each.index, "count": each.count, "reason": each.reason}
                for each in self.carried
            ],
            "before_count": self.before_count,
            "after_count": self.after_count,
            "oldest": self.oldest,
            "newest": self.newest,
            "ids_sha256": self.ids_sha256,
            "policy": dict(self.policy),
            "policy_version": self.policy_version,
            "ran_by": self.ran_by,
            "reason": self.reason,
            "now": iso(self.now),
            "clock": iso(self.clock),
            "begun": iso(self.begun),
            "finished": None if self.finished is None else iso(self.finished),
            "signatures": dict(self.signatures),
        }

    @classmethod
    def from_source(cls, certificate_id: str, source: Mapping[str, Any]) -> Certificate:
        """Read what `to_source` wrote; `PermanentError` when it is something else."""
        try:
            finished = source["finished"]
            made = cls(
                id=certificate_id,
                kind=Kind(source["kind"]),
                index=source["index"],
                partition=source["partition"],
                class_name=source["class"],
                period=source["period"],
                start=datetime.fromisoformat(source["start"]),
                end=datetime.fromisoformat(source["end"]),
                days=source["days"],
                tenants=dict(source["tenants"]),
                carried=tuple(
                    Carried(each["tenant"], each["index"], each["count"], each["reason"])
                    for each in source["carried"]
                ),
                oldest=source["oldest"],
                newest=source["newest"],
                ids_sha256=source["ids_sha256"],
                policy=source["policy"],
                policy_version=source["policy_version"],
                ran_by=source["ran_by"],
                now=datetime.fromisoformat(source["now"]),
                clock=datetime.fromisoformat(source["clock"]),
                begun=datetime.fromisoformat(source["begun"]),
                finished=None if finished is None else datetime.fromisoformat(finished),
                reason=source["reason"],
                signatures=dict(source["signatures"]),
            )
            _check(made)
        except (LookupError, TypeError, ValueError) as error:
            raise PermanentError(f"certificate {certificate_id} is not readable: {error!r}") from error
        return made


def _check(made: Certificate) -> None:
    """ValueError where a certificate counts with anything but numbers, or tells a time of no zone."""
    counts = [*made.tenants.values(), *(each.count for each in made.carried), made.days or 0]
    if not all(type(count) is int and 0 <= count < _COUNT_MAX for count in counts):
        raise ValueError("a count is none")
    moments = (made.start, made.end, made.now, made.clock, made.begun, made.finished or made.begun)
    if not all(moment.tzinfo for moment in moments):
        raise ValueError("a time has no zone")
