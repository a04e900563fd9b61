"""Where the programs of the system are, and whom they run as."""

import os
import pwd
import shutil
import stat
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


def closed_to(user: pwd.struct_passwd, folder: Path) -> Path | None:
    """The outermost folder that keeps `user` from getting to `folder`, if one does."""
    return next((path for path in reversed(folder.absolute().parents) if not _may_enter(user, path)), None)


def _may_enter(user: pwd.struct_passwd, folder: Path) -> bool:
    found = folder.stat()
    if found.st_uid == user.pw_uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == user.pw_gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)
