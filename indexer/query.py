"""What is asked of the events: a filter that knows its OpenSearch query and its sentence. Pure.

Nothing here talks to the store. `indexer.search` does, and takes only a `ScopedQuery`, which `within_tenant`
alone makes: who may see what is decided in that one function.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from indexer.hours import hours_of

Json = dict[str, Any]

NONE: Final = "-"  # as a value of a dimension: events that name none there
MAX_VALUES_COUNT: Final = 50
MAX_VALUE_CHARS: Final = 256
MAX_TEXT_CHARS: Final = 500
_REQUEST_SPAN: Final = timedelta(hours=12)
_LOOKS_LIKE_AN_ADDRESS: Final = re.compile(r"[0-9.]+(/[0-9]*)?|(?=.*:)[0-9a-fA-F:.]+(/[0-9]*)?")

MAX_REGEXP_CHARS: Final = 1000  # OpenSearch refuses a longer expression (index.max_regex_length)
_LIKE: Final = {
    "hour": "hour such as 7, and no hours such as 18-7",
    "address": "IP address and no network such as 203.0.113.0/24",
}
_TOO_LONG: Final = "That has too many accents and punctuation marks to search for; leave some out."


class FilterError(ValueError):
    """A filter that cannot be asked: `field` of ActivityFilter is wrong, `reason` says what to do."""

    def __init__(self, name: str, reason: str) -> None:
        """Name the field and say what to do."""
        super().__init__(f"{name}: {reason}")
        self.field = name
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Dimension:
    """One thing to choose by: its name, the event fields that hold it, its word in the sentence."""

    name: str
    fields: tuple[str, ...]
    word: str
    patterns: bool = False  # whether `*` in a value stands for anything
    words: bool = False  # whether values are of a vocabulary, and no names


# In the order of the sentence. `address` is asked in its own way: IP, network, or what the log had instead.
DIMENSIONS: Final[Mapping[str, Dimension]] = {
    dimension.name: dimension
    for dimension in (
        Dimension("category", ("event.category",), "in", words=True),
        Dimension("action", ("event.action",), "with action", words=True),
        Dimension("outcome", ("event.outcome",), "with outcome", words=True),
        Dimension("user", ("user.name", "user.email", "user.id"), "by", patterns=True),
        Dimension("entity_type", ("entity.type",), "on"),
        Dimension("entity", ("entity.number", "entity.id"), "about", patterns=True),
        Dimension("address", ("source.ip", "source.address"), "from"),
        Dimension("route", ("url.route",), "through"),
        Dimension("hour", ("local.hour",), "at local hour"),
        Dimension("server", ("host.name",), "on server", patterns=True),
    )
}


@dataclass(frozen=True, slots=True)
class TextField:
    """One field free text can be looked for in: its label, and how it is searched."""

    label: str
    fields: tuple[str, ...]
    analysed: bool = False  # words of a text field; otherwise a part of a keyword


TEXT_FIELDS: Final[Mapping[str, TextField]] = {
    "message": TextField("message", ("message",), analysed=True),
    "error": TextField("error", ("error.message",), analysed=True),
    "path": TextField("path", ("url.path", "url.route")),
    "query": TextField("query string", ("url.query",)),
    "user_agent": TextField("user agent", ("user_agent.original",)),
    "changed_field": TextField("changed field", ("change.fields",)),
    "old_value": TextField("old value", ("change.before",)),
    "new_value": TextField("new value", ("change.after",)),
    "property": TextField("other property", ("labels",)),
    "request": TextField("request id", ("request.id", "trace.id")),
    "file": TextField("log file", ("log.file",)),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """Values of one dimension: any of `only`, none of `without`. Empty means no condition."""

    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """The half-open stretch of time [start, end); None leaves a side open. Aware datetimes."""

    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Phrase:
    """A piece of a sentence; `value` marks what somebody chose, as opposed to the words around it."""

    text: str
    value: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """An OpenSearch query clause and the window its events lie in. Not yet anybody's: see `within_tenant`."""

    clause: Json
    window: Window = field(default_factory=Window)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose events may be seen: one tenant's, or for an operator (None) everybody's, and nobody's (`-`)."""

    tenant_id: str | None

    def __post_init__(self) -> None:
        """Refuse a name that is no tenant: an account without one must not become an operator."""
        if self.tenant_id is not None and self.tenant_id in {"", "-", "*"}:
            raise ValueError(f"scope: {self.tenant_id!r} is no tenant")


