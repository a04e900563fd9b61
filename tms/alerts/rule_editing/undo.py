"""Undo of deleting or disabling a rule."""

from datetime import datetime

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from tms.accounts import undo
from tms.accounts.access import permitted
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts.models import Rule
from tms.alerts.rule_editing.services import restore_rule, save_rule

DELETED, DISABLED = "rule-deleted", "rule-disabled"


def offer_restoring(rule: Rule, *, was_enabled: bool, by: User, at: datetime) -> str:
    return undo.offer(DELETED, {"rule": rule.pk, "at": at.isoformat(), "enabled": was_enabled}, by=by)


def undo_deleted(payload: undo.Payload, *, by: User, at: datetime) -> bool:
    deleted = Rule.objects.filter(pk=payload["rule"], deleted_at=parse_datetime(payload["at"]))
    rule = permitted(deleted, by=by, permission=Permission.EDIT_RULES).first()
    return rule is not None and restore_rule(rule, is_enabled=payload["enabled"], by=by, at=at)


def offer_enabling(rule: Rule, *, by: User) -> str:
    return undo.offer(DISABLED, {"rule": rule.pk, "version": rule.version}, by=by)


def undo_disabled(payload: undo.Payload, *, by: User, at: datetime) -> bool:
    """Its resolved alerts stay so; it opens others for what it still matches."""
    disabled = Rule.objects.not_deleted().filter(pk=payload["rule"], enabled=False, version=payload["version"])
    rule = permitted(disabled, by=by, permission=Permission.EDIT_RULES).first()
    if rule is None:
        return False
    rule.enabled = True
    return save_rule(rule, by=by, at=at)


undo.register(DISABLED, undo_disabled, _("Rule enabled again"))
undo.register(DELETED, undo_deleted, _("Rule restored"))
