"""The pages of regions: the list with the form of one, and deleting it."""

from copy import copy
from http import HTTPStatus

from django.db import IntegrityError
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.fleet.models import Region, Site
from tms.fleet.regions import services
from tms.fleet.regions.forms import RegionForm
from tms.fleet.regions.services import RegionInUse
from tms.lib.forms.checks import is_check, render_errors
from tms.lib.forms.saved import redirect_saved


@require_safe
@never_cache
@needs(Permission.EDIT_SITES)
def regions(request: AuthenticatedRequest) -> HttpResponse:
    return _page(request)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.EDIT_SITES)
def new_region(request: AuthenticatedRequest) -> HttpResponse:
    """A region is a part of everything, so creating one needs the permission for everything."""
    access.demand_within(request.user, Permission.EDIT_SITES, EVERYTHING)
    return _edit(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.EDIT_SITES)
def region(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """POST: rename it, everywhere at once."""
    return _edit(request, _find(request, pk))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.EDIT_SITES)
def delete_region(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """GET: what uses it. POST: delete it; 409 if something uses it."""
    chosen = _find(request, pk)
    if request.method != "POST":
        return _ask(request, chosen, services.uses_of(chosen))
    try:
        services.delete_region(chosen)
    except RegionInUse as error:
        return _ask(request, chosen, error.by, status=HTTPStatus.CONFLICT)
    return redirect("regions")


def _edit(request: AuthenticatedRequest, chosen: Region | None) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    # A copy, because validating the form changes it, and the page names the region as it is.
    form = RegionForm(data, instance=copy(chosen) if chosen else None)
    if is_check(request):
        return render_errors(request, form)
    if data is None or not form.is_valid():
        return _page(request, chosen, form=form)
    try:
        saved = _save(chosen, **form.cleaned_data)
    except IntegrityError:
        form.add_error("name", gettext("Another region has this name."))
        return _page(request, chosen, form=form)
    return redirect_saved(request, "region", saved.pk)


def _save(chosen: Region | None, *, name: str, name_ja: str) -> Region:
    if chosen is None:
        return services.create_region(name, name_ja=name_ja)
    services.edit_region(chosen, name=name, name_ja=name_ja)
    return chosen


def _find(request: AuthenticatedRequest, pk: int) -> Region:
    found = get_object_or_404(access.visible(Region.objects.all(), to=request.user), pk=pk)
    access.demand(request.user, Permission.EDIT_SITES, found)
    return found


def _page(
    request: AuthenticatedRequest, chosen: Region | None = None, *, form: RegionForm | None = None
) -> HttpResponse:
    by = request.user
    sites = access.visible(Site.objects.filter(closed_at=None).exclude(region=""), to=by)
    numbers = dict(sites.order_by().values_list("region").annotate(number=Count("pk", distinct=True)))
    rows = access.visible(Region.objects.all(), to=by)
    editable = set(access.permitted(rows, by=by, permission=Permission.EDIT_SITES).values_list("pk", flat=True))
    context = {
        "nav_item": "sites",
        "regions": [(row, numbers.get(row.name, 0), row.pk in editable) for row in rows.order_by("name")],
        "chosen": chosen,
        "form": form,
        "may_create": access.may_within(by, Permission.EDIT_SITES, EVERYTHING),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form and form.is_bound else HTTPStatus.OK
    return render(request, "fleet/regions/regions.html", context, status=status)


def _ask(
    request: AuthenticatedRequest, chosen: Region, used: dict[str, int], *, status: int = HTTPStatus.OK
) -> HttpResponse:
    context = {"nav_item": "sites", "chosen": chosen, "used": used}
    return render(request, "fleet/regions/delete.html", context, status=status)