OPERATOR: Final = Scope(None)
_SEAL: Final = object()


class ScopedQuery:
    """A query that has passed `within_tenant`; the only kind that `indexer.search` takes."""

    __slots__ = ("clause", "scope", "window")

    def __init__(self, seal: object, *, clause: Json, scope: Scope, window: Window) -> None:
        """Refuse every maker but `within_tenant`."""
        if seal is not _SEAL:
            raise TypeError("a ScopedQuery is made by indexer.query.within_tenant alone")
        self.clause = clause
        self.scope = scope
        self.window = window


def within_tenant(scope: Scope, query: Query) -> ScopedQuery:
    """Restrict a query to what the scope may see. The one place where tenants are kept apart."""
    clause: Json = {"bool": {"filter": [query.clause]}}
    if scope.tenant_id is not None:
        clause["bool"]["filter"].insert(0, {"term": {"tenant.id": scope.tenant_id}})
    return ScopedQuery(_SEAL, clause=clause, scope=scope, window=query.window)


@dataclass(frozen=True, slots=True)
class ActivityFilter:
    """What somebody looks for. Conditions of different dimensions must all hold. Raises FilterError."""

    window: Window = field(default_factory=Window)
    category: Choice = field(default_factory=Choice)
    action: Choice = field(default_factory=Choice)
    outcome: Choice = field(default_factory=Choice)
    user: Choice = field(default_factory=Choice)
    entity_type: Choice = field(default_factory=Choice)
    entity: Choice = field(default_factory=Choice)
    address: Choice = field(default_factory=Choice)
    route: Choice = field(default_factory=Choice)
    hour: Choice = field(default_factory=Choice)
    server: Choice = field(default_factory=Choice)
    text: str = ""
    text_field: str = ""  # a key of TEXT_FIELDS; empty: all of them
    bookkeeping: bool = False  # whether sessions being renewed and the like are shown
    tenant_id: str = ""  # one of the tenants that an operator sees; what may be seen is for `within_tenant`

    def __post_init__(self) -> None:
        """Check sizes, times and vocabulary of the conditions."""
        start, end = self.window.start, self.window.end
        for name, moment in (("start", start), ("end", end)):
            if moment is not None and moment.tzinfo is None:
                raise ValueError(f"{name}: a time without a zone")
        if start and end and start >= end:
            raise FilterError("end", "The end must lie after the start.")
        if len(self.text) > MAX_TEXT_CHARS:
            raise FilterError("text", f"At most {MAX_TEXT_CHARS} characters can be searched for.")
        if self.text_field and len(_expression(f"*{self.text}*")) > MAX_REGEXP_CHARS:
            raise FilterError("text", _TOO_LONG)
        if self.text_field and self.text_field not in TEXT_FIELDS:
            raise FilterError("text_field", "Choose one of the fields offered.")
        for name, choice in self.choices():
            check_choice(name, choice)

    def choices(self) -> Iterator[tuple[str, Choice]]:
        """Every dimension with what was chosen in it, in the order of the sentence."""
        for name in DIMENSIONS:
            choice: Choice = getattr(self, name)
            yield name, choice

    def sentence(self, zone: ZoneInfo) -> str:
        """Say in words what is looked for, times in the given zone."""
        return "".join(phrase.text for phrase in self.phrases(zone))

    def phrases(self, zone: ZoneInfo) -> tuple[Phrase, ...]:
        """Give the sentence in pieces, so that a page can set off what was chosen."""
        pieces = [
            Phrase("All activity"),
            *_listed(" of tenant ", (self.tenant_id,) if self.tenant_id else ()),
        ]
        for name, choice in self.choices():
            pieces += _listed(f" {DIMENSIONS[name].word} ", choice.only, words=DIMENSIONS[name].words)
        if self.text:
            where = f" in the {TEXT_FIELDS[self.text_field].label}" if self.text_field else " in any field"
            pieces += [Phrase(" with "), Phrase(f"“{self.text}”", value=True), Phrase(where)]
        pieces += _when(self.window, zone)
        for name, choice in self.choices():
            pieces += _listed(f", not {DIMENSIONS[name].word} ", choice.without, words=DIMENSIONS[name].words)
        pieces.append(Phrase(", bookkeeping included." if self.bookkeeping else ", bookkeeping left out."))
        return tuple(pieces)

    def query(self) -> Query:
        """Express the filter as an OpenSearch query (filter context only: nothing is scored)."""
        return self._query(list(self.refinements().values()))

    def unrefined_query(self) -> Query:
        """Express the filter without what was chosen in any dimension: what `refinements` narrow."""
        return self._query([])

    def refinements(self) -> dict[str, Json]:
        """Give a clause for each dimension that something was chosen in."""
        found: dict[str, Json] = {}
        for name, choice in self.choices():
            clause: Json = {}
            if choice.only:
                clause["filter"] = [_any_of(DIMENSIONS[name], choice.only)]
            if choice.without:
                clause["must_not"] = [_any_of(DIMENSIONS[name], choice.without)]
            if clause:
                found[name] = clause["filter"][0] if set(clause) == {"filter"} else {"bool": clause}
        return found

    def _query(self, wanted: list[Json]) -> Query:
        if limits := _range(self.window):
            wanted = [limits, *wanted]
        if self.tenant_id:
            wanted.append({"term": {"tenant.id": self.tenant_id}})
        if self.text:
            wanted.append(_text(self.text, self.text_field))
        clause: Json = {"bool": {}}
        if wanted:
            clause["bool"]["filter"] = wanted
        if not self.bookkeeping:
            clause["bool"]["must_not"] = [{"term": {"event.flags": "bookkeeping"}}]
        return Query(clause if clause["bool"] else {"match_all": {}}, self.window)


