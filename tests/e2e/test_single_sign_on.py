"""Signing in at a real identity provider, and being signed out by it."""

import asyncio
from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from tests.e2e.people import Enter
from tests.e2e.seeded_tms import SeededTMS, live
from tests.support.servers import identity_provider, saml_provider
from tests.support.servers.identity_provider import IdentityProviderServer
from tests.support.servers.saml_provider import SamlProviderServer


@pytest.fixture(scope="module")
def company(tms: SeededTMS) -> Iterator[IdentityProviderServer]:
    """The provider of TMS, with Keiko, who is an operator."""
    with identity_provider.running() as server:
        client = server.register(tms.url)
        tms.identity_provider(server.issuer, client.id, client.secret)
        server.put("keiko", given_name="Keiko", family_name="Mori", email="keiko@noc.example", groups=["noc"])
        yield server


@pytest.fixture(scope="module")
def partner(tms: SeededTMS, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SamlProviderServer]:
    """A provider with SAML, on another site than TMS, as browsers see it."""
    with saml_provider.running(tmp_path_factory.mktemp("saml"), email="mei@partner.example") as server:
        tms.saml_provider(saml_provider.ENTITY_ID, server.address.replace("127.0.0.1", "localhost"), server.certificate)
        yield server


async def sign_in_at_company(page: Page) -> None:
    await page.get_by_role("button", name="Company account").click()
    await page.get_by_label("Name").fill("keiko")
    await page.get_by_role("button", name="Sign in").click()


async def test_a_person_signs_in_and_is_signed_out_when_they_are_removed_at_the_provider(
    tms: SeededTMS, page: Page, company: IdentityProviderServer
):
    await page.goto(f"{tms.url}/sign-in/?next=/alerts/")

    await sign_in_at_company(page)

    await expect(page).to_have_url(f"{tms.url}/alerts/")
    await live(page)
    await expect(page.locator("html[data-may~=handle_alerts]")).to_be_attached()

    await asyncio.to_thread(company.remove, "keiko")

    await expect(page).to_have_url(f"{tms.url}/sign-in/?next=%2Falerts%2F")
    await page.goto(f"{tms.url}/alerts/")
    await expect(page).to_have_url(f"{tms.url}/sign-in/?next=/alerts/")


async def test_an_administrator_tests_a_provider(tms: SeededTMS, company: IdentityProviderServer, person: Enter):
    company.put("keiko", given_name="Keiko", email="keiko.mori@noc.example", groups=["noc", "tea"])
    page = await (await person("tanaka")).open("/people/identity-providers/")
    await page.get_by_role("link", name="Company account").click()

    await page.get_by_role("button", name="Check").click()
    await expect(page.get_by_role("heading", name="The provider answers as expected")).to_be_visible()
    await page.get_by_role("button", name="Test sign-in").click()
    await page.get_by_label("Name").fill("keiko")
    await page.get_by_role("button", name="Sign in").click()

    await expect(page.get_by_role("heading", name="could sign in")).to_be_visible()
    await expect(page.get_by_text("tea", exact=True)).to_be_visible()
    await expect(page.locator("dl.claims")).to_contain_text("keiko.mori@noc.example")


async def test_a_person_signs_in_with_saml(tms: SeededTMS, page: Page, partner: SamlProviderServer):
    """The browser leaves out the cookie when the provider sends its form: the person continues with a button."""
    await page.goto(f"{tms.url}/sign-in/?next=/alerts/")

    await page.get_by_role("button", name="Partner account").click()
    await page.get_by_role("button", name="Continue").click()

    await expect(page).to_have_url(f"{tms.url}/alerts/")
    await live(page)
    await expect(page.locator("html[data-may~=handle_alerts]")).to_be_attached()
