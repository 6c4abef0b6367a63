"""The one door to OpenSearch; the only module that imports opensearchpy.

Both ways in go through the connection pool of `opensearchpy.Urllib3HttpConnection` and not through its
transport: the transport throws the headers of an error away (`Retry-After`), repeats requests by itself, and
prints whole bodies at DEBUG. Measured with bulk bodies of 13 MB: 0.8 us of CPU a document against 1.2 to 2.6.
"""

from __future__ import annotations

import contextlib
import email.utils
import json
import ssl
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import urlencode, urlsplit

import orjson
import urllib3
from opensearchpy import Urllib3HttpConnection
from urllib3.exceptions import HTTPError, SSLError

from indexer import errors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from indexer.settings import StoreSettings

MINIMUM_VERSION: Final = (3, 5)
CONNECT_TIMEOUT_SECS: Final = 5.0
# Whoever asks for a longer wait, a clock that is wrong among them, is asked again after this.
RETRY_AFTER_SECS_MAX: Final = 300.0
# Requests that may be in flight at once without opening a connection that is thrown away afterwards.
POOL_CONNECTIONS: Final = 8
# Only what a verdict needs: `_id` to see that the answer is about our items, in our order. The server stops
# waiting for a shard before we stop waiting for the server, so that each item has an answer.
BULK_TARGET: Final = "/_bulk?timeout=30s&filter_path=errors,items.*._id,items.*.status,items.*.error"
_REASON_CHARS: Final = 400

