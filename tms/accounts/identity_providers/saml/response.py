"""The response of a provider (SAML 2.0 Core and Profiles, 4.1.4): verified, then read from what was signed only."""

import binascii
from base64 import b64decode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.utils.translation import gettext
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidInput, SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from tms.accounts.identity_providers.oidc.tokens import TokenError
from tms.accounts.identity_providers.saml import certificates
from tms.accounts.models import IdentityProvider

MAX_CHARACTERS = 262_144
"""The largest size of a response in base64."""
LEEWAY = timedelta(seconds=60)
OLDEST = timedelta(minutes=10)
"""How long ago the assertion may have been issued, even if it names a later end."""
NAMES = {
    "p": "urn:oasis:names:tc:SAML:2.0:protocol",
    "a": "urn:oasis:names:tc:SAML:2.0:assertion",
    "d": "http://www.w3.org/2000/09/xmldsig#",
}
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
SIGNATURES = frozenset(method for method in SignatureMethod if method.name.startswith(("RSA_SHA", "ECDSA_SHA"))) - {
    SignatureMethod.RSA_SHA1,
    SignatureMethod.ECDSA_SHA1,
}
DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})

type Element = Any
"""An element of lxml, which has no types."""


class ExpectedSignIn(NamedTuple):
    """What a response must be about."""

    request_id: str
    acs_url: str
    entity_id: str
    at: datetime


class SamlStatement(NamedTuple):
    """A verified assertion."""

    subject: str
    subject_format: str
    session_index: str
    context: str
    """The class of the authentication context."""
    authenticated_at: datetime
    attributes: Mapping[str, list[str]]


def read(encoded: str, provider: IdentityProvider, expected: ExpectedSignIn) -> SamlStatement:
    """Raises TokenError."""
    root = _parse(encoded)
    status = root.find("p:Status/p:StatusCode", NAMES)
    if status is None or status.get("Value") != SUCCESS:
        found = root.iterfind("p:Status//p:StatusCode", NAMES)
        codes = [code.get("Value", "").rpartition(":")[2][:50] for code in found]
        raise TokenError(gettext("The provider refused: %(error)s") % {"error": ", ".join(codes[:3])})
    signed = _signed_part(root, provider)
    if signed.tag == _tag("p", "Response"):
        _require_response(signed, provider, expected)
        signed = signed.find("a:Assertion", NAMES)
        _require(signed is not None, gettext("The response has no assertion."))
    else:
        _require_response(root, provider, expected)  # not signed: more conditions, which can only refuse
    return _statement(signed, provider, expected)


def _parse(encoded: str) -> Element:
    """The root: a response with one assertion, without a document type, and with unique IDs."""
    if len(encoded) > MAX_CHARACTERS:
        raise TokenError(gettext("The response is too large."))
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(b64decode(encoded, validate=False), parser)
    except (binascii.Error, ValueError, etree.XMLSyntaxError):
        raise TokenError(gettext("The response is not XML.")) from None
    assertions = root.findall(".//a:Assertion", NAMES)
    ids = root.xpath("//@ID")
    is_whole = root.tag == _tag("p", "Response") and len(assertions) <= 1 and len(ids) == len(set(ids))
    if root.getroottree().docinfo.doctype or not is_whole or any(one.getparent() is not root for one in assertions):
        raise TokenError(gettext("The response is not a SAML response with one assertion."))
    return root


def _signed_part(root: Element, provider: IdentityProvider) -> Element:
    """A copy of the response or its assertion, as it was signed: nothing outside of it is believed."""
    if root.find("p:EncryptedAssertion", NAMES) is not None or root.find("a:EncryptedAssertion", NAMES) is not None:
        raise TokenError(gettext("Encrypted assertions are not supported: switch encryption off at the provider."))
    for owner, location in ((root, "./"), (root.find("a:Assertion", NAMES), f"./{_tag('a', 'Assertion')}/")):
        if owner is not None and owner.find("d:Signature", NAMES) is not None:
            return _verify(root, owner, location, provider)
    raise TokenError(gettext("The response is not signed."))


def _verify(root: Element, owner: Element, location: str, provider: IdentityProvider) -> Element:
    config = SignatureConfiguration(
        location=location, expect_references=1, signature_methods=SIGNATURES, digest_algorithms=DIGESTS
    )
    try:
        accepted = certificates.parse(provider.certificates)
    except ValueError as error:
        raise TokenError(str(error)) from None
    for certificate in accepted:
        try:
            found = XMLVerifier().verify(root, x509_cert=certificate, expect_config=config, id_attribute="ID")
        except (SignXMLException, InvalidInput, ValueError, etree.Error):
            continue
        signed = None if isinstance(found, list) else found.signed_xml
        if signed is not None and signed.tag == owner.tag and signed.get("ID") == owner.get("ID"):
            return signed
    raise TokenError(gettext("The signature does not fit the certificate of the provider."))


