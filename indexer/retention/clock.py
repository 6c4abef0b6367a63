"""Whether a clock can be believed: what is deleted by a wrong one is gone.

The cluster's clock is another machine's, or the same one's; the newest event is neither's.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from indexer import partitions
from indexer.client import Client
from indexer.query import iso

# Machines that keep their time by NTP differ by milliseconds.
DIFFERENCE_MAX: Final = timedelta(minutes=5)
# A warehouse that writes nothing for so long is closed, or the clock has gone ahead.
QUIET_MAX: Final = timedelta(days=14)
# As far as an agent lets events be ahead of its own clock by default.
AHEAD_MAX: Final = timedelta(days=2)


def of_cluster(client: Client) -> datetime:
    """Return the cluster's own time, to the second."""
    found = client.request("GET", "/_cat/health", params={"format": "json", "h": "epoch"}).json
    return datetime.fromtimestamp(int(found[0]["epoch"]), UTC)


def latest(client: Client, now: datetime) -> datetime:
    """Return `now`, or the cluster's time where that is later: nothing shall become effective too early."""
    return max(now, of_cluster(client))


def newest_event(client: Client, prefix: str) -> datetime | None:
    """Return the time of the newest event of all; None where there is none."""
    body = {"size": 0, "track_total_hits": False, "aggs": {"newest": {"max": {"field": "@timestamp"}}}}
    found = client.request(
        "POST",
        f"/{partitions.alias(prefix)}/_search",
        params={"ignore_unavailable": True, "allow_no_indices": True},
        body=body,
    ).json
    newest = found.get("aggregations", {}).get("newest", {}).get("value")
    return None if newest is None else datetime.fromtimestamp(newest / 1000, UTC)


def fault(now: datetime, cluster: datetime, newest: datetime | None) -> str:
    """Say in a sentence why this time cannot be believed; "" when it can."""
    if abs(now - cluster) > DIFFERENCE_MAX:
        return f"this machine's clock says {_told(now)}, the cluster's says {_told(cluster)}"
    if newest is None:
        return ""
    if newest - now > AHEAD_MAX:
        return f"the clock says {_told(now)}, but the newest event is of {_told(newest)}"
    if now - newest > QUIET_MAX:
        return (
            f"the clock says {_told(now)}, but the newest event is of {_told(newest)}, more than "
            f"{QUIET_MAX.days} days before: either nothing was written since, or the clock went ahead"
        )
    return ""


def _told(moment: datetime) -> str:
    return f"{iso(moment)[:19]}Z"
