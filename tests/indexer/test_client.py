"""One door to OpenSearch: every answer, and every missing answer, is a named error."""

import base64
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer import errors
from indexer.client import RawAnswer, connect, error_of, retry_after_secs
from indexer.settings import StoreSettings
from tests.indexer.scripted import CERTIFICATE, scripted
from tests.support import certificates
from tests.support.store import Store

JSON = {"Content-Type": "application/json"}


def secured(url: str, file: Path) -> StoreSettings:
    return StoreSettings(opensearch_url=url, opensearch_username="agent", opensearch_password_file=file)


class TestALiveStore:
    def test_says_what_it_is(self, store: Store) -> None:
        client = connect(store.settings)
        assert client.info().version.startswith("3.")
        assert client.ping()

    @pytest.mark.parametrize(
        ("method", "path", "error", "kind"),
        [
            ("GET", "/{prefix}-none/_doc/1", errors.MissingError, "index_not_found_exception"),
            ("HEAD", "/{prefix}-none", errors.MissingError, ""),
            ("PUT", "/_{prefix}", errors.RefusedError, "invalid_index_name_exception"),
        ],
    )
    def test_refuses_by_name(
        self, store: Store, method: str, path: str, error: type[errors.StoreError], kind: str
    ) -> None:
        with pytest.raises(error) as failure:
            connect(store.settings).request(method, path.format(prefix=store.prefix))
        assert failure.value.kind == kind

    def test_takes_parameters_and_json(self, store: Store) -> None:
        client, path = connect(store.settings), f"/{store.prefix}-x/_doc/ä"
        client.request("PUT", f"/{store.prefix}-x")
        client.request("PUT", path.replace("ä", "%C3%A4"), params={"refresh": True}, body={"name": "Ñ"})
        found = client.request("POST", f"/{store.prefix}-x/_search", params={"size": 1}).json["hits"]["hits"]
        assert [(hit["_id"], hit["_source"]) for hit in found] == [("ä", {"name": "Ñ"})]

    def test_answers_many_threads_at_once(self, store: Store) -> None:
        client = connect(store.settings)
        answers: list[int] = []
        threads = [
            threading.Thread(target=lambda: answers.append(client.request("HEAD", "/").status))
            for _ in range(12)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [200] * 12


class TestAStrangeAnswer:
    @pytest.mark.parametrize(
        ("status", "headers", "body", "error"),
        [
            (200, {}, b"<html>Welcome</html>", errors.GarbledError),
            (200, {}, b"", errors.GarbledError),
            (200, {"cut": "3"}, b'{"a":1}', errors.UnreachableError),
            (0, {}, b"", errors.UnreachableError),
            (401, {}, b"Unauthorized", errors.DeniedError),
            (403, {}, b'{"error":{"type":"security_exception","reason":"no"}}', errors.DeniedError),
            (403, {}, b'{"error":{"type":"cluster_block_exception","reason":"ro"}}', errors.BlockedError),
            (409, {}, b"{}", errors.ConflictError),
            (413, {}, b"<html>", errors.TooLargeError),
            (429, {}, b"{}", errors.OverloadedError),
            (502, {}, b"<html>Bad Gateway</html>", errors.FailingError),
            (302, {"Location": "http://example.com/"}, b"", errors.RefusedError),
        ],
    )
    def test_is_a_named_error(
        self, status: int, headers: dict[str, str], body: bytes, error: type[errors.StoreError]
    ) -> None:
        with scripted((status, headers, body)) as script, pytest.raises(error):
            connect(StoreSettings(opensearch_url=script.url)).request("GET", "/x")

    def test_that_hangs_is_given_up_after_the_time_out(self) -> None:
        release = threading.Event()
        with scripted((200, JSON, b"{}")) as script:
            waiting = script.next
            script.next = lambda: (release.wait(30), waiting())[1]  # type: ignore[method-assign]
            try:
                with pytest.raises(errors.UnreachableError, match="timed out"):
                    connect(StoreSettings(opensearch_url=script.url)).request("GET", "/", timeout_secs=0.2)
            finally:
                release.set()

    @pytest.mark.parametrize(
        ("root", "said"),
        [
            (b'{"version":{"number":"7.10.2","build_flavor":"default"}}', "7.10.2"),
            (b'{"version":{"distribution":"opensearch","number":"3.4.0"}}', "opensearch 3.4.0"),
            (b"[]", "not OpenSearch"),
        ],
        ids=["elasticsearch", "old", "something else"],
    )
    def test_of_another_kind_of_store_is_unsupported(self, root: bytes, said: str) -> None:
        with scripted((200, JSON, root)) as script, pytest.raises(errors.UnsupportedError, match=said):
            connect(StoreSettings(opensearch_url=script.url)).info()

    def test_nobody_listening_names_the_setting(self) -> None:
        with pytest.raises(errors.UnreachableError, match="AUDIT_OPENSEARCH_URL") as failure:
            connect(StoreSettings(opensearch_url="http://127.0.0.1:1")).request("GET", "/")
        assert failure.value.exit_code == 3


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("value", "least", "most"),
        [
            ("7", 7, 7),
            ("Fri, 01 Jan 2100 00:00:00 GMT", 300, 300),
            ("Sat, 01 Jan 2000 00:00:00 GMT", 0, 0),
        ],
        ids=["seconds", "a date", "a date that is over"],
    )
    def test_is_read(self, value: str, least: float, most: float) -> None:
        found = retry_after_secs(RawAnswer(429, {"Retry-After": value}, b""))
        assert found is not None
        assert least <= found <= most

    @pytest.mark.parametrize("value", ["9" * 12, "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
    def test_is_no_more_than_five_minutes(self, value: str) -> None:
        assert retry_after_secs(RawAnswer(429, {"Retry-After": value}, b"")) == 300

    @pytest.mark.parametrize(
        "headers",
        [{}, {"Retry-After": "soon"}, {"Retry-After": "Mon, 01 Jan 2026 00:00:00 +9999999999999999"}],
        ids=["absent", "nonsense", "no date"],
    )
    def test_may_say_nothing(self, headers: dict[str, str]) -> None:
        assert retry_after_secs(RawAnswer(429, headers, b"")) is None

    @pytest.mark.parametrize("status", [429, 503])
    def test_travels_with_the_error(self, status: int) -> None:
        error = error_of(RawAnswer(status, {"Retry-After": "3"}, b""), "GET /")
        assert isinstance(error, errors.RetryableError)
        assert error.retry_after_secs == 3


class TestThePassword:
    def test_is_sent_and_read_again_when_its_file_changes(self, tmp_path: Path) -> None:
        file = tmp_path / "password"
        file.write_text("first\n")
        with scripted((200, JSON, b"{}")) as script:
            client = connect(secured(script.url, file))
            client.request("GET", "/")
            file.write_text("second, longer\n")
            client.request("GET", "/")
            file.unlink()
            client.request("GET", "/")
        sent = [base64.b64decode(headers["authorization"].split()[1]) for headers, _ in script.asked]
        assert sent == [b"agent:first", b"agent:second, longer", b"agent:second, longer"]

    @pytest.mark.parametrize(
        ("prepare", "sentence"),
        [
            (lambda _: None, "cannot be read"),
            (lambda file: file.write_text("\n"), "is empty"),
            (lambda file: file.write_bytes(b"\xff\xfe"), "cannot be read"),
        ],
        ids=["missing", "empty", "no text"],
    )
    def test_file_that_is_wrong_is_named(
        self, tmp_path: Path, prepare: Callable[[Path], object], sentence: str
    ) -> None:
        prepare(tmp_path / "password")
        with pytest.raises(errors.SettingsError, match=f"AUDIT_OPENSEARCH_PASSWORD_FILE .*{sentence}"):
            connect(secured("http://127.0.0.1:1", tmp_path / "password"))


class TestTls:
    def test_is_believed_with_the_ca(self) -> None:
        with scripted((200, JSON, b"{}"), tls=True) as script:
            settings = StoreSettings(opensearch_url=script.url, opensearch_ca_file=CERTIFICATE)
            assert connect(settings).request("GET", "/").json == {}

    def test_is_not_believed_without(self) -> None:
        with (
            scripted((200, JSON, b"{}"), tls=True) as script,
            pytest.raises(errors.UntrustedError, match="AUDIT_OPENSEARCH_CA_FILE"),
        ):
            connect(StoreSettings(opensearch_url=script.url)).request("GET", "/")
        assert script.asked == []

    def test_with_a_ca_file_that_is_no_pem_names_the_setting(self, tmp_path: Path) -> None:
        (tmp_path / "ca.pem").write_text("nonsense")
        settings = StoreSettings(opensearch_url="https://127.0.0.1:1", opensearch_ca_file=tmp_path / "ca.pem")
        with pytest.raises(errors.SettingsError, match="AUDIT_OPENSEARCH_CA_FILE"):
            connect(settings)

    def test_a_new_ca_is_taken_from_its_file_and_the_old_one_kept_while_it_is_replaced(
        self, tmp_path: Path
    ) -> None:
        ca_file = tmp_path / "trusted.pem"
        with scripted((200, JSON, b"{}"), tls=True) as script:
            other, _ = certificates.make(tmp_path, "127.0.0.1")
            other.rename(ca_file)
            client = connect(StoreSettings(opensearch_url=script.url, opensearch_ca_file=ca_file))
            with pytest.raises(errors.UntrustedError):
                client.request("GET", "/")
            ca_file.write_bytes(CERTIFICATE.read_bytes())
            assert client.request("GET", "/").json == {}
            ca_file.write_text("half a fi")
            assert client.request("GET", "/").json == {}
            ca_file.unlink()
            assert client.request("GET", "/").json == {}
        client.close()
