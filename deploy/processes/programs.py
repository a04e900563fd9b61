"""Paths of installed programs, and the users they run as."""

import os
import pwd
import shutil
import stat
from pathlib import Path


class ProgramMissing(RuntimeError):
    """A program that is not installed."""

    def __init__(self, program: str, package: str) -> None:
        super().__init__(f"{program} is not installed (Debian and Ubuntu: apt-get install {package})")


def find(program: str, *, package: str) -> str:
    """The path of a program. Raises ProgramMissing."""
    # Servers are in sbin, which is not on every user's PATH.
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
    if found := shutil.which(program, path=path):
        return found
    raise ProgramMissing(program, package)


def find_postgresql(program: str) -> str:
    """The path of a PostgreSQL program. Debian has them outside PATH, by version. Raises ProgramMissing."""
    if found := shutil.which(program):
        return found
    versions = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda path: float(path.parts[-3]), reverse=True
    )
    if versions:
        return str(versions[0])
    raise ProgramMissing(program, "postgresql")


def unprivileged(*names: str) -> pwd.struct_passwd | None:
    """The first user of `names` that exists, for servers that refuse to run as root. None if this process is not
    root.
    """
    if os.geteuid() != 0:
        return None
    for name in (*names, "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def first_closed_folder(user: pwd.struct_passwd, folder: Path) -> Path | None:
    """The outermost folder on the path to `folder` that `user` may not enter, if any."""
    return next((path for path in reversed(folder.absolute().parents) if not _may_enter(user, path)), None)


def _may_enter(user: pwd.struct_passwd, folder: Path) -> bool:
    found = folder.stat()
    if found.st_uid == user.pw_uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == user.pw_gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)
