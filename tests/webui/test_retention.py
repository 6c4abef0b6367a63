"""The page of retention: what is kept by the very code that deletes, holds and erasures by two persons."""

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from indexer import tenants
from indexer.query import Scope
from indexer.retention import certificates, erasures, holds, report
from indexer.retention.certificate import Carried, Certificate, Kind
from tests.support.events import NORD, TEST
from tests.support.sealing import new_key
from tests.support.web import PASSWORD, Site, token
from webui.access import Role
from webui.retention.service import HoldForm, Retention
from webui.tenancy import NotHereError, Reader

PAGE = "/admin/retention"
BEGUN = datetime(2026, 11, 25, 2, 30, tzinfo=UTC)
CERTIFICATE = Certificate(
    id="H5B1W_55Th2NTPdKvoTk_w",
    kind=Kind.EXPIRY,
    index="s-audit-starter-2026.10.23",
    partition="s-audit-starter-2026.10.23",
    class_name="starter",
    period="day",
    start=datetime(2026, 10, 23, tzinfo=UTC),
    end=datetime(2026, 10, 24, tzinfo=UTC),
    days=30,
    tenants={TEST: 1_234, NORD: 777},
    carried=(Carried(TEST, "s-audit-hold-2026.10.23-1a2b3c4d", 34, "hold"),),
    oldest="2026-10-23T00:00:01.000000000Z",
    newest="2026-10-23T23:00:01.000000000Z",
    ids_sha256="ab12" * 16,
    policy={},
    policy_version="",
    ran_by="root on app-1",
    now=BEGUN,
    clock=BEGUN,
    begun=BEGUN,
    finished=BEGUN,
)


def send(browser: FlaskClient, path: str, **form: str) -> int:
    answer = browser.post(path, data={"csrf_token": token(browser, PAGE), **form})
    return answer.status_code


def another_operator(site: Site) -> FlaskClient:
    site.accounts.add("second", Role.OPERATOR, "*", PASSWORD)
    return site.signed_in("second")


class TestThePage:
    def test_says_what_is_kept_by_the_code_that_deletes(self, site: Site) -> None:
        known = tenants.load(site.client, site.store.prefix, now=site.clock())
        kept = report.kept(known, known.settings(TEST), site.clock())
        assert kept.until
        assert kept.since
        text = site.signed_in("admin").get(PAGE).text
        assert f">{kept.until:%Y-%m-%d}</td>" in text
        assert f">{kept.since:%Y-%m-%d}</td>" in text
        overview = site.signed_in("owner").get("/").text
        zoned = kept.until.astimezone(UTC)
        assert f"an event of today until {zoned.day} {zoned:%B %Y}" in overview

    def test_shows_an_admin_the_own_tenant_and_an_operator_all(self, own_site: Site) -> None:
        key = new_key()
        certificates.write(own_site.client, own_site.store.prefix, CERTIFICATE, key)
        mine = own_site.signed_in("admin").get(PAGE).text
        assert "Test Warehouse" in mine
        assert "Nord Logistik" not in mine
        assert ("1,234" in mine, "1,200" in mine, "2,011" in mine, "777" in mine) == (
            True,
            True,
            False,
            False,
        )
        assert "root on app-1" not in mine
        every = own_site.signed_in("operator").get(PAGE).text
        assert "Nord Logistik" in every
        assert ("2,011" in every, "1,977" in every, "root on app-1" in every) == (True, True, True)
        assert 'title="SHA-256 over the sorted ids: ab12' in every
        assert f'signed by <code title="{key.fingerprint}">' in every

    def test_offers_nothing_to_do_to_an_admin(self, site: Site) -> None:
        text = site.signed_in("admin").get(PAGE).text
        assert "Place a legal hold" not in text
        assert "Erasures" not in text


