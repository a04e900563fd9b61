"""Soft delete: destinations, policies and rotations go out of use, but stay in the history."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.http import Http404

from tms.accounts.access import Person, visible
from tms.accounts.audit import recorder
from tms.notifications.models.delivery import Delivery, DeliveryState
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Policy
from tms.notifications.models.rotation import Rotation

type SoftDeletable = Destination | Policy | Rotation

MODELS: Mapping[str, type[SoftDeletable]] = {"destination": Destination, "policy": Policy, "rotation": Rotation}


class NameTaken(Exception):
    """Another row has the name now."""

    code = "tms:name-taken"

    def __init__(self, row: SoftDeletable) -> None:
        super().__init__(f"the name {row.name} is already in use")
        self.row = row


def find(kind: str, pk: int, *, to: Person, is_deleted: bool = False) -> SoftDeletable | None:
    """The row, if the person sees it."""
    rows: models.QuerySet[Any] = MODELS[kind]._default_manager.filter(pk=pk, deleted_at__isnull=not is_deleted)
    row: SoftDeletable | None = visible(rows, to=to).first()
    return row


@contextmanager
def change(row: SoftDeletable) -> Iterator[None]:
    """A transaction that creates or changes it, and records that. Raises Http404 if it was deleted meanwhile."""
    with transaction.atomic():
        stored = type(row).objects.not_deleted().select_for_update().filter(pk=row.pk)
        if row.pk and not list(stored.values_list("pk")):
            raise Http404
        with recorder.change(row):
            yield


@transaction.atomic
def delete(row: SoftDeletable, *, at: datetime) -> bool:
    """Delete it, and withdraw what it has not sent; False if it was already deleted."""
    off = {} if isinstance(row, Rotation) else {"enabled": False}
    if not type(row).objects.not_deleted().filter(pk=row.pk).update(deleted_at=at, **off):
        return False
    if not isinstance(row, Rotation):
        waiting = Delivery.objects.filter(state=DeliveryState.WAITING, **{_column(row): row.pk})
        waiting.update(state=DeliveryState.WITHDRAWN, ended_at=at)
    recorder.record("deleted", row)
    return True


@transaction.atomic
def restore(row: SoftDeletable, *, is_on: bool) -> bool:
    """Restore it; withdrawn deliveries stay withdrawn. False if it was not deleted. Raises NameTaken."""
    model = type(row)
    if model.objects.not_deleted().filter(name=row.name).exists():
        raise NameTaken(row)
    on = {} if isinstance(row, Rotation) else {"enabled": is_on}
    if not model.objects.filter(pk=row.pk).exclude(deleted_at=None).update(deleted_at=None, **on):
        return False
    recorder.record("restored", row)
    return True


def _column(row: Destination | Policy) -> str:
    return "destination" if isinstance(row, Destination) else "policy"
