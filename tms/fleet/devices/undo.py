"""Undoing the replacement of a device, as long as the new one was not connected."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q

from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.credentials import services as credentials
from tms.fleet.identity import history
from tms.fleet.models import Credential, Device, DeviceState, EnrolmentToken, Placement, Terminal
from tms.fleet.presence import store

UNDO_WITHIN = timedelta(minutes=10)


class CannotUndo(Exception):
    """The new device was connected, the time is over, or the device before serves elsewhere."""

    code = "tms:cannot-undo"


class Replaced(NamedTuple):
    """A replacement that can still be undone."""

    new: Placement
    old: Placement

    @property
    def until(self) -> datetime:
        return self.new.began_at + UNDO_WITHIN


def undoable(terminal: Terminal, *, at: datetime) -> Replaced | None:
    """The last replacement at the terminal, if it can be undone."""
    found = Placement.objects.filter(terminal=terminal).select_related("device").order_by("-began_at", "-pk")[:2]
    match list(found):
        case [new, old] if new.ended_at is None and old.ended_at == new.began_at:
            replaced = Replaced(new, old)
            if at < replaced.until and not _is_settled(replaced):
                return replaced
    return None


@transaction.atomic
def undo(terminal: Terminal, *, by: User, at: datetime, comment: str = "") -> Device:
    """Give the device before its place and its keys back; the new one is a spare. Returns the device before.

    The new placement is deleted, because the new device never served. Raises CannotUndo and Retired.
    """
    store.lock([terminal.pk])
    credentials.check_not_retired(terminal)
    replaced = undoable(terminal, at=at)
    if replaced is None:
        raise CannotUndo("the new device was connected, 10 minutes are over, or the device before serves elsewhere")
    new, old = replaced.new.device, replaced.old.device
    with history.recording([terminal.pk], by=by, at=at):
        credentials.revoke(Credential.objects.filter(terminal=terminal), at=at)
        _withdraw_tokens(replaced.new, at=at)
        replaced.new.delete()
        _serve_again(replaced.old, terminal)
        Device.objects.filter(pk=new.pk).update(state=DeviceState.SPARE)
    recorder.record("replacement-undone", terminal, {"device": (str(new), str(old))}, comment=comment)
    publish(Change(terminals=frozenset({terminal.pk})))
    return old


def _is_settled(replaced: Replaced) -> bool:
    """The new device was connected, or the one before serves elsewhere."""
    keys = Credential.objects.filter(terminal=replaced.new.terminal_id)
    used = Q(revoked_at=None, used_at__isnull=False) | Q(used_at__gte=replaced.new.began_at)
    return keys.filter(used).exists() or Placement.objects.open().filter(device=replaced.old.device_id).exists()


def _serve_again(old: Placement, terminal: Terminal) -> None:
    """The keys that the replacement revoked have the instant at which the placement ended; others stay revoked."""
    Credential.objects.filter(terminal=terminal, revoked_at=old.ended_at).update(revoked_at=None)
    Placement.objects.filter(pk=old.pk).update(ended_at=None)
    Device.objects.filter(pk=old.device_id).update(state=DeviceState.IN_SERVICE, site=terminal.site_id)
    Terminal.objects.filter(pk=terminal.pk).update(serial=old.device.serial, model=old.device.model)


def _withdraw_tokens(new: Placement, *, at: datetime) -> None:
    """Tokens with which the new device would fetch its key."""
    waiting = EnrolmentToken.objects.filter(terminal=new.terminal_id, used_at=None, withdrawn_at=None)
    for token in waiting.filter(created_at__gte=new.began_at).select_related("site"):
        EnrolmentToken.objects.filter(pk=token.pk).update(withdrawn_at=at)
        recorder.record("enrolment-token-withdrawn", token.site or token, {"token": (token.digest[:8], None)})
