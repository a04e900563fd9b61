"""Delete with a confirmation, and undo from the list that follows."""

import re
from http import HTTPStatus
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.accounts.permissions import Permission
from tms.notifications.soft_delete import services
from tms.notifications.soft_delete.services import NameTaken

LISTS = {"destination": "destinations", "policy": "policies", "rotation": "rotations"}
NEEDED = {
    "destination": Permission.EDIT_DESTINATIONS,
    "policy": Permission.EDIT_POLICIES,
    "rotation": Permission.EDIT_ROTATIONS,
}
PRIMARY_KEY = re.compile(r"[0-9]{1,18}")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sign_in_required
def delete(request: AuthenticatedRequest, kind: str, pk: int) -> HttpResponse:
    row = _find(request, kind, pk)
    if request.method != "POST":
        return _page(request, kind, row)
    was_on = getattr(row, "enabled", True)
    services.delete(row, at=timezone.now())
    return redirect(f"{reverse(LISTS[kind])}?{urlencode({'deleted': pk} | ({'on': 1} if was_on else {}))}")


@require_POST
@sign_in_required
def restore(request: AuthenticatedRequest, kind: str, pk: int) -> HttpResponse:
    row = _find(request, kind, pk, is_deleted=True)
    try:
        services.restore(row, is_on=request.POST.get("on") == "1")
    except NameTaken:
        return _page(request, kind, row, is_name_taken=True)
    return redirect(row)


def undoable(request: AuthenticatedRequest, kind: str) -> dict[str, object]:
    """Context of a list after a delete: the row, and how to undo it."""
    pk = request.GET.get("deleted", "")
    row = services.find(kind, int(pk), to=request.user, is_deleted=True) if PRIMARY_KEY.fullmatch(pk) else None
    if row is None:
        return {}
    return {"deleted": row, "restore": reverse(f"restore-{kind}", args=(row.pk,)), "was_on": request.GET.get("on")}


def _find(request: AuthenticatedRequest, kind: str, pk: int, *, is_deleted: bool = False) -> services.SoftDeletable:
    """One that the person may change."""
    access.demand(request.user, NEEDED[kind])
    row = services.find(kind, pk, to=request.user, is_deleted=is_deleted)
    if row is None:
        raise Http404
    access.demand(request.user, NEEDED[kind], row)
    return row


def _page(
    request: AuthenticatedRequest, kind: str, row: services.SoftDeletable, *, is_name_taken: bool = False
) -> HttpResponse:
    context = {
        "nav_item": LISTS[kind],
        "kind": kind,
        "row": row,
        "is_taken": is_name_taken,
        "back": reverse(LISTS[kind]) if is_name_taken else row.get_absolute_url(),
    }
    return render(
        request, "notifications/delete.html", context, status=HTTPStatus.CONFLICT if is_name_taken else HTTPStatus.OK
    )
