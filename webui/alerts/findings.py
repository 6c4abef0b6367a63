"""Writes down what monitors find: a new alert, or more of one that is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from indexer.errors import RetryableError
from indexer.query import OPERATOR, Scope
from webui.alerts import reconciling, wording
from webui.alerts.alert import MAX_ACTORS_COUNT, Alert, Notice, Opening, Step, id_of, key_of
from webui.alerts.book import Book, Held
from webui.alerts.deciding import Series
from webui.alerts.monitor import EVERY_TENANT, Monitor
from webui.alerts.tally import Tally
from webui.question import Question
from webui.rows import row
from webui.tenancy import Tenancy

SOURCE = "monitor"
_ATTEMPTS_COUNT = 5


class Findings:
    """Turns findings into alerts. Raises the errors of `indexer.errors`."""

    def __init__(self, book: Book, tally: Tally, tenancy: Tenancy) -> None:
        self._book = book
        self._tally = tally
        self._tenancy = tenancy

    def record(self, monitor: Monitor, found: Sequence[Series], now: datetime) -> None:
        """Write down the findings of one monitor; those that are known already change nothing.

        One that cannot be written keeps no other from it: what went wrong is raised after all the others.
        """
        keys = {_key(monitor, series): series for series in found}
        known = self._book.known(list(keys))
        problems: list[Exception] = []
        for series in sorted(found, key=lambda each: each.first):
            key = _key(monitor, series)
            try:
                self._settle(monitor, series, key, known[key], now)
            except RetryableError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this finding's
                problems.append(error)
        if problems:
            raise problems[0]

    def _settle(self, monitor: Monitor, series: Series, key: str, known: list[Held], now: datetime) -> None:
        question = wording.evidence(monitor.condition, series, wording.tenant_of(monitor, series))
        for _ in range(_ATTEMPTS_COUNT):
            alert = reconciling.same_episode(series, [held.alert for held in known], monitor.calm)
            if alert is None or reconciling.is_fresh(series, alert):
                number = max((held.alert.number for held in known), default=0) + 1
                made = self._new(monitor, series, key, number, question, now)
                self._book.create(made)
            else:
                held = next(each for each in known if each.alert.id == alert.id)
                first = min(alert.first, reconciling.moment(series.first))
                last = max(alert.last, reconciling.moment(series.last))
                window = replace(series, first=int(first.timestamp()), last=int(last.timestamp()))
                wider = wording.evidence(monitor.condition, window, wording.tenant_of(monitor, series))
                due = monitor.told_at(now, self._tenancy.facts(series.tenant).zone)
                opening = Opening(now, due, monitor.channels)
                grown = reconciling.continued(series, alert, wider.address, opening)
                if grown is alert or self._book.replace(held, grown):
                    made = grown
                else:
                    # Somebody triaged it at this moment.
                    known[:] = self._book.known([key])[key]
                    continue
            stored = self._book.get(made.id)
            known[:] = [*([stored] if stored else []), *(each for each in known if each.alert.id != made.id)]
            return

    def _new(
        self, monitor: Monitor, series: Series, key: str, number: int, question: Question, now: datetime
    ) -> Alert:
        place = self._tenancy.facts(series.tenant)
        scope = OPERATOR if monitor.owner == EVERY_TENANT else Scope(monitor.owner)
        events = self._tally.newest(question, scope, now, wording.MAX_EVENTS_COUNT)
        names = self._tally.names(events, scope)
        newest = [row(event, place.zone, names) for event in events]
        return Alert(
            id=id_of(key, number),
            key=key,
            number=number,
            owner=monitor.owner,
            tenant=series.tenant,
            source=SOURCE,
            monitor=monitor.id,
            monitor_name=monitor.name,
            template=monitor.condition.template.value,
            group=series.group,
            group_name=monitor.condition.group,
            title=wording.title(monitor.condition, series, newest, monitor.name),
            text=wording.text(monitor, series, newest, place.name, place.zone),
            created=now,
            opened=now,
            first=reconciling.moment(series.first),
            last=reconciling.moment(series.last),
            count=series.count,
            actors=series.actors[:MAX_ACTORS_COUNT],
            evidence=question.address,
            channels=monitor.channels,
            notice=Notice.DUE if monitor.channels else Notice.NONE,
            notice_due=monitor.told_at(now, place.zone),
            steps=(Step(now, "", "found"),),
        )


def _key(monitor: Monitor, series: Series) -> str:
    return key_of(SOURCE, monitor.id, series.tenant, monitor.condition.same(series.group), series.night)
