"""Environment variables of the customer's deployment manual, as aliases of ours."""

import os
from collections.abc import MutableMapping
from urllib.parse import quote

from django.core.exceptions import ImproperlyConfigured

DATABASE = ("DB_HOST", "DB_NAME", "DB_USER", "DB_PASSWORD")
RENAMED = {"SECRET_KEY": "TMS_SECRET_KEY", "S3_BUCKET": "TMS_STATIC_BUCKET"}


def apply(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set unset variables from their aliases. Only for production: on a laptop `DB_HOST` may belong to another program.

    Raises ImproperlyConfigured if some of the database's four variables are missing.
    """
    for alias, name in RENAMED.items():
        if environment.get(alias) and not _is_set(environment, name):
            environment[name] = environment[alias]
    if any(environment.get(name) for name in DATABASE) and not _is_set(environment, "TMS_DATABASE_URL"):
        environment["TMS_DATABASE_URL"] = _database_url(environment)
    if environment.get("REDIS_HOST") and not _is_set(environment, "TMS_REDIS_URL"):
        environment["TMS_REDIS_URL"] = f"redis://{environment['REDIS_HOST']}/0"


def _is_set(environment: MutableMapping[str, str], name: str) -> bool:
    return bool(environment.get(name) or environment.get(f"{name}_FILE"))


def _database_url(environment: MutableMapping[str, str]) -> str:
    missing = [name for name in DATABASE if not environment.get(name)]
    if missing:
        raise ImproperlyConfigured(f"{', '.join(missing)}: not set; set all of {', '.join(DATABASE)}")
    host, name, user, password = (environment[name] for name in DATABASE)
    return f"postgres://{quote(user, safe='')}:{quote(password, safe='')}@{host}/{quote(name, safe='')}"
