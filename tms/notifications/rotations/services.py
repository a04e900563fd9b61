"""Create and change rotations. Pages and REST call the same service with the same values."""

from collections.abc import Iterator, Sequence

from tms.accounts.access import Person
from tms.accounts.access.owner_form import OWNER
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.notifications import row_checks
from tms.notifications.models.rotation import Member, Rotation
from tms.notifications.row_checks import Fault
from tms.notifications.soft_delete import services as soft_delete

EDITED = ("name", "time_zone", "starts_on", "handover_at", "every_days", "weekdays")
"""The columns that people choose, besides the owner."""
MAX_MEMBERS = 8


def save(rotation: Rotation, people: Sequence[User] | None, *, by: Person) -> None:
    """Store the columns that `rotation` has now, and its people in their order. None: the people stay as they are.

    Raises ValidationError, by the name of the field, and Http404 for a rotation that was deleted meanwhile.
    """
    check(rotation, people, by=by)
    with soft_delete.change(rotation):
        rotation.save(update_fields=(*EDITED, *OWNER) if rotation.pk else None)
        if people is not None:
            save_members(rotation, people)


def check(rotation: Rotation, people: Sequence[User] | None, *, by: Person) -> None:
    """Raises ValidationError with all that is wrong, by the name of the field."""
    row_checks.check(rotation, EDITED, _faults(rotation, people), Permission.EDIT_ROTATIONS, by=by)


def save_members(rotation: Rotation, people: Sequence[User]) -> None:
    rotation.members.all().delete()
    Member.objects.bulk_create(
        Member(rotation=rotation, position=position, person=person) for position, person in enumerate(people)
    )


def members_of(rotation: Rotation) -> list[int]:
    """The keys of its people, in their order."""
    return [member.person_id for member in rotation.members.all()] if rotation.pk else []


def _faults(rotation: Rotation, people: Sequence[User] | None) -> Iterator[Fault]:
    yield from row_checks.faults_in_zone(rotation, "time_zone")
    if people is not None and not 0 < len(people) <= MAX_MEMBERS:
        yield "members", f"must name 1 to {MAX_MEMBERS} people"
