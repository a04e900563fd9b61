"""Approvals in the browser: dialogs of the requester and of those who may approve, and the header of boards."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from tests.support import factories
from tests.support.factories import now
from tests.support.pages import HTMX_HEADERS, HtmlPage
from tests.support.people import person
from tests.support.shift import open_boards
from tms.accounts.models import AuditEntry
from tms.alerts.models import Alert, Incident, Rule, Window
from tms.approvals.models import ApprovalRequest
from tms.commands.models import Command

pytestmark = pytest.mark.both


@pytest.fixture
def three(fleet) -> dict[str, list[int]]:
    """Three alerts, as the form of a bulk action names them."""
    alerts = [factories.alert(fleet) for _ in range(3)]
    Rule.objects.update(may_be_resolved_by_hand=True)
    return {"alert": [alert.pk for alert in alerts]}


def test_an_incident_with_many_alerts_is_snoozed_on_approval(fleet, tanaka, yamada, browser_of):
    incident = factories.incident(fleet)
    mine, theirs = browser_of(tanaka), browser_of(yamada)
    chosen = {"incident": [incident.pk], "lasts": "3600"}

    listed = mine.post("/incidents/snooze/", chosen, headers=HTMX_HEADERS)
    request = ApprovalRequest.objects.get()
    single = mine.post(f"/incidents/{incident.pk}/snooze/", chosen, headers=HTMX_HEADERS)
    theirs.post(request.get_absolute_url(), {"decision": "approve"}, headers=HTMX_HEADERS)

    assert (listed.status_code, single.status_code) == (202, 202)
    assert set(Alert.objects.values_list("state", flat=True)) == {"snoozed"}
    assert Incident.objects.get().shown_state == "snoozed"


def text(answer) -> str:
    """The response without the isolation of names."""
    return " ".join(re.sub("</?bdi>", "", answer.content.decode()).split())


def test_a_bulk_action_asks_and_is_done_on_approval(three, tanaka, yamada, browser_of):
    mine, theirs = browser_of(tanaka), browser_of(yamada)
    dialog = mine.get("/alerts/resolve/", three, headers=HTMX_HEADERS)
    assert "Ask for approval" in text(dialog)
    assert "It is shown to 1 person on shift." in text(dialog)

    waiting = mine.post("/alerts/resolve/", three | {"comment": "tested"}, headers=HTMX_HEADERS)
    request = ApprovalRequest.objects.get()
    assert waiting.status_code == 202
    assert "Waiting for a second person" in text(waiting)
    assert Alert.objects.unresolved().count() == 3

    assert "M. Tanaka asks: Resolve: 3 alerts" in text(theirs.get(request.get_absolute_url(), headers=HTMX_HEADERS))
    theirs.get(f"{request.get_absolute_url()}state/")
    assert "H. Yamada is reading the request" in text(mine.get(f"{request.get_absolute_url()}state/"))

    done = theirs.post(request.get_absolute_url(), {"decision": "approve", "comment": "ok"}, headers=HTMX_HEADERS)
    assert done.status_code == 200
    assert Alert.objects.unresolved().count() == 0
    state = text(mine.get(f"{request.get_absolute_url()}state/"))
    assert "Approved by H. Yamada" in state
    assert "applied to 3 alerts" in state
    assert "hx-trigger" not in state
    whole = mine.get(f"{request.get_absolute_url()}state/", headers=HTMX_HEADERS)
    assert whole["HX-Retarget"] == "#dialog"
    assert "Withdraw request" not in text(whole)


def test_the_header_shows_a_request_to_those_whom_it_concerns(three, tanaka, yamada, browser_of):
    browser_of(tanaka).post("/alerts/resolve/", three)
    viewer = person("viewer", of="Viewer")

    seen = {user.username: text(browser_of(user).get("/approvals/")) for user in (tanaka, yamada, viewer)}

    assert "Waiting for a second person: Resolve: 3 alerts" in seen["tanaka"]
    assert "asks for approval" in seen["yamada"]
    assert "Resolve" not in seen["viewer"]


def test_boards_notice_another_request_and_not_how_many_there_are(fleet, tanaka, yamada, browser_of):
    board, seen = browser_of(yamada), []
    for _ in range(3):
        [shown] = re.findall(r'data-requests="(.*?)"', board.get("/").content.decode())
        seen.append(shown)
        alerts = [factories.alert(fleet).pk for _ in range(3)]
        Rule.objects.update(may_be_resolved_by_hand=True)
        browser_of(tanaka).post("/alerts/resolve/", {"alert": alerts})

    assert ApprovalRequest.objects.count() == 3
    assert (seen[0], len(seen[1]), len(seen[2])) == ("", 16, 16)
    assert seen[1] != seen[2]


def test_a_request_is_hidden_from_people_it_does_not_concern(three, tanaka, yamada, browser_of):
    browser_of(tanaka).post("/alerts/resolve/", three)
    address, viewer = ApprovalRequest.objects.get().get_absolute_url(), browser_of(person("viewer", of="Viewer"))

    answers = [
        viewer.get(address),
        viewer.get(f"{address}state/"),
        viewer.post(address, {"decision": "approve"}),
        viewer.get("/approvals/999/"),
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert ApprovalRequest.objects.get().is_waiting


def test_ones_own_request_cannot_be_approved(three, tanaka, yamada, browser_of):
    browser_of(tanaka).post("/alerts/resolve/", three)

    answer = browser_of(tanaka).post(ApprovalRequest.objects.get().get_absolute_url(), {"decision": "approve"})

    assert answer.status_code == 403
    assert Alert.objects.unresolved().count() == 3


def test_a_decision_needs_the_token_of_the_form(three, tanaka, yamada, browser_of):
    browser_of(tanaka).post("/alerts/resolve/", three)
    foreign = Client(enforce_csrf_checks=True)
    foreign.force_login(yamada)

    answer = foreign.post(ApprovalRequest.objects.get().get_absolute_url(), {"decision": "approve"})

    assert answer.status_code == 403
    assert ApprovalRequest.objects.get().is_waiting


def test_the_second_of_two_people_sees_who_decided(three, tanaka, yamada, browser_of):
    browser_of(tanaka).post("/alerts/resolve/", three)
    sato = person("sato", of="Operator")
    open_boards(sato)
    address = ApprovalRequest.objects.get().get_absolute_url()
    browser_of(yamada).post(address, {"decision": "reject", "comment": "not tonight"})

    answer = browser_of(sato).post(address, {"decision": "approve"})

    assert answer.status_code == 409
    assert "already decided" in text(answer)
    assert "Rejected by H. Yamada" in text(answer)


def test_a_request_is_withdrawn_by_its_requester(three, tanaka, yamada, browser_of):
    browser_of(tanaka).post("/alerts/resolve/", three)
    address = ApprovalRequest.objects.get().get_absolute_url()

    answer = browser_of(tanaka).post(address, {"decision": "withdraw"})

    assert "Withdrawn. Nothing was done." in text(answer)
    assert Alert.objects.unresolved().count() == 3


@pytest.mark.parametrize(("typed", "status"), [("3", 200), ("2", 422), ("", 422)])
def test_alone_the_number_is_typed(three, tanaka, browser_of, typed, status):
    dialog = browser_of(tanaka).get("/alerts/resolve/", three, headers=HTMX_HEADERS)

    answer = browser_of(tanaka).post("/alerts/resolve/", three | {"typed": typed}, headers=HTMX_HEADERS)

    assert "Nobody on shift could approve this." in text(dialog)
    assert answer.status_code == status
    assert Alert.objects.unresolved().count() == (0 if status == 200 else 3)
    assert AuditEntry.objects.filter(action="acted-alone").exists() == (status == 200)


WINDOW = {
    "note": "new router",
    "time_zone": "Asia/Tokyo",
    "starts_at": "2099-03-01T01:00",
    "ends_at": "2099-03-01T04:00",
    "repeats": "once",
    "rrule": "",
    "terminals": "",
    "sites": "SJK",
}


def test_maintenance_of_many_terminals_is_planned_on_approval(fleet, tanaka, yamada, browser_of):
    fleet.terminals(3)
    preview = browser_of(tanaka).post("/maintenance/preview/", WINDOW, headers=HTMX_HEADERS)
    answer = browser_of(tanaka).post("/maintenance/new/", WINDOW)
    request = ApprovalRequest.objects.get()
    assert "A second person must approve this." in text(preview)
    assert (answer.status_code, answer["Location"]) == (302, request.get_absolute_url())
    assert not Window.objects.exists()

    page = browser_of(yamada).post(request.get_absolute_url(), {"decision": "approve"})

    assert page.status_code == 200
    assert [of["href"] for _tag, of in HtmlPage(page).elements if of.get("aria-current") == "page"] == ["/maintenance/"]
    window = Window.objects.get()
    assert (window.created_by, window.note, [site.code for site in window.sites.all()]) == (
        tanaka,
        "new router",
        ["SJK"],
    )
    entry = AuditEntry.objects.get(action="created", subject_type="alerts.window")
    assert (entry.actor, entry.changes["approved_by"]) == (tanaka, [None, "yamada"])


def test_maintenance_is_planned_alone_with_the_number_of_terminals(fleet, tanaka, browser_of):
    fleet.terminals(3)

    refused = browser_of(tanaka).post("/maintenance/new/", WINDOW | {"typed": "4"})
    planned = browser_of(tanaka).post("/maintenance/new/", WINDOW | {"typed": "3"})

    assert (refused.status_code, planned.status_code) == (422, 302)
    assert "Type 3 to confirm." in text(refused)
    assert Window.objects.count() == 1


def test_an_extension_that_became_impossible_stays_a_request(fleet, tanaka, yamada, browser_of):
    fleet.terminals(3)
    browser_of(tanaka).post("/maintenance/new/", WINDOW)
    browser_of(yamada).post(ApprovalRequest.objects.get().get_absolute_url(), {"decision": "approve"})
    Window.objects.update(occurs_at=now(-60), occurs_until=now(60))
    window = Window.objects.get()
    sent = {"minutes": "30", "reason": "the vendor is late", "seen_until": window.occurs_until.isoformat()}
    browser_of(tanaka).post(f"/maintenance/{window.pk}/extend/", sent)
    request = ApprovalRequest.objects.latest("pk")
    Window.objects.update(occurs_until=window.occurs_until + timedelta(minutes=5))

    answer = browser_of(yamada).post(request.get_absolute_url(), {"decision": "approve"})

    assert answer.status_code == 409
    assert "The window already ended, or someone else changed it." in text(answer)
    assert ApprovalRequest.objects.get(pk=request.pk).is_waiting


REBOOT = {"name": "reboot", "answer_within_s": "120", "deliver_within_s": "86400", "sure": "1"}


def test_the_last_lane_needs_a_reason_and_a_second_person(fleet, browser_of):
    lead, other = (person(name, of="Manager") for name in ("lead", "other"))
    open_boards(other)
    terminal = fleet.online(uid="SJK-GTE-06", kind="gate")
    address = f"{terminal.get_absolute_url()}commands/"

    without_reason = browser_of(lead).post(address, REBOOT, headers=HTMX_HEADERS)
    waiting = browser_of(lead).post(address, REBOOT | {"reason": "card reader hangs"}, headers=HTMX_HEADERS)

    assert without_reason.status_code == 422
    assert (waiting.status_code, waiting["HX-Retarget"]) == (202, "#dialog")
    assert "Reboot SJK-GTE-06" in text(waiting)
    assert not Command.objects.exists()
    browser_of(other).post(ApprovalRequest.objects.get().get_absolute_url(), {"decision": "approve"})
    assert Command.objects.get().created_by == lead
    entry = AuditEntry.objects.get(action="commanded")
    assert entry.changes["approved_by"] == [None, "other"]


def test_the_second_person_for_a_reboot_needs_the_permission_for_it(fleet, browser_of):
    lead, operator = person("lead", of="Manager"), person("operator", of="Operator")
    open_boards(operator)
    terminal = fleet.online(uid="SJK-GTE-06", kind="gate")

    dialog = browser_of(lead).post(f"{terminal.get_absolute_url()}commands/", REBOOT | {"sure": ""})

    assert "Nobody on shift could approve this." in text(dialog)
