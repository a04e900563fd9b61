"""The terminals that an undone edit left as they are, because somebody changed them since."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone

from tms.accounts.models import AuditEntry, User
from tms.fleet.models import IdentityChange, IdentityField, Terminal
from tms.transfer import diff
from tms.transfer.kinds.edits import EditKind, reach_of
from tms.transfer.kinds.facts import edit_of, rows_of
from tms.transfer.models import Import

FIELDS = {
    EditKind.GROUP: IdentityField.GROUPS,
    EditKind.STATE: IdentityField.LIFECYCLE,
    EditKind.MOVE: IdentityField.SITE,
}
"""The fact of the history that an edit changes."""
LABELLED = ("tags-changed", "attributes-changed")


class KeptRow(NamedTuple):
    uid: str
    now: str
    """What it has now; empty if it was deleted, or has nothing."""
    is_deleted: bool
    by: str
    """Who changed it last; empty if that is not known."""
    at: datetime | None


def kept_rows(chosen: Import, *, to: User) -> list[KeptRow]:
    """The first of them, with who changed each last."""
    edit, uids = edit_of(chosen), [row.name for row in diff.kept(chosen)]
    stored = rows_of(edit).stored([(uid,) for uid in uids], reach_of(edit, by=to, at=timezone.now()))
    pks = {row.pk for row in stored.values()}
    changes = dict(_of_history(FIELDS[edit.kind], pks, chosen) if edit.kind in FIELDS else _of_audit(pks, chosen))
    return [
        KeptRow(
            uid,
            ", ".join(filter(None, (str(row.record[column]) for column in edit.given))) if row else "",
            row is None,
            *(changes.get(row.pk, ("", None)) if row else ("", None)),
        )
        for uid, row in ((uid, stored.get((uid,))) for uid in uids)
    ]


type LastChange = tuple[int, tuple[str, datetime | None]]


def _of_history(field: IdentityField, pks: set[int], chosen: Import) -> Iterator[LastChange]:
    rows = IdentityChange.objects.filter(terminal__in=pks, field=field, at__gte=chosen.applied_at)
    for row in rows.select_related("by").order_by("pk"):
        yield row.terminal_id, (row.by.display_name if row.by else "", row.at)


def _of_audit(pks: set[int], chosen: Import) -> Iterator[LastChange]:
    """Changes of one terminal. Others name only the first of theirs."""
    rows = AuditEntry.objects.filter(
        subject_type=Terminal._meta.label_lower,
        subject_id__in=[str(pk) for pk in pks],
        action__in=LABELLED,
        at__gte=chosen.applied_at,
    )
    for row in rows.order_by("pk"):
        yield int(row.subject_id), (row.actor_name, row.at)
