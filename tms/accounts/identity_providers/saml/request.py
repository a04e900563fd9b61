"""What TMS sends to a provider: the request of a sign-in, and its metadata."""

import zlib
from base64 import b64encode
from importlib.util import find_spec
from urllib.parse import urlencode
from xml.sax.saxutils import quoteattr

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tms.accounts.identity_providers.oidc.metadata import ProviderError
from tms.accounts.identity_providers.oidc.pending import Pending, Purpose
from tms.accounts.models import IdentityProvider

POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
NOT_INSTALLED = _("The packages for SAML are missing on this server. Install requirements/production.txt.")
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"


def is_installed() -> bool:
    """Whether the packages of the extra `saml` are there."""
    return find_spec("signxml") is not None


def acs_url(request: HttpRequest, provider: IdentityProvider) -> str:
    """Where the provider sends the browser back to."""
    return request.build_absolute_uri(reverse("saml-acs", args=(provider.slug,)))


def entity_id(request: HttpRequest, provider: IdentityProvider) -> str:
    """The name of TMS at the provider: the address of its metadata."""
    return request.build_absolute_uri(reverse("saml-metadata", args=(provider.slug,)))


def request_id(pending: Pending) -> str:
    """The response repeats it. An ID begins with a letter or an underscore."""
    return f"_{pending.nonce}"


def address(request: HttpRequest, provider: IdentityProvider, state: str, pending: Pending) -> str:
    """Where the browser is sent to, by the binding HTTP-Redirect. Raises ProviderError."""
    if not is_installed():
        raise ProviderError(str(NOT_INSTALLED))
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(_authn_request(request, provider, pending).encode()) + packer.flush()
    query = urlencode({"SAMLRequest": b64encode(packed).decode(), "RelayState": state})
    return f"{provider.sso_url}{'&' if '?' in provider.sso_url else '?'}{query}"


def _authn_request(request: HttpRequest, provider: IdentityProvider, pending: Pending) -> str:
    is_forced = str(pending.purpose != Purpose.SIGN_IN).lower()
    return (
        f'<samlp:AuthnRequest xmlns:samlp="{PROTOCOL}" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"'
        f' ID={quoteattr(request_id(pending))} Version="2.0" IssueInstant="{timezone.now():%Y-%m-%dT%H:%M:%SZ}"'
        f' Destination={quoteattr(provider.sso_url)} ForceAuthn="{is_forced}" ProtocolBinding="{POST}"'
        f" AssertionConsumerServiceURL={quoteattr(acs_url(request, provider))}>"
        f"<saml:Issuer>{entity_id(request, provider)}</saml:Issuer></samlp:AuthnRequest>"
    )


def metadata(request: HttpRequest, provider: IdentityProvider) -> str:
    """The document that an administrator registers at the provider."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"'
        f" entityID={quoteattr(entity_id(request, provider))}>"
        f'<md:SPSSODescriptor AuthnRequestsSigned="false" WantAssertionsSigned="true"'
        f' protocolSupportEnumeration="{PROTOCOL}"><md:NameIDFormat>{PERSISTENT}</md:NameIDFormat>'
        f'<md:AssertionConsumerService Binding="{POST}" Location={quoteattr(acs_url(request, provider))}'
        ' index="0" isDefault="true"/></md:SPSSODescriptor></md:EntityDescriptor>\n'
    )
