"""Showing once more who one is, before something is signed: features that sign ask a `Prover`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class UnprovenError(ValueError):
    """Somebody did not show that it is them; the message says so to them."""


@dataclass(frozen=True, slots=True)
class Way:
    """How an account shows it: by its password, or by signing in afresh where `provider` names one."""

    provider: str = ""
    address: str = ""
    """Where such a sign-in begins; it leads back to the page that asked."""
    until: datetime | None = None
    """Until when the last one counts, once; None: there is none that does."""


class Prover(Protocol):
    """Knows how the accounts of an installation show it."""

    def way(self, account: str, back: str) -> Way:
        """Give the way of an account; `back` is the path of the page that asks."""

    def prove(self, account: str, password: str) -> str:
        """Say by what an account has shown it, for one signature that will name it. UnprovenError."""
