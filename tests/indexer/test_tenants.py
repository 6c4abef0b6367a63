"""The class of an event is a function of its tenant and its time, for every agent alike."""

from datetime import UTC, datetime, timedelta

import pytest

from indexer import tenants
from indexer.classes import DEFAULTS, Classes, RetentionClass
from indexer.client import Client, connect
from indexer.documents import Documents
from indexer.errors import ConflictError, NotPreparedError, SettingsError
from indexer.plans import CACHE_SECS, EPOCH, PlanEntry, Tenant
from indexer.tenants import Tenants
from tests.support.store import Store

ACME = "7f3c1a52-0b1e-4c67-9d55-2a8e61f0c9aa"
OTHER = "0a0b0c0d-0b1e-4c67-9d55-2a8e61f0c9aa"
NOW = datetime(2026, 11, 23, 17, 20, tzinfo=UTC)


def moment(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


class TestACopy:
    history = (
        PlanEntry("starter", moment(10, 6)),
        PlanEntry("enterprise", moment(20, 0), 3650),
        PlanEntry("business", moment(21, 13)),
    )
    copy = Tenants({ACME: Tenant(ACME, "Acme", "Europe/Madrid", "07:00-18:00", history, 3)}, DEFAULTS, NOW)

    @pytest.mark.parametrize(
        ("time", "class_name", "days"),
        [
            ("2026-11-10T05:59:59.9999999Z", "enterprise", 365),
            ("2026-11-10T06:00:00Z", "starter", 30),
            ("2026-11-10T06:00:00.000Z", "starter", 30),
            ("2026-11-10T06", "starter", 30),
            ("2026-11-19T23:59:59.999Z", "starter", 30),
            ("2026-11-20T00:00:00Z", "enterprise", 3650),
            ("2026-11-21T12:59:60Z", "enterprise", 3650),
            ("2026-11-21T13:00:00.0000001Z", "business", 90),
            ("2099-01-01T00:00:00Z", "business", 90),
        ],
    )
    def test_knows_the_class_by_text_and_by_time(self, time: str, class_name: str, days: int) -> None:
        assert self.copy.class_at(ACME, time) == class_name
        assert self.copy.days_at(ACME, time) == days
        assert self.copy.class_at(ACME, time[:13]) == class_name

    def test_keeps_no_shorter_than_the_class_does(self) -> None:
        classes = Classes({**DEFAULTS.by_name, "enterprise": RetentionClass("enterprise", 3653, "month")})
        raised = Tenants(self.copy.by_id, classes, NOW)
        assert raised.days_at(ACME, "2026-11-20T00:00:00Z") == 3653

    def test_knows_the_class_by_a_time_of_any_zone(self) -> None:
        zone = datetime.fromisoformat("2026-11-20T01:30:00+02:00")
        assert self.copy.class_at(ACME, zone) == "starter"

    @pytest.mark.parametrize("tenant_id", ["-", "", OTHER])
    def test_gives_a_stranger_the_longest_class(self, tenant_id: str) -> None:
        assert self.copy.class_at(tenant_id, "2026-11-10T06") == "enterprise"
        assert self.copy.partition("s", tenant_id, "2026-11-10T06") == "s-audit-enterprise-2026.11"
        assert self.copy.settings(tenant_id).zone == "UTC"

    def test_names_the_partition(self) -> None:
        assert self.copy.partition("s", ACME, "2026-11-10T06:00:00Z") == "s-audit-starter-2026.11.10"

    def test_is_stale_after_its_time_and_when_the_clock_went_back(self) -> None:
        assert not self.copy.is_stale(NOW + timedelta(seconds=CACHE_SECS - 1))
        assert self.copy.is_stale(NOW + timedelta(seconds=CACHE_SECS))
        assert self.copy.is_stale(NOW - timedelta(seconds=1))

    def test_says_up_to_which_hour_it_knows_every_plan(self) -> None:
        assert self.copy.final_before == "2026-11-23T18"
        at_56 = Tenants({}, DEFAULTS, NOW.replace(minute=56))
        assert at_56.final_before == "2026-11-23T19"


@pytest.fixture
def client(store: Store) -> Client:
    """A client of a store with the tenants' index and directory, as `apply` leaves them."""
    made = connect(store.settings)
    Documents(made, store.prefix, tenants.KIND).prepare()
    tenants.record_classes(made, store.prefix, DEFAULTS)
    return made


def put(client: Client, store: Store, tenant_id: str = ACME, **changes: object) -> Tenant:
    properties: dict[str, object] = {
        "name": "Acme",
        "zone": "Europe/Madrid",
        "hours": "07:00-18:00",
        "plan": "starter",
        "start": None,
        "days": None,
        "now": NOW,
        **changes,
    }
    return tenants.put(client, store.prefix, tenant_id, **properties)  # type: ignore[arg-type]


class TestTheStore:
    def test_keeps_tenants_and_their_history(self, store: Store, client: Client) -> None:
        put(client, store, ACME.upper())
        put(client, store, OTHER, name="Other", plan="enterprise", days=3653)
        put(client, store, plan="business", name="Acme SL")
        found = tenants.load(client, store.prefix, now=NOW)
        assert found.by_id[ACME].plans == (
            PlanEntry("starter", moment(23, 18)),
            PlanEntry("business", moment(23, 19)),
        )
        assert found.settings(ACME).name == "Acme SL"
        assert found.days_at(OTHER, NOW) == 3653
        assert found.loaded_at == NOW

    def test_changes_nothing_when_set_to_what_it_is(self, store: Store, client: Client) -> None:
        assert put(client, store, start=moment(24, 0)).revision == 1
        assert put(client, store).revision == 1
        assert put(client, store, start=moment(24, 0)).revision == 1

    def test_is_read_again_only_where_it_changed(self, store: Store, client: Client) -> None:
        put(client, store)
        put(client, store, OTHER)
        before = tenants.load(client, store.prefix, now=NOW)
        put(client, store, zone="Asia/Tokyo")
        after = tenants.load(client, store.prefix, now=NOW, previous=before)
        assert after.by_id[OTHER] is before.by_id[OTHER]
        assert after.by_id[ACME].zone == "Asia/Tokyo"

    def test_interrupted_between_directory_and_document_is_right_again(
        self, store: Store, client: Client
    ) -> None:
        put(client, store)
        documents = Documents(client, store.prefix, tenants.KIND)
        directory = documents.get(tenants.DIRECTORY)
        assert directory is not None
        revisions = {ACME: 2, OTHER: 1}
        documents.replace(directory, {**directory.source, "revisions": revisions})
        half = tenants.load(client, store.prefix, now=NOW)
        assert (half.by_id[ACME].revision, OTHER in half.by_id) == (1, False)
        put(client, store, zone="Asia/Tokyo")
        put(client, store, OTHER)
        whole = tenants.load(client, store.prefix, now=NOW, previous=half)
        assert (whole.by_id[ACME].zone, OTHER in whole.by_id) == ("Asia/Tokyo", True)

    def test_changed_by_two_at_once_tells_the_second(
        self, store: Store, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(client, store)
        announce = tenants._announce

        def interrupted(*arguments: object) -> None:
            monkeypatch.setattr(tenants, "_announce", announce)
            put(client, store, name="First")
            announce(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(tenants, "_announce", interrupted)
        with pytest.raises(ConflictError):
            put(client, store, name="Second")
        assert tenants.load(client, store.prefix, now=NOW).settings(ACME).name == "First"

    def test_places_the_events_of_a_new_tenant_alike_for_who_knows_it_and_who_does_not(
        self, store: Store, client: Client
    ) -> None:
        unaware = tenants.load(client, store.prefix, now=NOW)
        put(client, store)
        aware = tenants.load(client, store.prefix, now=NOW + timedelta(seconds=1), previous=unaware)
        for time in (EPOCH, moment(1, 6), NOW, moment(23, 17, 59)):
            assert aware.class_at(ACME, time) == unaware.class_at(ACME, time) == "enterprise"
        assert aware.class_at(ACME, moment(23, 18)) == "starter"
        assert unaware.final_before <= "2026-11-23T18"

    def test_refuses_a_first_plan_that_would_move_events(self, store: Store, client: Client) -> None:
        for start in (EPOCH, moment(23, 17)):
            with pytest.raises(SettingsError, match="the earliest is 2026-11-23T18:00:00Z"):
                put(client, store, start=start)
        assert ACME not in tenants.load(client, store.prefix, now=NOW).by_id

    def test_takes_a_first_plan_of_the_class_its_events_are_in(self, store: Store, client: Client) -> None:
        assert put(client, store, plan="enterprise").plans == (PlanEntry("enterprise", EPOCH),)
        since = moment(1, 0)
        found = put(client, store, OTHER, plan="enterprise", days=3650, start=since)
        assert found.plans == (PlanEntry("enterprise", since, 3650),)

    def test_without_what_apply_makes_says_so(self, store: Store) -> None:
        bare = connect(store.settings)
        with pytest.raises(NotPreparedError, match="audit-indexer apply"):
            tenants.load(bare, store.prefix, now=NOW)
        Documents(bare, store.prefix, tenants.KIND).prepare()
        with pytest.raises(NotPreparedError, match="audit-indexer apply"):
            tenants.load(bare, store.prefix, now=NOW)

    def test_keeps_the_classes_for_every_agent(self, store: Store, client: Client) -> None:
        longer = Classes({**DEFAULTS.by_name, "starter": RetentionClass("starter", 60, "month")})
        assert tenants.record_classes(client, store.prefix, longer)
        assert not tenants.record_classes(client, store.prefix, longer)
        put(client, store)
        found = tenants.load(client, store.prefix, now=NOW)
        assert found.classes == longer
        assert found.partition("s", ACME, "2026-12-10T06:00:00Z") == "s-audit-starter-2026.12"
