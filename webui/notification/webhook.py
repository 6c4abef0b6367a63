"""Sends a message to a webhook, and says what was answered. Never raises because of a receiver."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import orjson
import requests
from requests.adapters import BaseAdapter
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError

from indexer.query import iso
from webui.notification.channel import Channel
from webui.notification.delivery import MAX_ANSWER_CHARS
from webui.notification.guard import Deadline, ForbiddenError, Guard, GuardedAdapter
from webui.notification.message import Message
from webui.notification.secret import StaleError, secret_of, signature
from webui.notification.sending import Outcome, shown
from webui.notification.settings import WebhookSettings

SIGNATURE: Final = "X-SmartWMS-Signature"
LIMIT_SECS: Final = 20.0
"""How long an attempt may take, redirects included."""
MAX_REDIRECTS_COUNT: Final = 3
MAX_URL_CHARS: Final = 2000
# They keep the method and the body, or may; 303 asks for a GET, which would tell nothing.
_REDIRECTS: Final = frozenset({301, 302, 307, 308})
_ANSWER_BYTES: Final = 4 * MAX_ANSWER_CHARS
_OK: Final = range(200, 300)


class UrlError(ValueError):
    """An address that no webhook can have; the message is for whoever typed it."""


class Webhooks:
    """Sends to webhooks."""

    def __init__(self, settings: WebhookSettings, key: bytes, address: str, guard: Guard) -> None:
        """`key`: the installation's; `address`: of the UI, as people reach it, or empty."""
        self._verify: bool | str = str(settings.ca_file.expanduser()) if settings.ca_file else True
        self._key = key
        self._address = address
        self._guard = guard

    def send(self, channel: Channel, message: Message) -> Outcome:
        """Make one attempt."""
        try:
            text = secret_of(self._key, channel)
        except StaleError as error:
            return Outcome(problem=str(error))
        payload = body(message, self._address)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "SmartWMS-Audit",
            "Accept-Encoding": "identity",
            SIGNATURE: signature(text, payload),
        }
        deadline = Deadline(LIMIT_SECS)
        try:
            with _Session() as session:
                # No proxy, no .netrc: the environment does not decide where a tenant's data goes.
                session.trust_env = False
                session.headers.clear()
                adapter: BaseAdapter = GuardedAdapter(self._guard, deadline)
                session.mount("http://", adapter)
                session.mount("https://", adapter)
                return self._follow(session, channel.url, payload, headers, deadline)
        finally:
            deadline.done()

    def _follow(
        self,
        session: requests.Session,
        url: str,
        payload: bytes,
        headers: dict[str, str],
        deadline: Deadline,
    ) -> Outcome:
        status = 0
        for _ in range(MAX_REDIRECTS_COUNT + 1):
            try:
                checked_url(url)
                with session.post(
                    url, data=payload, headers=headers, timeout=deadline.left_secs(),
                    allow_redirects=False, stream=True, verify=self._verify,
                ) as response:  # fmt: skip
                    status = response.status_code
                    where = response.headers.get("Location", "") if status in _REDIRECTS else ""
                    if not where:
                        problem = "" if status in _OK else f"The receiver answered {status}."
                        return Outcome(status, _beginning(response), problem)
                url = _further(url, where)
            except (requests.RequestException, ForbiddenError, UrlError, OSError) as error:
                return Outcome(status, problem=_sentence(error, deadline))
        return Outcome(status, problem=f"The receiver leads on more than {MAX_REDIRECTS_COUNT} times.")


class _Session(requests.Session):
    """A session that leaves redirects alone; requests itself would read all of such an answer to prepare."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Give none: `Webhooks` follows them."""


def body(message: Message, address: str) -> bytes:
    """Give what is sent, the same bytes at each attempt: `{id, type, timestamp, data}`."""
    told: dict[str, Any] = {
        "tenant": message.tenant,
        "title": message.title,
        "text": message.text,
        "link": address + message.link if message.link and address else None,
        **message.data,
    }
    return orjson.dumps(
        {"id": message.id, "type": message.type, "timestamp": iso(message.timestamp), "data": told}
    )


def checked_url(url: str) -> str:
    """Give an address back if a webhook may have it; UrlError says what is wrong."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UrlError(f"“{url}” is no address.") from None
    if parts.scheme not in {"https", "http"} or not parts.hostname or port == 0:
        raise UrlError(f"“{url}” is no address such as https://hooks.example.com/audit.")
    if parts.username is not None or parts.password is not None:
        raise UrlError("The address holds a user or password, which would be shown; leave them out.")
    if parts.fragment or len(url) > MAX_URL_CHARS or not url.isascii() or any(c <= " " for c in url):
        raise UrlError(f"The address holds spaces, a #, no ASCII, or over {MAX_URL_CHARS} characters.")
    return url


def _further(url: str, where: str) -> str:
    """Give the address that a redirect leads to; UrlError when it is none, or of another scheme."""
    try:
        further = urljoin(url, where)
        same = urlsplit(further).scheme == urlsplit(url).scheme
    except ValueError:
        raise UrlError(f"The receiver leads to “{where[:80]}”, which is no address.") from None
    if not same:
        raise UrlError("The receiver leads from https: to http:, or the other way.")
    return further


def _beginning(response: requests.Response) -> str:
    """Read how an answer begins, undecoded and no more; its status stands, whatever becomes of the rest."""
    try:
        return shown(response.raw.read(_ANSWER_BYTES, decode_content=False) or b"")
    except (HTTPError, OSError):
        return ""


def _sentence(error: Exception, deadline: Deadline) -> str:
    """Say why there is no answer, without what the libraries say about themselves."""
    if isinstance(error, UrlError | ForbiddenError):
        return str(error)
    if deadline.passed or isinstance(error, requests.Timeout):
        return f"The receiver did not answer within {LIMIT_SECS:.0f} seconds."
    if isinstance(error, requests.exceptions.SSLError):
        return "The receiver's certificate is not valid for its name, or nobody trusted has signed it."
    # requests keeps what urllib3 gave up for in its first argument.
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(reason, NameResolutionError):
        return "The name of the receiver was not found."
    if isinstance(reason, NewConnectionError):
        return "The receiver does not listen there."
    return "The connection ended before an answer."
