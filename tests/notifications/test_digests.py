"""Shift digests reach their destinations: once each, at the ends of shifts in the local time of a zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from tests.support import factories, people
from tests.support.builders import AT, later
from tests.support.notifications.destinations import webhook_destination
from tests.support.pages import HtmlPage
from tms.accounts.models import User
from tms.notifications.models.delivery import Delivery, DeliveryState
from tms.notifications.models.destination import Destination
from tms.notifications.models.digest_plan import DigestPlan
from tms.notifications.planned.digests import services
from tms.shifts import notes

pytestmark = [pytest.mark.both, pytest.mark.django_db]

UTC_ZONE = ZoneInfo("UTC")
HOUR = 3_600


def planned(destination, times="06:00 14:00 22:00", zone="Asia/Tokyo", at=AT):
    return services.plan(
        destination, times=times, time_zone=zone, by=User.objects.get_or_create(username="kimura")[0], at=at
    )


def ends(zone, times, after, number=4):
    plan = DigestPlan(times=times, time_zone=zone)
    found = []
    for _ in range(number):
        after = plan.ends_after(after)
        found.append(after)
    return found


@pytest.mark.parametrize(
    ("zone", "after", "wanted"),
    [
        ("Asia/Tokyo", datetime(2026, 11, 25, 9, tzinfo=UTC), ["25 13:00", "25 21:00", "26 05:00", "26 13:00"]),
        # Clocks go back on 25 October, and forward on 29 March; shifts end at their local time.
        ("Europe/Berlin", datetime(2026, 10, 24, 13, tzinfo=UTC), ["24 20:00", "25 05:00", "25 13:00", "25 21:00"]),
        ("Europe/Berlin", datetime(2026, 3, 28, 14, tzinfo=UTC), ["28 21:00", "29 04:00", "29 12:00", "29 20:00"]),
        ("America/New_York", datetime(2026, 10, 31, 12, tzinfo=UTC), ["31 18:00", "1 02:00", "1 11:00", "1 19:00"]),
    ],
)
def test_shifts_end_at_their_local_time(zone, after, wanted):
    assert [f"{end:%-d %H:%M}" for end in ends(zone, "06:00 14:00 22:00", after)] == wanted


def test_a_skipped_time_is_that_of_the_clock_change_and_a_repeated_one_the_first():
    leap = ends("Europe/Berlin", "02:30", datetime(2026, 3, 28, 12, tzinfo=UTC), 2)
    back = ends("Europe/Berlin", "02:30", datetime(2026, 10, 24, 12, tzinfo=UTC), 2)

    assert [f"{end:%-d %H:%M}" for end in leap] == ["29 01:00", "30 00:30"]
    assert [f"{end:%-d %H:%M}" for end in back] == ["25 00:30", "26 01:30"]


def test_a_digest_is_sent_at_the_end_of_each_shift_and_covers_it(fleet, hook, delivery_clock, receiver):
    planned(hook)
    factories.alert(fleet, opened_at=later(HOUR), rule=fleet.metric_rule(name="Hot"))

    assert services.send_due(later(4 * HOUR - 1)) == 0
    assert services.send_due(later(4 * HOUR)) == 1
    assert services.send_due(later(4 * HOUR + 5)) == 0
    delivery_clock.at = later(4 * HOUR + 5)
    delivery_clock.work()

    (event,) = [posted.event for posted in receiver.posted]
    assert event["type"] == "tms.alerts.digest.v1"
    assert event["data"]["title"] == "Shift digest 25 Nov 14:00 – 25 Nov 22:00"
    assert "Hot" in event["data"]["text"]
    assert event["data"]["digest"] == {
        "since": "2026-11-25T05:00:00+00:00",
        "until": "2026-11-25T13:00:00+00:00",
        "opened": 1,
        "closed": 0,
        "still_open": 1,
        "unacknowledged": 1,
    }


def test_the_next_one_starts_where_the_last_one_ended(fleet, hook):
    planned(hook)

    services.send_due(later(4 * HOUR))
    services.send_due(later(12 * HOUR))

    titles = [delivery.content["title"] for delivery in Delivery.objects.order_by("pk")]
    assert titles == ["Shift digest 25 Nov 14:00 – 25 Nov 22:00", "Shift digest 25 Nov 22:00 – 26 Nov 06:00"]


def test_shifts_that_ended_during_an_outage_of_tms_are_combined(fleet, hook):
    planned(hook)

    assert services.send_due(later(30 * HOUR)) == 1
    assert services.send_due(later(30 * HOUR + 5)) == 0

    assert Delivery.objects.get().content["title"] == "Shift digest 25 Nov 14:00 – 26 Nov 22:00"


def test_two_leading_clocks_send_one_digest(fleet, hook):
    plan = planned(hook)
    (seen,) = DigestPlan.objects.due(later(4 * HOUR))

    services.send_due(later(4 * HOUR))
    assert not services.send_planned(seen, later(4 * HOUR))

    assert Delivery.objects.count() == 1
    assert plan.destination.deliveries.count() == 1


def test_a_failing_plan_does_not_affect_the_others(fleet, hook, receiver):
    DigestPlan.objects.filter(pk=planned(webhook_destination(receiver.url, "Broken")).pk).update(
        time_zone="Nowhere/Nothing"
    )
    planned(hook)

    assert services.send_due(later(4 * HOUR)) == 1
    assert [delivery.destination for delivery in Delivery.objects.all()] == [hook]


def test_a_disabled_destination_gets_none(fleet, hook):
    planned(hook)
    Destination.objects.update(enabled=False)

    assert services.send_due(later(4 * HOUR)) == 0


def test_a_new_plan_replaces_the_existing_one(fleet, hook):
    planned(hook)
    planned(hook, times="08:00", at=later(60))

    plan = DigestPlan.objects.get()
    assert (plan.times, plan.next_at, plan.covered_until) == ("08:00", later(14 * HOUR), later(-10 * HOUR))


def test_it_uses_the_language_of_the_destination(fleet, receiver):
    destination = webhook_destination(receiver.url, "Japanese", language="ja")

    sent = services.send(destination, AT, later(HOUR), zone=UTC_ZONE, to=None, at=later(HOUR))

    assert sent.content["title"].startswith("引き継ぎ")


def test_it_is_the_same_at_each_attempt(fleet, hook, delivery_clock, receiver):
    receiver.script = [(503, {})]
    notes.write("before", by=User.objects.create_user("mori"), at=later(60))
    services.send(hook, AT, later(HOUR), zone=UTC_ZONE, to=None, at=later(HOUR))
    delivery_clock.at = later(HOUR)
    delivery_clock.work()
    notes.write("meanwhile", by=User.objects.get(username="mori"), at=later(120))

    delivery_clock.advance(60)

    first, second = [posted.event["data"]["text"] for posted in receiver.posted]
    assert first == second
    assert "before" in first
    assert "meanwhile" not in first
    assert Delivery.objects.get().state == DeliveryState.SENT


# The page


def test_an_anonymous_visitor_is_redirected_to_sign_in_and_sends_nothing(client, fleet, hook):
    answers = [client.get("/digest/send/"), client.post("/digest/send/", {"destinations": [hook.pk]})]

    assert [answer["Location"].partition("?")[0] for answer in answers] == ["/sign-in/", "/sign-in/"]
    assert not Delivery.objects.exists()


@pytest.fixture
def person(fleet) -> Client:
    client = Client()
    client.force_login(people.person("mori", of="Operator"))
    return client


@pytest.fixture
def staff(fleet) -> Client:
    client = Client()
    client.force_login(people.person("kimura", of="Manager"))
    return client


def fields_of(seen):
    return {
        attributes["name"]: attributes.get("value") or ""
        for tag, attributes in seen.elements
        if tag == "input" and attributes.get("name") in {"since", "until", "zone"}
    }


def test_an_operator_sends_the_shown_digest_and_pressing_twice_sends_it_once(person, hook):
    seen = HtmlPage(person.get("/digest/send/?span=12h"))
    sent = fields_of(seen) | {"destinations": [hook.pk]}

    for _ in range(2):
        answer = person.post("/digest/send/?span=12h", sent)

    delivery = Delivery.objects.get()
    assert answer["Location"].startswith("/digest/send/?span=12h")
    assert seen.text("text-title") == delivery.content["title"]
    assert hook.name in HtmlPage(person.get("/digest/send/")).text(f"sent-{delivery.pk}")


def test_without_a_destination_nothing_is_sent_and_an_error_is_shown(person, hook):
    seen = HtmlPage(person.get("/digest/send/"))

    answer = person.post("/digest/send/", fields_of(seen))

    assert answer.status_code == 422
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("2026-01-01T00:00:00+0000", "2026-03-01T00:00:00+0000"),
        ("9999-12-30T00:00:00+0000", "9999-12-31T00:00:00+0000"),
    ],
)
def test_a_period_of_more_than_31_days_or_beyond_the_calendar_is_not_sent(person, hook, since, until):
    fields = {"since": since, "until": until, "zone": "UTC", "destinations": [hook.pk]}

    answer = person.post("/digest/send/", fields)

    assert answer.status_code == 422
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("times", ["", "nonsense", "25:00", "6 14"])
def test_an_invalid_time_of_day_is_refused(staff, hook, times):
    answer = staff.post("/digest/plans/", {"destination": hook.pk, "times": times, "time_zone": "UTC"})

    assert answer.status_code == 422
    assert not DigestPlan.objects.exists()


def test_staff_create_and_delete_a_plan(staff, hook):
    staff.post("/digest/plans/", {"destination": hook.pk, "times": "22:00, 6:00", "time_zone": "UTC"})
    plan = DigestPlan.objects.get()
    assert plan.times == "06:00 22:00"
    assert "06:00 22:00" in HtmlPage(staff.get("/digest/send/")).text(f"plan-{plan.pk}")

    staff.post(f"/digest/plans/{plan.pk}/delete/")

    assert not DigestPlan.objects.exists()


def test_only_staff_create_plans(person, hook):
    plan = planned(hook)

    refused = [
        person.post("/digest/plans/", {"destination": hook.pk, "times": "06:00", "time_zone": "UTC"}),
        person.post(f"/digest/plans/{plan.pk}/delete/"),
    ]

    assert [answer.status_code for answer in refused] == [403, 403]
    assert DigestPlan.objects.get().times == "06:00 14:00 22:00"


def test_a_delivery_of_a_digest_shows_its_text(person, hook):
    sent = services.send(hook, AT, AT + timedelta(hours=1), zone=UTC_ZONE, to=None, at=later(HOUR))

    seen = HtmlPage(person.get(sent.get_absolute_url()))

    assert "Shift digest 25 Nov 09:00" in seen.text("items-title")
