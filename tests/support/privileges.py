"""The roles of deploy/opensearch, and which of the plugin's actions each REST call of ours needs.

The plugin itself is not in the node that tests have: the table says what its documentation says.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson
import yaml

from indexer.client import Client, RawAnswer
from tests.support.checkout import ROOT

ROLES: dict[str, Any] = {
    name: role
    for name, role in yaml.safe_load(
        (ROOT / "deploy" / "opensearch" / "roles.yml").read_text(encoding="utf-8")
    ).items()
    if name != "_meta"
}
DOCUMENTED = {
    line
    for line in (Path(__file__).parent / "actions.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
}

CLUSTER = "cluster"
# What a store's prefix looks like in tests.
ANY_TEST = re.compile(r"(?<![0-9a-z])t[0-9a-f]{12}(?=-)")
# Some ask a store that is not there.
OF_A_TEST = re.compile(r"\At[0-9a-f]{12}(?:-nosuch)?(?=-)")
# Method and path to the actions they need: on the cluster, or on the indices that the path names first.
CALLS: list[tuple[str, str, list[str], list[str]]] = [
    ("GET", r"/", ["cluster:monitor/main"], []),
    ("GET", r"/_cluster/health(?:/.+)?", ["cluster:monitor/health"], []),
    ("GET", r"/_cat/health", ["cluster:monitor/health"], []),
    ("GET", r"/_tasks/[^/]+", ["cluster:monitor/task/get"], []),
    ("GET", r"/_tasks", ["cluster:monitor/tasks/lists"], []),
    ("POST", r"/_tasks/[^/]+/_cancel", ["cluster:admin/tasks/cancel"], []),
    ("POST", r"/_plugins/_ism/remove/.+", ["cluster:admin/opendistro/ism/managedindex/remove"], []),
    ("GET", r"/_cat/plugins", ["cluster:monitor/state", "cluster:monitor/nodes/info"], []),
    ("GET", r"/_cat/aliases/([^/]+)", [], ["indices:admin/aliases/get"]),
    ("POST", r"/_search/scroll", ["indices:data/read/scroll"], []),
    ("DELETE", r"/_search/scroll", ["indices:data/read/scroll/clear"], []),
    ("POST", r"/([^/_][^/]*)/_search/point_in_time", [], ["indices:data/read/point_in_time/create"]),
    ("POST", r"/([^/_][^/]*)/_search", [], ["indices:data/read/search"]),
    ("POST", r"/([^/_][^/]*)/_count", [], ["indices:data/read/search"]),
    ("POST", r"/([^/_][^/]*)/_refresh", [], ["indices:admin/refresh"]),
    ("POST", r"/([^/_][^/]*)/_forcemerge", [], ["indices:admin/forcemerge"]),
    ("GET", r"/([^/_][^/]*)/_stats(?:/.*)?", [], ["indices:monitor/stats"]),
    ("PUT", r"/([^/_][^/]*)/_block/write", [], ["indices:admin/block/add"]),
    ("PUT", r"/([^/_][^/]*)/_settings", [], ["indices:admin/settings/update"]),
    ("PUT", r"/([^/_][^/]*)/_mapping", [], ["indices:admin/mapping/put"]),
    ("GET", r"/([^/_][^/]*)/_doc/.+", [], ["indices:data/read/get"]),
    ("PUT", r"/([^/_][^/]*)/_(?:doc|create)/.+", ["indices:data/write/bulk"],
     ["indices:data/write/index", "indices:data/write/bulk[s]"]),
    ("DELETE", r"/([^/_][^/]*)/_doc/.+", ["indices:data/write/bulk"],
     ["indices:data/write/delete", "indices:data/write/bulk[s]"]),
    ("DELETE", r"/([^/_][^/]*)", [], ["indices:admin/delete"]),
    ("GET", r"/([^/_][^/]*)", [], ["indices:admin/get"]),
    ("HEAD", r"/([^/_][^/]*)", [], ["indices:admin/get", "indices:admin/exists"]),
]  # fmt: skip


@dataclass(frozen=True)
class Need:
    """An action on an index (as it is called in an installation), or on the cluster."""

    action: str
    index: str


@dataclass
class Spy:
    """Every call of a client, as what it needs; `unknown` are those that the table above does not have.

    Of the store with this prefix; empty: of any that tests have.
    """

    prefix: str = ""
    needs: set[Need] = field(default_factory=set)
    unknown: set[tuple[str, str]] = field(default_factory=set)
    _points: dict[str, str] = field(default_factory=dict)

    def wrapped(
        self, send: Callable[..., RawAnswer], is_wanted: Callable[[], bool] = lambda: True
    ) -> Callable[[Client, str, str, bytes | None], RawAnswer]:
        def seen(client: Client, method: str, target: str, body: bytes | None, **rest: Any) -> RawAnswer:  # noqa: ANN401
            answer = send(client, method, target, body, **rest)
            path = unquote(urlsplit(target).path)
            if self._is_of_another_test(path, body or b""):
                return answer
            # A point in time may be asked by somebody else later.
            if is_wanted() or (method == "POST" and path.endswith("/point_in_time")):
                before = set(self.needs)
                self._see(method, path, body, answer)
                if not is_wanted():
                    self.needs = before
            return answer

        return seen

    def _see(self, method: str, path: str, body: bytes | None, answer: RawAnswer) -> None:
        if self._special(method, path, body):
            return
        for wanted, pattern, on_cluster, on_index in CALLS:
            found = re.fullmatch(pattern, path, re.DOTALL) if wanted == method else None
            if found is None:
                continue
            self.needs |= {Need(action, CLUSTER) for action in on_cluster}
            for name in found[1].split(",") if found.groups() else ():
                self.needs |= {Need(action, self._called(name)) for action in on_index}
                if path.endswith("/point_in_time"):
                    self._points[orjson.loads(answer.body).get("pit_id", "")] = self._called(name)
            return
        self.unknown.add((method, path))

    def _is_of_another_test(self, path: str, body: bytes) -> bool:
        """Whether a site that lives as long as the whole run has asked, in a thread of its own."""
        if not self.prefix:
            return False
        named = {*ANY_TEST.findall(path), *ANY_TEST.findall(body.decode("utf-8", "replace"))}
        if not named:
            points = re.findall(r'"(?:pit_)?id":\s*\[?"([^"]{40,})"', body.decode("utf-8", "replace"))
            return any(point not in self._points for point in points)
        return self.prefix not in named

    def _special(self, method: str, path: str, body: bytes | None) -> bool:
        """Calls whose indices stand in the body."""
        if (method, path) == ("POST", "/_bulk"):
            self._see_bulk(body or b"")
            return True
        said: Any = {} if body is None else orjson.loads(body)
        if (method, path) == ("POST", "/_search"):
            self._need("indices:data/read/search", self._points[said["pit"]["id"]])
        elif (method, path) == ("DELETE", "/_search/point_in_time"):
            for each in said["pit_id"]:
                self._need("indices:data/read/point_in_time/delete", self._points[each])
        elif (method, path) == ("POST", "/_aliases"):
            self._see_aliases(said["actions"])
        elif (method, path) == ("POST", "/_reindex"):
            for needed in ("write/reindex", "write/bulk", "read/scroll"):
                self._need(f"indices:data/{needed}", CLUSTER)
            self._need("indices:data/read/search", self._called(said["source"]["index"]))
            self._need("indices:data/write/index", self._called(said["dest"]["index"]))
        elif method == "PUT" and re.fullmatch(r"/[^/_][^/]*", path):
            self._need("indices:admin/create", self._called(path[1:]))
            if said.get("aliases"):
                self._need("indices:admin/aliases", self._called(path[1:]))
        else:
            return False
        return True

    def _see_aliases(self, actions: list[dict[str, Any]]) -> None:
        for action in actions:
            [(kind, about)] = action.items()
            needed = "indices:admin/delete" if kind == "remove_index" else "indices:admin/aliases"
            self._need(needed, self._called(about["index"]))

    def _see_bulk(self, body: bytes) -> None:
        self._need("indices:data/write/bulk", CLUSTER)
        for line in body.split(b"\n")[0:-1:2]:
            name = self._called(orjson.loads(line)["create"]["_index"])
            self._need("indices:data/write/index", name)
            self._need("indices:data/write/bulk[s]", name)

    def _need(self, action: str, index: str) -> None:
        self.needs.add(Need(action, index))

    def _called(self, index: str) -> str:
        if self.prefix:
            return "smartwms" + index.removeprefix(self.prefix)
        return OF_A_TEST.sub("smartwms", index)


def refused(spy: Spy, role: str) -> list[str]:
    """What the role does not allow, and what the table of calls does not know."""
    denied = [f"{need.action} on {need.index}" for need in spy.needs if not allows(ROLES[role], need)]
    return sorted(denied) + sorted(f"unknown: {method} {path}" for method, path in spy.unknown)


def allows(role: dict[str, Any], need: Need) -> bool:
    """Whether a role grants it."""
    if need.index == CLUSTER:
        return any(fnmatchcase(need.action, granted) for granted in role["cluster_permissions"])
    return any(
        fnmatchcase(need.action, granted)
        for part in role["index_permissions"]
        if any(fnmatchcase(need.index, pattern) for pattern in part["index_patterns"])
        for granted in part["allowed_actions"]
    )
