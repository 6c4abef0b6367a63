"""The parts of a seal: the tree, the packed leaves, the signed words, the keys, the anchors, the spill."""

import stat
import struct
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from hypothesis import given
from hypothesis import strategies as st

from indexer import keys
from indexer.errors import SettingsError
from indexer.event import id_suffix
from indexer.seals import anchors, merkle, seal
from indexer.seals.leaves import ID_CHARS, KEPT_HASH_BYTES, Leaf, Leaves, LeavesError, Placement, unpack
from indexer.seals.spill import Spill, buckets_for
from tests.support.sealing import new_key

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
HASHES = st.binary(min_size=merkle.LEAF_BYTES, max_size=merkle.LEAF_BYTES)
LEAVES = st.lists(
    st.builds(
        Leaf,
        st.builds(Placement, st.sampled_from(["a", "b"]), st.sampled_from(["x", "y", "-"])),
        st.text(LETTERS, min_size=ID_CHARS, max_size=ID_CHARS),
        HASHES,
        st.booleans(),
    ),
    max_size=40,
)


def filled(found: list[Leaf]) -> Leaves:
    leaves = Leaves()
    for each in found:
        leaves.add(each.placement, each.id, each.hash, seen=each.seen)
    return leaves


def rfc_6962(hashes: list[bytes]) -> bytes:
    """The tree hash as the RFC defines it: split at the largest power of two below the count."""
    if len(hashes) == 1:
        return hashes[0]
    half = 1 << (len(hashes) - 1).bit_length() - 1
    return sha256(b"\x01" + rfc_6962(hashes[:half]) + rfc_6962(hashes[half:])).digest()


class TestMerkle:
    @given(st.lists(HASHES, min_size=1, max_size=70))
    def test_the_tree_is_that_of_rfc_6962(self, hashes: list[bytes]) -> None:
        assert merkle.root(hashes) == rfc_6962(hashes)

    def test_of_nothing_it_is_the_hash_of_nothing(self) -> None:
        assert merkle.root([]) == sha256(b"").digest()


class TestLeaves:
    @given(LEAVES)
    def test_packed_they_come_back_with_the_beginning_of_their_hashes(self, found: list[Leaf]) -> None:
        kept = [each._replace(hash=each.hash[:KEPT_HASH_BYTES]) for each in found]
        assert list(unpack(filled(found).pack())) == kept

    @given(LEAVES, st.integers(0, 40))
    def test_any_of_them_can_be_packed_whole(self, found: list[Leaf], start: int) -> None:
        start = min(start, len(found))
        assert list(unpack(filled(found).pack(merkle.LEAF_BYTES, start))) == found[start:]

    @given(LEAVES, st.data())
    def test_bytes_that_are_cut_are_refused(self, found: list[Leaf], data: st.DataObject) -> None:
        packed = filled(found).pack()
        with pytest.raises(LeavesError):
            unpack(packed[: data.draw(st.integers(0, len(packed) - 1))])

    @given(st.binary(max_size=300))
    def test_other_bytes_are_refused(self, other: bytes) -> None:
        for data in (other, b"SWL1" + other):
            with pytest.raises(LeavesError):
                unpack(data)

    def test_an_id_that_is_none_of_ours_is_refused(self) -> None:
        with pytest.raises(ValueError, match="no id of an event"):
            Leaves().add(Placement("a", "x"), "short", bytes(32), seen=False)

    def test_a_hash_of_another_length_is_refused(self) -> None:
        leaves = Leaves()
        with pytest.raises(ValueError, match="hashes of another length than 32 bytes"):
            leaves.add(Placement("a", "x"), "i" * ID_CHARS, bytes(16), seen=False)
        assert list(leaves) == []

    @given(LEAVES, LEAVES)
    def test_they_grow_by_others(self, found: list[Leaf], others: list[Leaf]) -> None:
        leaves = filled(found)
        leaves.extend(filled(others))
        assert list(leaves) == found + others

    def test_an_event_of_the_samples_takes_about_twenty_bytes(self) -> None:
        leaves = Leaves()
        for number in range(10_000):
            id_ = "file-of-logs" + id_suffix(number * 415, b"%d" % number)
            place = Placement("smartwms-audit-business-2026.11.23", "t")
            leaves.add(place, id_, sha256(id_.encode()).digest(), seen=False)
        assert len(leaves.pack()) < 22 * 10_000


