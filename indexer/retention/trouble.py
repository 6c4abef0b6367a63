"""An index in trouble is a finding, and the others go on; what concerns the whole run ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from indexer.errors import StoreError, UnreachableError
from indexer.retention.alarms import AlarmError
from indexer.retention.lease import Lease

_ENDS: Final = frozenset({"another-run", "certificate-not-written"})


@contextmanager
def told(name: str, alarm: Callable[[AlarmError], None], lease: Lease | None = None) -> Iterator[None]:
    """Tell what the store refuses about one index, or fails to do; the block is left where that happens.

    Raised on is what ends the run: a store that does not answer, and what leaves the index that the lease
    names half done, which is to be finished before another one is begun.
    """
    try:
        yield
    except AlarmError as error:
        if error.name in _ENDS:
            raise
        alarm(error)
    except UnreachableError:
        raise
    except StoreError as error:
        if lease is not None and lease.blocked:
            raise
        alarm(AlarmError("passed-over", f"{name}: {error}"))
