"""Back from a provider with SAML, and the metadata that it needs."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from tms.accounts.identity_providers.oidc import pending, trial
from tms.accounts.identity_providers.oidc.pending import Pending, Purpose
from tms.accounts.identity_providers.oidc.tokens import LEEWAY_S, TokenError
from tms.accounts.identity_providers.oidc.views import finish, page_of_refusal, refuse
from tms.accounts.identity_providers.saml import request as saml_request
from tms.accounts.models import IdentityProvider, ProviderKind
from tms.accounts.sign_in.assertion import SignInRefused


@csrf_exempt  # it comes from the site of the provider; the state, which only this browser's session knows, is the proof
@sensitive_post_parameters("SAMLResponse")
@require_POST
@never_cache
def from_provider(request: HttpRequest, slug: str) -> HttpResponse:
    """The provider sends the browser here by a form. Browsers leave out the cookie of the session then, so that a page
    sends the form once more, as one of our own.
    """
    provider = find_provider(slug)
    encoded, state = request.POST.get("SAMLResponse", ""), request.POST.get("RelayState", "")
    begun = pending.take(request, provider, state)
    if begun is not None:
        return _finish(request, provider, begun, encoded)
    if "again" not in request.POST and state:
        values = {"provider": provider, "encoded": encoded, "state": state}
        return render(request, "accounts/providers/again.html", values)
    text = gettext("This sign-in has expired, or was begun in another browser. Begin again.")
    return page_of_refusal(request, provider, text, HTTPStatus.BAD_REQUEST)


def _finish(request: HttpRequest, provider: IdentityProvider, begun: Pending, encoded: str) -> HttpResponse:
    from tms.accounts.identity_providers.saml import attributes, response

    expected = response.ExpectedSignIn(
        saml_request.request_id(begun),
        saml_request.acs_url(request, provider),
        saml_request.entity_id(request, provider),
        timezone.now(),
    )
    try:
        statement = response.read(encoded, provider, expected)
        if begun.purpose == Purpose.TEST:
            values = attributes.claims_of(statement)
            return trial.show(request, provider, values, lambda: attributes.assertion_of(statement, provider))
        asserted = attributes.assertion_of(statement, provider)
        age_s = (expected.at - statement.authenticated_at).total_seconds()
        return finish(request, provider, begun, asserted, age_s=age_s if age_s >= -LEEWAY_S else None)
    except SignInRefused as error:
        return refuse(request, provider, error.code, error)
    except TokenError as error:
        return refuse(request, provider, "token-rejected", error)


@require_safe
@never_cache
def metadata(request: HttpRequest, slug: str) -> HttpResponse:
    """The metadata for the provider, and for the administrator who registers TMS there."""
    provider = find_provider(slug)
    return HttpResponse(saml_request.metadata(request, provider), content_type="application/samlmetadata+xml")


def find_provider(slug: str) -> IdentityProvider:
    return get_object_or_404(IdentityProvider.objects.enabled(), slug=slug, kind=ProviderKind.SAML)
