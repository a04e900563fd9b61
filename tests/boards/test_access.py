import pytest
from django.test import Client

from tests import factories
from tests.boards.conftest import HTMX


@pytest.fixture
def alert(fleet):
    return factories.alert(fleet, uid="T-1")


PAGES = [
    "/",
    "/terminals/",
    "/terminals/T-1/",
    "/terminals/T-1/series/",
    "/alerts/",
    "/alerts/{alert}/",
    "/alerts/past/",
    "/alerts/past/export/",
    "/alerts/times/",
    "/alerts/times/export/",
    "/maintenance/",
    "/maintenance/new/",
    "/digest/",
    "/digest/markdown/",
    "/help/",
]
FORMS = [
    "/terminals/T-1/commands/",
    "/alerts/{alert}/acknowledge/",
    "/alerts/acknowledge/",
    "/digest/notes/",
    "/digest/notes/1/",
    "/digest/notes/1/delete/",
    "/maintenance/new/",
    "/maintenance/preview/",
    "/maintenance/1/end/",
    "/maintenance/1/extend/",
    "/maintenance/1/cancel/",
]


@pytest.mark.parametrize("address", PAGES)
def test_a_stranger_is_sent_to_sign_in_and_back(client, alert, address):
    address = address.format(alert=alert.pk)

    answer = client.get(address)

    assert (answer.status_code, answer["Location"]) == (302, f"/sign-in/?next={address}")


@pytest.mark.parametrize("address", PAGES)
def test_a_strangers_htmx_is_told_to_go_and_sign_in(client, alert, address):
    answer = client.get(address.format(alert=alert.pk), headers=HTMX)

    assert answer["HX-Redirect"] == "/sign-in/"
    assert answer.content == b""


@pytest.mark.parametrize("address", FORMS)
def test_a_stranger_changes_nothing(client, alert, address):
    answer = client.post(address.format(alert=alert.pk), {"name": "ping", "comment": "mine", "alert": alert.pk})

    alert.refresh_from_db()
    assert answer.status_code == 302
    assert (alert.state, alert.terminal.commands.count()) == ("open", 0)


@pytest.mark.parametrize("address", FORMS)
def test_a_form_without_its_token_is_refused(tanaka, alert, address):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(tanaka)

    answer = browser.post(address.format(alert=alert.pk), {"name": "ping"})

    alert.refresh_from_db()
    assert answer.status_code == 403
    assert "The form was too old" in answer.content.decode()
    assert alert.state == "open"


def test_a_disabled_person_sees_nothing(browser, tanaka):
    tanaka.is_active = False
    tanaka.save()

    assert browser.get("/").status_code == 302


@pytest.mark.parametrize("address", ["/terminals/none/", "/terminals/none/series/", "/alerts/0/", "/nowhere/"])
def test_what_is_not_there_looks_alike(browser, address):
    answer = browser.get(address)

    assert answer.status_code == 404
    assert "Nothing is here" in answer.content.decode()


@pytest.mark.parametrize("address", ["/", "/terminals/", "/alerts/", "/help/"])
def test_only_staff_are_shown_the_way_to_the_settings(browser, page, tanaka, address):
    before = page(address)
    tanaka.is_staff = True
    tanaka.save()

    seen = page(address)

    assert "/admin/" not in before.links()
    assert "/admin/" in seen.links()
