"""Whom to call about a site: the form of its contacts."""

from collections.abc import Iterable
from http import HTTPStatus

from django.forms import formset_factory
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.permissions import Permission
from tms.fleet.models import Site, SiteContact
from tms.fleet.sites.services import set_contacts
from tms.fleet.sites.views import NAV_ITEM, find_site
from tms.lib.forms.bases import ModelForm
from tms.lib.forms.saved import redirect_saved

MAX_CONTACTS = 6


class ContactForm(ModelForm[SiteContact]):
    class Meta:
        model = SiteContact
        fields = ("name", "phone", "email", "note")


ContactForms = formset_factory(ContactForm, extra=MAX_CONTACTS, max_num=MAX_CONTACTS)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.EDIT_SITES)
def site_contacts(request: AuthenticatedRequest, code: str) -> HttpResponse:
    """Show and save the contacts of a site. Empty rows are left out."""
    site = find_site(request, code)
    if request.method != "POST":
        shown = site.contacts.values("name", "phone", "email", "note")
        return _show(request, site, ContactForms(initial=list(shown)))
    sent = ContactForms(request.POST)
    if not sent.is_valid():
        return _show(request, site, sent, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    set_contacts(site, [form.instance for form in sent if form.cleaned_data.get("name")])
    return redirect_saved(request, "site", site.code)


def _show(
    request: AuthenticatedRequest, site: Site, contacts: Iterable[object], *, status: int = HTTPStatus.OK
) -> HttpResponse:
    context = {"nav_item": NAV_ITEM, "site": site, "contacts": contacts}
    return render(request, "fleet/sites/contacts.html", context, status=status)
