"""How this installation reaches out: `AUDIT_WEBHOOK_*` and `AUDIT_SMTP_*`; passwords are in files."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from indexer.errors import SettingsError
from indexer.settings import Variables, register

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_SMTP: Final = "AUDIT_SMTP_"
_WEBHOOK: Final = "AUDIT_WEBHOOK_"


class WebhookSettings(Variables):
    """Where webhooks may lead besides public addresses. Immutable; an empty variable counts as not set."""

    model_config = SettingsConfigDict(env_prefix=_WEBHOOK)

    networks: Annotated[tuple[Network, ...], NoDecode] = ()
    """Networks of receivers that are not public, separated by commas; http: is for these alone."""
    ca_file: Path | None = None

    @field_validator("networks", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        networks = []
        for word in filter(None, (each.strip() for each in value.split(","))):
            try:
                networks.append(ipaddress.ip_network(word))
            except ValueError as error:
                raise ValueError(
                    f"names {word!r}: {error}; give networks such as 10.1.2.0/24, fd00:1::/64"
                ) from None
        return tuple(networks)


class SmtpSettings(Variables):
    """The mail server of the installation; without a host no e-mail is sent."""

    model_config = SettingsConfigDict(env_prefix=_SMTP, populate_by_name=True)

    host: str = ""
    port: int = Field(default=587, ge=1, le=65535)
    username: str = ""
    password_file: Path | None = None
    tls: Literal["starttls", "tls", "none"] = "starttls"
    ca_file: Path | None = None
    sender: str = Field(default="", validation_alias=f"{_SMTP}FROM", pattern=r"^([^@\s<>]+@[^@\s<>]+)?$")

    @model_validator(mode="after")
    def _fits_together(self) -> SmtpSettings:
        if bool(self.username) != (self.password_file is not None):
            raise ValueError("AUDIT_SMTP_USERNAME and AUDIT_SMTP_PASSWORD_FILE belong together; set both")
        if self.username and self.tls == "none":
            raise ValueError(
                "AUDIT_SMTP_TLS is 'none', so the password of AUDIT_SMTP_USERNAME would be sent in clear; "
                "use starttls or tls"
            )
        if self.host and not self.sender:
            raise ValueError("AUDIT_SMTP_HOST is set, so AUDIT_SMTP_FROM must name the sender's address")
        return self

    def password(self) -> str:
        """Read the password, as it is now; `SettingsError` when the file cannot be read."""
        if self.password_file is None:
            return ""
        try:
            return self.password_file.expanduser().read_text("utf-8").split("\n", 1)[0].rstrip("\r")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"AUDIT_SMTP_PASSWORD_FILE is {self.password_file}, which cannot be read: {error}"
            ) from error


VARIABLES: Final = (
    *(f"{_WEBHOOK}{name}".upper() for name in WebhookSettings.model_fields),
    *(f"{_SMTP}{'from' if name == 'sender' else name}".upper() for name in SmtpSettings.model_fields),
)
register(*VARIABLES, family=_WEBHOOK)
register(family=_SMTP)
