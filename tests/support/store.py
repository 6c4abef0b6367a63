"""Fixtures around a real OpenSearch: each test has its own index prefix on the run's one node."""

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from indexer.settings import StoreSettings
from tests.support import shared_node

ANSWER_SECS = 60
# Deleted in one request; a longer list of names would not fit into a request line.
NAMES_A_REQUEST = 50


@dataclass(frozen=True)
class Store:
    """A part of the run's node that belongs to one test: all of its indices begin with `prefix`."""

    url: str
    prefix: str

    @property
    def settings(self) -> StoreSettings:
        return StoreSettings(opensearch_url=self.url, index_prefix=self.prefix)

    @property
    def environment(self) -> dict[str, str]:
        """What to add to a command's environment so that it works here."""
        return {"AUDIT_OPENSEARCH_URL": self.url, "AUDIT_INDEX_PREFIX": self.prefix}

    def get(self, path: str, **parameters: str) -> object:
        """GET as JSON, past the product's own client: a test's independent look at the truth."""
        answer = requests.get(f"{self.url}/{path}", params=parameters, timeout=ANSWER_SECS)
        answer.raise_for_status()
        found: object = answer.json()
        return found

    def index_names(self) -> list[str]:
        listing = requests.get(
            f"{self.url}/_cat/indices/{self.prefix}-*",
            params={"h": "index", "expand_wildcards": "all"},
            timeout=ANSWER_SECS,
        )
        listing.raise_for_status()
        return sorted(listing.text.split())

    def clear(self) -> None:
        """Delete this prefix's indices and templates."""
        names = self.index_names()
        for first in range(0, len(names), NAMES_A_REQUEST):
            chosen = ",".join(names[first : first + NAMES_A_REQUEST])
            requests.delete(f"{self.url}/{chosen}", timeout=ANSWER_SECS).raise_for_status()
        templates = requests.delete(f"{self.url}/_index_template/{self.prefix}-*", timeout=ANSWER_SECS)
        if templates.status_code != requests.codes.not_found:
            templates.raise_for_status()


@contextlib.contextmanager
def lent(url: str) -> Iterator[Store]:
    """Lend a prefix nobody else has on the node at `url`, and clear it afterwards."""
    store = Store(url, f"t{uuid.uuid4().hex[:12]}")
    try:
        yield store
    finally:
        store.clear()


@pytest.fixture(scope="session")
def node_url() -> str:
    """The address of the run's node."""
    return shared_node.url()


@pytest.fixture
def store(node_url: str) -> Iterator[Store]:
    """A store of this test's own."""
    with lent(node_url) as own:
        yield own


@pytest.fixture(scope="module")
def module_store(node_url: str) -> Iterator[Store]:
    """A store of this module's own, for data that is dear to load and that no test of it changes."""
    with lent(node_url) as own:
        yield own


@pytest.fixture
def node_folder() -> Iterator[Path]:
    """A new folder for a node of the test's own (tmp_path is closed to it); a node left in it is stopped."""
    folder = shared_node.open_folder()
    yield folder
    shared_node.remove(folder)
