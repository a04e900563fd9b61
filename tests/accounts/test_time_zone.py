"""The time zone that a person chose applies to what the server writes for them."""

from datetime import UTC, datetime

import pytest
from asgiref.sync import async_to_sync
from django.http import StreamingHttpResponse
from django.utils import timezone

from tests.support import factories, people
from tms.accounts.me.time_zone import TimeZoneMiddleware
from tms.accounts.models import User
from tms.boards.pages.alerts import midnight
from tms.lib.calendar.time_zones import named_zones, zone_named

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "shown"), [("", "21:00"), ("Europe/Berlin", "13:00"), ("Asia/Atlantis", "21:00"), ("../secret", "21:00")]
)
def test_a_request_is_answered_in_the_zone_of_the_person_otherwise_of_tms(rf, settings, zone, shown):
    request, seen = rf.get("/"), []
    request.user = User(username="tanaka", time_zone=zone)

    TimeZoneMiddleware(lambda _: seen.append(f"{timezone.localtime(NOON):%H:%M}"))(request)

    assert seen == [shown]
    assert timezone.get_current_timezone_name() == settings.TIME_ZONE


@pytest.mark.parametrize(("zone", "opened_at"), [("", "T12:00:00+00:00"), ("Europe/Berlin", "T13:00:00+01:00")])
def test_the_export_of_past_alerts_has_the_zone_of_the_person(fleet, client, zone, opened_at):
    factories.alert(fleet, opened_at=NOON)
    person = people.person("tanaka", time_zone=zone)
    client.force_login(person)

    answer = client.get("/alerts/past/export/")

    assert f"2026-11-25{opened_at}" in async_to_sync(read)(answer)


async def read(answer: StreamingHttpResponse) -> str:
    return b"".join([part async for part in answer.streaming_content]).decode()


def test_today_on_boards_is_a_day_of_tms_for_everyone():
    with timezone.override("America/New_York"):
        there = midnight(NOON)

    assert there == midnight(NOON)


def test_zones_are_cities_and_utc():
    zones = named_zones()

    assert {"UTC", "Asia/Tokyo", "America/Argentina/Buenos_Aires"} <= set(zones)
    assert not {"EST", "Japan", "Etc/GMT+9", "posixrules"} & set(zones)
    assert all(zone_named(zone) for zone in zones)


@pytest.mark.parametrize("address", ["/maintenance/new/", "/rotations/new/", "/policies/new/", "/me/"])
def test_every_form_offers_the_same_zones_once(client, fleet, address):
    """A zone is offered even if no site is in it."""
    client.force_login(User.objects.create_superuser("tanaka"))

    html = client.get(address).content.decode()

    assert html.count(">America/Argentina/Buenos_Aires</option>") == 1, address
    assert html.count(">Asia/Tokyo</option>") == 1, address