_HTTP_ERRORS: Final[Mapping[int, type[errors.PermanentError]]] = {
    401: errors.DeniedError,
    403: errors.DeniedError,
    404: errors.MissingError,
    409: errors.ConflictError,
    413: errors.TooLargeError,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx answer; `json` is None when it has no body (HEAD)."""

    status: int
    json: Any


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """Any HTTP answer, unread. Header lookup ignores case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class ClusterInfo:
    """What answers at the address."""

    name: str
    uuid: str
    version: str


class Client:
    """Requests to one OpenSearch address. Safe to use from several threads."""

    def __init__(self, settings: StoreSettings) -> None:
        """Read CA and password files (`SettingsError` when that fails); nothing is sent yet.

        Both are read again whenever they change: what is renewed needs no restart.
        """
        self.url = settings.opensearch_url
        self._pools = _Pools(settings)
        self._password = None
        if settings.opensearch_password_file is not None:
            self._password = _Password(settings.opensearch_username, settings.opensearch_password_file)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int | bool] | None = None,
        body: object = None,
        timeout_secs: float = 30.0,
    ) -> Answer:
        """Send one request and return its 2xx answer, parsed; anything else raises one of `indexer.errors`.

        `path` begins with "/". `body` is sent as it is when it is bytes, else as JSON.
        """
        payload = body if body is None or isinstance(body, bytes) else orjson.dumps(body)
        target = path
        if params:
            target += "?" + urlencode({name: _parameter(value) for name, value in params.items()})
        answer = self.send(method, target, payload, timeout_secs=timeout_secs)
        if not 200 <= answer.status < 300:  # noqa: PLR2004  HTTP's own classes
            raise error_of(answer, f"{method} {self.url}{path}")
        if not answer.body and method == "HEAD":
            return Answer(answer.status, None)
        try:
            return Answer(answer.status, _parsed(answer.body))
        except (ValueError, RecursionError):
            raise errors.GarbledError(
                f"{method} {self.url}{path} was answered {answer.status} with {answer.body[:80]!r}, "
                "which is no JSON; is a proxy in the way?",
                status=answer.status,
            ) from None

    def bulk(self, body: bytes, *, timeout_secs: float = 60.0) -> RawAnswer:
        """Send NDJSON to `_bulk` and return whatever HTTP answer came; only a missing answer raises."""
        return self.send("POST", BULK_TARGET, body, timeout_secs=timeout_secs)

    def send(self, method: str, target: str, body: bytes | None, *, timeout_secs: float) -> RawAnswer:
        """Send one request and return its HTTP answer, whatever its status.

        `UnreachableError` when there is no answer, `UntrustedError` when the certificate does not convince.
        """
        connection = self._pools.current()
        headers: dict[str, str] = dict(connection.headers)
        if self._password is not None:
            headers["authorization"] = self._password.header()
        timeout = urllib3.Timeout(connect=min(timeout_secs, CONNECT_TIMEOUT_SECS), read=timeout_secs)
        try:
            response = connection.pool.urlopen(
                method,
                connection.url_prefix + target,
                body=body,
                headers=headers,
                retries=False,
                redirect=False,
                timeout=timeout,
            )
        except (HTTPError, OSError) as error:
            # Other TLS errors are also what a restarting node or proxy looks like: those are worth a retry.
            if isinstance(error, SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise errors.UntrustedError(
                    f"the certificate of {self.url} is not trusted ({_cause(error)}); "
                    "set AUDIT_OPENSEARCH_CA_FILE to the CA that signed it"
                ) from error
            raise errors.UnreachableError(
                f"OpenSearch at {self.url} does not answer ({_cause(error)}); "
                "is it running, and is AUDIT_OPENSEARCH_URL right?"
            ) from error
        return RawAnswer(response.status, response.headers, response.data)

    def info(self, *, timeout_secs: float = 10.0) -> ClusterInfo:
        """Say what answers; `UnsupportedError` unless it is OpenSearch of at least `MINIMUM_VERSION`."""
        found = self.request("GET", "/", timeout_secs=timeout_secs).json
        version = found.get("version", {}) if isinstance(found, dict) else {}
        number, distribution = str(version.get("number", "")), str(version.get("distribution", ""))
        if distribution != "opensearch" or _numbers(number) < MINIMUM_VERSION:
            found_is = f"{distribution} {number}".strip() or "not OpenSearch"
            wanted = ".".join(map(str, MINIMUM_VERSION))
            raise errors.UnsupportedError(
                f"{self.url} is {found_is}; SmartWMS Audit needs OpenSearch {wanted} or newer"
            )
        return ClusterInfo(str(found["cluster_name"]), str(found["cluster_uuid"]), number)

    def ping(self, *, timeout_secs: float = 5.0) -> bool:
        """Say whether a supported OpenSearch answers in time, and takes our name and password."""
        try:
            self.info(timeout_secs=timeout_secs)
        except errors.StoreError:
            return False
        return True

    def close(self) -> None:
        """Close the idle connections."""
        self._pools.close()


def connect(settings: StoreSettings) -> Client:
    """Make a client; nothing is sent yet."""
    return Client(settings)


def error_of(answer: RawAnswer, what: str) -> errors.StoreError:
    """Name an answer that is not 2xx; `what` was asked ("GET http://…/x")."""
    kind, reason = _reason(answer.body)
    sentence = f"{what} was answered {answer.status}: {reason}"
    status = answer.status
    if status == 403 and kind == "cluster_block_exception":  # noqa: PLR2004
        return errors.BlockedError(
            sentence, status=status, kind=kind, retry_after_secs=retry_after_secs(answer)
        )
    if status == 429:  # noqa: PLR2004
        return errors.OverloadedError(
            sentence, status=status, kind=kind, retry_after_secs=retry_after_secs(answer)
        )
    if status >= 500:  # noqa: PLR2004
        return errors.FailingError(
            sentence, status=status, kind=kind, retry_after_secs=retry_after_secs(answer)
        )
    if status in {401, 403}:
        sentence += "; check AUDIT_OPENSEARCH_USERNAME, AUDIT_OPENSEARCH_PASSWORD_FILE and the user's role"
    return _HTTP_ERRORS.get(status, errors.RefusedError)(sentence, status=status, kind=kind)


def whole(answer: Any, what: str) -> Any:  # noqa: ANN401  JSON of the store's own
    """Return an answer that is about everything asked for; `FailingError` when it leaves shards out."""
    if answer.get("timed_out") or answer.get("_shards", {}).get("failed"):
        raise errors.FailingError(f"OpenSearch answered for a part of {what} only; try again", status=503)
    return answer


def retry_after_secs(answer: RawAnswer) -> float | None:
    """Read `Retry-After` (seconds, or a date), up to 5 minutes; None when it is absent or says nothing."""
    value = answer.headers.get("Retry-After")
    if value is None:
        return None
    if value.strip().isdecimal():
        return min(float(value), RETRY_AFTER_SECS_MAX)
    try:
        when = email.utils.parsedate_to_datetime(value)
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        secs = (when - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, secs), RETRY_AFTER_SECS_MAX)


_Stamp: TypeAlias = "tuple[int, int, int]"


