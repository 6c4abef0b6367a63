"""The menu: the words of SmartWMS's own documentation, for the pages that a reader may open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import Flask

from webui.access import Identity, Role


@dataclass(frozen=True, slots=True)
class Link:
    """An entry: where it leads, its words, and who may open it."""

    endpoint: str
    words: str
    role: Role = Role.VIEWER
    others: tuple[str, ...] = ()
    """Blueprints of more pages under it."""

    def holds(self, blueprint: str | None) -> bool:
        """Whether a page of that blueprint belongs to it."""
        return blueprint in {self.endpoint.partition(".")[0], *self.others}


# An entry is shown once its feature is registered.
MENU: Final[tuple[tuple[str, tuple[Link, ...]], ...]] = (
    (
        "Monitoring",
        (
            Link("overview.overview", "Overview"),
            Link("search.activity", "Activity Log"),
            Link("history.find", "History"),
            Link("alerts.index", "Alerts", Role.AUDITOR),
        ),
    ),
    (
        "Reports",
        (
            Link("reports.index", "Audit", Role.AUDITOR, ("reports_schedules",)),
            Link("exports.index", "Exports", Role.AUDITOR),
            Link("reviews.index", "Reviews", Role.AUDITOR, ("reviews_plans",)),
        ),
    ),
    (
        "Configuration",
        (
            Link("monitors.index", "Notifications", Role.ADMIN),
            Link("notification.index", "Channels", Role.ADMIN),
            Link(
                *("admin.index", "Administration", Role.ADMIN),
                ("accounts_admin", "retention_admin", "integrity", "agents_admin"),
            ),
        ),
    ),
)


def menu_for(app: Flask, who: Identity | None) -> list[tuple[str, list[Link]]]:
    """Give the groups with the entries that this reader may open; nobody has none."""
    if who is None:
        return []
    groups = (
        (
            group,
            [link for link in links if link.endpoint in app.view_functions and link.role <= who.role],
        )
        for group, links in MENU
    )
    return [(group, links) for group, links in groups if links]
