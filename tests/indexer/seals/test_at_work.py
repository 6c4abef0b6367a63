"""A store that is at work while it is verified: agents write, retention deletes, time passes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from indexer import cli
from indexer.client import Answer, Client
from indexer.documents import Documents
from indexer.errors import FailingError
from indexer.query import OPERATOR, Query, iso, within_tenant
from indexer.retention import certificates
from indexer.retention.certificate import Kind
from indexer.seals import records, scan
from indexer.seals.report import Extent
from indexer.seals.verify import Verification
from tests.support.keeping import ACME, NORD, Keeping
from tests.support.sealing import NOW, Site, told
from tests.support.store import Store

STARTER = {"tenant.class": "starter", "@timestamp": "2026-10-01T06:00:00.0000000Z"}
EVERYTHING = within_tenant(OPERATOR, Query({"match_all": {}}))
NEXT_DAY = {**STARTER, "@timestamp": "2026-10-02T06:00:00.0000000Z"}


def test_what_is_shipped_during_a_check_that_takes_hours_waits_for_its_seal(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = timedelta(hours=2)
    secs = iter([0.0])
    monkeypatch.setattr("indexer.seals.verify.monotonic", lambda: next(secs, passed.total_seconds()))
    site.sealed([0])
    site.ship([1], {"event.ingested": iso(NOW + passed - timedelta(minutes=1))})
    site.ship([2], {"event.ingested": iso(NOW + passed + timedelta(hours=1))})
    assert told(site.verify()) == {"verified": 1, "not sealed yet": 1, "unsealed": 1}


@pytest.mark.parametrize("names_bytes", [1, 3000], ids=["before it is read", "while it is read"])
def test_what_retention_deletes_during_a_check_is_no_finding(
    site: Site, monkeypatch: pytest.MonkeyPatch, names_bytes: int
) -> None:
    monkeypatch.setattr(scan, "_PAGE_COUNT", 1)
    monkeypatch.setattr(scan, "_NAMES_BYTES", names_bytes)
    site.sealed(range(3, 6), STARTER)
    doomed = [site.sealed(range(3), NEXT_DAY)]

    def show(what: str, done: int, _total: int) -> None:
        if (what, done) == ("reading events", 1):
            for documents in doomed:
                site.certify(documents, days=30)
                site.delete(site.partition(documents[0]))
            doomed.clear()

    check = Verification(site.client, site.store.prefix, Extent(), now=NOW, progress=show)
    assert told(check.run()) == {"expired by certificate": 3, "verified": 3}


def test_a_late_event_in_what_was_made_of_its_partition_is_where_it_belongs(store: Store) -> None:
    keeping = Keeping(store)
    site = Site(store, keeping.client)
    for tenant_id in (ACME, NORD):
        keeping.tenant(tenant_id, "starter", days=60)
    keeping.write(ACME, 2)
    keeping.run(31)
    assert [name[:5] for name in keeping.indices()] == ["hold-"]
    keeping.write(NORD, 3)
    site.seal([*keeping.documents(ACME, 2), *keeping.documents(NORD, 3)])
    assert told(site.verify()) == {"carried over": 5}
    keeping.run(61)
    assert told(site.verify()) == {"expired by certificate": 5}
    keeping.client.close()


def test_there_may_be_any_number_of_certificates(client: Client, site: Site) -> None:
    documents = site.sealed([0])
    source = site.certify(documents, kind=Kind.ERASURE).to_source()
    body = b"".join(
        line for number in range(10_001) for line in (b'{"create":{"_id":"%d"}}\n' % number, _line(source))
    )
    client.request("POST", f"/{site.store.prefix}-app-certificates/_bulk", body=body, timeout_secs=60)
    assert len(certificates.all(client, site.store.prefix)) == 10_002


def _line(source: dict[str, object]) -> bytes:
    return orjson.dumps(source, option=orjson.OPT_APPEND_NEWLINE)


def test_a_result_that_cannot_be_kept_is_told_all_the_same(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in site.store.environment.items():
        monkeypatch.setenv(name, value)
    Documents(site.client, site.store.prefix, records.KIND).prepare()
    site.client.request("PUT", f"/{site.store.prefix}-app-{records.KIND}/_block/write")
    documents = site.sealed([0])
    answer = CliRunner().invoke(cli.main, ["verify"])
    assert f"{site.partition(documents[0])}  verified 1" in answer.output
    assert "not recorded for /admin/integrity" in answer.stderr
    assert answer.exit_code == 0


@pytest.mark.parametrize(
    "read",
    [
        lambda site: list(site.shelf.walk(with_leaves=True)),
        lambda site: certificates.all(site.client, site.store.prefix),
        lambda site: list(scan.events(site.client, [f"{site.store.prefix}-audit"], EVERYTHING)),
    ],
    ids=["seals", "certificates", "events"],
)
def test_an_answer_for_which_the_time_did_not_suffice_is_none(
    site: Site, monkeypatch: pytest.MonkeyPatch, read: Callable[[Site], object]
) -> None:
    site.sealed([0])
    read(site)
    whole = Client.request

    def cut(client: Client, method: str, path: str, **rest: Any) -> Answer:  # noqa: ANN401
        answer = whole(client, method, path, **rest)
        if path.endswith("/_search"):
            answer.json["timed_out"] = True
        return answer

    monkeypatch.setattr(Client, "request", cut)
    with pytest.raises(FailingError, match="try again"):
        read(site)
