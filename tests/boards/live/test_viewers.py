"""Colleagues at an alert: who is viewing or typing, as shown on all other boards."""

import json

import pytest

from tests.support import factories, people
from tests.support.factories import now
from tests.support.threads import in_thread
from tms.alerts import lifecycle
from tms.alerts.models import Alert
from tms.boards.live import viewer_tracker

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]


def at(alert, doing="looking"):
    return json.dumps({"ask": "at", "alert": alert.pk, "doing": doing})


async def test_viewing_and_typing_is_shown_on_every_board_with_that_alert(board, fleet, sato):
    alert = await in_thread(lambda: factories.alert(fleet))
    pages = ("/", "/alerts/", f"/alerts/{alert.pk}/")
    async with board(pages[0]) as overview, board(pages[1]) as alerts, board(pages[2]) as page:
        async with board("/alerts/", person=sato) as theirs:
            for opened in (overview, alerts, page, theirs):
                await opened.painted()

            theirs.send_text(at(alert))
            for opened in (overview, alerts, page):
                frame = await opened.showing("<bdi>佐藤</bdi> is viewing")
                assert frame.ids == [f"here-alert-{alert.pk}"], "the row itself does not travel"

            theirs.send_text(at(alert, "typing"))
            for opened in (overview, alerts, page):
                await opened.showing("<bdi>佐藤</bdi> is typing", f'data-person="{sato.pk}"')

            theirs.send_text(at(alert, "nothing"))
            for opened in (overview, alerts, page):
                assert "佐藤" not in (await opened.showing(f"here-alert-{alert.pk}")).html

            theirs.send_text(at(alert))
            await overview.showing("<bdi>佐藤</bdi> is viewing")

        gone = await overview.showing(f"here-alert-{alert.pk}")
        assert "佐藤" not in gone.html, "the socket was closed"


@pytest.fixture
def viewer(db):
    return people.person("viewer", of="Viewer", last_name="林")


async def test_a_person_without_permission_is_shown_as_viewing_and_never_as_typing(viewer, board, fleet):
    alert = await in_thread(lambda: factories.alert(fleet))
    async with board("/alerts/") as opened, board("/alerts/", person=viewer) as theirs:
        await opened.painted()
        await theirs.painted()

        theirs.send_text(at(alert, "typing"))

        assert "<bdi>林</bdi> is viewing" in (await opened.showing(f'data-person="{viewer.pk}"')).html


async def test_viewers_of_an_incident_are_shown_wherever_it_is_listed(board, fleet, sato):
    incident = await in_thread(lambda: factories.incident(fleet))
    spot = f"here-incident-{incident.pk}"
    async with board("/") as overview, board("/alerts/") as alerts, board(incident.get_absolute_url()) as page:
        async with board(incident.get_absolute_url(), person=sato) as theirs:
            for opened in (overview, alerts, page, theirs):
                await opened.painted()

            theirs.send_text(json.dumps({"ask": "at", "incident": incident.pk, "doing": "looking"}))
            for opened in (overview, alerts, page):
                assert (await opened.showing("<bdi>佐藤</bdi> is viewing")).ids == [spot], (
                    "the row itself does not travel"
                )

            theirs.send_text(json.dumps({"ask": "at", "incident": incident.pk, "doing": "typing"}))
            for opened in (overview, alerts, page):
                await opened.showing("<bdi>佐藤</bdi> is typing", f'data-person="{sato.pk}"')

        for opened in (overview, alerts, page):
            assert "佐藤" not in (await opened.showing(spot)).html, "the socket was closed"


async def test_two_tabs_of_one_person_are_shown_once(board, fleet, sato):
    alert = await in_thread(lambda: factories.alert(fleet))
    async with board("/alerts/") as opened, board("/", person=sato) as one, board("/alerts/", person=sato) as two:
        for each in (opened, one, two):
            await each.painted()
        one.send_text(at(alert))
        await opened.showing("<bdi>佐藤</bdi> is viewing")

        two.send_text(at(alert, "typing"))
        frame = await opened.showing("<bdi>佐藤</bdi> is typing")

        assert frame.html.count("data-person") == 1


async def test_an_alert_that_the_page_does_not_show_cannot_be_viewed(board, fleet, sato, room):
    shown = await in_thread(lambda: factories.alert(fleet))
    hidden = await in_thread(lambda: factories.alert(fleet, severity="info"))
    async with board("/alerts/") as opened, board("/alerts/?severity=critical", person=sato) as theirs:
        await opened.painted()
        await theirs.painted()

        theirs.send_text(at(hidden))
        theirs.send_text(at(shown))

        assert (await opened.showing("佐藤")).ids == [f"here-alert-{shown.pk}"]


async def test_a_silent_browser_expires(board, fleet, sato, monkeypatch):
    monkeypatch.setattr(viewer_tracker, "VIEWINGS_TIMEOUT_S", 1.0)
    alert = await in_thread(lambda: factories.alert(fleet))
    async with board("/alerts/") as opened, board("/alerts/", person=sato) as theirs:
        await opened.painted()
        await theirs.painted()

        theirs.send_text(at(alert))
        await opened.showing("<bdi>佐藤</bdi> is viewing")

        assert "佐藤" not in (await opened.showing(f"here-alert-{alert.pk}")).html


async def test_a_changed_row_still_shows_its_viewers(board, fleet, tanaka, sato):
    alert = await in_thread(lambda: factories.alert(fleet))
    async with board("/alerts/") as opened, board("/alerts/", person=sato) as theirs:
        await opened.painted()
        await theirs.painted()
        theirs.send_text(at(alert))
        await opened.showing("<bdi>佐藤</bdi> is viewing")

        await in_thread(lambda: factories.acknowledged(alert, by=tanaka, comment="mine"))

        await opened.showing('data-ack="acknowledged"', "mine", "<bdi>佐藤</bdi> is viewing")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('{"ask":"at","alert":"7"}', 4400),
        ('{"ask":"at","incident":null}', 4400),
        ('{"ask":"at","alert":7,"doing":"sleeping"}', 4400),
        ('{"ask":"at","alert":7,"person":3}', 4400),
        ('{"ask":"everything"}', 4400),
        ('{"ask":"at","alert":' + "1" * 300 + "}", 4400),
        ("at", 4400),
    ],
)
async def test_an_invalid_message_closes_the_socket(board, room, message, code):
    async with board("/alerts/") as opened:
        await opened.painted()

        opened.send_text(message)

        assert await opened.closed() == code


async def test_too_many_messages_close_the_socket(board, fleet):
    alert = await in_thread(lambda: factories.alert(fleet))
    async with board("/alerts/") as opened:
        await opened.painted()

        for _ in range(241):
            opened.send_text(at(alert))

        assert await opened.closed() == 4429


async def test_a_claim_is_shown_on_every_board_until_it_ends(board, fleet, sato):
    alert = await in_thread(lambda: factories.alert(fleet))
    this = Alert.objects.filter(pk=alert.pk)
    async with board("/") as overview, board("/alerts/") as alerts, board(f"/alerts/{alert.pk}/") as page:
        for opened in (overview, alerts, page):
            await opened.painted()

        await in_thread(lambda: lifecycle.claim(this, by=sato, at=now()))
        for opened in (overview, alerts, page):
            await opened.showing(f'id="alert-{alert.pk}"', "佐藤", "claimed,", "data-countdown")

        await in_thread(lambda: lifecycle.unclaim(this, by=sato, at=now()))
        for opened in (overview, alerts, page):
            frame = await opened.showing(f'id="alert-{alert.pk}"', "Unacknowledged")
            assert "claimed," not in frame.html
