"""What an agent reports of itself: an event `audit`/`reported` whose labels are these facts.

The agent writes them (`facts`), the pages about agents read them (`read`), so the shape is here once. The
reasons are one text: in a list of two whose first names a secret, redaction takes the second for its value.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_pascal

from indexer.errors import IndexerError

OWN_SOURCE: Final = "audit-agent"
"""The source of the agents' own events; no other source may be called so."""

ACTION: Final = "reported"
REASONS_COUNT: Final = 20
REASON_CHARS: Final = 300
SOURCES_COUNT: Final = 100


class ReportError(IndexerError):
    """Labels that no agent of a version we know has written."""


class _Facts(BaseModel):
    """Names as SmartWMS has them; what a later version says besides is no error."""

    model_config = ConfigDict(frozen=True, alias_generator=to_pascal, populate_by_name=True, extra="ignore")


class SourceReport(_Facts):
    """One source: what of it is not final yet, and what is wrong with it."""

    name: str
    lag_bytes: int = 0
    lag_secs: float = 0.0
    """Since when it was never at its end."""
    lost_bytes: int = 0
    silent: bool = False
    stalled: bool = False
    unreadable: int = 0
    """How many of its files cannot be read."""


class Report(_Facts):
    """One agent at one moment; counts are of its run since `started`."""

    version: str
    started: AwareDatetime
    every_secs: float = Field(gt=0)
    """When it promises the next one."""
    lag_bytes: int = 0
    lag_secs: float = 0.0
    """Of the source that is furthest behind."""
    read: int = 0
    stored: int = 0
    duplicate: int = 0
    rejected: int = 0
    expired: int = 0
    dead_letters_bytes: int = 0
    reasons: str = ""
    """What speaks against "healthy", a sentence a line; empty: it is."""
    sources: tuple[SourceReport, ...] = ()
    """The SOURCES_COUNT that are furthest behind."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """The reasons one by one."""
        return tuple(self.reasons.split("\n")) if self.reasons else ()

    @property
    def is_healthy(self) -> bool:
        return not self.reasons


def report(
    *,
    version: str,
    started: datetime,
    every_secs: float,
    counts: Mapping[str, int],
    dead_letters_bytes: int,
    reasons: tuple[str, ...],
    sources: tuple[SourceReport, ...],
) -> Report:
    """Put a report together; what would make it too long to be found is cut, and says so."""
    furthest = sorted(sources, key=lambda source: (-source.lag_bytes, source.name))
    return Report(
        version=version,
        started=started,
        every_secs=every_secs,
        lag_bytes=sum(source.lag_bytes for source in sources),
        lag_secs=max((source.lag_secs for source in sources), default=0.0),
        dead_letters_bytes=dead_letters_bytes,
        reasons="\n".join(_short(reasons)),
        sources=tuple(furthest[:SOURCES_COUNT]),
        **{name: counts[name] for name in ("read", "stored", "duplicate", "rejected", "expired")},
    )


def facts(of: Report) -> dict[str, Any]:
    """Give the labels of the event."""
    return of.model_dump(mode="json", by_alias=True)


def read(labels: object) -> Report:
    """Read a report back from the labels of its event; ReportError when they are none."""
    try:
        return Report.model_validate(labels)
    except ValidationError as error:
        raise ReportError(f"no report of an agent: {error.error_count()} of its facts are missing") from error


def sentence(host: str, of: Report) -> str:
    """Say a report in one sentence."""
    if of.is_healthy:
        return f"The agent on {host} reports: healthy, {of.lag_secs:.0f} s behind"
    first, count = of.sentences[0], len(of.sentences)
    if count == 1:
        return f"The agent on {host} reports: not healthy, {first}"
    return f"The agent on {host} reports: {count} reasons against it, the first: {first}"


def _short(reasons: tuple[str, ...]) -> list[str]:
    lines = [" ".join(reason.split()) for reason in reasons]
    cut = [line if len(line) <= REASON_CHARS else f"{line[: REASON_CHARS - 1]}…" for line in lines]
    if len(cut) > REASONS_COUNT:
        return [*cut[: REASONS_COUNT - 1], f"and {len(cut) - REASONS_COUNT + 1} more"]
    return cut
