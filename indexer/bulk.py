"""Send documents and learn what became of each.

The hot path: documents are joined to one NDJSON body without a Python step for each, and a good answer is
compared as bytes. Always `create`: append-only indices refuse anything else, and a second create of an id
answers 409.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import orjson

from indexer.client import Client, RawAnswer, retry_after_secs
from indexer.errors import StoreError, UnreachableError
from indexer.verdict import Kind, Verdict, cause_of, judge_items

# (partition, id, body as JSON without a newline, and whatever the sender ties to it). Id and partition need
# no JSON escapes: base64url and index names.
Document: TypeAlias = "tuple[str, str, bytes, *tuple[Any, ...]]"

_AFTER_ID: Final = b'"}}\n'
_TOO_LARGE, _OK = 413, 200
# What a 400 for a whole request is called when something in its body is to blame.
_BODY_AT_FAULT: Final = frozenset(
    {
        "action_request_validation_exception",
        "illegal_argument_exception",
        "json_parse_exception",
        "parse_exception",
        "x_content_parse_exception",
    }
)


def encode(documents: Sequence[Document]) -> bytes:
    """Write the NDJSON of a bulk request that creates these documents; b"" for none."""
    if not documents:
        return b""
    partitions, ids, bodies, *_ = zip(*documents, strict=True)
    count = len(documents)
    beginnings = {name: f'\n{{"create":{{"_index":"{name}","_id":"'.encode() for name in set(partitions)}
    pieces: list[bytes] = [_AFTER_ID] * (4 * count + 1)
    if len(beginnings) == 1:
        pieces[0:-1:4] = [beginnings[partitions[0]]] * count
    else:
        pieces[0:-1:4] = map(beginnings.__getitem__, partitions)
    pieces[1::4] = "\n".join(ids).encode().split(b"\n")
    pieces[3::4] = bodies
    pieces[0] = pieces[0][1:]
    pieces[-1] = b"\n"
    return b"".join(pieces)


def send(
    client: Client,
    documents: Sequence[Document],
    *,
    timeout_secs: float = 60.0,
    on_too_large: Callable[[int], None] = lambda _: None,
) -> list[Verdict]:
    """Send documents and return one verdict for each, in their order. Raises nothing of the store's.

    No answer, or one that cannot be trusted, is `RETRY` for all: whatever was stored answers 409 the next
    time. A body that the store does not take is halved down to the document that is to blame;
    `on_too_large` is told the size in bytes of each body that met 413, so that the sender can make smaller
    batches. A verdict on a request as a whole is one and the same object for all of its documents.
    """
    if not documents:
        return []
    body = encode(documents)
    try:
        answer = client.bulk(body, timeout_secs=timeout_secs)
    except UnreachableError as error:
        return [Verdict(Kind.RETRY, str(error))] * len(documents)
    except StoreError as error:
        return [Verdict(Kind.HOLD, str(error))] * len(documents)
    if answer.status == _OK:
        verdicts = judge_items(answer.body, [document[1] for document in documents])
        return verdicts or [_untrusted(answer)] * len(documents)
    if answer.status == _TOO_LARGE:
        on_too_large(len(body))
    whole = judge_whole(answer, len(body))
    if whole.kind is not Kind.REJECTED or len(documents) == 1:
        return [whole] * len(documents)
    middle = len(documents) // 2
    return [
        verdict
        for half in (documents[:middle], documents[middle:])
        for verdict in send(client, half, timeout_secs=timeout_secs, on_too_large=on_too_large)
    ]


def judge_whole(answer: RawAnswer, sent_bytes: int) -> Verdict:
    """Judge an answer other than 200, which speaks of the request (of so many bytes) as a whole.

    `REJECTED` means that something in the body is to blame: halve it, until it is a single document.
    """
    if answer.status == _TOO_LARGE:
        return Verdict(Kind.REJECTED, f"413: {sent_bytes} bytes are more than the store, or a proxy, takes")
    error = _error(answer.body)
    cause = cause_of(answer.status, error or {"type": "no reason given", "reason": repr(answer.body[:80])})
    # A 400 without the store's own error comes from something in between, and says nothing about a document.
    if answer.status == 400 and error and error.get("type") in _BODY_AT_FAULT:  # noqa: PLR2004
        return Verdict(Kind.REJECTED, cause)
    if answer.status in {401, 403, 404} and not (error and error.get("type") == "cluster_block_exception"):
        return Verdict(Kind.HOLD, cause)
    return Verdict(Kind.RETRY, cause, retry_after_secs(answer))


def _error(body: bytes) -> dict[str, Any] | None:
    try:
        error = orjson.loads(body)["error"]
    except (orjson.JSONDecodeError, LookupError, TypeError):
        return None
    return error if isinstance(error, dict) else {"type": "", "reason": str(error)}


def _untrusted(answer: RawAnswer) -> Verdict:
    size, start = len(answer.body), answer.body[:80]
    return Verdict(Kind.RETRY, f"an answer of {size} bytes that is not about what was sent: {start!r}")
