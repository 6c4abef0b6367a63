"""The monitors in the store."""

from dataclasses import replace

import pytest

from indexer.documents import Documents, Stored
from tests.support.alerting import Watched


def test_of_two_who_save_at_once_the_second_is_told_so(
    watch: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, monitors = watch.monitor(), watch.monitors
    read = Documents.get

    def late(documents: Documents, document_id: str) -> Stored | None:
        found = read(documents, document_id)
        monkeypatch.undo()
        assert watch.monitors.replace(replace(base, name="first", revision=2))
        return found

    monkeypatch.setattr(Documents, "get", late)
    assert not monitors.replace(replace(base, name="second", revision=2))
    (kept,) = monitors.of(base.owner)
    assert kept.name == "first"
