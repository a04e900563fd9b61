"""Deleted objects are out of use, readable, and can be restored."""

from typing import Any

import pytest
from django.db.models import ProtectedError
from django.http import Http404

from tests.support.builders import AT
from tests.support.notifications.alerts import event_kinds, open_alert, resolve_alert
from tests.support.notifications.destinations import webhook_destination
from tests.support.pages import HtmlPage
from tms.accounts.models import User
from tms.notifications.destinations import services as destination_services
from tms.notifications.destinations.forms import DestinationForm
from tms.notifications.models.delivery import Delivery
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Policy
from tms.notifications.models.rotation import Rotation
from tms.notifications.policies import services as policy_services
from tms.notifications.policies.forms import PolicyForm
from tms.notifications.rotations import services as rotation_services
from tms.notifications.rotations.forms import RotationForm
from tms.notifications.soft_delete import services

pytestmark = [pytest.mark.both, pytest.mark.django_db]

HOUR = 3600


def made(kind: str, hook: Destination) -> Destination | Policy:
    return hook if kind == "destination" else Policy.objects.create(name="Hook")


LIST_URLS = {"destination": "/destinations/", "policy": "/policies/"}


@pytest.mark.parametrize("kind", LIST_URLS)
@pytest.mark.parametrize("enabled", [True, False])
def test_deleting_asks_for_confirmation_and_is_undone_from_the_list(staff, hook, kind, enabled):
    row, list_url = made(kind, hook), LIST_URLS[kind]
    type(row).objects.update(enabled=enabled)

    asked = HtmlPage(staff.get(f"{list_url}{row.pk}/delete/"))
    deleted = staff.post(f"{list_url}{row.pk}/delete/")
    seen = HtmlPage(staff.get(deleted["Location"]))

    row.refresh_from_db()
    assert "Delete Hook?" in asked.text("delete-title")
    assert row.deleted_at is not None
    assert not row.enabled
    assert "<bdi>Hook</bdi> deleted" in seen.html
    assert staff.get(row.get_absolute_url()).status_code == 404
    staff.post(f"{list_url}{row.pk}/restore/", {"on": "1"} if "on=1" in deleted["Location"] else {})
    row.refresh_from_db()
    assert (row.deleted_at, row.enabled) == (None, enabled)


@pytest.mark.parametrize("kind", LIST_URLS)
def test_its_name_is_free_and_undoing_reports_a_conflict(staff, hook, receiver, kind):
    row, list_url = made(kind, hook), LIST_URLS[kind]
    staff.post(f"{list_url}{row.pk}/delete/")
    again = webhook_destination(receiver.url) if kind == "destination" else Policy.objects.create(name="Hook")

    answer = staff.post(f"{list_url}{row.pk}/restore/", {"on": "1"})

    row.refresh_from_db()
    assert answer.status_code == 409
    assert "This name is already in use" in answer.content.decode()
    assert row.deleted_at is not None
    assert again.deleted_at is None


FORMS: dict[str, Any] = {
    "destination": (
        DestinationForm,
        lambda form: destination_services.save(form.instance, form.entries, by=form.by),
    ),
    "policy": (PolicyForm, lambda form: policy_services.save(form.instance, form.rows, None, by=form.by)),
    "rotation": (RotationForm, lambda form: rotation_services.save(form.instance, None, by=form.by)),
}
VALUES: dict[str, Any] = {
    "name": "Other",
    "language": "en",
    "delay_s": 0,
    "group_wait_s": 5,
    "time_zone": "Asia/Tokyo",
    "starts_on": "2026-11-23",
    "handover_at": "09:00",
    "every_days": 7,
}
"""Each form takes its own."""


@pytest.mark.parametrize("kind", FORMS)
def test_a_row_that_is_deleted_while_its_form_is_sent_stays_deleted(hook, kind):
    night = {"name": "Night", "starts_on": AT.date(), "handover_at": AT.time()}
    row = Rotation.objects.create(**night) if kind == "rotation" else made(kind, hook)
    make, save = FORMS[kind]
    form = make(VALUES, instance=row, by=User.objects.create_superuser("boss"))
    assert form.is_valid(), form.errors
    services.delete(type(row).objects.get(pk=row.pk), at=AT)

    with pytest.raises(Http404):
        save(form)

    row.refresh_from_db()
    assert row.deleted_at == AT
    assert row.name != "Other"


