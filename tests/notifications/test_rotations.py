"""The person on call is notified, and everyone sees who it is."""

from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.support.builders import AT, later
from tests.support.notifications.alerts import event_kinds, open_alert, resolve_alert
from tests.support.notifications.destinations import webhook_destination
from tests.support.pages import HtmlPage
from tms.lib.calendar.local_time import local_time
from tms.notifications.models.policy import Policy, Step
from tms.notifications.models.rotation import Cover, Member, Rotation

pytestmark = [pytest.mark.both, pytest.mark.django_db]

HOUR, DAY = 3600, 86_400


@pytest.fixture
def people(fleet, receiver):
    """Each with their own destination."""
    three = [fleet.person(name) for name in ("aiko", "ren", "mei")]
    for person in three:
        webhook_destination(f"{receiver.url}/{person.username}", person.username, person=person)
    return three


def rotation(*people, name: str = "Night", **fields) -> Rotation:
    """A day each. At AT, which is 18:00 in Tokyo, the first one is on call."""
    fields = {"starts_on": date(2026, 11, 25), "handover_at": time(9), "every_days": 1} | fields
    made = Rotation.objects.create(name=name, **fields)
    Member.objects.bulk_create(
        Member(rotation=made, position=position, person=person) for position, person in enumerate(people)
    )
    return made


def named(policy: Policy, *rotations: Rotation, position: int = 0) -> Policy:
    Step.objects.get(policy=policy, position=position).rotations.set(rotations)
    return policy


def notified(receiver) -> list[str]:
    return [posted.path.rsplit("/")[-1] for posted in receiver.posted]


def test_the_person_on_call_at_the_time_of_the_step_is_notified(fleet, delivery_clock, policy, people, receiver):
    named(policy((0, [])), rotation(*people))
    open_alert(fleet)
    delivery_clock.advance(5)
    delivery_clock.advance(DAY, step_s=HOUR)
    open_alert(fleet, seconds=DAY)
    delivery_clock.advance(5)

    assert notified(receiver) == ["aiko", "ren"]


def test_the_next_step_notifies_the_person_on_call_at_that_time(fleet, delivery_clock, policy, people, receiver):
    rota = rotation(*people)
    named(named(policy((0, []), (DAY, [])), rota), rota, position=1)
    open_alert(fleet)

    delivery_clock.advance(DAY + 5, step_s=HOUR)

    assert notified(receiver) == ["aiko", "ren"]


def test_the_notified_person_gets_the_recovery_even_after_their_shift(fleet, delivery_clock, policy, people, receiver):
    named(policy((0, [])), rotation(*people))
    alert = open_alert(fleet)
    delivery_clock.advance(DAY, step_s=HOUR)
    resolve_alert(alert, DAY)
    delivery_clock.advance(5)

    assert notified(receiver) == ["aiko", "aiko"]
    assert event_kinds(receiver) == ["opened", "resolved"]


def test_an_override_is_notified_instead(fleet, delivery_clock, policy, people, receiver):
    rota = rotation(*people)
    Cover.objects.create(rotation=rota, person=people[2], since=later(-60), until=later(60))
    named(policy((0, [])), rota)
    open_alert(fleet)

    delivery_clock.advance(5)

    assert notified(receiver) == ["mei"]


def test_a_person_who_is_named_and_on_call_is_notified_once(fleet, delivery_clock, policy, people, receiver):
    named(policy((0, [people[0].destinations.get()])), rotation(*people), rotation(*people, name="Day"))
    open_alert(fleet)

    delivery_clock.advance(5)

    assert notified(receiver) == ["aiko"]


@pytest.mark.parametrize("why", ["nobody", "left", "unreachable", "deleted", "not yet"])
def test_if_no_one_can_be_reached_the_next_step_is_notified_at_once(
    fleet, delivery_clock, policy, people, hook, receiver, why
):
    rota = rotation(*([] if why == "nobody" else people[:1]))
    if why == "left":
        people[0].is_active = False
        people[0].save()
    if why == "unreachable":
        people[0].destinations.update(enabled=False)
    if why in {"deleted", "not yet"}:
        field = {"deleted": {"deleted_at": AT}, "not yet": {"starts_on": date(2026, 12, 1)}}[why]
        Rotation.objects.update(**field)
    named(policy((0, []), (3 * HOUR, [hook])), rota)
    open_alert(fleet)

    delivery_clock.advance(5)

    assert notified(receiver) == ["s3cret-path"]


def test_many_alerts_cost_one_query_for_the_person_on_call(
    fleet, delivery_clock, policy, people, django_assert_max_num_queries
):
    named(policy((0, [])), rotation(*people))
    rule = fleet.metric_rule(severity="critical")
    for _ in range(20):
        open_alert(fleet, rule=rule)

    with django_assert_max_num_queries(60):
        delivery_clock.advance(0)


# Pages


FORM = {
    "name": "Night",
    "time_zone": "Asia/Tokyo",
    "starts_on": "2026-11-23",
    "handover_at": "09:00",
    "every_days": "7",
    "members-TOTAL_FORMS": "8",
    "members-INITIAL_FORMS": "0",
}


