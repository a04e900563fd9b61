"""The list of sites and the page of one follow changes."""

import pytest

from tests.boards.live.changes import change
from tests.support.threads import in_thread
from tms.fleet.sites import services
from tms.fleet.sites.services import SiteValues

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def terminal(fleet):
    """A terminal at Umeda, beside one at another site."""
    fleet.online(site=fleet.site("FAR", name="Far"), uid="FAR-1")
    return fleet.online(site=fleet.site("UMD", name="Umeda"), uid="UMD-1")


async def test_a_lost_terminal_changes_the_row_and_the_page_of_its_site(terminal, board):
    async with board("/sites/") as sites, board("/sites/UMD/") as site:
        await sites.painted()
        await site.painted()

        await in_thread(lambda: change(terminal, presence="offline"))

        listed = await sites.until(lambda frame: "site-UMD" in frame.ids)
        assert "1 offline" in listed.html
        assert "FAR" not in listed.html
        shown = await site.until(lambda frame: "state" in frame.ids)
        assert "1 offline" in shown.html


async def test_a_new_site_appears_in_the_list(terminal, board):
    async with board("/sites/") as sites:
        await sites.painted()

        await in_thread(lambda: services.create_site(SiteValues("AKB", "Akihabara")))

        await sites.until(lambda frame: "AKB" in frame.html)
        assert sites.orders["sites"] == ["site-AKB", "site-FAR", "site-UMD"]
