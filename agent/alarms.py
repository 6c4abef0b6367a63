"""Every ERROR that the agent logs: what it means and the way out. `docs/runbook.md` has them all."""

from __future__ import annotations

from typing import Final, NamedTuple


class Alarm(NamedTuple):
    """A sentence about what happened and one about the way out."""

    means: str
    do: str


ALARMS: Final[dict[str, Alarm]] = {
    "ahead_of_clock": Alarm(
        "Records are dated further ahead of this machine's clock than ahead_days allows; they wait.",
        "Put the clock of SmartWMS's server right; each record is stored when its hour has come, or by "
        "`audit-agent accept-ahead` at once.",
    ),
    "anchors_not_delivered": Alarm(
        "Anchors of seals cannot be written to anchor_file or posted to anchor_url; they wait.",
        "Read the reason; they are delivered by themselves, and seals reach the store meanwhile.",
    ),
    "archive_damaged": Alarm(
        "A compressed log is cut short or its checksum is wrong; it was read as far as it goes.",
        "Compare it with the original or a backup; a whole file put in its place is read to its end.",
    ),
    "checkpoint_not_used": Alarm(
        "The checkpoint cannot be believed; every source is read again, and nothing is stored twice.",
        "Nothing for the events; find out what damaged the state directory (disk, restore, another version).",
    ),
    "checkpoint_not_written": Alarm(
        "The positions cannot be saved; delivery goes on, and a restart would send more again.",
        "Make room on the disk of state_dir, or make it writable; it is tried again every second.",
    ),
    "checkpoint_went_back": Alarm(
        "The checkpoint is older than the one this agent wrote last; what follows it is sent again.",
        "Nothing for the events; find out who restored or replaced files of the state directory.",
    ),
    "dead_letters_damaged": Alarm(
        "Lines of the dead letters cannot be read; they are set aside in dead-letters.jsonl.damaged.",
        "Find out what damaged the state directory (a power cut, a hand); to have their events again, stop "
        "the agent, delete checkpoint.json and start it: only what is missing is stored.",
    ),
    "dead_letters_full": Alarm(
        "Rejected events find no room in the dead letters; they wait, and so do their positions.",
        "See `audit-agent dead-letters list`, mend the cause and replay, or raise dead_letters_bytes.",
    ),
    "dead_letters_not_written": Alarm(
        "Rejected events cannot be written to the dead letters; they wait, and so do their positions.",
        "Make room on the disk of state_dir, or make it writable; it is tried again by itself.",
    ),
    "fell_silent": Alarm(
        "A source writes nothing while its neighbours on this server do.",
        "Look whether what writes it still runs; if silence is normal there, set its silent_secs to 0.",
    ),
    "held": Alarm(
        "The store refuses us, or a partition is not as it must be; the events wait.",
        "Read the reason: password or role (401, 403), `audit-indexer apply` (404), or a partition to move "
        "away; delivery goes on by itself.",
    ),
    "http_not_listening": Alarm(
        "The address of [http] cannot be used; the agent runs without /health and /metrics.",
        "Free the port or name another in [http] listen, and reload.",
    ),
    "journal_not_written": Alarm(
        "The agent's own alarms cannot be written down; they are kept in memory and tried again.",
        "Make room on the disk of state_dir, or make it writable.",
    ),
    "lost": Alarm(
        "A file was deleted or truncated before its end was read or stored; these bytes are gone.",
        "Let rotation keep a file for some minutes; put the file back from a backup and it is read.",
    ),
    "machine_fails": Alarm(
        "Records cannot be worked on for want of files or memory on this server; their source waits.",
        "Read the reason: raise LimitNOFILE or MemoryMax of the unit, or end what uses the server up; it is "
        "tried again by itself.",
    ),
    "not_normalised": Alarm(
        "A record made this version fail; it is kept as a dead letter that names its file and position.",
        "Report it with the cause; after the update delete checkpoint.json: the log is read again, and only "
        "what is missing is stored.",
    ),
    "rejected": Alarm(
        "The store refused events for good; they are in the dead letters with their cause.",
        "See `audit-agent dead-letters list`, mend the cause, then `audit-agent dead-letters replay`.",
    ),
    "seals_begun_anew": Alarm(
        "Seals in the state directory, or their key, are damaged or gone; a new chain of seals begins.",
        "Find out what damaged the state directory; `audit-indexer verify` names events that stay unsealed.",
    ),
    "seals_not_stored": Alarm(
        "The store does not take seals; they wait on disk, and events are delivered meanwhile.",
        "Read the reason: the agent's role must be allowed to create in the index of seals; "
        "`audit-indexer apply` makes that index.",
    ),
    "seals_not_written": Alarm(
        "What was stored cannot be written down for its seal, or has no room: events may stay unsealed.",
        "Make room on the disk of state_dir, or let the store take what waits (see seals_not_stored).",
    ),
    "settings_not_reloaded": Alarm(
        "The changed settings cannot be used; the agent goes on with those it has.",
        "Mend what the reason names and reload again.",
    ),
    "stalled": Alarm(
        "A log has reached 1 GiB and stopped: Serilog's file sink drops every further line.",
        "Set rollOnFileSizeLimit (deploy/smartwms) and restart SmartWMS; what it dropped is nowhere.",
    ),
    "tenants_too_old": Alarm(
        "The copy of the tenants' plans is too old to place events by; nothing is delivered.",
        "Let the agent reach the store and read the tenants; it goes on by itself.",
    ),
    "unreadable": Alarm(
        "A file of a source cannot be opened or read.",
        "Let the agent's user read it and pass its folders; it is tried again every second.",
    ),
    "waiting_for_the_store": Alarm(
        "The store did not answer at the start, or is not prepared; nothing is read until it is.",
        "Check AUDIT_OPENSEARCH_URL and the cluster, and that `audit-indexer apply` has run.",
    ),
}
