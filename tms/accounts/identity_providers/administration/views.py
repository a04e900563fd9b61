"""Identity providers: the list, and the page of one with its group mappings and tests."""

from typing import NamedTuple

from django.db import transaction
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tms.accounts import access
from tms.accounts.audit import recorder
from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.factors.confirmation import recently_signed_in
from tms.accounts.identity_providers import groups
from tms.accounts.identity_providers.administration import services
from tms.accounts.identity_providers.administration.forms import AnyProviderForm, MappingForm, form_of
from tms.accounts.identity_providers.oidc import sign_out
from tms.accounts.identity_providers.oidc import views as oidc
from tms.accounts.identity_providers.oidc.check import Outcome, check
from tms.accounts.identity_providers.oidc.flow import redirect_uri
from tms.accounts.identity_providers.oidc.pending import Purpose
from tms.accounts.identity_providers.saml import check as saml
from tms.accounts.identity_providers.saml import request as saml_request
from tms.accounts.models import ClientAuth, GroupMapping, Identity, IdentityProvider, ProviderKind
from tms.accounts.people import context, deleted
from tms.accounts.people.context import Confirmation
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.accounts.sessions import provider as provider_sessions

METHODS = ["GET", "HEAD", "POST"]
TAB = "identity-providers"


class ProviderLine(NamedTuple):
    provider: IdentityProvider
    people: int


class MappingLine(NamedTuple):
    value: str
    role: str
    scope: str
    remove: str
    """Where it is removed."""


class Address(NamedTuple):
    """One that is registered at the provider."""

    label: str
    text: str


@require_safe
@never_cache
@needs(Permission.EDIT_PROVIDERS)
def providers(request: AuthenticatedRequest) -> HttpResponse:
    _demand(request)
    return _page(request, None)


@sensitive_post_parameters("client_secret")
@require_http_methods(METHODS)
@never_cache
@needs(Permission.EDIT_PROVIDERS)
@recently_signed_in
def new_provider(request: AuthenticatedRequest) -> HttpResponse:
    _demand(request)
    kind = ProviderKind.SAML if request.GET.get("kind") == ProviderKind.SAML else ProviderKind.OIDC
    return _edit(request, IdentityProvider(kind=kind))


