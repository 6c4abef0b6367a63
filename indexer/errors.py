"""What can go wrong between us and the store: one small tree, each leaf with one way to react.

Every message names the setting, file or index, its value, and the way out; it is one sentence for stderr.
`exit_code` is what a command ends with when nobody handles the error (architecture.md, section 7).
"""

from __future__ import annotations

from typing import ClassVar


class IndexerError(Exception):
    """Root of everything this package raises on purpose."""

    exit_code: ClassVar[int] = 2


class SettingsError(IndexerError):
    """A setting or an argument is wrong; nothing was sent."""


class StoreError(IndexerError):
    """The store, or the way to it, did not do what was asked.

    `status` is the HTTP status (0: no answer), `kind` the store's own name of the error ("": it gave none).
    """

    def __init__(self, message: str, *, status: int = 0, kind: str = "") -> None:
        """Keep the sentence for people and the two facts for programs."""
        super().__init__(message)
        self.status = status
        self.kind = kind


class RetryableError(StoreError):
    """The same request may succeed later; `retry_after_secs` is what the store asked for, or None."""

    exit_code = 3

    def __init__(
        self, message: str, *, status: int = 0, kind: str = "", retry_after_secs: float | None = None
    ) -> None:
        """As `StoreError`, and when to come back."""
        super().__init__(message, status=status, kind=kind)
        self.retry_after_secs = retry_after_secs


class UnreachableError(RetryableError):
    """No answer: refused, reset, timed out, name not found."""


class OverloadedError(RetryableError):
    """429: the store has no room for this request now."""


class FailingError(RetryableError):
    """5xx: the store, or a proxy before it, is in trouble."""


class BlockedError(RetryableError):
    """403 with cluster_block_exception: index or cluster is read-only until someone lifts the block."""


class GarbledError(RetryableError):
    """An answer that is not the store's: no JSON (cut, HTML of a proxy, empty), or of another shape."""


class PermanentError(StoreError):
    """The same request will fail again until a person changes something."""

    exit_code = 2


class DeniedError(PermanentError):
    """401 or 403: user, password or role."""


class UntrustedError(PermanentError):
    """The store's certificate could not be verified."""


class MissingError(PermanentError):
    """404: no such index or document."""


class ConflictError(PermanentError):
    """409: it exists already, or somebody else changed it first."""


class TooLargeError(PermanentError):
    """413: the body is larger than the store takes."""


class RefusedError(PermanentError):
    """Any other 4xx: the request itself is wrong."""


class UnsupportedError(PermanentError):
    """The store is not OpenSearch, or too old."""


class NotPreparedError(PermanentError):
    """The store lacks what `audit-indexer apply` makes."""


class PartitionError(PermanentError):
    """A partition exists, but not as this product makes it (editable, or another mapping)."""
