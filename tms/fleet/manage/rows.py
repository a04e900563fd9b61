"""Plain values that the page for managing a terminal is rendered from."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import F, Model, QuerySet
from django.utils.translation import gettext

from tms.accounts.access import visible
from tms.accounts.display_names import Name, name_of
from tms.accounts.models import User
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import (
    Credential,
    Group,
    IdentityChange,
    IdentityField,
    IdentitySource,
    Placement,
    Site,
    Terminal,
    TerminalKind,
    UnexpectedDevice,
)

MAX_KEYS = 20
MAX_PLACEMENTS = 20
MARK_CHARACTERS = 8
"""The audit trail shows the same."""

LABELLED = {IdentityField.KIND: TerminalKind, IdentityField.LIFECYCLE: Lifecycle}
"""Facts that are stored as a value with a label."""
NAMED: Mapping[str, type[Model]] = {
    IdentityField.SITE: Site,
    IdentityField.PARENT: Terminal,
    IdentityField.GROUPS: Group,
}
"""Facts that are stored as rows with their names."""


class CredentialRow(NamedTuple):
    pk: int
    mark: str
    """The first characters of its hash."""
    device: str
    created_at: datetime
    used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
    is_valid: bool


class IdentityChangeRow(NamedTuple):
    """A change of what identifies the terminal."""

    at: datetime
    field: str
    before: str
    after: str
    source: str
    by: Name | None


class UnexpectedRow(NamedTuple):
    row: UnexpectedDevice
    serves_as: str
    """The UID of the other terminal; empty if the person does not see it."""


def key_rows(terminal: Terminal, *, at: datetime) -> list[CredentialRow]:
    """Valid keys first, then the newest of the others."""
    keys = Credential.objects.filter(terminal=terminal).select_related("device")
    newest = keys.order_by(F("revoked_at").desc(nulls_first=True), "-pk")[:MAX_KEYS]
    found = [_key_row(key, at) for key in newest]
    return sorted(found, key=lambda row: not row.is_valid)


def _key_row(key: Credential, at: datetime) -> CredentialRow:
    is_expired = key.expires_at is not None and key.expires_at <= at
    return CredentialRow(
        key.pk,
        key.digest[:MARK_CHARACTERS],
        key.device.serial if key.device else "",
        key.created_at,
        key.used_at,
        key.expires_at,
        key.revoked_at,
        key.revoked_at is None and not is_expired,
    )


def placements_of(terminal: Terminal) -> list[Placement]:
    """The newest, and so the present one, first."""
    rows = Placement.objects.filter(terminal=terminal).select_related("device", "placed_by")
    return list(rows[:MAX_PLACEMENTS])


def unexpected_rows(terminal: Terminal, *, to: User) -> list[UnexpectedRow]:
    rows = UnexpectedDevice.objects.undecided().filter(terminal=terminal).select_related("serves_as")
    found = list(rows)
    seen = set(visible(Terminal.objects.filter(pk__in=[row.serves_as_id for row in found]), to=to))
    return [UnexpectedRow(row, row.serves_as.uid if row.serves_as in seen else "") for row in found]


def changes_of(terminal: Terminal) -> QuerySet[IdentityChange]:
    """Newest first."""
    return IdentityChange.objects.filter(terminal=terminal).select_related("by").order_by("-at", "-pk")


def change_rows(changes: Iterable[IdentityChange], *, to: User) -> list[IdentityChangeRow]:
    """Sites, terminals and groups that the person does not see are not named."""
    found = list(changes)
    seen = {field: _seen(model, field, found, to) for field, model in NAMED.items()}
    return [
        IdentityChangeRow(
            change.at,
            str(IdentityField(change.field).label),
            _worded(change.field, change.before, seen),
            _worded(change.field, change.after, seen),
            str(IdentitySource(change.source).label),
            name_of(change.by) if change.by else None,
        )
        for change in found
    ]


def _seen(model: type[Model], field: str, changes: Iterable[IdentityChange], to: User) -> set[int]:
    values = (value for change in changes if change.field == field for value in (change.before, change.after))
    pks = {pk for value in values for pk, _ in _pairs(value)}
    return set(visible(model._base_manager.filter(pk__in=pks), to=to).values_list("pk", flat=True)) if pks else set()


def _pairs(value: Any) -> list[tuple[int, str]]:
    """Primary keys and names: of one row, of several, or of none."""
    if not value:
        return []
    return [tuple(pair) for pair in (value if isinstance(value[0], list) else [value])]


def _worded(field: str, value: Any, seen: Mapping[str, set[int]]) -> str:
    if field in NAMED:
        hidden = gettext("not visible to you")
        return gettext(", ").join(name if pk in seen[field] else hidden for pk, name in _pairs(value))
    choices = LABELLED.get(IdentityField(field))
    return str(choices(value).label) if choices and value in choices.values else str(value or "")
