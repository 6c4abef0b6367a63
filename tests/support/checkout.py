"""The checkout as git sees it: what the repository's own rules are checked against."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def tracked(*patterns: str) -> list[Path]:
    """Return tracked files that match git's `patterns`, relative to the root; without those just deleted."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns], cwd=ROOT, capture_output=True, check=True
    ).stdout
    names = (Path(name.decode()) for name in listing.split(b"\0") if name)
    return [name for name in names if (ROOT / name).is_file()]


def tracked_text(*patterns: str) -> dict[Path, str]:
    """Return the text of tracked files; pictures and other bytes are left out."""
    texts = {}
    for name in tracked(*patterns):
        content = (ROOT / name).read_bytes()
        if b"\0" not in content:
            texts[name] = content.decode(errors="replace")
    return texts
