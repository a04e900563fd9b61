"""Browsers of people: added and removed on their own page, and notified of what they chose and may see."""

from datetime import timedelta
from http import HTTPStatus
from ipaddress import ip_network

import pytest
from django.core.management import call_command
from django.test import Client

from tests.support.builders import AT, later
from tests.support.notifications.alerts import open_alert, resolve_alert
from tests.support.notifications.push_service import PushService, running
from tests.support.people import grant, person, signed_in
from tms.accounts.models import AuditEntry, Grant, User
from tms.alerts.lifecycle import acknowledge
from tms.alerts.models import Alert
from tms.notifications.models import (
    Cover,
    Delivery,
    Destination,
    DevicePreferences,
    Policy,
    PushDevice,
    PushKey,
    Rotation,
)
from tms.notifications.push import browsers, keys

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def service(settings, monkeypatch, tmp_path) -> PushService:
    settings.INSIDE_DESTINATIONS, settings.PUSH_SERVICES = [ip_network("127.0.0.1")], ["127.0.0.1"]
    with running(tmp_path) as service:
        monkeypatch.setenv("SSL_CERT_FILE", str(service.certificate))
        yield service


@pytest.fixture
def kimura(fleet) -> User:
    return person("kimura", of="Operator")


@pytest.fixture
def browser(service):
    return service.browser()


@pytest.fixture
def client(kimura) -> Client:
    return signed_in(kimura)


@pytest.fixture
def device(client, browser) -> PushDevice:
    answer = client.post("/me/browsers/", browser.form, headers={"User-Agent": "Mozilla/5.0 (Android) Chrome/150"})
    assert answer["Location"] == "/me/?saved=browsers#browsers"
    return PushDevice.objects.get()


def choose(kimura: User, **fields) -> None:
    DevicePreferences.objects.update_or_create(person=kimura, defaults=fields)


def titles(service: PushService) -> list[str]:
    return [shown["title"] for shown in service.shown]


# Adding and removing


def test_a_device_is_listed_and_its_secrets_are_not_shown(client, device, browser):
    page = client.get("/me/").text

    assert (device.name, device.is_mobile) == ("Chrome on Android", True)
    assert "Chrome on Android" in page
    assert browser.address not in page + str(AuditEntry.objects.values_list("changes", flat=True))
    assert browser.address not in device.destination.encrypted_secrets
    assert AuditEntry.objects.filter(action="created", subject_type="notifications.destination").count() == 1


def test_adding_it_again_changes_nothing(client, device, browser):
    client.post("/me/browsers/", browser.form)

    assert (PushDevice.objects.count(), Destination.objects.count()) == (1, 1)


def test_a_browser_belongs_to_the_person_who_added_it_last(device, browser, fleet):
    signed_in(person("mori", of="Operator")).post("/me/browsers/", browser.form)

    assert [each.destination.person.username for each in PushDevice.objects.all()] == ["mori"]


def test_the_address_alone_takes_no_device_away(device, browser, service, fleet):
    forged = {**service.browser().form, "address": browser.address}

    signed_in(person("mori", of="Operator")).post("/me/browsers/", forged)

    assert [each.destination.person.username for each in PushDevice.objects.all()] == ["kimura"]


def test_a_person_has_ten_devices_at_most(client, device, service):
    for _ in range(browsers.MAX_BROWSERS):
        client.post("/me/browsers/", service.browser().form)

    assert PushDevice.objects.count() == browsers.MAX_BROWSERS


def test_only_ones_own_devices_can_be_tested_and_removed(device, fleet, service):
    other = signed_in(person("mori", of="Manager"))

    statuses = [other.post(f"/me/browsers/{device.pk}/{act}/").status_code for act in ("test", "remove")]

    assert statuses == [HTTPStatus.NOT_FOUND] * 2
    assert service.posted == []


def test_a_removed_device_leaves_no_secret_and_gets_nothing(client, device, service, fleet, delivery_clock):
    client.post(f"/me/browsers/{device.pk}/remove/")
    open_alert(fleet)
    delivery_clock.advance(30)

    left = Destination.objects.get()
    assert (PushDevice.objects.count(), left.encrypted_secrets, left.enabled) == (0, "", False)
    assert AuditEntry.objects.filter(action="deleted", subject_type="notifications.destination").count() == 1
    assert service.posted == []


