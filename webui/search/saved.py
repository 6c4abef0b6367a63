"""Saved views of the activity log: a question under a name, for its owner alone or for the whole tenant."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from indexer.documents import Documents, Stored
from indexer.errors import NotPreparedError
from webui.tenancy import NotHereError, Reader

KIND: Final = "views"
MAX_NAME_CHARS: Final = 80
MAX_VIEWS_COUNT: Final = 200
_EVERY_TENANT: Final = "*"
_ID_BYTES: Final = 9


class ViewError(ValueError):
    """A view cannot be saved so; the message says why."""


@dataclass(frozen=True, slots=True)
class View:
    """A saved question. `mine`: the reader made it; `is_default`: the reader begins with it."""

    id: str
    name: str
    query: str
    shared: bool
    owner: str
    mine: bool
    is_default: bool


class SavedViews:
    """The views that a reader may use. Views of another tenant do not exist for a reader."""

    def __init__(self, documents: Documents, now: Callable[[], datetime]) -> None:
        """`documents` of KIND; `now`: an aware time."""
        self._documents = documents
        self._now = now

    def all(self, reader: Reader) -> tuple[View, ...]:
        """Give the reader's own views and the shared ones, by name."""
        try:
            # Asked for with every page of the log: whoever writes lets the next page see it.
            mine = {"term": {"tenant": _tenant(reader)}}
            found = self._documents.find(mine, sort=[{"name": "asc"}], fresh=False)
        except NotPreparedError:
            return ()
        return tuple(_view(stored, reader) for stored in found if _may_use(stored, reader))

    def default(self, reader: Reader) -> View | None:
        """Give the view that the reader begins with."""
        return next((view for view in self.all(reader) if view.is_default), None)

    def save(self, reader: Reader, name: str, query: str, *, shared: bool) -> View:
        """Keep a question under a name; a view of the reader's own with that name is replaced."""
        name = " ".join(name.split())
        if not name or len(name) > MAX_NAME_CHARS:
            raise ViewError(f"Give the view a name of 1 to {MAX_NAME_CHARS} characters.")
        self._documents.prepare()
        known = self.all(reader)
        same = next((view for view in known if view.mine and view.name == name), None)
        if same is None and len(known) >= MAX_VIEWS_COUNT:
            raise ViewError(f"There are {MAX_VIEWS_COUNT} views already; delete one first.")
        source: dict[str, Any] = {
            "tenant": _tenant(reader),
            "owner": reader.account,
            "name": name,
            "query": query,
            "shared": shared,
            "default_of": [],
            "created": self._now().astimezone(UTC).isoformat(),
        }
        if same is None:
            stored = self._documents.create(secrets.token_urlsafe(_ID_BYTES), source)
        else:
            old = self._existing(reader, same.id)
            source["default_of"] = old.source["default_of"]
            stored = self._documents.replace(old, source)
        self._documents.refresh()
        return _view(stored, reader)

    def delete(self, reader: Reader, view_id: str, *, any_shared: bool) -> View:
        """Delete a view of one's own, or with `any_shared` any that is shared; NotHereError for others."""
        stored = self._existing(reader, view_id)
        view = _view(stored, reader)
        if not (view.mine or any_shared):
            raise NotHereError
        self._documents.delete(stored)
        self._documents.refresh()
        return view

    def begin_with(self, reader: Reader, view_id: str) -> View:
        """Make a view the one that the reader begins with; when it is already, it no longer is."""
        chosen = _view(self._existing(reader, view_id), reader)
        for view in self.all(reader):
            wanted = view.id == view_id and not chosen.is_default
            if view.is_default != wanted:
                stored = self._existing(reader, view.id)
                others = [each for each in stored.source["default_of"] if each != reader.account]
                kept = [*others, reader.account] if wanted else others
                self._documents.replace(stored, {**stored.source, "default_of": kept})
        self._documents.refresh()
        return chosen

    def _existing(self, reader: Reader, view_id: str) -> Stored:
        try:
            stored = self._documents.get(view_id)
        except NotPreparedError:
            stored = None
        if stored is None or not _may_use(stored, reader):
            raise NotHereError
        return stored


def _tenant(reader: Reader) -> str:
    return reader.scope.tenant_id or _EVERY_TENANT


def _may_use(stored: Stored, reader: Reader) -> bool:
    source = stored.source
    return bool(
        source["tenant"] == _tenant(reader) and (source["shared"] or source["owner"] == reader.account)
    )


def _view(stored: Stored, reader: Reader) -> View:
    source = stored.source
    return View(
        id=stored.id,
        name=source["name"],
        query=source["query"],
        shared=source["shared"],
        owner=source["owner"],
        mine=source["owner"] == reader.account,
        is_default=reader.account in source["default_of"],
    )
