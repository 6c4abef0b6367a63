"""Every route of the table is found by its own paths."""

from __future__ import annotations

from importlib import resources

import pytest

from agent.normalise.routes import Routes
from tests.agent.normalise.feeding import TENANT

ROUTES = Routes()
GUID = "01A20703-29c4-768e-b1d6-186b7af552ac"
TABLE = [
    line.split("\t")
    for line in resources.files("agent.normalise")
    .joinpath("routes.tsv")
    .read_text(encoding="utf-8")
    .splitlines()[1:]
]


def filled(template: str) -> str:
    """A path of the route: GUIDs for ids, words for the rest."""
    segments = [
        TENANT
        if segment == "{tenantId}"
        else GUID
        if segment.endswith("d}")
        else "value-1"
        if segment.startswith("{")
        else segment
        for segment in template.split("/")
    ]
    return "/".join(segments)


@pytest.mark.parametrize(("method", "template"), [(row[0], row[1]) for row in TABLE])
class TestARow:
    def test_matches_its_own_path(self, method: str, template: str) -> None:
        assert ROUTES.match(method, filled(template)).row.template == template

    def test_matches_in_letters_of_any_case_and_with_a_final_slash(self, method: str, template: str) -> None:
        assert ROUTES.match(method, filled(template).upper() + "/").row.template == template


def test_the_entity_of_every_row_is_in_its_path() -> None:
    for method, template, _, _, entity in TABLE:
        found = ROUTES.match(method, filled(template))
        if "#" in entity:
            assert found.entity_number, template
        elif ":" in entity:
            assert found.entity_id in {GUID.lower(), "value-1"}, template
        if entity:
            assert found.entity_type, template


class TestATenant:
    @pytest.mark.parametrize(
        ("path", "tenant"),
        [
            (f"/api/v1/tenant/{TENANT}/products", TENANT),
            (f"/API/V1/Tenant/{TENANT.upper()}", TENANT),
            (f"/api/v1/tenant/{TENANT}x/products", ""),
            ("/api/v1/tenant/products", ""),
            (f"/api/v1/users/{TENANT}", ""),
            ("/", ""),
            ("", ""),
        ],
    )
    def test_is_claimed_by_a_path_under_tenant(self, path: str, tenant: str) -> None:
        assert ROUTES.tenant(path) == tenant


class TestAPathOfNoRoute:
    @pytest.mark.parametrize("path", ["/", "", "//", "/api", "/api/v1/tenant/x/y/z", "/" * 500, "/\x00/é"])
    def test_has_none(self, path: str) -> None:
        assert ROUTES.match("GET", path).row.template == ""

    def test_with_a_method_the_route_does_not_have_still_has_its_template(self) -> None:
        found = ROUTES.match("PATCH", f"/api/v1/tenant/{TENANT}/products")
        assert found.row.template == "/api/v1/tenant/{tenantId}/products"
        assert (found.row.category, found.entity_type) == ("", "")
