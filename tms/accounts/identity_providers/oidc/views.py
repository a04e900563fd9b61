"""Sign in at a provider: to it, and back from it."""

import time
from dataclasses import replace
from http import HTTPStatus

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from tms.accounts.audit import recorder
from tms.accounts.factors import policy
from tms.accounts.identity_providers import provisioning
from tms.accounts.identity_providers.linking import services as linking
from tms.accounts.identity_providers.oidc import client_key, flow, pending, trial
from tms.accounts.identity_providers.oidc.claims import assertion_of, authenticated_at
from tms.accounts.identity_providers.oidc.flow import Returned
from tms.accounts.identity_providers.oidc.metadata import FAILED_S, ProviderAwayError, ProviderError
from tms.accounts.identity_providers.oidc.pending import Pending, Purpose
from tms.accounts.identity_providers.oidc.tokens import TokenError
from tms.accounts.identity_providers.saml import request as saml_request
from tms.accounts.models import Identity, IdentityProvider, ProviderKind, User
from tms.accounts.sign_in import steps
from tms.accounts.sign_in.assertion import Assertion, SignInRefused
from tms.accounts.sign_in.next_page import first_own
from tms.lib.encryption import DecryptionError
from tms.metrics.instruments import PROVIDER_SIGN_INS
from tms.protocol.text import storable


@require_POST
@never_cache
def to_provider(request: HttpRequest, slug: str) -> HttpResponse:
    """A page that leads to the provider: the policy of the form allows no redirect to another site.

    A person who is signed in confirms that it is them.
    """
    provider = get_object_or_404(IdentityProvider.objects.enabled(), slug=slug)
    purpose = Purpose.CONFIRM if request.user.is_authenticated else Purpose.SIGN_IN
    return leave(request, provider, purpose, request.POST.get("next", ""))


def leave(request: HttpRequest, provider: IdentityProvider, purpose: Purpose, next_page: str) -> HttpResponse:
    own = first_own(request, next_page, otherwise=resolve_url("overview"))
    state, begun = pending.begin(request, provider, purpose=purpose, next_page=own)
    try:
        protocol = saml_request if provider.kind == ProviderKind.SAML else flow
        address = protocol.address(request, provider, state, begun)
    except ProviderError as error:
        return refuse(request, provider, "provider-failed", error)
    return render(request, "accounts/providers/leave.html", {"provider": provider, "address": address})


@require_safe
@never_cache
def from_provider(request: HttpRequest, slug: str) -> HttpResponse:
    """The provider sends the browser back here, with a code or an error."""
    provider = find_provider(slug)
    begun = pending.take(request, provider, request.GET.get("state", ""))
    if begun is None:  # not recorded: everyone can open this address
        text = gettext("This sign-in has expired, or was begun in another browser. Begin again.")
        return page_of_refusal(request, provider, text, HTTPStatus.BAD_REQUEST)
    answer = {name: request.GET[name] for name in request.GET}
    try:
        return _finish(request, provider, begun, flow.person_of(request, provider, begun, answer))
    except SignInRefused as error:
        return refuse(request, provider, error.code, error)
    except TokenError as error:
        return refuse(request, provider, "token-rejected", error)
    except (ProviderError, DecryptionError) as error:
        return refuse(request, provider, "provider-failed", error)


@require_safe
@never_cache
def public_keys(request: HttpRequest, slug: str) -> HttpResponse:
    """The public keys of TMS, which the provider reads."""
    try:
        return JsonResponse(client_key.public_keys(find_provider(slug)))
    except DecryptionError:
        return JsonResponse({"keys": []})


def find_provider(slug: str) -> IdentityProvider:
    return get_object_or_404(IdentityProvider.objects.enabled(), slug=slug, kind=ProviderKind.OIDC)


def _finish(request: HttpRequest, provider: IdentityProvider, begun: Pending, returned: Returned) -> HttpResponse:
    claims = returned.claims
    if begun.purpose == Purpose.TEST:
        return trial.show(request, provider, claims, lambda: assertion_of(claims, provider))
    now = time.time()
    at = authenticated_at(claims, now=now)
    asserted = replace(assertion_of(claims, provider), id_token=returned.id_token)
    return finish(request, provider, begun, asserted, age_s=None if at is None else now - at)


