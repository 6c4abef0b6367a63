"""The certificates of all deletions, in `<prefix>-app-certificates`, oldest first."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from indexer.client import Client
from indexer.documents import Documents, Stored
from indexer.keys import SigningKey
from indexer.retention.certificate import Certificate, Kind

KIND: Final = "certificates"


def all(client: Client, prefix: str) -> list[Certificate]:  # noqa: A001  read as certificates.all
    """Return every certificate, those of deletions that are not finished included."""
    found = [Certificate.from_source(each.id, each.source) for each in stored(client, prefix)]
    return sorted(found, key=lambda each: (each.begun, each.index))


def stored(client: Client, prefix: str) -> list[Stored]:
    """Return the documents of all certificates, unread, in no order; there may be any number."""
    return Documents(client, prefix, KIND).every()


def unfinished(client: Client, prefix: str) -> list[Certificate]:
    """Return the certificates of deletions that had not ended when they were last heard of."""
    query = {"bool": {"must_not": [{"exists": {"field": "finished"}}]}}
    found = Documents(client, prefix, KIND).find(query, sort=[{"begun": "asc"}, {"index": "asc"}])
    return [Certificate.from_source(each.id, each.source) for each in found]


def of_erasure(client: Client, prefix: str, tenant_id: str) -> list[Certificate]:
    """Return the certificates of erasures that removed events of a tenant, or left them where they were."""
    wanted = [{"term": {"kind": Kind.ERASURE.value}}, {"term": {"tenant_ids": tenant_id}}]
    found = Documents(client, prefix, KIND).every({"bool": {"filter": wanted}})
    return [Certificate.from_source(each.id, each.source) for each in found]


def write(client: Client, prefix: str, certificate: Certificate, key: SigningKey | None) -> Certificate:
    """Write a certificate before its deletion, signed; one for a deletion that never was goes."""
    documents = Documents(client, prefix, KIND)
    signed = certificate.signed(key)
    stored = documents.get(certificate.id)
    if stored is None:
        documents.create(signed.id, signed.to_source())
    else:
        documents.replace(stored, signed.to_source())
    return signed


def withdraw(client: Client, prefix: str, certificate: Certificate) -> None:
    """Take back the certificate of a deletion that did not take place."""
    documents = Documents(client, prefix, KIND)
    stored = documents.get(certificate.id)
    if stored is not None and stored.source["finished"] is None:
        documents.delete(stored)


def finish(
    client: Client, prefix: str, certificate: Certificate, now: datetime, key: SigningKey | None
) -> Certificate:
    """Say that the deletion has taken place, signed anew; nothing is changed where that is said already."""
    documents = Documents(client, prefix, KIND)
    stored = documents.get(certificate.id)
    if stored is not None and stored.source["finished"] is not None:
        return Certificate.from_source(stored.id, stored.source)
    return write(client, prefix, replace(certificate, finished=now), key)
