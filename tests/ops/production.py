"""Management commands with the settings of production."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


VALID_ENVIRONMENT = {
    "TMS_PRODUCTION": "1",
    "TMS_SECRET_KEY": "Zr4vQ9xH2mK7pW1sT6yB3nJ8cL5fD0gAqEuRiOkMhXbVzNwCtYjUlIaPeS",
    "TMS_ALLOWED_HOSTS": "tms.example.com",
    "TMS_TRUSTED_ORIGINS": "https://noc.example.com",
    "TMS_TRUSTED_PROXIES": "127.0.0.1,10.0.0.0/16",
    "TMS_DATABASE_URL": "postgres://tms:secret@db.example.com/tms",
    "TMS_REDIS_URL": "rediss://redis.example.com:6379/0",
}


def manage(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return python(folder, "manage.py", *arguments, **env)


def python(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A process whose environment inherits only PATH."""
    own = {"TMS_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "tms.config.settings"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]} | own | env,
        capture_output=True,
        text=True,
        check=False,
    )