def test_a_rotation_is_created_and_shown_in_its_order(staff, fleet):
    mei, ren = fleet.person("mei"), fleet.person("ren")

    staff.post(
        "/rotations/new/", FORM | {"members-0-person": ren.pk, "members-1-person": mei.pk, "weekdays": ["4", "0"]}
    )

    made = Rotation.objects.get()
    seen = HtmlPage(staff.get(made.get_absolute_url()))
    assert list(made.members.values_list("person", flat=True)) == [ren.pk, mei.pk]
    assert made.weekdays == [4, 0]
    assert seen.attribute("id_starts_on", "value") == "2026-11-23"
    assert seen.html.count("selected") >= 3


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({}, "Choose at least one person"),
        ({"members-0-person": "1", "every_days": "0"}, "greater than or equal to 1"),
        ({"members-0-person": "1", "starts_on": "soon"}, "valid date"),
        ({"members-0-person": "1", "members-TOTAL_FORMS": "9"}, "at most 8 forms"),
    ],
)
def test_an_invalid_rotation_is_refused_and_nothing_is_stored(staff, fleet, wrong, says):
    if "members-0-person" in wrong:
        wrong = wrong | {"members-0-person": fleet.person().pk}

    answer = staff.post("/rotations/new/", FORM | wrong)

    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not Rotation.objects.exists()


def test_names_are_unique(staff, fleet):
    aiko = fleet.person("aiko")
    rotation(aiko)

    answer = staff.post("/rotations/new/", FORM | {"members-0-person": aiko.pk})

    assert answer.status_code == 422
    assert "This name is already in use. Enter another one." in answer.content.decode()


def test_the_page_shows_who_is_on_call_now_and_next(watcher, fleet):
    aiko, ren = fleet.person("aiko"), fleet.person("ren")
    today = date.today()  # noqa: DTZ011  # the page is of today
    rota = rotation(aiko, ren, starts_on=today - timedelta(weeks=52), every_days=7)

    seen = HtmlPage(watcher.get(rota.get_absolute_url()))

    assert any(name in seen.text(f"rotation-{rota.pk}") for name in ("aiko", "ren"))
    assert seen.html.count("no personal destination") >= 4


def test_the_page_warns_of_gaps(watcher, fleet):
    rota = rotation()

    assert "Nobody is on call" in HtmlPage(watcher.get("/rotations/")).text(f"rotation-{rota.pk}")


def test_every_operator_may_add_an_override_in_the_local_time_of_the_rotation(watcher, fleet):
    rota = rotation(fleet.person("aiko"), time_zone="Europe/Berlin")
    ren = fleet.person("ren")
    form = {"cover-person": ren.pk, "cover-since": "2030-06-01T20:00", "cover-until": "2030-06-02T08:00"}

    watcher.post(f"/rotations/{rota.pk}/covers/", form)

    made = Cover.objects.get()
    assert (made.person, made.by.username) == (ren, "mori")
    assert local_time(made.since, ZoneInfo("Europe/Berlin")).isoformat() == "2030-06-01T20:00:00"
    assert "Delete override by ren" in watcher.get(rota.get_absolute_url()).content.decode()
    watcher.post(f"/rotations/{rota.pk}/covers/{made.pk}/delete/")
    assert not Cover.objects.exists()


def test_an_override_that_ends_before_it_begins_is_refused(watcher, fleet):
    rota = rotation(fleet.person("aiko"))
    form = {
        "cover-person": fleet.person("ren").pk,
        "cover-since": "2030-06-02T20:00",
        "cover-until": "2030-06-02T08:00",
    }

    answer = watcher.post(f"/rotations/{rota.pk}/covers/", form)

    assert answer.status_code == 422
    assert "The end must be after the start." in answer.content.decode()


def test_a_viewer_changes_no_rotation(watcher, fleet):
    rota = rotation(fleet.person("aiko"))

    assert watcher.post(rota.get_absolute_url(), FORM).status_code == 403
    assert watcher.post(f"/rotations/{rota.pk}/delete/").status_code == 403
    assert Rotation.objects.not_deleted().get() == rota


def test_a_deleted_rotation_is_gone_and_its_name_is_free(staff, fleet):
    aiko = fleet.person("aiko")
    rota = rotation(aiko)

    staff.post(f"/rotations/{rota.pk}/delete/")
    staff.post("/rotations/new/", FORM | {"members-0-person": aiko.pk})

    assert staff.get(rota.get_absolute_url()).status_code == 404
    assert Rotation.objects.not_deleted().get().name == "Night"


def test_the_calendar_marks_gaps_overrides_and_those_that_overlap(staff, people, fleet):
    """Times are those of the person; a rotation that begins later has a gap until then."""
    rota = rotation(*people[:2], starts_on=date(2026, 11, 25), name="Night")
    for person, hours in ((people[2], (10, 14)), (people[0], (12, 16))):
        since, until = (later((day + hour - 18) * HOUR) for day, hour in ((24, hours[0]), (24, hours[1])))
        Cover.objects.create(rotation=rota, person=person, since=since, until=until)

    seen = HtmlPage(staff.get("/rotations/?from=2026-11-23"))

    text = " ".join(seen.html.split())
    assert 'data-kind="gap"' in text
    assert "Night: nobody is on call" in text.replace("<bdi>", "").replace("</bdi>", "")
    assert "several overrides at once" in text
    assert text.count('data-kind="overlap"') == 2, "wide and on a phone"
    assert "Times in Asia/Tokyo" in text


def test_a_check_of_a_rotation_saves_nothing(staff, people):
    rota = rotation(*people)
    sent = {"name": "", "time_zone": "Asia/Tokyo", "_left": ["name", "members-0-person"]}
    sent |= {"members-TOTAL_FORMS": "1", "members-INITIAL_FORMS": "0", "members-0-person": "999"}

    html = staff.post(f"/rotations/{rota.pk}/?check=1", sent).content.decode()

    assert "This field is required." in html
    assert 'data-field="members-0-person"' in html
    rota.refresh_from_db()
    assert (rota.name, rota.members.count()) == ("Night", 3)