def _require_response(response: Element, provider: IdentityProvider, expected: ExpectedSignIn) -> None:
    issuer = response.findtext("a:Issuer", provider.issuer, NAMES).strip()
    _require(issuer == provider.issuer, gettext("The response comes from another provider (Issuer)."))
    _require(
        response.get("Destination", expected.acs_url) == expected.acs_url,
        gettext("The response was sent to another address (Destination)."),
    )
    _require(
        response.get("InResponseTo") == expected.request_id,
        gettext("The response belongs to another sign-in (InResponseTo)."),
    )


def _statement(assertion: Element, provider: IdentityProvider, expected: ExpectedSignIn) -> SamlStatement:
    issuer = assertion.findtext("a:Issuer", "", NAMES).strip()
    _require(issuer == provider.issuer, gettext("The response comes from another provider (Issuer)."))
    _require_young(assertion.get("IssueInstant"), expected)
    _require_conditions(assertion, expected)
    _require(
        any(_is_confirmed(one, expected) for one in assertion.iterfind("a:Subject/a:SubjectConfirmation", NAMES)),
        gettext("The assertion is not for this sign-in, or has expired (SubjectConfirmation)."),
    )
    name = assertion.find("a:Subject/a:NameID", NAMES)
    authn = assertion.find("a:AuthnStatement", NAMES)
    _require(name is not None and authn is not None, gettext("The assertion names nobody (NameID, AuthnStatement)."))
    return SamlStatement(
        "".join(name.itertext()).strip(),
        name.get("Format", ""),
        authn.get("SessionIndex", ""),
        authn.findtext("a:AuthnContext/a:AuthnContextClassRef", "", NAMES).strip(),
        _instant(authn.get("AuthnInstant")),
        dict(_attributes(assertion)),
    )


def _require_young(issued: str | None, expected: ExpectedSignIn) -> None:
    age = expected.at - _instant(issued)
    _require(-LEEWAY <= age <= OLDEST, gettext("The assertion is too old, or of the future: check the clocks."))


def _require_conditions(assertion: Element, expected: ExpectedSignIn) -> None:
    conditions = assertion.find("a:Conditions", NAMES)
    _require(conditions is not None, gettext("The assertion has no conditions."))
    is_valid = _is_within(conditions, expected.at)
    _require(is_valid, gettext("The assertion has expired, or is not valid yet (Conditions)."))
    audiences = [
        [(one.text or "").strip() for one in restriction.iterfind("a:Audience", NAMES)]
        for restriction in conditions.iterfind("a:AudienceRestriction", NAMES)
    ]
    _require(
        bool(audiences) and all(expected.entity_id in names for names in audiences),
        gettext("The assertion is for another application (Audience)."),
    )


def _is_confirmed(confirmation: Element, expected: ExpectedSignIn) -> bool:
    data = confirmation.find("a:SubjectConfirmationData", NAMES)
    if confirmation.get("Method") != BEARER or data is None or data.get("NotOnOrAfter") is None:
        return False
    is_ours = data.get("Recipient") == expected.acs_url and data.get("InResponseTo") == expected.request_id
    return is_ours and _is_within(data, expected.at)


def _is_within(element: Element, at: datetime) -> bool:
    begin, end = element.get("NotBefore"), element.get("NotOnOrAfter")
    # The leeway is added to `at`: beside the first and the last instant there is no other.
    return (begin is None or _instant(begin) <= at + LEEWAY) and (end is None or at - LEEWAY < _instant(end))


def _attributes(assertion: Element) -> Iterable[tuple[str, list[str]]]:
    for attribute in assertion.iterfind("a:AttributeStatement/a:Attribute", NAMES):
        values = ["".join(value.itertext()).strip() for value in attribute.iterfind("a:AttributeValue", NAMES)]
        yield attribute.get("Name", ""), values


def _instant(text: str | None) -> datetime:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        raise TokenError(gettext("The assertion has an invalid time.")) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _require(holds: bool, text: str) -> None:
    if not holds:
        raise TokenError(text)


def _tag(prefix: str, name: str) -> str:
    return f"{{{NAMES[prefix]}}}{name}"
