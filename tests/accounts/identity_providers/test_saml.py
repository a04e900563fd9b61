"""Sign in with SAML 2.0 at a real provider, samlp; and responses that must sign no one in."""

import re
import sys
from base64 import b64encode
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from lxml import etree
from signxml.algorithms import SignatureMethod
from signxml.signer import XMLSigner

from tests.support import people
from tests.support.accounts.provider_steps import leave
from tests.support.pages import HtmlPage
from tests.support.servers import saml_provider
from tests.support.servers.saml_provider import ENTITY_ID, Form, Keys, SamlProviderServer, keys
from tests.support.threads import run_concurrently
from tms.accounts.identity_providers.oidc.tokens import TokenError
from tms.accounts.identity_providers.saml import attributes, response
from tms.accounts.models import AuditEntry, GroupMapping, Identity, IdentityProvider, ProviderKind, User
from tms.accounts.roles import built_in

pytestmark = [pytest.mark.both, pytest.mark.django_db]
ACS = "http://testserver/sign-in/provider/company/acs/"
METADATA = "http://testserver/providers/company/metadata/"


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with saml_provider.running(tmp_path_factory.mktemp("saml")) as server:
        yield server


@pytest.fixture
def company(server: SamlProviderServer) -> IdentityProvider:
    return IdentityProvider.objects.create(
        kind=ProviderKind.SAML,
        name="Company account",
        slug="company",
        issuer=ENTITY_ID,
        sso_url=server.address,
        certificates=server.certificate,
        creates_people=True,
    )


def sign_in(server: SamlProviderServer, browser: Client, **fields: str) -> tuple[Form, Any]:
    form = server.sign_in(leave(browser, **fields))
    return form, browser.post(form.action, form.fields)


def signed_in_person(browser: Client) -> str | None:
    pk = browser.session.get("_auth_user_id")
    return User.objects.get(pk=pk).username if pk else None


def test_a_person_signs_in_and_holds_what_their_groups_give(company, server):
    IdentityProvider.objects.update(email_domains="noc.example")
    GroupMapping.objects.create(provider=company, value="noc", role=built_in("Operator"), region="Kansai")
    browser = Client()

    form, answer = sign_in(server, browser, next="/alerts/")

    assert form.action == ACS
    assert (answer.status_code, answer["Location"]) == (302, "/alerts/")
    keiko = User.objects.get(username="keiko@noc.example")
    assert signed_in_person(browser) == "keiko@noc.example"
    assert (keiko.first_name, keiko.last_name, keiko.email) == ("Keiko", "Sato", "keiko@noc.example")
    assert [(grant.role.name, grant.scope_name) for grant in keiko.grants.all()] == [("Operator", "Kansai")]
    assert Identity.objects.get(person=keiko).subject == "keiko-1"


def test_a_response_counts_once_and_only_in_the_browser_that_asked(company, server):
    browser, other = Client(), Client()
    form, first = sign_in(server, browser)
    browser.logout()

    stolen = other.post(form.action, {**form.fields, "again": "1"})
    second = browser.post(form.action, {**form.fields, "again": "1"})

    assert (first.status_code, stolen.status_code, second.status_code) == (302, 400, 400)
    assert (signed_in_person(other), signed_in_person(browser)) == (None, None)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_response_signs_in_once_of_several_at_once(company, server):
    browser = Client()
    form = server.sign_in(leave(browser))

    def send(_: int) -> int:
        tab = Client()
        tab.cookies = browser.cookies.copy()
        return tab.post(form.action, {**form.fields, "again": "1"}).status_code

    assert sorted(run_concurrently(6, send)) == [302] + [400] * 5


LIKE_KEIKO = ["ke\u0131ko@noc.example", "ke\u0130ko@noc.example", "\u212aeiko@noc.example", "k\u0435iko@noc.example"]


@pytest.mark.parametrize("address", LIKE_KEIKO)
def test_an_address_that_looks_like_another_is_not_linked(address):
    provider = IdentityProvider(issuer=ENTITY_ID, email_domains="noc.example", kind=ProviderKind.SAML)
    statement = response.SamlStatement("k", "", "s", "x", AT, {"email": [address]})

    assert attributes.assertion_of(statement, provider).verified_email(provider.domains) == ""


