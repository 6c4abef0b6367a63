"""Anchors: a line for each seal, kept where whoever owns the cluster cannot write."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import orjson

from indexer.errors import SettingsError
from indexer.seals.seal import Seal


@dataclass(frozen=True, slots=True)
class Anchor:
    """That this seal of this chain existed; with it, everything that its chain said before."""

    chain: str
    number: int
    digest: str
    root: str
    time: str
    key: str
    host: str

    @property
    def line(self) -> bytes:
        return orjson.dumps(asdict(self), option=orjson.OPT_APPEND_NEWLINE)


def anchor_of(seal: Seal) -> Anchor:
    return Anchor(seal.chain, seal.number, seal.digest, seal.root, seal.time, seal.key, seal.host)


def read(path: Path) -> list[Anchor]:
    """Read a file of anchors; SettingsError names the line that is none, or says that there is none.

    Half a line is passed over at the end, where it is being written, and before its whole repetition, where
    writing it failed and the file could only be appended to.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"--anchor {path} cannot be read: {error}") from None
    found: list[Anchor] = []
    lines = data[: data.rfind(b"\n") + 1].split(b"\n")
    for number, (line, following) in enumerate(pairwise([*lines, b""]), 1):
        if not line:
            continue
        try:
            found.append(Anchor(**orjson.loads(line)))
            bytes.fromhex(found[-1].key)
        except (TypeError, ValueError):
            if following.startswith(line):
                continue
            raise SettingsError(f"--anchor {path}, line {number}, is no anchor of a seal") from None
    if not found:
        raise SettingsError(f"--anchor {path} holds no anchor: it was emptied, or no agent writes there")
    return found
