"""The page that rotates the keys of all terminals of a site. The new ones are downloaded once."""

from http import HTTPStatus

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.factors.confirmation import recently_signed_in
from tms.accounts.permissions import Permission
from tms.fleet.credentials.site_rotation import rotate_site, terminals_with_keys
from tms.fleet.enrolment.forms import SiteKeysForm
from tms.fleet.models import Site
from tms.lib.csv_text import csv_text


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.ENROL_TERMINALS)
@recently_signed_in
def rotate_site_keys(request: AuthenticatedRequest, code: str) -> HttpResponse:
    """A POST answers with the CSV `uid,credential`."""
    site = get_object_or_404(access.visible(Site.objects.all(), to=request.user), code=code)
    access.demand(request.user, Permission.ENROL_TERMINALS, site)
    at = timezone.now()
    form = SiteKeysForm(request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        number = terminals_with_keys(site, at=at).count()
        status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
        context = {"nav_item": "sites", "site": site, "form": form, "number": number}
        return render(request, "fleet/enrol/site-keys.html", context, status=status)
    issued = rotate_site(site, at=at, overlap=form.cleaned_data["overlap"])
    # Without the byte order mark of other files: programs read this one, and it is ASCII.
    content = csv_text([("uid", "credential"), *((one.uid, str(one)) for one in issued)])
    name = f'attachment; filename="keys-{site.code}.csv"'
    return HttpResponse(content, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": name})