@sensitive_post_parameters("client_secret")
@require_http_methods(METHODS)
@never_cache
@needs(Permission.EDIT_PROVIDERS)
@recently_signed_in
def provider(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """POST: change its settings."""
    return _edit(request, _find(request, pk))


@require_POST
@never_cache
@needs(Permission.EDIT_PROVIDERS)
@recently_signed_in
def add_mapping(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    chosen = _find(request, pk)
    form = MappingForm(request.POST, by=request.user, address=reverse("add-mapping", args=(pk,)))
    if not form.is_valid():
        return _page(request, chosen, mapping_form=form)
    with recorder.change(chosen):
        form.store(chosen)
    return redirect("identity-provider", pk)


@require_POST
@never_cache
@needs(Permission.EDIT_PROVIDERS)
def remove_mapping(request: AuthenticatedRequest, pk: int, mapping: int) -> HttpResponse:
    chosen = _find(request, pk)
    row = get_object_or_404(chosen.mappings, pk=mapping)
    token = deleted.of_mapping(row, by=request.user)
    with recorder.change(chosen):
        row.delete()
    deleted.add_toast(request, token)
    return redirect("identity-provider", pk)


@require_POST
@never_cache
@needs(Permission.EDIT_PROVIDERS)
def check_provider(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """The test button: asks the provider what can be asked without signing in."""
    chosen = _find(request, pk)
    done = saml.check(chosen) if chosen.kind == ProviderKind.SAML else check(chosen)
    failed = [step.label for step in done if step.outcome == Outcome.FAILED]
    recorder.record("checked", chosen, {"failed": (None, failed)})
    return _page(request, chosen, checked=done, has_failed=bool(failed))


@require_POST
@never_cache
@needs(Permission.EDIT_PROVIDERS)
def test_sign_in(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Leads to the provider; what it sends is shown and not used."""
    chosen = _find(request, pk)
    recorder.record("sign-in-tested", chosen)
    return oidc.leave(request, chosen, Purpose.TEST, "")


@require_POST
@never_cache
@needs(Permission.EDIT_PROVIDERS)
@recently_signed_in
def renew_key(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Renew the key of a provider where TMS proves itself with one."""
    chosen = _find(request, pk)
    if chosen.client_auth != ClientAuth.PRIVATE_KEY:
        raise Http404
    services.renew_key(chosen)
    return redirect("identity-provider", pk)


@require_http_methods(METHODS)
@never_cache
@needs(Permission.EDIT_PROVIDERS)
def disable_provider(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    chosen = _find(request, pk)
    if request.method == "POST":
        services.disable(chosen)
        return redirect("identity-provider", pk)
    return context.confirm(request, _about_disabling(chosen), tab=TAB)


@require_POST
@never_cache
@needs(Permission.EDIT_PROVIDERS)
def enable_provider(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    services.enable(_find(request, pk))
    return redirect("identity-provider", pk)


@require_http_methods(METHODS)
@never_cache
@needs(Permission.EDIT_PROVIDERS)
@context.keeping_an_administrator
def delete_provider(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    chosen = _find(request, pk)
    if request.method == "POST":
        services.delete(chosen)
        return redirect("identity-providers")
    return context.confirm(request, _about_deleting(chosen), tab=TAB)


def _demand(request: AuthenticatedRequest) -> None:
    """A provider signs people of every scope in, so the permission must be for everything."""
    access.demand_within(request.user, Permission.EDIT_PROVIDERS, EVERYTHING)


def _find(request: AuthenticatedRequest, pk: int) -> IdentityProvider:
    _demand(request)
    return get_object_or_404(IdentityProvider, pk=pk)


def _edit(request: AuthenticatedRequest, chosen: IdentityProvider) -> HttpResponse:
    sent = request.POST if request.method == "POST" else None
    form = form_of(chosen)(sent, instance=chosen, by=request.user)
    if request.method != "POST" or not form.is_valid():
        return _page(request, chosen, form=form)
    return redirect("identity-provider", _store(form).pk)


@transaction.atomic
def _store(form: AnyProviderForm) -> IdentityProvider:
    """Save to the row as it is by now: during the checks it may have been disabled, or have got a new key."""
    if form.instance.pk:
        form.apply_to(get_object_or_404(IdentityProvider.objects.select_for_update(), pk=form.instance.pk))
    with recorder.change(form.instance):
        return form.save()


def _page(
    request: AuthenticatedRequest,
    chosen: IdentityProvider | None,
    *,
    form: AnyProviderForm | None = None,
    mapping_form: MappingForm | None = None,
    **more: object,
) -> HttpResponse:
    values: dict[str, object] = {"providers": _lines(), "chosen": chosen}
    if chosen is not None:
        values["form"] = form or form_of(chosen)(instance=chosen, by=request.user)
    if chosen is not None and chosen.pk:
        address = reverse("add-mapping", args=(chosen.pk,))
        values |= {
            "mappings": [_line(mapping) for mapping in chosen.mappings.select_related("role", "site", "group")],
            "mapping_form": mapping_form or MappingForm(by=request.user, address=address),
            "addresses": addresses(request, chosen),
        }
    is_refused = any(each is not None and each.errors for each in (form, mapping_form))
    return context.page(request, "identity-providers", values | more, tab=TAB, is_refused=is_refused)


def addresses(request: HttpRequest, chosen: IdentityProvider) -> list[Address]:
    if chosen.kind == ProviderKind.SAML:
        return [
            Address(gettext("Entity ID and address of the metadata"), saml_request.entity_id(request, chosen)),
            Address(gettext("Assertion consumer service"), saml_request.acs_url(request, chosen)),
        ]
    logout = request.build_absolute_uri(reverse("backchannel-logout", args=(chosen.slug,)))
    found = [
        Address(gettext("Redirect URI"), redirect_uri(request, chosen)),
        Address(gettext("Back-channel logout URI"), logout),
    ]
    if chosen.signs_out:
        found.append(Address(gettext("Post-logout redirect URI"), sign_out.return_uri(request)))
    if chosen.client_auth == ClientAuth.PRIVATE_KEY:
        keys = request.build_absolute_uri(reverse("provider-jwks", args=(chosen.slug,)))
        found.append(Address(gettext("JWKS URI"), keys))
    return found


def _lines() -> list[ProviderLine]:
    people = dict(Identity.objects.values_list("provider").annotate(Count("pk")))
    return [ProviderLine(row, people.get(row.pk, 0)) for row in IdentityProvider.objects.all()]


def _line(mapping: GroupMapping) -> MappingLine:
    remove = reverse("remove-mapping", args=(mapping.provider_id, mapping.pk))
    return MappingLine(mapping.value, str(mapping.role), groups.scope_of(mapping).label, remove)


def _about_disabling(chosen: IdentityProvider) -> Confirmation:
    return Confirmation(
        about=chosen.name,
        title=gettext("Disable this identity provider?"),
        consequences=[_people_of(chosen), _sessions_of(chosen), gettext("Grants from its groups stay as they are.")],
        act=gettext("Disable"),
        back=reverse("identity-provider", args=(chosen.pk,)),
    )


def _about_deleting(chosen: IdentityProvider) -> Confirmation:
    number = groups.number_of_grants(chosen)
    grants = ngettext("%d grant from its groups is withdrawn.", "%d grants from its groups are withdrawn.", number)
    return Confirmation(
        about=chosen.name,
        title=gettext("Delete this identity provider?"),
        consequences=[
            _people_of(chosen),
            _sessions_of(chosen),
            grants % number,
            gettext("The accounts stay. Their links to this provider cannot be restored."),
        ],
        act=gettext("Delete"),
        back=reverse("identity-provider", args=(chosen.pk,)),
    )


def _people_of(chosen: IdentityProvider) -> str:
    people = Identity.objects.filter(provider=chosen).select_related("person")
    alone = sum(not identity.person.has_usable_password() for identity in people)
    number = len(people)
    text = ngettext("%d person can no longer sign in there.", "%d people can no longer sign in there.", number) % number
    if not alone:
        return text
    without = ngettext("%d of them has no password in TMS.", "%d of them have no password in TMS.", alone) % alone
    return f"{text} {without}"


def _sessions_of(chosen: IdentityProvider) -> str:
    number = provider_sessions.of(chosen).count()
    text = ngettext(
        "%d session that began there ends now, with its boards.",
        "%d sessions that began there end now, with their boards.",
        number,
    )
    return text % number
