"""The store against the seals: every event has its leaf, every leaf its event, or a certificate.

Both sides are written to disk by id and matched bucket by bucket, so memory depends neither on the number of
events nor on the size of a partition.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from time import monotonic
from typing import Any, Final

from indexer import partitions, tenants
from indexer.classes import DEFAULTS, LONGEST
from indexer.client import Client
from indexer.errors import MissingError, PermanentError
from indexer.event import event_hash
from indexer.query import Query, Scope, iso, within_tenant
from indexer.retention import certificates
from indexer.retention.certificate import Certificate
from indexer.seals import merkle, scan, seal
from indexer.seals.anchors import Anchor
from indexer.seals.chains import Chains, Trouble
from indexer.seals.confirmations import Confirmations
from indexer.seals.deletions import Deletions
from indexer.seals.judge import FRESH, WHOLE, EventRecord, Judgement, LeafRecord, judge
from indexer.seals.leaves import ID_CHARS, Placement
from indexer.seals.report import Extent, Report
from indexer.seals.seal import SealError
from indexer.seals.shelf import Shelf
from indexer.seals.spill import Folder, Spill, buckets_for
from indexer.seals.states import State

SEALED_WITHIN: Final = timedelta(minutes=15)
"""An event younger than this may wait for its seal."""

_LEAF: Final = struct.Struct("<24s16sIIIB")
_EVENT: Final = struct.Struct("<24s32sIIB")
_PROVEN: Final = struct.Struct("<II32s")
_NO_HASH: Final = bytes(merkle.LEAF_BYTES)
# Runs of retention take partitions away one after the other.
_ATTEMPTS: Final = 10

Progress = Callable[[str, int, int], None]
"""What is done, how much of it, of how much."""


class Numbers:
    """Small numbers for values that repeat in millions of records."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._numbers: dict[Any, int] = {}

    def of(self, value: object) -> int:
        number = self._numbers.get(value)
        if number is None:
            number = self._numbers[value] = len(self.values)
            self.values.append(value)
        return number


