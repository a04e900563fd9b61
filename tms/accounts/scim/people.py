"""People as the directory sees them. Disabling one ends their sessions, boards and tokens."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, ClassVar

from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from scim2_models import PatchOp

from tms.accounts import api_tokens
from tms.accounts.audit import recorder
from tms.accounts.models import FormerPassword, Identity, Invitation, ProvisionedPerson, Team, User
from tms.accounts.people import account, holdings
from tms.accounts.people.rows import grants_of_person
from tms.accounts.scim import schemas
from tms.accounts.scim.endpoint import ScimRequest
from tms.accounts.scim.errors import invalid_value, not_unique
from tms.accounts.scim.filters import FilterColumn, FixedColumn, FlagColumn, KeyColumn, NameColumn, TextColumn
from tms.accounts.scim.protection import (
    check_may_give,
    check_unprotected,
    check_verified,
    keeping_an_administrator,
    may_give,
)
from tms.accounts.scim.requests import external_id_of, scim_rules
from tms.accounts.scim.resources import ResourceKind
from tms.protocol.text import clean

PREFIX = "person-"
HAS_EMAIL = ~Q(email="")
FIELDS = {"username": "userName", "first_name": "name.givenName", "last_name": "name.familyName", "email": "emails"}
"""The attribute of each column."""


def visible_people() -> QuerySet[User]:
    """The people of the directory, without those whom it has deleted."""
    return User.objects.filter(is_service=False).exclude(provisioned__deleted_at__isnull=False)


class Users(ResourceKind[User, schemas.ScimUser]):
    name = "User"
    prefix = PREFIX
    model = schemas.ScimUser
    columns: ClassVar[Mapping[str, FilterColumn]] = {
        "id": KeyColumn(PREFIX),
        "username": NameColumn("username"),
        "externalid": TextColumn("provisioned__external_id", is_exact=True),
        "emails": NameColumn("email"),
        "emails.value": NameColumn("email"),
        "emails.type": FixedColumn("work", HAS_EMAIL),
        "emails.primary": FixedColumn(True, HAS_EMAIL),
        "name.givenname": TextColumn("first_name"),
        "name.familyname": TextColumn("last_name"),
        "active": FlagColumn("is_active"),
    }

    def rows(self) -> QuerySet[User]:
        return visible_people().select_related("provisioned").order_by("pk")

    def shapes(self, rows: Collection[User]) -> list[schemas.ScimUser]:
        teams = _teams(rows)
        return [_shape(person, teams[person.pk]) for person in rows]

    def create(self, wanted: schemas.ScimUser, request: ScimRequest) -> User:
        """A person whom the directory had deleted gets the same account again."""
        at = timezone.now()
        values = _values(wanted)
        is_active = wanted.active is not False
        known = _deleted_person(values["username"])
        person = known or User(password=make_password(None), is_active=is_active)
        if known:
            _check_change(known, values, is_active, by=request.person)
            ProvisionedPerson.objects.filter(person=known).update(deleted_at=None)
            User.objects.filter(pk=known.pk).update(is_name_verified=True)  # nothing is left of who had it
        _assign(person, values)
        recorder.record("provisioned", person, {name: (None, value) for name, value in values.items()})
        _link(person, external_id_of(wanted), at=at)
        if known:
            with keeping_an_administrator():
                _switch(known, is_active, at=at)
        return person

    def replace(self, row: User, wanted: schemas.ScimUser, request: ScimRequest) -> None:
        _apply(row, wanted, by=request.person)

    def patch(self, row: User, message: PatchOp[Any], request: ScimRequest) -> None:
        wanted = self.shapes([row])[0]
        with scim_rules():
            message.patch(wanted)
        _apply(row, wanted, by=request.person)

    def delete(self, row: User, request: ScimRequest) -> None:
        """The account stays for the history, without anything that a later person of the same name could use.

        What the service account could not give back is not taken: a stolen token would remove every administrator.
        Disabled, the person has no use of it, and the directory cannot enable them.
        """
        check_unprotected(row)
        at = timezone.now()
        with keeping_an_administrator():
            account.disable(row, at=at)
            if may_give(request.person, row):
                _strip(row, at=at)
        _link(row, "", at=at)
        ProvisionedPerson.objects.filter(person=row).update(deleted_at=at, deactivated_at=at)
        recorder.record("deprovisioned", row)


USERS = Users()


def _teams(people: Collection[User]) -> Mapping[int, list[Team]]:
    found: defaultdict[int, list[Team]] = defaultdict(list)
    through = Team.members.through.objects.filter(user__in=people).select_related("team").order_by("team")
    for membership in through:
        found[membership.user_id].append(membership.team)
    return found


def _shape(person: User, teams: Collection[Team]) -> schemas.ScimUser:
    name = schemas.ScimName(given_name=person.first_name or None, family_name=person.last_name or None)
    emails = [schemas.ScimEmail(value=person.email, type="work", primary=True)] if person.email else None
    row = getattr(person, "provisioned", None)
    return schemas.ScimUser(
        id=f"{PREFIX}{person.pk}",
        external_id=(row.external_id if row else "") or None,
        user_name=person.username,
        name=name if person.first_name or person.last_name else None,
        emails=emails,
        active=person.is_active,
        groups=[schemas.ScimMembership(value=f"team-{team.pk}", display=team.name) for team in teams] or None,
    )


def _values(wanted: schemas.ScimUser) -> dict[str, str]:
    """The values by column of `User`."""
    name = wanted.name or schemas.ScimName()
    texts = (wanted.user_name, name.given_name, name.family_name, _address(wanted.emails or []))
    return dict(zip(FIELDS, (clean(text or "").strip() for text in texts), strict=True))


def _address(emails: Collection[schemas.ScimEmail]) -> str:
    """The primary one, else that of work, else the first."""
    given = [email for email in emails if email.value]
    given.sort(key=lambda email: (not email.primary, (email.type or "").lower() != "work"))
    return given[0].value or "" if given else ""


def _deleted_person(username: str) -> User | None:
    """The person of this name whom the directory had deleted, locked. An administrator may have enabled them since."""
    named = User.objects.keys_of(username, column="username")
    rows = ProvisionedPerson.objects.exclude(deleted_at=None).filter(person__in=named)
    row = rows.select_related("person").select_for_update(of=("person", "self")).first()
    return row.person if row else None


def _apply(person: User, wanted: schemas.ScimUser, *, by: User) -> None:
    """Change what differs. A request without a difference is allowed for protected accounts, too."""
    at = timezone.now()
    values = _values(wanted)
    changed = _changed_columns(person, values)
    is_active = person.is_active if wanted.active is None else wanted.active
    external_id = getattr(getattr(person, "provisioned", None), "external_id", "")
    if not changed and is_active == person.is_active and external_id == external_id_of(wanted):
        return
    _check_change(person, values, is_active, by=by)
    if changed:
        with recorder.change(person):
            _assign(person, values)
    _link(person, external_id_of(wanted), at=at)
    with keeping_an_administrator():
        _switch(person, is_active, at=at)


def _changed_columns(person: User, values: Mapping[str, str]) -> set[str]:
    """The columns that the values differ from."""
    return {name for name, value in values.items() if getattr(person, name) != value}


def _check_change(person: User, values: Mapping[str, str], is_active: bool, *, by: User) -> None:
    """Raises ScimError if the directory may not change an account in this way."""
    check_unprotected(person)
    if not hasattr(person, "provisioned"):
        check_verified(person)
    if _changed_columns(person, values) & {"username", "email"} or is_active > person.is_active:
        check_may_give(by, person)


def _assign(person: User, values: Mapping[str, str]) -> None:
    """Set the columns and save. Raises ScimError if a value does not fit, or belongs to another account."""
    renamed = [values[name] for name in _changed_columns(person, values) & {"username", "email"}]
    for name, value in values.items():
        setattr(person, name, value)
    if not values["username"] or " " in values["username"]:
        raise invalid_value("userName must not be empty or contain spaces")
    others = set(_unchecked_columns(person))
    try:
        person.clean_fields(exclude=others)
    except ValidationError as error:
        text = "; ".join(f"{FIELDS[name]}: {' '.join(lines)}" for name, lines in error.message_dict.items())
        raise invalid_value(text) from None
    _check_unique(person, renamed)
    person.save(update_fields=None if person._state.adding else tuple(values))


def _unchecked_columns(person: User) -> Collection[str]:
    """The columns that the directory does not write; and the username, which may have any visible characters."""
    longest = User._meta.get_field("username").max_length or 0
    if len(person.username) > longest:
        raise invalid_value(f"userName: at most {longest} characters")
    return {field.name for field in User._meta.fields} - (FIELDS.keys() - {"username"})


def _check_unique(person: User, names: Collection[str]) -> None:
    """No other account has these names, or some that look like them: nobody gets a second account."""
    for name in names:
        if User.objects.is_taken(name, besides=person):
            raise not_unique(f"another account has the name or address {name}, or one that looks like it")


def _link(person: User, external_id: str, *, at: datetime) -> None:
    """Let the directory manage the person."""
    others = ProvisionedPerson.objects.exclude(person=person)
    if external_id and others.filter(external_id=external_id).exists():
        raise not_unique(f"another account has the externalId {external_id}")
    values = {"external_id": external_id, "changed_at": at}
    row, _ = ProvisionedPerson.objects.update_or_create(
        person=person, defaults=values, create_defaults={**values, "created_at": at}
    )
    person.provisioned = row  # as it is read later in this request


def _switch(person: User, is_active: bool, *, at: datetime) -> None:
    if person.is_active == is_active:
        return
    if is_active:
        account.enable(person)
        return
    account.disable(person, at=at)
    ProvisionedPerson.objects.filter(person=person).update(deactivated_at=at)


def _strip(person: User, *, at: datetime) -> None:
    """Take all that gives access: teams, grants, tokens, factors, the password, identities and invitations."""
    for team in person.teams.all():
        holdings.remove_member(team, person)
    for grant in grants_of_person(person).filter(person=person):
        holdings.withdraw(grant)
    api_tokens.revoke(person.api_tokens.all(), at=at)
    Authenticator.objects.filter(user=person).delete()
    Invitation.objects.filter(person=person).delete()
    Identity.objects.filter(person=person).delete()
    FormerPassword.objects.filter(person=person).delete()
    person.set_unusable_password()
    person.save(update_fields=("password",))
