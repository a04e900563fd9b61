"""Where the programs of the system are, and whom they run as."""

import os
import pwd
import shutil
from pathlib import Path


class Missing(RuntimeError):
    """A program that is not installed."""

    def __init__(self, program: str, package: str) -> None:
        super().__init__(f"{program} is not installed (Debian and Ubuntu: apt-get install {package})")


def find(program: str, *, package: str) -> str:
    """Its path. Raises Missing."""
    # Servers live in sbin, which is not on every person's PATH.
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
    if found := shutil.which(program, path=path):
        return found
    raise Missing(program, package)


def find_postgresql(program: str) -> str:
    """Debian keeps the server's programs off the PATH, by version. Raises Missing."""
    if found := shutil.which(program):
        return found
    versions = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda path: float(path.parts[-3]), reverse=True
    )
    if versions:
        return str(versions[0])
    raise Missing(program, "postgresql")


def unprivileged(*names: str) -> pwd.struct_passwd | None:
    """The first of `names` that exists, for a server that must not be root when we are; else None."""
    if os.geteuid() != 0:
        return None
    for name in (*names, "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None
