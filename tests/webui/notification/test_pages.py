"""What people do with channels, on the real site."""

import html
import re
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from tests.support.events import NORD, TEST
from tests.support.web import CHANNEL, KEY, Site, token
from webui.notification.assembly import make_channels, make_deliveries
from webui.notification.channel import Channel, Off
from webui.notification.delivery import Attempt
from webui.notification.message import TEST_TYPE
from webui.notification.secret import fingerprint, secret

HOOK = {"kind": "webhook", "name": "Pager", "url": "https://hooks.example.com/T0KEN"}
MAIL = {"kind": "email", "name": "Security", "recipients": "a@example.com; b@example.com\na@example.com"}
MANY = " ".join(f"a{number}@example.com" for number in range(21))


def send(browser: FlaskClient, path: str, **fields: str) -> tuple[int, str]:
    answer = browser.post(path, data={"csrf_token": token(browser, "/history"), **fields})
    return answer.status_code, html.unescape(answer.text)


def shown_secret(page: str) -> str:
    found = re.search(r'class="secret">([^<]+)<', page)
    assert found, page
    return found[1]


def channels(site: Site, tenant: str | None = TEST) -> dict[str, Channel]:
    return {each.name: each for each in make_channels(site.client, site.store.prefix).of(tenant)}


class TestAdding:
    def test_the_secret_of_a_webhook_is_shown_once_and_nowhere_else(self, own_site: Site) -> None:
        admin = own_site.signed_in("admin")
        status, page = send(admin, "/notifications", **HOOK)
        assert status == 200
        text, made = shown_secret(page), channels(own_site)["Pager"]
        assert text == secret(KEY, made.id, 1)
        assert made.secret_print == fingerprint(text)
        for path in ("/notifications", f"/notifications/{made.id}"):
            assert text not in admin.get(path).text
        assert text not in own_site.trail_path.read_text("utf-8")
        assert text not in str(own_site.store.get(f"{own_site.store.prefix}-app-channels/_search"))

    def test_recipients_are_a_list_without_repetition(self, own_site: Site) -> None:
        assert send(own_site.signed_in("admin"), "/notifications", **MAIL)[0] == 303
        assert channels(own_site)["Security"].recipients == ("a@example.com", "b@example.com")

    @pytest.mark.parametrize(
        ("fields", "marked", "words"),
        [
            ({**HOOK, "name": " "}, "webhook-name", "A name has"),
            ({**HOOK, "url": "hooks"}, "webhook-url", "is no address"),
            ({**HOOK, "url": "https://127.0.0.1/"}, "webhook-url", "not public"),
            ({**HOOK, "url": "https://[::ffff:10.0.0.1]/"}, "webhook-url", "not public"),
            ({**HOOK, "url": "https://169.254.169.254/latest"}, "webhook-url", "not public"),
            ({**HOOK, "url": "http://hooks.example.com/"}, "webhook-url", "https: alone"),
            ({**MAIL, "recipients": "nobody"}, "email-recipients", "“nobody” is no address"),
            ({**MAIL, "recipients": ""}, "email-recipients", "is no address"),
            ({**MAIL, "recipients": "=?utf-8?q?x?=@b.example"}, "email-recipients", "is no address"),
            ({**MAIL, "recipients": "a@b.example\r\nBcc:x@y"}, "email-recipients", "is no address"),
            (
                {**MAIL, "recipients": " ".join(f"a{n}@b.example" for n in range(21))},
                "email-recipients",
                "20",
            ),
        ],
        ids=lambda each: str(each)[:60],
    )
    def test_a_mistake_is_marked_where_it_was_made(
        self, site: Site, fields: dict[str, str], marked: str, words: str
    ) -> None:
        status, page = send(site.signed_in("admin"), "/notifications", **fields)
        assert status == 400
        assert re.findall(r'id="([\w-]+)-problem"', page) == [marked]
        assert words in page

    def test_there_are_not_any_number_of_them(self, own_site: Site) -> None:
        admin = own_site.signed_in("admin")
        store = make_channels(own_site.client, own_site.store.prefix)
        first = channels(own_site)["On call"]
        for number in range(19):
            store.add(replace(first, id=f"more{number}"))
        status, page = send(admin, "/notifications", **HOOK)
        assert status == 400
        assert "There are 20 channels" in page


