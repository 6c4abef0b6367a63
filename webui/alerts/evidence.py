"""The events an alert rests on, as its reader may see them, and the people who may look after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from webui import rows
from webui.alerts.desk import Choice
from webui.alerts.tally import Tally
from webui.question import Question, QuestionError
from webui.rows import Day
from webui.tenancy import Reader

SHOWN_COUNT: Final = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """The newest of an alert's events, as rows, how many there are now, and the search in words."""

    days: tuple[Day, ...]
    count: int
    sentence: str

    @property
    def is_whole(self) -> bool:
        """Whether all of them are shown."""
        return self.count <= SHOWN_COUNT


class Evidence:
    """Reads events for the inbox."""

    def __init__(
        self,
        tally: Tally,
        now: Callable[[], datetime],
        people: Callable[[Reader, str], Sequence[Choice]],
    ) -> None:
        """`people`: who may look after an alert of that owner, as a reader may know."""
        self._tally = tally
        self._now = now
        self.people = people

    def of(self, reader: Reader, question: Question, zone: ZoneInfo) -> Shown | None:
        """Give the events of a search within what the reader may see; None: it cannot be asked any more."""
        now = self._now()
        try:
            sentence = question.filter(zone, now).sentence(zone)
            newest = self._tally.newest(question, reader.scope, now, SHOWN_COUNT)
            count = self._tally.count(question, reader.scope, now)
            names = self._tally.names(newest, reader.scope)
        except QuestionError:
            return None
        return Shown(rows.days(newest, zone, names), count, sentence)
