"""What the overview shows, ready to be drawn: bars, rankings, retention in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from indexer.counting import Bar
from indexer.query import Window
from indexer.retention.report import Kept
from indexer.summary import Ranked
from webui import chart
from webui.overview.service import Lately
from webui.question import Question


@dataclass(frozen=True, slots=True)
class Rank:
    """One line of a ranking: label, counts, share of the largest in percent, and where a click leads."""

    label: str
    count: int
    failures: int
    share: int
    last: str
    asked: Question


@dataclass(frozen=True, slots=True)
class KeptShown:
    """A tenant's plan in words."""

    name: str
    plan: str
    length: str
    since: str
    until: str
    following: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OverviewShown:
    """The page."""

    asked: Question
    chart: chart.Chart
    users: tuple[Rank, ...]
    categories: tuple[Rank, ...]
    failed_from: tuple[Rank, ...]
    failed_as: tuple[Rank, ...]
    failed: Question
    exports: Question
    kept: tuple[KeptShown, ...]
    newest: str


def shown(lately: Lately) -> OverviewShown:
    """Prepare an overview for drawing."""
    zone, sums = lately.place.zone, lately.sums
    asked = Question(preset=lately.span, tenant=lately.place.id)
    failed = asked.only("action", "login_failed")

    def bar_leads(bar: Bar) -> Question:
        return asked.within(Window(bar.start, bar.end))

    return OverviewShown(
        asked=asked,
        chart=chart.drawn(sums.bars, zone, bar_leads),
        users=ranks(sums.users, asked, "user", zone),
        categories=ranks(sums.categories, asked, "category", zone),
        failed_from=ranks(sums.failed_from, failed, "ip", zone),
        failed_as=ranks(sums.failed_as, failed, "user", zone),
        failed=failed,
        exports=asked.any_of("action", ("exported", "downloaded")),
        kept=tuple(_kept(each) for each in lately.kept),
        newest=chart.moment_text(lately.newest, zone),
    )


def ranks(found: tuple[Ranked, ...], asked: Question, name: str, zone: ZoneInfo) -> tuple[Rank, ...]:
    """Give a ranking whose lines lead to their events."""
    largest = max((each.count for each in found), default=1)
    return tuple(
        Rank(
            label=each.value,
            count=each.count,
            failures=each.failures,
            share=max(1, round(100 * each.count / largest)),
            last=chart.moment_text(each.last, zone),
            asked=asked.only(name, each.value),
        )
        for each in found
    )


def _kept(kept: Kept) -> KeptShown:
    zone = ZoneInfo(kept.tenant.zone)
    length = "until a person says otherwise" if kept.days is None else f"{kept.days:,} days"
    return KeptShown(
        name=kept.tenant.name,
        plan=kept.plan,
        length=length,
        since=_day(kept.since),
        until=_day(kept.until),
        following=tuple(f"{plan} from {chart.moment_text(start, zone)}" for plan, start in kept.following),
    )


def _day(moment: datetime | None) -> str:
    """A day as retention counts it, which is UTC."""
    if moment is None:
        return ""
    day = moment.astimezone(UTC)
    return f"{day.day} {day:%B %Y}"
