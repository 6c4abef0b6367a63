"""Sends a message by e-mail, and says what the server answered. Never raises because of a server."""

from __future__ import annotations

import hashlib
import html
import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Final

from indexer.errors import SettingsError
from webui.notification.channel import Channel
from webui.notification.delivery import delivery_id
from webui.notification.guard import Deadline
from webui.notification.message import Attachment, Message
from webui.notification.sending import Outcome, shown
from webui.notification.settings import SmtpSettings

LIMIT_SECS: Final = 25.0
"""How long an attempt may take."""
MAX_ATTACHED_BYTES: Final = 10 * 1024 * 1024
"""More than that many servers refuse; the mail says where the file is instead."""
_SOCKET_SECS: Final = 10.0


class Mails:
    """Sends e-mail by the mail server of the installation."""

    def __init__(self, settings: SmtpSettings, export_dir: Path, address: str) -> None:
        """`export_dir`: where attachments lie; `address`: of the UI, as people reach it, or empty."""
        self._settings = settings
        self._export_dir = export_dir.expanduser()
        self._address = address

    def send(self, channel: Channel, message: Message) -> Outcome:
        """Make one attempt."""
        if not self._settings.host:
            return Outcome(
                problem="This installation has no mail server: the people who run it set AUDIT_SMTP_HOST."
            )
        deadline = Deadline(LIMIT_SECS)
        try:
            mail = compose(channel, message, self._settings.sender, self._address, self._attached(message))
            return self._hand_over(mail, channel, deadline)
        except (SettingsError, smtplib.SMTPException, OSError) as error:
            return _failure(error, deadline)
        finally:
            deadline.done()

    def _hand_over(self, mail: EmailMessage, channel: Channel, deadline: Deadline) -> Outcome:
        settings = self._settings
        context = ssl.create_default_context(
            cafile=str(settings.ca_file.expanduser()) if settings.ca_file else None
        )
        if settings.tls == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.host, settings.port, timeout=_SOCKET_SECS, context=context
            )
        else:
            server = smtplib.SMTP(settings.host, settings.port, timeout=_SOCKET_SECS)
        with server:
            if server.sock is not None:
                deadline.watch(server.sock)
            if settings.tls == "starttls":
                server.starttls(context=context)
            if settings.username:
                server.login(settings.username, settings.password())
            refused = server.send_message(mail, settings.sender, list(channel.recipients))
        if not refused:
            return Outcome(250)
        # The others have it: sending again would tell them twice.
        who = "; ".join(f"{name} {code} {shown(said)}" for name, (code, said) in refused.items())
        return Outcome(250, f"Refused for {who}"[:200])

    def _attached(self, message: Message) -> dict[Attachment, bytes]:
        """Read the files of a message: those that are there, are what they were, and fit."""
        found: dict[Attachment, bytes] = {}
        room = MAX_ATTACHED_BYTES
        for each in message.attachments:
            path = self._export_dir / each.stored_name
            try:
                if path.stat().st_size > room:
                    continue
                content = path.read_bytes()
            except FileNotFoundError:
                continue
            if hashlib.sha256(content).hexdigest() == each.sha256:
                found[each] = content
                room -= len(content)
        return found


def _failure(error: Exception, deadline: Deadline) -> Outcome:
    """Say why a mail was not taken."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, answer = next(iter(error.recipients.values()))
        return Outcome(code, shown(answer), "The mail server refused every recipient.")
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        answer = said if isinstance(said, bytes) else str(said).encode()
        return Outcome(error.smtp_code, shown(answer), f"The mail server answered {error.smtp_code}.")
    if isinstance(error, ssl.SSLError):
        problem = "The certificate of the mail server is not valid, or it speaks no TLS there."
    elif deadline.passed or isinstance(error, TimeoutError):
        problem = f"The mail server did not answer within {LIMIT_SECS:.0f} seconds."
    elif isinstance(error, SettingsError):
        problem = f"{error}."
    else:
        problem = f"The mail server was not reached, or hung up: {error}."
    return Outcome(problem=problem)


def compose(
    channel: Channel, message: Message, sender: str, address: str, attached: dict[Attachment, bytes]
) -> EmailMessage:
    """Write the mail: plain text, the same as simple HTML, and the files."""
    title = header_text(message.title)
    link = address + message.link if message.link and address else ""
    missing = [each.file_name for each in message.attachments if each not in attached]
    notes = [
        f"{name} is not attached: it is too large for a mail, or gone. Download it in the audit log."
        for name in missing
    ]
    foot = f"Sent by SmartWMS Audit through the channel “{channel.name}”. Do not answer."
    paragraphs = [*filter(None, message.text.split("\n\n")), *notes]
    mail = EmailMessage()
    mail["Subject"] = title
    mail["From"] = header_text(f"SmartWMS Audit <{sender}>")
    mail["To"] = header_text(", ".join(channel.recipients))
    mail["Date"] = format_datetime(_whole_second(message.timestamp))
    mail["Message-ID"] = header_text(message_id(message, channel, sender))
    # Nobody's out-of-office assistant is to answer it.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("\n\n".join([title, *paragraphs, *([link] if link else []), f"-- \n{foot}"]) + "\n")
    shown_link = f'<p><a href="{html.escape(link)}">Open in SmartWMS Audit</a></p>' if link else ""
    inner = "".join(f"<p>{html.escape(each).replace(chr(10), '<br>')}</p>" for each in paragraphs)
    mail.add_alternative(
        f'<!doctype html><html lang="en"><body style="font: 15px/1.5 sans-serif">'
        f'<h1 style="font-size: 18px">{html.escape(title)}</h1>{inner}{shown_link}'
        f'<p style="color: #666; font-size: 13px">{html.escape(foot)}</p></body></html>',
        subtype="html",
    )
    for each, content in attached.items():
        kind, _, subtype = each.media_type.partition(";")[0].partition("/")
        name = header_text(each.file_name)
        mail.add_attachment(content, maintype=kind, subtype=subtype, filename=name)
    return mail


def header_text(text: str) -> str:
    """Give a text as a header may hold it: one line, and nothing that `EmailMessage` takes for encoded.

    It decodes `=?utf-8?q?=0d=0aBcc:_…?=` in what it is given, line break included: whoever is named in a
    title would write headers.
    """
    return " ".join(text.split()).replace("=?", "= ?")


def message_id(message: Message, channel: Channel, sender: str) -> str:
    """Give the Message-ID: the same at each attempt, so that a mail that came twice can be told."""
    digest = hashlib.sha256(delivery_id(message.id, channel.id).encode()).hexdigest()[:40]
    return f"<{digest}@{sender.rpartition('@')[2]}>"


def _whole_second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
