"""The pages of destinations."""

from http import HTTPStatus

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, needs, needs_to_post, sign_in_required
from tms.accounts.permissions import Permission
from tms.lib.forms.saved import redirect_saved
from tms.notifications.destinations import services
from tms.notifications.destinations.forms import DestinationForm
from tms.notifications.destinations.test_send import send_test
from tms.notifications.models.destination import Destination
from tms.notifications.soft_delete.views import undoable
from tms.notifications.transports import ENTERED, SendResult


@require_safe
@never_cache
@sign_in_required
def destinations(request: AuthenticatedRequest) -> HttpResponse:
    return _page(request, None)


@require_safe
@never_cache
@needs(Permission.EDIT_DESTINATIONS)
def choose_destination(request: AuthenticatedRequest) -> HttpResponse:
    """The kinds of destinations."""
    return _page(request, None, is_choosing=True)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.EDIT_DESTINATIONS)
def new_destination(request: AuthenticatedRequest, kind: str) -> HttpResponse:
    if kind not in ENTERED:
        raise Http404
    destination = Destination(kind=kind)
    form = DestinationForm(request.POST if request.method == "POST" else None, instance=destination, by=request.user)
    if request.method != "POST" or not form.is_valid():
        return _page(request, destination, form=form)
    # A key is shown in the response itself, so that no session or message stores it.
    key = destination.new_key() if destination.transport.has_signing_key else ""
    services.save(destination, form.entries, by=request.user)
    return _page(request, destination, key=key) if key else redirect_saved(request, destination)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs_to_post(Permission.EDIT_DESTINATIONS)
def destination(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    chosen = _find(request, pk, is_edited=request.method == "POST")
    form = DestinationForm(request.POST if request.method == "POST" else None, instance=chosen, by=request.user)
    if request.method != "POST" or not form.is_valid():
        return _page(request, chosen, form=form)
    services.save(chosen, form.entries, by=request.user)
    return redirect_saved(request, chosen)


@require_POST
@needs(Permission.EDIT_DESTINATIONS)
def test_destination(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    chosen = _find(request, pk)
    return _page(request, chosen, result=send_test(chosen))


@require_POST
@needs(Permission.EDIT_DESTINATIONS)
def renew_key(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    chosen = _find(request, pk)
    if not chosen.transport.has_signing_key:
        raise Http404
    key = chosen.renew_key()
    return _page(request, chosen, key=key)


def _find(request: AuthenticatedRequest, pk: int, *, is_edited: bool = True) -> Destination:
    rows = access.visible(Destination.objects.not_deleted(), to=request.user)
    chosen = get_object_or_404(rows, pk=pk)
    if is_edited:
        access.demand(request.user, Permission.EDIT_DESTINATIONS, chosen)
    return chosen


def _page(
    request: AuthenticatedRequest,
    chosen: Destination | None,
    *,
    form: DestinationForm | None = None,
    key: str = "",
    result: SendResult | None = None,
    is_choosing: bool = False,
) -> HttpResponse:
    if chosen is not None and form is None:
        form = DestinationForm(instance=chosen, by=request.user)
    context: dict[str, object] = {
        **undoable(request, "destination"),
        "nav_item": "destinations",
        "destinations": access.visible(Destination.objects.not_deleted(), to=request.user).select_related("person"),
        "transports": ENTERED.values(),
        "chosen": chosen,
        "is_choosing": is_choosing,
        "may_edit": access.may(request.user, Permission.EDIT_DESTINATIONS, chosen if chosen and chosen.pk else None),
        "form": form,
        "key": key,
        "result": result,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form is not None and form.errors else HTTPStatus.OK
    return render(request, "notifications/destinations.html", context, status=status)
