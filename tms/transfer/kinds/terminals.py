"""Terminals in files."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import batched
from operator import itemgetter

import msgspec
from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext_lazy as _

from tms.accounts.permissions import Permission
from tms.fleet.groups import dynamic
from tms.fleet.identity import history
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import AttributeSubject, Group, Placement, Terminal, TerminalKind, TerminalState
from tms.fleet.models.device import Device
from tms.fleet.presence import store
from tms.lib.db import rows as db_rows
from tms.transfer.kinds import cells, lifecycles, placing
from tms.transfer.kinds.base import (
    BATCH,
    MovedMeanwhile,
    Reach,
    Work,
    check_site,
    delete_unused,
    refuse_repeated,
    site_pks,
    split_rows,
    terminal_pks,
)
from tms.transfer.kinds.cells import FileColumn, choice, joined, names, site_code, split, text
from tms.transfer.kinds.labelled import TAG_COLUMN, LabelledRows
from tms.transfer.kinds.membership import GroupReach, MemberWriter
from tms.transfer.rows import FileRow, Key, Record, StoredRow

OWN = ("kind", "label")
STORED = (*OWN, "serial", "lifecycle")


class TerminalUpdate(msgspec.Struct, frozen=True, gc=False):
    id: int
    site_id: int
    kind: str
    label: str


class ParentUpdate(msgspec.Struct, frozen=True, gc=False):
    id: int
    parent_id: int | None


class TerminalRows(LabelledRows):
    name = "terminals"
    label = _("Terminals")
    model = Terminal
    subject = AttributeSubject.TERMINAL
    permission = Permission.MANAGE_TERMINALS
    key = ("uid",)
    columns = (
        FileColumn("uid", cells.uid, ("SJK-KSK-01", "SJK-PAY-01"), is_required=True),
        FileColumn("site", site_code, ("SJK", "SJK"), is_required=True),
        FileColumn("kind", choice(TerminalKind), ("kiosk", "payment"), default=TerminalKind.KIOSK.value),
        FileColumn("label", text(100), ("Lane 1", "Counter 2")),
        FileColumn("parent", cells.uid),
        FileColumn("groups", names, ("", "")),
        FileColumn("serial", text(64), ("KX21-000123", "")),
        FileColumn("lifecycle", choice(Lifecycle), ("", ""), default=Lifecycle.PLANNED.value),
        TAG_COLUMN,
    )

    def stored_rows(self, keys: Collection[Key], reach: Reach) -> dict[Key, StoredRow]:
        found: dict[Key, StoredRow] = {}
        columns = ("pk", "uid", "site__code", "parent", "parent__uid", *STORED)
        for some in batched([uid for (uid,) in keys], BATCH):
            rows = list(Terminal.objects.filter(uid__in=some).order_by().values_list(*columns))
            groups = _groups_of([pk for pk, *_rest in rows])
            hidden = _hidden_parents({parent for _pk, _uid, _site, parent, *_rest in rows if parent}, reach)
            for pk, uid, site, parent, parent_uid, *values in rows:
                is_hidden = parent in hidden
                record = {
                    "site": site,
                    "parent": "" if is_hidden else parent_uid or "",
                    "groups": joined(groups.get(pk, ())),
                    **dict(zip(STORED, values, strict=True)),
                }
                found[(uid,)] = StoredRow(pk, record, frozenset({"parent"}) if is_hidden else frozenset())
        return found

    def gather(self, rows: list[FileRow]) -> list[FileRow]:
        for row in rows:
            if not row.given.get("serial"):
                row.given.pop("serial", None)  # a serial number that is known stays
        refuse_repeated(rows, "serial", lambda row: (row.given["serial"],) if "serial" in row.given else None)
        return super().gather(rows)

    def check(self, rows: Sequence[FileRow], reach: Reach) -> None:
        self._check(rows, reach)
        lifecycles.check(rows, reach)

    def absent(self, rows: Sequence[FileRow], reach: Reach) -> list[FileRow]:
        """Terminals at the sites that the file names, unless they are retired."""
        uids = {row.key[0] for row in rows}
        found: list[tuple[int, str, str]] = []
        for codes in batched({row.given["site"] for row in rows if row.given.get("site") in reach.sites}, BATCH):
            terminals = Terminal.objects.filter(site__code__in=codes).exclude(lifecycle=Lifecycle.RETIRED)
            permitted = reach.permitted(terminals)
            values = terminals.order_by().values_list("pk", "uid", "lifecycle")
            found += [row for row in values if row[0] in permitted and row[1] not in uids]
        found.sort(key=itemgetter(1))
        return [FileRow(0, (uid,), pk=pk, before={"lifecycle": state}) for pk, uid, state in found]

    def check_reverting(self, rows: Sequence[FileRow], reach: Reach) -> None:
        back = [row.reversed() for row in rows]
        self._check(back, reach)
        lifecycles.check_reverting(back, reach)

    def _check(self, rows: Sequence[FileRow], reach: Reach) -> None:
        self.check_permitted(rows, reach)
        groups = GroupReach(reach)
        for row in rows:
            check_site(row, reach)
            for name in _changed_groups(row):
                groups.check(row, "groups", name)
        _check_parents(rows, reach)
        placing.check(rows, reach)
        self.check_labels(rows, reach)

    def write(self, rows: Sequence[FileRow], work: Work) -> None:
        new, changed = split_rows(rows)
        sites = site_pks(row.after["site"] for row in rows if "site" in row.after)
        members = MemberWriter()
        late: list[FileRow] = []
        uids = {row.key[0] for row in new}
        # Parents come first: most rows are then written once.
        for some in batched(sorted(new, key=lambda row: row.after["parent"] in uids), BATCH):
            late += self._create(some, sites, members, work)
            work.advance(len(some))
        _set_parents(late)
        placing.place(new, work)
        lifecycles.write(new, work)
        self.write_labels(new, are_new=True)
        dynamic.follow_created([row.stored_pk for row in new])
        # In the order of their keys, in which ingest locks link states, too: it would deadlock otherwise.
        for some in batched(sorted(changed, key=lambda row: row.stored_pk), BATCH):
            self._change(some, sites, members, work)
            lifecycles.write(some, work)
            self.write_labels(some)
            work.advance(len(some))

    def _create(
        self, rows: Sequence[FileRow], sites: dict[str, int], members: MemberWriter, work: Work
    ) -> list[FileRow]:
        """Returns the rows whose parents are not there yet."""
        parents = terminal_pks(row.after["parent"] for row in rows)
        made = Terminal.objects.bulk_create(
            Terminal(
                uid=row.key[0],
                site_id=sites[row.after["site"]],
                parent_id=parents.get(row.after["parent"]),
                lifecycle=Lifecycle.PLANNED,
                lifecycle_at=work.at,
                **{name: row.after[name] for name in OWN},
            )
            for row in rows
        )
        TerminalState.objects.bulk_create(TerminalState(terminal=terminal) for terminal in made)
        for row, terminal in zip(rows, made, strict=True):
            row.pk = terminal.pk
        members.add((row.pk, name) for row in rows for name in split(row.after["groups"]))
        return [row for row in rows if row.after["parent"] and row.after["parent"] not in parents]

    def _change(self, rows: Sequence[FileRow], sites: dict[str, int], members: MemberWriter, work: Work) -> None:
        pks = [row.pk for row in rows if row.pk is not None]
        store.lock(pks)
        with history.recording(pks, by=work.by, at=work.at, source=work.source):
            locked = Terminal.objects.select_related("site").select_for_update(of=("self",)).order_by("pk")
            terminals = locked.in_bulk(pks)
            _check_places(terminals, rows)
            db_rows.update(Terminal, [_updated(terminals[row.stored_pk], row, sites) for row in rows])
            _move_devices(row for row in rows if "site" in row.after)
            _set_parents([row for row in rows if "parent" in row.after])
            members.remove((row.pk, name) for row in rows for name in _groups(row.before) - _groups(row.after))
            members.add((row.pk, name) for row in rows for name in _groups(row.after) - _groups(row.before))
            placing.place(rows, work)

    def revert(self, rows: Sequence[FileRow], work: Work) -> None:
        placing.undo(rows, work)
        super().revert(rows, work)

    def delete(self, rows: Sequence[FileRow], work: Work) -> set[Key]:
        """Delete terminals that were never connected and have no key."""
        stored = self.stored([row.key for row in rows], work.reach)
        pks = {stored[row.key].pk for row in rows if row.key in stored}
        unused: set[int] = set()
        for some in batched(pks, BATCH):
            unseen = Terminal.objects.filter(pk__in=some, credentials=None, state__last_seen_at=None)
            unused.update(unseen.values_list("pk", flat=True))
        free = [row for row in rows if row.key in stored and stored[row.key].pk in unused]
        placing.undo(free, work)
        return delete_unused(Terminal, free, stored)

    def keys(self, reach: Reach) -> list[Key]:
        return [(uid,) for uid in reach.visible(Terminal.objects.all()).order_by("uid").values_list("uid", flat=True)]


def _updated(terminal: Terminal, row: FileRow, sites: dict[str, int]) -> TerminalUpdate:
    return TerminalUpdate(
        terminal.pk,
        sites[row.after["site"]] if "site" in row.after else terminal.site_id,
        row.after.get("kind", terminal.kind),
        row.after.get("label", terminal.label),
    )


def _check_places(locked: Mapping[int, Terminal], rows: Iterable[FileRow]) -> None:
    """Terminals move from where the person may manage them. Raises MovedMeanwhile."""
    for row in rows:
        terminal = locked.get(row.stored_pk)
        if terminal is None or ("site" in row.after and terminal.site.code != row.before["site"]):
            raise MovedMeanwhile(row.key)


def _groups(record: Record) -> set[str]:
    return set(split(record.get("groups", "")))


def _changed_groups(row: FileRow) -> set[str]:
    return _groups(row.before) ^ _groups(row.after)


def _groups_of(pks: Collection[int]) -> dict[int, list[str]]:
    found: defaultdict[int, list[str]] = defaultdict(list)
    rows = Group.terminals.through.objects.filter(terminal__in=pks, group__query="").order_by()
    for pk, name in rows.values_list("terminal", "group__name"):
        found[pk].append(name)
    return found


def _hidden_parents(pks: set[int], reach: Reach) -> set[int]:
    if not pks or reach.sees_everything:
        return set()
    seen = reach.visible(Terminal.objects.filter(pk__in=pks)).order_by().values_list("pk", flat=True)
    return pks - set(seen)


def _check_parents(rows: Sequence[FileRow], reach: Reach) -> None:
    """Parents are there, or in the same file, and nobody is connected via themselves."""
    wanted = {row.key[0]: row.after["parent"] for row in rows if row.after.get("parent")}
    if not wanted:
        return
    new = {row.key[0] for row in rows if row.pk is None}
    known = reach.seen_terminals(set(wanted.values()) - new)
    parents = dict(Terminal.objects.exclude(parent=None).order_by().values_list("uid", "parent__uid"))
    parents |= {row.key[0]: row.after["parent"] for row in rows if "parent" in row.after}
    for row in rows:
        parent = row.after.get("parent")
        if not parent:
            continue
        if parent not in known and parent not in new:
            row.refuse("parent", parent, "unknown-terminal", reach.nearest_terminal(parent))
        elif row.key[0] in _above(row.key[0], parents):
            row.refuse("parent", parent, "circle")


def _above(uid: str, parents: dict[str, str]) -> Iterator[str]:
    passed: set[str] = set()
    way = parents.get(uid, "")
    while way and way not in passed:
        passed.add(way)
        yield way
        way = parents.get(way, "")


def _set_parents(rows: Iterable[FileRow]) -> None:
    """Set the parents, after all new terminals are there: a parent may be one of them."""
    for some in batched(rows, BATCH):
        pks = terminal_pks(row.after["parent"] for row in some)
        db_rows.update(Terminal, [ParentUpdate(row.stored_pk, pks.get(row.after["parent"])) for row in some])


def _move_devices(rows: Iterable[FileRow]) -> None:
    """The devices of moved terminals are at the new site."""
    placed = Placement.objects.open()
    moved = placed.filter(terminal__in=[row.pk for row in rows]).values("device")
    site = placed.filter(device=OuterRef("pk")).values("terminal__site")[:1]
    Device.objects.filter(pk__in=moved).update(site=Subquery(site))
