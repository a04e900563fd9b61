"""Which migrations this release knows: a backup of a newer one would not do."""

import os
from collections.abc import Iterable

from deploy.backup.failure import BackupFailed

type Migration = tuple[str, str]


def known() -> set[Migration]:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tms.config.settings")
    django.setup()
    from django.db.migrations.loader import MigrationLoader

    return set(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)


def to_run(applied: Iterable[Migration]) -> int:
    """How many migrations this release has beyond `applied`. Raises Failed when it does not know one of those."""
    applied, ours = set(applied), known()
    if strange := sorted(applied - ours):
        names = ", ".join(f"{app}.{name}" for app, name in strange[:3])
        raise BackupFailed(
            f"this release does not know {len(strange)} migrations of the backup ({names}); use a newer release"
        )
    return len(ours - applied)
