"""Pages that create and edit sites and set their opening hours."""

from datetime import date
from http import HTTPStatus
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.permissions import Permission
from tms.accounts.scope import Scope
from tms.fleet.models import Site, SpecialDay
from tms.fleet.sites import services
from tms.fleet.sites.forms import CODE_TAKEN, HoursForm, SiteForm, special_day_forms
from tms.fleet.sites.services import UnknownRegion
from tms.lib.forms.checks import is_check, render_errors
from tms.lib.forms.saved import redirect_saved

NAV_ITEM = "sites"


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.EDIT_SITES)
def new_site(request: AuthenticatedRequest) -> HttpResponse:
    form = SiteForm(request.POST if request.method == "POST" else None, by=request.user)
    return _edit(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.EDIT_SITES)
def edit_site(request: AuthenticatedRequest, code: str) -> HttpResponse:
    site = find_site(request, code)
    form = SiteForm(request.POST if request.method == "POST" else None, by=request.user, site=site)
    return _edit(request, form)


def find_site(request: AuthenticatedRequest, code: str) -> Site:
    """A site that the person may change."""
    site = get_object_or_404(access.visible(Site.objects.all(), to=request.user), code=code)
    access.demand(request.user, Permission.EDIT_SITES, site)
    return site


def _edit(request: AuthenticatedRequest, form: SiteForm) -> HttpResponse:
    if is_check(request):
        return render_errors(request, form)
    if request.method != "POST" or not form.is_valid():
        return _show(request, form)
    try:
        site = _save(request, form)
    except UnknownRegion:
        form.add_error("region", gettext("This region no longer exists. Choose another one."))
    except IntegrityError:
        form.add_error("code", str(CODE_TAKEN))
    else:
        return redirect_saved(request, "site", site.code)
    return _show(request, form)


@transaction.atomic
def _save(request: AuthenticatedRequest, form: SiteForm) -> Site:
    """Raises UnknownRegion and IntegrityError: what happened since the form was checked."""
    values, site = form.values, form.site
    if site is None or site.region != values.region:
        access.demand_within(request.user, Permission.EDIT_SITES, Scope.of(region=values.region))
    return services.create_site(values) if site is None else services.edit_site(site, values)


def _show(request: AuthenticatedRequest, form: SiteForm) -> HttpResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    context = {"nav_item": NAV_ITEM, "form": form, "site": form.site}
    return render(request, "fleet/sites/edit.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.EDIT_SITES)
def site_hours(request: AuthenticatedRequest, code: str) -> HttpResponse:
    """The week, public holidays and special days. Special days that are over stay as they are, and are not shown."""
    site = find_site(request, code)
    data = request.POST if request.method == "POST" else None
    over, coming = _special_days(site, timezone.localdate(timezone=ZoneInfo(site.time_zone)))
    form, days = HoursForm(data, site=site), special_day_forms(data, coming)
    if is_check(request):
        return render_errors(request, form, days)
    # Both are checked, so that the page shows all errors at once.
    if data is None or not (form.is_valid() & days.is_valid()):
        status = HTTPStatus.OK if data is None else HTTPStatus.UNPROCESSABLE_ENTITY
        context = {"nav_item": NAV_ITEM, "site": site, "form": form, "days": days, "over": len(over)}
        return render(request, "fleet/sites/hours.html", context, status=status)
    site.on_holidays = form.cleaned_data["on_holidays"]
    site.holiday_calendar = form.cleaned_data["holiday_calendar"]
    services.set_hours(site, form.rows(site), [*over, *(row for day in days for row in day.rows(site))])
    return redirect_saved(request, "site", site.code)


def _special_days(site: Site, today: date) -> tuple[list[SpecialDay], list[SpecialDay]]:
    """The special days that are over, and the others."""
    over, coming = list[SpecialDay](), list[SpecialDay]()
    for row in site.special_days.all():
        if (row.last_on or row.first_on) >= today:
            coming.append(row)
            continue
        row.pk = None  # the service replaces all rows
        over.append(row)
    return over, coming
