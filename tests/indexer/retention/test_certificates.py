"""A certificate says what was deleted, and is never lost between a deletion and its end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from indexer.client import Client, connect
from indexer.documents import Documents
from indexer.errors import PermanentError
from indexer.retention import certificates
from indexer.retention.certificate import Carried, Certificate, Kind
from tests.support.sealing import new_key
from tests.support.store import Store

NOW = datetime(2026, 11, 25, 16, 0, tzinfo=UTC)
ACME, NORD = "7f3c1a52-0b1e-4c67-9d55-2a8e61f0c9aa", "1d0b6c1e-52a7-4c1b-9a53-6a1f0e8f2a02"
CERTIFICATE = Certificate(
    id="H5B1W_55Th2NTPdKvoTk_w",
    kind=Kind.EXPIRY,
    index="s-audit-starter-2026.10.23",
    partition="s-audit-starter-2026.10.23",
    class_name="starter",
    period="day",
    start=datetime(2026, 10, 23, tzinfo=UTC),
    end=datetime(2026, 10, 24, tzinfo=UTC),
    days=30,
    tenants={ACME: 5, NORD: 3, "-": 1},
    carried=(Carried(ACME, "s-audit-hold-2026.10.23-1a2b3c4d", 2, "hold"), Carried(NORD, "x", 3, "plan")),
    oldest="2026-10-23T00:00:01.000000000Z",
    newest="2026-10-23T23:00:01.000000000Z",
    ids_sha256="0" * 64,
    policy={"starter": {"days": 30, "period": "day"}},
    policy_version="0123456789abcdef",
    ran_by="root on app-1",
    now=NOW,
    clock=NOW,
    begun=NOW,
)


@pytest.fixture
def client(store: Store) -> Client:
    made = connect(store.settings)
    Documents(made, store.prefix, certificates.KIND).prepare()
    return made


def test_what_was_removed_is_what_was_there_and_not_carried() -> None:
    assert CERTIFICATE.removed == {ACME: 3, "-": 1}
    assert (CERTIFICATE.before_count, CERTIFICATE.after_count) == (9, 5)


def test_one_is_read_back_as_it_was_written() -> None:
    finished = replace(CERTIFICATE, finished=NOW, days=None)
    for each in (CERTIFICATE, finished):
        assert Certificate.from_source(each.id, each.to_source()) == each


def test_one_that_is_something_else_is_named() -> None:
    with pytest.raises(PermanentError, match="certificate x is not readable"):
        Certificate.from_source("x", {"kind": "expiry"})


def test_they_are_found_again_until_they_are_finished(store: Store, client: Client) -> None:
    later = replace(CERTIFICATE, id="later", begun=NOW + timedelta(seconds=1))
    certificates.write(client, store.prefix, later, None)
    certificates.write(client, store.prefix, CERTIFICATE, None)
    assert certificates.unfinished(client, store.prefix) == [CERTIFICATE, later]
    done = certificates.finish(client, store.prefix, CERTIFICATE, NOW, None)
    assert certificates.unfinished(client, store.prefix) == [later]
    assert certificates.all(client, store.prefix) == [done, later]


def test_what_is_finished_stays_as_it_is(store: Store, client: Client) -> None:
    done = certificates.finish(client, store.prefix, CERTIFICATE, NOW, None)
    assert certificates.finish(client, store.prefix, CERTIFICATE, NOW + timedelta(days=1), None) == done
    certificates.withdraw(client, store.prefix, done)
    assert certificates.all(client, store.prefix) == [done]


def test_one_of_a_deletion_that_never_was_is_taken_back(store: Store, client: Client) -> None:
    certificates.write(client, store.prefix, CERTIFICATE, None)
    certificates.withdraw(client, store.prefix, CERTIFICATE)
    assert certificates.all(client, store.prefix) == []


class TestSignature:
    def test_holds_for_what_the_store_gives_back(self, client: Client, store: Store) -> None:
        key, other = new_key(), new_key()
        certificates.write(client, store.prefix, CERTIFICATE, key)
        certificates.finish(client, store.prefix, CERTIFICATE, NOW + timedelta(microseconds=1), key)
        (found,) = certificates.all(client, store.prefix)
        assert set(found.signatures) == {key.public}
        assert found.is_believed([other.public, key.public])
        assert found.is_believed([])
        assert not found.is_believed([other.public])

    @pytest.mark.parametrize(
        "change",
        [
            {"tenants": {ACME: 6}},
            {"id": "another"},
            {"kind": Kind.ERASURE},
            {"finished": NOW},
            {"carried": ()},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_of_anything_else_is_none(self, change: dict[str, Any]) -> None:
        key = new_key()
        signed = CERTIFICATE.signed(key)
        changed = replace(signed, **change)
        assert signed.is_believed([key.public])
        assert not changed.is_believed([key.public])
        assert not changed.is_believed([])

    @pytest.mark.parametrize("signature", [{"zz": "00"}, {"00" * 32: None}, {"00" * 32: "00"}], ids=str)
    def test_that_is_none_is_nobodys(self, signature: dict[str, Any]) -> None:
        claimed = replace(CERTIFICATE, signatures=signature)
        assert claimed.signers == set()
        assert not claimed.is_believed([])

    def test_none_is_believed_only_where_no_key_is_known(self) -> None:
        assert CERTIFICATE.is_believed([])
        assert not CERTIFICATE.is_believed([new_key().public])

    def test_of_before_does_not_stay_where_no_key_is_set_any_more(self) -> None:
        assert CERTIFICATE.signed(new_key()).signed(None) == CERTIFICATE
