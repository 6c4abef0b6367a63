"""`audit-indexer` brings a bare store to what this version needs, and says every failure in one sentence."""

import pytest
from click.testing import CliRunner, Result

from indexer import assets, indices, partitions
from indexer.cli import main
from indexer.client import connect
from tests.support.store import Store

ACME = "7f3c1a52-0b1e-4c67-9d55-2a8e61f0c9aa"
SET = (
    "tenants",
    "set",
    ACME,
    "--name",
    "Acme SL",
    "--zone",
    "Europe/Madrid",
    "--hours",
    "07:00-18:00",
    "--plan",
)


def run(store: Store, *arguments: str, **settings: str) -> Result:
    return CliRunner().invoke(main, arguments, env={**store.environment, **settings})


def test_apply_puts_right_what_plan_tells(store: Store) -> None:
    before = run(store, "plan")
    assert before.exit_code == 1
    assert f"to do: index template {store.prefix}-audit is missing" in before.output
    assert f"to do: index {store.prefix}-app-tenants is missing" in before.output
    assert store.index_names() == []
    applied = run(store, "apply")
    assert applied.exit_code == 0, applied.output
    assert applied.output.endswith("the store is as this version needs it\n")
    after = run(store, "plan")
    assert (after.exit_code, after.output.splitlines()[-1]) == (0, "nothing to do")


def test_apply_a_second_time_changes_nothing(store: Store) -> None:
    run(store, "apply")
    assert "put right" not in run(store, "apply").output


def test_plan_tells_a_template_that_somebody_changed(store: Store) -> None:
    run(store, "apply")
    client = connect(store.settings)
    name = f"{store.prefix}-audit"
    body = client.request("GET", f"/_index_template/{name}").json["index_templates"][0]["index_template"]
    body["template"]["settings"]["index"]["refresh_interval"] = "30s"
    client.request("PUT", f"/_index_template/{name}", body=body)
    assert f"index template {name} is not the one of this version" in run(store, "plan").output
    assert run(store, "apply").exit_code == 0
    assert run(store, "plan").exit_code == 0


def test_plan_tells_what_only_a_person_can_decide(store: Store) -> None:
    run(store, "apply")
    client = connect(store.settings)
    client.request(
        "PUT",
        f"/{store.prefix}-audit-business-2026.11.23",
        body={"settings": {"index.append_only.enabled": False}},
    )
    for command in ("plan", "apply", "status"):
        found = run(store, command)
        assert found.exit_code == 1
        assert f"needs you: partition {store.prefix}-audit-business-2026.11.23 is editable" in found.output


def test_apply_gives_what_an_older_version_made_the_fields_it_lacks(store: Store) -> None:
    # Before the first `apply`: its templates would complete what is created.
    client = connect(store.settings)
    wanted = assets.event_template(store.prefix).mappings
    older = {**wanted, "properties": {k: v for k, v in wanted["properties"].items() if k != "request"}}
    name = f"{store.prefix}-audit-business-2026.11.23"
    aliases: dict[str, object] = {f"{store.prefix}-audit": {}}
    indices.create(
        client, name, settings={"index.append_only.enabled": True}, mappings=older, aliases=aliases
    )
    tenants = f"{store.prefix}-app-tenants"
    indices.create(client, tenants, settings={}, mappings={"dynamic": "strict"}, aliases={})
    before = run(store, "plan").output
    assert f"partition {name} lacks the fields request, request.id" in before
    assert f"index {tenants} lacks the fields name" in before
    assert run(store, "apply").exit_code == 0
    assert run(store, "plan").exit_code == 0


def test_plan_tells_an_index_that_lies_among_the_partitions(store: Store) -> None:
    run(store, "apply")
    connect(store.settings).request("PUT", f"/{store.prefix}-audit-notes")
    assert (
        f"needs you: index {store.prefix}-audit-notes lies among the partitions" in run(store, "plan").output
    )