def test_the_test_button_reaches_the_device(client, device, service):
    client.post(f"/me/browsers/{device.pk}/test/")

    assert titles(service) == ["Test from TMS"]
    assert AuditEntry.objects.filter(action="tested").count() == 1


def test_devices_are_on_no_page_or_list_of_destinations(client, device, fleet):
    manager = signed_in(person("abe", of="Manager"))

    assert "Chrome on Android" not in manager.get("/destinations/").text + manager.get("/policies/").text
    assert manager.get(f"/destinations/{device.destination.pk}/").status_code == HTTPStatus.NOT_FOUND
    assert manager.get("/destinations/new/push/").status_code == HTTPStatus.NOT_FOUND


def test_a_refused_address_is_explained(client, service):
    answer = client.post("/me/browsers/", {**service.browser().form, "address": "https://evil.example/x"}, follow=True)

    assert "evil.example is no known push service" in answer.text
    assert not PushDevice.objects.exists()


def test_without_push_there_is_no_panel(client, settings, service):
    settings.PUSH = False

    assert "Notifications in browsers" not in client.get("/me/").text
    assert client.post("/me/browsers/", service.browser().form).status_code == HTTPStatus.NOT_FOUND


# What is sent


def test_a_critical_alert_is_pushed_once_and_then_replaced(device, service, fleet, kimura, delivery_clock):
    alert = open_alert(fleet)
    delivery_clock.advance(10)
    acknowledge(Alert.objects.all(), by=kimura, comment="", at=later(12))
    delivery_clock.advance(10)
    resolve_alert(alert, 22)
    delivery_clock.advance(10)

    shown = service.shown
    assert [each["isSilent"] for each in shown] == [False, True, True]
    assert {each["tag"] for each in shown} == {f"alert-{alert.pk}"}
    assert [each.get("acknowledge") is not None for each in shown] == [True, False, False]


def test_its_button_acknowledges_without_a_session(device, service, fleet, kimura, delivery_clock, monkeypatch):
    open_alert(fleet)
    delivery_clock.advance(10)
    monkeypatch.setattr("django.utils.timezone.now", lambda: AT + timedelta(minutes=1))

    path = service.shown[0]["acknowledge"]["path"]
    answer = Client(enforce_csrf_checks=True).post(path, headers={"Accept": "application/json"})

    assert answer.json()["title"] == "Acknowledged"
    assert Alert.objects.get().acknowledged_by == kimura
    assert AuditEntry.objects.get(action="acknowledged").changes["destination"] == [None, "Chrome on Android (kimura)"]


def outside_scope(fleet, kimura):
    Grant.objects.filter(person=kimura).delete()
    grant(kimura, "Operator", site=fleet.site("OSK"))


def in_scope(fleet, kimura):
    Grant.objects.filter(person=kimura).delete()
    grant(kimura, "Operator", site=fleet.site("SJK"))


def other_severity(fleet, kimura):
    choose(kimura, severities=["warning"])


def other_area(fleet, kimura):
    choose(kimura, area=f"site:{fleet.site('OSK').pk}")


def same_area(fleet, kimura):
    choose(kimura, area=f"site:{fleet.site('SJK').pk}")


def deleted_area(fleet, kimura):
    choose(kimura, area="site:999999")


def off_call(fleet, kimura):
    choose(kimura, is_only_on_call=True)


def on_call(fleet, kimura):
    choose(kimura, is_only_on_call=True)
    rotation = Rotation.objects.create(name="Night", starts_on=AT.date(), handover_at="00:00")
    Cover.objects.create(rotation=rotation, person=kimura, since=later(-60), until=later(3600))


def disabled(fleet, kimura):
    User.objects.filter(pk=kimura.pk).update(is_active=False)


@pytest.mark.parametrize(
    ("arrange", "number"),
    [
        *((outside_scope, 0), (in_scope, 1), (other_severity, 0), (other_area, 0), (same_area, 1)),
        *((deleted_area, 0), (off_call, 0), (on_call, 1), (disabled, 0)),
    ],
)
def test_a_device_gets_what_its_person_chose_and_sees(device, service, fleet, kimura, delivery_clock, arrange, number):
    arrange(fleet, kimura)
    open_alert(fleet, terminal=fleet.online(site=fleet.site("SJK")))

    delivery_clock.advance(10)

    assert len(service.posted) == number


