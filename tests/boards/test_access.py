import pytest
from django.test import Client

from tests.support import factories, people
from tests.support.pages import HTMX_HEADERS, HtmlPage


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
    "/alerts/{alert}/series/",
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
def test_an_anonymous_visitor_is_redirected_to_sign_in_and_back(client, alert, address):
    address = address.format(alert=alert.pk)

    answer = client.get(address)

    assert (answer.status_code, answer["Location"]) == (302, f"/sign-in/?next={address}")


@pytest.mark.parametrize("address", PAGES)
def test_an_anonymous_htmx_request_is_redirected_to_sign_in(client, alert, address):
    answer = client.get(address.format(alert=alert.pk), headers=HTMX_HEADERS)

    assert answer["HX-Redirect"] == "/sign-in/"
    assert answer.content == b""


@pytest.mark.parametrize("address", FORMS)
def test_an_anonymous_visitor_changes_nothing(client, alert, address):
    answer = client.post(address.format(alert=alert.pk), {"name": "ping", "comment": "mine", "alert": alert.pk})

    alert.refresh_from_db()
    assert answer.status_code == 302
    assert (alert.state, alert.terminal.commands.count()) == ("open", 0)


@pytest.mark.parametrize("address", FORMS)
def test_a_form_without_csrf_token_is_refused(tanaka, alert, address):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(tanaka)

    answer = browser.post(address.format(alert=alert.pk), {"name": "ping"})

    alert.refresh_from_db()
    assert answer.status_code == 403
    assert "Form expired" in answer.content.decode()
    assert alert.state == "open"


def test_a_disabled_person_sees_nothing(browser, tanaka):
    tanaka.is_active = False
    tanaka.save()

    assert browser.get("/").status_code == 302


@pytest.mark.parametrize("address", ["/terminals/none/", "/terminals/none/series/", "/alerts/0/", "/nowhere/"])
def test_unknown_objects_and_unknown_urls_get_the_same_response(browser, address):
    answer = browser.get(address)

    assert answer.status_code == 404
    assert "Page not found, or you don't have access to it" in answer.content.decode()


@pytest.fixture
def viewer(db):
    client = Client()
    client.force_login(people.person("viewer", of="Viewer"))
    return client


def test_a_refusal_names_the_missing_permission(viewer, alert):
    answer = viewer.post("/terminals/T-1/commands/", {"name": "ping"})

    assert answer.status_code == 403
    html = answer.content.decode()
    assert "You don&#x27;t have permission to send commands to terminals." in html
    assert 'aria-label="Main navigation"' in html
    assert not alert.terminal.commands.exists()


def test_htmx_gets_a_refusal_as_a_dialog(viewer, alert):
    answer = viewer.post(f"/alerts/{alert.pk}/claim/", headers={"HX-Request": "true", "Accept-Language": "ja"})

    assert (answer.status_code, answer["HX-Retarget"]) == (403, "#dialog")
    assert answer.content.decode().strip().startswith("<dialog")


@pytest.mark.parametrize(
    ("address", "controls"),
    [
        ("/terminals/T-1/", ["/terminals/T-1/commands/", "/maintenance/new/"]),
        ("/alerts/{alert}/", ['id="say"']),
        ("/maintenance/", ['href="/maintenance/new/"']),
        ("/digest/", ["/digest/notes/", "/digest/send/"]),
        ("/rules/", ["/rules/new/", "/rules/import/"]),
        ("/destinations/", ["/destinations/new/"]),
        ("/rotations/", ["/rotations/new/"]),
    ],
)
def test_a_viewer_is_not_offered_actions(viewer, alert, address, controls):
    manager = Client()
    manager.force_login(people.person("manager", of="Manager"))
    seen = {client: client.get(address.format(alert=alert.pk)).content.decode() for client in (viewer, manager)}

    assert [control for control in controls if control not in seen[manager]] == []
    assert [control for control in controls if control in seen[viewer]] == []


def test_rows_are_the_same_for_everyone_and_the_page_has_the_permissions(viewer, browser, alert):
    """Rows are pushed to all boards; a style sheet hides actions without permission."""
    mine, theirs = (HtmlPage(client.get("/alerts/")) for client in (viewer, browser))

    may = [dict(attributes).get("data-may") for seen in (mine, theirs) for tag, attributes in seen.elements[:1]]
    assert may[0] == ""
    assert "handle_alerts" in (may[1] or "").split()
    assert [one for one in mine.elements if one[1].get("data-needs")] == [
        one for one in theirs.elements if one[1].get("data-needs")
    ]