def test_without_the_cookie_a_page_of_our_own_sends_the_response_again(company, server):
    """Browsers leave out the cookie of the session when another site sends a form."""
    IdentityProvider.objects.update(email_domains="noc.example")
    browser = Client()
    form = server.sign_in(leave(browser))

    page = Client().post(form.action, form.fields)
    again = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.content.decode()))
    answer = browser.post(form.action, again)

    assert page.status_code == 200
    assert again["SAMLResponse"] == form.fields["SAMLResponse"]
    assert answer.status_code == 302
    assert signed_in_person(browser) == "keiko@noc.example"


def test_a_disabled_provider_has_no_addresses(company, server):
    form = server.sign_in(leave(Client()))
    IdentityProvider.objects.update(is_enabled=False)

    assert Client().post(form.action, form.fields).status_code == 404
    assert Client().get("/providers/company/metadata/").status_code == 404


def test_the_metadata_names_our_addresses(company):
    answer = Client().get("/providers/company/metadata/")

    root = etree.fromstring(answer.content)
    assert answer["Content-Type"] == "application/samlmetadata+xml"
    assert root.get("entityID") == METADATA
    assert root.find(".//{*}AssertionConsumerService").get("Location") == ACS


def test_an_administrator_sets_it_up_checks_and_tests_it(server, settings):
    settings.PRODUCTION = False
    boss = people.make_superuser(people.person("boss"))
    browser = people.signed_in(boss)
    values = {"name": "Company account", "slug": "company", "issuer": ENTITY_ID, "sso_url": server.address}
    values |= {"groups_claim": "groups", "factor_policy": "never", "creates_people": "on"}

    refused = browser.post("/people/identity-providers/new/?kind=saml", {**values, "certificates": "nonsense"})
    browser.post("/people/identity-providers/new/?kind=saml", {**values, "certificates": server.certificate})
    provider = IdentityProvider.objects.get()
    page = HtmlPage(browser.post(f"/people/identity-providers/{provider.pk}/check/"))
    form = server.sign_in(leave(browser, f"/people/identity-providers/{provider.pk}/test/"))
    trial = HtmlPage(browser.post(form.action, form.fields)).text("main")

    assert refused.status_code == 422
    assert provider.kind == ProviderKind.SAML
    assert ACS in page.html
    assert "signxml" in page.text("main")
    assert "keiko-1" in trial
    assert not User.objects.filter(username__startswith="keiko").exists()


def test_without_the_packages_the_page_names_what_to_install(company, monkeypatch):
    monkeypatch.setitem(sys.modules, "signxml", None)

    answer = Client().post("/sign-in/provider/company/")

    assert answer.status_code == 400
    assert "requirements/production.txt" in answer.content.decode()


# Responses that must sign no one in


SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
EXPECTED = response.ExpectedSignIn("_request", ACS, METADATA, AT)
TEMPLATE = """
<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r"
 Version="2.0" IssueInstant="{now}" Destination="{acs}" InResponseTo="_request"><a:Issuer>{issuer}</a:Issuer>
<p:Status><p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></p:Status>
<a:Assertion ID="_a" Version="2.0" IssueInstant="{now}"><a:Issuer>{issuer}</a:Issuer><a:Subject>
<a:NameID>keiko</a:NameID><a:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
<a:SubjectConfirmationData NotOnOrAfter="{end}" Recipient="{acs}" InResponseTo="_request"/></a:SubjectConfirmation>
</a:Subject><a:Conditions NotBefore="{now}" NotOnOrAfter="{end}"><a:AudienceRestriction>
<a:Audience>{audience}</a:Audience></a:AudienceRestriction>
</a:Conditions><a:AuthnStatement AuthnInstant="{now}" SessionIndex="s"><a:AuthnContext>
<a:AuthnContextClassRef>x</a:AuthnContextClassRef></a:AuthnContext></a:AuthnStatement></a:Assertion></p:Response>
"""


@pytest.fixture(scope="module")
def own() -> Keys:
    return keys()


def document() -> Any:
    end = AT + timedelta(minutes=5)
    values = {"now": AT.isoformat(), "end": end.isoformat(), "acs": ACS, "issuer": ENTITY_ID, "audience": METADATA}
    return etree.fromstring(TEMPLATE.format(**values))


