"""Undo of maintenance: a window that was planned just now is cancelled, a cancelled one is planned again."""

from datetime import datetime

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from tms.accounts import undo
from tms.accounts.access import permitted
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts.maintenance import services
from tms.alerts.models.maintenance import Window

PLANNED, CANCELLED = "window-planned", "window-cancelled"


def offer_cancelling(window: int, *, by: User) -> str:
    return undo.offer(PLANNED, {"window": window}, by=by)


def offer_restoring(window: Window, *, by: User, at: datetime) -> str:
    return undo.offer(CANCELLED, {"window": window.pk, "at": at.isoformat()}, by=by)


def undo_planned(payload: undo.Payload, *, by: User, at: datetime) -> bool:
    window = _permitted_window(payload, by).filter(ended_at=None, created_by=by).first()
    if window is not None:
        services.cancel(window, by=by, at=at)
    return window is not None


def undo_cancelled(payload: undo.Payload, *, by: User, at: datetime) -> bool:
    window = _permitted_window(payload, by).filter(ended_at=parse_datetime(payload["at"]), changed_by=by).first()
    return window is not None and services.restore(window, by=by, at=at)


def _permitted_window(payload: undo.Payload, by: User):  # type: ignore[no-untyped-def]
    return permitted(Window.objects.filter(pk=payload["window"]), by=by, permission=Permission.PLAN_MAINTENANCE)


undo.register(PLANNED, undo_planned, _("Maintenance cancelled"))
undo.register(CANCELLED, undo_cancelled, _("Maintenance restored"))
