"""Puts the web UI together: settings and a client in, a Flask app out."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from argon2 import PasswordHasher
from flask import Flask, Response, current_app, g
from flask_bootstrap import Bootstrap5
from jinja2 import StrictUndefined

from indexer.client import Client
from indexer.cursors import Cursors
from indexer.documents import Documents
from indexer.search import EventSearch
from webui import access, error_pages, neighbours, security, wording
from webui.accounts import views as account_views
from webui.accounts.service import Accounts, Limits
from webui.accounts.single_sign_on import make_single_sign_on
from webui.admin import views as admin_views
from webui.admin.service import TenantAdmin
from webui.agents import page as agent_page
from webui.agents import views as agent_views
from webui.agents.service import Agents
from webui.alerts import views as alert_views
from webui.alerts.assembly import make_alerts, make_desk, make_evidence
from webui.alerts.desk import Choice
from webui.api import views as api_views
from webui.api.assembly import make_keys
from webui.exports import views as export_views
from webui.exports.assembly import make_exports
from webui.history import views as history_views
from webui.history.service import Histories
from webui.integrity import views as integrity_views
from webui.integrity.service import Verifications
from webui.menu import menu_for
from webui.notification import views as notification_views
from webui.notification.assembly import make_notifications
from webui.overview import views as overview_views
from webui.overview.service import Overviews
from webui.overview.views import Line, Panel, Waiting
from webui.reading import Reading
from webui.reports import views as report_views
from webui.reports.assembly import make_reports, make_schedules
from webui.retention import views as retention_views
from webui.retention.service import Retention
from webui.reviews import views as review_views
from webui.reviews.assembly import Neighbours, make_reviews
from webui.search import saved
from webui.search import views as search_views
from webui.search.saved import SavedViews
from webui.search.service import Activity
from webui.settings import WebSettings
from webui.tenancy import Reader, Tenancy
from webui.trail import Trail


def _utc_now() -> datetime:
    return datetime.now(UTC)


def create_app(
    settings: WebSettings,
    client: Client,
    index_prefix: str,
    key: bytes,
    *,
    now: Callable[[], datetime] = _utc_now,
    hasher: PasswordHasher | None = None,
) -> Flask:
    """Make the app. `key` is the installation's secret; nothing is asked of the store yet."""
    app = Flask(__name__)
    _set_templates(app)
    app.config["BOOTSTRAP_SERVE_LOCAL"] = True
    Bootstrap5(app)
    app.before_request(_name_request)
    limiter = security.secure(app, settings, key)
    app.extensions["audit-trail"] = Trail(settings.trail_file, now)
    accounts = make_accounts(settings, client, index_prefix, now=now, hasher=hasher)
    tenancy = Tenancy(client, index_prefix, now)
    account_views.register(app, accounts, limiter, make_single_sign_on(settings), tenancy)
    search = EventSearch(client, index_prefix)
    reading = Reading(search, Cursors(key), tenancy, now)
    admin_views.register(app, TenantAdmin(client, index_prefix, tenancy, now))
    integrity_views.register(app, Verifications(client, index_prefix, tenancy))
    agents = Agents(search, now)
    agent_views.register(app, agents)
    history_views.register(app, Histories(reading))
    views = SavedViews(Documents(client, index_prefix, saved.KIND), now)
    search_views.register(app, Activity(reading), views)
    exports = make_exports(settings, client, index_prefix, tenancy, now)
    export_views.register(app, exports)
    report_views.register(
        app,
        make_reports(client, index_prefix, tenancy, now),
        make_schedules(client, index_prefix, tenancy, now),
        exports.commission,
    )
    retention_views.register(app, Retention(client, index_prefix, tenancy, now))
    notification_views.register(app, make_notifications(client, index_prefix, tenancy, key, now), limiter)
    alerts = make_alerts(client, index_prefix, tenancy, now)
    alert_views.register(
        app,
        alerts,
        make_desk(client, index_prefix, tenancy, now),
        make_evidence(client, index_prefix, now, _people(accounts)),
    )
    app.extensions["audit-watchable-views"] = _watchable(views)
    beside = neighbours.of_reviews(accounts, alerts, client, index_prefix, now)
    reviews = make_reviews(client, index_prefix, tenancy, now, beside)
    review_views.register(app, reviews, limiter, exports.commission)
    overdue = Waiting(access.Role.AUDITOR, "Overdue reviews", reviews.overdue_count, "/reviews")
    found = Waiting(access.Role.AUDITOR, "New alerts", alerts.new_count, "/alerts")
    overview_views.register(app, Overviews(search, tenancy, now), [found, overdue], [_agents_panel(agents)])
    api_views.register(app, make_keys(client, index_prefix, now), limiter, settings.api_per_minute)
    app.context_processor(lambda: _about_reader(now()))
    app.after_request(_show_request)
    error_pages.register(app)
    access.guard(app)
    return app


