"""Single sign-on with LemonLDAP::NG as Debian packages it. Runs where it is installed; see docs/single-sign-on.md."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.e2e.seeded_tms import SeededTMS, live
from tests.support.servers import lemonldap
from tests.support.servers.lemonldap import LemonLDAP, Registered

pytestmark = pytest.mark.skipif(not lemonldap.is_installed(), reason="needs LemonLDAP::NG")


@pytest.fixture(scope="module")
def portal(tms: SeededTMS, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LemonLDAP]:
    registered = Registered(tms.url, slug="lemonldap")
    with lemonldap.running(tmp_path_factory.mktemp("lemonldap"), registered) as server:
        tms.identity_provider(server.issuer, registered.client_id, registered.secret, "LemonLDAP", "lemonldap")
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page in a browser of its own: scripts of the portal need packages that these tests do not."""
    context = await browser.new_context(locale="en-GB", timezone_id="Asia/Tokyo")
    yield await context.new_page()
    await context.close()


async def sign_in_at_portal(page: Page, name: str) -> None:
    await page.locator("input[name=user]").fill(name)
    await page.locator("input[name=password]").fill(name)
    await page.locator("input[name=password]").press("Enter")


async def test_a_person_signs_in_and_is_signed_out_with_their_session_at_the_portal(
    tms: SeededTMS, page: Page, portal: LemonLDAP
):
    await page.goto(f"{tms.url}/sign-in/?next=/alerts/")

    await page.get_by_role("button", name="LemonLDAP").click()
    await sign_in_at_portal(page, "dwho")

    await expect(page).to_have_url(f"{tms.url}/alerts/")
    await live(page)
    await expect(page.locator("html[data-may~=handle_alerts]")).to_be_attached()

    other = await page.context.new_page()
    await other.goto(f"{portal.url}/?logout=1")

    await expect(page).to_have_url(f"{tms.url}/sign-in/?next=%2Falerts%2F")
