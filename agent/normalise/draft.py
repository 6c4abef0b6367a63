"""What the builders hand to the encoder, and what the lines of one request tell each other."""

from typing import Any, NamedTuple

Draft = tuple[
    str,
    str,
    str,
    bytes,
    bytes,
    bytes,
    bytes,
    list[str],
    bytes,
    dict[str, Any],
    str,
    bytes,
    bytes,
    bytes,
    bytes,
]
"""One event that lacks only its place in the file and what the clock gives. A plain tuple: it is made for
every record.

own tenant   the tenant by the record's own bytes and its source's settings: this one chooses the partition
tenant       the tenant the event belongs to, with what the rest of its request tells
time         `YYYY-MM-DDTHH:MM:SS.nnnnnnnnnZ`, or Serilog's form with seven digits
head         parts `change`, `entity`, `error`
what         `{"action":…,"category":…`
duration     `,"duration_ms":…` or nothing
outcome      `success`, `failure`, `unknown`
flags        list of flags; the encoder may add to it
http         part `http` or nothing
labels       what is left of the record, `@l` and `SourceContext` included
message      the sentence
source       part `source` or nothing
url          part `url` or nothing
user         parts `user` and `user_agent` or nothing
request      the request's id, encoded, or nothing
"""


class Context(NamedTuple):
    """What the other lines of a request tell: who, whose, and how it ended."""

    user_id: str = ""
    user_name: str = ""
    user_email: str = ""
    tenant: str = ""
    outcome: str = ""


NOTHING_KNOWN = Context()
