"""What becomes what: category, action and outcome of changes, requests and other lines (event.md)."""

from __future__ import annotations

from importlib import resources
from typing import Any

import pytest

from agent.normalise import classify
from indexer.event import ACTIONS
from tests.agent.normalise.feeding import TENANT, Event, Feeding, change, flags, log, request, what

USER = "01a206ff-6fb3-7d8a-bd44-b3bd161d4372"
ROLE = "cccc0001-0001-0001-0002-000000000001"
BASE = f"/api/v1/tenant/{TENANT}"


def changed(record: dict[str, Any]) -> Event:
    found, _ = Feeding().feed(record, request(method="PUT"))
    return found


def status_change(kind: str, before: str, after: str) -> dict[str, Any]:
    return change(
        kind,
        "StatusChange",
        ChangedFields="Status,UpdatedAt",
        OldValues={"Status": before},
        NewValues={"Status": after},
        EntityNumber="SO-10023",
    )


CHANGES = [
    pytest.param(change("Product", "Create"), "products", "created", id="a product is created"),
    pytest.param(change("ProductCategory", "Delete"), "products", "deleted", id="a category is deleted"),
    pytest.param(change("SalesOrderLine"), "orders", "updated", id="a line of an order"),
    pytest.param(
        status_change("SalesOrder", "Draft", "Confirmed"), "orders", "status_changed", id="an order"
    ),
    pytest.param(
        status_change("CycleCountSession", "Open", "Completed"), "inventory", "counted", id="counted"
    ),
    pytest.param(status_change("PutawayTask", "Assigned", "Completed"), "inventory", "moved", id="put away"),
    pytest.param(status_change("StockAdjustment", "Draft", "Posted"), "inventory", "adjusted", id="posted"),
    pytest.param(
        status_change("StockTransfer", "Draft", "Approved"), "inventory", "updated", id="not yet moved"
    ),
    pytest.param(status_change("Carrier", "On", "Off"), "configuration", "updated", id="a carrier's status"),
    *(
        pytest.param(
            change("StockMovement", "Create", NewValues={"MovementType": kind}), "inventory", action, id=kind
        )
        for kind, action in {
            "Receipt": "received",
            "Adjustment": "adjusted",
            "Transfer": "transferred",
            "Pick": "moved",
        }.items()
    ),
    pytest.param(change("SystemSetting"), "configuration", "updated", id="a setting"),
    pytest.param(change("ApplicationUser"), "users", "updated", id="a user"),
    pytest.param(change("ApplicationRole", "Create"), "users", "role_created", id="a role"),
    pytest.param(change("UserSession", "Delete"), "authentication", "session_revoked", id="a session ends"),
    pytest.param(
        change("Whatever", Module="Packing"), "orders", "updated", id="an unknown type, by its module"
    ),
    pytest.param(change("Whatever", Module="Unheard"), "system", "logged", id="an unknown type and module"),
    pytest.param(change("Product", "Explode"), "system", "logged", id="an unknown action"),
]


class TestADataChange:
    @pytest.mark.parametrize(("record", "category", "action"), CHANGES)
    def test_has_the_category_and_action_of_the_tables(
        self, record: dict[str, Any], category: str, action: str
    ) -> None:
        assert what(changed(record)) == (category, action, "success")

    def test_says_the_states_it_went_between_each_time(self) -> None:
        feeding = Feeding()
        messages = [
            feeding.feed(status_change("SalesOrder", *states), request(method="PUT"))[0]["message"]
            for states in (("Draft", "Confirmed"), ("Confirmed", "Shipped"))
        ]
        said = "Admin Berg changed the status of sales order SO-10023 from"
        assert messages == [f"{said} Draft to Confirmed", f"{said} Confirmed to Shipped"]

    def test_says_the_states_of_its_own_also_for_a_plain_update(self) -> None:
        feeding = Feeding()
        for states in (("A", "B"), ("B", "C")):
            record = {**status_change("Location", *states), "Action": "Update"}
            found, _ = feeding.feed(record, request(method="PUT"))
            assert found["message"].endswith(f"from {states[0]} to {states[1]}")

    def test_keeps_what_its_message_says_otherwise_than_its_properties(self) -> None:
        labels = changed(change(AuditKey="SKU-2", EventType="Import"))["labels"]
        assert (labels["AuditKey"], labels["EventType"]) == ("SKU-2", "Import")
        assert "AuditEntity" not in labels

    def test_with_an_exception_has_its_error(self) -> None:
        assert changed(change(**{"@x": "System.Exception: boom"}))["error"]["message"] == "boom"