def _set_templates(app: Flask) -> None:
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.finalize = wording.plain
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def make_accounts(
    settings: WebSettings,
    client: Client,
    index_prefix: str,
    *,
    now: Callable[[], datetime] = _utc_now,
    hasher: PasswordHasher | None = None,
) -> Accounts:
    """Make the accounts of an installation."""
    limits = Limits(timedelta(minutes=settings.idle_minutes), timedelta(hours=settings.session_hours))
    return Accounts(Documents(client, index_prefix, "accounts"), limits, now, hasher)


def may_report(settings: WebSettings, client: Client, index_prefix: str) -> Callable[[str, str], bool]:
    """Give what schedules of reports ask of the accounts: whether one may still have them made."""
    accounts = make_accounts(settings, client, index_prefix)

    def may(name: str, scope: str) -> bool:
        found = accounts.get(name)
        return (
            found is not None
            and not found.disabled
            and found.role >= access.Role.AUDITOR
            and found.tenant_id == scope
        )

    return may


def reviews_neighbours(settings: WebSettings, client: Client, index_prefix: str) -> Neighbours:
    """Give what reviews ask of the other features where no page is: `audit-webui jobs run`."""
    alerts = make_alerts(client, index_prefix, Tenancy(client, index_prefix, _utc_now), _utc_now)
    accounts = make_accounts(settings, client, index_prefix)
    return neighbours.of_reviews(accounts, alerts, client, index_prefix, _utc_now)


def _people(accounts: Accounts) -> Callable[[Reader, str], list[Choice]]:
    """Give who may look after an owner's alerts."""

    def people(reader: Reader, owner: str) -> list[Choice]:
        may = (each for each in accounts.all() if each.role >= access.Role.AUDITOR and not each.disabled)
        return [
            Choice(each.identity.id, each.name)
            for each in may
            if each.tenant_id == owner or (reader.scope.tenant_id is None and each.tenant_id == "*")
        ]

    return people


def _agents_panel(agents: Agents) -> Panel:
    """Give what the overview shows of the agents: a line for each, how it is and how far behind."""

    def lines(reader: Reader) -> list[Line]:
        fleet = agents.all(reader)
        return [
            Line(each.host, *agent_page.look(each, fleet.at), agent_page.lag_text(each, fleet.at))
            for each in fleet.agents
        ]

    return Panel(access.Role.OPERATOR, "Agents", lines, "No agent is known yet.", "/admin/agents")


def _watchable(views: SavedViews) -> Callable[[Reader], list[Choice]]:
    """Give the saved views that a monitor can watch."""
    return lambda reader: [Choice(view.query, view.name) for view in views.all(reader) if view.query]


def _name_request() -> None:
    g.request_id = secrets.token_hex(8)


def _show_request(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.request_id
    return response


def _about_reader(now: datetime) -> dict[str, Any]:
    # Not flask-login's current_user: that would ask the store, also on the page that says it is away.
    who = g.get("identity")
    return {"reader": who, "menu": menu_for(current_app, who), "asked_at": f"{now:%Y-%m-%d %H:%M}"}
