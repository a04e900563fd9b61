"""Undo of deletions that leave no row: overrides of on-call shifts, and plans of digests and reports."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib import messages
from django.core import serializers
from django.core.serializers.base import DeserializationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_lazy as _

from tms.accounts import undo
from tms.accounts.access import may
from tms.accounts.audit import recorder
from tms.accounts.decorators import AuthenticatedRequest
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.accounts.undo import serialize
from tms.notifications.models.digest_plan import DigestPlan
from tms.notifications.models.report_plan import ReportPlan
from tms.notifications.models.rotation import Cover

DELETED = "notification-row-deleted"


class Recreation(NamedTuple):
    """Who may make a row of a model, and for which other row."""

    permission: Permission
    holder: Callable[[Any], models.Model]


KINDS: Mapping[type[models.Model], Recreation] = {
    Cover: Recreation(Permission.OVERRIDE_SHIFTS, lambda row: row.rotation),
    DigestPlan: Recreation(Permission.PLAN_DIGESTS, lambda row: row.destination),
    ReportPlan: Recreation(Permission.PLAN_DIGESTS, lambda row: row.destination),
}


def add_toast(request: AuthenticatedRequest, row: models.Model) -> None:
    """Add a toast for the page to which the browser is redirected. `row`: as it was before it was deleted."""
    token = undo.offer(DELETED, {"row": serialize([row])}, by=request.user)
    messages.success(request, _("Deleted"), extra_tags=token)


def undo_deleted(payload: undo.Payload, *, by: User, at: datetime) -> bool:
    try:
        with transaction.atomic():
            (found,) = serializers.deserialize("json", payload["row"])
            row: Any = found.object
            needed = KINDS[type(row)]
            if not may(by, needed.permission, needed.holder(row)):
                return False
            row.save(force_insert=True)
            recorder.record("restored", row)
    except (IntegrityError, models.ObjectDoesNotExist, DeserializationError):
        return False
    return True


undo.register(DELETED, undo_deleted, _("Restored"))