def event_query(event_id: str) -> Query:
    """Ask for one event by its id, wherever it lies."""
    return Query({"ids": {"values": [event_id]}})


def request_query(*, request_id: str, source: str, host: str, around: datetime) -> Query:
    """Ask for the records of one request. A restarted server counts anew: source, host and day take part."""
    window = Window(around - _REQUEST_SPAN, around + _REQUEST_SPAN)
    terms = {"request.id": request_id, "log.source": source, "host.name": host}
    clauses: list[Json] = [{"term": {name: value}} for name, value in terms.items() if value]
    return Query({"bool": {"filter": [_range(window), *clauses]}}, window)


def address_network(text: str) -> str:
    """Normalise an IP address or network (`10.1.2.3/8` -> `10.0.0.0/8`); ValueError when it is neither."""
    network = ipaddress.ip_network(text.strip(), strict=False)
    return str(network) if "/" in text else str(network.network_address)


def iso(moment: datetime) -> str:
    """Give the moment as OpenSearch reads it: UTC, microseconds, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _listed(lead: str, values: tuple[str, ...], *, words: bool = False) -> list[Phrase]:
    pieces: list[Phrase] = []
    for value in values:
        said = "(none named)" if value == NONE else value.replace("_", " ") if words else value
        pieces += [Phrase(" or " if pieces else lead), Phrase(said, value=True)]
    return pieces


def _when(window: Window, zone: ZoneInfo) -> list[Phrase]:
    ends = (("from", window.start), ("until", window.end))
    moments = [(word, moment.astimezone(zone)) for word, moment in ends if moment is not None]
    if not moments:
        return [Phrase(", at any time")]
    pieces = [Phrase(",")]
    for word, moment in moments:
        text = moment.replace(tzinfo=None).isoformat(" ", timespec="seconds" if moment.second else "minutes")
        pieces += [Phrase(f" {word} "), Phrase(text, value=True)]
    return [*pieces, Phrase(f" ({zone.key})")]


def check_choice(name: str, choice: Choice) -> None:
    """Refuse values that a dimension cannot be asked for: FilterError."""
    values = (*choice.only, *choice.without)
    if len(values) > MAX_VALUES_COUNT:
        raise FilterError(name, f"At most {MAX_VALUES_COUNT} values can be chosen at once.")
    for value in values:
        if not value or len(value) > MAX_VALUE_CHARS:
            raise FilterError(name, f"A value has 1 to {MAX_VALUE_CHARS} characters.")
        if len(_expression(value)) > MAX_REGEXP_CHARS:
            raise FilterError(name, _TOO_LONG)
        try:
            if name == "hour" and value != NONE:
                hours_of(value)
            elif name == "address" and _LOOKS_LIKE_AN_ADDRESS.fullmatch(value):
                address_network(value)
        except ValueError:
            raise FilterError(name, f"{value} is no {_LIKE[name]}.") from None


def _range(window: Window) -> Json:
    limits = {
        key: iso(moment) for key, moment in (("gte", window.start), ("lt", window.end)) if moment is not None
    }
    return {"range": {"@timestamp": limits}} if limits else {}


def _any_of(dimension: Dimension, values: tuple[str, ...]) -> Json:
    """Any of the values in any of the fields; one clause where one will do, which is the cheap case."""
    named = [value for value in values if value != NONE]
    clauses: list[Json] = []
    if len(named) < len(values):
        clauses.append({"bool": {"must_not": [{"exists": {"field": name}} for name in dimension.fields]}})
    if dimension.name == "address":
        clauses += [_address(value) for value in named]
    elif dimension.name == "hour":
        clauses += [{"terms": {dimension.fields[0]: list(hours_of(value))}} for value in named]
    elif dimension.patterns:
        clauses += [_named(name, value) for value in named for name in dimension.fields]
    elif named:
        clauses.append({"terms": {dimension.fields[0]: named}})
    return clauses[0] if len(clauses) == 1 else {"bool": {"should": clauses, "minimum_should_match": 1}}


def _named(name: str, value: str) -> Json:
    """A value in whatever case it is typed; `*` stands for anything."""
    if "*" in value or not value.isascii():
        return _regexp(name, value)
    return {"term": {name: {"value": value, "case_insensitive": True}}}


def _address(value: str) -> Json:
    try:
        return {"term": {"source.ip": address_network(value)}}
    except ValueError:
        return {"term": {"source.address": value}}


def _text(text: str, name: str) -> Json:
    """Words in any order, "in this order" in quotes, `word*`: nothing that is typed is a syntax error."""
    if not name or TEXT_FIELDS[name].analysed:
        return {
            "simple_query_string": {
                "query": text,
                "fields": list(TEXT_FIELDS[name].fields) if name else ["search"],
                "default_operator": "and",
                "flags": "PHRASE|PREFIX|ESCAPE|WHITESPACE",
            }
        }
    clauses = [_regexp(each, f"*{text}*") for each in TEXT_FIELDS[name].fields]
    return clauses[0] if len(clauses) == 1 else {"bool": {"should": clauses, "minimum_should_match": 1}}


def _regexp(name: str, pattern: str) -> Json:
    """`*` stands for anything. Lucene folds the case of ASCII only: other letters are given in both cases."""
    return {"regexp": {name: {"value": _expression(pattern), "flags": "NONE", "case_insensitive": True}}}


def _expression(pattern: str) -> str:
    return "".join(map(_letter, pattern))


def _letter(char: str) -> str:
    if char == "*":
        return ".*"
    if not char.isascii():
        cases = sorted({char, char.lower(), char.upper()})
        return f"[{''.join(cases)}]" if len(cases) > 1 and all(len(case) == 1 for case in cases) else char
    return char if char.isalnum() or char.isspace() else f"\\{char}"
