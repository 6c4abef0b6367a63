"""What AUDIT_WEBHOOK_* and AUDIT_SMTP_* may be."""

import ipaddress
from pathlib import Path

import pytest

from indexer.errors import SettingsError
from indexer.settings import load
from webui.notification.settings import SmtpSettings, WebhookSettings

SMTP = {"AUDIT_SMTP_HOST": "mail.example", "AUDIT_SMTP_FROM": "audit@wms.example"}


def test_networks_are_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_WEBHOOK_NETWORKS", "10.1.2.0/24, fd00:1::/64,")
    networks = (ipaddress.ip_network("10.1.2.0/24"), ipaddress.ip_network("fd00:1::/64"))
    assert load(WebhookSettings).networks == networks


@pytest.mark.parametrize("value", ["10.1.2.3/24", "everywhere", "10.0.0.0/8;fd00::/8"])
def test_what_is_no_network_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("AUDIT_WEBHOOK_NETWORKS", value)
    with pytest.raises(SettingsError, match="AUDIT_WEBHOOK_NETWORKS names"):
        load(WebhookSettings)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"AUDIT_SMTP_FROM": ""}, "AUDIT_SMTP_FROM must name"),
        ({"AUDIT_SMTP_FROM": "no address"}, "AUDIT_SMTP_FROM is 'no address'"),
        ({"AUDIT_SMTP_USERNAME": "u"}, "belong together"),
        ({"AUDIT_SMTP_PASSWORD_FILE": "/p"}, "belong together"),
        (
            {"AUDIT_SMTP_USERNAME": "u", "AUDIT_SMTP_PASSWORD_FILE": "/p", "AUDIT_SMTP_TLS": "none"},
            "in clear",
        ),
        ({"AUDIT_SMTP_TLS": "ssl"}, "AUDIT_SMTP_TLS is 'ssl'"),
        ({"AUDIT_SMTP_PORT": "0"}, "AUDIT_SMTP_PORT is '0'"),
        ({"AUDIT_SMTP_HOTS": "x"}, "did you mean AUDIT_SMTP_HOST"),
    ],
)
def test_what_does_not_fit_is_refused(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, str], words: str
) -> None:
    for name, value in {**SMTP, **change}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=words):
        load(SmtpSettings)


def test_the_password_is_the_first_line_as_it_is_now(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("one\r\nmore", "utf-8")
    for name, value in {
        **SMTP,
        "AUDIT_SMTP_USERNAME": "u",
        "AUDIT_SMTP_PASSWORD_FILE": str(path),
    }.items():
        monkeypatch.setenv(name, value)
    settings = load(SmtpSettings)
    assert settings.password() == "one"
    path.write_text("two", "utf-8")
    assert settings.password() == "two"
    path.unlink()
    with pytest.raises(SettingsError, match="AUDIT_SMTP_PASSWORD_FILE is"):
        settings.password()
