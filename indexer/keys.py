"""Ed25519 keys: made at first use with mode 0600, told apart by the fingerprint of their public half."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from indexer import secret_file
from indexer.errors import SettingsError

FINGERPRINT_CHARS: Final = 32
_OTHERS: Final = 0o077


class SigningKey:
    """A private key and its public half, as 64 hex digits."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes_raw().hex()

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.public)

    def sign(self, message: bytes) -> str:
        """Return the signature as 128 hex digits."""
        return self._private.sign(message).hex()


def fingerprint(public: str) -> str:
    """Return the first 32 hex digits of the SHA-256 of a public key (64 hex digits)."""
    return sha256(bytes.fromhex(public)).hexdigest()[:FINGERPRINT_CHARS]


def is_signed(public: str, message: bytes, signature: str) -> bool:
    """Say whether the owner of this public key signed the message; never raises."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), message)
    except (InvalidSignature, TypeError, ValueError):
        return False
    return True


def load_or_make(path: Path, setting: str) -> SigningKey:
    """Return the key in `path` (PEM), made there with mode 0600 if it is absent; SettingsError says why not.

    `setting` is what the file is called in the settings.
    """
    if not path.exists():
        write(path, Ed25519PrivateKey.generate(), setting)
    return load(path, setting)


def load(path: Path, setting: str) -> SigningKey:
    """Return the key in `path`; SettingsError when there is none, or when others may read it."""
    try:
        if os.name == "posix" and path.stat().st_mode & _OTHERS:
            raise SettingsError(f"{setting} {path} can be read by others; chmod 600 it, or make a new key")
        found = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsError(f"{setting} {path} holds no private key in PEM ({error})") from None
    if not isinstance(found, Ed25519PrivateKey):
        raise SettingsError(f"{setting} {path} holds a key of another kind; Ed25519 is needed")
    return SigningKey(found)


def write(path: Path, key: Ed25519PrivateKey, setting: str) -> None:
    """Write a key as `secret_file.make` does: a key that is there already is never replaced."""
    try:
        secret_file.make(path, _pem(key))
    except OSError as error:
        raise SettingsError(f"{setting} {path}: a key cannot be made here ({error})") from None


def public_pem(public: str) -> bytes:
    """Return a public key (64 hex digits) as PEM, for `--key` and for other tools."""
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def read_public(path: Path, option: str) -> str:
    """Return the public key in a PEM file; SettingsError, naming the option, when there is none."""
    try:
        found = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise SettingsError(f"{option} {path} holds no public key in PEM ({error})") from None
    if not isinstance(found, Ed25519PublicKey):
        raise SettingsError(f"{option} {path} holds a key of another kind; Ed25519 is needed")
    return found.public_bytes_raw().hex()


def _pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
