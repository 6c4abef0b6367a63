"""A mail server in a process of its own: `python -m tests.support.mailbox FOLDER [--cert FILE] [--auth]`.

It says its port on the first line and keeps each mail as a file of FOLDER. It refuses recipients whose name
begins with `nobody`, and everything while FOLDER/refuse exists.
"""

import argparse
import asyncio
import contextlib
import email
import email.policy
import itertools
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.checkout import ROOT

USER, SECRET = "audit", "mail server secret"


class _Keeper:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()

    async def handle_RCPT(  # noqa: N802  as aiosmtpd calls it
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("nobody") or (self._folder / "refuse").exists():
            return "550 5.1.1 no such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = cast("bytes", envelope.original_content)
        part = self._folder / f".{next(self._numbers):04}.part"
        part.write_bytes(content)
        part.rename(self._folder / f"{part.stem[1:]}.eml")
        return "250 kept"


def _authenticate(_server: Any, _session: Any, _envelope: Any, _kind: str, data: Any) -> AuthResult:  # noqa: ANN401
    given = isinstance(data, LoginPassword) and (data.login, data.password)
    return AuthResult(success=given == (USER.encode(), SECRET.encode()), handled=False)


async def _serve(asked: argparse.Namespace) -> None:
    context = None
    if asked.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(asked.cert)
    keeper = _Keeper(asked.folder)

    def session() -> SMTP:
        return SMTP(
            keeper,
            hostname="mail.example",
            tls_context=None if asked.tls else context,
            require_starttls=context is not None and not asked.tls,
            authenticator=_authenticate if asked.auth else None,
            auth_required=asked.auth,
            auth_require_tls=not asked.tls,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, "127.0.0.1", 0, ssl=context if asked.tls else None)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cert", type=Path)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--auth", action="store_true")
    asyncio.run(_serve(parser.parse_args()))


@dataclass
class Mailbox:
    """A mail server that runs."""

    folder: Path
    port: int

    def mails(self) -> list[EmailMessage]:
        """What arrived, in that order."""
        return [
            email.message_from_bytes(each.read_bytes(), policy=email.policy.default)
            for each in sorted(self.folder.glob("[0-9]*.eml"))
        ]


@contextlib.contextmanager
def keeping(folder: Path, *options: str, cert: Path | None = None) -> Iterator[Mailbox]:
    """A mail server for as long as the block lasts."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.support.mailbox", str(folder), *options]
    command += ["--cert", str(cert)] if cert else []
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        try:
            yield Mailbox(folder, int(process.stdout.readline()))
        finally:
            process.kill()


if __name__ == "__main__":
    _main()