class TestAHold:
    def test_is_placed_by_one_and_released_by_another(self, own_site: Site) -> None:
        first, second = own_site.signed_in("operator"), another_operator(own_site)
        placed = {"tenant": TEST, "reason": "case 7", "entity_id": "SO-1"}
        assert send(first, f"{PAGE}/holds", **placed) == 303
        (hold,) = holds.all(own_site.client, own_site.store.prefix)
        assert (hold.tenant, hold.placed_by, hold.entity_id) == (TEST, "operator", "SO-1")
        path = f"{PAGE}/holds/{hold.id}/release"
        assert send(first, path, reason="over") == 400
        assert send(second, path, reason="") == 400
        assert send(second, path, reason="over") == 303
        (hold,) = holds.all(own_site.client, own_site.store.prefix)
        assert (hold.released_by, hold.release_reason) == ("second", "over")
        assert send(second, path, reason="over") == 404
        said = [each["Message"] for each in own_site.trail() if each["Action"] == "configured"]
        assert said == [
            "operator placed a legal hold on events about entity SO-1: case 7",
            "second released the legal hold on events about entity SO-1: over",
        ]

    @pytest.mark.parametrize(
        ("typed", "told"),
        [
            ({"reason": ""}, "A reason has 1 to 500 characters"),
            ({"reason": "x", "start": "2026-11-02T00:00", "end": "2026-11-01T00:00"}, "does not lie after"),
            ({"reason": "x", "start": "soon"}, "“soon” is no date and time."),
            ({"reason": "x", "tenant": "acme"}, "is no GUID"),
        ],
        ids="reason order time tenant".split(),
    )
    def test_that_is_typed_wrong_says_where(self, site: Site, typed: dict[str, str], told: str) -> None:
        browser = site.signed_in("operator")
        form = {"csrf_token": token(browser, PAGE), "tenant": TEST, **typed}
        answer = browser.post(f"{PAGE}/holds", data=form)
        assert answer.status_code == 400
        assert told in answer.text
        assert holds.all(site.client, site.store.prefix) == []

    def test_of_the_own_tenant_is_seen_by_its_admin_and_by_no_other(self, own_site: Site) -> None:
        holds.place(
            own_site.client, own_site.store.prefix, TEST, reason="case 7", by="anna", now=own_site.clock()
        )
        assert "case 7" in own_site.signed_in("admin").get(PAGE).text
        assert "case 7" not in own_site.signed_in("stranger").get(PAGE).text


class TestAnErasure:
    def test_is_asked_for_by_one_and_confirmed_by_another(self, own_site: Site) -> None:
        first, second = own_site.signed_in("operator"), another_operator(own_site)
        assert send(first, f"{PAGE}/erasures", tenant=NORD, reason="left") == 303
        path = f"{PAGE}/erasures/{NORD}"
        assert send(first, f"{path}/confirm") == 400
        assert not tenants.load(own_site.client, own_site.store.prefix, now=BEGUN).is_erased(NORD)
        assert send(second, f"{path}/confirm") == 303
        found = erasures.get(own_site.client, own_site.store.prefix, NORD)
        assert found
        assert (found.requested_by, found.confirmed_by, found.finished) == ("operator", "second", None)
        assert tenants.load(own_site.client, own_site.store.prefix, now=BEGUN).is_erased(NORD)
        assert "by the next run" in first.get(PAGE).text
        assert send(first, f"{path}/withdraw") == 400
        said = [(each["UserName"], each["Erasure"]) for each in own_site.trail() if "Erasure" in each]
        assert said == [("operator", "asked"), ("second", "confirmed")]

    def test_can_be_taken_back_until_it_is_confirmed(self, own_site: Site) -> None:
        browser = own_site.signed_in("operator")
        assert send(browser, f"{PAGE}/erasures", tenant=NORD, reason="left") == 303
        assert send(browser, f"{PAGE}/erasures/{NORD}/withdraw") == 303
        assert own_site.trail()[-1]["Erasure"] == "withdrawn"
        assert erasures.all(own_site.client, own_site.store.prefix) == []

    def test_is_refused_while_the_tenant_is_held(self, own_site: Site) -> None:
        now = own_site.clock() + timedelta(seconds=1)
        holds.place(own_site.client, own_site.store.prefix, NORD, reason="case 7", by="anna", now=now)
        browser = own_site.signed_in("operator")
        assert send(browser, f"{PAGE}/erasures", tenant=NORD, reason="left") == 400
        assert send(browser, f"{PAGE}/erasures", tenant="nobody", reason="left") == 400


def test_whoever_sees_one_tenant_has_nothing_to_do_with_another(site: Site) -> None:
    retention: Retention = site.app.extensions["audit-retention"]
    local = Reader("local", Scope(TEST))
    with pytest.raises(NotHereError):
        retention.place(local, HoldForm(tenant=NORD, reason="case 8"), "local")
    with pytest.raises(NotHereError):
        retention.ask_erasure(local, NORD, "left", "local")
    with pytest.raises(NotHereError):
        retention.confirm_erasure(local, NORD, "local")
