"""Passkeys in Chromium, with its virtual authenticator."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from playwright.async_api import CDPSession, Page, expect

from tests.e2e.seeded_tms import SeededTMS, sign_in

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Device:
    """A page of a browser with a platform authenticator."""

    def __init__(self, page: Page, cdp: CDPSession, authenticator: str) -> None:
        self.page, self._cdp, self._id = page, cdp, authenticator

    async def verifies(self, is_verified: bool) -> None:
        """Whether the person shows their finger or face."""
        await self._cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self._id, "isUserVerified": is_verified})

    async def credentials(self) -> list[dict[str, Any]]:
        stored = await self._cdp.send("WebAuthn.getCredentials", {"authenticatorId": self._id})
        return list(stored["credentials"])


@pytest_asyncio.fixture(loop_scope="session")
async def device(page: Page) -> AsyncIterator[Device]:
    cdp = await page.context.new_cdp_session(page)
    await cdp.send("WebAuthn.enable")
    added = await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    yield Device(page, cdp, added["authenticatorId"])
    await cdp.send("WebAuthn.disable")


def host(tms: SeededTMS) -> str:
    """Browsers have passkeys for names only, not for addresses."""
    return tms.url.replace("127.0.0.1", "localhost")


async def test_a_passkey_is_added_and_then_signs_in_alone(tms: SeededTMS, device: Device):
    page = device.page
    await page.goto(f"{host(tms)}/sign-in/?next=/me/security/")
    await sign_in(page, "sasaki")

    await page.get_by_role("link", name="Add passkey").click()
    await page.get_by_label("Name").fill("Laptop")
    await page.get_by_role("button", name="Add passkey").click()
    await expect(page.get_by_role("heading", name="Keep these codes")).to_be_visible()
    assert len((await page.locator("#recovery-codes").input_value()).splitlines()) == 10
    assert len(await device.credentials()) == 1
    await page.get_by_role("link", name="I have stored them").click()
    await expect(page.locator(".factors").first).to_contain_text("Laptop")
    await page.context.clear_cookies()

    await page.goto(f"{host(tms)}/sign-in/?next=/help/")
    await page.get_by_role("button", name="Continue with a passkey").click()

    await expect(page).to_have_url(f"{host(tms)}/help/")


async def test_without_finger_or_face_the_page_says_so_and_the_password_remains(tms: SeededTMS, device: Device):
    page = device.page
    await device.verifies(False)
    await page.goto(f"{host(tms)}/sign-in/")

    await page.get_by_role("button", name="Continue with a passkey").click()

    await expect(page.get_by_role("alert")).to_contain_text("No passkey was used")
    await expect(page.get_by_role("button", name="Continue with a passkey")).to_be_enabled()
    await sign_in(page, "mori")
    await expect(page).to_have_url(f"{host(tms)}/")


async def test_where_the_browser_has_no_passkeys_only_the_password_is_offered(tms: SeededTMS, page: Page):
    await page.add_init_script("delete window.PublicKeyCredential")
    await page.goto(f"{host(tms)}/sign-in/")

    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    await expect(page.get_by_role("button", name="Continue with a passkey")).to_be_hidden()
