"""One seal: what it says, the bytes that are signed, and its way into a document and back."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from hashlib import sha256
from typing import Any, Final

import orjson

from indexer import keys
from indexer.keys import SigningKey
from indexer.seals import merkle
from indexer.seals.leaves import Leaves, LeavesError, unpack

_PURPOSE: Final = b"smartwms-audit seal 1\n"
_NONCE_BYTES: Final = 4
_DIGEST_CHARS: Final = 16


class SealError(ValueError):
    """A document that is no seal of its chain; the message says why in a few words."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What is signed, and the signature. Keys, digests and signatures are hex.

    `chain` begins with the fingerprint of `key`, so that a chain cannot be continued by another key.
    `previous` is the digest of the seal before; of the first one (number 0) it is "", or the digest of the
    last seal of the chain in `follows`, which in turn names this chain's key as `successor`.
    """

    chain: str
    number: int
    previous: str
    host: str
    key: str
    time: str
    count: int
    root: str
    leaves_digest: str
    follows: str = ""
    successor: str = ""
    signature: str = ""

    @property
    def message(self) -> bytes:
        """The bytes that are signed."""
        said = asdict(self)
        del said["signature"]
        return _PURPOSE + orjson.dumps(said, option=orjson.OPT_SORT_KEYS)

    @property
    def digest(self) -> str:
        """What the next seal and an anchor name: it covers everything but the signature."""
        return sha256(self.message).hexdigest()

    @property
    def id(self) -> str:
        """The id of its document; a place taken by another seal of the same number is another id."""
        return f"{self.chain}.{self.number}.{self.digest[:_DIGEST_CHARS]}"


def new_chain(key: SigningKey) -> str:
    """Return a name for a chain that begins now."""
    return f"{key.fingerprint}-{secrets.token_hex(_NONCE_BYTES)}"


def make(  # noqa: PLR0913 - a seal says that much
    key: SigningKey,
    leaves: Leaves,
    *,
    chain: str,
    number: int,
    previous: str,
    host: str,
    time: str,
    follows: str = "",
    successor: str = "",
) -> tuple[Seal, bytes]:
    """Seal these leaves (with whole hashes); the seal and its packed leaves."""
    packed = leaves.pack()
    seal = Seal(
        chain=chain,
        number=number,
        previous=previous,
        host=host,
        key=key.public,
        time=time,
        count=len(leaves),
        root=merkle.root(leaves.hashes).hex(),
        leaves_digest=sha256(packed).hexdigest(),
        follows=follows,
        successor=successor,
    )
    return replace(seal, signature=key.sign(seal.message)), packed


def to_source(seal: Seal, packed: bytes) -> dict[str, Any]:
    """Write a seal and its leaves as a document."""
    return {**asdict(seal), "leaves": base64.b64encode(packed).decode()}


def from_source(source: Mapping[str, Any], id_: str | None = None) -> Seal:
    """Read a seal and check that it is genuine, and its id where one is given; SealError says what is not."""
    try:
        seal = Seal(**{field.name: _typed(source, field.name, field.type) for field in fields(Seal)})
        owner = keys.fingerprint(seal.key)
    except (KeyError, TypeError, ValueError):
        raise SealError("fields are missing or of other types") from None
    if not seal.chain.startswith(owner):
        raise SealError("its key is not the key of its chain")
    if not keys.is_signed(seal.key, seal.message, seal.signature):
        raise SealError("its signature does not fit")
    if id_ is not None and seal.id != id_:
        raise SealError("it lies under the id of another")
    return seal


def packed_of(seal: Seal, source: Mapping[str, Any]) -> bytes:
    """Give the packed leaves of a genuine seal; SealError when they are not those that were signed."""
    try:
        packed = base64.b64decode(source["leaves"], validate=True)
    except (KeyError, TypeError, ValueError):
        raise SealError("its leaves are missing") from None
    if sha256(packed).hexdigest() != seal.leaves_digest:
        raise SealError("its leaves are not those that were signed")
    return packed


def leaves_of(seal: Seal, source: Mapping[str, Any]) -> Leaves:
    """Read the leaves of a genuine seal; SealError when they are not those that were signed."""
    packed = packed_of(seal, source)
    try:
        leaves = unpack(packed)
    except LeavesError as error:
        raise SealError(str(error)) from None
    if len(leaves) != seal.count:
        raise SealError("it counts other leaves than it has")
    return leaves


def _typed(source: Mapping[str, Any], name: str, kind: object) -> Any:  # noqa: ANN401 - str or int
    found = source[name]
    if type(found).__name__ != kind:
        raise TypeError(name)
    return found
