"""Debian's rsyslog and syslog-ng, unpacked into a folder: nothing of the machine is installed or changed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

# The programs, their parts that speak to OpenSearch, and the libraries that a bare system may lack. Debian
# lets only one of the two be installed at a time.
PACKAGES: Final = (
    *("rsyslog", "rsyslog-elasticsearch", "libestr0", "libfastjson4", "liblognorm5"),
    *("syslog-ng-core", "syslog-ng-mod-http", "libivykis0", "libnet1", "libwrap0", "libjson-c5", "libpcre3"),
)


class NotDebianError(Exception):
    """The packages cannot be had here; the message says why."""


class Unpacked:
    """The packages in a folder, and what their programs need in the environment."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "debian"
        libraries = sorted({str(path.parent) for path in self.root.rglob("*.so*")})
        self.environment = {"LD_LIBRARY_PATH": os.pathsep.join(libraries)}

    def program(self, name: str) -> Path:
        return self.root / "usr" / "sbin" / name

    def folder_of(self, module: str) -> Path:
        """The folder of a module of one of the two."""
        found = next(self.root.rglob(module), None)
        if found is None:
            raise NotDebianError(f"{module} is in none of the packages")
        return found.parent


def unpacked(folder: Path) -> Unpacked:
    """Fetch the packages with apt and unpack them; NotDebianError in a sentence where that cannot be done."""
    apt, dpkg = shutil.which("apt-get"), shutil.which("dpkg")
    if apt is None or dpkg is None:
        raise NotDebianError("rsyslog and syslog-ng are taken from Debian's packages, and this is no Debian")
    packages = folder / "packages"
    packages.mkdir(mode=0o755)
    got = subprocess.run(
        [apt, "download", *PACKAGES], cwd=packages, capture_output=True, text=True, check=False
    )
    if got.returncode:
        raise NotDebianError(
            f"apt-get download: {got.stderr.strip().splitlines()[-1]}; apt-get update may help"
        )
    for package in sorted(packages.glob("*.deb")):
        subprocess.run([dpkg, "--extract", package, folder / "debian"], check=True)
    return Unpacked(folder)
