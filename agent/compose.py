"""The pipeline that the settings describe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import structlog

from agent.delivery.batches import Document
from agent.delivery.dead_letters import DeadLetters
from agent.delivery.lanes import Lanes
from agent.delivery.senders import Senders
from agent.errors import SettingsError
from agent.formats import Format, UnknownFormatError, format_named
from agent.journal import FOLDER, PATTERN, Journal
from agent.normalise.normaliser import Normaliser
from agent.normalise.source import SourceFacts
from agent.pipeline import CHECKPOINT, DEAD_LETTERS, Feed, Pipeline, utc_text
from agent.sealing.rotation import keys_in_force
from agent.sealing.sealer import sealer
from agent.settings import AgentSettings, SourceSettings, redaction_key
from agent.sources import checkpoints
from agent.sources.checkpoints import Entry
from agent.sources.tail import Tail
from agent.telemetry import Counts
from indexer import bulk, partitions
from indexer.agent_report import OWN_SOURCE
from indexer.client import Client
from indexer.settings import StoreSettings
from indexer.tenants import Tenants
from indexer.verdict import Verdict

log = structlog.get_logger()


def compose(
    settings: AgentSettings,
    store: StoreSettings,
    client: Client,
    tenants: Tenants,
    counts: Counts,
    answered: Callable[[], None],
) -> Pipeline:
    """Build the pipeline that the settings describe; SettingsError names a source of unknown format.

    A checkpoint that cannot be believed is said, here and in the audit trail.
    """
    validate(settings)
    journal = Journal(settings.state_dir)
    entries, sentence = checkpoints.load(settings.state_dir / CHECKPOINT)
    if sentence:
        log.error("checkpoint_not_used", reason=sentence)
        journal.tell("went_back", f"The checkpoint is not used: {sentence}", {})
    given: dict[str, Any] = {
        "tenants": tenants,
        "redaction_key": redaction_key(settings.redaction_key_file),
        "extra_names": settings.redact,
        "prefix": store.index_prefix,
    }
    feeds = [_feed_of(source, settings, given, entries) for source in settings.sources]
    feeds.append(_feed_of(_own_source(settings), settings, given, entries))
    limits = settings.delivery

    def send(documents: Sequence[Document]) -> list[Verdict]:
        return bulk.send(client, documents, timeout_secs=limits.request_secs, on_too_large=lanes.too_large)

    senders = Senders(send, partial(partitions.ensure, client), limits.in_flight, answered)
    letters = DeadLetters(settings.state_dir / DEAD_LETTERS, limits.dead_letters_bytes)
    seals = sealer(settings, client, store.index_prefix)
    lanes = Lanes(senders, letters, limits, counts, utc_text, seals.took)
    return Pipeline(feeds, lanes, settings.state_dir / CHECKPOINT, counts, journal, seals)


def validate(settings: AgentSettings) -> None:
    """Raise the SettingsError that composing would, without changing anything but a key that is missing."""
    for source in settings.sources:
        _format_of(source)
    redaction_key(settings.redaction_key_file)
    if settings.seals.enabled:
        keys_in_force(settings.sealing_key_file)


def _own_source(settings: AgentSettings) -> SourceSettings:
    paths = (str(settings.state_dir / FOLDER / PATTERN),)
    # Its name is refused to everybody else, so it is not validated.
    return SourceSettings.model_construct(name=OWN_SOURCE, paths=paths, format="trail")


def _format_of(source: SourceSettings) -> Format:
    try:
        return format_named(source.format)
    except UnknownFormatError as error:
        raise SettingsError(f"source {source.name!r}: {error}") from None


def _feed_of(
    source: SourceSettings, settings: AgentSettings, given: dict[str, Any], entries: list[Entry]
) -> Feed:
    form = _format_of(source)
    facts = SourceFacts(
        name=source.name,
        host=settings.host,
        service=settings.service,
        format_name=form.name,
        provenance=form.provenance,
        parse=form.parse,
        changes_logged=source.changes_logged,
        tenant=source.tenant,
        ahead_days=settings.ahead_days,
    )

    is_own = source.name == OWN_SOURCE
    return Feed(
        tail=Tail(source.name, source.paths, form.framer, entries, may_be_empty=is_own),
        normaliser=Normaliser(facts, **given),
        format_name=form.name,
        silence_secs=source.silence_secs,
        is_own=is_own,
    )
