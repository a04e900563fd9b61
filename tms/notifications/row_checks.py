"""Rules that destinations, policies and rotations share: services check them, and forms through the services."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from tms.accounts.access import Person, may_within
from tms.accounts.access.owner_form import NOT_PERMITTED, owner_of
from tms.accounts.permissions import Permission
from tms.lib.calendar.time_zones import named_zones
from tms.notifications.soft_delete.services import SoftDeletable

type Fault = tuple[str, Any]
"""A field, and what would be right."""

REQUIRED = forms.Field.default_error_messages["required"]
INVALID_CHOICE = forms.ChoiceField.default_error_messages["invalid_choice"]
TEXTS = {"blank": REQUIRED, "null": REQUIRED, "invalid_choice": INVALID_CHOICE}
"""What forms say, by the code of the error of a model."""


def check(
    row: SoftDeletable, edited: Collection[str], further: Iterable[Fault], permission: Permission, *, by: Person
) -> None:
    """Raises ValidationError with all that is wrong, by the name of the field. `edited`: columns that people choose."""
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for field, fault in chain(_faults_in_columns(row, edited), _faults(row, permission, by), further):
        found[field].append(fault)
    if found:
        raise ValidationError(dict(found))


def faults_in_zone(row: SoftDeletable, column: str) -> Iterator[Fault]:
    """A zone that was stored with other data about zones stays a choice."""
    zone = getattr(row, column)
    if not zone or zone in named_zones():
        return
    if not type(row)._default_manager.filter(pk=row.pk, **{column: zone}).exists():
        yield column, INVALID_CHOICE % {"value": zone}


def _faults_in_columns(row: SoftDeletable, edited: Collection[str]) -> Iterator[Fault]:
    try:
        row.clean_fields(exclude={field.name for field in row._meta.fields} - {*edited})
    except ValidationError as error:
        for field, faults in error.error_dict.items():
            for fault in faults:
                fault.message = TEXTS.get(fault.code or "", fault.message)
                yield field, fault


def _faults(row: SoftDeletable, permission: Permission, by: Person) -> Iterator[Fault]:
    """What no single column shows."""
    # Not by the constraint: its condition is about columns that are not checked here.
    if type(row).objects.not_deleted().filter(name=row.name).exclude(pk=row.pk).exists():
        yield "name", gettext("This name is already in use. Enter another one.")
    stored = type(row)._default_manager.filter(pk=row.pk).first()
    is_new_owner = stored is None or owner_of(stored) != owner_of(row)
    if is_new_owner and not may_within(by, permission, row.owner):
        yield "owner", NOT_PERMITTED
