"""A history of retention beside the sample day, so that its page has something to show."""

from datetime import UTC, datetime, timedelta

from indexer import tenants
from indexer.retention import erasures, holds, run
from indexer.retention.run import Order
from tests.support.events import NORD
from tests.support.keeping import DAY, KEY, SETTLE_SECS, SOL, Keeping, Quiet
from tests.support.sample_site import ACME
from tests.support.store import Store


def keep(store: Store) -> None:
    """Leave a tenant of `starter` of which days have expired, holds, and an erasure that is asked for."""
    keeping, now = Keeping(store), datetime.now(UTC)
    since = now - timedelta(days=400)
    tenants.put(
        keeping.client, store.prefix, SOL,
        name="Sol Fulfilment", zone="Europe/Lisbon", hours="07:00-18:00", plan="starter", days=None,
        start=since.replace(minute=0, second=0, microsecond=0), now=since - timedelta(days=1),
    )  # fmt: skip
    first = (now - DAY).days - 34
    for number, count in enumerate((41, 57, 12)):
        keeping.write(SOL, count, at=first + number + 0.3)
        keeping.write(SOL, number + 2, at=first + number + 0.6, entity__number="SO-20261020-0007")
    inquiry, placed = "Customs inquiry 2026/118", now - timedelta(days=9)
    holds.place(
        keeping.client, store.prefix, SOL,
        reason=inquiry, by="sandra", now=placed, entity_id="SO-20261020-0007",
    )  # fmt: skip
    done = holds.place(keeping.client, store.prefix, NORD, reason=inquiry, by="sandra", now=placed)
    holds.release(
        keeping.client, store.prefix, NORD,
        reason="settled", by="otto", now=now - timedelta(days=2), hold_id=done.id,
    )  # fmt: skip
    order = Order(now, ran_by="smartwms-audit-retention on audit-1", settle_secs=SETTLE_SECS, key=KEY)
    assert run.run(keeping.client, store.prefix, order, Quiet()).findings == []
    erasures.request(keeping.client, store.prefix, ACME, reason="contract ended", by="sandra", now=now)
    keeping.client.close()