class TestBookkeeping:
    @pytest.mark.parametrize(
        ("fields", "expected", "is_flagged"),
        [
            ("ConcurrencyStamp,LastLoginAt,RefreshToken", ("authentication", "session_updated"), True),
            ("RefreshTokenExpiresAt,UpdatedAt", ("authentication", "session_updated"), True),
            ("ConcurrencyStamp,SecurityStamp", ("users", "updated"), True),
            ("UpdatedAt", ("users", "updated"), True),
            ("LastLoginAt,PasswordHash", ("users", "updated"), False),
            ("Email,UpdatedAt", ("users", "updated"), False),
        ],
    )
    def test_is_a_change_of_nothing_but_the_frameworks_own_fields(
        self,
        fields: str,
        expected: tuple[str, str],
        is_flagged: bool,  # noqa: FBT001
    ) -> None:
        event = changed(change("ApplicationUser", ChangedFields=fields))
        assert what(event)[:2] == expected
        assert ("bookkeeping" in flags(event)) is is_flagged

    def test_of_another_entity_stays_its_own_update(self) -> None:
        event = changed(change("Product", ChangedFields="UpdatedAt"))
        assert what(event)[:2] == ("products", "updated")
        assert flags(event) == {"bookkeeping"}


class TestRolesAndPermissions:
    def test_giving_a_role_is_a_change_of_the_user(self) -> None:
        record = change(
            "IdentityUserRole`1", "Create", NewValues={"UserId": USER, "RoleId": ROLE}, EntityNumber=None
        )
        event = changed(record)
        assert what(event) == ("users", "role_changed", "success")
        assert event["entity"] == {"type": "ApplicationUser", "id": USER}
        assert event["message"] == f"Admin Berg gave a role to user {USER}"

    def test_taking_a_role_says_so(self) -> None:
        record = change(
            "IdentityUserRole`1", "Delete", OldValues={"UserId": USER, "RoleId": ROLE}, EntityNumber=None
        )
        assert changed(record)["message"] == f"Admin Berg took a role from user {USER}"

    @pytest.mark.parametrize(
        ("kind", "owner", "words"),
        [
            ("IdentityRoleClaim`1", "RoleId", "role"),
            ("IdentityUserClaim`1", "UserId", "user"),
        ],
    )
    def test_granting_a_permission_names_it_and_whose_it_is(self, kind: str, owner: str, words: str) -> None:
        values = {owner: ROLE, "ClaimValue": "orders.write"}
        event = changed(change(kind, "Create", NewValues=values, EntityNumber=None))
        assert what(event) == ("users", "permissions_changed", "success")
        assert event["entity"]["id"] == ROLE
        assert event["message"] == f"Admin Berg granted orders.write to {words} {ROLE}"

    def test_withdrawing_a_permission_names_it(self) -> None:
        values = {"RoleId": ROLE, "ClaimValue": "orders.write"}
        event = changed(change("IdentityRoleClaim`1", "Delete", OldValues=values, EntityNumber=None))
        assert event["message"] == f"Admin Berg withdrew orders.write from role {ROLE}"


