"""The API against its own description: schemathesis asks what it allows, and what it does not."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support import events
from tests.support.events import NORD
from tests.support.store import Store
from tests.support.web import Site, build
from tests.webui.api.conftest import programs_of
from webui.api.openapi import DESCRIPTION

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES_COUNT = 25
# All but the description itself, which takes nothing that could be wrong.
OPERATIONS = [
    (path, method)
    for path, methods in DESCRIPTION["paths"].items()
    for method in methods
    if path != "/api/v1/openapi.json"
]
# Of the other tenant, who asks for nothing here: its id, its people, its events.
NOT_OURS = (NORD, events.MARTA["name"], events.MARTA["email"], events.sample(NORD)[3]["event"]["id"])


@pytest.fixture(scope="module")
def busy_site(module_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that lets one key ask as often as it likes."""
    made = build(
        module_store,
        tmp_path_factory.mktemp("busy"),
        change=lambda each: each.model_copy(update={"api_per_minute": 100_000}),
    )
    yield made
    made.client.close()


@pytest.fixture(scope="module")
def headers(busy_site: Site) -> dict[str, str]:
    return programs_of(busy_site)().headers


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_keeps_its_word_and_tells_nothing_of_another_tenant(
    busy_site: Site, headers: dict[str, str], path: str, method: str, mode: GenerationMode
) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", busy_site.app)

    @settings(
        max_examples=EXAMPLES_COUNT,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(case=schema[path][method].as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case[Any]) -> None:
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=CHECKS)
        for secret in NOT_OURS:
            assert secret not in answer.text

    ask()
