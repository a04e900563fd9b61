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
def audit_history(context: dict[str, Any], kind: str, pk: int | None) -> dict[str, Any]:
    """The latest entries about one object; nothing for people who may not read the audit trail, and for a new one."""
    if pk is None or not access.may_within(context["user"], Permission.READ_AUDIT, EVERYTHING):
        return {"is_shown": False}
    entries = AuditEntry.objects.filter(subject_type=kind, subject_id=str(pk)).select_related("actor")
    query = urlencode({"kind": kind, "object": pk, "span": "all"})
    return {
        "is_shown": True,
        "entries": rows_of(list(entries.order_by("-pk")[:SHOWN])),
        "address": f"{reverse('audit')}?{query}",
    }