class TestSeal:
    def made(self) -> tuple[seal.Seal, dict[str, object]]:
        key = new_key()
        leaves = filled([Leaf(Placement("a", "x"), "i" * ID_CHARS, bytes(32), seen=False)])
        made, packed = seal.make(key, leaves, chain=seal.new_chain(key), number=0, previous="",
                                 host="app-1", time="2026-11-24T12:00:00Z")  # fmt: skip
        return made, seal.to_source(made, packed)

    def test_it_comes_back_from_its_document(self) -> None:
        made, source = self.made()
        assert seal.from_source(source, made.id) == made
        assert len(seal.leaves_of(made, source)) == 1

    @pytest.mark.parametrize(
        ("field", "value"),
        [("number", 1), ("host", "app-2"), ("time", "2026-11-25T12:00:00Z"), ("count", 2), ("root", "00"),
         ("previous", "00"), ("leaves_digest", "00"), ("successor", "00"), ("number", "0"), ("key", "zz"),
         ("signature", "00")],
    )  # fmt: skip
    def test_whatever_is_changed_in_it_shows(self, field: str, value: object) -> None:
        made, source = self.made()
        with pytest.raises(seal.SealError):
            seal.from_source({**source, field: value}, made.id)

    def test_another_key_cannot_continue_a_chain(self) -> None:
        made, _ = self.made()
        forged, packed = seal.make(new_key(), Leaves(), chain=made.chain, number=1, previous=made.digest,
                                   host="app-1", time=made.time)  # fmt: skip
        with pytest.raises(seal.SealError, match="not the key of its chain"):
            seal.from_source(seal.to_source(forged, packed), forged.id)


class TestKeys:
    def test_a_key_is_made_once_for_its_owner_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "keys" / "sealing.key"
        first = keys.load_or_make(path, "sealing_key_file")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert keys.load_or_make(path, "sealing_key_file").public == first.public
        assert list(path.parent.iterdir()) == [path]

    def test_a_key_that_others_can_read_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "sealing.key"
        keys.load_or_make(path, "sealing_key_file")
        path.chmod(0o640)
        with pytest.raises(SettingsError, match="chmod 600"):
            keys.load(path, "sealing_key_file")

    def test_what_is_no_key_is_refused_with_its_name(self, tmp_path: Path) -> None:
        path = tmp_path / "sealing.key"
        path.write_bytes(b"nothing")
        path.chmod(0o600)
        with pytest.raises(SettingsError, match=r"sealing_key_file .*sealing\.key holds no private key"):
            keys.load(path, "sealing_key_file")

    def test_a_key_of_another_kind_is_refused(self, tmp_path: Path) -> None:
        other = generate_private_key(SECP256R1())
        private, public = tmp_path / "private.pem", tmp_path / "public.pem"
        private.write_bytes(other.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ))  # fmt: skip
        private.chmod(0o600)
        public.write_bytes(other.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ))  # fmt: skip
        with pytest.raises(SettingsError, match="Ed25519 is needed"):
            keys.load(private, "sealing_key_file")
        with pytest.raises(SettingsError, match="Ed25519 is needed"):
            keys.read_public(public, "--key")

    def test_a_public_key_goes_through_a_file(self, tmp_path: Path) -> None:
        key, path = new_key(), tmp_path / "app-1.pem"
        path.write_bytes(keys.public_pem(key.public))
        assert keys.read_public(path, "--key") == key.public


class TestAnchors:
    def test_half_a_line_at_the_end_is_passed_over(self, tmp_path: Path) -> None:
        made, _ = TestSeal().made()
        anchor = anchors.anchor_of(made)
        path = tmp_path / "anchors.jsonl"
        path.write_bytes(anchor.line + anchor.line[:20])
        assert anchors.read(path) == [anchor]

    def test_half_a_line_before_its_repetition_is_passed_over(self, tmp_path: Path) -> None:
        made, _ = TestSeal().made()
        anchor = anchors.anchor_of(made)
        path = tmp_path / "anchors.jsonl"
        path.write_bytes(anchor.line[:40] + b"\n" + anchor.line[:20] + b"\n" + anchor.line)
        with pytest.raises(SettingsError, match="line 1, is no anchor"):
            anchors.read(path)
        path.write_bytes(anchor.line + anchor.line[:20] + b"\n" + anchor.line[:40] + b"\n" + anchor.line)
        assert anchors.read(path) == [anchor, anchor]

    @pytest.mark.parametrize("left", [b"", b'{"chain":"', b"\n"])
    def test_a_file_without_any_is_refused(self, tmp_path: Path, left: bytes) -> None:
        path = tmp_path / "anchors.jsonl"
        path.write_bytes(left)
        with pytest.raises(SettingsError, match="holds no anchor: it was emptied"):
            anchors.read(path)

    def test_a_line_that_is_none_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "anchors.jsonl"
        path.write_bytes(b"\n{}\n")
        with pytest.raises(SettingsError, match="line 2, is no anchor"):
            anchors.read(path)


def test_spilled_records_of_one_key_meet_in_one_bucket(tmp_path: Path) -> None:
    left = Spill(tmp_path, "left", struct.Struct("<4sI"), 7)
    right = Spill(tmp_path, "right", struct.Struct("<4sI"), 7)
    for number in range(1000):
        left.add(b"%04d" % number, number)
        right.add(b"%04d" % (999 - number), number)
    left.done()
    right.done()
    met = 0
    for bucket in range(7):
        others = dict(right.bucket(bucket))
        met += sum(others[key] == 999 - number for key, number in left.bucket(bucket))
    assert met == 1000
    assert list(tmp_path.iterdir()) == []


def test_a_million_events_are_matched_in_parts() -> None:
    assert [buckets_for(count) for count in (0, 1, 100_000, 100_001, 1_000_000)] == [1, 1, 1, 2, 10]
