"""The last verification as a reader may see it: an admin the own tenant's part, an operator all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from indexer.client import Client
from indexer.seals import records
from indexer.seals.states import FINDINGS, MEANINGS, State
from webui.tenancy import Reader, Tenancy, TenantFacts

RUNS_COUNT: Final = 10
# Events with these findings lie in the store, so their pages can be opened.
_THERE: Final = frozenset({State.UNSEALED, State.CHANGED})


@dataclass(frozen=True, slots=True)
class Counted:
    """How many events are in a state, what that means, and the first of them where it is a finding."""

    state: State
    count: int
    meaning: str
    is_finding: bool
    examples: tuple[Mapping[str, str], ...]
    can_open: bool


@dataclass(frozen=True, slots=True)
class Run:
    """One verification: when it was, in the reader's zone, what it covered, and how it ended."""

    moment: datetime
    covered: str
    is_sound: bool
    period: str
    """The stretch of time that it covered; empty where that was all."""
    is_whole: bool
    """Whether it covered all that its reader may see."""


@dataclass(frozen=True, slots=True)
class Integrity:
    """What a page shows; `latest` is None as long as nothing was verified."""

    place: TenantFacts
    latest: Run | None
    counted: tuple[Counted, ...]
    troubles: tuple[Mapping[str, str], ...]
    """What is wrong with the chains of seals: they are nobody's in particular."""
    report: Mapping[str, Any]
    """The whole report, for an operator; empty for everybody else."""
    runs: tuple[Run, ...]

    @property
    def total(self) -> int:
        """How many events were looked at or missed."""
        return sum(each.count for each in self.counted)

    @property
    def is_sound(self) -> bool:
        """Whether nothing needs a person, as far as this reader may know."""
        return not self.troubles and not any(each.is_finding for each in self.counted)


class Verifications:
    """What was found, for whoever asks."""

    def __init__(self, client: Client, index_prefix: str, tenancy: Tenancy) -> None:
        self._client = client
        self._prefix = index_prefix
        self._tenancy = tenancy

    def latest(self, reader: Reader) -> Integrity:
        """Give the newest verification of all that the reader may see; of a part of it only if none is."""
        place = self._tenancy.place(reader)
        own = reader.scope.tenant_id
        found = [
            report
            for report in records.newest(self._client, self._prefix, records.KEPT_COUNT)
            if own is None or report["tenant"] in {None, own}
        ]
        runs = tuple(self._run(report, place, own) for report in found[:RUNS_COUNT])
        if not found:
            return Integrity(place, None, (), (), {}, ())
        whole = (report for report in found if _is_whole(report, own))
        report = next(whole, found[0])
        counts = report["totals"] if own is None else report["tenants"].get(own, {})
        return Integrity(
            place=place,
            latest=self._run(report, place, own),
            counted=tuple(_counted(report, counts, own)),
            troubles=tuple(report["troubles"]),
            report=report if own is None else {},
            runs=runs if own is None else (),
        )

    def _run(self, report: Mapping[str, Any], place: TenantFacts, own: str | None) -> Run:
        tenant = report["tenant"]
        parts = ["all tenants" if tenant is None else self._tenancy.facts(tenant).name]
        period = ", ".join(f"{word} {report[word][:10]}" for word in ("from", "to") if report[word])
        parts += [period] if period else []
        moment = datetime.fromisoformat(report["finished"] or report["started"]).astimezone(place.zone)
        return Run(moment, ", ".join(parts), bool(report["sound"]), period, _is_whole(report, own))


def _is_whole(report: Mapping[str, Any], own: str | None) -> bool:
    """Whether it covers all times, and every tenant that its reader may see."""
    return not (report["from"] or report["to"]) and report["tenant"] in {None, own}


def _counted(report: Mapping[str, Any], counts: Mapping[str, int], own: str | None) -> list[Counted]:
    of_no_event = {State.GAP, State.ANCHOR_MISMATCH, State.DOUBTED, State.HIDDEN, State.UNCONFIRMED}
    return [
        Counted(
            state=state,
            count=counts[state.value],
            meaning=MEANINGS[state],
            is_finding=state in FINDINGS,
            examples=tuple(
                each
                for each in report["examples"].get(state.value, ())
                if own is None or each["tenant"] == own
            ),
            can_open=state in _THERE,
        )
        for state in State
        if counts.get(state.value) and state not in of_no_event
    ]
