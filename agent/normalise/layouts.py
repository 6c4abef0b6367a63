"""Which properties of a record a builder uses, and which become labels: decided once a set of keys.

Serilog writes the records of one kind with the same keys in the same order, so a log has few layouts, and all
values that a builder wants can be fetched in one step.
"""

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any, Final

_REMEMBERED_COUNT: Final = 512
_KEY_COUNT: Final = 100
# The id of a span names nothing that anyone looks for, and as a label it cost 6 % of an event's bytes on
# disk: it stays in the original (docs/decisions/07-disk.md).
_ORIGINAL_ONLY: Final = ("@sp",)

_Layout = tuple[tuple[str, ...], Callable[[dict[str, Any]], tuple[Any, ...]], tuple[str, ...]]
"""Names of the labels, their values of a record, and the used properties that it does not have."""


class Layouts:
    """Takes records apart for one builder."""

    def __init__(
        self, used: tuple[str, ...], *, dropped: Iterable[str] = (), kept: Iterable[str] = ()
    ) -> None:
        # `dropped` are said elsewhere in the event; `kept` are used, and labels all the same.
        self.values = itemgetter(*used)
        """Values of the used properties, in their order; call `labels` first."""
        self._used = used
        self._known = frozenset((*used, *dropped, *_ORIGINAL_ONLY)) - frozenset(kept)
        self._layouts: dict[tuple[str, ...], _Layout] = {}

    def labels(self, record: dict[str, Any]) -> dict[str, Any]:
        """What a builder leaves of a record, sorted.

        The used properties that the record does not have become None in it.
        """
        keys = tuple(record)
        layout = self._layouts.get(keys)
        if layout is None:
            layout = self._new(keys)
        labels, values, missing = layout
        for name in missing:
            record[name] = None
        return dict(zip(labels, values(record), strict=True))

    def _new(self, keys: tuple[str, ...]) -> _Layout:
        here = frozenset(keys)
        labels = tuple(sorted(here - self._known))
        layout = (labels, _values(labels), tuple(name for name in self._used if name not in here))
        if len(keys) <= _KEY_COUNT:
            if len(self._layouts) >= _REMEMBERED_COUNT:
                self._layouts.clear()
            self._layouts[keys] = layout
        return layout


def _values(names: tuple[str, ...]) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    """The values of these properties as a tuple, however few they are."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda record: tuple(record[name] for name in names)
