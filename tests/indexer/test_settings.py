"""Settings are read from the environment, and a wrong one is named with the way out."""

import pytest

from indexer import settings
from indexer.errors import SettingsError
from indexer.settings import StoreSettings


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URL", "USERNAME", "PASSWORD_FILE", "CA_FILE"):
        monkeypatch.delenv(f"AUDIT_OPENSEARCH_{name}", raising=False)
    monkeypatch.delenv("AUDIT_INDEX_PREFIX", raising=False)


def test_without_variables_the_local_node_is_meant() -> None:
    found = settings.load(StoreSettings)
    assert found.opensearch_url == "http://127.0.0.1:9200"
    assert found.index_prefix == "smartwms"


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_OPENSEARCH_URL", "")
    assert settings.load(StoreSettings).opensearch_url == "http://127.0.0.1:9200"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("AUDIT_OPENSEARCH_URL", "ftp://x", "AUDIT_OPENSEARCH_URL is 'ftp://x', not an address"),
        ("AUDIT_OPENSEARCH_URL", "http://[x", "AUDIT_OPENSEARCH_URL is 'http://[x', not an address"),
        ("AUDIT_OPENSEARCH_URL", "http://x:99999", "not an address"),
        ("AUDIT_OPENSEARCH_URL", "http://a:b@x", "AUDIT_OPENSEARCH_URL holds a user or password"),
        ("AUDIT_OPENSEARCH_URL", "http://x/?q", "leave out what follows the path"),
        ("AUDIT_INDEX_PREFIX", "Smart", "AUDIT_INDEX_PREFIX is 'Smart'; use 1 to 40 lower-case"),
        ("AUDIT_INDEX_PREFIX", "x-audit", "leave '-audit' and '-app' out"),
        ("AUDIT_OPENSEARCH_USERNAME", "agent", "AUDIT_OPENSEARCH_PASSWORD_FILE must name the file"),
        ("AUDIT_OPENSEARCH_PASSWORD_FILE", "/p", "AUDIT_OPENSEARCH_USERNAME must name the user"),
        ("AUDIT_OPENSEARCH_CA_FILE", "/ca.pem", "AUDIT_OPENSEARCH_URL begins with http:"),
    ],
)
def test_a_wrong_value_is_named_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as failure:
        settings.load(StoreSettings)
    assert sentence in str(failure.value)
    assert "a:b" not in str(failure.value)


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("AUDIT_OPENSEARCH_URI", "AUDIT_OPENSEARCH_URL"),
        ("AUDIT_OPENSEARCH_PASSWORD", "AUDIT_OPENSEARCH_PASSWORD_FILE"),
        ("AUDIT_INDEXPREFIX", "AUDIT_INDEX_PREFIX"),
    ],
)
def test_a_misspelt_variable_is_refused_with_the_nearest_name(misspelt: str, meant: str) -> None:
    with pytest.raises(SettingsError, match=f"^{misspelt} is not a setting .* did you mean {meant}\\?$"):
        settings.refuse_unknown({misspelt: "x"})


def test_variables_of_other_programs_are_no_business_of_ours() -> None:
    settings.refuse_unknown(
        {"PATH": "/bin", "AUDITED": "1", "AUDIT_CACHE_DIR": "/c", "AUDIT_TEST_ANYTHING": "1"}
    )


def test_a_program_that_registers_its_names_has_the_others_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "_known", set(settings._known))
    monkeypatch.setattr(settings, "_open_families", {"AUDIT_WEBUI_"})
    settings.refuse_unknown({"AUDIT_WEBUI_PROXY_COUNT": "1"})
    settings.register("AUDIT_WEBUI_PROXIES", family="AUDIT_WEBUI_")
    settings.refuse_unknown({"AUDIT_WEBUI_PROXIES": "1"})
    with pytest.raises(SettingsError, match="did you mean AUDIT_WEBUI_PROXIES"):
        settings.refuse_unknown({"AUDIT_WEBUI_PROXYS": "1"})
