"""Applies and undoes imports and bulk edits: all or nothing, in one transaction, by whichever process comes to it.

A person's request marks an import as running. A small one is then worked on in the request itself, a large one by the
clock. A process that dies takes its transaction with it; the mark stays, and the clock repeats it when the lease ends.
The row of the import is locked during the work, so that no second process does it at the same time.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import batched
from typing import Any, NamedTuple

import structlog
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import F, ProtectedError, QuerySet

from tms.accounts.audit import recorder
from tms.accounts.audit.recorder import AuditSubject, ChangeOrigin
from tms.accounts.models import User
from tms.accounts.models.audit_entry import Via
from tms.approvals import clearance
from tms.approvals.acts import Act
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.labels.attributes import BadValue
from tms.fleet.labels.tags import TooManyTags
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import Site
from tms.fleet.terminals.lifecycle_changes import NotPossible
from tms.lib.db.jobs import skip_when_empty
from tms.transfer.kinds.base import MovedMeanwhile, Reach, RowKind, Work
from tms.transfer.kinds.facts import edit_of, rows_of
from tms.transfer.kinds.registry import KINDS
from tms.transfer.models import (
    PART,
    RUNNING,
    Absence,
    BulkEdit,
    Effect,
    Import,
    ImportNotPossible,
    ImportPart,
    ImportState,
)
from tms.transfer.rows import FileRow

log = structlog.get_logger(__name__)

AT_ONCE = 500
"""Changes that a request makes itself. More are left to the clock."""
LEASE = timedelta(seconds=60)
"""How long a request may work on an import before the clock takes it over."""
MAX_ATTEMPTS = 3
PROGRESS_LASTS_S = 600
type Parts = list[tuple[ImportPart, list[FileRow]]]


class ImportRefused(Exception):
    """Nothing can be changed; the transaction is rolled back."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.problem = [code, params]


def start_applying(chosen: Import, *, by: User, at: datetime, absent_become: Absence = Absence.KEEP) -> None:
    """Raises ImportNotPossible and NotAgreed."""
    chosen.absent_become = absent_become
    clearance.demand(Act.IMPORT, by=by, at=at, **act_of(chosen, absent_become))
    _start(chosen, ImportState.APPLYING, is_possible=_would_change(chosen), by=by, at=at)


def leave_to_clock(chosen: Import, *, by: User, at: datetime, absent_become: Absence) -> None:
    """Have the clock apply it, with the rights that the person has then. Raises ImportNotPossible and NotAgreed."""
    chosen.absent_become = absent_become
    clearance.demand(Act.IMPORT, by=by, at=at, **act_of(chosen, absent_become))
    _mark(chosen, ImportState.APPLYING, is_possible=_would_change(chosen), by=by, lease_at=at)


def start_undoing(chosen: Import, *, by: User, at: datetime) -> None:
    """Raises ImportNotPossible."""
    _start(chosen, ImportState.UNDOING, is_possible=chosen.may_be_undone(at), by=by, at=at)


def _would_change(chosen: Import) -> bool:
    return chosen.may_be_applied and chosen.changes > 0


def _start(chosen: Import, to: ImportState, *, is_possible: bool, by: User, at: datetime) -> None:
    is_small = chosen.changes <= AT_ONCE
    _mark(chosen, to, is_possible=is_possible, by=by, lease_at=at + LEASE if is_small else at)
    if is_small:
        run(chosen.pk, at=at)


def _mark(chosen: Import, to: ImportState, *, is_possible: bool, by: User, lease_at: datetime) -> None:
    values = {"state": to, "run_by": by, "attempts": 0, "lease_at": lease_at, "absent_become": chosen.absent_become}
    if not is_possible or not Import.objects.filter(pk=chosen.pk, state=chosen.state).update(**values):
        raise ImportNotPossible


@skip_when_empty(Import.objects.due)
def advance(at: datetime) -> int:
    """A pass of the clock: work on one import that is due."""
    due = Import.objects.due(at).select_related("run_by").order_by("lease_at", "pk").first()
    if due is None:
        return 0
    with recorder.continuing(ChangeOrigin(due.run_by, Via.PAGE)):
        run(due.pk, at=at)
    return 1


def run(pk: int, *, at: datetime) -> None:
    """Work on an import that is running, unless another process does."""
    begun = Import.objects.filter(pk=pk, state__in=RUNNING)
    if not _count_attempt(begun):
        return
    try:
        with transaction.atomic():
            chosen = begun.select_for_update(skip_locked=True, of=("self",)).select_related("run_by").first()
            if chosen is not None:
                _work(chosen, at=at)
    except ImportRefused as refused:
        _fail(pk, refused.problem)
    except (BadValue, MovedMeanwhile, IntegrityError, ProtectedError, NotPossible, TooManyTags) as error:
        log.warning("import_conflict", pk=pk, error=repr(error))
        _fail(pk, ["conflict", {}])
    finally:
        cache.delete(_progress_key(pk))


