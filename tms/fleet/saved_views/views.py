"""The pages of saved views: all that a person sees, and the dialogs that save, change and delete one."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.fleet.models import SavedView
from tms.fleet.models.saved_view import MAX_VIEW_NAME
from tms.fleet.saved_views import services
from tms.fleet.saved_views.forms import SavedViewForm, initial_of
from tms.fleet.saved_views.services import ViewValues
from tms.fleet.saved_views.undo import offer_restoring

LISTED = {"q": "query", "columns": "columns", "order": "order"}
"""Fields of a view, by the parameter of the list."""


@require_safe
@never_cache
@sign_in_required
def saved_views(request: AuthenticatedRequest) -> HttpResponse:
    rows = services.views_of(request.user).select_related("by", "owner_site", "owner_group")
    views = [(view, services.may_change(view, by=request.user)) for view in rows]
    return render(request, "fleet/views/views.html", {"nav_item": "terminals", "views": views})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sign_in_required
def new_view(request: AuthenticatedRequest) -> HttpResponse:
    """GET: the list that `q`, `columns` and `order` describe. Sharing it needs the permission to manage groups."""
    if request.method != "POST":
        initial = {"name": request.GET.get("name", "")[:MAX_VIEW_NAME], **_listed(request.GET)}
        return _ask(request, SavedViewForm(by=request.user, initial=initial))
    form = SavedViewForm(request.POST, by=request.user)
    return _answer(request, form, None, lambda values: services.create_view(values, by=request.user))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sign_in_required
def view(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """POST: rename it, change its query, or share it."""
    chosen = _editable(request, pk)
    is_own = chosen.by_id == request.user.pk
    if request.method != "POST":
        initial = initial_of(ViewValues.of(chosen))
        return _ask(request, SavedViewForm(by=request.user, is_own=is_own, initial=initial), chosen)
    form = SavedViewForm(request.POST, by=request.user, is_own=is_own)
    return _answer(request, form, chosen, lambda values: _change(chosen, values, request))


@require_POST
@never_cache
@sign_in_required
def save_view(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Let the view be the list that `q`, `columns` and `order` describe."""
    chosen = _editable(request, pk)
    listed = initial_of(ViewValues.of(chosen)) | _listed(request.POST)
    form = SavedViewForm(listed, by=request.user, is_own=chosen.by_id == request.user.pk)
    return _answer(request, form, chosen, lambda values: _change(chosen, values, request))


@require_POST
@never_cache
@sign_in_required
def delete_view(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    chosen = _editable(request, pk)
    token = offer_restoring(chosen, by=request.user)
    services.delete_view(chosen, by=request.user)
    messages.success(request, gettext("View deleted"), extra_tags=token)
    return _leave(request, chosen.list)


def _listed(given: QueryDict) -> dict[str, str]:
    return {field: given.get(name, "") for name, field in LISTED.items()}


def _editable(request: AuthenticatedRequest, pk: int) -> SavedView:
    found = services.views_of(request.user).filter(pk=pk).first()
    if found is None:
        raise Http404
    services.demand_change(found, by=request.user)
    return found


def _change(chosen: SavedView, values: ViewValues, request: AuthenticatedRequest) -> SavedView:
    services.change_view(chosen, values, by=request.user)
    chosen.refresh_from_db()
    return chosen


def _answer(
    request: AuthenticatedRequest,
    form: SavedViewForm,
    chosen: SavedView | None,
    save: Callable[[ViewValues], SavedView],
) -> HttpResponse:
    """Save what the form says, and lead to the list; 422 with the form if that is impossible."""
    if not form.is_valid():
        return _ask(request, form, chosen)
    try:
        with transaction.atomic():
            saved = save(form.values)
    except ValidationError as error:
        form.add_errors(error)
    except services.TooManyViews as error:
        form.add_error(None, str(error))
    except IntegrityError:
        form.add_error("name", gettext("There is another view of this name. Choose a different one."))
    else:
        messages.success(request, gettext("Saved"))
        return _leave(request, saved.address)
    return _ask(request, form, chosen)


def _leave(request: AuthenticatedRequest, to: str) -> HttpResponse:
    """Lead to a page, also from a dialog."""
    answer = redirect(to)
    return HttpResponseClientRedirect(answer["Location"]) if request.htmx else answer


def _ask(request: AuthenticatedRequest, form: SavedViewForm, chosen: SavedView | None = None) -> HttpResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    values: dict[str, Any] = {
        "nav_item": "terminals",
        "form": form,
        "chosen": chosen,
        "here": reverse("view", args=(chosen.pk,)) if chosen else reverse("new-view"),
        "back": chosen.address if chosen else reverse("terminals"),
    }
    template = "fleet/views/view.html#dialog" if request.htmx else "fleet/views/view.html"
    return render(request, template, values, status=status)
