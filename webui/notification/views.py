"""The pages of channels: the list, one channel with what was sent through it."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, current_app, redirect, render_template, request, url_for
from flask_limiter import Limiter, RequestLimit
from werkzeug.wrappers import Response

from webui import trail
from webui.access import Role, identity, needs, reader
from webui.notification.channel import Channel, Kind
from webui.notification.service import ChannelForm, ChannelFormError, ChannelShown, Notifications, form_of
from webui.tenancy import TenantFacts

LIMIT_TESTS: Final = "10 per 10 minutes; 30 per hour"
"""How many tests an account may have sent: each may go to mailboxes of many others."""

blueprint = Blueprint("notification", __name__, template_folder="templates")


def register(app: Flask, notifications: Notifications, limiter: Limiter) -> None:
    """Add the pages to an app."""
    app.extensions["audit-notifications"] = notifications
    app.register_blueprint(blueprint)
    limited = limiter.limit(
        LIMIT_TESTS,
        key_func=lambda: f"channel-test:{identity().id}",
        deduct_when=_sent,
        on_breach=_record_breach,
    )
    app.view_functions["notification.test"] = limited(test)


def _sent(response: Any) -> bool:  # noqa: ANN401  flask-limiter's own signature
    return bool(response.status_code == HTTPStatus.SEE_OTHER)


def _record_breach(_limit: RequestLimit) -> None:
    said = f"{identity().name} was not let test a channel: too many tests"
    trail.record("configured", said, who=identity(), failed=True, status=429)


@blueprint.get("/notifications")
@needs(Role.ADMIN)
def index() -> str:
    """Show the channels of a tenant."""
    return _index(_place(), ChannelForm(), {})


@blueprint.post("/notifications")
@needs(Role.ADMIN)
def add() -> Response | str | tuple[str, int]:
    """Make a channel; the secret of a webhook is shown once, on the answer."""
    place, form = _place(), _typed()
    try:
        made, text = _notifications().add(place, form)
    except ChannelFormError as error:
        return _index(place, form, error.problems), 400
    _record(f"added the channel {made.name} ({made.kind.value} {made.place})", made)
    if text:
        return _page(made.id, form_of(made), {}, text)
    return redirect(url_for("notification.channel", channel_id=made.id), 303)


@blueprint.get("/notifications/<channel_id>")
@needs(Role.ADMIN)
def channel(channel_id: str) -> str:
    """Show one channel, and what was sent through it."""
    shown = _notifications().one(reader(), channel_id)
    return _page(channel_id, form_of(shown.channel), {})


@blueprint.post("/notifications/<channel_id>")
@needs(Role.ADMIN)
def change(channel_id: str) -> Response | tuple[str, int]:
    """Change a channel's name and target."""
    before = _notifications().one(reader(), channel_id).channel
    form = _typed()
    try:
        changed = _notifications().change(reader(), channel_id, form)
    except ChannelFormError as error:
        return _page(channel_id, form, error.problems), 400
    # Where it led before is what somebody who investigates asks first.
    _record(
        f"changed the channel {before.name} ({before.place}) to {changed.name} ({changed.place})", changed
    )
    return redirect(url_for("notification.channel", channel_id=channel_id), 303)


@blueprint.post("/notifications/<channel_id>/on")
@needs(Role.ADMIN)
def switch_on(channel_id: str) -> Response | tuple[str, int]:
    """Switch a channel on."""
    return _switch(channel_id, on=True)


@blueprint.post("/notifications/<channel_id>/off")
@needs(Role.ADMIN)
def switch_off(channel_id: str) -> Response | tuple[str, int]:
    """Switch a channel off."""
    return _switch(channel_id, on=False)


@blueprint.post("/notifications/<channel_id>/test")
@needs(Role.ADMIN)
def test(channel_id: str) -> Response | tuple[str, int]:
    """Have a test sent, by the very way that alerts take."""
    found = _notifications().one(reader(), channel_id).channel
    if not _notifications().test(reader(), channel_id):
        return _page(channel_id, form_of(found), {"": "A test is under way; wait for how it ends."}), 409
    _record(f"tested the channel {found.name}", found)
    return redirect(url_for("notification.channel", channel_id=channel_id, _anchor="log"), 303)


@blueprint.post("/notifications/<channel_id>/secret")
@needs(Role.ADMIN)
def renew_secret(channel_id: str) -> str | tuple[str, int]:
    """Make a new secret, shown once."""
    try:
        changed, text = _notifications().renew_secret(reader(), channel_id)
    except ChannelFormError as error:
        return _page(channel_id, _current(channel_id), error.problems), 409
    _record(f"gave the channel {changed.name} a new secret", changed)
    return _page(channel_id, form_of(changed), {}, text)


@blueprint.post("/notifications/<channel_id>/delete")
@needs(Role.ADMIN)
def delete(channel_id: str) -> Response | tuple[str, int]:
    """Delete a channel."""
    try:
        gone = _notifications().delete(reader(), channel_id)
    except ChannelFormError as error:
        return _page(channel_id, _current(channel_id), error.problems), 409
    _record(f"deleted the channel {gone.name} ({gone.kind.value} {gone.place})", gone)
    return redirect(_list_of(_notifications().facts(gone)), 303)


def _switch(channel_id: str, *, on: bool) -> Response | tuple[str, int]:
    try:
        changed = _notifications().switch(reader(), channel_id, on=on)
    except ChannelFormError as error:
        return _page(channel_id, _current(channel_id), error.problems), 409
    _record(f"switched the channel {changed.name} {'on' if on else 'off'}", changed)
    return redirect(url_for("notification.channel", channel_id=channel_id), 303)


def _place() -> TenantFacts:
    return _notifications().place(reader(), request.args.get("tenant", ""))


def _index(place: TenantFacts, form: ChannelForm, problems: dict[str, str]) -> str:
    return render_template(
        "notification/index.html",
        place=place,
        tenants=_notifications().tenants(reader()),
        channels=_notifications().all(place),
        form=form,
        problems=problems,
        has_mail=_notifications().has_mail,
        local=_local,
    )


def _page(channel_id: str, form: ChannelForm, problems: dict[str, str], secret: str = "") -> str:
    shown: ChannelShown = _notifications().one(reader(), channel_id)
    place = _notifications().facts(shown.channel)
    return render_template(
        "notification/channel.html",
        shown=shown,
        channel=shown.channel,
        place=place,
        list_of=_list_of(place),
        form=form,
        problems=problems,
        secret=secret,
        has_mail=_notifications().has_mail,
        is_webhook=shown.channel.kind is Kind.WEBHOOK,
        local=_local,
    )


def _current(channel_id: str) -> ChannelForm:
    return form_of(_notifications().one(reader(), channel_id).channel)


def _typed() -> ChannelForm:
    names = ("kind", "name", "url", "recipients")
    return ChannelForm(**{name: request.form.get(name, "") for name in names})


def _list_of(place: TenantFacts) -> str:
    chosen = place.id if reader().scope.tenant_id is None else ""
    return url_for("notification.index", tenant=chosen or None)


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def _record(words: str, changed: Channel) -> None:
    who = identity()
    said = f"{who.name} {words}"
    trail.record("configured", said, who=who, status=303, entity=("Channel", changed.id))


def _notifications() -> Notifications:
    found: Notifications = current_app.extensions["audit-notifications"]
    return found