def _count_attempt(begun: QuerySet[Import]) -> bool:
    """Count it before the work, which may kill the process; False if another process is at work.

    Locked rows are skipped: an update would wait for the other process, and the other loops of the clock with it.
    """
    with transaction.atomic():
        free = begun.select_for_update(skip_locked=True).values_list("pk", flat=True)
        return bool(list(free)) and bool(begun.update(attempts=F("attempts") + 1))


def _work(chosen: Import, *, at: datetime) -> None:
    if chosen.attempts > MAX_ATTEMPTS or chosen.run_by is None:
        raise ImportRefused("gave-up")
    kind = rows_of(edit_of(chosen)) if chosen.is_edit else KINDS[chosen.kind].current()
    work = Work(Reach(chosen.run_by, kind.permission, at, is_import=not chosen.is_edit), _Progress(chosen))
    with clearance.agreed(Act.IMPORT, **act_of(chosen, Absence(chosen.absent_become))):  # asked when it was started
        (_apply if chosen.state == ImportState.APPLYING else _undo)(chosen, kind, work)


def _fail(pk: int, problem: list[Any]) -> None:
    """What was not applied may be imported again; what was not undone stays applied."""
    Import.objects.filter(pk=pk, state=ImportState.APPLYING).update(state=ImportState.FAILED, problem=problem)
    Import.objects.filter(pk=pk, state=ImportState.UNDOING).update(state=ImportState.APPLIED, problem=problem)


def _apply(chosen: Import, kind: RowKind, work: Work) -> None:
    parts = _parts(chosen)
    for part, listed in parts:
        if part.effect == Effect.ABSENT:
            _choose(listed, Lifecycle(chosen.absent_become))
    _refuse_outdated(kind, _changing(parts), work.reach)
    if chosen.is_edit:
        _set_aside_refused(chosen, parts)
    rows = _changing(parts)
    if number := sum(bool(row.faults) for row in rows):
        raise ImportRefused("outdated", number=f"{number:,}")
    kind.write(rows, work)
    _save(parts)
    chosen.state, chosen.applied_at, chosen.problem = ImportState.APPLIED, work.at, []
    chosen.save(update_fields=("state", "applied_at", "problem", "counts"))
    _record("applied", chosen, {"rows": (0, chosen.changes)})
    publish(Change(everything=True, rules=True))


def _refuse_outdated(kind: RowKind, rows: Sequence[FileRow], reach: Reach) -> None:
    """Refuse the rows that are not as the check found them, or that the person may not change any more."""
    stored = kind.stored({row.key for row in rows}, reach)
    for row in rows:
        found = stored.get(row.key)
        if (found.pk if found else None) != row.pk or not _has(found.record if found else {}, row.before):
            row.refuse("", "", "changed-since" if found else "deleted-since")
    kind.check([row for row in rows if not row.faults], reach)


def _set_aside_refused(chosen: Import, parts: Parts) -> None:
    """A bulk edit changes the others."""
    refused = [row for _part, rows in parts for row in rows if row.faults]
    if not refused:
        return
    for _part, rows in parts:
        rows[:] = [row for row in rows if not row.faults]
    before = chosen.parts.filter(effect=Effect.REFUSED)
    listed = [*(packed for part in before for packed in part.rows), *(row.packed() for row in refused)]
    before.delete()
    ImportPart.objects.bulk_create(
        ImportPart(of=chosen, effect=Effect.REFUSED, number=number, rows=list(some))
        for number, some in enumerate(batched(listed, PART))
    )
    chosen.counts[Effect.REFUSED] = chosen.number(Effect.REFUSED) + len(refused)
    chosen.counts[Effect.CHANGED] = chosen.number(Effect.CHANGED) - len(refused)


def _has(record: dict[str, Any], values: dict[str, Any]) -> bool:
    return all(record.get(name, "") == value for name, value in values.items())


def _undo(chosen: Import, kind: RowKind, work: Work) -> None:
    """Rows that nobody changed since go back. The others stay, and are marked."""
    parts = _parts(chosen)
    rows = _changing(parts)
    back = _untouched(chosen, kind, rows, work.reach)
    changed = [row for row in back if row.before]
    kind.revert(changed, work)
    deleted = kind.delete([row for row in back if not row.before], work)
    restored = {row.key for row in changed} | deleted
    for row in rows:
        row.is_kept = row.key not in restored
    _save(parts)
    chosen.state, chosen.undone_at, chosen.problem = ImportState.UNDONE, work.at, []
    chosen.counts["kept"] = sum(row.is_kept for row in rows)
    chosen.save(update_fields=("state", "undone_at", "problem", "counts"))
    _record("undone", chosen, {"rows": (len(restored), 0), "kept": (None, chosen.counts["kept"])})
    publish(Change(everything=True, rules=True))


