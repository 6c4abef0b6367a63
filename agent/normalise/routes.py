"""Which route of SmartWMS a path belongs to, from `routes.tsv`: method, route, category, action, entity.

`category` and `action` say what the request is when it succeeds and SmartWMS logs no data changes of its own.
`entity` names the entity in the path: `Product:id` (its id is the value of `{id}`) or `Product#sku` (its
number is the value of `{sku}`).
"""

import re
from importlib import resources
from typing import Final, NamedTuple

_GUID_LENGTH: Final = 36
_CLAIM: Final = re.compile(
    r"/api/v1/tenant/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/?", re.IGNORECASE | re.ASCII
)
_CLAIM_END: Final = len("/api/v1/tenant/01a206ff-6fb3-7d8a-bd44-b3bd161d4372/")
_TENANT_COUNT: Final = 10_000


class Row(NamedTuple):
    """One line of the table; the numbers count the segments of the path, 0 where there is none."""

    template: str
    category: str
    action: str
    entity_type: str
    entity_at: int
    number_at: int
    type_at: int


class Match(NamedTuple):
    """What a method and path say by themselves; empty strings where they say nothing."""

    row: Row
    tenant: str
    entity_type: str
    entity_id: str
    entity_number: str


NO_ROW: Final = Row("", "", "", "", 0, 0, 0)


class _Node:
    __slots__ = ("literals", "parameter", "rows")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.rows: dict[str, Row] = {}


class Routes:
    """Finds the route of a path."""

    def __init__(self) -> None:
        self._root = _Node()
        self._tenants: dict[str, str] = {}
        table = resources.files(__package__).joinpath("routes.tsv").read_text(encoding="utf-8")
        for line in table.splitlines()[1:]:
            method, template, category, action, entity = line.split("\t")
            self._add(template)[method] = _row(template, category, action, entity)

    def match(self, method: str, path: str) -> Match:
        """The route of a request; like ASP.NET it ignores the case of letters and a final slash."""
        segments = path.split("/")
        node: _Node | None = self._root
        for segment in segments[1:]:
            below = node.literals.get(segment)  # type: ignore[union-attr] # the loop ends at None
            node = below if below is not None else node.parameter if segment else None  # type: ignore[union-attr]
            if node is None:
                break
        rows = node.rows if node is not None else None
        if not rows:
            segments = path.rstrip("/").split("/")
            rows = _walk(self._root, segments, 1)
        tenant = self.tenant(path)
        row = rows.get(method) if rows else NO_ROW
        if row is None:
            row = NO_ROW._replace(template=next(iter(rows.values())).template)
        kind, entity_id, number, type_at = row.entity_type, "", "", row.type_at
        if row.entity_at:
            entity_id = segments[row.entity_at]
            if len(entity_id) == _GUID_LENGTH:
                entity_id = entity_id.lower()
        elif row.number_at:
            number = segments[row.number_at]
        return Match(row, tenant, segments[type_at] if type_at else kind, entity_id, number)

    def tenant(self, path: str) -> str:
        """The tenant that a path claims, `/api/v1/tenant/{tenantId}/…`, in small letters."""
        start = path[:_CLAIM_END]
        known = self._tenants.get(start)
        if known is not None:
            return known
        claim = _CLAIM.fullmatch(start)
        if claim is None:
            return ""
        if len(self._tenants) >= _TENANT_COUNT:
            self._tenants.clear()
        self._tenants[start] = claim[1].lower()
        return self._tenants[start]

    def _add(self, template: str) -> dict[str, Row]:
        node = self._root
        for segment in template.strip("/").split("/"):
            if segment.startswith("{"):
                if node.parameter is None:
                    node.parameter = _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment.lower(), _Node())
        return node.rows


def _row(template: str, category: str, action: str, entity: str) -> Row:
    names = template.split("/")
    kind, mark, name = entity.replace("#", ":").partition(":")
    at = names.index(f"{{{name}}}") if mark else 0
    type_at = names.index(kind) if kind.startswith("{") else 0
    by_number = "#" in entity
    return Row(template, category, action, kind, 0 if by_number else at, at if by_number else 0, type_at)


def _walk(node: _Node, segments: list[str], index: int) -> dict[str, Row]:
    """The patient way: letters of any case, and a parameter where the literal leads nowhere."""
    if index == len(segments):
        return node.rows
    literal = node.literals.get(segments[index].lower())
    if literal is not None and (rows := _walk(literal, segments, index + 1)):
        return rows
    if node.parameter is not None and segments[index]:
        return _walk(node.parameter, segments, index + 1)
    return {}