class Verification:
    """One check, from the seals to the report."""

    def __init__(
        self,
        client: Client,
        prefix: str,
        extent: Extent,
        *,
        now: datetime,
        progress: Progress = lambda *_: None,
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._extent = extent
        self._now = now
        self._begun_secs = monotonic()
        self._query = within_tenant(Scope(extent.tenant), Query({"match_all": {}}))
        self._progress = progress
        self._shelf = Shelf(client, prefix)
        self._placements = Numbers()
        self._indices = Numbers()
        self._tenants = Numbers()
        self._sealed: list[seal.Seal] = []
        self._report = Report(extent, now)
        self._confirmations = Confirmations()
        self._gone: Counter[tuple[int, State]] = Counter()

    def run(
        self,
        anchors: Sequence[Anchor] = (),
        pinned: Iterable[str] = (),
        certifiers: Collection[str] = (),
    ) -> Report:
        """Check everything in scope. Raises the errors of `indexer.errors` when the store cannot be read.

        `pinned` and `certifiers` are public keys: of agents, and of who may certify deletions. None: the keys
        that anchors name, or whatever keys are found, are believed.
        """
        report = self._report
        # Who can add an anchor need not be who says which keys are the agents'.
        known = {*pinned} or {anchor.key for anchor in anchors}
        chains = self._chains(known)
        report.troubles += chains.troubles(anchors)
        report.chains = sorted(chains.by_id.values(), key=lambda chain: (chain.host, chain.last.time))
        report.restarted = [chain.id for chain in chains.restarted]
        report.anchors_count, report.is_pinned = len(anchors), bool(known)
        report.is_certified = bool(certifiers)
        event_count = scan.count(self._client, list(self._members()), self._query)
        leaf_count = sum(chain.count for chain in chains.by_id.values())
        buckets = buckets_for(max(event_count, leaf_count))
        with Folder() as folder:
            leaves = Spill(folder.path, "leaves", _LEAF, buckets)
            proven = Spill(folder.path, "proven", _PROVEN, buckets)
            self._read_seals(chains, leaves)
            indices, events = self._all_events(folder, buckets, event_count)
            # Read after the events: what retention deletes meanwhile has its certificate then.
            believed = list(self._believed(certifiers))
            classes = tenants.recorded_classes(self._client, self._prefix) or DEFAULTS
            self._deletions = Deletions(
                believed,
                classes,
                [_address(name) for name in indices],
                self._moment(),
            )
            for bucket in range(buckets):
                self._match(leaves.bucket(bucket), events.bucket(bucket), proven)
                self._progress("matching", bucket + 1, buckets)
            proven.done()
            for bucket in range(buckets):
                self._check_roots(proven.bucket(bucket))
        self._report.troubles += [
            Trouble(State.HIDDEN, "", f"searches see a part of {name} only")
            for name, is_narrowed in indices.items()
            if is_narrowed
        ]
        self._settle_counts()
        if self._extent == Extent():
            # The trail is the operators': with anything left out, a line that is not seen proves nothing.
            unconfirmed = self._confirmations.missing(believed, self._now, classes[LONGEST].days or 0)
            report.troubles += [
                Trouble(State.UNCONFIRMED, "", f"of tenant {tenant}") for tenant in unconfirmed
            ]
        report.finished = datetime.now(UTC)
        return report

    # -- the two sides

    def _chains(self, pinned: Iterable[str]) -> Chains:
        chains = Chains(tuple(pinned))
        for id_, source in self._shelf.walk(with_leaves=False):
            chains.take(id_, source)
        return chains

    def _moment(self) -> datetime:
        """`now` when the check began, and what has passed since: a large store takes its time."""
        return self._now + timedelta(seconds=monotonic() - self._begun_secs)

    def _believed(self, certifiers: Collection[str]) -> Iterator[Certificate]:
        """The certificates that count; what others say is a trouble, and what they tell of is missed."""
        for stored in certificates.stored(self._client, self._prefix):
            try:
                each = Certificate.from_source(stored.id, stored.source)
            except PermanentError as error:
                self._report.troubles.append(Trouble(State.DOUBTED, "", str(error)))
                continue
            if each.is_believed(certifiers):
                self._report.certificates_count += 1
                yield each
            else:
                wrong = "is signed by no given key" if certifiers else "is not as it was signed"
                sentence = f"the certificate of {each.index} ({each.ran_by}) {wrong}"
                self._report.troubles.append(Trouble(State.DOUBTED, "", sentence))

    def _members(self) -> dict[str, bool]:
        """The partitions in scope, and whether their place in the alias shows a part of them only."""
        columns = ("filter", "routing.search")
        listed = self._client.request(
            "GET",
            f"/_cat/aliases/{partitions.alias(self._prefix)}",
            params={"h": ",".join(("index", *columns)), "format": "json"},
        ).json
        found = {str(row["index"]): any(row[each] != "-" for each in columns) for row in listed}
        return {name: found[name] for name in sorted(found) if self._extent.covers(_address(name))}

    def _read_seals(self, chains: Chains, leaves: Spill) -> None:
        total = sum(len(chain.ids) for chain in chains.by_id.values())
        for number, (id_, source) in enumerate(self._shelf.walk(with_leaves=True), 1):
            self._progress("reading seals", number, total)
            chain = chains.by_id.get(str(source.get("chain")))
            if chain is None or not chain.is_trusted or id_ not in chain.ids:
                continue
            try:
                found = seal.from_source(source, id_)
                self._take_leaves(found, source, leaves)
            except SealError as error:
                self._report.troubles.append(Trouble(State.GAP, chain.id, f"{id_}: {error}"))
        leaves.done()

    def _take_leaves(self, found: seal.Seal, source: dict[str, Any], leaves: Spill) -> None:
        number = len(self._sealed)
        self._sealed.append(found)
        wanted: dict[Placement, int | None] = {}
        for at, leaf in enumerate(seal.leaves_of(found, source)):
            if leaf.placement not in wanted:
                wanted[leaf.placement] = self._number_of(leaf.placement)
            placement = wanted[leaf.placement]
            if placement is not None:
                leaves.add(leaf.id.encode(), leaf.hash, placement, number, at, leaf.seen)

    def _number_of(self, placement: Placement) -> int | None:
        """The number of a placement; None when it is out of scope."""
        if self._extent.tenant is not None and placement.tenant != self._extent.tenant:
            return None
        return self._placements.of(placement) if self._extent.covers(placement.partition) else None

    def _all_events(self, folder: Folder, buckets: int, total: int) -> tuple[dict[str, bool], Spill]:
        """Read every event; where retention takes a partition away meanwhile, once more from the start."""
        attempt = 0
        while True:
            attempt += 1
            # Looked up after the seals: a partition may have been made since, and its events be sealed.
            indices = self._members()
            events = Spill(folder.path, f"events-{attempt}", _EVENT, buckets)
            try:
                self._read_events(list(indices), events, total)
                return indices, events
            except MissingError:
                if attempt == _ATTEMPTS:
                    raise
                self._report.forget_events()
                self._confirmations = Confirmations()
            finally:
                events.done()

    def _read_events(self, indices: list[str], events: Spill, total: int) -> None:
        since = iso(self._now - SEALED_WITHIN)
        done = 0
        for page in scan.events(self._client, indices, self._query):
            until = iso(self._moment() + SEALED_WITHIN)
            for hit in page:
                self._take_event(hit, events, since, until)
            done += len(page)
            self._progress("reading events", done, total)

    def _take_event(self, hit: scan.Hit, events: Spill, since: str, until: str) -> None:
        document, id_ = hit.get("_source", {}), hit["_id"]
        about = _object(document, "event")
        tenant = str(_object(document, "tenant").get("id", ""))
        if len(id_) != ID_CHARS or not id_.isascii():
            self._report.add(State.UNSEALED, id_, _address(hit["_index"]), tenant)
            return
        try:
            computed = event_hash(document)
        except (KeyError, TypeError, AttributeError):
            computed = ""
        flags = 0
        if computed and computed == about.get("hash") and about.get("id") == id_:
            flags = WHOLE
        if flags:
            self._confirmations.take(id_, document)
        if since <= str(about.get("ingested", "")) <= until:
            flags |= FRESH
        events.add(
            id_.encode(),
            bytes.fromhex(computed) or _NO_HASH,
            self._indices.of(hit["_index"]),
            self._tenants.of(tenant),
            flags,
        )

    # -- matching

    def _match(
        self, leaves: Iterator[tuple[Any, ...]], events: Iterator[tuple[Any, ...]], proven: Spill
    ) -> None:
        of_id: dict[bytes, tuple[list[LeafRecord], list[EventRecord]]] = {}
        for leaf in leaves:
            of_id.setdefault(leaf[0], ([], []))[0].append(LeafRecord._make(leaf))
        for event in events:
            of_id.setdefault(event[0], ([], []))[1].append(EventRecord._make(event))
        for id_ in sorted(of_id):
            known, found = of_id[id_]
            for judgement in judge(known, found, self):
                self._note(id_, judgement)
                for leaf in judgement.proven:
                    if judgement.event is not None:
                        proven.put(leaf.seal, leaf.at, judgement.event.hash)

    def _note(self, id_: bytes, judgement: Judgement) -> None:
        state, event, placement = judgement[:3]
        if state in {State.VERIFIED, State.CARRIED_OVER}:
            self._confirmations.verified(id_.decode())
        if placement is not None:
            where, tenant = self._placements.values[placement]
            if state in {State.EXPIRED, State.ERASED}:
                self._gone[placement, state] += 1
        elif event is not None:
            where = _address(self._indices.values[event.lies_in])
            tenant = self._tenants.values[event.tenant]
        else:
            return
        self._report.add(state, id_.decode(), where, tenant)

    def _check_roots(self, proven: Iterator[tuple[Any, ...]]) -> None:
        """Compute the root of each seal whose events are all there, from what is stored now."""
        records = sorted(set(proven))
        for number, group in groupby(records, key=itemgetter(0)):
            found = self._sealed[number]
            hashes = [each[2] for each in group]
            if len(hashes) != found.count:
                continue
            self._report.roots_count += 1
            if merkle.root(hashes).hex() != found.root:
                sentence = f"the root of seal {found.number} is not that of its events"
                self._report.troubles.append(Trouble(State.GAP, found.chain, sentence))

    def _settle_counts(self) -> None:
        """More events are gone than the certificates count: the others were missing before."""
        for (number, state), gone in self._gone.items():
            placement = self._placements.values[number]
            surplus = gone - self._deletions.removed_count(placement)
            if surplus <= 0:
                continue
            for counts in (
                self._report.partitions[placement.partition],
                self._report.tenants[placement.tenant],
            ):
                counts[state] -= surplus
                counts[State.MISSING] += surplus

    # -- what the judge asks

    def partition(self, placement: int) -> str:
        return str(self._placements.values[placement].partition)

    def is_at(self, placement: int, index: int) -> bool:
        return self.partition(placement) == _address(self._indices.values[index])

    def is_carried(self, placement: int, index: int) -> bool:
        return self._deletions.carries(self._placements.values[placement], self._indices.values[index])

    def fate(self, placement: int) -> State:
        return self._deletions.fate(self._placements.values[placement])


def _address(index: str) -> str:
    """The partition of an index, as its writers know it."""
    parsed = partitions.parse(index)
    return index if parsed is None else parsed.address


def _object(document: dict[str, Any], name: str) -> dict[str, Any]:
    """An object of a document that anybody may have written; empty where it is none."""
    found = document.get(name)
    return found if isinstance(found, dict) else {}
