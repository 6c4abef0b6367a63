"""A paper that a feature makes for the exports: what it is of, and what comes out of it. Pure.

The exports keep the job, the file, its manifest and whose it is; the feature knows what to write. They meet
here, and the assembly hands the makers to the workers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from indexer.query import OPERATOR, Scope, Window, iso

EVERY_TENANT: Final = "*"


class RefusedError(ValueError):
    """A file cannot be asked for; the message is for the one who asks."""


class UnmakeableError(Exception):
    """A paper cannot be made, however often it is tried; the message is for its owner."""


@dataclass(frozen=True, slots=True)
class Commission:
    """What a maker is to make, and for whose eyes. `parameters` is JSON that the maker understands."""

    maker: str
    title: str
    sentence: str
    parameters: Mapping[str, Any]
    link: str
    """Where the same is seen and asked for again: a path of the UI."""
    scope: Scope
    window: Window
    zone: ZoneInfo
    place_name: str
    """The tenant as people call it."""

    @property
    def tenant(self) -> str:
        """The tenant's id; `*` for what an operator sees."""
        return self.scope.tenant_id or EVERY_TENANT

    def range(self) -> dict[str, str | None]:
        """Give the stretch of time, UTC, end excluded; None: open."""
        start, end = self.window.start, self.window.end
        return {"from": iso(start) if start else None, "to": iso(end) if end else None}

    def conditions(self) -> dict[str, Any]:
        """Give what the manifest says of it besides its range."""
        return {self.maker: dict(self.parameters)}

    def document(self) -> dict[str, Any]:
        """Give it as it is stored."""
        return {
            "maker": self.maker,
            "title": self.title,
            "sentence": self.sentence,
            "parameters": dict(self.parameters),
            "link": self.link,
            "scope": self.tenant,
            "range": self.range(),
            "zone": self.zone.key,
            "place": self.place_name,
        }


def from_document(source: Mapping[str, Any]) -> Commission:
    """Read a commission back."""
    start, end = (source["range"][name] for name in ("from", "to"))
    return Commission(
        maker=source["maker"],
        title=source["title"],
        sentence=source["sentence"],
        parameters=source["parameters"],
        link=source["link"],
        scope=OPERATOR if source["scope"] == EVERY_TENANT else Scope(source["scope"]),
        window=Window(
            datetime.fromisoformat(start) if start else None, datetime.fromisoformat(end) if end else None
        ),
        zone=ZoneInfo(source["zone"]),
        place_name=source["place"],
    )


@dataclass(frozen=True, slots=True)
class Paper:
    """What was made: `rows` for a CSV under `header`, and the HTML `page` that a PDF is printed from.

    The page is whole, escaped, and loads nothing. `incomplete`: why it does not tell all; empty: it does.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    page: str
    incomplete: str = ""


Maker = Callable[[Commission, Mapping[str, str], Callable[[], None]], Paper]
"""Makes a paper that tells the facts (label and value: who asked, when, the id), too.

The callable is called every few seconds of work, and ends it by raising. UnmakeableError, and the errors of
`indexer.errors`.
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far the making of a paper is. `over`: nothing more will come; `problem`: why there is no file."""

    over: bool
    problem: str = ""
    stored_name: str = ""
    file_name: str = ""
    media_type: str = ""
    sha256: str = ""
