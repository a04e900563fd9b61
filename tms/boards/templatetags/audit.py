"""The history of one object in the audit trail."""

from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse

from tms.accounts import access
from tms.accounts.models import AuditEntry
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.boards.audit.rows import rows_of

register = template.Library()
SHOWN = 5


@register.inclusion_tag("boards/audit/history.html", takes_context=True)
def audit_history(context: dict[str, object], kind: str, pk: int | None) -> dict[str, object]:
    """The latest entries about one object; nothing for people who may not read the audit trail, and for a new one."""
    return _history(context, kind, object=pk) if pk is not None else {"is_shown": False}


@register.inclusion_tag("boards/audit/history.html", takes_context=True)
def audit_history_of_kind(context: dict[str, object], kind: str) -> dict[str, object]:
    """The latest entries about all objects of a kind, with their names: for a page that lists them."""
    return {**_history(context, kind), "has_names": True}


def _history(context: dict[str, Any], kind: str, **of_one: int) -> dict[str, object]:
    if not access.may_within(context["user"], Permission.READ_AUDIT, EVERYTHING):
        return {"is_shown": False}
    entries = AuditEntry.objects.filter(subject_type=kind).select_related("actor").order_by("-pk")
    for pk in of_one.values():
        entries = entries.filter(subject_id=str(pk))
    return {
        "is_shown": True,
        "entries": rows_of(list(entries[:SHOWN])),
        "address": f"{reverse('audit')}?{urlencode({'kind': kind, **of_one, 'span': 'all'})}",
    }
