"""Keeps webhooks out of networks that are not the internet: what an address is, and the connection to it.

A name is resolved once, every address it has is judged, and the connection is made to an address that was
judged: between the two nobody can change what the name means. Each redirect is a new connection, so it is
judged in the same way. Whoever names 127.0.0.1 as `2130706433` or `::ffff:7f00:1` gets no further, because
what is judged is the address that the system would connect to.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.poolmanager import PoolManager

from webui.notification.settings import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]
"""Gives the addresses of a host; `socket.gaierror` when there is none."""

# Global unicast is 2000::/3 alone, and of that not what carries an IPv4 address inside (Teredo, 6to4): where
# it leads is decided by whoever unpacks it. NAT64 (64:ff9b::/96) lies outside of it.
_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_NOT_OF_IT: Final = tuple(
    map(ipaddress.IPv6Network, ("2001::/32", "2002::/16", "3fff::/20"))  # the last is for documentation
)
# The IETF's own (192.0.0.192 is the metadata service of a cloud), which Pythons judge differently, and the
# relays of 6to4.
_NOT_OF_IPV4: Final = tuple(map(ipaddress.IPv4Network, ("192.0.0.0/24", "192.88.99.0/24")))


class ForbiddenError(Exception):
    """The way leads where no webhook may go. It names no address: names inside are not to be probed."""


class Guard:
    """Judges addresses; `networks` are those that are allowed besides public ones."""

    def __init__(self, networks: Iterable[Network] = (), resolve: Resolve | None = None) -> None:
        """`resolve`: by default the system's."""
        self._networks = tuple(networks)
        self._resolve = resolve or _of_the_system

    def allows(self, address: Address, *, encrypted: bool) -> bool:
        """Whether a webhook may be sent to that address; unencrypted to allowed networks alone."""
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if any(address in network for network in self._networks):
            return True
        return encrypted and is_public(address)

    def checked(self, host: str, port: int, *, encrypted: bool) -> list[str]:
        """Resolve a host, once; ForbiddenError unless every address it has is allowed."""
        found = self._resolve(host, port)
        for text in found:
            if not self.allows(ipaddress.ip_address(text), encrypted=encrypted):
                raise ForbiddenError(_refusal(host, encrypted=encrypted))
        return found

    def check_url(self, url: str) -> None:
        """Refuse an address before it is ever asked, as far as it can be told: ForbiddenError."""
        parts = urlsplit(url)
        encrypted = parts.scheme == "https"
        if not encrypted and not self._networks:
            raise ForbiddenError("This installation sends webhooks to https: alone.")
        try:
            address = ipaddress.ip_address(parts.hostname or "")
        except ValueError:
            return  # a name: what it means is judged each time
        if not self.allows(address, encrypted=encrypted):
            raise ForbiddenError(_refusal(str(parts.hostname), encrypted=encrypted))


def _refusal(host: str, *, encrypted: bool) -> str:
    if encrypted:
        return (
            f"{host} leads to an address that is not public; the people who run this audit allow networks by "
            "AUDIT_WEBHOOK_NETWORKS."
        )
    return (
        f"{host} is asked without encryption, which is for networks of AUDIT_WEBHOOK_NETWORKS alone; use "
        "https:."
    )


def is_public(address: Address) -> bool:
    """Whether an address is one of the internet, and nothing but that."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in each for each in _NOT_OF_IPV4)
    return address in _GLOBAL_UNICAST and not any(address in each for each in _NOT_OF_IT)


class Deadline:
    """The end of an attempt: sockets that it watches are shut, whatever they are in the middle of.

    A time-out of a socket begins anew with every byte; a receiver that sends one every few seconds would
    otherwise hold a worker for ever.
    """

    def __init__(self, secs: float) -> None:
        self._end = time.monotonic() + secs
        self._timers: list[tuple[threading.Timer, socket.socket]] = []
        self.passed = False

    def left_secs(self) -> float:
        """How long there is still time; never 0, which would mean something else to a socket."""
        return max(0.001, self._end - time.monotonic())

    def watch(self, sock: socket.socket) -> None:
        """Shut a socket when the time is over."""
        # A copy: TLS takes the socket itself away from whoever made it.
        watched = socket.fromfd(sock.fileno(), sock.family, sock.type)
        timer = threading.Timer(self.left_secs(), self._shut, [watched])
        timer.daemon = True
        timer.start()
        self._timers.append((timer, watched))

    def done(self) -> None:
        """Watch no more."""
        for timer, watched in self._timers:
            timer.cancel()
            watched.close()

    def _shut(self, sock: socket.socket) -> None:
        self.passed = True
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it is closed already


class GuardedAdapter(HTTPAdapter):
    """The transport of one attempt of `requests`: to judged addresses alone, no longer than it may take."""

    def __init__(self, guard: Guard, deadline: Deadline) -> None:
        """`deadline` is the attempt's."""
        self._guard = guard
        self._deadline = deadline
        super().__init__(max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **more: Any) -> None:  # noqa: ANN401, FBT001, FBT002  as in requests
        """Make pools whose connections are guarded."""
        guard, deadline = self._guard, self._deadline

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return _connect(self, guard, deadline, encrypted=False)

        class Encrypted(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return _connect(self, guard, deadline, encrypted=True)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class EncryptedPool(HTTPSConnectionPool):
            ConnectionCls = Encrypted

        self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **more)
        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": EncryptedPool}


def _connect(
    connection: HTTPConnection, guard: Guard, deadline: Deadline, *, encrypted: bool
) -> socket.socket:
    """Connect to an address that was judged; the name stays what certificates are compared with."""
    port = connection.port or (443 if encrypted else 80)
    try:
        addresses = guard.checked(connection.host, port, encrypted=encrypted)
    except (socket.gaierror, UnicodeError) as error:
        raise NameResolutionError(
            connection.host, connection, error if isinstance(error, socket.gaierror) else socket.gaierror()
        ) from error
    failed: OSError = OSError("it has no address")
    for address in addresses:
        try:
            sock = socket.create_connection((address, port), timeout=min(5.0, deadline.left_secs()))
        except OSError as error:
            failed = error
            continue
        sock.settimeout(deadline.left_secs())
        deadline.watch(sock)
        return sock
    if isinstance(failed, TimeoutError):
        raise ConnectTimeoutError(connection, "no answer to the connection") from failed
    raise NewConnectionError(connection, str(failed)) from failed


def _of_the_system(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
