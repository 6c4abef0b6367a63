"""When something that was found is news: the table of docs/alerts.md, line by line, and who is told when."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from indexer.documents import Documents
from tests.support.alerting import INTRUDER, NOON, Watched, failed, login, watched
from tests.support.events import TEST
from tests.support.store import Store
from webui.alerts.alert import Alert, Notice, Opening, State, Verdict, id_of, key_of
from webui.alerts.book import KIND, Book
from webui.alerts.condition import Template
from webui.alerts.deciding import Row, Series
from webui.alerts.reconciling import continued, is_fresh, same_episode
from webui.alerts.telling import Telling
from webui.notification.assembly import make_deliveries

HOUR = timedelta(hours=1)
OPENING = Opening(NOON, NOON, ("c",))


def alert(**changed: object) -> Alert:
    key = key_of("monitor", "m", TEST, INTRUDER, "")
    made = Alert(
        id=id_of(key, 1), key=key, number=1, owner=TEST, tenant=TEST, source="monitor", title="t", text="t",
        created=NOON, opened=NOON, first=NOON, last=NOON + timedelta(minutes=5), count=5, actors=("sofia",),
        channels=("c",), notice=Notice.TOLD, notice_due=NOON,
    )  # fmt: skip
    return replace(made, **changed)  # type: ignore[arg-type]


def series(minutes: float, *, actor: str = "sofia", fresh: float | None = None) -> Series:
    """Five events in a minute, so many minutes after noon."""
    begin = int((NOON + timedelta(minutes=minutes)).timestamp())
    newest = begin if fresh is None else int((NOON + timedelta(minutes=fresh)).timestamp())
    rows = tuple(Row(TEST, INTRUDER, actor, "", begin + 10 * each, 1) for each in range(5))
    return Series(TEST, INTRUDER, "", begin, begin + 41, newest, rows)


CLOSED = {"state": State.CLOSED, "closed": NOON + timedelta(minutes=10)}


class TestTheTable:
    @pytest.mark.parametrize(
        "known",
        [
            alert(),
            alert(state=State.ACKNOWLEDGED),
            alert(**CLOSED, verdict=Verdict.BENIGN),
            alert(**CLOSED, verdict=Verdict.FALSE),
        ],
        ids=lambda each: f"{each.state} {each.verdict}",
    )
    def test_the_same_that_goes_on_is_counted(self, known: Alert) -> None:
        found = series(30)
        assert same_episode(found, [known], HOUR) == known
        assert not is_fresh(found, known)
        grown = continued(found, known, "", OPENING)
        assert (grown.state, grown.count, grown.opens_count) == (known.state, 10, 1)
        # Looked at again, it is not counted again.
        assert continued(found, grown, "", OPENING) is grown

    @pytest.mark.parametrize(
        "known",
        [
            alert(state=State.ACKNOWLEDGED),
            alert(**CLOSED, verdict=Verdict.BENIGN),
            alert(**CLOSED, verdict=Verdict.REAL),
        ],
        ids=lambda each: f"{each.state} {each.verdict}",
    )
    def test_a_new_actor_re_opens_and_is_told(self, known: Alert) -> None:
        grown = continued(series(8, actor="mallory"), known, "", OPENING)
        assert (grown.state, grown.verdict, grown.closed) == (State.NEW, Verdict.NONE, None)
        assert (grown.opens_count, grown.notice) == (2, Notice.DUE)
        assert grown.message_id != known.message_id
        assert grown.steps[-1].what == "re-opened: somebody new: mallory"

    def test_a_new_actor_of_a_new_alert_is_noted(self) -> None:
        grown = continued(series(8, actor="mallory"), alert(), "", OPENING)
        assert (grown.actors, grown.opens_count) == (("sofia", "mallory"), 1)

    def test_after_the_calm_it_is_another_alert(self) -> None:
        assert same_episode(series(66), [alert()], HOUR) is None
        assert same_episode(series(64), [alert()], HOUR) is not None

    @pytest.mark.parametrize(("fresh", "expected"), [(9, False), (11, True)])
    def test_closed_as_real_it_is_news_by_what_came_after_alone(
        self, fresh: float, *, expected: bool
    ) -> None:
        known = alert(**CLOSED, verdict=Verdict.REAL)
        assert is_fresh(series(8, fresh=fresh), known) == expected


class TestTelling:
    def messages(self, watch: Watched) -> list[str]:
        found = Documents(watch.client, watch.store.prefix, "deliveries").find()
        return sorted(stored.source["message"]["id"] for stored in found)

    def test_an_opening_is_told_once_whoever_dies_in_between(
        self, watch: Watched, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        watch.monitor(channels=("a", "b"))
        watch.look()
        watch.happen(*[failed()] * 5)

        def dies(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(Telling, "sweep", dies)
            with pytest.raises(KeyboardInterrupt):
                watch.look()
        (found,) = watch.alerts()
        assert found.notice is Notice.DUE
        assert self.messages(watch) == []
        for _ in range(2):
            (found,) = watch.look()
        assert found.notice is Notice.TOLD
        assert self.messages(watch) == [found.message_id] * 2

    def test_in_quiet_hours_it_is_told_when_they_end(self, watch: Watched) -> None:
        # Noon is one o'clock in Stockholm.
        watch.monitor(channels=("a",), quiet="12:30-14:00")
        watch.look()
        watch.happen(*[failed()] * 5)
        (found,) = watch.look()
        assert found.notice_due == NOON + HOUR
        assert self.messages(watch) == []
        watch.now += HOUR
        watch.look()
        assert self.messages(watch) == [found.message_id]

    def test_quiet_hours_may_end_at_midnight(self, watch: Watched) -> None:
        watch.monitor(channels=("a",), quiet="13:00-24:00")
        watch.look()
        watch.happen(*[failed()] * 5)
        (found,) = watch.look()
        assert found.notice_due == NOON + 11 * HOUR

    @pytest.mark.parametrize("before", [("old",), ()], ids=["another channel", "none yet"])
    def test_a_re_opened_one_is_told_through_the_channels_of_now(
        self, watch: Watched, before: tuple[str, ...]
    ) -> None:
        monitor = watch.monitor(c_group="user", channels=before)
        watch.look()
        watch.happen(*[failed("192.0.2.1", user="ken")] * 5)
        (found,) = watch.look()
        book = Book(Documents(watch.client, watch.store.prefix, KIND))
        held = book.get(found.id)
        assert held
        assert book.replace(held, replace(held.alert, state=State.ACKNOWLEDGED))
        assert watch.monitors.replace(replace(monitor, channels=("new",), revision=2))
        watch.now += timedelta(minutes=2)
        watch.happen(*[failed("198.51.100.9", user="ken")] * 5)
        (found,) = watch.look()
        assert found.opens_count == 2
        (told,) = make_deliveries(watch.client, watch.store.prefix).of("new")
        assert told.message.type == "alert.reopened"


@pytest.fixture(scope="module")
def day(module_store: Store) -> Iterator[Watched]:
    """A day on which every template finds something, among other things."""
    watch = watched(module_store)
    for template in Template:
        if template is not Template.OWN_QUERY:
            watch.monitor(template, owner="*")
    watch.monitor(Template.OWN_QUERY, c_query="action=deleted", c_threshold=2, c_group="user")
    watch.monitor(Template.PERMISSION_CHANGE, name="Admins", c_roles=("Administrator",))
    watch.look()
    rename = {"event.category": "users", "entity.type": "ApplicationRole", "event.action": "role_updated"}
    given = {"event.category": "users", "event.action": "role_changed", "entity.type": "ApplicationUser"}
    export = {"event.category": "api", "event.action": "exported", "entity": None}
    purge = {"event.category": "audit", "event.action": "purged", "message": "sofia purged the audit"}
    watch.happen(*[failed()] * 5, login())
    watch.happen(*[{**export, "url.query": "pageSize=1000"}] * 2)
    watch.happen(purge, *[{"event.action": "deleted", "message": "sofia deleted a product"}] * 2)
    watch.happen({**rename, "entity.id": "r1", "entity.number": "Administrator"}, at=NOON - 40 * HOUR)
    watch.happen({**rename, "entity.id": "r2", "entity.number": "Picker"}, at=NOON - 40 * HOUR)
    for role in ("r1", "r2", "r3"):
        after = {"change.after": {"RoleId": role}, "entity.id": f"user-{role}"}
        watch.happen({**given, **after, "message": f"sofia gave role {role}"})
    watch.happen({"event.action": "updated"}, at=NOON + 9 * HOUR)
    watch.now += 10 * HOUR
    watch.look()
    yield watch
    watch.client.close()


class TestTemplates:
    """Each on the real store, with everything else that happens around it."""

    @pytest.mark.parametrize(
        ("template", "titles"),
        [
            (Template.FAILED_LOGINS, [f"5 failed logins from {INTRUDER}"]),
            (
                Template.SUCCESS_AFTER_FAILURES,
                [f"{INTRUDER} signed in as sofia User after failing again and again"],
            ),
            (Template.AFTER_HOURS, ["sofia User worked after hours, night of 2026-11-23"]),
            (Template.BULK_EXPORT, ["sofia User read or exported 2,000 rows"]),
            (Template.AUDIT_TAMPERING, ["sofia purged the audit"]),
            (Template.OWN_QUERY, ["Own query: 2 events, user sofia User"]),
        ],
    )
    def test_finds_its_own(self, day: Watched, template: Template, titles: list[str]) -> None:
        since: datetime = NOON - timedelta(minutes=1)
        found = [each for each in day.alerts() if each.template == template and each.first >= since]
        assert [each.title for each in found] == titles

    def test_roles_are_known_by_the_names_of_their_own_changes(self, day: Watched) -> None:
        since: datetime = NOON - timedelta(minutes=1)
        found = [each for each in day.alerts() if each.monitor_name == "Admins" and each.first >= since]
        # The third role has no name that any event tells.
        assert {each.title for each in found} == {"sofia gave role r1", "sofia gave role r3"}


def test_an_alert_calls_users_and_roles_by_their_names(watch: Watched) -> None:
    user, role = "01a20714-ab25-7562-95b0-7e3082cfa3ae", "01a206ff-6e6c-7ef4-a193-2d9f806be96e"
    watch.monitor(Template.PERMISSION_CHANGE)
    watch.look()
    known = {"event.category": "users", "event.flags": ["bookkeeping"]}
    watch.happen(
        {**known, "entity": {"type": "ApplicationUser", "id": user, "number": "temp@test001.example"}},
        {**known, "entity": {"type": "ApplicationRole", "id": role, "number": "Administrator"}},
        {
            "event.category": "users",
            "event.action": "role_changed",
            "entity": {"type": "ApplicationUser", "id": user},
            "change.after": {"UserId": user, "RoleId": role},
            "message": f"sofia User gave a role to user {user}",
        },
    )
    (found,) = watch.look()
    assert found.title == "sofia User gave a role to user temp@test001.example"
    assert "- sofia User gave a role to user temp@test001.example. Role: Administrator" in found.text


def test_a_monitor_that_fails_keeps_its_list_says_so_and_is_an_alert(watch: Watched) -> None:
    broken = watch.monitor(Template.OWN_QUERY, c_query="hour=25")
    good = watch.monitor()
    watch.look()
    watch.happen(*[failed()] * 5)
    assert [each.monitor for each in watch.look()] == [good.id]
    watch.now += timedelta(minutes=3)
    (own,) = [each for each in watch.look() if each.source == "evaluator"]
    assert (own.owner, own.title) == (TEST, "The monitor “Own query” does not run")
    assert broken.id == own.group
    assert len([each for each in watch.look() if each.source == "evaluator"]) == 1
