"""Keys of a site, and programs that ask with them."""

from dataclasses import dataclass

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.events import NORD, TEST
from tests.support.web import Site
from webui.access import Role
from webui.api.keys import Keys


@dataclass
class Program:
    """What asks with a key, or without."""

    browser: FlaskClient
    text: str

    def get(self, path: str) -> TestResponse:
        return self.browser.get(path, headers=self.headers)

    def post(self, path: str, json: object = None) -> TestResponse:
        return self.browser.post(path, headers=self.headers, json=json)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.text}"} if self.text else {}


@dataclass
class Programs:
    """The programs of the tests, by name."""

    site: Site
    keys: Keys

    def __call__(self, role: Role = Role.AUDITOR, tenant_id: str = TEST, days: int = 30) -> Program:
        _, text = self.keys.add("reporting", role, tenant_id, days)
        return Program(self.site.browser(), text)

    def nobody(self) -> Program:
        return Program(self.site.browser(), "")

    def stranger(self) -> Program:
        return self(Role.ADMIN, NORD)


def programs_of(site: Site) -> Programs:
    keys: Keys = site.app.extensions["audit-keys"]
    keys.prepare()
    return Programs(site, keys)


@pytest.fixture
def programs(site: Site) -> Programs:
    return programs_of(site)
