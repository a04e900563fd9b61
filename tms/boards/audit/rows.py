"""Plain values that entries of the audit trail are rendered from."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext, ngettext

from tms.accounts.display_names import Name, name_of
from tms.accounts.models import AuditDay, AuditEntry
from tms.accounts.models.audit_entry import Via
from tms.boards.audit.labels import action_label, field_label, kind_label, shortened, value_label

LINKED: Mapping[str, str] = {
    "alerts.alert": "alert",
    "transfer.bulkedit": "edit",
    "alerts.incident": "incident",
    "alerts.rule": "rule",
    "notifications.destination": "destination",
    "notifications.policy": "policy",
    "notifications.rotation": "rotation",
    "notifications.delivery": "delivery",
    "accounts.wallscreen": "wall-screen",
}
"""Kinds of objects with a page, and the name of its URL, which takes their primary key."""
MAX_SUMMARISED = 2
"""Changes in the row itself."""
HIDDEN = frozenset({"transitions", "id"})
"""References, which only the details show."""


EMPTY: tuple[object, ...] = (None, "", [], {})
"""Values of a field that was left empty: a row made with such fields has no change to name."""


class Difference(NamedTuple):
    label: str
    before: str
    after: str

    @property
    def short(self) -> "Difference":
        return Difference(self.label, shortened(self.before), shortened(self.after))


class Position(NamedTuple):
    """Where an entry is in the chain."""

    number: int
    day: datetime | None
    hash: str

    @property
    def short_hash(self) -> str:
        return f"{self.hash[:4]}…{self.hash[-4:]}"


@dataclass(frozen=True, slots=True)
class AuditRow:
    pk: int
    at: datetime
    actor: Name | None
    """The person; None if it was no person."""
    actor_name: str
    """The name of a token, a terminal or TMS, or the username of a person who was deleted."""
    username: str
    icon: str
    action: str
    kind: str
    name: str
    """The name of the object; empty if the entry is about many."""
    address: str
    """The address of the object's page; empty if it has none."""
    differences: Sequence[Difference]
    summary: Sequence[Difference]
    comment: str
    via: str
    ip: str
    position: Position | None

    @property
    def more(self) -> int:
        """Differences that only the details show."""
        return len(self.differences) - len(self.summary)


def rows_of(entries: Sequence[AuditEntry]) -> list[AuditRow]:
    """One query for the days of the entries."""
    days = _days([entry.number for entry in entries if entry.number])
    return [_row(entry, days) for entry in entries]


def _row(entry: AuditEntry, days: Sequence[AuditDay]) -> AuditRow:
    shown = {name: pair for name, pair in entry.changes.items() if not all(each in EMPTY for each in pair)}
    differences = [_difference(entry.subject_type, name, pair) for name, pair in shown.items()]
    plain = [_difference(entry.subject_type, name, pair) for name, pair in shown.items() if name not in HIDDEN]
    name, icon = _actor(entry)
    return AuditRow(
        pk=entry.pk,
        at=entry.at,
        actor=_person(entry),
        actor_name=name,
        username=entry.actor_name,
        icon=icon,
        action=action_label(entry.action),
        kind="" if _number(entry) else kind_label(entry.subject_type, is_one=bool(entry.subject_name)),
        name=_name(entry),
        address=_address(entry),
        differences=differences,
        summary=[one.short for one in plain[:MAX_SUMMARISED]],
        comment=entry.comment,
        via=entry.get_via_display(),
        ip=entry.address or "",
        position=_position(entry, days),
    )


def _person(entry: AuditEntry) -> Name | None:
    """The person whom the chain names: it does not cover the foreign key, which could be edited unnoticed."""
    if entry.actor is None or entry.token_name or entry.actor.username != entry.actor_name:
        return None
    return name_of(entry.actor)


def _actor(entry: AuditEntry) -> tuple[str, str]:
    """Name and icon of who did it."""
    if entry.token_name:
        return entry.token_name, "key"
    if entry.via == Via.CLOCK:
        return "TMS", "node"
    if entry.via == Via.TERMINAL:
        return entry.actor_name or gettext("Terminal"), "terminals"
    return entry.actor_name or (gettext("Command line") if entry.via == Via.COMMAND else gettext("Not signed in")), (
        "command" if entry.via == Via.COMMAND else "person"
    )


def _name(entry: AuditEntry) -> str:
    number = _number(entry)
    if number:
        return ngettext("%(number)d alert", "%(number)d alerts", number) % {"number": number}
    return entry.subject_name


def _number(entry: AuditEntry) -> int:
    """The number of alerts of an action on several; otherwise 0."""
    given = entry.changes.get("alerts", [])
    return given[-1] if given and not entry.subject_id and isinstance(given[-1], int) else 0


def _address(entry: AuditEntry) -> str:
    try:
        if entry.subject_type == "fleet.terminal" and entry.subject_name:
            return reverse("terminal", args=(entry.subject_name,))
        if entry.subject_type in LINKED and entry.subject_id:
            return reverse(LINKED[entry.subject_type], args=(int(entry.subject_id),))
    except (NoReverseMatch, ValueError):  # an object of another release
        return ""
    return ""


def _difference(kind: str, name: str, pair: Sequence[object]) -> Difference:
    before, after = (*pair, None, None)[:2]
    shown = value_label(kind, name, before) if before is not None else ""
    return Difference(field_label(kind, name), shown, value_label(kind, name, after))


def _position(entry: AuditEntry, days: Sequence[AuditDay]) -> Position | None:
    if not entry.number:
        return None
    index = bisect_right([day.first_number for day in days], entry.number) - 1
    if index < 0:
        return Position(entry.number, None, entry.hash)
    day = days[index]
    return Position(day.position(entry.number), datetime.combine(day.day, datetime.min.time()), entry.hash)


def _days(numbers: Sequence[int]) -> list[AuditDay]:
    """The days of entries with these numbers."""
    if not numbers:
        return []
    until = AuditDay.objects.filter(first_number__lte=max(numbers)).order_by("-day")
    found: list[AuditDay] = []
    for day in until.iterator():
        found.append(day)
        if day.first_number <= min(numbers):
            break
    return found[::-1]
