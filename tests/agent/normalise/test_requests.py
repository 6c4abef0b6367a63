"""The lines of one request tell each other who, whose, and how it ended."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from agent.normalise import requests as open_requests
from agent.normalise.draft import NOTHING_KNOWN
from agent.normalise.request_lines import facts_of
from tests.agent.normalise.feeding import (
    NEXT_FILE,
    TENANT,
    Event,
    Feeding,
    change,
    events,
    flags,
    log,
    request,
    what,
)

FIRST, SECOND = "0HNQ95ATOEJFE:00000001", "0HNQ95ATOEJFE:00000002"
SOFIA = "01a1f0cb-58b3-7949-9675-89f2511d3c2d"
SAVING_FAILED = {
    "@l": "Error",
    "@x": "Npgsql.PostgresException (0x80004005): 23503: violates foreign key",
    "SourceContext": "Microsoft.EntityFrameworkCore.Update",
}


def sign_in(
    request_id: str = FIRST, user_id: str = SOFIA, name: str = "sofia@test.example"
) -> dict[str, object]:
    return change(
        "ApplicationUser",
        ChangedFields="ConcurrencyStamp,LastLoginAt,RefreshToken",
        EntityId=user_id,
        EntityNumber=name,
        UserId=None,
        UserName=None,
        UserEmail=None,
        RequestId=request_id,
    )


def login(request_id: str = FIRST, status: int = 200, **more: object) -> dict[str, object]:
    return request("/api/v1/auth/login", "POST", status, RequestId=request_id, **more)


class TestWhoSignedIn:
    def test_is_known_from_the_change_of_the_same_request(self) -> None:
        _, event = Feeding().feed(sign_in(), login())
        assert what(event) == ("authentication", "login", "success")
        assert event["user"] == {"id": SOFIA, "email": "sofia@test.example"}

    def test_is_not_mixed_up_when_the_lines_of_requests_overlap(self) -> None:
        other = "01a20703-29c4-768e-b1d6-186b7af552ac"
        found = Feeding().feed(
            sign_in(FIRST), sign_in(SECOND, other, "li@test.example"), login(SECOND), login(FIRST)
        )
        users = {event["request"]["id"]: event["user"]["id"] for event in found if what(event)[1] == "login"}
        assert users == {FIRST: SOFIA, SECOND: other}

    def test_is_known_across_the_midnight_roll(self) -> None:
        feeding = Feeding()
        assert feeding.feed(sign_in()) == []
        changed, event = feeding.feed(login(), file=NEXT_FILE)
        assert event["user"]["id"] == SOFIA
        assert (changed["log"]["file"], event["log"]["file"]) == ("smartwms-20261123.clef", NEXT_FILE.path)

    def test_is_known_after_a_restart_that_warms_up(self) -> None:
        feeding = Feeding()
        feeding.normaliser.warm(NEXT_FILE, [(0, orjson.dumps(sign_in()))])
        (event,) = feeding.feed(login())
        assert event["user"]["id"] == SOFIA

    def test_is_the_attempted_user_of_a_failed_login_that_names_one(self) -> None:
        (event,) = Feeding().feed(login(status=401, AttemptedUser="mallory@test.example"))
        assert what(event) == ("authentication", "login_failed", "failure")
        assert event["user"] == {"name": "mallory@test.example"}

    def test_stays_empty_for_a_failed_login_as_shipped(self) -> None:
        (event,) = Feeding().feed(login(status=401))
        assert "user" not in event
        assert event["message"] == "A sign-in failed; the log does not say whose"


class TestAChange:
    def test_of_a_request_that_succeeded_happened(self) -> None:
        changed, asked = Feeding().feed(change(), request(method="PUT"))
        assert what(changed) == ("products", "updated", "success")
        assert what(asked) == ("api", "called", "success")

    def test_of_a_request_that_ended_in_an_error_never_happened(self) -> None:
        changed, _ = Feeding().feed(change(), request(method="PUT", status=500))
        assert what(changed) == ("products", "updated", "failure")
        assert changed["message"].endswith("but it failed: nothing was changed")

    def test_that_the_database_refused_never_happened_whatever_the_status(self) -> None:
        changed, refused, asked = Feeding().feed(
            change(action="Delete"),
            log("An exception occurred in the database", RequestId=FIRST, **SAVING_FAILED),
            request(method="DELETE", status=200),
        )
        assert what(changed) == ("products", "deleted", "failure")
        assert what(refused) == ("system", "failed", "failure")
        assert what(asked)[2] == "success"

    @pytest.mark.parametrize(
        ("said", "outcome"),
        [
            ({"@l": "Error", "@mt": "Something"}, "failure"),
            ({"@l": "Fatal", "@mt": "Something"}, "failure"),
            (
                {"@l": "Warning", "@mt": "An exception occurred in the database while saving changes"},
                "failure",
            ),
            ({"@l": "Warning", "@mt": "Something"}, "success"),
            ({"@l": "Debug", "@mt": "Executing 3 update commands as a batch"}, "success"),
            ({"@mt": "Something"}, "success"),
            (
                {"@mt": None, "@m": "An exception occurred in the database while saving changes for X"},
                "failure",
            ),
        ],
    )
    def test_is_refused_by_an_error_of_the_database_and_not_by_its_other_lines(
        self, said: dict[str, object], outcome: str
    ) -> None:
        line = {**log(RequestId=FIRST, SourceContext="Microsoft.EntityFrameworkCore.Update"), **said}
        changed, *_ = Feeding().feed(change(), line, request(method="PUT"))
        assert what(changed) == ("products", "updated", outcome)

    def test_waits_for_the_end_of_its_request(self) -> None:
        feeding = Feeding()
        assert feeding.feed(change()) == []
        assert feeding.feed(log("In between")) != []
        assert len(feeding.feed(request(method="PUT"))) == 2

    def test_lends_its_users_address_to_the_request_line_of_the_same_user(self) -> None:
        user: dict[str, Any] = {"UserId": "01a206ff-6fb3-7d8a-bd44-b3bd161d4372", "UserName": "Admin Berg"}
        _, asked = Feeding().feed(change(), request(method="PUT", **user))
        assert asked["user"]["email"] == "admin@smartwms.one"

    def test_never_lends_it_to_another_user(self) -> None:
        _, asked = Feeding().feed(change(), request(method="PUT", UserId=SOFIA, UserName="sofia"))
        assert asked["user"] == {"id": SOFIA, "name": "sofia"}


class TestALineAfterTheEndOfItsRequest:
    def test_is_given_out_at_once_and_knows_the_user(self) -> None:
        feeding = Feeding()
        feeding.feed(request(UserId=SOFIA, UserName="sofia", TenantId=TENANT))
        (event,) = feeding.feed(log("Late", RequestId=FIRST))
        assert event["user"] == {"id": SOFIA, "name": "sofia"}
        assert event["tenant"]["id"] == TENANT

    def test_waits_again_once_that_is_long_ago(self) -> None:
        feeding = Feeding()
        feeding.feed(request())
        filler = log("x" * 4000)
        for _ in range(open_requests.CLOSED_BYTES // 4000 + 2):
            feeding.feed(filler)
        assert feeding.feed(log("Late", RequestId=FIRST)) == []


class TestARequestWithoutAnEnd:
    def is_given_up(self, found: list[Event]) -> bool:
        return [(what(event)[2], flags(event)) for event in found] == [("unknown", {"incomplete_request"})]

    def test_is_given_up_when_smartwms_starts_again(self) -> None:
        changed, started = Feeding().feed(change(), log("Starting SmartWMS API"))
        assert self.is_given_up([changed])
        assert what(started) == ("system", "started", "success")

    def test_is_given_up_when_too_much_waits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(open_requests, "OPEN_BYTES", 1000)
        feeding = Feeding()
        (given_up,) = feeding.feed(change(RequestId=FIRST), change(RequestId=SECOND))
        assert given_up["request"]["id"] == FIRST
        assert self.is_given_up([given_up])

    def test_is_given_up_after_so_much_log(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(open_requests, "OPEN_DISTANCE_BYTES", 10_000)
        feeding = Feeding()
        assert feeding.feed(change()) == []
        found = [event for _ in range(3) for event in feeding.feed(log("x" * 4000))]
        assert self.is_given_up([event for event in found if "change" in event])

    def test_is_given_up_after_a_minute_of_quiet(self) -> None:
        feeding = Feeding()
        feeding.feed(change())
        feeding.clock.secs += 59
        assert feeding.normaliser.tick() == []
        feeding.clock.secs += 2
        assert self.is_given_up(events(feeding.normaliser.tick()))

    def test_is_given_up_at_the_end(self) -> None:
        feeding = Feeding()
        feeding.feed(change())
        assert self.is_given_up(events(feeding.normaliser.flush()))
        assert feeding.normaliser.flush() == []


class TestATenant:
    def test_of_a_path_is_the_events(self) -> None:
        (event,) = Feeding().feed(request())
        assert event["tenant"]["id"] == TENANT

    @pytest.mark.parametrize("status", [401, 403, 404])
    def test_of_a_path_that_was_refused_is_only_a_claim(self, status: int) -> None:
        (event,) = Feeding().feed(request(status=status))
        assert event["tenant"]["id"] == "-"
        assert event["labels"]["claimed_tenant"] == TENANT

    def test_of_the_user_decides_when_the_record_says_it(self) -> None:
        own = "1d0b6c1e-52a7-4c1b-9a53-6a1f0e8f2a02"
        (event,) = Feeding().feed(request(status=404, UserTenantId=own.upper()))
        assert event["tenant"]["id"] == own
        assert event["labels"]["claimed_tenant"] == TENANT

    def test_of_a_source_with_one_tenant_is_that_one(self) -> None:
        (event,) = Feeding(own_tenant=TENANT).feed(log())
        assert event["tenant"]["id"] == TENANT

    def test_that_is_no_guid_stays_a_label(self) -> None:
        (event,) = Feeding().feed(request("/health", TenantId="acme"))
        assert event["tenant"]["id"] == "-"
        assert event["labels"]["TenantId"] == "acme"

    def test_of_a_line_without_one_is_its_requests(self) -> None:
        warned, _ = Feeding().feed(log(RequestId=FIRST), request())
        assert warned["tenant"]["id"] == TENANT


class TestTokens:
    def test_every_record_comes_back_once_with_its_own(self) -> None:
        feeding = Feeding()
        out = feeding.documents(change(RequestId=FIRST), log("x"), token="a")
        out += feeding.documents(change(RequestId=SECOND), request(RequestId=SECOND), token="b")
        out += feeding.documents(request(RequestId=FIRST), token="c")
        assert sorted(str(document[3]) for document in out) == ["a", "a", "b", "b", "c"]
        assert len({document[1] for document in out}) == 5


def test_what_ended_requests_told_is_forgotten_though_one_id_comes_again_and_again() -> None:
    known, facts = open_requests.Requests(), facts_of(request(), NOTHING_KNOWN)
    for number in range(3_000):
        known.read_bytes += 1_000
        known.close("always the same", facts)
        known.close(f"0HN{number}", facts)
        known.forget()
    assert len(known._closed) <= open_requests.CLOSED_BYTES // 1_000 + 2
