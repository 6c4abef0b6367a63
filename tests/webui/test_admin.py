"""Administration: accounts and tenants, by those who may."""

import html
import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from indexer import tenants
from tests.support.events import NORD, TEST
from tests.support.web import Site, sign_in, token

NEW = "11111111-2222-4333-8444-555555555555"
TENANT = {"name": "Test Warehouse", "zone": "Europe/Stockholm", "hours": "07:00-18:00"}


def send(browser: FlaskClient, path: str, **fields: str) -> tuple[int, str]:
    answer = browser.post(path, data={"csrf_token": token(browser, "/history"), **fields})
    return answer.status_code, html.unescape(answer.text)


def secret(page: str) -> str:
    found = re.search(r'class="secret">([^<]+)<', page)
    assert found, page
    return found[1]


class TestAccounts:
    """Add, disable, enable, role, password."""

    def test_an_admin_adds_one_whose_password_is_shown_once(self, own_site: Site) -> None:
        admin = own_site.signed_in("admin")
        status, page = send(admin, "/admin/accounts", name="Vera", role="viewer", tenant=NORD)
        assert status == 200
        made = own_site.accounts.get("vera")
        assert made is not None
        assert made.tenant_id == TEST, "an admin's own, whatever was sent"
        assert sign_in(own_site.browser(), "vera", secret(page)) == 303
        assert secret(page) not in admin.get("/admin/accounts").text
        assert secret(page) not in own_site.trail_path.read_text("utf-8")

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"name": "vera", "role": "operator"}, "The role is above your own"),
            ({"name": "owner", "role": "viewer"}, "exists already"),
            ({"name": "a b", "role": "viewer"}, "The name is 'a b'"),
            ({"name": "vera", "role": "king"}, "Role 'king' is none of"),
        ],
    )
    def test_what_cannot_be_is_said(self, site: Site, fields: dict[str, str], words: str) -> None:
        status, page = send(site.signed_in("admin"), "/admin/accounts", **fields)
        assert status == 400
        assert words in page

    def test_disabling_ends_sessions_and_enabling_lets_in_again(self, own_site: Site) -> None:
        admin, owner = own_site.signed_in("admin"), own_site.signed_in("owner")
        assert send(admin, "/admin/accounts/owner/disable")[0] == 303
        assert owner.get("/activity").status_code == 303
        assert sign_in(own_site.browser(), "owner") == 401
        assert send(admin, "/admin/accounts/owner/enable")[0] == 303
        assert owner.get("/activity").status_code == 303, "its old sessions stay ended"
        assert sign_in(own_site.browser(), "owner") == 303

    def test_another_role_holds_at_once(self, own_site: Site) -> None:
        admin, owner = own_site.signed_in("admin"), own_site.signed_in("owner")
        assert owner.get("/exports").status_code == 403
        assert send(admin, "/admin/accounts/owner/role", role="auditor")[0] == 303
        assert owner.get("/exports").status_code == 303, "signed out with it"
        assert own_site.signed_in("owner").get("/exports").status_code == 200

    def test_nobody_raises_or_shuts_out_themselves(self, site: Site) -> None:
        admin = site.signed_in("admin")
        assert send(admin, "/admin/accounts/admin/disable")[0] == 400
        assert send(admin, "/admin/accounts/admin/role", role="viewer")[0] == 400
        assert send(admin, "/admin/accounts/owner/role", role="operator")[0] == 400

    def test_accounts_of_others_are_not_there(self, site: Site) -> None:
        admin = site.signed_in("admin")
        page = admin.get("/admin/accounts").text
        assert "auditor" in page
        for name in ("stranger", "operator", "nosuch"):
            assert send(admin, f"/admin/accounts/{name}/disable")[0] == 404
            assert f'aria-label="Disable {name}"' not in page

    def test_an_operator_makes_one_of_any_tenant(self, own_site: Site) -> None:
        operator = own_site.signed_in("operator")
        assert send(operator, "/admin/accounts", name="nils", role="admin", tenant=NORD)[0] == 200
        assert send(operator, "/admin/accounts", name="ops", role="operator")[0] == 200
        made = own_site.accounts.get("nils")
        assert made is not None
        assert made.tenant_id == NORD

    def test_all_of_it_is_recorded(self, own_site: Site) -> None:
        admin = own_site.signed_in("admin")
        send(admin, "/admin/accounts", name="vera", role="viewer")
        send(admin, "/admin/accounts/vera/role", role="auditor")
        send(admin, "/admin/accounts/vera/disable")
        said = [entry["Message"] for entry in own_site.trail() if entry["Action"] == "configured"]
        assert said == [
            "admin added the account vera (viewer)",
            "admin changed the role of vera from viewer to auditor",
            "admin disabled the account vera",
        ]


