"""The seals of one run: what delivery and loop call, put together from the settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.delivery.batches import Stored
from agent.delivery.lanes import Took
from agent.errors import StateError
from agent.sealing import outlets, rotation
from agent.sealing.ledger import Ledger, note
from agent.sealing.messenger import Messenger
from agent.sealing.state import SealState
from agent.settings import AgentSettings
from indexer.client import Client
from indexer.seals.leaves import Leaves


class Sealer:
    """A ledger and its messenger. It may be switched off: then nothing is noted and nothing is sealed."""

    def __init__(
        self, ledger: Ledger | None = None, messenger: Messenger | None = None, close_secs: float = 0.0
    ) -> None:
        self._close_secs = close_secs
        self._ledger = ledger
        self._messenger = messenger

    def took(self, documents: Sequence[Stored], *, seen: bool) -> None:
        """These are in the store; `seen`: they were there before they were sent now."""
        if self._ledger is not None:
            self._ledger.took(documents, seen=seen)

    def turn(self, now: float) -> None:
        if self._ledger is not None:
            self._ledger.turn(now)

    def save(self) -> None:
        """Write down what was stored, before a position moves past it; OSError when the disk refuses."""
        if self._ledger is not None:
            self._ledger.save()

    def close(self) -> None:
        """Seal what waits, and give the store a while to take it; the rest is done by the next start."""
        if self._ledger is not None and self._messenger is not None:
            self._ledger.close()
            self._messenger.stop(self._close_secs)

    @property
    def problems(self) -> Iterator[str]:
        """What is wrong at the moment, in sentences."""
        if self._ledger is not None and self._ledger.problem:
            yield self._ledger.problem
        if self._messenger is not None:
            for where, reason in list(self._messenger.problems.items()):
                yield f"seals cannot be brought to {where}: {reason}"


OFF = Sealer()


def replayed_of(settings: AgentSettings) -> Took:
    """What a replay of dead letters tells of what is stored: it is left for the agent to seal."""
    state = SealState(settings.state_dir)

    def took(documents: Sequence[Stored], *, seen: bool) -> None:
        leaves = Leaves()
        note(leaves, documents, seen=seen)
        state.write_replayed(leaves)

    return took if settings.seals.enabled else OFF.took


def sealer(settings: AgentSettings, client: Client, prefix: str) -> Sealer:
    """Make what the settings ask for; SettingsError or StateError when key or folder cannot be used."""
    wanted = settings.seals
    if not wanted.enabled:
        return OFF
    state = SealState(settings.state_dir)
    ways = []
    if wanted.anchor_file is not None:
        ways.append(outlets.to_file(wanted.anchor_file, state.folder / "anchors-file.todo"))
    if wanted.anchor_url:
        spool = state.folder / "anchors-url.todo"
        ways.append(outlets.to_address(wanted.anchor_url, wanted.anchor_token_file, spool))
    messenger = Messenger(client, prefix, state, ways)
    key, retired = rotation.keys_in_force(settings.sealing_key_file)
    try:
        ledger = Ledger(
            state, key, settings.host,
            count=wanted.count, secs=wanted.secs, sealed=messenger.wake, retired=retired,
        )  # fmt: skip
        rotation.handed_over(settings.sealing_key_file)
    except OSError as error:
        raise StateError(f"{state.folder} cannot be used ({error}); this user must own it") from None
    messenger.start()
    return Sealer(ledger, messenger, settings.delivery.stop_secs)
