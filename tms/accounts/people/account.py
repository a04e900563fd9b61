"""The account of another person as a whole: disable and enable it, end its sessions; rename and delete it."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from tms.accounts import access
from tms.accounts.access import administrators
from tms.accounts.access.changes import rights_changed
from tms.accounts.audit import recorder
from tms.accounts.models import Grant, ProvisionedPerson, User
from tms.accounts.people.rows import grants_of_person
from tms.accounts.sessions import of_people


class NameTakenError(Exception):
    """Another account has the name or address, or one that looks like it."""


def may_manage(by: User, person: User) -> bool:
    """Whether `by` may change the account of `person`: someone else who holds no more than `by` may grant."""
    if person.pk == by.pk or not access.may_act_for(by, _as_enabled(person)):
        return False
    return may_change_all(by, grants_of_person(person))


def _as_enabled(person: User) -> User:
    """The person with the rights that they would have if they were not disabled."""
    enabled = User.objects.get(pk=person.pk)
    enabled.is_active = True
    return enabled


def may_change(by: User, grant: Grant) -> bool:
    """Whether `by` may give such a grant, and so withdraw it."""
    return access.may_grant(by, grant.role, grant.scope)


def may_change_all(by: User, grants: QuerySet[Grant]) -> bool:
    return all(may_change(by, grant) for grant in grants.select_related("role"))


@transaction.atomic
def disable(person: User, *, at: datetime, comment: str = "") -> bool:
    """No sign-in and no token; sessions and open boards end. False if the account was already disabled."""
    if not _switch(person, False, "disabled", comment):
        return False
    of_people.end_sessions(person, at=at)
    return True


@transaction.atomic
def enable(person: User) -> bool:
    """Enable the account. Returns False if it was already enabled."""
    if not _switch(person, True, "enabled"):
        return False
    ProvisionedPerson.objects.filter(person=person).update(deactivated_at=None)
    return True


@transaction.atomic
def confirm_name(person: User) -> bool:
    """The person is who the name says. From now on it no longer follows a provider. False if that was known."""
    if not User.objects.filter(pk=person.pk, is_name_verified=False).update(is_name_verified=True):
        return False
    person.identities.update(is_provisioned=False)
    recorder.record("name-confirmed", person, {"username": (None, person.username)})
    return True


@transaction.atomic
def end_sessions(person: User, *, at: datetime) -> int:
    """Sign the person out everywhere. Returns how many sessions there were."""
    number = of_people.end_sessions(person, at=at)
    recorder.record("sessions-ended", person, {"sessions": (number, 0)})
    publish(person)
    return number


@transaction.atomic
def rename(person: User, *, username: str = "", email: str = "") -> None:
    """Change the username or the e-mail address; an empty one stays. Raises NameTakenError and ValidationError."""
    columns = {name: value for name, value in (("username", username), ("email", email)) if value}
    if User.objects.is_taken(*columns.values(), besides=person):
        raise NameTakenError
    _save(person, **columns)


@transaction.atomic
def set_superuser(person: User, *, is_superuser: bool) -> None:
    """Superusers see and may do everything. Raises LastAdministratorError."""
    with administrators.keeping_one():
        _save(person, is_superuser=is_superuser)


@transaction.atomic
def delete(person: User, *, at: datetime) -> None:
    """The account with its grants, tokens and devices. Its entries in histories stay. Raises LastAdministratorError."""
    with administrators.keeping_one():
        of_people.end_sessions(person, at=at)
        recorder.record("deleted", person)
        person.delete()


def _save(person: User, **columns: Any) -> None:
    with recorder.change(person):
        for name, value in columns.items():
            setattr(person, name, value)
        person.clean_fields(exclude={field.name for field in person._meta.fields} - columns.keys())
        person.save(update_fields=columns)


def _switch(person: User, is_active: bool, action: str, comment: str = "") -> bool:
    columns: dict[str, Any] = {"is_active": is_active} | ({"enabled_at": Now()} if is_active else {})
    if not User.objects.filter(pk=person.pk, is_active=not is_active).update(**columns):
        return False
    person.is_active = is_active
    recorder.record(action, person, comment=comment)
    publish(person)
    return True


def publish(person: User) -> None:
    """Open boards of the person are checked at once."""
    rights_changed.send(sender=User, people=frozenset({person.pk}))