def _untouched(chosen: Import, kind: RowKind, rows: Sequence[FileRow], reach: Reach) -> list[FileRow]:
    """The rows that are as the import left them, and that the person may change."""
    stored = kind.stored({row.key for row in rows}, reach)
    same = [row for row in rows if row.key in stored and _has(stored[row.key].record, row.after)]
    for row in same:
        row.pk = stored[row.key].pk
    kind.check_reverting(same, reach)
    return [row for row in same if not row.faults]


def _parts(chosen: Import) -> Parts:
    """Rows that the import changes, in the order of their numbers."""
    effects = [Effect.CREATED, Effect.CHANGED, *([Effect.ABSENT] if chosen.absent_become != Absence.KEEP else [])]
    parts = chosen.parts.filter(effect__in=effects)
    return [(part, [FileRow.unpacked(packed) for packed in part.rows]) for part in parts]


def _changing(parts: Parts) -> list[FileRow]:
    """Some of the terminals that are not in the file may stay as they are."""
    return [row for _part, listed in parts for row in listed if row.line or row.after]


def _choose(absent: Sequence[FileRow], to: Lifecycle) -> None:
    """Planned terminals are retired, but not taken out of service: they were never in it."""
    for row in absent:
        is_possible = to == Lifecycle.RETIRED or row.before["lifecycle"] == Lifecycle.IN_SERVICE
        row.after = {"lifecycle": to.value} if is_possible else {}


class Dangers(NamedTuple):
    """Primary keys of terminals, and the codes of the sites to which some of them move."""

    retired: set[int]
    moved: set[int]
    sites: set[str]


def dangerous(chosen: Import, absent_become: Absence) -> Dangers:
    """Which stored terminals the import retires and moves."""
    found = Dangers(set(), set(), set())
    parts = chosen.parts.filter(effect__in=(Effect.CHANGED, Effect.ABSENT))
    for row in (FileRow.unpacked(packed) for part in parts.iterator(10) for packed in part.rows):
        if row.after.get("lifecycle") == Lifecycle.RETIRED or (not row.line and absent_become == Absence.RETIRED):
            found.retired.add(row.stored_pk)
        if "site" in row.after:
            found.moved.add(row.stored_pk)
            found.sites.add(row.after["site"])
    return found


def act_of(chosen: Import, absent_become: Absence) -> dict[str, Any]:
    """Its payload as an act that may need a second person."""
    found = dangerous(chosen, absent_become)
    sites = Site.objects.filter(code__in=found.sites).order_by("pk").values_list("pk", flat=True)
    return {
        "of": chosen.pk,
        "file_name": chosen.file_name,
        "absent_become": absent_become,
        "retired": tuple(sorted(found.retired)),
        "moved": tuple(sorted(found.moved)),
        "sites": tuple(sites),
        "is_edit": chosen.is_edit,
    }


def _save(parts: Parts) -> None:
    """Store what was made for the rows, and which stay. Their primary keys are not: a new row has none."""
    for part, rows in parts:
        for row in rows:
            row.faults = []
        if part.effect == Effect.CREATED:
            for row in rows:
                row.pk = None
        part.rows = [row.packed() for row in rows]
    ImportPart.objects.bulk_update([part for part, _rows in parts], ["rows"], batch_size=50)


def _record(done: str, chosen: Import, changes: dict[str, Any]) -> None:
    if chosen.is_edit:
        edit, refused = edit_of(chosen), chosen.number(Effect.REFUSED) or None
        about = AuditSubject(BulkEdit._meta.label_lower, str(chosen.pk), edit.summary)
        values = {"query": (None, edit.query), "refused": (None, refused), **changes}
        recorder.write(about, "bulk-edited" if done == "applied" else "bulk-edit-undone", values, comment=edit.comment)
        return
    numbers = {key: (None, number) for key, number in chosen.counts.items()}
    absent = {"absent_become": (None, chosen.absent_become)} if chosen.absent_become != Absence.KEEP else {}
    facts = {"kind": (None, chosen.kind), **numbers, **absent, **changes}
    recorder.record("imported" if done == "applied" else "import-undone", chosen, facts)


class _Progress:
    """Counts rows where every process sees it: those of the transaction are seen by nobody yet."""

    def __init__(self, chosen: Import) -> None:
        self._key, self._done = _progress_key(chosen.pk), 0

    def __call__(self, number: int) -> None:
        self._done += number
        cache.set(self._key, self._done, PROGRESS_LASTS_S)


def progress(chosen: Import) -> int:
    """How many rows of a running import are done."""
    done: int = cache.get(_progress_key(chosen.pk), 0)
    return min(done, chosen.changes)


def _progress_key(pk: int) -> str:
    return f"import-progress-{pk}"
