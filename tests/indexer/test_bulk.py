"""Documents are sent as `create`, and each gets the verdict that the live store's answer means."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer import bulk, partitions
from indexer.bulk import Document
from indexer.client import Client, connect
from indexer.settings import StoreSettings
from indexer.verdict import DUPLICATE, STORED, Kind, Verdict
from tests.indexer.scripted import scripted
from tests.support.store import Store


@pytest.fixture
def client(store: Store) -> Client:
    return connect(store.settings)


@pytest.fixture
def partition(store: Store, client: Client) -> str:
    name = f"{store.prefix}-audit-business-2026.11.23"
    partitions.ensure(client, name)
    return name


def document(partition: str, document_id: str, **fields: object) -> Document:
    return (partition, document_id, orjson.dumps({"@timestamp": "2026-11-23T06:26:35.363Z", **fields}), None)


def kinds(verdicts: list[Verdict]) -> list[Kind]:
    return [verdict.kind for verdict in verdicts]


def stored_count(client: Client, partition: str) -> int:
    client.request("POST", f"/{partition}/_refresh")
    count: int = client.request("GET", f"/{partition}/_count").json["count"]
    return count


class TestTheBody:
    def test_is_an_action_and_a_document_a_line(self) -> None:
        assert bulk.encode([("p-1", "a", b'{"x":1}', 7), ("p-2", "b", b"{}", None)]) == (
            b'{"create":{"_index":"p-1","_id":"a"}}\n{"x":1}\n{"create":{"_index":"p-2","_id":"b"}}\n{}\n'
        )

    def test_of_nothing_is_nothing(self) -> None:
        assert bulk.encode([]) == b""

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["p-audit-a-2026.11", "p-audit-b-2026.11.23"]),
                st.from_regex(r"[A-Za-z0-9_-]{1,27}", fullmatch=True),
                st.dictionaries(st.text(), st.text() | st.integers(-9, 9)).map(orjson.dumps),
                st.integers(),
            )
        )
    )
    def test_holds_every_document_in_its_order(self, documents: list[Document]) -> None:
        lines = bulk.encode(documents).split(b"\n")
        assert lines.pop() == b""
        read = [
            (orjson.loads(action)["create"], body)
            for action, body in zip(lines[::2], lines[1::2], strict=True)
        ]
        assert read == [({"_index": where, "_id": name}, body) for where, name, body, _ in documents]


class TestALiveStore:
    def test_stores_once_and_knows_a_duplicate(self, client: Client, partition: str) -> None:
        first, second = document(partition, "a"), document(partition, "b")
        assert bulk.send(client, [first]) == [STORED]
        assert bulk.send(client, [first, second]) == [DUPLICATE, STORED]
        assert bulk.send(client, [first, second]) == [DUPLICATE, DUPLICATE]
        assert stored_count(client, partition) == 2

    def test_stores_the_good_beside_the_bad(self, client: Client, partition: str) -> None:
        found = bulk.send(
            client,
            [
                document(partition, "a"),
                document(partition, "b", surprise=1),
                document(partition, "c", labels={"long": "x" * 40_000}),
                document(partition, "d", **{"@timestamp": "no time"}),
                document(partition, "e"),
            ],
        )
        assert kinds(found) == [Kind.STORED, Kind.REJECTED, Kind.REJECTED, Kind.REJECTED, Kind.STORED]
        assert "dynamic introduction of [surprise]" in found[1].cause
        assert "immense term" in found[2].cause
        assert "failed to parse field [@timestamp]" in found[3].cause
        assert stored_count(client, partition) == 2

    @pytest.mark.parametrize("block", ["write", "read_only", "read_only_allow_delete"])
    def test_that_is_blocked_is_asked_again_later(self, client: Client, partition: str, block: str) -> None:
        client.request("PUT", f"/{partition}/_settings", body={f"index.blocks.{block}": True})
        (found,) = bulk.send(client, [document(partition, "a")])
        assert found.kind is Kind.RETRY
        assert "cluster_block_exception" in found.cause
        client.request("PUT", f"/{partition}/_settings", body={f"index.blocks.{block}": None})
        assert bulk.send(client, [document(partition, "a")]) == [STORED]

    def test_with_one_partition_blocked_takes_the_others(
        self, store: Store, client: Client, partition: str
    ) -> None:
        other = f"{store.prefix}-audit-starter-2026.11.23"
        partitions.ensure(client, other)
        client.request("PUT", f"/{partition}/_settings", body={"index.blocks.write": True})
        found = bulk.send(client, [document(partition, "a"), document(other, "b"), document(partition, "c")])
        assert kinds(found) == [Kind.RETRY, Kind.STORED, Kind.RETRY]

    def test_with_a_closed_partition_waits_for_a_person(self, client: Client, partition: str) -> None:
        client.request("POST", f"/{partition}/_close")
        assert kinds(bulk.send(client, [document(partition, "a")])) == [Kind.HOLD]

    def test_without_the_partition_says_missing(self, store: Store, client: Client) -> None:
        # The tests' node forbids creating indices by writing; `partitions.ensure` is then what helps.
        name = f"{store.prefix}-audit-business-2026.11.24"
        assert kinds(bulk.send(client, [document(name, "a")])) == [Kind.MISSING]
        partitions.ensure(client, name)
        assert bulk.send(client, [document(name, "a")]) == [STORED]

    def test_refuses_a_document_larger_than_it_takes_and_no_other(
        self, client: Client, partition: str
    ) -> None:
        met: list[int] = []
        huge = document(partition, "huge", event={"original": "x" * 105_000_000})
        found = bulk.send(
            client, [document(partition, "a"), huge, document(partition, "b")], on_too_large=met.append
        )
        assert kinds(found) == [Kind.STORED, Kind.REJECTED, Kind.STORED]
        assert found[1].cause.startswith("413")
        assert met[0] > 105_000_000

    def test_refuses_an_id_it_does_not_take_and_no_other(self, client: Client, partition: str) -> None:
        found = bulk.send(client, [document(partition, name) for name in ("a", "b" * 600, "c", "d", "e")])
        assert kinds(found) == [Kind.STORED, Kind.REJECTED, Kind.STORED, Kind.STORED, Kind.STORED]


class TestAppendOnly:
    @pytest.mark.parametrize(
        "request_body",
        [
            b'{"index":{"_index":"%b","_id":"a"}}\n{"message":"other"}\n',
            b'{"update":{"_index":"%b","_id":"a"}}\n{"doc":{"message":"other"}}\n',
            b'{"delete":{"_index":"%b","_id":"a"}}\n',
        ],
        ids=["index", "update", "delete"],
    )
    def test_refuses_to_change_an_event_in_bulk(
        self, client: Client, partition: str, request_body: bytes
    ) -> None:
        bulk.send(client, [document(partition, "a", message="as it was")])
        answer = orjson.loads(client.bulk(request_body % partition.encode()).body)
        (about,) = answer["items"][0].values()
        assert (about["status"], about["error"]["type"]) == (400, "validation_exception")
        assert client.request("GET", f"/{partition}/_doc/a").json["_source"]["message"] == "as it was"

    @pytest.mark.parametrize("what", ["_update_by_query", "_delete_by_query"])
    def test_refuses_to_change_events_by_query(
        self, store: Store, client: Client, partition: str, what: str
    ) -> None:
        bulk.send(client, [document(partition, "a"), document(partition, "b")])
        assert stored_count(client, partition) == 2
        answer = client.send(
            "POST",
            f"/{store.prefix}-audit/{what}?conflicts=proceed",
            b'{"query":{"match_all":{}}}',
            timeout_secs=30,
        )
        found = orjson.loads(answer.body)
        assert {failure["status"] for failure in found["failures"]} == {400}
        assert found.get("deleted", 0) == found.get("updated", 0) == 0
        assert stored_count(client, partition) == 2

    def test_cannot_be_switched_off(self, client: Client, partition: str) -> None:
        answer = client.send(
            "PUT",
            f"/{partition}/_settings",
            b'{"index.append_only.enabled":false}',
            timeout_secs=30,
        )
        assert answer.status == 400


CREATED = (
    b'{"errors":false,"items":[{"create":{"_id":"a","status":201}},{"create":{"_id":"b","status":201}}]}'
)


class TestAnAnswerAboutTheWhole:
    @pytest.mark.parametrize(
        ("status", "headers", "body", "kind"),
        [
            (200, {}, CREATED, Kind.STORED),
            (200, {}, CREATED.replace(b'"b"', b'"c"'), Kind.RETRY),
            (200, {}, CREATED[:-20], Kind.RETRY),
            (200, {"cut": "20"}, CREATED, Kind.RETRY),
            (200, {}, b"<html>Welcome</html>", Kind.RETRY),
            (200, {}, b"", Kind.RETRY),
            (204, {}, b"", Kind.RETRY),
            (0, {}, b"", Kind.RETRY),
            (302, {"Location": "/elsewhere"}, b"", Kind.RETRY),
            (400, {}, b"<html>The plain HTTP request was sent to HTTPS port</html>", Kind.RETRY),
            (400, {}, b'{"error":{"type":"illegal_argument_exception","reason":"r"}}', Kind.REJECTED),
            (401, {}, b"Unauthorized", Kind.HOLD),
            (403, {}, b'{"error":{"type":"security_exception","reason":"r"}}', Kind.HOLD),
            (403, {}, b'{"error":{"type":"cluster_block_exception","reason":"r"}}', Kind.RETRY),
            (404, {}, b"<html>Not Found</html>", Kind.HOLD),
            (413, {}, b"<html>Request Entity Too Large</html>", Kind.REJECTED),
            (429, {}, b'{"error":{"type":"rejected_execution_exception","reason":"r"}}', Kind.RETRY),
            (500, {}, b"", Kind.RETRY),
            (502, {}, b"<html>Bad Gateway</html>", Kind.RETRY),
            (503, {}, b'{"error":"text"}', Kind.RETRY),
        ],
    )
    def test_is_a_verdict_for_each(
        self, status: int, headers: dict[str, str], body: bytes, kind: Kind
    ) -> None:
        with scripted((status, headers, body)) as script:
            client = connect(StoreSettings(opensearch_url=script.url))
            found = bulk.send(client, [document("p", "a"), document("p", "b")])
        assert kinds(found) == [kind, kind]
        assert all(verdict.cause for verdict in found) == (kind is not Kind.STORED)

    @pytest.mark.parametrize("status", [429, 503])
    def test_says_when_to_come_back(self, status: int) -> None:
        with scripted((status, {"Retry-After": "9"}, b"")) as script:
            found = bulk.send(connect(StoreSettings(opensearch_url=script.url)), [document("p", "a")])
        assert found[0].retry_after_secs == 9

    def test_that_never_comes_is_a_retry(self) -> None:
        client = connect(StoreSettings(opensearch_url="http://127.0.0.1:1"))
        assert kinds(bulk.send(client, [document("p", "a")] * 2)) == [Kind.RETRY, Kind.RETRY]

    def test_of_a_proxy_that_takes_less_halves_the_batch(self) -> None:
        too_large: tuple[int, dict[str, str], bytes] = (413, {}, b"<html>")
        with scripted(
            too_large,
            (200, {}, CREATED),
            (200, {}, CREATED.replace(b'"a"', b'"c"').replace(b'"b"', b'"d"')),
        ) as script:
            client = connect(StoreSettings(opensearch_url=script.url))
            met: list[int] = []
            found = bulk.send(client, [document("p", name) for name in "abcd"], on_too_large=met.append)
        assert found == [STORED] * 4
        assert met == [len(script.asked[0][1])]

    def test_that_the_certificate_is_not_trusted_waits_for_a_person(self) -> None:
        with scripted((200, {}, CREATED), tls=True) as script:
            client = connect(StoreSettings(opensearch_url=script.url))
            assert kinds(bulk.send(client, [document("p", "a")])) == [Kind.HOLD]

    def test_of_nothing_sent_is_nothing(self) -> None:
        assert bulk.send(connect(StoreSettings(opensearch_url="http://127.0.0.1:1")), []) == []
