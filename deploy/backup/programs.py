import shutil
from pathlib import Path

from deploy.backup.failure import Failed


def find(program: str) -> str:
    """Of PostgreSQL's client. Debian keeps it off the PATH, by version. Raises Failed."""
    if found := shutil.which(program):
        return found
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda path: float(path.parts[-3]))
    if not versions:
        raise Failed(f"{program} is not installed (Amazon Linux: dnf install postgresql17; Debian: postgresql-client)")
    return str(versions[-1])
