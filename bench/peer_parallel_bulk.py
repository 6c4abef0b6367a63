"""What a careful user of opensearch-py writes: `python -m bench.peer_parallel_bulk URL INDEX FILE`."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from opensearchpy import OpenSearch
from opensearchpy.helpers import parallel_bulk


def actions(index: str, path: Path) -> Iterator[dict[str, Any]]:
    """One `create` a line, under the hash of the line."""
    with path.open("rb") as log:
        for line in log:
            yield {
                "_op_type": "create",
                "_index": index,
                "_id": hashlib.sha1(line, usedforsecurity=False).hexdigest(),
                "_source": orjson.loads(line),
            }


def main(url: str, index: str, path: Path) -> int:
    """Send everything; how many the store refused for another reason than that it has them."""
    client = OpenSearch(url, timeout=120, max_retries=10, retry_on_timeout=True)
    results = parallel_bulk(
        client, actions(index, path), thread_count=2, chunk_size=2500,
        raise_on_error=False, raise_on_exception=False,
    )  # fmt: skip
    return sum(not ok and result["create"]["status"] != 409 for ok, result in results)  # noqa: PLR2004  is there


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
