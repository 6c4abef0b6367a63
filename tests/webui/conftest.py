"""The fixtures of tests of the web UI, which asks the store for nothing that its role does not allow."""

import sys
from collections.abc import Iterator
from types import FrameType

import pytest

from indexer.client import Client
from tests.support.checkout import ROOT
from tests.support.privileges import Spy, refused
from tests.support.provider import provider
from tests.support.web import own_site, site

__all__ = ["own_site", "provider", "site"]

WEBUI = str(ROOT / "webui")


@pytest.fixture(autouse=True)
def least_privilege(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Note each call that code of the web UI makes, and compare it with `deploy/opensearch/roles.yml`."""
    spy = Spy()
    with monkeypatch.context() as patch:
        patch.setattr(Client, "send", spy.wrapped(Client.send, is_by_the_web_ui))
        yield
    assert refused(spy, "audit-webui") == []


def is_by_the_web_ui() -> bool:
    """Whether what is being done is done for code of the web UI, and not for the test alone."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and not frame.f_code.co_filename.startswith(WEBUI):
        frame = frame.f_back
    return frame is not None
