"""The agent's TOML file as typed values; whatever cannot be used is refused with the way out."""

from __future__ import annotations

import difflib
import ipaddress
import re
import secrets
import socket
import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from agent.errors import SettingsError
from indexer import secret_file
from indexer.agent_report import OWN_SOURCE

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
REDACTION_KEY_BYTES = 32
REDACTION_KEY_BYTES_MIN = 16
# A source that has been silent for so long, while others on this server were not, is worth an event. What
# people do in our own web UI may pause for days.
SILENT_SECS = 1800.0
_NEVER_SILENT_FORMATS = frozenset({"trail"})
_PORT_MAX = 65_535
# The state that a report tells is taken once a second.
_REPORT_SECS_MIN = 1.0
_LOOPBACK_URL = re.compile(r"http://(127\.0\.0\.1|\[::1\]|localhost)(:\d+)?(/|$)")


class Section(BaseModel):
    """A table of the file: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class SourceSettings(Section):
    """One `[[sources]]` table: files that are read as one log."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    paths: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
    format: Annotated[str, Field(min_length=1)]
    changes_logged: bool = False
    tenant: str = ""
    silent_secs: Annotated[float, Field(ge=0)] | None = None

    @property
    def silence_secs(self) -> float:
        """After how long a silence is told of; 0: never."""
        if self.silent_secs is None:
            return 0.0 if self.format in _NEVER_SILENT_FORMATS else SILENT_SECS
        return self.silent_secs

    @field_validator("name")
    @classmethod
    def _name_is_not_ours(cls, value: str) -> str:
        if value == OWN_SOURCE:
            raise ValueError("this is the source of the agent's own events; choose another name")
        return value

    @field_validator("tenant")
    @classmethod
    def _tenant_is_a_guid(cls, value: str) -> str:
        if value and not GUID.fullmatch(value):
            raise ValueError("a tenant is a GUID in lower case, or empty")
        return value


class DeliverySettings(Section):
    """When a batch is sent, and how much may be under way."""

    batch_bytes: Annotated[int, Field(ge=1_024, le=64 * 1024**2)] = 4 * 1024**2
    batch_count: Annotated[int, Field(ge=1, le=50_000)] = 2_500
    batch_secs: Annotated[float, Field(gt=0, le=60)] = 0.5
    in_flight: Annotated[int, Field(ge=1, le=16)] = 2
    request_secs: Annotated[float, Field(gt=0, le=600)] = 60.0
    retry_secs_max: Annotated[float, Field(gt=0, le=3_600)] = 30.0
    stop_secs: Annotated[float, Field(gt=0, le=600)] = 10.0
    dead_letters_bytes: Annotated[int, Field(ge=1_024)] = 256 * 1024**2


class SealSettings(Section):
    """When what was shipped is sealed, and where seals are told besides the store."""

    enabled: bool = True
    count: Annotated[int, Field(ge=1, le=50_000)] = 10_000
    secs: Annotated[float, Field(gt=0, le=600)] = 60.0
    """Well below the quarter of an hour for which `audit-indexer verify` lets an event wait for its seal."""
    anchor_file: Path | None = None
    anchor_url: str = ""
    anchor_token_file: Path | None = None

    @field_validator("anchor_url")
    @classmethod
    def _is_encrypted(cls, value: str) -> str:
        if not value or value.startswith("https://") or _LOOPBACK_URL.match(value):
            return value
        raise ValueError("is an https address (http to this machine only)")


class HttpSettings(Section):
    """Where `/health` and `/metrics` are served; nowhere unless set, and to this machine only."""

    listen: str = ""

    @field_validator("listen")
    @classmethod
    def _is_loopback(cls, value: str) -> str:
        if not value:
            return value
        host, _, port = value.rpartition(":")
        try:
            is_loopback = ipaddress.ip_address(host.strip("[]")).is_loopback
        except ValueError:
            is_loopback = False
        if not is_loopback or not port.isdecimal() or int(port) > _PORT_MAX:
            raise ValueError(
                'is a loopback address and a port, such as "127.0.0.1:9600"; a proxy may stand before it'
            )
        return value

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


