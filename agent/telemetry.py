"""What the agent says of itself: counts of events, and log lines on stderr."""

from __future__ import annotations

import logging
import sys
from dataclasses import asdict, dataclass

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger

from agent.alarms import ALARMS


@dataclass(slots=True)
class Counts:
    """Events of this run. Once all are delivered: read = stored + duplicate + rejected + expired."""

    read: int = 0
    stored: int = 0
    duplicate: int = 0
    rejected: int = 0
    expired: int = 0
    retried: int = 0

    @property
    def final(self) -> int:
        return self.stored + self.duplicate + self.rejected + self.expired

    def line(self) -> str:
        """The account of a run as one JSON line (a contract: scripts read it)."""
        account = asdict(self)
        del account["retried"]
        return orjson.dumps(account).decode()


def shown(path: str) -> str:
    """A path as text that JSON, logs and terminals take: a name that is no UTF-8 stands there escaped."""
    return path.encode("utf-8", "backslashreplace").decode("utf-8")


def log_json() -> None:
    """Log every message as one JSON line on stderr: the way of a daemon."""
    _configure(structlog.processors.JSONRenderer(serializer=_json), logging.INFO)


def log_sentences() -> None:
    """Log warnings and errors as text on stderr: the way of a command."""
    _configure(_sentence, logging.WARNING)


def _configure(renderer: structlog.typing.Processor, level: int) -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _with_way_out,
            _with_shown_names,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def _with_way_out(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """An ERROR says what to do, where it is read."""
    if event["level"] == "error" and event["event"] in ALARMS:
        event["do"] = ALARMS[event["event"]].do
    return event


def _with_shown_names(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Names of files need not be UTF-8; a line of the log must."""
    return {key: shown(value) if value.__class__ is str else value for key, value in event.items()}


def _json(event: object, **_: object) -> str:
    return orjson.dumps(event, default=str).decode()


def _sentence(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    event.pop("timestamp")
    level, name = event.pop("level"), event.pop("event")
    return f"{level}: {name}: " + ", ".join(f"{key}={value}" for key, value in event.items())
