"""The pages of bulk edits: preview, application, result and the way back."""

from datetime import timedelta

import pytest
from django.test import Client

from tests.support.factories import now
from tests.support.pages import HtmlPage
from tests.support.people import grant, person, signed_in
from tests.support.shift import open_boards
from tests.support.threads import run_concurrently
from tms.accounts.models import AuditEntry, Role, User
from tms.approvals.models import ApprovalRequest
from tms.boards.overview import on_shift
from tms.fleet.groups import dynamic
from tms.fleet.models import Lifecycle, Region, Terminal, TerminalTag
from tms.transfer import running
from tms.transfer.models import Import, ImportState

pytestmark = [pytest.mark.both, pytest.mark.django_db]
LOBBY = {"all": "1", "q": "kind:kiosk", "tags": "lobby"}
APPLY = {"apply": "1", "seen": "3", "of": "tag lobby"}


@pytest.fixture
def lead(fleet) -> User:
    for number in range(3):
        fleet.terminal(uid=f"A-{number}", site=fleet.site("SJK"), kind="kiosk")
    fleet.site("UEN")
    on_shift.report({}, range(1, 1_000))
    return person("lead", of="Manager")


@pytest.fixture
def browser(lead) -> Client:
    return signed_in(lead)


def tagged() -> list[str]:
    return list(
        TerminalTag.objects.filter(name="lobby").order_by("terminal__uid").values_list("terminal__uid", flat=True)
    )


def test_an_edit_is_previewed_applied_and_undone_on_pages(fleet, browser, lead):
    dynamic.set_query(fleet.group("Lobby kiosks"), "tag:lobby", by=None, at=now())
    TerminalTag.objects.create(terminal=Terminal.objects.get(uid="A-1"), name="lobby")

    preview = browser.get("/terminals/edit/tag/", LOBBY)
    assert (HtmlPage(preview).text("figure-changed"), HtmlPage(preview).text("figure-unchanged")) == ("2", "1")
    assert "Lobby kiosks" in preview.content.decode()
    assert tagged() == ["A-1"]

    answer = browser.post("/terminals/edit/tag/", LOBBY | APPLY)
    page = browser.get(answer["Location"]).content.decode()
    assert tagged() == ["A-0", "A-1", "A-2"]
    assert "2 terminals changed" in page
    assert f'action="{answer["Location"]}undo/"' in page

    browser.post(f"{answer['Location']}undo/")
    assert tagged() == ["A-1"]
    assert "Undone" in browser.get(answer["Location"]).content.decode()
    entry = AuditEntry.objects.filter(action="bulk-edited").get()
    assert entry.subject_id == str(Import.objects.get().pk)


