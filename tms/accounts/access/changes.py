"""Notices when the rights of people change, however their grants, roles and teams are saved."""

from collections.abc import Collection, Iterable

from django.db.models import Q
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete
from django.dispatch import Signal

from tms.accounts.models import Grant, Role, Team, User

rights_changed = Signal()
"""Sent in the transaction of the change, with `people`: the primary keys of those concerned."""


def connect() -> None:
    post_save.connect(_grant_changed, sender=Grant)
    post_delete.connect(_grant_changed, sender=Grant)
    post_save.connect(_role_changed, sender=Role)
    pre_delete.connect(_team_deleted, sender=Team)
    m2m_changed.connect(_members_changed, sender=Team.members.through)
    post_save.connect(_person_changed, sender=User)


def _send(people: Iterable[int]) -> None:
    if concerned := frozenset(people):
        rights_changed.send(sender=User, people=concerned)


def _grant_changed(*, instance: Grant, **_: object) -> None:
    if instance.person_id is not None:
        _send([instance.person_id])
    elif instance.team_id is not None:
        _send(User.objects.filter(teams=instance.team_id).values_list("pk", flat=True))


def _role_changed(*, instance: Role, created: bool, **_: object) -> None:
    if not created:
        holders = Q(grants__role=instance) | Q(teams__grants__role=instance)
        _send(User.objects.filter(holders).values_list("pk", flat=True))


def _team_deleted(*, instance: Team, **_: object) -> None:
    _send(instance.members.values_list("pk", flat=True))


def _members_changed(
    *, instance: Team | User, action: str, reverse: bool, pk_set: Collection[int] | None, **_: object
) -> None:
    """`reverse`: the teams of a person were changed. Before clearing, the members are still known."""
    if reverse and action.startswith("post"):
        _send([instance.pk])
    elif isinstance(instance, Team) and action == "pre_clear":
        _send(instance.members.values_list("pk", flat=True))
    elif action in {"post_add", "post_remove"}:
        _send(pk_set or ())


def _person_changed(*, instance: User, created: bool, update_fields: Collection[str] | None, **_: object) -> None:
    """A sign-in saves only its time."""
    if not created and (update_fields is None or {"is_active", "is_superuser"} & set(update_fields)):
        _send([instance.pk])