def finish(
    request: HttpRequest, provider: IdentityProvider, begun: Pending, asserted: Assertion, *, age_s: float | None
) -> HttpResponse:
    """Sign in, confirm or link. Raises SignInRefused.

    `age_s`: how long ago the person proved who they are; None if the provider does not say it.
    """
    if begun.purpose == Purpose.LINK:
        return _link(request, provider, begun, asserted, age_s=age_s)
    if begun.purpose == Purpose.CONFIRM:
        _require_same(request, provider, asserted.subject)
        text = gettext("The provider did not ask you to sign in again. Confirm with a second factor of TMS instead.")
        _require_recent(age_s, text)
        _require_factor(request, asserted)
    identity = provisioning.identify(provider, asserted, at=timezone.now())
    PROVIDER_SIGN_INS.labels("accepted").inc()
    if begun.purpose == Purpose.CONFIRM:
        steps.record_of_provider(request, identity, asserted, age_s=age_s)
        return redirect(begun.next_page)
    if request.user.is_authenticated:
        logout(request)
    return steps.after_provider(request, identity, asserted, age_s=age_s, next_page=begun.next_page)


def _link(
    request: HttpRequest, provider: IdentityProvider, begun: Pending, asserted: Assertion, *, age_s: float | None
) -> HttpResponse:
    """Raises SignInRefused."""
    if not isinstance(request.user, User):
        raise SignInRefused("other-person", gettext("You are signed out by now. Sign in to TMS first."))
    _require_recent(age_s, gettext("The provider did not ask you to sign in again, so that nothing was linked."))
    linking.link(provider, request.user, asserted, at=timezone.now())
    PROVIDER_SIGN_INS.labels("accepted").inc()
    return redirect(begun.next_page)


def _require_same(request: HttpRequest, provider: IdentityProvider, subject: str) -> None:
    """Raises SignInRefused unless the person who is signed in has this subject."""
    own = Identity.objects.filter(provider=provider, issuer=provider.issuer, subject=subject)
    if not isinstance(request.user, User) or not own.filter(person=request.user).exists():
        raise SignInRefused("other-person", gettext("You signed in at the provider as another person."))


def _require_recent(age_s: float | None, text: str) -> None:
    """Raises SignInRefused unless the person proved just now who they are: the provider may have remembered them."""
    if age_s is None or age_s > settings.CONFIRM_MINUTES * 60:
        raise SignInRefused("not-recent", text)


def _require_factor(request: HttpRequest, asserted: Assertion) -> None:
    """Raises SignInRefused if the person has a second factor, and used none: a stolen password must not replace it."""
    if not asserted.has_factor and isinstance(request.user, User) and policy.has_factor(request.user):
        text = gettext("Signing in there is no second factor. Confirm with a second factor of TMS instead.")
        raise SignInRefused("no-factor", text)


def refuse(request: HttpRequest, provider: IdentityProvider, code: str, error: Exception) -> HttpResponse:
    PROVIDER_SIGN_INS.labels("failed" if code == "provider-failed" else "refused").inc()
    recorder.record("sign-in-failed", provider, {"reason": (None, code), "detail": (None, recorder.plain(str(error)))})
    text = gettext("The secret of this provider can no longer be decrypted. Enter it again.")
    if isinstance(error, ProviderAwayError):
        return _away(request, provider, error)
    status = HTTPStatus.FORBIDDEN if isinstance(error, SignInRefused) else HTTPStatus.BAD_REQUEST
    return page_of_refusal(request, provider, text if isinstance(error, DecryptionError) else str(error), status)


def _away(request: HttpRequest, provider: IdentityProvider, error: ProviderAwayError) -> HttpResponse:
    text = gettext("%(provider)s does not answer now. Try again in a moment, or sign in another way. (%(reason)s)")
    values = {"provider": provider, "reason": error}
    answer = page_of_refusal(request, provider, text % values, HTTPStatus.SERVICE_UNAVAILABLE)
    answer["Retry-After"] = str(round(FAILED_S))
    return answer


def page_of_refusal(request: HttpRequest, provider: IdentityProvider, text: str, status: HTTPStatus) -> HttpResponse:
    values = {"provider": provider, "reason": storable(text)}
    return render(request, "accounts/providers/refused.html", values, status=status)
