"""With Index State Management, policies merge and, later than retention, delete; never in `hold`."""

from collections.abc import Iterator
from datetime import timedelta
from importlib import resources
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from indexer import partitions, policies
from indexer.classes import DEFAULTS, Classes, RetentionClass
from indexer.cli import main
from indexer.client import connect
from indexer.retention import run
from indexer.retention.run import Order
from tests.support.ism_plugin import Plugin, fault_of, with_plugin
from tests.support.keeping import ACME, DAY, NORD, SETTLE_SECS, Keeping, Quiet
from tests.support.store import Store

NAMES = tuple(DEFAULTS.by_name)


def shipped(name: str) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads((resources.files("ilm_policies") / f"{name}.json").read_bytes())
    return body


def states(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {state["name"]: state for state in body["policy"]["states"]}


class TestTheFiles:
    @pytest.mark.parametrize("name", NAMES)
    def test_have_the_numbers_of_the_default_classes(self, name: str) -> None:
        (made,) = [each for each in policies.wanted("smartwms", DEFAULTS) if each.class_name == name]
        assert made.body == shipped(name)

    @pytest.mark.parametrize("name", NAMES)
    def test_are_as_the_plugin_takes_them(self, name: str) -> None:
        assert fault_of(shipped(name)["policy"]) == ""

    @pytest.mark.parametrize("name", NAMES)
    def test_open_what_they_merged_for_late_events(self, name: str) -> None:
        actions = states(shipped(name))["closed"]["actions"]
        assert actions == [{"force_merge": {"max_num_segments": 1}}, {"read_write": {}}]

    @pytest.mark.parametrize("name", [name for name in NAMES if name != "hold"])
    def test_delete_later_than_retention_does(self, name: str) -> None:
        (to_overdue,) = states(shipped(name))["closed"]["transitions"]
        days = int(to_overdue["conditions"]["min_index_age"].removesuffix("d"))
        longest = partitions.parse(partitions.partition_name("s", name, "2026-10-01", DEFAULTS[name].period))
        assert longest
        # From its creation, at the earliest when its period begins, to the day on which retention deletes it.
        ours = longest.end + timedelta(days=DEFAULTS[name].days or 0) - longest.start
        assert timedelta(days=days) - ours >= timedelta(days=policies.MARGIN_DAYS)

    def test_never_delete_what_was_carried_over(self) -> None:
        assert "delete" not in str(states(shipped("hold")))


def test_policies_follow_the_days_in_force_and_move_to_warm_nodes_where_there_are_some() -> None:
    longer = Classes({**DEFAULTS.by_name, "starter": RetentionClass("starter", 60, "month")})
    made = policies.wanted("x", longer, "temp:warm")[0]
    found = states(made.body)
    assert found["written"]["transitions"][0]["conditions"] == {"min_index_age": "33d"}
    assert found["closed"]["transitions"][0]["conditions"] == {"min_index_age": "121d"}
    assert found["closed"]["actions"][-1] == {"allocation": {"require": {"temp": "warm"}, "wait_for": False}}
    assert made.body["policy"]["ism_template"][0]["index_patterns"] == ["x-audit-starter-*"]
    assert fault_of(made.body["policy"]) == ""


@pytest.fixture
def plugin(store: Store) -> Iterator[Plugin]:
    with with_plugin(store) as made:
        yield made


def command(plugin: Plugin, *arguments: str, **settings: str) -> Result:
    return CliRunner().invoke(main, arguments, env={**plugin.environment, **settings})


def test_apply_puts_them_once_and_replaces_those_of_other_days(plugin: Plugin) -> None:
    prefix = plugin.store.prefix
    client = connect(plugin.store.settings)
    partitions.ensure(client, f"{prefix}-audit-starter-2026.09.01")
    first = command(plugin, "apply")
    assert first.exit_code == 0, first.output
    assert f"put right: policy {prefix}-audit-starter is missing" in first.output
    assert set(plugin.policies) == {f"{prefix}-audit-{name}" for name in NAMES}
    # What was there before the policy follows it, too; of the other classes there is nothing yet.
    assert plugin.done == [("add", f"{prefix}-audit-starter-*")]
    assert command(plugin, "plan").output == "nothing to do\n"
    longer = command(plugin, "apply", AUDIT_STARTER_DAYS="60")
    assert f"policy {prefix}-audit-starter is not the one of these classes" in longer.output
    assert [number for number, _ in plugin.policies.values()] == [1, 0, 0, 0]
    assert plugin.done[1:] == [("change_policy", f"{prefix}-audit-starter-*")]
    client.close()


def test_retention_leaves_merging_to_the_plugin_and_takes_what_is_held_out_of_its_hands(
    plugin: Plugin,
) -> None:
    keeping = Keeping(plugin.store)
    keeping.tenant(ACME, "starter")
    keeping.tenant(NORD, "starter")
    for first in range(2):
        keeping.write(ACME, 1, first=first)
    keeping.write(NORD, 1, at=1.25)
    keeping.hold(ACME, end=DAY + timedelta(days=1))
    client = connect(plugin.settings)
    order = Order(DAY + timedelta(days=9), is_given=True, settle_secs=SETTLE_SECS)
    assert run.run(client, keeping.prefix, order, Quiet()).merged == []
    assert plugin.done == [("remove", f"{keeping.prefix}-audit-starter-2026.09.01")]
    client.close()


def test_retention_takes_events_without_a_time_out_of_the_plugins_hands(plugin: Plugin) -> None:
    """Their partition is as old as the first of them; ISM would delete it with the newest in it."""
    keeping, name = Keeping(plugin.store), "audit-enterprise-2000.01"
    keeping.put([f"{keeping.prefix}-{name}"])
    client = connect(plugin.settings)
    order = Order(DAY + timedelta(days=9), is_given=True, settle_secs=SETTLE_SECS)
    run.run(client, keeping.prefix, order, Quiet())
    assert ("remove", f"{keeping.prefix}-{name}") in plugin.done
    client.close()
