"""What comes late is stored in its own partition while its class keeps it, and `expired` afterwards."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from indexer import tenants
from indexer.client import Client
from indexer.retention import run
from indexer.retention.run import Order
from tests.support.keeping import SETTLE_SECS, Quiet
from tests.support.shipping import Shipping, prepare
from tests.support.store import Store
from tests.support.tailing import append

ACME = "7f3c1a52-0b1e-4c67-9d55-2a8e61f0c9aa"
NOW = datetime.now(UTC)
UPGRADED = (NOW - timedelta(days=10)).replace(minute=0, second=0, microsecond=0)


def line(days: float, number: int) -> bytes:
    """A record of the tenant of so many days ago."""
    moment = (NOW - timedelta(days=days)).replace(hour=12)
    text = f"{moment:%Y-%m-%dT%H:%M:%S.%f}7Z"
    return orjson.dumps({"@t": text, "@mt": "Something happened", "TenantId": ACME, "Number": number}) + b"\n"


@pytest.fixture
def shipping(store: Store, tmp_path: Path) -> Shipping:
    """An agent for a tenant that was `starter` until ten days ago and is `business` since."""
    prepare(store)
    client = Client(store.settings)
    for plan, start in (("starter", NOW - timedelta(days=400)), ("business", UPGRADED)):
        tenants.put(
            client, store.prefix, ACME, name="Acme", zone="UTC", hours="00:00-24:00", days=None,
            plan=plan, start=start.replace(minute=0, second=0, microsecond=0), now=start - timedelta(days=1),
        )  # fmt: skip
    client.close()
    return Shipping(tmp_path, store)


def test_the_class_at_the_events_time_decides_and_the_account_says_how_many_expired(
    shipping: Shipping,
) -> None:
    # Of 40 and 35 days ago: beyond `starter`, which was in force then, though not beyond `business` of now.
    append(
        shipping.logs / "a.clef", b"".join(line(days, number) for number, days in enumerate((40, 35, 25, 5)))
    )
    done = shipping.agent("run", "--once")
    assert done.stdout == '{"read":4,"stored":2,"duplicate":0,"rejected":0,"expired":2}\n'
    assert done.returncode == 0
    days = [f"{NOW - timedelta(days=each):%Y.%m.%d}" for each in (25, 5)]
    partitions = [
        name
        for name in shipping.store.index_names()
        if "-audit-starter-" in name or "-audit-business-" in name
    ]
    assert partitions == sorted(
        [
            f"{shipping.store.prefix}-audit-starter-{days[0]}",
            f"{shipping.store.prefix}-audit-business-{days[1]}",
        ]
    )


def test_a_late_event_lands_in_its_own_partition_also_after_that_was_merged(shipping: Shipping) -> None:
    append(shipping.logs / "a.clef", b"".join(line(20, number) for number in range(3)))
    assert shipping.once()["stored"] == 3
    client = Client(shipping.store.settings)
    order = Order(NOW, is_given=True, settle_secs=SETTLE_SECS)
    run.run(client, shipping.store.prefix, order, Quiet())
    name = f"{shipping.store.prefix}-audit-starter-{NOW - timedelta(days=20):%Y.%m.%d}"
    append(shipping.logs / "b.clef", line(20, 4))
    assert shipping.once()["stored"] == 1
    client.request("POST", f"/{name}/_refresh")
    assert client.request("GET", f"/{name}/_count").json["count"] == 4
    client.close()
