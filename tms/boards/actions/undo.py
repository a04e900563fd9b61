"""The view that undoes what a person did just now."""

from http import HTTPStatus

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from tms.accounts import undo as undoing
from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.accounts.sign_in.next_page import first_own
from tms.accounts.undo import TooLate
from tms.boards.toasts import add_toast, toast


@require_POST
@sign_in_required
def undo(request: AuthenticatedRequest) -> HttpResponse:
    """Reverse what the person did just now, as the token of its toast says."""
    try:
        undone = undoing.undo(request.POST.get("token", ""), by=request.user, at=timezone.now())
    except TooLate:
        text, status = gettext("Too late to undo this."), HTTPStatus.CONFLICT
    else:
        text = undone or gettext("Nothing to undo: it changed in the meantime.")
        status = HTTPStatus.OK if undone else HTTPStatus.CONFLICT
    shown = toast(text, "")
    if request.htmx:
        context = {**shown, "icon": "undo" if status == HTTPStatus.OK else "close"}
        return render(request, "boards/toast.html#alone", context)
    add_toast(request, shown)
    return redirect(first_own(request, request.headers.get("Referer", ""), otherwise="/"))
