"""Imports that retire or move many terminals wait for a second person."""

import pytest
from django.test import Client

from tests.support.builders import now
from tests.support.pages import HtmlPage
from tests.support.people import grant, person, signed_in
from tests.support.shift import open_boards
from tests.transfer.files import checked
from tms.accounts.models import AuditEntry, User
from tms.approvals import services as approvals
from tms.approvals.models import ApprovalRequest, ApprovalState
from tms.boards.overview import on_shift
from tms.fleet.models import Lifecycle, Region, Terminal
from tms.transfer import running
from tms.transfer.models import Import, ImportState

pytestmark = [pytest.mark.both, pytest.mark.django_db]

MOVED = "uid,site\nA-0,UEN\nA-1,UEN\nA-2,UEN\n"
RETIRED = "uid,lifecycle\nA-0,retired\nA-1,retired\nA-2,retired\n"
CONFIRMED = {"is_confirmed": "1", "comment": "renewal"}


@pytest.fixture(autouse=True)
def fleet_of_three(fleet, settings) -> None:
    settings.APPROVAL_TERMINALS = 2
    on_shift.report({}, range(1, 1_000))
    fleet.site("UEN", region="Kanto")
    for number in range(3):
        fleet.terminal(uid=f"A-{number}", site=fleet.site("SJK", region="Kanto"))


@pytest.fixture
def lead() -> User:
    return person("lead", of="Manager")


@pytest.fixture
def colleague() -> User:
    made = person("colleague", of="Manager")
    open_boards(made)
    return made


def asked(browser: Client, made: Import, **extra: str) -> ApprovalRequest:
    browser.post(f"/import/{made.pk}/apply/", CONFIRMED | extra)
    return ApprovalRequest.objects.get()


def decide(request: ApprovalRequest, by: User, decision: str):
    return signed_in(by).post(f"/approvals/{request.pk}/", {"decision": decision})


@pytest.mark.parametrize(
    ("text", "become", "is_large"),
    [
        (MOVED, "keep", True),
        (RETIRED, "keep", True),
        (MOVED.replace("A-2,UEN\n", ""), "keep", False),
        ("uid,site\nB-1,SJK\n", "retired", True),
        ("uid,site\nB-1,SJK\n", "out_of_service", False),
        ("uid,site\nB-1,SJK\nB-2,SJK\nB-3,SJK\n", "keep", False),
        ("uid,site,label\nA-0,SJK,x\nA-1,SJK,x\nA-2,SJK,x\n", "keep", False),
    ],
)
def test_what_retires_or_moves_more_terminals_than_one_person_may(lead, colleague, text, become, is_large):
    made = checked("terminals", text, by=lead)

    answer = signed_in(lead).post(f"/import/{made.pk}/apply/", {"absent_become": become})

    made.refresh_from_db()
    assert answer.status_code == (200 if is_large else 302)
    assert ("Ask for approval" in answer.content.decode()) == is_large
    assert made.state == (ImportState.CHECKED if is_large else ImportState.APPLIED)


def test_an_approved_import_is_applied_by_the_clock_as_its_requester(lead, colleague):
    browser, made = signed_in(lead), checked("terminals", RETIRED, by=lead)
    request = asked(browser, made)
    page = browser.get(f"/import/{made.pk}/").content.decode()
    assert "Waiting for a second person" in page
    assert "apply-title" not in page
    assert browser.post(f"/import/{made.pk}/apply/", CONFIRMED).status_code == 409

    decide(request, colleague, "approve")
    assert not Terminal.objects.filter(lifecycle=Lifecycle.RETIRED).exists()
    running.advance(now())

    assert Terminal.objects.filter(lifecycle=Lifecycle.RETIRED).count() == 3
    assert AuditEntry.objects.get(action="imported").actor_name == "lead"
    assert AuditEntry.objects.get(action="approved").changes["approved_by"] == [None, "colleague"]


def test_the_rights_of_the_requester_are_checked_when_it_is_applied(lead, colleague):
    made = checked("terminals", MOVED, by=lead)
    decide(asked(signed_in(lead), made), colleague, "approve")
    lead.grants.all().delete()
    grant(lead, "Viewer")

    running.advance(now())

    made.refresh_from_db()
    assert (made.state, made.problem[0]) == (ImportState.FAILED, "outdated")
    assert Terminal.objects.filter(site__code="SJK").count() == 3


@pytest.mark.parametrize(
    ("decision", "text"),
    [
        ("reject", "Rejected, nothing changed"),
        ("withdraw", "Checked, nothing changed yet"),
        ("expire", "Nobody approved it in time, nothing changed"),
    ],
)
def test_what_was_not_approved_changes_nothing_and_says_so(lead, colleague, decision, text):
    browser, made = signed_in(lead), checked("terminals", MOVED, by=lead)
    request = asked(browser, made)

    if decision == "expire":
        ApprovalRequest.objects.update(expires_at=now())
        assert text in browser.get(f"/import/{made.pk}/").content.decode()
        approvals.expire(now())
    else:
        decide(request, lead if decision == "withdraw" else colleague, decision)

    page = HtmlPage(browser.get(f"/import/{made.pk}/"))
    assert text in page.text("import-state")
    assert running.advance(now()) == 0
    assert Terminal.objects.filter(site__code="SJK").count() == 3


def test_nobody_approves_what_changed_since(lead, colleague):
    made = checked("terminals", MOVED, by=lead)
    request = asked(signed_in(lead), made)
    Import.objects.update(state=ImportState.FAILED)

    answer = decide(request, colleague, "approve")

    assert answer.status_code == 409
    request.refresh_from_db()
    assert request.state == ApprovalState.WAITING


def test_alone_the_number_is_typed(lead):
    browser, made = signed_in(lead), checked("terminals", "uid,site\nB-1,SJK\n", by=lead)
    address, data = f"/import/{made.pk}/apply/", CONFIRMED | {"absent_become": "retired"}

    refused = browser.post(address, data | {"typed": "2"})
    browser.post(address, data | {"typed": "3"})
    running.advance(now())

    assert refused.status_code == 422
    assert Terminal.objects.filter(lifecycle=Lifecycle.RETIRED).count() == 3
    assert AuditEntry.objects.filter(action="acted-alone").count() == 1


@pytest.mark.parametrize(("region", "status"), [("Kanto", 200), ("Kansai", 404)])
def test_an_approver_needs_the_permission_for_all_of_it(lead, colleague, region, status):
    Region.objects.create(name="Kansai")
    regional = person("regional", of=None)
    grant(regional, "Lead", region=region)
    open_boards(colleague, regional)
    request = asked(signed_in(lead), checked("terminals", MOVED, by=lead))

    assert decide(request, regional, "approve").status_code == status
