"""What else the rows of an import change: the members of groups, and what maintenance and rules apply to."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import batched
from typing import NamedTuple

from django.db.models import Count
from django.utils.translation import get_language

from tms.accounts.access import visible
from tms.accounts.models import User
from tms.alerts.models import Rule, Window
from tms.fleet.models import Group, Terminal
from tms.transfer.kinds.base import BATCH
from tms.transfer.kinds.cells import split
from tms.transfer.rows import FileRow

SHOWN = 10
"""Effects of one kind that are kept: those on the most terminals."""
type Changes = Counter[str]
"""How many terminals more or fewer, by name."""


class ImportEffect(NamedTuple):
    kind: str
    """`group`, `window` or `rule`."""
    name: str
    name_ja: str
    change: int
    """How many terminals more or fewer it has."""
    before: int | None = None
    """How many it has now; None if that is not shown."""

    @property
    def signed(self) -> str:
        return f"{self.change:+,}".replace("-", "−")

    @property
    def local_name(self) -> str:
        return (self.name_ja if get_language() == "ja" else "") or self.name

    @property
    def after(self) -> int | None:
        return self.before + self.change if self.before is not None else None


def effects_of(rows: Sequence[FileRow], *, kind: str, to: User) -> list[ImportEffect]:
    """The effects of new and changed rows, as far as the person sees them. A few queries for any number of rows."""
    groups, sites = _group_changes(rows, kind), _site_changes(rows) if kind == "terminals" else Counter()
    found = (_groups(groups, to), _windows(sites, to), _rules(sites, groups, to))
    return [effect for effects in found for effect in _largest(effects)]


def _largest(effects: Iterable[ImportEffect]) -> list[ImportEffect]:
    changed = [effect for effect in effects if effect.change]
    return sorted(changed, key=lambda effect: (-abs(effect.change), effect.name))[:SHOWN]


def _group_changes(rows: Iterable[FileRow], kind: str) -> Changes:
    if kind == "groups":
        return Counter(name for name, uid in (row.key for row in rows) if uid)
    changes: Changes = Counter()
    for row in rows:
        if "groups" in row.after:
            changes.update(split(row.after["groups"]))
            changes.subtract(split(row.before.get("groups", "")))
    return changes


def _site_changes(rows: Iterable[FileRow]) -> Changes:
    changes: Changes = Counter()
    for row in rows:
        if "site" in row.after:
            changes[row.after["site"]] += 1
            if "site" in row.before:
                changes[row.before["site"]] -= 1
    return changes


def _groups(changes: Changes, to: User) -> Iterable[ImportEffect]:
    """New groups have no members yet."""
    members: dict[str, int] = {}
    for names in batched(changes, BATCH):
        terminals = visible(Terminal.objects.filter(groups__name__in=names), to=to).order_by()
        through = Group.terminals.through.objects.filter(group__name__in=names, terminal__in=terminals.values("pk"))
        members |= dict(through.order_by().values_list("group__name").annotate(number=Count("pk")))
    return (ImportEffect("group", name, "", number, members.get(name, 0)) for name, number in changes.items())


def _windows(sites: Changes, to: User) -> Iterable[ImportEffect]:
    windows = visible(Window.objects.current(), to=to).order_by()
    found: dict[int, ImportEffect] = {}
    for codes in batched(sites, BATCH):
        for pk, note, code in windows.filter(sites__code__in=codes).values_list("pk", "note", "sites__code"):
            known = found.get(pk, ImportEffect("window", note, "", 0))
            found[pk] = known._replace(change=known.change + sites[code])
    return found.values()


def _rules(sites: Changes, groups: Changes, to: User) -> Iterable[ImportEffect]:
    """Rules for one site or group. What is limited to a model or kind as well is left out, instead of counted wrong."""
    rules = visible(Rule.objects.enabled().filter(model="", terminal_kind=""), to=to).order_by()
    for relation, changes in (("site__code", sites), ("group__name", groups)):
        for names in batched(changes, BATCH):
            chosen = rules.filter(**{f"{relation}__in": names})
            for name, name_ja, of in chosen.values_list("name", "name_ja", relation):
                yield ImportEffect("rule", name, name_ja, changes[of])
