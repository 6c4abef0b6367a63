"""Takes an index away, and puts what is kept of it in its place: in steps, each of which may be the last.

Until the swap nothing has changed for readers, and a run that finds the index again begins it anew. The swap
is one action of the cluster: the index leaves the alias, its copy joins it. When searches that had begun
before have ended, another single action deletes the index and gives the name by which writers know it to the
copy. After the swap a run that finds the index only ends what was begun. Writers are kept off meanwhile
by the engine (`index.blocks.write`): their events wait where they are, and come again by themselves.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import orjson

from indexer import assets, indices, partitions
from indexer.client import Client
from indexer.errors import ConflictError, FailingError, MissingError, PermanentError, StoreError
from indexer.indices import Index
from indexer.keys import SigningKey
from indexer.query import Json
from indexer.retention import certificates, contents, copies, holds, tasks, trouble
from indexer.retention.alarms import AlarmError
from indexer.retention.certificate import Carried, Certificate, Kind
from indexer.retention.contents import Contents
from indexer.retention.hold import clause_of
from indexer.retention.lease import Lease
from indexer.retention.schedule import BY_PLAN, Due, active
from indexer.tenants import Tenants

# In this order; a test ends the process after each of them.
STEPS: Final = (
    "announced", "blocked", "created", "copying", "copied", "compared", "counted", "certified", "swapped",
    "deleted", "finished",
)  # fmt: skip
_TIMEOUT_SECS: Final = 120.0
# A reader that has asked which partitions there are asks them within this time.
SETTLE_SECS: Final = 2.0


class Progress(Protocol):
    """Somebody who watches."""

    def begin(self, what: str, total: int) -> None: ...

    def advance(self, count: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Run:
    """What every step needs: the store, the moment, the rules in force, and who watches."""

    client: Client
    prefix: str
    tenants: Tenants
    now: datetime
    clock: datetime
    ran_by: str
    lease: Lease
    progress: Progress
    settle_secs: float = SETTLE_SECS
    after: Callable[[str], None] = field(default=lambda _: None)
    key: SigningKey | None = None


def replace(
    run: Run, index: Index, decide: Callable[[Contents], Due | None], kind: Kind, reason: str = ""
) -> Certificate | None:
    """Take an index away, except for what `decide` keeps of what it holds; None when it is to stay after all.

    `decide` is asked twice, the second time just before the swap: a hold may have been placed meanwhile.
    Any error leaves the index as it was, open to writers again.
    """
    partition = partitions.parse(index.name)
    if partition is None:
        raise PermanentError(f"index {index.name} is no partition")
    run.lease.block(index.name)
    run.after("announced")
    begun = datetime.now(UTC)
    try:
        keep_off(run.client, index.name)
        run.after("blocked")
        tasks.end_reindexing(run.client, index.name)
        contents.refresh(run.client, index.name)
        held = contents.sum_up(run.client, index.name)
        due = decide(held)
        if due is None:
            _restore(run, index)
            return None
        copy = _copy(run, index, due, kind) if kept_count(run.client, index, due) else ""
        certificate = _certify(run, index, due, held, copy, kind, reason, begun)
        if decide(held) != due:
            raise AlarmError("copy-differs", f"what is to be kept of {index.name} changed meanwhile")
    except StoreError:
        _restore(run, index)
        raise
    # From here on an answer that does not come tells nothing: the next run looks what became of the index.
    _swap(run, index, copy)
    _delete(run, certificate)
    done = certificates.finish(run.client, run.prefix, certificate, datetime.now(UTC), run.key)
    run.lease.block("")
    run.after("finished")
    return done


def finish(run: Run, alarm: Callable[[AlarmError], None]) -> list[Certificate]:
    """Finish what killed runs left: deletions after their swap; before it, certificate, copy and block go.

    What claims to be such a certificate, and is not signed by our key, is never signed by it.
    """
    done = []
    found = indices.look(run.client, partitions.pattern(run.prefix))
    alias = partitions.alias(run.prefix)
    present = {index.uuid: alias in index.aliases for index in found}
    for each in certificates.unfinished(run.client, run.prefix):
        if present.get(each.id):
            certificates.withdraw(run.client, run.prefix, each)
            continue
        if run.key is not None and not each.is_believed([run.key.public]):
            alarm(AlarmError("certificate-doubted", f"of {each.index}, begun {each.begun:%Y-%m-%d %H:%M}Z"))
            continue
        with trouble.told(each.index, alarm):
            if each.id in present:
                _delete(run, each)
            done.append(certificates.finish(run.client, run.prefix, each, datetime.now(UTC), run.key))
    for index in found:
        if present.get(copies.copy_of(index)) and alias not in index.aliases:
            tasks.end_reindexing(run.client, index.name)
            copies.drop(run.client, index.name, alias)
    _let_in(run)
    return done


def _let_in(run: Run) -> None:
    """Let writers in where a killed run kept them off; not into an index that has left the alias."""
    if not run.lease.blocked:
        return
    with contextlib.suppress(MissingError):
        found = indices.look(run.client, run.lease.blocked)[0]
        is_kept_off = found.settings.get("index.blocks.write") == "true"
        if is_kept_off and partitions.alias(run.prefix) in found.aliases:
            release(run.client, run.lease.blocked)
    run.lease.block("")


def release(client: Client, index: str) -> None:
    """Let writers in again; nothing is done where there is no such index any more."""
    try:
        client.request(
            "PUT", f"/{index}/_settings", body={"index.blocks.write": None}, timeout_secs=_TIMEOUT_SECS
        )
    except MissingError:
        return


def kept_count(client: Client, index: Index, due: Due) -> int:
    """Count what is kept."""
    return contents.count(client, index.name, kept_clause(due)) if due.keeps else 0


def kept_clause(due: Due) -> Json:
    """Ask for everything that is kept."""
    whole = [keep.tenant for keep in due.keeps if keep.is_whole]
    clauses: list[Json] = [keep.clause for keep in due.keeps if not keep.is_whole]
    if whole:
        clauses.append({"terms": {"tenant.id": whole}})
    return {"bool": {"should": clauses, "minimum_should_match": 1}}


def keep_off(client: Client, name: str) -> None:
    """Keep writers off; what was being written then has arrived when this returns."""
    answer = client.request("PUT", f"/{name}/_block/write", timeout_secs=_TIMEOUT_SECS).json
    if not (answer["acknowledged"] and answer["shards_acknowledged"]):
        raise FailingError(f"writers could not be kept off {name}: {str(answer)[:200]}")


def _copy(run: Run, index: Index, due: Due, kind: Kind) -> str:
    """Fill an index that nobody reads yet with what is kept; its name, once it has exactly that."""
    client, name = run.client, copies.name_of(index, due, kind)
    copies.drop(client, name, partitions.alias(run.prefix))
    template = assets.event_template(run.prefix)
    days = {keep.tenant: keep.days for keep in due.keeps if keep.reason == BY_PLAN}
    meta = {
        "copy_of": index.uuid,
        "promised": {**copies.kept_promises(index, due, kind), **days},
        "names": copies.names_of(index, due, partitions.alias(run.prefix)),
    }
    mapping = {**template.mappings, "_meta": meta}
    if not indices.create(client, name, settings=template.settings, mappings=mapping, aliases={}):
        raise ConflictError(f"index {name} was made by somebody else at this very moment")
    run.after("created")
    clause = kept_clause(due)
    body: Json = {
        "conflicts": "proceed",
        "source": {"index": index.name, "size": contents.PAGE_COUNT, "query": clause},
        "dest": {"index": name, "op_type": "create"},
    }
    task = client.request("POST", "/_reindex", params={"wait_for_completion": False}, body=body).json["task"]
    run.progress.begin(f"carrying over {index.name}", contents.count(client, index.name, clause))
    copied = 0

    def watch(status: Any) -> None:  # noqa: ANN401  numbers of the store's own
        nonlocal copied
        run.lease.renew(force=False)
        run.progress.advance(status.get("created", 0) - copied)
        copied = status.get("created", 0)
        run.after("copying")

    answer = tasks.wait(client, task, watch)
    if answer.get("failures"):
        raise AlarmError("copy-differs", f"carrying over {index.name} failed: {answer['failures'][0]}")
    run.after("copied")
    contents.refresh(client, name)
    run.progress.begin(f"comparing {index.name}", contents.count(client, name, contents.EVERYTHING))
    difference = contents.first_difference(client, index.name, name, clause, _advance(run))
    if difference:
        raise AlarmError("copy-differs", f"carrying over {index.name}: {difference}")
    copies.wait_for_replicas(client, name)
    run.after("compared")
    return name


def _certify(  # noqa: PLR0913, PLR0917  a certificate says that much
    run: Run, index: Index, due: Due, held: Contents, copy: str, kind: Kind, reason: str, begun: datetime
) -> Certificate:
    client, partition = run.client, due.partition
    kept = contents.sum_up(client, copy).tenants if copy else {}
    run.progress.begin(f"certifying {index.name}", held.count)
    digest = contents.ids_digest(client, index.name, _advance(run))
    run.after("counted")
    oldest, newest = contents.edges(client, index.name)
    policy = run.tenants.classes.to_source()
    version = hashlib.sha256(orjson.dumps(policy, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
    reasons = {keep.tenant: keep.reason for keep in due.keeps}
    certificate = Certificate(
        id=index.uuid,
        kind=kind,
        index=index.name,
        partition=partition.address,
        class_name=partition.class_name,
        period=partition.period,
        start=partition.start,
        end=partition.end,
        days=run.tenants.classes[partition.class_name].days,
        tenants=held.tenants,
        carried=tuple(
            Carried(tenant, copy, count, reasons[tenant]) for tenant, count in sorted(kept.items())
        ),
        oldest=oldest,
        newest=newest,
        ids_sha256=digest,
        policy=policy,
        policy_version=version,
        ran_by=run.ran_by,
        now=run.now,
        clock=run.clock,
        begun=begun,
        reason=reason,
    )
    try:
        certificate = certificates.write(client, run.prefix, certificate, run.key)
    except StoreError as error:
        raise AlarmError("certificate-not-written", f"of {index.name}: {error}") from error
    run.after("certified")
    return certificate


def _swap(run: Run, index: Index, copy: str) -> None:
    """Let the copy join the alias in the one action in which the index leaves it."""
    alias = partitions.alias(run.prefix)
    current = indices.look(run.client, index.name)[0]
    if current.uuid != index.uuid or alias not in current.aliases:
        raise AlarmError("not-ours", f"index {index.name} was changed while it was being carried over")
    actions: list[Json] = [{"remove": {"index": index.name, "alias": alias}}]
    if copy:
        actions.append({"add": {"index": copy, "alias": alias}})
    # A lease that another run has taken meanwhile is noticed here at the latest.
    run.lease.renew()
    run.client.request("POST", "/_aliases", body={"actions": actions}, timeout_secs=_TIMEOUT_SECS)
    run.after("swapped")


def _delete(run: Run, certificate: Certificate) -> None:
    """Delete an index that has left the alias; in the same action its names become those of the copy."""
    tasks.let_readers_end(run.client, partitions.alias(run.prefix), run.settle_secs)
    _refuse_held(run, certificate)
    actions: list[Json] = [{"remove_index": {"index": certificate.index}}]
    for copy in {each.index for each in certificate.carried}:
        meta = indices.look(run.client, copy)[0].mappings["_meta"]
        actions += [{"add": {"index": copy, "alias": name}} for name in meta["names"]]
    run.lease.renew()
    run.client.request("POST", "/_aliases", body={"actions": actions}, timeout_secs=_TIMEOUT_SECS)
    run.after("deleted")


def _refuse_held(run: Run, certificate: Certificate) -> None:
    """Put an index back whose events a hold has come to cover since the swap; then it is begun anew."""
    partition = partitions.parse(certificate.index)
    in_force = active(holds.all(run.client, run.prefix))
    for tenant in certificate.removed:
        mine = [each for each in in_force if partition and each.tenant == tenant and each.touches(partition)]
        if not partition or not mine:
            continue
        clause = clause_of(tenant, mine, partition)
        made = {each.index for each in certificate.carried}
        kept = sum(contents.count(run.client, copy, clause) for copy in made)
        if contents.count(run.client, certificate.index, clause) > kept:
            _put_back(run, certificate, made)
            raise AlarmError("copy-differs", f"what is to be kept of {certificate.index} changed meanwhile")


def _put_back(run: Run, certificate: Certificate, made: Collection[str]) -> None:
    """Undo the swap; ended after any step, it is what a run that is killed before the swap leaves."""
    alias = partitions.alias(run.prefix)
    actions: list[Json] = [{"add": {"index": certificate.index, "alias": alias}}]
    actions += [{"remove": {"index": copy, "alias": alias}} for copy in made]
    run.lease.renew()
    run.client.request("POST", "/_aliases", body={"actions": actions}, timeout_secs=_TIMEOUT_SECS)
    certificates.withdraw(run.client, run.prefix, certificate)
    for copy in made:
        copies.drop(run.client, copy, alias)
    release(run.client, certificate.index)
    if run.lease.blocked == certificate.index:
        run.lease.block("")


def _restore(run: Run, index: Index) -> None:
    """Leave everything as it was, as far as the store lets us; the next run does what this one cannot."""
    try:
        run.lease.renew()
    except StoreError:
        # Another run has the lease, or there is no store: what is left is not for us to touch.
        return
    with contextlib.suppress(StoreError):
        finish(run, lambda _: None)
    with contextlib.suppress(StoreError):
        release(run.client, index.name)


def _advance(run: Run) -> Callable[[int], None]:
    def advance(count: int) -> None:
        run.lease.renew(force=False)
        run.progress.advance(count)

    return advance
