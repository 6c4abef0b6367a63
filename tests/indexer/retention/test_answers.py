"""Answers for a part of what was asked are taken for no answer: what they leave out would be lost."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from indexer.client import Client, connect
from indexer.documents import Documents
from indexer.errors import FailingError
from indexer.retention import contents, replacement
from indexer.settings import StoreSettings
from tests.indexer.scripted import scripted

HITS = {"hits": {"total": {"value": 0}, "hits": []}}
FINE = {"_shards": {"total": 1, "successful": 1, "failed": 0}}
FAILED = {"_shards": {"total": 2, "successful": 1, "failed": 1, "failures": [{"reason": "as told"}]}}


def documents(client: Client) -> object:
    return Documents(client, "smartwms", "holds").find()


def every(client: Client) -> object:
    return Documents(client, "smartwms", "holds").every()


def refresh(client: Client) -> object:
    contents.refresh(client, "x")
    return None


def block(client: Client) -> object:
    replacement.keep_off(client, "x")
    return None


@pytest.mark.parametrize(
    ("ask", "answers"),
    [
        (documents, [FINE, {**HITS, "timed_out": True}]),
        (documents, [FINE, {**HITS, **FAILED}]),
        (documents, [FAILED, {**HITS, **FINE}]),
        (every, [FINE, {**HITS, "timed_out": True}]),
        (refresh, [FAILED]),
        (block, [{"acknowledged": True, "shards_acknowledged": False, "indices": []}]),
        (block, [{"acknowledged": False, "shards_acknowledged": False, "indices": []}]),
    ],
    ids=("list-late list-part list-stale every-late refresh block-writers block-all").split(),
)
def test_are_refused(ask: Callable[[Client], object], answers: list[dict[str, Any]]) -> None:
    with scripted(*((200, {}, orjson.dumps(each)) for each in answers)) as script:
        client = connect(StoreSettings(opensearch_url=script.url))
        with pytest.raises(FailingError):
            ask(client)
        client.close()