REQUESTS = [
    pytest.param(request("/api/v1/auth/login", "POST", 401), "authentication", "login_failed", id="401"),
    pytest.param(request("/api/v1/auth/login", "POST", 423), "authentication", "login_failed", id="locked"),
    pytest.param(request("/api/v1/auth/login", "POST", 500), "api", "failed", id="a login that broke"),
    pytest.param(
        request("/api/v1/auth/refresh", "POST", 401), "authentication", "token_refused", id="refused"
    ),
    pytest.param(request("/api/v1/auth/logout", "POST"), "authentication", "logout", id="logout"),
    pytest.param(request("/api/v1/auth/validate"), "api", "read", id="validate reads"),
    pytest.param(request(f"{BASE}/products"), "api", "read", id="GET reads"),
    pytest.param(request(f"{BASE}/products", "HEAD"), "api", "read", id="HEAD reads"),
    pytest.param(
        request(f"{BASE}/products", QueryString="?pageSize=500"), "api", "exported", id="a big page"
    ),
    pytest.param(request(f"{BASE}/products", QueryString="?pageSize=499"), "api", "read", id="a small page"),
    *(
        pytest.param(request(f"{BASE}/products", QueryString=query), "api", "exported", id=query)
        for query in (
            *("?pageSize=2147483647", "?page%53ize=1000", "?pageSize=%31000", "?pageSize=00000000001000"),
            *("?page=1&PAGESIZE=+500+", "?pageSize=500%20"),
        )
    ),
    *(
        pytest.param(request(f"{BASE}/products", QueryString=query), "api", "read", id=query)
        for query in ("?pageSize=%34%39", "?search=a%26pageSize%3D1000", "?pageSize=-500", "?pageSize=5e9")
    ),
    pytest.param(request(f"{BASE}/products", "POST", 400), "api", "refused", id="4xx"),
    pytest.param(request(f"{BASE}/products", "POST", 503), "api", "failed", id="5xx"),
    pytest.param(request("/no/such/route", "PUT"), "api", "called", id="an unknown route"),
]


class TestARequest:
    @pytest.mark.parametrize(("record", "category", "action"), REQUESTS)
    def test_has_the_category_and_action_of_its_route_and_status(
        self, record: dict[str, Any], category: str, action: str
    ) -> None:
        outcome = "failure" if record["StatusCode"] >= 400 else "success"
        assert what(Feeding().one(record)) == (category, action, outcome)

    def test_is_called_where_data_changes_have_lines_of_their_own(self) -> None:
        assert what(Feeding().one(request(f"{BASE}/products", "POST")))[:2] == ("api", "called")

    def test_is_the_domain_event_where_they_have_none(self) -> None:
        feeding = Feeding(changes_logged=False)
        event = feeding.one(request(f"{BASE}/products/{USER.upper()}", "PUT", UserName="sofia"))
        assert what(event) == ("products", "updated", "success")
        assert event["entity"] == {"type": "Product", "id": USER}
        assert event["message"] == f"sofia changed product {USER}"

    @pytest.mark.parametrize("elapsed", [34, 34.5])
    def test_has_its_duration_printed_as_a_whole_number_or_not(self, elapsed: float) -> None:
        assert Feeding().one(request(Elapsed=elapsed))["event"]["duration_ms"] == elapsed

    @pytest.mark.parametrize(
        ("method", "path", "deed"),
        [
            ("DELETE", "audit/purge", "purged what SmartWMS had logged (DELETE audit/purge)"),
            (
                "POST",
                "sessions/purge-login-attempts",
                "purged what SmartWMS had logged (POST sessions/purge-login-attempts)",
            ),
            ("GET", "audit/logs", "searched the audit log of SmartWMS (GET audit/logs)"),
        ],
    )
    def test_to_smartwmss_own_audit_log_says_what_was_done_to_it(
        self, method: str, path: str, deed: str
    ) -> None:
        event = Feeding().one(request(f"{BASE}/{path}", method, UserName="sofia"))
        assert what(event)[0] == "audit"
        assert event["message"] == f"sofia {deed}"

    def test_outside_of_http_is_no_request(self) -> None:
        event = Feeding().one(request(status=70000))
        assert what(event) == ("system", "logged", "unknown")
        assert event["labels"]["StatusCode"] == 70000


