"""A site with two seeded days of two tenants: people with ids, names and e-mails in every combination."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from indexer.event import ACTIONS
from tests.support import events
from tests.support.events import NORD, TEST
from tests.support.web import Site

FIRST = datetime(2026, 10, 24, 12, tzinfo=UTC)
DAYS_COUNT = 2
"""In the middle of them, daylight-saving time ends in Stockholm."""
EVENTS_COUNT = 500
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
MONTH = "from=2026-10-01&to=2026-11-23"

PEOPLE: tuple[dict[str, str] | None, ...] = (
    events.SOFIA,
    events.LI,
    {"id": "a1", "name": "Anna Åberg", "email": "anna@test001.example"},
    # Another account of the same name, and one that lost its name.
    {"id": "a2", "name": "anna åberg", "email": "anna.b@test001.example"},
    {"id": "a2"},
    # Claims: what somebody typed on a sign-in.
    {"name": "ANNA@test001.example"},
    {"name": "Anna Åberg"},
    {"email": "sofia.nunez@test001.example"},
    # What no address can ask for.
    {"name": "a*"},
    {"name": "-"},
    {"name": " blank "},
    {"name": "x" * 300},
    None,
)
PLACES: tuple[dict[str, str] | None, ...] = (
    {"ip": "203.0.113.16"},
    {"ip": "2001:db8::52"},
    {"address": "warehouse-pc"},
    {"address": "10.0.0.300"},
    {"address": "-"},
    None,
)
ENTITIES: tuple[dict[str, str] | None, ...] = (
    {"type": "SalesOrder", "id": "211bcda3-9c96-494f-8a80-38e6a8de09ba", "number": "SO-20261123-0121"},
    {"type": "SystemSetting", "number": "Security:LockoutMinutes"},
    {"type": "ApplicationUser", "id": "a1", "number": "anna@test001.example"},
    {"type": "ApplicationUser", "id": "never-seen", "number": "gone@test001.example"},
    {"type": "ApplicationRole", "id": "r1", "number": "Supervisor"},
    None,
)
ROUTES = ("GET /api/v1/tenant/{tenantId}/products", "GET /api/v1/tenant/{tenantId}/products/{id}", None)
LIKELY = {"authentication": 6, "api": 4, "configuration": 3, "users": 3, "audit": 3}


def made(number: int, chance: random.Random) -> dict[str, Any]:
    """One event, with anything in any field that the contract allows there."""
    category = chance.choices(list(ACTIONS), [LIKELY.get(each, 1) for each in ACTIONS])[0]
    action = chance.choice(sorted(ACTIONS[category]))
    moment = FIRST + timedelta(
        seconds=chance.randrange(DAYS_COUNT * 86400), microseconds=chance.randrange(10**6)
    )
    entity, person, place = chance.choice(ENTITIES), chance.choice(PEOPLE), chance.choice(PLACES)
    fields: dict[str, Any] = {
        "@timestamp": f"{moment:%Y-%m-%dT%H:%M:%S.%f}{chance.randrange(10)}Z",
        "event.category": category,
        "event.action": action,
        "event.outcome": chance.choice(("success", "success", "failure", "unknown")),
        "event.flags": ["bookkeeping"] if not chance.randrange(10) else None,
        "tenant.id": chance.choices((TEST, NORD, "-"), (8, 2, 1))[0],
        "user": dict(person) if person else None,
        "source": dict(place) if place else None,
        "entity": dict(entity) if entity else None,
        "url.route": chance.choice(ROUTES),
        "local.hour": chance.choice((*range(24), None)),
        "message": f"{action} in {category}",
    }
    if chance.randrange(2):
        fields |= {"change.before": {"Value": "15", "Name": None}, "change.after": {"Value": str(number)}}
        fields["change.fields"] = ["Value"]
    return events.document(number, fields)


def load(site: Site, documents: list[dict[str, Any]]) -> None:
    events.load(site.client, site.store.prefix, documents)


@pytest.fixture(scope="module")
def month(site: Site) -> Site:
    """The site of the module, with its month; its clock stands after it."""
    chance = random.Random(5)
    load(site, [made(10_000 + number, chance) for number in range(EVENTS_COUNT)])
    # A run of failures that ended in a success, half a minute apart.
    run = []
    for number in range(7):
        moment = datetime(2026, 10, 25, 22, 0, number * 5, tzinfo=UTC)
        failed = number < 6
        run.append(
            events.document(
                20_000 + number,
                {
                    "@timestamp": f"{moment:%Y-%m-%dT%H:%M:%S.%f}0Z",
                    "event.category": "authentication",
                    "event.action": "login_failed" if failed else "login",
                    "event.outcome": "failure" if failed else "success",
                    "user": {"name": "Ken Åström"} if failed else dict(events.KEN),
                    "source.ip": "198.51.100.99",
                    "entity": None,
                    "local.hour": 23,
                    "message": "A sign-in failed" if failed else "Ken Åström signed in",
                },
            )
        )
    load(site, run)
    site.clock.ahead = NOW - datetime.now(UTC)
    return site