@pytest.mark.parametrize("attempts", [0, 1])
def test_a_right_that_is_lost_before_an_attempt_ends_it(device, service, fleet, kimura, delivery_clock, attempts):
    service.script = [(503, {})]
    open_alert(fleet, terminal=fleet.online(site=fleet.site("SJK")))
    delivery_clock.advance(5 * attempts, step_s=1)
    assert len(service.posted) == attempts
    outside_scope(fleet, kimura)

    delivery_clock.advance(60)

    assert len(service.posted) == attempts
    assert Delivery.objects.get().state in {"withdrawn", "dead"}


def test_a_person_on_call_is_notified_by_the_policy_regardless_of_their_choice(
    device, service, fleet, kimura, delivery_clock, policy
):
    on_call(fleet, kimura)
    choose(kimura, severities=[])
    shared = policy((0, []))
    shared.steps.get().rotations.add(Rotation.objects.get())
    open_alert(fleet)

    delivery_clock.advance(10)

    assert [each.policy for each in Delivery.objects.all()] == [shared]
    assert len(service.posted) == 1


@pytest.mark.parametrize("status", [404, 410])
def test_a_device_that_is_gone_is_removed(device, service, fleet, delivery_clock, status):
    service.script = [(status, {})]
    open_alert(fleet)

    delivery_clock.advance(30)

    assert len(service.posted) == 1
    assert not PushDevice.objects.exists()
    assert AuditEntry.objects.filter(action="deleted", via="clock").count() == 1


def test_a_service_that_fails_is_tried_again_with_the_same_message(device, service, fleet, delivery_clock):
    service.script = [(503, {}), (500, {})]
    open_alert(fleet)

    delivery_clock.advance(60)

    assert len(service.posted) == 3
    assert len({shown["uid"] for shown in service.shown}) == 1


# Preferences


def test_preferences_are_stored_and_audited(client, kimura, fleet, device):
    site = fleet.site("SJK")
    sent = {"critical": "on", "warning": "on", "is_only_on_call": "on", "area": f"site:{site.pk}"}

    client.post("/me/browsers/preferences/", sent)

    row = DevicePreferences.objects.get(person=kimura)
    assert (row.severities, row.is_only_on_call, row.area) == (["critical", "warning"], True, f"site:{site.pk}")
    assert AuditEntry.objects.filter(subject_type="notifications.devicepreferences").exists()


@pytest.mark.parametrize("area", ["site:999999", "everything", "x" * 500, "region:Nowhere"])
def test_an_area_that_the_person_does_not_see_is_refused(client, kimura, device, area):
    client.post("/me/browsers/preferences/", {"area": area})

    assert not DevicePreferences.objects.exists()


# Keys


def test_after_a_rotation_old_devices_keep_their_key(device, service, fleet, delivery_clock, client):
    call_command("push_keys", "--rotate")
    client.post("/me/browsers/", service.browser().form)
    open_alert(fleet)

    delivery_clock.advance(10)

    assert PushKey.objects.filter(is_current=True).count() == 1
    assert {each.headers["Authorization"].rpartition("k=")[2] for each in service.posted} == set(
        PushKey.objects.values_list("public_key", flat=True)
    )
    assert all(service.claims(posted) for posted in service.posted)


def test_dropping_old_keys_removes_their_devices(device, capsys):
    call_command("push_keys", "--rotate", "--drop-old")

    assert "1 browsers removed" in capsys.readouterr().out
    assert (PushDevice.objects.count(), PushKey.objects.count()) == (0, 1)


def test_a_private_key_is_encrypted(db):
    key = keys.current(at=AT)

    assert "PRIVATE KEY" in key.private_key()
    assert "PRIVATE" not in key.encrypted_secrets
    assert keys.current(at=AT) == key


def test_one_policy_serves_all_devices(device, client, service):
    client.post("/me/browsers/", service.browser().form)

    assert Policy.objects.get(is_personal=True).steps.count() == 1
