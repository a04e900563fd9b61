"""Which start of a terminal's software a report belongs to."""

from collections.abc import Collection
from datetime import datetime

from django.db import models
from django.db.models import Q

from tms.telemetry.models import Boot, Report


def ensure(keys: Collection[tuple[int, str]], *, at: datetime) -> dict[tuple[int, str], int]:
    """The primary keys of these (terminal, boot id), made where they are new."""
    known = _find(keys)
    missing = set(keys) - known.keys()
    if missing:
        Boot.objects.bulk_create(
            (Boot(terminal_id=terminal_id, boot_id=boot_id, first_seen_at=at) for terminal_id, boot_id in missing),
            ignore_conflicts=True,
        )
        known |= _find(missing)
    return known


def highest_seqs(boot_pks: Collection[int]) -> dict[int, int]:
    """The highest committed `seq` of each boot that has reports (index: the key of reports)."""
    return {pk: seq for pk, seq in newest(boot_pks) if seq is not None}


def newest(boot_pks: Collection[int]) -> models.QuerySet[Boot, tuple[int, int | None]]:
    """MAX with GROUP BY would read a boot's whole history, and after a deploy all terminals ask at once."""
    last = Report.objects.filter(boot=models.OuterRef("pk")).order_by("-seq").values("seq")[:1]
    boots = Boot.objects.filter(pk__in=boot_pks).annotate(highest_seq=models.Subquery(last))
    return boots.values_list("pk", "highest_seq")


def _find(keys: Collection[tuple[int, str]]) -> dict[tuple[int, str], int]:
    wanted = Q(terminal__in={terminal_id for terminal_id, _ in keys}, boot_id__in={boot_id for _, boot_id in keys})
    rows = Boot.objects.filter(wanted).values_list("terminal_id", "boot_id", "pk")
    return {(terminal_id, boot_id): pk for terminal_id, boot_id, pk in rows if (terminal_id, boot_id) in keys}