class TestTenants:
    """Name, zone, hours; and plans, by operators."""

    def test_an_admin_changes_zone_and_hours_but_not_the_plan(self, own_site: Site) -> None:
        admin = own_site.signed_in("admin")
        sent = {"name": "Test One", "zone": "Europe/Madrid", "hours": "22:00-06:00", "plan": "starter"}
        assert send(admin, f"/admin/tenants/{TEST}", **sent)[0] == 303
        known = tenants.load(own_site.client, own_site.store.prefix, now=own_site.clock())
        found = known.settings(TEST)
        assert (found.name, found.zone, found.hours) == ("Test One", "Europe/Madrid", "22:00-06:00")
        assert [entry.plan for entry in found.plans] == ["enterprise"]
        assert "times in <strong>Europe/Madrid</strong>" in admin.get("/activity?view=").text

    def test_an_operator_enters_a_plan_with_its_day(self, own_site: Site) -> None:
        operator = own_site.signed_in("operator")
        start = (own_site.clock() + timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
        fields = {**TENANT, "plan": "business", "start": start.strftime("%Y-%m-%dT%H:%M"), "days": "120"}
        assert send(operator, f"/admin/tenants/{TEST}", **fields)[0] == 303
        page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", operator.get("/admin").text))
        assert f"business (120 days) from {start:%Y-%m-%d %H:%M} UTC not yet" in page
        assert "enterprise from the beginning" in page

    def test_an_operator_adds_a_tenant(self, own_site: Site) -> None:
        operator = own_site.signed_in("operator")
        fields = {**TENANT, "name": "New One", "id": NEW.upper(), "plan": "starter"}
        assert send(operator, "/admin/new-tenant", **fields)[0] == 303
        assert "New One" in operator.get("/admin").text
        assert operator.get(f"/?tenant={NEW}").status_code == 200

    @pytest.mark.parametrize(
        ("change", "marked"),
        [
            ({"zone": "Mars/Olympus"}, "zone"),
            ({"hours": "all day"}, "hours"),
            ({"name": ""}, "name"),
            ({"plan": "gold"}, "plan"),
            ({"plan": "business", "start": "2020-01-01T00:00"}, "start"),
            ({"plan": "business", "start": "teatime"}, "start"),
            ({"plan": "business", "days": "7"}, "days"),
        ],
    )
    def test_a_mistake_is_marked_where_it_was_made(
        self, site: Site, change: dict[str, str], marked: str
    ) -> None:
        fields = {**TENANT, "plan": "enterprise", **change}
        status, page = send(site.signed_in("operator"), f"/admin/tenants/{TEST}", **fields)
        assert status == 400
        assert re.findall(r'id="a-(\w+)-problem"', page) == [marked]

    def test_an_admin_sees_no_other(self, site: Site) -> None:
        admin = site.signed_in("admin")
        assert "Nord Logistik" not in admin.get("/admin").text
        assert admin.get(f"/admin/tenants/{NORD}").status_code == 404
        assert send(admin, f"/admin/tenants/{NORD}", **TENANT)[0] == 404
