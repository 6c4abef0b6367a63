"""Application documents are read as they are, and never undone by a second writer."""

import pytest

from indexer import assets, indices
from indexer.client import Client, connect
from indexer.documents import Documents, Stored
from indexer.errors import ConflictError, NotPreparedError, PartitionError, RefusedError, SettingsError
from tests.support.store import Store


@pytest.fixture
def client(store: Store) -> Client:
    return connect(store.settings)


@pytest.fixture
def documents(store: Store, client: Client) -> Documents:
    found = Documents(client, store.prefix, "tenants")
    assert found.prepare()
    return found


class TestADocument:
    def test_is_read_as_it_was_written_at_once(self, documents: Documents) -> None:
        written = documents.create("a b/ä?", {"name": "Ñ"})
        assert documents.get("a b/ä?") == written
        assert documents.get("other") is None

    def test_is_created_once(self, documents: Documents) -> None:
        documents.create("a", {"name": "first"})
        with pytest.raises(ConflictError):
            documents.create("a", {"name": "second"})
        assert [stored.source for stored in documents.find()] == [{"name": "first"}]

    def test_is_replaced_in_the_version_that_was_read(self, documents: Documents) -> None:
        first = documents.create("a", {"name": "1"})
        second = documents.replace(first, {"name": "2"})
        with pytest.raises(ConflictError):
            documents.replace(first, {"name": "lost"})
        assert documents.get("a") == second

    def test_is_deleted_in_the_version_that_was_read(self, documents: Documents) -> None:
        first = documents.create("a", {"name": "1"})
        second = documents.replace(first, {"name": "2"})
        with pytest.raises(ConflictError):
            documents.delete(first)
        documents.delete(second)
        assert documents.get("a") is None

    def test_with_a_field_nobody_planned_is_refused(self, documents: Documents) -> None:
        with pytest.raises(RefusedError, match="dynamic introduction of"):
            documents.create("a", {"nmae": "x"})


class TestAList:
    def test_has_the_newest_writes_in_the_order_asked_for(self, documents: Documents) -> None:
        for name in "bca":
            documents.create(name, {"name": name})
        assert [stored.id for stored in documents.find(sort=[{"name": "desc"}])] == ["c", "b", "a"]
        assert [stored.id for stored in documents.find(sort=[{"name": "asc"}], limit=2)] == ["a", "b"]
        assert [stored.id for stored in documents.find({"term": {"name": "c"}})] == ["c"]
        assert documents.count({"terms": {"name": ["a", "c"]}}) == 2

    @pytest.mark.parametrize("batch", [1, 2, 3, 4, 10_000])
    def test_of_every_one_is_whole_however_many_there_are(self, documents: Documents, batch: int) -> None:
        for name in "abcde":
            documents.create(name, {"name": name})
        first = documents.get("a")
        assert first
        documents.replace(first, {"name": "b"})
        assert sorted(stored.id for stored in documents.every(batch=batch)) == list("abcde")
        wanted = {"term": {"name": "b"}}
        assert sorted(stored.id for stored in documents.every(wanted, batch=batch)) == ["a", "b"]

    def test_gives_versions_that_can_be_replaced(self, documents: Documents) -> None:
        documents.create("a", {"name": "1"})
        (found,) = documents.find()
        assert isinstance(documents.replace(found, {"name": "2"}), Stored)


class TestAnIndex:
    def test_is_prepared_once(self, documents: Documents) -> None:
        assert not documents.prepare()

    def test_of_an_older_version_gets_the_fields_it_lacks(self, store: Store, client: Client) -> None:
        older = {"dynamic": "strict", "properties": {"name": {"type": "keyword"}}}
        indices.create(client, f"{store.prefix}-app-tenants", settings={}, mappings=older, aliases={})
        documents = Documents(client, store.prefix, "tenants")
        assert documents.prepare()
        documents.create("a", {"zone": "UTC"})

    def test_that_is_mapped_otherwise_is_refused(self, store: Store, client: Client) -> None:
        other = {"dynamic": "strict", "properties": {"name": {"type": "text"}}}
        indices.create(client, f"{store.prefix}-app-tenants", settings={}, mappings=other, aliases={})
        with pytest.raises(PartitionError, match="name is type=text instead of type=keyword"):
            Documents(client, store.prefix, "tenants").prepare()

    def test_that_is_missing_is_never_made_by_a_write(self, store: Store, client: Client) -> None:
        documents = Documents(client, store.prefix, "tenants")
        absent = Stored("a", {}, 1, 1)
        for attempt in (
            lambda: documents.create("a", {}),
            lambda: documents.replace(absent, {}),
            lambda: documents.delete(absent),
            lambda: documents.get("a"),
            documents.find,
            lambda: documents.count({"match_all": {}}),
        ):
            with pytest.raises(NotPreparedError, match="run `audit-indexer apply`"):
                attempt()
        assert store.index_names() == []


class TestATemplate:
    def test_is_named_and_aimed_with_the_prefix(self) -> None:
        for template in (
            assets.event_template("acme"),
            *(assets.document_template(k, "acme") for k in assets.kinds()),
        ):
            assert template.name.startswith("acme-")
            assert all(pattern.startswith("acme-") for pattern in template.body["index_patterns"])
            assert all(alias.startswith("acme-") for alias in template.body["template"]["aliases"])

    def test_lets_no_field_in_that_nobody_planned(self) -> None:
        for kind in assets.kinds():
            assert assets.document_template(kind, "acme").mappings["dynamic"] == "strict"
        assert assets.event_template("acme").mappings["dynamic"] == "strict"

    def test_that_does_not_exist_is_named(self) -> None:
        with pytest.raises(
            SettingsError, match=r"no template for documents of kind 'x'; there are: .*tenants"
        ):
            assets.document_template("x", "acme")
