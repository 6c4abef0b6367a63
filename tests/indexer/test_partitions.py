"""Where an event lives is in its own bytes, and every partition is append-only from its first moment."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer import assets, indices, mappings, partitions
from indexer.client import Client, connect
from indexer.errors import PartitionError, SettingsError
from tests.support.store import Store


@pytest.fixture
def client(store: Store) -> Client:
    return connect(store.settings)


class TestAName:
    @pytest.mark.parametrize(
        ("period", "name"),
        [
            ("day", "smartwms-audit-business-2026.11.23"),
            ("month", "smartwms-audit-business-2026.11"),
        ],
    )
    def test_is_class_and_period(self, period: str, name: str) -> None:
        time = "2026-11-23T06:26:35.3631115Z"
        assert partitions.partition_name("smartwms", "business", time, period) == name
        assert partitions.partition_name("smartwms", "business", time[:10], period) == name

    @pytest.mark.parametrize(
        ("name", "start", "end"),
        [
            ("s-audit-starter-2028.02.28", (2028, 2, 28), (2028, 2, 29)),
            ("s-audit-starter-2026.12.31", (2026, 12, 31), (2027, 1, 1)),
            ("s-audit-enterprise-2026.02", (2026, 2, 1), (2026, 3, 1)),
            ("s-audit-enterprise-2026.12", (2026, 12, 1), (2027, 1, 1)),
        ],
    )
    def test_says_its_period(self, name: str, start: tuple[int, int, int], end: tuple[int, int, int]) -> None:
        found = partitions.parse(name)
        assert found is not None
        assert (found.start, found.end) == (datetime(*start, tzinfo=UTC), datetime(*end, tzinfo=UTC))

    @pytest.mark.parametrize(
        "name",
        ["smartwms-audit", "s-audit-starter-2026.02.30", "s-app-tenants", "s-audit-starter-2026.11.23-x", ""],
    )
    def test_that_is_none_is_none(self, name: str) -> None:
        assert partitions.parse(name) is None

    @given(
        day=st.dates(date(2000, 1, 1), date(2100, 12, 31)),
        period=st.sampled_from(partitions.PERIODS),
        class_name=st.sampled_from(["starter", "business", "enterprise", "hold"]),
        prefix=st.sampled_from(["smartwms", "a-b_c", "x9"]),
    )
    def test_is_read_back(self, day: date, period: str, class_name: str, prefix: str) -> None:
        name = partitions.partition_name(prefix, class_name, day.isoformat(), period)
        found = partitions.parse(name)
        assert found is not None
        assert (found.prefix, found.class_name, found.period) == (prefix, class_name, period)
        assert found.start.date() <= day < found.end.date()
        assert (found.end - found.start > timedelta(days=1)) == (period == "month")


class TestAPartition:
    def test_is_created_with_settings_mapping_and_alias(self, store: Store, client: Client) -> None:
        name = f"{store.prefix}-audit-business-2026.11.23"
        assert partitions.ensure(client, name)
        found = indices.look(client, name)[0]
        assert found.append_only
        assert found.aliases == {f"{store.prefix}-audit"}
        assert found.settings["index.refresh_interval"] == "1s"
        assert found.settings["index.merge_on_flush.enabled"] == "false"
        # What OpenSearch makes of the mapping is the mapping: else every second `ensure` would complain.
        assert not mappings.compare(found.mappings, assets.event_template(store.prefix).mappings)
        assert not mappings.compare(assets.event_template(store.prefix).mappings, found.mappings)

    def test_is_created_once_by_many(self, store: Store, client: Client) -> None:
        name = f"{store.prefix}-audit-business-2026.11.23"
        created: list[bool] = []
        threads = [
            threading.Thread(target=lambda: created.append(partitions.ensure(client, name))) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(created) == [False, False, False, True]

    def test_that_is_editable_is_refused(self, store: Store, client: Client) -> None:
        name = f"{store.prefix}-audit-business-2026.11.23"
        client.request("PUT", f"/{name}", body={"aliases": {f"{store.prefix}-audit": {}}})
        with pytest.raises(PartitionError, match=f"{name} is editable"):
            partitions.ensure(client, name)

    def test_that_left_the_alias_is_refused(self, store: Store, client: Client) -> None:
        name = f"{store.prefix}-audit-business-2026.11.23"
        partitions.ensure(client, name)
        client.request("DELETE", f"/{name}/_alias/{store.prefix}-audit")
        with pytest.raises(PartitionError, match="is not in the alias"):
            partitions.ensure(client, name)

    def test_that_is_mapped_otherwise_is_refused(self, store: Store, client: Client) -> None:
        name = f"{store.prefix}-audit-business-2026.11.23"
        indices.create(
            client,
            name,
            settings={"index.append_only.enabled": True},
            mappings={"dynamic": "strict", "properties": {"message": {"type": "keyword"}}},
            aliases={f"{store.prefix}-audit": {}},
        )
        with pytest.raises(PartitionError, match="message is type=keyword instead of"):
            partitions.ensure(client, name)

    def test_of_an_older_version_gets_the_fields_it_lacks(self, store: Store, client: Client) -> None:
        name = f"{store.prefix}-audit-business-2026.11.23"
        wanted = assets.event_template(store.prefix).mappings
        older = {**wanted, "properties": {k: v for k, v in wanted["properties"].items() if k != "request"}}
        indices.create(
            client,
            name,
            settings={"index.append_only.enabled": True},
            mappings=older,
            aliases={f"{store.prefix}-audit": {}},
        )
        assert not partitions.ensure(client, name)
        assert not mappings.compare(indices.look(client, name)[0].mappings, wanted)

    def test_has_a_partitions_name(self, client: Client) -> None:
        with pytest.raises(SettingsError, match="is no name of a partition"):
            partitions.ensure(client, "smartwms-audit")
