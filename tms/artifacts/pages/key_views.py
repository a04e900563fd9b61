"""The page with the signing keys."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, needs, needs_to_post
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.artifacts import services
from tms.artifacts.manifest import ManifestError
from tms.artifacts.models import SigningKey
from tms.artifacts.pages.list_views import may_manage
from tms.artifacts.services import KeyRefused
from tms.lib.forms import Plain
from tms.lib.text_fields import FormLine


class KeyForm(Plain, forms.Form):
    name = FormLine(label=_("Name"), max_length=64, help_text=_("The one that tms-sign writes: release-2026."))
    public_key = FormLine(
        label=_("Public key"), max_length=64, help_text=_("Ed25519, in Base64, as tms-sign keygen prints it.")
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.dress()


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs_to_post(Permission.MANAGE_ARTIFACTS)
def signing_keys(request: AuthenticatedRequest) -> HttpResponse:
    """GET: the keys. POST: add one."""
    form = KeyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        access.demand_within(request.user, Permission.MANAGE_ARTIFACTS, EVERYTHING)
        if _add(form, request):
            return redirect("signing-keys")
    values = {
        "nav_item": "rollouts",
        "keys": SigningKey.objects.select_related("added_by"),
        "form": form,
        "may_manage": may_manage(request.user),
    }
    return render(request, "artifacts/keys.html", values, status=422 if form.is_bound else 200)


@require_POST
@needs(Permission.MANAGE_ARTIFACTS)
def remove_key(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Trust it no more for uploads; repeating that changes nothing."""
    access.demand_within(request.user, Permission.MANAGE_ARTIFACTS, EVERYTHING)
    services.remove_key(get_object_or_404(SigningKey, pk=pk), at=timezone.now())
    return redirect("signing-keys")


def _add(form: KeyForm, request: AuthenticatedRequest) -> bool:
    if not form.is_valid():
        return False
    values = form.cleaned_data
    try:
        services.add_key(values["name"], values["public_key"], by=request.user, at=timezone.now())
    except KeyRefused as error:
        form.add_error(error.where, str(error))
    except ManifestError as error:
        form.add_error("public_key", str(error))
    return not form.errors