def _stamp(path: Path) -> _Stamp:
    """What changes whenever a file is written or replaced."""
    found = path.stat()
    return (found.st_mtime_ns, found.st_size, found.st_ino)


class _Pools:
    """The connections to the address, made anew whenever the CA's file changes."""

    def __init__(self, settings: StoreSettings) -> None:
        parts = urlsplit(settings.opensearch_url)
        self._is_encrypted = parts.scheme == "https"
        self._parts = parts
        self._ca_file = settings.opensearch_ca_file if self._is_encrypted else None
        self._lock = threading.Lock()
        self._connection, self._stamp = self._made()

    def current(self) -> Urllib3HttpConnection:
        if self._ca_file is None:
            return self._connection
        with self._lock:
            # While the file is being replaced the old trust may still do, and an error says so if not.
            with contextlib.suppress(OSError, errors.SettingsError):
                if self._stamp != _stamp(self._ca_file):
                    old = self._connection
                    self._connection, self._stamp = self._made()
                    old.pool.close()
            return self._connection

    def close(self) -> None:
        self._connection.pool.close()

    def _made(self) -> tuple[Urllib3HttpConnection, _Stamp | None]:
        context = None
        stamp = None
        if self._is_encrypted:
            try:
                stamp = None if self._ca_file is None else _stamp(self._ca_file)
                context = ssl.create_default_context(cafile=self._ca_file)
            except (OSError, ssl.SSLError) as error:
                raise errors.SettingsError(
                    f"AUDIT_OPENSEARCH_CA_FILE is {str(self._ca_file)!r}, "
                    f"which is no readable PEM file: {error}"
                ) from error
        connection = Urllib3HttpConnection(
            host=self._parts.hostname or "",
            port=self._parts.port or (443 if self._is_encrypted else 80),
            url_prefix=self._parts.path,
            use_ssl=self._is_encrypted,
            ssl_context=context,
            pool_maxsize=POOL_CONNECTIONS,
        )
        return connection, stamp


class _Password:
    """The basic-auth header, read again whenever the password's file changes."""

    def __init__(self, username: str, path: Path) -> None:
        self._username = username
        self._path = path
        self._lock = threading.Lock()
        self._stamp: _Stamp | None = None
        self._header = ""
        self._read()

    def header(self) -> str:
        with self._lock:
            # While the file is being replaced the old password may still do, and a 401 says so if not.
            with contextlib.suppress(OSError, errors.SettingsError):
                if self._stamp != _stamp(self._path):
                    self._read()
            return self._header

    def _read(self) -> None:
        setting = f"AUDIT_OPENSEARCH_PASSWORD_FILE is {str(self._path)!r}"
        try:
            stamp = _stamp(self._path)
            password = self._path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise errors.SettingsError(f"{setting}, which cannot be read: {error}") from error
        if not password:
            raise errors.SettingsError(
                f"{setting}, which is empty; write the password of {self._username!r} into it"
            )
        self._stamp = stamp
        made = urllib3.make_headers(basic_auth=f"{self._username}:{password}")
        self._header = made["authorization"]


def _parameter(value: str | int | bool) -> str:  # noqa: FBT001  a value of a query string, not a switch
    return str(value).lower() if isinstance(value, bool) else str(value)


def _cause(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return text.rpartition("): ")[2] or text


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("-", maxsplit=1)[0].split(".") if part.isdecimal())


def _parsed(body: bytes) -> Any:  # noqa: ANN401  whatever JSON may hold
    """Read JSON; ValueError or RecursionError when it is none.

    A document holds what its writer made of it, and the store takes what orjson refuses: half of a surrogate
    pair, a number beyond all bounds. It must not hide the documents beside it.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        found = json.loads(body.decode("utf-8", "replace"))
        return json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))


def _reason(body: bytes) -> tuple[str, str]:
    """Take the store's own name and reason of an error out of its answer, whatever the answer is."""
    try:
        error = orjson.loads(body).get("error", "")
    except (orjson.JSONDecodeError, AttributeError):
        return "", repr(body[:80]) if body else "no reason given"
    if not isinstance(error, dict):
        return "", str(error)[:_REASON_CHARS] or "no reason given"
    kind = str(error.get("type", ""))
    return kind, f"{kind}: {error.get('reason', '')}"[:_REASON_CHARS]
