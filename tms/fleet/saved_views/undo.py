"""Undo of the deletion of a view."""

from datetime import datetime
from typing import Any

from django.core import serializers
from django.core.serializers.base import DeserializationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_lazy as _

from tms.accounts import undo
from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.fleet.models import SavedView
from tms.fleet.saved_views.services import may_change

VIEW_DELETED = "saved-view-deleted"


def offer_restoring(view: SavedView, *, by: User) -> str:
    """The token, before it is deleted."""
    return undo.offer(VIEW_DELETED, {"row": undo.serialize([view])}, by=by)


def undo_deleted(payload: undo.Payload, *, by: User, at: datetime) -> bool:
    try:
        with transaction.atomic():
            (found,) = serializers.deserialize("json", payload["row"])
            view: Any = found.object
            if not may_change(view, by=by):
                return False
            view.save(force_insert=True)
            if view.is_shared:
                recorder.record("restored", view)
    except (IntegrityError, models.ObjectDoesNotExist, DeserializationError):
        return False
    return True


undo.register(VIEW_DELETED, undo_deleted, _("View restored"))