class TestAnyOtherLine:
    @pytest.mark.parametrize(
        ("record", "action", "outcome"),
        [
            (log("Starting SmartWMS API"), "started", "success"),
            (log("SmartWMS API stopped"), "stopped", "success"),
            (log("Slow", **{"@l": "Warning"}), "warned", "unknown"),
            (log("Broken", **{"@l": "Error"}), "failed", "failure"),
            (log("Broken", **{"@x": "System.Exception: a"}), "failed", "failure"),
            (log("Anything"), "logged", "unknown"),
        ],
    )
    def test_is_of_the_system(self, record: dict[str, Any], action: str, outcome: str) -> None:
        assert what(Feeding().one(record)) == ("system", action, outcome)

    def test_has_its_properties_in_its_message(self) -> None:
        event = Feeding().one(
            log("Rule {RuleId} ran in {Took:0.00} s", RuleId="R1", Took=1.234, **{"@r": ["1.23"]})
        )
        assert event["message"] == "Rule R1 ran in 1.23 s"
        assert event["labels"]["RuleId"] == "R1"


class TestTheTables:
    def test_name_only_categories_and_actions_of_the_vocabulary(self) -> None:
        text = resources.files("agent.normalise").joinpath("routes.tsv").read_text(encoding="utf-8")
        rows = [line.split("\t") for line in text.splitlines()[1:]]
        assert len(rows) > 400
        for _, template, category, action, _ in rows:
            assert action in ACTIONS[category], template

    def test_give_every_entity_a_category_and_words(self) -> None:
        for name, entity in classify.ENTITIES.items():
            assert entity.category in ACTIONS, name
            assert entity.words == entity.words.lower().strip(), name
        assert set(classify.MODULES.values()) <= set(ACTIONS)

    def test_say_an_unknown_type_in_words(self) -> None:
        assert classify.words("WaveTemplate") == "wave template"


class TestAChangeLikeOneBefore:
    """What a classification depends on beside types and fields: the line itself, never an earlier one."""

    def test_whose_fields_are_not_listed_has_its_own_status(self) -> None:
        feeding = Feeding()
        found = [
            feeding.feed(
                change("StockTransfer", "StatusChange", ChangedFields=None, NewValues={"Status": status}),
                request(method="PUT"),
            )[0]
            for status in ("Completed", "Draft", "Received")
        ]
        assert [event["event"]["action"] for event in found] == ["transferred", "updated", "transferred"]

    def test_of_a_movement_has_its_own_status(self) -> None:
        feeding = Feeding()
        said = [
            feeding.feed(status_change("StockMovement", *states), request(method="PUT"))[0]["message"]
            for states in (("Draft", "Posted"), ("Posted", "Void"))
        ]
        assert [message.partition(" from ")[2] for message in said] == ["Draft to Posted", "Posted to Void"]

    def test_whose_fields_are_a_list_names_each(self) -> None:
        event = changed(change(ChangedFields=["Name", "Price"]))
        assert event["change"]["fields"] == ["Name", "Price"]
        assert event["message"] == "Admin Berg changed product SKU-1: Name, Price"


class TestALine:
    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            ({"Id": 1, "Note": None, "Open": True}, '{"Id":1,"Note":null,"Open":true}'),
            (["x", 1, "å"], '["x",1,"å"]'),
            (None, "null"),
            (True, "True"),
            (12.5, "12.5"),
            ("text", "text"),
        ],
    )
    def test_shows_a_property_as_serilog_does(self, value: object, shown: str) -> None:
        assert Feeding().one(log("got {@Order} now", Order=value))["message"] == f"got {shown} now"

    def test_shows_a_hole_that_nothing_fills(self) -> None:
        assert Feeding().one(log("got {Order} of {UserId}"))["message"] == "got {Order} of {UserId}"