@pytest.mark.parametrize(
    ("address", "fields", "text"),
    [
        ("tag", {"all": "1", "tags": "two,:"}, "A tag is one word"),
        ("tag", {"all": "1", "q": "kind=", "tags": "a"}, "column"),
        ("tag", {"all": "1", "q": "uid:X-1", "tags": "a"}, "No terminal is chosen"),
        ("tag", {"terminal": ["X-1"], "tags": "a"}, "No terminal is chosen"),
        ("state", {"all": "1", "lifecycle": "planned"}, "planned"),
        ("move", {"all": "1", "site": "XXX"}, "Select a valid choice"),
        ("group", {"all": "1", "change": "add", "group": "x"}, "Select a valid choice"),
        ("attribute", {"all": "1", "attribute": "floor", "value": "2"}, "Select a valid choice"),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_bad_input_is_answered_with_the_form_and_what_would_be_right(browser, address, fields, text, method):
    answer = getattr(browser, method)(f"/terminals/edit/{address}/", fields | ({} if method == "get" else APPLY))

    assert answer.status_code == 422
    assert text in answer.content.decode()
    assert not Import.objects.exists()


def test_the_selection_may_come_one_by_one_in_one_field_or_by_post(browser):
    for data in ({"terminal": ["A-0", "A-1"]}, {"terminal": "A-0 A-1"}):
        assert "2 terminals" in browser.get("/terminals/edit/tag/", data).content.decode()
        answer = browser.post("/terminals/edit/tag/", data)
        assert (answer.status_code, "2 terminals" in answer.content.decode()) == (200, True)
    page = browser.get("/terminals/edit/tag/", {"terminal": "A-0 X"}).content.decode()
    assert "1 chosen terminal was not found" in page


@pytest.mark.parametrize(
    "shown", [{"seen": "2"}, {"of": "tag other"}, {"seen": ""}], ids=["fewer", "another edit", "nothing"]
)
def test_what_the_person_did_not_see_is_shown_again_instead_of_applied(browser, shown):
    answer = browser.post("/terminals/edit/tag/", LOBBY | APPLY | shown)

    assert answer.status_code == 409
    assert HtmlPage(answer).text("figure-changed") == "3"
    assert tagged() == []


def test_a_form_that_is_sent_twice_changes_nothing_twice(browser):
    first = browser.post("/terminals/edit/tag/", LOBBY | APPLY)

    second = browser.post("/terminals/edit/tag/", LOBBY | APPLY)

    assert first["Location"] == second["Location"]
    assert Import.objects.count() == 1


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_form_that_is_sent_twice_at_once_is_one_edit(browser, lead):
    browsers = [browser, signed_in(lead)]

    answers = run_concurrently(2, lambda n: browsers[n].post("/terminals/edit/tag/", LOBBY | APPLY)["Location"])

    assert answers[0] == answers[1]
    assert (Import.objects.count(), AuditEntry.objects.filter(action="bulk-edited").count()) == (1, 1)
    assert len(tagged()) == 3


def test_a_large_edit_is_left_to_the_clock(browser, monkeypatch):
    monkeypatch.setattr(running, "AT_ONCE", 1)

    answer = browser.post("/terminals/edit/tag/", LOBBY | APPLY)
    assert "Being applied" in browser.get(answer["Location"]).content.decode()
    running.advance(now())

    assert len(tagged()) == 3
    assert AuditEntry.objects.get(action="bulk-edited").actor_name == "lead"


def test_retiring_many_waits_for_a_second_person(browser, lead, settings):
    settings.APPROVAL_TERMINALS = 2
    colleague = person("colleague", of="Manager")
    open_boards(colleague)
    fields = {"all": "1", "lifecycle": "retired"}
    assert "A second person must approve this" in browser.get("/terminals/edit/state/", fields).content.decode()
    answer = browser.post("/terminals/edit/state/", fields | {"apply": "1", "seen": "3", "of": "state retired"})
    assert "Ask for approval" in browser.get(answer["Location"]).content.decode()

    browser.post(f"{answer['Location']}apply/", {"comment": "renewal"})
    request = ApprovalRequest.objects.get()
    assert "Waiting for a second person" in browser.get(answer["Location"]).content.decode()
    assert browser.post(f"{answer['Location']}apply/", {"comment": "renewal"}).status_code == 409
    signed_in(colleague).post(f"/approvals/{request.pk}/", {"decision": "approve"})
    running.advance(now())

    assert Terminal.objects.filter(lifecycle=Lifecycle.RETIRED).count() == 3
    assert Import.objects.get().state == ImportState.APPLIED


def test_an_edit_is_undone_for_24_hours(browser):
    address = browser.post("/terminals/edit/tag/", LOBBY | APPLY)["Location"]
    Import.objects.update(applied_at=now() - timedelta(hours=24))

    assert browser.post(f"{address}undo/").status_code == 409
    assert len(tagged()) == 3


def test_what_was_not_undone_says_who_changed_it_since(browser, lead):
    fields = {"terminal": "A-0 A-1", "site": "UEN", "apply": "1", "seen": "2", "of": "move UEN"}
    address = browser.post("/terminals/edit/move/", fields)["Location"]
    other = signed_in(person("other", of="Manager"))
    other.post("/terminals/edit/move/", fields | {"terminal": "A-0", "site": "SJK", "of": "move SJK"})

    browser.post(f"{address}undo/")

    page = browser.get(address).content.decode()
    assert "Changed since, and not undone" in page
    assert "other" in page
    assert "SJK" in page


def test_each_kind_of_edit_needs_its_permission(lead):
    tagger = person("tagger", of=None)
    tagger.grants.create(role=Role.objects.create(name="Tagger", permissions=["manage_groups"]))
    browser, everything = signed_in(tagger), {"all": "1"}

    assert browser.get("/terminals/edit/tag/", everything).status_code == 200
    assert browser.get("/terminals/edit/move/", everything).status_code == 403
    assert browser.post("/terminals/edit/state/", everything | {"lifecycle": "retired"}).status_code == 403
    assert signed_in(person("viewer")).get("/terminals/edit/tag/", everything).status_code == 403


def test_the_edit_of_another_person_is_not_found(fleet, browser):
    Region.objects.create(name="Kanto")
    address = browser.post("/terminals/edit/tag/", LOBBY | APPLY)["Location"]
    regional = person("regional", of=None)
    grant(regional, "Lead", region="Kanto")

    assert signed_in(regional).get(address).status_code == 404
    assert signed_in(regional).post(f"{address}undo/").status_code == 404
    assert signed_in(person("colleague", of="Manager")).get(address).status_code == 200
    assert browser.get(f"/import/{Import.objects.get().pk}/").status_code == 404
