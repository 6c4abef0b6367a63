"""A schedule from its form to the mail with the file, by real workers and a real mail server."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from indexer import tenants
from indexer.documents import Documents
from indexer.query import Scope
from tests.support.events import NORD, TEST
from tests.support.mailbox import keeping
from tests.support.web import KEY, Site, token
from tests.webui.reports.test_pages import text, work
from webui.access import Role
from webui.app import may_report
from webui.exports.assembly import make_standing
from webui.notification.assembly import make_channels, make_courier, make_senders
from webui.notification.channel import Channel, Kind
from webui.notification.settings import SmtpSettings, WebhookSettings
from webui.reports.assembly import make_planner
from webui.reports.planning import LOOK_EVERY, Planner
from webui.tenancy import Reader
from webui.trail import Trail

MADE = datetime(2026, 11, 18, 12, tzinfo=UTC)
DUE = datetime(2026, 11, 23, 2, tzinfo=UTC)
"""Monday, three in the morning in Stockholm."""
PAGE = "/reports/schedules"
READER = Reader("auditor", Scope(TEST))


def at(site: Site, moment: datetime) -> None:
    site.clock.ahead = moment - datetime.now(UTC)


def planner(site: Site) -> Planner:
    return make_planner(
        site.client,
        site.store.prefix,
        Trail(site.trail_path, site.clock),
        make_standing(site.client, site.store.prefix, site.clock),
        may_report(site.settings, site.client, site.store.prefix),
        site.clock,
    )


def channel(site: Site, name: str = "audit mail", tenant: str = TEST) -> str:
    made = Channel(
        id=f"mail-{name.replace(' ', '-')}",
        tenant=tenant,
        name=name,
        kind=Kind.EMAIL,
        recipients=("anna@warehouse.example",),
        created=site.clock(),
    )
    return make_channels(site.client, site.store.prefix).add(made).id


def scheduled(browser: FlaskClient, **more: object) -> int:
    form = {"kind": "failed-logins", "every": "weekly", "format": "csv", "csrf_token": token(browser, PAGE)}
    return browser.post(PAGE, data=form | more).status_code


def exports(site: Site) -> list[str]:
    return [job.subject.sentence for job in site.app.extensions["audit-exports"].all(READER)]


def schedule_ids(site: Site) -> list[str]:
    return [each.id for each in Documents(site.client, site.store.prefix, "schedules").find()]


def test_a_week_is_made_once_and_mailed_with_its_file(own_site: Site, tmp_path: Path) -> None:
    at(own_site, MADE)
    browser = own_site.signed_in("auditor")
    mail = channel(own_site)
    assert scheduled(browser, channels=[mail]) == 303
    assert own_site.trail()[-1]["Action"] == "configured"
    listed = text(browser.get(PAGE).text)
    assert "Failed logins CSV Test Warehouse auditor audit mail none yet weekly, 23 Nov 2026, 03:00" in listed
    assert not planner(own_site).work()
    # The session of the browser is over by then; the workers need none.
    at(own_site, DUE)
    workers = [planner(own_site) for _ in range(4)]
    threads = [threading.Thread(target=each.work) for each in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    own_site.clock.ahead += LOOK_EVERY
    planner(own_site).work()
    assert exports(own_site) == [
        "Failed logins, from 16 Nov 2026, 00:00 until 23 Nov 2026, 00:00 (Europe/Stockholm)."
    ]
    work(own_site)
    with keeping(tmp_path / "mails") as mailbox:
        smtp = SmtpSettings(host="127.0.0.1", port=mailbox.port, sender="audit@wms.example", tls="none")
        courier = make_courier(
            own_site.client,
            own_site.store.prefix,
            make_senders(own_site.settings, WebhookSettings(), smtp, KEY),
            threading.Event(),
            now=own_site.clock,
        )
        for _ in range(3):
            own_site.clock.ahead += LOOK_EVERY
            planner(own_site).work()
            while courier.work():
                pass
        (received,) = mailbox.mails()
    assert "Failed logins, 16 Nov 2026 to 22 Nov 2026" in str(received["Subject"])
    (attached,) = received.iter_attachments()
    assert str(attached.get_filename()).startswith("smartwms-audit-failed-logins-")
    content = attached.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert b"Events it rests on" in content


def test_missed_weeks_are_made_up_the_last_three(own_site: Site) -> None:
    at(own_site, MADE)
    assert scheduled(own_site.signed_in("auditor")) == 303
    at(own_site, DUE + timedelta(weeks=5))
    assert planner(own_site).work()
    ends = [sentence.partition(" until ")[2][:11] for sentence in exports(own_site)]
    assert sorted(ends) == sorted(["14 Dec 2026", "21 Dec 2026", "28 Dec 2026"])
    seen = text(own_site.signed_in("auditor").get(PAGE).text)
    assert "until 28 Dec 2026, 00:00 being made 3 not made up" in seen


def test_a_worker_that_died_after_the_period_was_taken_is_replaced(own_site: Site) -> None:
    at(own_site, MADE)
    assert scheduled(own_site.signed_in("auditor")) == 303
    at(own_site, DUE)
    dead = planner(own_site)
    dead._press = None  # type: ignore[assignment]
    with pytest.raises(AttributeError):
        dead.work()
    assert exports(own_site) == []
    assert not planner(own_site).work()
    assert len(exports(own_site)) == 1


def test_a_zone_that_was_changed_tells_no_week_twice(own_site: Site) -> None:
    """From Tokyo to Stockholm: the week of Tokyo ends on what is Sunday in Stockholm."""
    at(own_site, MADE)
    assert scheduled(own_site.signed_in("stranger")) == 303
    at(own_site, DUE)
    assert planner(own_site).work()
    tenants.put(
        own_site.client, own_site.store.prefix, NORD,
        name="Nord Logistik", zone="Europe/Stockholm", hours="07:00-18:00", plan="enterprise", start=None,
        days=None, now=own_site.clock(),
    )  # fmt: skip
    own_site.clock.ahead += timedelta(hours=12)
    planner(own_site).work()
    jobs = own_site.app.extensions["audit-exports"].all(Reader("stranger", Scope(NORD)))
    assert len(jobs) == 1


def test_a_trail_that_cannot_be_written_is_waited_for(own_site: Site) -> None:
    at(own_site, MADE)
    assert scheduled(own_site.signed_in("auditor")) == 303
    at(own_site, DUE)
    made, kept = planner(own_site), own_site.trail_path.with_suffix(".kept")
    own_site.trail_path.rename(kept)
    own_site.trail_path.mkdir()
    assert not made.work()
    assert exports(own_site) == []
    own_site.trail_path.rmdir()
    kept.rename(own_site.trail_path)
    own_site.clock.ahead += LOOK_EVERY
    made.work()
    assert len(exports(own_site)) == 1


def test_who_may_not_any_more_has_nothing_made(own_site: Site) -> None:
    at(own_site, MADE)
    assert scheduled(own_site.signed_in("auditor")) == 303
    own_site.accounts.set_role("auditor", Role.VIEWER)
    at(own_site, DUE)
    assert planner(own_site).work()
    assert exports(own_site) == []
    assert "auditor may not have reports made any more." in own_site.signed_in("admin").get(PAGE).text


def test_paused_it_rests_and_resumed_it_goes_on(own_site: Site) -> None:
    at(own_site, MADE)
    browser = own_site.signed_in("auditor")
    assert scheduled(browser) == 303
    (made,) = schedule_ids(own_site)
    assert browser.post(f"{PAGE}/{made}/pause", data={"csrf_token": token(browser, PAGE)}).status_code == 303
    at(own_site, DUE + timedelta(days=1))
    assert not planner(own_site).work()
    browser = own_site.signed_in("auditor")
    assert browser.post(f"{PAGE}/{made}/resume", data={"csrf_token": token(browser, PAGE)}).status_code == 303
    own_site.clock.ahead += LOOK_EVERY
    assert not planner(own_site).work()
    assert "30 Nov 2026, 03:00" in browser.get(PAGE).text
    assert browser.post(f"{PAGE}/{made}/delete", data={"csrf_token": token(browser, PAGE)}).status_code == 303
    assert schedule_ids(own_site) == []
    said = [str(line["Message"]) for line in own_site.trail() if line.get("EntityType") == "ReportSchedule"]
    assert [each.split()[1] for each in said] == ["scheduled", "paused", "resumed", "deleted"]


def test_another_tenants_schedule_and_channel_are_not_there(site: Site) -> None:
    browser, stranger = site.signed_in("auditor"), site.signed_in("stranger")
    assert scheduled(browser) == 303
    (made,) = schedule_ids(site)
    for word in ("pause", "resume", "delete"):
        form = {"csrf_token": token(stranger, PAGE)}
        assert stranger.post(f"{PAGE}/{made}/{word}", data=form).status_code == 404
    assert "Nothing yet." in stranger.get(PAGE).text
    assert scheduled(stranger, channels=[channel(site, "theirs")]) == 400


def test_what_is_wrong_is_named_and_kept(site: Site) -> None:
    browser = site.signed_in("auditor")
    form = {"kind": "nosuch", "every": "daily", "format": "ndjson", "user": "erik*"}
    answer = browser.post(PAGE, data=form | {"csrf_token": token(browser, PAGE)})
    assert answer.status_code == 400
    for said in (
        "Choose one of the reports.",
        "Choose weekly or monthly.",
        "Choose CSV or PDF.",
        'value="erik*"',
    ):
        assert said in answer.text


def test_users_that_no_report_can_be_asked_of_are_refused_at_once(site: Site) -> None:
    browser = site.signed_in("auditor")
    many = ", ".join(f"user{number}" for number in range(51))
    form = {"kind": "failed-logins", "every": "weekly", "format": "csv", "user": many}
    answer = browser.post(PAGE, data=form | {"csrf_token": token(browser, PAGE)})
    assert answer.status_code == 400
    assert "At most 50 users can be chosen at once." in answer.text
