"""Who is on call and on shift, on the overview and on walls."""

import pytest

from tests.support.accounts import screens
from tests.support.factories import now
from tests.support.pages import HtmlPage
from tms.accounts.display_names import name_of
from tms.accounts.scope import EVERYTHING
from tms.boards.overview import on_shift
from tms.shifts import on_call
from tms.shifts.on_call import OnCallPeriod

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def called(monkeypatch, sato):
    """Sato is on call."""
    period = OnCallPeriod("NOC", name_of(sato), now(-60), now(60))
    monkeypatch.setattr(on_call, "_sources", [lambda since, until, scope: [period]])
    on_shift._on_call.cache_clear()
    yield
    on_shift._on_call.cache_clear()


def test_who_is_on_call_is_on_the_overview_and_on_walls_without_an_open_board(called, page, tanaka, client, settings):
    _screen, secret = screens.paired("NOC Tokyo", by=tanaka)
    client.cookies[settings.WALL_COOKIE_NAME] = secret

    wall = HtmlPage(client.get("/wall/"))

    assert "on call" in page("/").text("shift")
    assert "on call" in wall.text("wall-shift")


def test_a_person_on_call_with_an_open_board_is_listed_once(called, sato):
    on_shift.report({sato.pk: on_shift.OpenBoard("alerts", EVERYTHING)}, [])

    assert on_shift.shift(EVERYTHING) == {"called": (name_of(sato),), "people": ()}
