"""Whether this release knows all migrations of a backup: a backup of a newer release cannot be used."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from deploy.backup.failure import BackupFailed

type Migration = tuple[str, str]


def known_migrations() -> Mapping[Migration, Any]:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tms.config.settings")
    django.setup()
    from django.db.migrations.loader import MigrationLoader

    return MigrationLoader(None, ignore_no_migrations=True).disk_migrations


def pending_migrations(applied: Iterable[Migration]) -> int:
    """How many migrations this release has beyond `applied`, without squashed ones, which repeat others.

    Raises BackupFailed if one of `applied` is unknown.
    """
    applied, known = set(applied), known_migrations()
    if unknown := sorted(applied - known.keys()):
        names = ", ".join(f"{app}.{name}" for app, name in unknown[:3])
        raise BackupFailed(
            f"this release does not know {len(unknown)} migrations of the backup ({names}); use a newer release"
        )
    return sum(not known[each].replaces for each in known.keys() - applied)