def test_a_form_leaves_what_tms_and_colleagues_write_meanwhile(hook):
    form = DestinationForm(VALUES, instance=hook, by=User.objects.create_superuser("boss"))
    assert form.is_valid(), form.errors
    Destination.objects.update(failures=3, encrypted_secrets="of a renewed key")

    destination_services.save(hook, form.entries, by=form.by)

    stored = Destination.objects.values_list("name", "failures", "encrypted_secrets").get()
    assert stored == ("Other", 3, "of a renewed key")


@pytest.mark.parametrize("target", ["sites", "groups"])
def test_the_only_site_or_group_of_a_policy_cannot_be_deleted(target):
    """The policy would apply to everything if it lost its only site or group."""
    policy = Policy.objects.create(name="Shinjuku")
    chosen = getattr(policy, target).create(name="Shinjuku", **({"code": "SJK"} if target == "sites" else {}))

    with pytest.raises(ProtectedError) as refused:
        chosen.delete()

    assert [str(row) for row in refused.value.protected_objects] == ["Shinjuku"]


@pytest.mark.parametrize("what", [{}, {"deleted": "x"}, {"deleted": "9" * 30}, {"deleted": "999"}])
def test_a_list_offers_no_undo_without_deletions(staff, hook, what):
    assert "Hook</bdi> deleted" not in staff.get("/destinations/", what).content.decode()


def test_a_viewer_deletes_nothing(watcher, hook):
    assert watcher.post(f"/destinations/{hook.pk}/delete/").status_code == 403
    assert watcher.post(f"/destinations/{hook.pk}/restore/").status_code == 403


def test_waiting_deliveries_are_dropped_and_past_ones_stay_readable(
    fleet, delivery_clock, policy, hook, receiver, staff
):
    policy((0, [hook]), group_wait_s=60)
    open_alert(fleet)
    delivery_clock.advance(61)
    open_alert(fleet)
    delivery_clock.advance(5)

    staff.post(f"/destinations/{hook.pk}/delete/")
    delivery_clock.advance(HOUR, step_s=600)

    sent, dropped = Delivery.objects.order_by("pk")
    assert event_kinds(receiver) == ["opened"]
    assert (sent.state, dropped.state) == ("sent", "withdrawn")
    page = staff.get(sent.get_absolute_url()).content.decode()
    assert "Hook" in page
    assert hook.get_absolute_url() not in page


def test_a_deleted_policy_only_notifies_of_recoveries_to_its_former_recipients(
    fleet, delivery_clock, policy, hook, receiver, staff
):
    row = policy((0, [hook]), (HOUR, [hook]))
    alert = open_alert(fleet)
    delivery_clock.advance(5)

    staff.post(f"/policies/{row.pk}/delete/")
    open_alert(fleet, seconds=10)
    delivery_clock.advance(2 * HOUR, step_s=600)
    resolve_alert(alert, 2 * HOUR)
    delivery_clock.advance(5)

    assert event_kinds(receiver) == ["opened", "resolved"]


def test_a_failed_delivery_is_not_sent_again_to_a_deleted_destination(
    fleet, delivery_clock, policy, hook, receiver, staff
):
    receiver.script = [(410, {})]
    policy((0, [hook]))
    open_alert(fleet)
    delivery_clock.advance(5)
    staff.post(f"/destinations/{hook.pk}/delete/")
    dead = Delivery.objects.get(state="dead")

    staff.post(f"{dead.get_absolute_url()}again/")

    dead.refresh_from_db()
    assert dead.state == "dead"


def test_names_are_unique(staff, hook, receiver):
    form = {"name": "Hook", "where": receiver.url, "language": "en", "enabled": "on"}

    answer = staff.post("/destinations/new/webhook/", form)

    assert answer.status_code == 422
    assert "This name is already in use. Enter another one." in HtmlPage(answer).text("id_name_error")