class TestChanging:
    def test_name_and_target_change_and_the_secret_stays(self, own_site: Site) -> None:
        admin, before = own_site.signed_in("admin"), channels(own_site)["On call"]
        fields = {"name": "Pager", "url": "https://elsewhere.example/x"}
        assert send(admin, f"/notifications/{CHANNEL}", **fields)[0] == 303
        changed = channels(own_site)["Pager"]
        assert changed == replace(before, name="Pager", url="https://elsewhere.example/x")

    def test_a_new_secret_is_another_one(self, own_site: Site) -> None:
        admin, before = own_site.signed_in("admin"), channels(own_site)["On call"]
        status, page = send(admin, f"/notifications/{CHANNEL}/secret")
        assert status == 200
        after = channels(own_site)["On call"]
        assert after.secret_print == fingerprint(shown_secret(page)) != before.secret_print

    def test_off_and_on(self, own_site: Site) -> None:
        admin = own_site.signed_in("admin")
        assert send(admin, f"/notifications/{CHANNEL}/off")[0] == 303
        assert channels(own_site)["On call"].off is Off.PERSON
        assert "admin switched it off" in admin.get(f"/notifications/{CHANNEL}").text
        assert send(admin, f"/notifications/{CHANNEL}/on")[0] == 303
        assert channels(own_site)["On call"].on

    def test_a_channel_that_failed_says_what_waits(self, own_site: Site) -> None:
        store = make_channels(own_site.client, own_site.store.prefix)
        found = store.get(CHANNEL)
        assert found
        why = "The receiver answered 503."
        store.replace(found[1], replace(found[0], off=Off.FAILING, off_why=why, off_since=own_site.clock()))
        page = own_site.signed_in("admin").get(f"/notifications/{CHANNEL}").text
        assert why in page
        assert "0 messages wait" in re.sub(r"\s+", " ", page)

    def test_deleted_it_is_gone(self, own_site: Site) -> None:
        admin = own_site.signed_in("admin")
        assert send(admin, f"/notifications/{CHANNEL}/delete")[0] == 303
        assert channels(own_site) == {}
        assert admin.get(f"/notifications/{CHANNEL}").status_code == 404

    def test_all_of_it_is_recorded_without_what_opens_the_receiver(self, own_site: Site) -> None:
        admin = own_site.signed_in("admin")
        send(admin, "/notifications", **HOOK)
        made = channels(own_site)["Pager"]
        fields = {"name": "Pager 2", "url": "https://elsewhere.example/T0KEN"}
        send(admin, f"/notifications/{made.id}", **fields)
        for what in ("secret", "off", "on", "test", "delete"):
            send(admin, f"/notifications/{made.id}/{what}")
        said = [entry["Message"] for entry in own_site.trail() if entry["Action"] == "configured"]
        assert said == [
            "admin added the channel Pager (webhook to hooks.example.com)",
            "admin changed the channel Pager (to hooks.example.com) to Pager 2 (to elsewhere.example)",
            "admin gave the channel Pager 2 a new secret",
            "admin switched the channel Pager 2 off",
            "admin switched the channel Pager 2 on",
            "admin tested the channel Pager 2",
            "admin deleted the channel Pager 2 (webhook to elsewhere.example)",
        ]
        assert "T0KEN" not in own_site.trail_path.read_text("utf-8")


class TestTesting:
    def test_one_test_at_a_time(self, own_site: Site) -> None:
        admin = own_site.signed_in("admin")
        assert send(admin, f"/notifications/{CHANNEL}/test")[0] == 303
        status, page = send(admin, f"/notifications/{CHANNEL}/test")
        assert status == 409
        assert "A test is under way" in page
        [test] = make_deliveries(own_site.client, own_site.store.prefix).of(CHANNEL)
        assert (test.message.type, test.message.tenant) == (TEST_TYPE, TEST)

    def test_not_any_number_of_them(self, own_site: Site) -> None:
        """Each is over within a second, and the next may follow."""
        admin = own_site.signed_in("admin")
        deliveries = make_deliveries(own_site.client, own_site.store.prefix)
        answers = []
        for _ in range(11):
            answers.append(send(admin, f"/notifications/{CHANNEL}/test"))
            if held := deliveries.take("worker", own_site.clock()):
                deliveries.write(held, held.delivery.ended(Attempt(own_site.clock()), own_site.clock()))
        assert [status for status, _ in answers] == [303] * 10 + [429]
        assert "Wait a few minutes" in answers[-1][1]
        assert own_site.trail()[-1]["StatusCode"] == 429
        assert len(deliveries.of(CHANNEL)) == 10


class TestWhose:
    def test_a_stranger_changes_nothing(self, site: Site) -> None:
        stranger = site.signed_in("stranger")
        for path in ("", "/on", "/off", "/test", "/secret", "/delete"):
            assert send(stranger, f"/notifications/{CHANNEL}{path}")[0] == 404
        assert CHANNEL not in stranger.get("/notifications").text

    def test_an_operator_has_channels_of_their_own_and_any_tenants(self, own_site: Site) -> None:
        operator = own_site.signed_in("operator")
        assert send(operator, "/notifications", **MAIL)[0] == 303
        assert send(operator, f"/notifications?tenant={NORD}", **{**MAIL, "name": "Nord"})[0] == 303
        assert set(channels(own_site, "*")) == {"Security"}
        assert set(channels(own_site, NORD)) == {"Nord"}
        assert "Nord" not in operator.get("/notifications").text.partition('class="channels"')[2]
        assert "Nord" in own_site.signed_in("stranger").get("/notifications").text
