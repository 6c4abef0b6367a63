"""What was verified last: an admin sees the own tenant's part, an operator all of it."""

import html
import re
from datetime import timedelta

import pytest

from indexer.query import Window
from indexer.seals import records
from tests.support import events, sealing
from tests.support.events import NORD
from tests.support.web import Site

PATH = "/admin/integrity"


def words(site: Site, who: str) -> str:
    page = site.signed_in(who).get(PATH)
    assert page.status_code == 200
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page.text)))


@pytest.fixture
def verified(own_site: Site) -> sealing.Site:
    """Seals of all events there, and one event of each tenant that somebody forged."""
    made = sealing.Site(own_site.store, own_site.client)
    made.seal([*events.sample(), *events.sample(NORD, events.MARTA)])
    made.ship([500])
    made.ship([501, 502], {"tenant.id": NORD})
    return made


def record(site: Site, verified: sealing.Site, tenant: str | None = None) -> None:
    records.write(site.client, site.store.prefix, verified.verify(tenant=tenant))


def test_before_the_first_verification_the_page_says_how(own_site: Site) -> None:
    assert "Nothing has been verified yet" in words(own_site, "admin")


def test_an_operator_sees_findings_chains_and_partitions(own_site: Site, verified: sealing.Site) -> None:
    record(own_site, verified)
    page = words(own_site, "operator")
    assert "findings Something is not as it was sealed" in page
    assert "3 unsealed lies in the store" in page
    assert f"app-1 1 {len(events.sample()) * 2}" in page
    assert verified.key.fingerprint in page
    assert "The keys are those found in the store" in page


def test_an_operator_is_told_which_certificates_were_believed(own_site: Site, verified: sealing.Site) -> None:
    retention = sealing.new_key()
    gone = verified.sealed([503], {"tenant.class": "starter"})
    verified.certify(gone, days=30, key=retention)
    verified.delete(verified.partition(gone[0]))
    record(own_site, verified)
    page = words(own_site, "operator")
    assert (
        "One certificate of deletions was believed, whoever wrote it: verify with --certificate-key" in page
    )
    later = sealing.NOW + timedelta(hours=1)
    report = verified.verify(certifiers=[retention.public], now=later)
    records.write(own_site.client, own_site.store.prefix, report)
    page = words(own_site, "operator")
    assert "One certificate of deletions was believed, signed by a key that was given." in page


def test_an_admin_sees_the_own_tenants_part_alone(own_site: Site, verified: sealing.Site) -> None:
    record(own_site, verified)
    page = words(own_site, "admin")
    assert "1 unsealed" in page
    assert events.document(500)["event"]["id"] in page
    for word in (events.document(501)["event"]["id"], verified.key.fingerprint, "app-1", "Partitions"):
        assert word not in page
    assert "2 unsealed" in words(own_site, "stranger")


def test_what_is_wrong_with_the_chains_is_told_to_the_operator_and_counted_for_others(
    own_site: Site, verified: sealing.Site
) -> None:
    verified.make(verified.ship([503]))
    verified.seal(verified.ship([504]))
    record(own_site, verified)
    assert "seal 1 is not there" in words(own_site, "operator")
    page = words(own_site, "admin")
    assert "One thing is wrong with seals or certificates themselves" in page
    assert "seal 1" not in page


def test_a_verification_of_another_tenant_is_not_shown(own_site: Site, verified: sealing.Site) -> None:
    record(own_site, verified, NORD)
    assert "Nothing has been verified yet" in words(own_site, "admin")
    assert "2 unsealed" in words(own_site, "stranger")


def test_a_verification_of_one_tenant_is_not_everything_to_an_operator(
    own_site: Site, verified: sealing.Site
) -> None:
    verified.delete(f"{own_site.store.prefix}-audit-enterprise-2026.11.23")
    verified.reshelve(())
    record(own_site, verified, NORD)
    assert "sound What was looked at is as it was sealed" in words(own_site, "operator")
    assert "sound Everything is as it was sealed" in words(own_site, "stranger")


def test_a_verification_of_a_stretch_of_time_hides_none_of_everything(
    own_site: Site, verified: sealing.Site
) -> None:
    later = sealing.NOW + timedelta(hours=1)
    quiet = verified.verify(window=Window(later, None), now=later)
    records.write(own_site.client, own_site.store.prefix, quiet)
    assert quiet.is_sound
    for who in ("operator", "admin"):
        page = words(own_site, who)
        assert "sound What was looked at is as it was sealed" in page
        assert "from 2026-11-24" in page
    record(own_site, verified)
    assert "findings Something is not as it was sealed" in words(own_site, "operator")
    assert "1 unsealed" in words(own_site, "admin")
