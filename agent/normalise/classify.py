"""Category and action of data changes and of log lines, by the tables `entities.tsv` and `modules.tsv`."""

from importlib import resources
from typing import Any, Final, NamedTuple

BOOKKEEPING_FIELDS: Final = frozenset({"ConcurrencyStamp", "LastLoginAt", "SecurityStamp", "UpdatedAt"})
BOOKKEEPING_PREFIX: Final = "RefreshToken"

_CHANGED: Final = {"Create": "created", "Delete": "deleted", "Update": "updated", "StatusChange": "updated"}
_MOVEMENTS: Final = {"Receipt": "received", "Adjustment": "adjusted", "Transfer": "transferred"}
_FINAL_STATUS: Final = {
    ("StockAdjustment", "Posted"): "adjusted",
    ("StockTransfer", "Completed"): "transferred",
    ("StockTransfer", "Received"): "transferred",
    ("CycleCountSession", "Completed"): "counted",
    ("PutawayTask", "Completed"): "moved",
}
_ROLE: Final = {"created": "role_created", "updated": "role_updated", "deleted": "role_deleted"}
_PERMISSIONS: Final = {"IdentityRoleClaim", "IdentityUserClaim"}


class EntityType(NamedTuple):
    """A type of entity in the words of the product."""

    category: str
    words: str


def _table(name: str) -> list[list[str]]:
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines()[1:]]


ENTITIES: Final = {name: EntityType(category, words) for name, category, words in _table("entities.tsv")}
MODULES: Final = dict(_table("modules.tsv"))


def entity_type(printed: str) -> str:
    """The name of a type without .NET's mark of generics: ``IdentityUserRole`1`` is `IdentityUserRole`."""
    return printed.partition("`")[0]


def words(kind: str) -> str:
    """A type as a person says it: `SalesOrder` is `sales order`."""
    known = ENTITIES.get(kind)
    if known is not None:
        return known.words
    return "".join(f" {char.lower()}" if char.isupper() else char for char in kind).strip()


def is_bookkeeping(fields: list[str]) -> bool:
    """Whether a change is of such fields only as the framework keeps for itself."""
    return bool(fields) and all(
        name in BOOKKEEPING_FIELDS or name.startswith(BOOKKEEPING_PREFIX) for name in fields
    )


def change(kind: str, module: str, printed: str, fields: list[str], after: Any) -> tuple[str, str]:  # noqa: ANN401
    """Category and action of a data change of an entity type, by what SmartWMS printed as its action."""
    known = ENTITIES.get(kind)
    category = known.category if known is not None else MODULES.get(module, "")
    action = _CHANGED.get(printed, "")
    if not category or not action:
        return "system", "logged"
    if category == "users":
        return _user_change(kind, action, fields)
    if category == "authentication":
        return category, "session_revoked" if action == "deleted" else "session_updated"
    if category == "orders":
        return category, "status_changed" if printed == "StatusChange" else action
    if category == "inventory":
        return category, _stock_change(kind, printed, action, after)
    return category, action


def subject(kind: str, fields: list[str]) -> tuple[str, str, list[str]]:
    """Whose change it is: type, name of the value that holds its id ("" for the entity's own), fields.

    Roles and permissions are changes of their user or role, not entities of their own.
    """
    if kind == "IdentityUserRole":
        return "ApplicationUser", "UserId", fields or ["RoleId"]
    if kind in {"IdentityUserClaim", "IdentityUserLogin", "IdentityUserToken"}:
        return "ApplicationUser", "UserId", fields
    if kind == "IdentityRoleClaim":
        return "ApplicationRole", "RoleId", fields or ["ClaimValue"]
    return kind, "", fields


def _user_change(kind: str, action: str, fields: list[str]) -> tuple[str, str]:
    if kind == "IdentityUserRole":
        return "users", "role_changed"
    if kind in _PERMISSIONS:
        return "users", "permissions_changed"
    if kind == "ApplicationRole":
        return "users", _ROLE[action]
    if kind == "ApplicationUser" and is_bookkeeping(fields) and _touches_session(fields):
        return "authentication", "session_updated"
    return "users", action


def _touches_session(fields: list[str]) -> bool:
    return any(name == "LastLoginAt" or name.startswith(BOOKKEEPING_PREFIX) for name in fields)


def _stock_change(kind: str, printed: str, action: str, after: Any) -> str:  # noqa: ANN401
    values = after if isinstance(after, dict) else {}
    if kind == "StockMovement" and action == "created":
        return _MOVEMENTS.get(str(values.get("MovementType")), "moved")
    if printed == "StatusChange":
        return _FINAL_STATUS.get((kind, str(values.get("Status"))), action)
    return action


def log_line(level: str, message: str, *, has_exception: bool) -> tuple[str, str, str]:
    """Category, action and outcome of a line that is neither a request nor a data change."""
    if has_exception or level in {"Error", "Fatal"}:
        return "system", "failed", "failure"
    if level == "Warning":
        return "system", "warned", "unknown"
    if message.startswith(STARTING):
        return "system", "started", "success"
    if message.startswith(STOPPING):
        return "system", "stopped", "success"
    return "system", "logged", "unknown"


STARTING: Final = ("Starting SmartWMS", "Automation Scheduler Service started", "Application started")
STOPPING: Final = (
    "SmartWMS API stopped",
    "Application is shutting down",
    "Automation Scheduler Service stop",
)
RESTART: Final = "Starting SmartWMS"
"""A line that begins so ends every request that was still open: the process that served it is gone."""