def test_apply_records_the_classes_of_the_settings_and_keeps_them(store: Store) -> None:
    assert run(store, "apply", AUDIT_ENTERPRISE_DAYS="3652").exit_code == 0
    assert run(store, "plan").exit_code == 0
    assert "enterprise 3652 days, by month: no partitions" in run(store, "status").output


def test_a_class_with_partitions_keeps_its_period(store: Store) -> None:
    run(store, "apply")
    partitions.ensure(connect(store.settings), f"{store.prefix}-audit-business-2026.11.23")
    found = run(store, "apply", AUDIT_BUSINESS_PERIOD="month")
    assert found.exit_code == 2
    assert "AUDIT_BUSINESS_PERIOD is 'month', but partition" in found.output


def test_status_tells_what_the_cluster_is_and_has(store: Store) -> None:
    run(store, "apply")
    client = connect(store.settings)
    for day in ("2026.11.22", "2026.11.23"):
        partitions.ensure(client, f"{store.prefix}-audit-business-{day}")
    client.request(
        "PUT",
        f"/{store.prefix}-audit-business-2026.11.23/_create/a",
        params={"refresh": True},
        body={"@timestamp": "2026-11-23T06:00:00Z"},
    )
    found = run(store, "status")
    assert found.exit_code == 0, found.output
    lines = found.output.splitlines()
    assert lines[0].startswith(f"OpenSearch 3.8.0 at {store.url}, cluster ")
    # Yellow while another test makes an index on the shared node.
    assert lines[1] in {"health green, 1 node(s)", "health yellow, 1 node(s)"}
    assert "Index State Management no" in lines[2]
    assert "business   90 days, by day: 2 partitions, 2026.11.22 to 2026.11.23, 1 events" in found.output
    assert "starter    30 days, by day: no partitions" in found.output


def test_tenants_are_set_and_listed(store: Store) -> None:
    run(store, "apply")
    assert run(store, *SET, "enterprise", "--days", "3652", "--from", "2020-01-01").exit_code == 0
    listed = run(store, "tenants", "list")
    assert listed.output == (
        f"{ACME}  Acme SL  Europe/Madrid  07:00-18:00  enterprise (3652 days) from 2020-01-01T00:00:00Z\n"
    )
    assert run(store, *SET, "enterprise", "--days", "3652", "--from", "2020-01-01").output == listed.output


@pytest.mark.parametrize(
    ("arguments", "settings", "exit_code", "sentence"),
    [
        (("status",), {"AUDIT_OPENSEARCH_URL": "http://127.0.0.1:1"}, 3, "does not answer"),
        (("--timeout", "0.1", "plan"), {"AUDIT_OPENSEARCH_URL": "http://127.0.0.1:1"}, 3, "does not answer"),
        (("status",), {"AUDIT_OPENSEARCH_URI": "x"}, 2, "did you mean AUDIT_OPENSEARCH_URL?"),
        (("plan",), {"AUDIT_STARTER_DAYS": "29"}, 2, "AUDIT_STARTER_DAYS is '29'"),
        (("tenants", "list"), {}, 2, "run `audit-indexer apply`"),
        ((*SET, "gold"), {}, 2, "'gold'"),
        ((*SET, "starter", "--from", "soon"), {}, 2, "--from 'soon' is no time"),
        ((*SET, "starter", "--days", "3"), {}, 2, "3 days do not fit"),
        (("nonsense",), {}, 2, "No such command"),
    ],
)
def test_a_failure_is_one_sentence_and_an_exit_code(
    store: Store, arguments: tuple[str, ...], settings: dict[str, str], exit_code: int, sentence: str
) -> None:
    found = run(store, *arguments, **settings)
    assert found.exit_code == exit_code
    assert found.stdout == ""
    assert sentence in found.stderr.splitlines()[-1]
    assert "Traceback" not in found.stderr


def test_a_local_node_is_a_command_of_its_own() -> None:
    assert "start" in CliRunner().invoke(main, ["node", "--help"]).output
