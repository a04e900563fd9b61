"""What people decide about an unexpected device: confirm the replacement, or block its key."""

from datetime import datetime

from django.db import transaction
from django.dispatch import Signal

from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.credentials import services as credentials
from tms.fleet.devices import placements
from tms.fleet.identity import history
from tms.fleet.models import Credential, Device, DeviceState, Placement, UnexpectedDevice
from tms.fleet.models.unexpected_device import Decision
from tms.fleet.presence import store

unexpected_decided = Signal()
"""Sent in the transaction, with `terminal` and `at`: its alert may end."""


class AlreadyDecided(Exception):
    """Somebody else decided, or the placed device is back."""

    code = "tms:already-decided"


@transaction.atomic
def confirm(
    unexpected: UnexpectedDevice,
    *,
    removed_becomes: DeviceState,
    by: User | None,
    at: datetime,
    comment: str = "",
) -> None:
    """The device was replaced: it becomes the placed one, and keeps the key that it uses, if that is known.

    The other keys of the terminal, and those of one that the device served as, are revoked: another device may have
    them.

    Raises AlreadyDecided, and Retired if the terminal was retired meanwhile.
    """
    terminal = unexpected.terminal
    store.lock([terminal.pk])
    credentials.check_not_retired(terminal)
    _decide(unexpected, Decision.CONFIRMED, by=by, at=at)
    device = placements.known_device(unexpected.serial, model=unexpected.model)
    with history.recording([terminal.pk], by=by, at=at):
        _leave(device, at=at)
        removed = placements.end_placement(terminal, becomes=removed_becomes, at=at)
        placements.place(device, terminal, by=by, at=at)
    keys = Credential.objects.filter(terminal=terminal, revoked_at=None)
    if unexpected.credential_id is not None:
        credentials.revoke(keys.exclude(pk=unexpected.credential_id), at=at)
    keys.update(device=device)
    change = {"device": (str(removed) if removed else None, str(device))}
    recorder.record("device-confirmed", terminal, change, comment=comment)
    _publish(unexpected, at)


@transaction.atomic
def block(unexpected: UnexpectedDevice, *, by: User | None, at: datetime, comment: str = "") -> None:
    """Revoke the key that the device used; its link closes within seconds. Raises AlreadyDecided."""
    store.lock([unexpected.terminal_id])
    _decide(unexpected, Decision.BLOCKED, by=by, at=at)
    used = Credential.objects.filter(terminal=unexpected.terminal_id)
    if unexpected.credential_id is not None:
        used = used.filter(pk=unexpected.credential_id)
    credentials.revoke(used, at=at)
    recorder.record("device-blocked", unexpected.terminal, {"device": (unexpected.serial, None)}, comment=comment)
    _publish(unexpected, at)


def _decide(unexpected: UnexpectedDevice, decision: Decision, *, by: User | None, at: datetime) -> None:
    undecided = UnexpectedDevice.objects.undecided().filter(pk=unexpected.pk)
    if not undecided.update(decision=decision, decided_at=at, decided_by=by):
        raise AlreadyDecided("somebody decided meanwhile, or the placed device is back")


def _leave(device: Device, *, at: datetime) -> None:
    """The device serves no other terminal any more."""
    for placement in Placement.objects.open().filter(device=device).select_related("terminal"):
        credentials.revoke(Credential.objects.filter(terminal=placement.terminal_id, device=device), at=at)
        placements.end_placement(placement.terminal, becomes=DeviceState.SPARE, at=at)


def _publish(unexpected: UnexpectedDevice, at: datetime) -> None:
    unexpected_decided.send(UnexpectedDevice, terminal=unexpected.terminal, at=at)
    publish(Change(terminals=frozenset({unexpected.terminal_id})))
