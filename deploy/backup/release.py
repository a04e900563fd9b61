"""Whether this release knows all migrations of a backup: a backup of a newer release cannot be used."""

import os
from collections.abc import Iterable, Set

from deploy.backup.failure import BackupFailed

type Migration = tuple[str, str]


def known_migrations() -> Set[Migration]:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tms.config.settings")
    django.setup()
    from django.db.migrations.loader import MigrationLoader

    return MigrationLoader(None, ignore_no_migrations=True).disk_migrations.keys()


def pending_migrations(applied: Iterable[Migration]) -> int:
    """How many migrations this release has beyond `applied`. Raises BackupFailed if one of `applied` is unknown."""
    applied, known = set(applied), known_migrations()
    if unknown := sorted(applied - known):
        names = ", ".join(f"{app}.{name}" for app, name in unknown[:3])
        raise BackupFailed(
            f"this release does not know {len(unknown)} migrations of the backup ({names});"
            " use the release that wrote it, or a newer one"
        )
    return len(known - applied)
