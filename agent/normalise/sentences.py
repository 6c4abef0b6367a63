"""One human sentence for an event: who did what to what.

Each is made once, with gaps for who and for the entity's name.
"""

from typing import Final

from agent.normalise import classify
from agent.normalise.routes import Row

GAP: Final = "\x00"
UNKNOWN_USER: Final = "An unknown user"
_VERBS: Final = {
    "created": "created",
    "updated": "changed",
    "deleted": "deleted",
    "status_changed": "changed the status of",
    "adjusted": "adjusted stock by",
    "received": "received stock by",
    "transferred": "transferred stock by",
    "moved": "moved stock by",
    "counted": "counted stock by",
    "role_created": "created",
    "role_updated": "changed",
    "role_deleted": "deleted",
    "role_changed": "changed the roles of",
    "permissions_changed": "changed the permissions of",
    "session_updated": "renewed the session of",
}
_DEEDS: Final = {
    "login": "signed in",
    "login_failed": "failed to sign in",
    "logout": "signed out",
    "token_refreshed": "renewed the access token",
    "token_refused": "was refused a new access token",
    "password_changed": "changed the password",
    "session_revoked": "revoked a session",
    "session_updated": "updated a session",
}
_AUDITING: Final = {
    "searched": "searched the audit log of SmartWMS",
    "viewed": "viewed the audit log of SmartWMS",
    "purged": "purged what SmartWMS had logged",
}
_NOBODY: Final = {
    "login": "Somebody signed in; the log does not say who",
    "login_failed": "A sign-in failed; the log does not say whose",
    "token_refused": "A renewal of an access token was refused",
}
_PREFIX: Final = "/api/v1/"
_TENANT: Final = "tenant/{tenantId}/"
_NAMED_FIELD_COUNT: Final = 6


def data_change(action: str, kind: str, fields: list[str], before: object, after: object) -> tuple[str, str]:
    """What stands before and after the name of the entity; who comes first."""
    what = classify.words(kind)
    if action == "role_changed":
        return (" took a role from user " if after is None else " gave a role to user "), ""
    states = (_status(before), _status(after))
    if "Status" in fields and all(states):
        return f" changed the status of {what} ", f" from {states[0]} to {states[1]}"
    end = ""
    if fields and action == "updated":
        more = len(fields) - _NAMED_FIELD_COUNT
        end = f": {', '.join(fields[:_NAMED_FIELD_COUNT])}{f' and {more} more' if more > 0 else ''}"
    return f" {_VERBS.get(action, 'changed')} {what} ", end


def permission(kind: str, before: object, after: object) -> str:
    """What a change of a permission did, up to the id of the user or role whose it is."""
    whose = classify.words(kind)
    if isinstance(after, dict):
        return f" granted {after.get('ClaimValue') or 'a permission'} to {whose} "
    withdrawn = before.get("ClaimValue") if isinstance(before, dict) else None
    return f" withdrew {withdrawn or 'a permission'} from {whose} "


def request(action: str, row: Row, method: str, status: int) -> tuple[str, str, str]:
    """What stands before and after who, and the whole sentence for when nobody knows who it was.

    `GAP` stands where the entity of the path belongs, or the path itself where no route is known.
    """
    route = _route(row)
    asked = f"{method} {route}".strip()
    before = ""
    if action in _DEEDS:
        after = f" {_DEEDS[action]}"
    elif action in _AUDITING:
        after = f" {_AUDITING[action]} ({asked})"
    elif action == "read":
        after = f" read {route}"
    elif action == "exported":
        after = f" exported {route}"
    elif action == "refused":
        after = f" was refused {asked} ({status})"
    elif action == "failed":
        before, after = f"{asked} by ", f" failed ({status})"
    else:
        after = f" called {asked} ({status})"
    return before, after, _NOBODY.get(action, f"{before}{'an' if before else 'An'} unknown user{after}")


def domain_request(action: str, row: Row, method: str, status: int) -> tuple[str, str, str]:
    """The same for a request that is itself the domain event, because SmartWMS logs no data changes."""
    if row.entity_type and not row.type_at:
        after = f" {_VERBS.get(action, 'changed')} {classify.words(row.entity_type)} {GAP}"
    else:
        after = f" {_VERBS.get(action, 'called')} {_route(row)} ({method}, {status})"
    return "", after, f"{UNKNOWN_USER}{after}"


def _route(row: Row) -> str:
    """A route without what all routes share, with the gap for its entity."""
    names = row.template.split("/")
    at = row.entity_at or row.number_at
    if at:
        names[at] = GAP
    return "/".join(names).removeprefix(_PREFIX).removeprefix(_TENANT) or GAP


def _status(values: object) -> str:
    return str(values.get("Status") or "") if isinstance(values, dict) else ""