def sign(root: Any, made: Keys, *, whole: bool = False, method: Any = SignatureMethod.RSA_SHA256) -> Any:
    """Sign the assertion, or the `whole` response."""
    owner = root if whole else root.find(f"{{{SAML}}}Assertion")
    signer = XMLSigner(signature_algorithm=method, c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#")
    signed = signer.sign(
        owner, key=made.key, cert=made.certificate.decode(), reference_uri=owner.get("ID"), id_attribute="ID"
    )
    if whole:
        return signed
    root.replace(owner, signed)
    return root


def read(root: Any, own: Keys) -> response.SamlStatement:
    provider = IdentityProvider(issuer=ENTITY_ID, certificates=own.certificate.decode())
    text = root if isinstance(root, bytes) else etree.tostring(root)
    return response.read(b64encode(text).decode(), provider, EXPECTED)


@pytest.mark.parametrize("whole", [False, True])
def test_a_signed_assertion_or_response_is_read(own, whole):
    assert read(sign(document(), own, whole=whole), own).subject == "keiko"


def at(path: str, **changed: str | None) -> Callable[[Any], None]:
    """Change attributes, or the text (`_`), of the elements at the path."""

    def change(root: Any) -> None:
        found = [root] if path == "." else root.findall(path, response.NAMES)
        assert found
        for element in found:
            for name, value in changed.items():
                if name == "_":
                    element.text = value
                elif value is None:
                    element.attrib.pop(name)
                else:
                    element.set(name, value)

    return change


def without(path: str) -> Callable[[Any], None]:
    def change(root: Any) -> None:
        for element in root.findall(path, response.NAMES):
            element.getparent().remove(element)

    return change


LATE, EARLY = (AT - timedelta(minutes=2)).isoformat(), (AT + timedelta(minutes=2)).isoformat()
DATA = ".//a:SubjectConfirmationData"
BEFORE_SIGNING: dict[str, Callable[[Any], None]] = {
    "another application": at(".//a:Audience", _="http://other/"),
    "no audience": without(".//a:AudienceRestriction"),
    "no conditions": without(".//a:Conditions"),
    "expired": at(".//a:Conditions", NotOnOrAfter=LATE),
    "not valid yet": at(".//a:Conditions", NotBefore=EARLY),
    "issued long ago": at("a:Assertion", IssueInstant=(AT - timedelta(hours=1)).isoformat()),
    "before the first year": at("a:Assertion", IssueInstant="0000-01-01T00:00:00Z"),
    "in the first year of time, elsewhere": at("a:Assertion", IssueInstant="0001-01-01T00:00:00+14:00"),
    "no time": at("a:Assertion", IssueInstant="soon"),
    "confirmation expired": at(DATA, NotOnOrAfter=LATE),
    "confirmation without an end": at(DATA, NotOnOrAfter=None),
    "another address": at(DATA, Recipient="http://other/"),
    "another sign-in": at(DATA, InResponseTo="_other"),
    "begun by the provider": at(DATA, InResponseTo=None),
    "not a bearer": at(".//a:SubjectConfirmation", Method="urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"),
    "another provider": at("a:Assertion/a:Issuer", _="urn:other"),
    "nobody": without(".//a:NameID"),
    "no sign-in": without(".//a:AuthnStatement"),
    "a failure": at(".//p:StatusCode", Value="urn:oasis:names:tc:SAML:2.0:status:Responder"),
    "a response to another sign-in": at(".", InResponseTo="_other"),
    "a response to another address": at(".", Destination="http://other/"),
    "a response of another provider": at("a:Issuer", _="urn:other"),
}


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("change", BEFORE_SIGNING.values(), ids=BEFORE_SIGNING)
def test_what_is_signed_but_not_for_this_sign_in_is_refused(own, change, whole):
    root = document()
    change(root)

    with pytest.raises(TokenError):
        read(sign(root, own, whole=whole), own)


EXTREMES = {
    "begins with the first instant": at(".//a:Conditions", NotBefore="0001-01-01T00:00:00Z"),
    "begins with the first instant elsewhere": at(".//a:Conditions", NotBefore="0001-01-01T00:00:00+14:00"),
    "ends with the last instant": at(".//a:Conditions", NotOnOrAfter="9999-12-31T23:59:59.999999Z"),
    "is confirmed until the last instant": at(DATA, NotOnOrAfter="9999-12-31T23:59:59.999999-12:00"),
}


@pytest.mark.parametrize("change", EXTREMES.values(), ids=EXTREMES)
def test_an_assertion_may_be_valid_for_all_time(own, change):
    root = document()
    change(root)

    assert read(sign(root, own), own).subject == "keiko"


def test_a_signed_response_without_an_assertion_is_refused(own):
    root = document()
    without("a:Assertion")(root)

    with pytest.raises(TokenError):
        read(sign(root, own, whole=True), own)


def test_a_weak_key_does_not_count_and_is_named(company):
    weak = keys(1_024)
    browser = people.signed_in(people.make_superuser(people.person("boss")))
    values = {"name": "Weak", "slug": "weak", "issuer": ENTITY_ID, "sso_url": company.sso_url, "groups_claim": "groups"}
    values |= {"factor_policy": "never", "certificates": weak.certificate.decode()}

    entered = browser.post("/people/identity-providers/new/?kind=saml", values)
    IdentityProvider.objects.update(certificates=weak.certificate.decode())
    checked = browser.post(f"/people/identity-providers/{company.pk}/check/")

    assert entered.status_code == 422
    assert all("at least 2048 bits" in page.content.decode() for page in (entered, checked))
    with pytest.raises(TokenError):
        read(sign(document(), weak), weak)


def unsigned(own: Keys) -> Any:
    return document()


def by_another_key(own: Keys) -> Any:
    return sign(document(), keys())


def changed_afterwards(own: Keys) -> Any:
    root = sign(document(), own)
    at(".//a:NameID", _="boss")(root)
    return root


def comment_in_the_name(own: Keys) -> Any:
    root = document()
    at(".//a:NameID", _="boss@noc.example.evil.example")(root)
    return etree.tostring(sign(root, own)).replace(b"boss@noc.example.", b"boss@noc.example<!-- -->.")


def wrapped(own: Keys) -> Any:
    """The signed assertion is kept elsewhere, and another one takes its position (XSW)."""
    root = sign(document(), own)
    genuine = root.find(f"{{{SAML}}}Assertion")
    forged = deepcopy(genuine)
    forged.set("ID", "_forged")
    forged.remove(forged.find("d:Signature", response.NAMES))
    at(".//a:NameID", _="boss")(forged)
    root.replace(genuine, forged)
    holder = etree.SubElement(root, "{urn:oasis:names:tc:SAML:2.0:protocol}Extensions")
    holder.append(genuine)
    return root


def wrapped_within(own: Keys) -> Any:
    """The forged assertion holds the signature, and the signed one inside of it."""
    root = sign(document(), own)
    genuine = root.find(f"{{{SAML}}}Assertion")
    forged = deepcopy(genuine)
    forged.set("ID", "_forged")
    at(".//a:NameID", _="boss")(forged)
    etree.SubElement(forged.find("d:Signature", response.NAMES), f"{{{response.NAMES['d']}}}Object").append(genuine)
    root.append(forged)
    return root


def second_with_the_same_id(own: Keys) -> Any:
    root = sign(document(), own)
    root.append(deepcopy(root.find(f"{{{SAML}}}Assertion")))
    return root


def with_entities(own: Keys) -> Any:
    return b'<!DOCTYPE x [<!ENTITY a "x">]>' + etree.tostring(sign(document(), own))


def encrypted(own: Keys) -> Any:
    root = document()
    root.replace(root.find(f"{{{SAML}}}Assertion"), etree.Element(f"{{{SAML}}}EncryptedAssertion"))
    return root


FORGERIES = [
    unsigned,
    by_another_key,
    changed_afterwards,
    wrapped,
    wrapped_within,
    second_with_the_same_id,
    with_entities,
    encrypted,
]


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_a_forgery_is_refused(own, forge):
    with pytest.raises(TokenError):
        read(forge(own), own)


def test_a_comment_does_not_cut_a_name_short(own):
    assert read(comment_in_the_name(own), own).subject == "boss@noc.example.evil.example"


@pytest.mark.parametrize("text", ["", "%%%", b64encode(b"<a/>").decode(), b64encode(b"\xff").decode(), "A" * 300_000])
def test_what_is_no_response_is_refused(own, text):
    with pytest.raises(TokenError):
        response.read(text, IdentityProvider(issuer=ENTITY_ID, certificates=own.certificate.decode()), EXPECTED)


def test_a_refusal_is_in_the_audit_trail_and_on_the_page(company, server):
    browser = Client()
    form = server.sign_in(leave(browser))
    IdentityProvider.objects.update(certificates=keys().certificate.decode())

    answer = browser.post(form.action, form.fields)

    assert answer.status_code == 400
    assert "signature" in answer.content.decode()
    assert AuditEntry.objects.get(action="sign-in-failed").changes["reason"] == [None, "token-rejected"]
