"""Undo of the deletion of a rule."""

from datetime import datetime

from django.utils.dateparse import parse_datetime

from tms.accounts import undo
from tms.accounts.access import permitted
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts.models import Rule
from tms.alerts.rule_editing.services import restore_rule

DELETED = "rule-deleted"


def offer_restoring(rule: Rule, *, was_enabled: bool, by: User, at: datetime) -> str:
    return undo.offer(DELETED, {"rule": rule.pk, "at": at.isoformat(), "enabled": was_enabled}, by=by)


def undo_deleted(payload: undo.Payload, *, by: User, at: datetime) -> bool:
    deleted = Rule.objects.filter(pk=payload["rule"], deleted_at=parse_datetime(payload["at"]))
    rule = permitted(deleted, by=by, permission=Permission.EDIT_RULES).first()
    return rule is not None and restore_rule(rule, is_enabled=payload["enabled"], by=by, at=at)


undo.register(DELETED, undo_deleted)
