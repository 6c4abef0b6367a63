"""The formats by the names that settings use."""

from __future__ import annotations

from agent.errors import SettingsError
from agent.formats import clef, nginx, serilog_text
from agent.formats.format import Format
from agent.formats.framing import LineFramer
from agent.formats.serilog_framing import SerilogFramer

FORMATS = {
    known.name: known
    for known in (
        Format("clef", "structured", clef.parse, LineFramer),
        Format("serilog-text", "text", serilog_text.parse, SerilogFramer),
        Format("nginx-json", "proxy", nginx.parse_json, LineFramer),
        Format("nginx-combined", "proxy", nginx.parse_combined, LineFramer),
        Format("trail", "trail", clef.parse, LineFramer),
    )
}


class UnknownFormatError(SettingsError):
    """A source names a format that does not exist."""


def format_named(name: str) -> Format:
    """Find a format. Raises UnknownFormatError, which says the name and those that exist."""
    try:
        return FORMATS[name]
    except KeyError:
        known = ", ".join(FORMATS)
        raise UnknownFormatError(f"format = {name!r} is not known: use one of {known}") from None
