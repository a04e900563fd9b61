"""Create and change destinations. Pages and REST call the same service with the same values."""

from collections.abc import Iterator, Mapping

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from tms.accounts.access import Person
from tms.accounts.access.owner_form import OWNER
from tms.accounts.permissions import Permission
from tms.notifications import row_checks
from tms.notifications.destinations.entries import ADDRESS, VALUE, entry_fields
from tms.notifications.models.destination import Destination
from tms.notifications.row_checks import Fault
from tms.notifications.soft_delete import services as soft_delete
from tms.notifications.transports import ServiceTransport
from tms.notifications.transports.fields import Values
from tms.notifications.weekly_hours import HOURS_FIELDS, faults_in_hours

EDITED = ("name", "language", "person", "enabled", "critical_anyway", "events", *HOURS_FIELDS)
"""The columns that people choose, besides the owner."""
ENTERED = ("address", "encrypted_secrets", "public_values")
"""The columns of what they enter for its transport."""


def save(destination: Destination, entries: Mapping[str, str], *, by: Person) -> None:
    """Store the columns that `destination` has now and, by the names of `entry_fields`, what was entered.

    An address and secrets that are not entered stay. Raises ValidationError, by the name of the field, and Http404 for
    a destination that was deleted meanwhile.
    """
    check(destination, entries, by=by)
    entered = _cleaned(destination, entries)
    if destination.transport.fields:
        destination.set_values(_values(destination, entered))
    elif entered[ADDRESS]:
        destination.set_address(entered[ADDRESS])
    changed = (*EDITED, *OWNER, *(ENTERED if any(entered.values()) else ()))
    with soft_delete.change(destination):
        # TMS and colleagues write to other columns meanwhile.
        destination.save(update_fields=changed if destination.pk else None)


def check(destination: Destination, entries: Mapping[str, str], *, by: Person) -> None:
    """Raises ValidationError with all that is wrong, by the name of the field."""
    faults = _faults(destination, entries)
    row_checks.check(destination, EDITED, faults, Permission.EDIT_DESTINATIONS, by=by)


def _faults(destination: Destination, entries: Mapping[str, str]) -> Iterator[Fault]:
    yield from faults_in_hours(destination, are_needed=False)
    yield from row_checks.faults_in_zone(destination, "hours_zone")
    yield from _faults_in_events(destination)
    try:
        _cleaned(destination, entries)
    except ValidationError as error:
        yield from error.error_dict.items()


def _faults_in_events(destination: Destination) -> Iterator[Fault]:
    if destination.events and not destination.transport.takes_events:
        yield "events", [ValidationError(gettext("Only a webhook gets events of the fleet."))]


def _cleaned(destination: Destination, entries: Mapping[str, str]) -> dict[str, str]:
    """Raises ValidationError: for what is wrong one by one, or else together with the secrets that stay."""
    cleaned, found = {}, {}
    for name, field in entry_fields(destination).items():
        try:
            cleaned[name] = field.clean(entries.get(name, ""))
        except ValidationError as error:
            found[name] = error.error_list
    transport = destination.transport
    if isinstance(transport, ServiceTransport) and not found:
        entered = {name: value for name, value in _values(destination, cleaned).items() if value}
        secrets = {field.name for field in transport.fields if field.is_secret}
        stored = {name: value for name, value in destination.saved_values().items() if name in secrets}
        found = {VALUE + name: [ValidationError(fault)] for name, fault in transport.faults(stored | entered)}
    if found:
        raise ValidationError(found)
    return cleaned


def _values(destination: Destination, entered: Mapping[str, str]) -> Values:
    """The values of its transport; of a choice without one, the first."""
    fields = destination.transport.fields
    return {field.name: entered[VALUE + field.name] or (field.choices or (("", ""),))[0][0] for field in fields}