class AgentSettings(Section):
    """The whole file; relative paths are taken from the folder of the file."""

    state_dir: Path
    host: Annotated[str, Field(min_length=1, max_length=255)] = Field(default_factory=socket.gethostname)
    service: Annotated[str, Field(min_length=1, max_length=255)] = "smartwms"
    redaction_key_file: Path = Path()
    sealing_key_file: Path = Path()
    ahead_days: Annotated[int, Field(ge=0, le=36_500)] = 2
    redact: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    report_secs: Annotated[float, Field(ge=0, le=86_400)] = 300.0
    delivery: DeliverySettings = DeliverySettings()
    http: HttpSettings = HttpSettings()
    seals: SealSettings = SealSettings()
    sources: Annotated[tuple[SourceSettings, ...], Field(min_length=1)]

    @field_validator("report_secs")
    @classmethod
    def _is_off_or_a_while(cls, value: float) -> float:
        if value and value < _REPORT_SECS_MIN:
            raise ValueError("is 0 (no reports), or at least 1 second")
        return value

    @model_validator(mode="after")
    def _names_are_unique(self) -> AgentSettings:
        names = [source.name for source in self.sources]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    f"two sources are called {name!r}: the name is part of every event's identity"
                )
        return self


def load(path: Path) -> AgentSettings:
    """The settings in `path`; SettingsError names the file, the key, the value and the way out."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path}: there is no such file; --config names the agent's TOML file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path}: cannot be read ({error}); it must be a UTF-8 text this user may read"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: is not TOML: {error}") from None
    try:
        settings = AgentSettings.model_validate(document)
    except ValidationError as error:
        raise SettingsError("\n".join(f"{path}: {_sentence(each)}" for each in error.errors())) from None
    return _anchored(settings, path.absolute().parent)


def _anchored(settings: AgentSettings, folder: Path) -> AgentSettings:
    """The same settings with every path absolute."""
    state_dir = folder / settings.state_dir
    key_file = settings.redaction_key_file
    sources = tuple(
        source.model_copy(update={"paths": tuple(str(folder / glob) for glob in source.paths)})
        for source in settings.sources
    )
    return settings.model_copy(
        update={
            "state_dir": state_dir,
            "redaction_key_file": state_dir / "redaction.key" if key_file == Path() else folder / key_file,
            "sealing_key_file": (
                state_dir / "sealing.key"
                if settings.sealing_key_file == Path()
                else folder / settings.sealing_key_file
            ),
            "seals": _anchored_seals(settings.seals, folder),
            "sources": sources,
        }
    )


def _anchored_seals(settings: SealSettings, folder: Path) -> SealSettings:
    paths = {"anchor_file": settings.anchor_file, "anchor_token_file": settings.anchor_token_file}
    return settings.model_copy(
        update={name: None if path is None else folder / path for name, path in paths.items()}
    )


def _sentence(problem: ErrorDetails) -> str:
    """One pydantic error as: key, what is wrong, the value, the way out."""
    where = [str(part) for part in problem["loc"]]
    key = ".".join(where) or "the file"
    if problem["type"] == "extra_forbidden":
        known = _known_names(where)
        near = difflib.get_close_matches(where[-1], known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
        return f"{key}: unknown setting; {hint}"
    if problem["type"] == "missing":
        return f"{key}: is missing; it has no default"
    message = problem["msg"].removeprefix("Value error, ")
    if key == "the file":
        return f"{message}"
    return f"{key} = {problem['input']!r}: {message}"


def _known_names(where: list[str]) -> list[str]:
    """The settings that exist in the table that holds the last part of `where`."""
    section: type[Section] = AgentSettings
    if where[0] == "sources":
        section = SourceSettings
    elif where[0] == "delivery":
        section = DeliverySettings
    elif where[0] == "http":
        section = HttpSettings
    elif where[0] == "seals":
        section = SealSettings
    return sorted(section.model_fields if len(where) > 1 else AgentSettings.model_fields)


def redaction_key(path: Path) -> bytes:
    """The installation's key for redacted values; made with mode 0600 if `path` is absent."""
    if not path.exists():
        _make_key(path)
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{path}: cannot be used as redaction_key_file ({error}); "
            "restore it from another server, or delete it and a new one is made"
        ) from None
    if len(key) < REDACTION_KEY_BYTES_MIN:
        raise SettingsError(
            f"{path}: holds {len(key)} bytes, a redaction key has {REDACTION_KEY_BYTES}; "
            "restore it from another server, or delete it and a new one is made"
        )
    return key


def _make_key(path: Path) -> None:
    try:
        secret_file.make(path, f"{secrets.token_hex(REDACTION_KEY_BYTES)}\n".encode())
    except OSError as error:
        raise SettingsError(
            f"{path}: the redaction key cannot be made here ({error}); "
            "set redaction_key_file to a place this user may write, or put the key of another server there"
        ) from None
