"""What a rendered message consumed, read back: Serilog's property object leaves out what the message shows.

The templates are SmartWMS's and Entity Framework's own; a message of another template keeps its text and
nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Hole:
    """How a property looks inside a message, and its value from there (None: the text itself)."""

    pattern: str
    convert: Callable[[str], Any] | None = None


def _text_or_null(text: str) -> str | None:
    return None if text == "null" else text


def _decimal(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float(text.replace(",", "."))  # as the server's culture renders it


WORD = Hole(r"(\S+)")
NAME = Hole(r"([^\s.]+)")
QUOTED = Hole(r"""\"?([^"'\n]*?)\"?""")
INTEGER = Hole(r"(-?[0-9]{1,18})", int)
DECIMAL = Hole(r"(-?[0-9]{1,18}(?:[.,][0-9]{1,18})?)", _decimal)
SHORTEST = Hole(r"(.*?)")
LONGEST = Hole(r"(.*)")
NULLABLE = Hole(r"(.*)", _text_or_null)
NEWLINE = Hole(r"(\r?\n)")


@dataclass(frozen=True, slots=True)
class Template:
    """One message template of one logger (`source`, its SourceContext) and what its holes can hold.

    `twins` names properties of the object that hold the same value as a hole: where object and message agree,
    the object's is taken, so that a path or a number that looks like the rest of the message misleads nobody.
    """

    source: str
    text: str
    holes: Mapping[str, Hole]
    twins: Mapping[str, str] = field(default_factory=dict)


_AUTOMATION = "SmartWMS.API.Modules.Automation.Services.AutomationService"
_SCHEDULER = "SmartWMS.API.Modules.Automation.Services.AutomationSchedulerService"
_COMMAND = "Microsoft.EntityFrameworkCore.Database.Command"
_COMMAND_TEXT = (
    "DbCommand ({elapsed}ms) [Parameters=[{parameters}], CommandType='{commandType}', "
    "CommandTimeout='{commandTimeout}']{newLine}{commandText}"
)
_COMMAND_HOLES = {
    "elapsed": WORD,
    "parameters": SHORTEST,
    "commandType": QUOTED,
    "commandTimeout": INTEGER,
    "newLine": NEWLINE,
    "commandText": LONGEST,
}
_EXCEPTION_HOLES = {"contextType": QUOTED, "newline": NEWLINE, "error": LONGEST}

TEMPLATES = (
    Template(
        "Serilog.AspNetCore.RequestLoggingMiddleware",
        "HTTP {RequestMethod} {RequestPath} responded {StatusCode} in {Elapsed} ms",
        {"RequestMethod": WORD, "RequestPath": LONGEST, "StatusCode": INTEGER, "Elapsed": DECIMAL},
    ),
    Template(
        "SmartWMS.Audit",
        "Audit {AuditAction} {AuditEntity} {AuditKey}",
        {"AuditAction": WORD, "AuditEntity": WORD, "AuditKey": NULLABLE},
        twins={"AuditKey": "EntityNumber"},
    ),
    Template(
        "SmartWMS.API.Common.Middleware.GlobalExceptionMiddleware",
        "Unhandled exception occurred. CorrelationId: {CorrelationId}, Path: {Path}, Method: {Method}, "
        "User: {User}",
        {"CorrelationId": WORD, "Path": SHORTEST, "Method": WORD, "User": NULLABLE},
        twins={"CorrelationId": "RequestId", "Path": "RequestPath"},
    ),
    Template(
        _AUTOMATION,
        "Error processing rule {RuleId} for event {EntityType}.{EventName}",
        {"RuleId": QUOTED, "EntityType": NAME, "EventName": LONGEST},
    ),
    Template(_AUTOMATION, "Error executing rule {RuleId}", {"RuleId": QUOTED}),
    Template(_SCHEDULER, "Error executing scheduled rule {RuleId}", {"RuleId": QUOTED}),
    Template(
        _SCHEDULER,
        "Executing scheduled rule: {RuleId} {RuleName}",
        {"RuleId": QUOTED, "RuleName": NULLABLE},
    ),
    Template(
        _SCHEDULER,
        "Invalid cron expression for rule {RuleId}: {Cron}",
        {"RuleId": QUOTED, "Cron": NULLABLE},
    ),
    Template(_COMMAND, f"Failed executing {_COMMAND_TEXT}", _COMMAND_HOLES),
    Template(_COMMAND, f"Executed {_COMMAND_TEXT}", _COMMAND_HOLES),
    Template(
        "Microsoft.EntityFrameworkCore.Update",
        "An exception occurred in the database while saving changes for context type "
        "'{contextType}'.{newline}{error}",
        _EXCEPTION_HOLES,
    ),
    Template(
        "Microsoft.EntityFrameworkCore.Query",
        "An exception occurred while iterating over the results of a query for context type "
        "'{contextType}'.{newline}{error}",
        _EXCEPTION_HOLES,
    ),
)

_HOLE = re.compile(r"\{(\w+)\}")


class _Reader:
    """A template compiled; fills a record's properties from its message."""

    def __init__(self, template: Template) -> None:
        literals = _HOLE.split(template.text)
        self._names = tuple(literals[1::2])
        self._converts = tuple(
            (name, convert) for name in self._names if (convert := template.holes[name].convert)
        )
        pattern = re.escape(literals[0])
        for name, literal in zip(self._names, literals[2::2], strict=True):
            pattern += template.holes[name].pattern + re.escape(literal)
        self._match = re.compile(pattern, re.DOTALL).fullmatch
        self._twins = tuple(
            (name, twin, literals[2 * place], literals[2 * place + 2])
            for place, name in enumerate(self._names)
            if (twin := template.twins.get(name))
        )

    def fill(self, properties: dict[str, Any], message: str) -> bool:
        found = self._match(message)
        if found is None:
            return False
        properties.update(zip(self._names, found.groups(), strict=True))
        for name, convert in self._converts:
            properties[name] = convert(properties[name])
        for name, twin, _, _ in self._twins:
            if properties[name] != properties.get(twin):
                properties.update(self._read_around_twins(properties, message))
                break
        return True

    def _read_around_twins(self, properties: Mapping[str, Any], message: str) -> dict[str, Any]:
        """Read again with every value that the object holds too taken out of the message first."""
        known: dict[str, str] = {}
        for name, twin, before, after in self._twins:
            value = properties.get(twin)
            seen = f"{before}{value}{after}"
            place = message.find(seen) if after else len(message) - len(seen)
            if isinstance(value, str) and place >= 0 and message.startswith(seen, place):
                message = f"{message[:place]}{before}-{after}{message[place + len(seen) :]}"
                known[name] = value
        found = self._match(message)
        if found is None:
            return {}
        read: dict[str, Any] = dict(zip(self._names, found.groups(), strict=True))
        for name, convert in self._converts:
            read[name] = convert(read[name])
        return read | known


_READERS: dict[str, tuple[_Reader, ...]] = {}
for _each in TEMPLATES:
    _READERS[_each.source] = (*_READERS.get(_each.source, ()), _Reader(_each))
_ALL_READERS = tuple(reader for readers in _READERS.values() for reader in readers)


def fill(properties: dict[str, Any], message: str) -> None:
    """Add what `message` consumed to the record's `properties`, typed as CLEF has it; linear in the message.

    A template counts for its own logger only; without a SourceContext the message alone decides.
    """
    source = properties.get("SourceContext")
    for reader in _ALL_READERS if source is None else _READERS.get(source, ()):
        if reader.fill(properties, message):
            return
