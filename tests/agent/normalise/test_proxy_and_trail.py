"""What nginx saw, and what our own web UI did."""

from __future__ import annotations

from typing import Any

import pytest

from indexer.seals.confirmations import Confirmations
from indexer.trail import CONFIRMED
from tests.agent.normalise.feeding import TENANT, Event, Feeding, flags, what


def seen(**more: object) -> Event:
    line: dict[str, Any] = {
        "time": "2026-11-23T07:26:39+01:00",
        "msec": "1795415199.418",
        "remote_addr": "192.0.2.10",
        "remote_user": "-",
        "method": "GET",
        "uri": f"/api/v1/tenant/{TENANT}/products?page=2",
        "protocol": "HTTP/1.1",
        "status": 200,
        "bytes_sent": 512,
        "referer": "-",
        "user_agent": "curl/8",
        "host": "wms.example",
        "request_time": 0.25,
        "request_id": "abc",
        **more,
    }
    return Feeding("nginx-json").one(line)


class TestAnAccessLogLine:
    def test_tells_a_request_with_its_address(self) -> None:
        event = seen()
        assert what(event) == ("api", "read", "success")
        assert event["source"] == {"ip": "192.0.2.10"}
        assert event["url"] == {
            "path": f"/api/v1/tenant/{TENANT}/products",
            "query": "page=2",
            "route": "/api/v1/tenant/{tenantId}/products",
        }
        assert event["event"]["duration_ms"] == 250
        assert event["event"]["provenance"] == "proxy"
        assert event["tenant"]["id"] == TENANT
        assert event["request"] == {"id": "abc"}
        assert event["labels"]["bytes_sent"] == 512

    @pytest.mark.parametrize(
        ("status", "expected"),
        [(404, ("api", "refused", "failure")), (502, ("api", "failed", "failure"))],
    )
    def test_says_how_it_ended(self, status: int, expected: tuple[str, str, str]) -> None:
        assert what(seen(status=status)) == expected

    def test_that_was_refused_only_claims_its_tenant(self) -> None:
        event = seen(status=403)
        assert event["tenant"]["id"] == "-"
        assert event["labels"]["claimed_tenant"] == TENANT

    def test_is_never_a_domain_event(self) -> None:
        assert what(seen(method="POST", status=201))[:2] == ("api", "called")

    @pytest.mark.parametrize(
        ("path", "route", "number"),
        [
            ("products/sku/AB%20C%C3%A5", "products/sku/{sku}", "AB Cå"),
            ("pro%64ucts/sku/A-1", "products/sku/{sku}", "A-1"),
            ("products/sku/A%2FB%2f%25", "products/sku/{sku}", "A%2FB%2F%"),
            ("products/sku/A%0d%0a%20B", "products/sku/{sku}", "A%0d%0a%20B"),
        ],
    )
    def test_names_what_an_encoded_path_means(self, path: str, route: str, number: str) -> None:
        event = seen(uri=f"/api/v1/tenant/{TENANT}/{path}")
        assert event["entity"] == {"type": "Product", "number": number}
        assert event["url"]["route"] == f"/api/v1/tenant/{{tenantId}}/{route}"
        assert event["url"]["path"] == f"/api/v1/tenant/{TENANT}/{path}"
        assert event["tenant"]["id"] == TENANT

    def test_keeps_an_address_that_is_none(self) -> None:
        assert seen(remote_addr="unix:")["source"] == {"address": "unix:"}

    def test_shows_an_ipv4_address_as_one(self) -> None:
        assert seen(remote_addr="::ffff:192.0.2.7")["source"] == {"ip": "192.0.2.7"}

    @pytest.mark.parametrize("status", [0, 99999, "abc", None, True])
    def test_with_a_status_that_is_none_keeps_it(self, status: object) -> None:
        event = seen(status=status)
        assert what(event)[2] == "unknown"
        assert "http" not in event or "status_code" not in event["http"].get("response", {})
        if status is not None:
            assert event["labels"]["status"] == status

    def test_that_is_no_request_is_kept(self) -> None:
        line = b'192.0.2.1 - - [23/Nov/2026:07:26:39 +0100] "\\x16\\x03" 400 150 "-" "-"'
        event = Feeding("nginx-combined").one(line)
        assert what(event) == ("api", "refused", "failure")
        assert event["message"] == "An unknown user was refused a malformed request (400)"
        assert event["labels"]["request"] == "\x16\x03"

    def test_that_nothing_understands_is_kept_whole(self) -> None:
        event = Feeding("nginx-combined").one(b"what is this")
        assert what(event) == ("system", "logged", "unknown")
        assert flags(event) == {"unparsed", "time_suspect"}
        assert event["event"]["original"] == event["message"] == "what is this"


class TestTheTrail:
    def done(self, **more: object) -> Event:
        return Feeding("trail").one(
            {
                "@t": "2026-11-23T06:26:39.000Z",
                "Action": "searched",
                "Outcome": "success",
                "UserName": "auditor",
                "IpAddress": "192.0.2.9",
                "TenantId": TENANT,
                "Message": "auditor searched for deletes",
                "Query": "q=delete",
                "Path": "/activity",
                "Method": "GET",
                "StatusCode": 200,
                "Rows": 12,
                **more,
            }
        )

    def test_tells_what_an_auditor_did(self) -> None:
        event = self.done()
        assert what(event) == ("audit", "searched", "success")
        assert event["message"] == "auditor searched for deletes"
        assert event["tenant"]["id"] == TENANT
        assert event["url"] == {"path": "/activity", "query": "q=delete"}
        assert event["event"]["provenance"] == "trail"
        assert event["labels"] == {"Rows": 12}

    def test_says_to_verify_that_an_erasure_was_confirmed(self) -> None:
        event = self.done(Action="configured", EntityType="Tenant", EntityId=TENANT, Erasure=CONFIRMED)
        found = Confirmations()
        found.take(event["event"]["id"], event)
        found.verified(event["event"]["id"])
        assert found.tenants == {TENANT}

    def test_keeps_an_action_that_it_does_not_know(self) -> None:
        event = self.done(Action="danced", Outcome="great")
        assert what(event) == ("system", "logged", "unknown")
        assert event["labels"]["Action"] == "danced"

    def test_that_an_agent_reported_is_bookkeeping(self) -> None:
        event = self.done(Action="reported", Reasons="a password=hunter2 was wrong\nit is late", UserName="")
        assert what(event) == ("audit", "reported", "success")
        assert flags(event) == {"bookkeeping", "redacted"}
        first, second = event["labels"]["Reasons"].split("\n")
        assert first.startswith("a password=[redacted:")
        assert second == "it is late"
