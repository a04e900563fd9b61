"""The pages of import and export."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.support.builders import AT
from tests.support.factories import now
from tests.support.pages import HtmlPage
from tests.support.people import grant, person, signed_in
from tests.transfer.files import checked, faults, rows
from tms.accounts.models import AuditEntry, User
from tms.alerts.maintenance import services as maintenance
from tms.alerts.maintenance.services import WindowScope
from tms.fleet.models import Region, Terminal
from tms.lib.calendar.recurrence import Recurrence
from tms.ops.purge import purge
from tms.transfer import planning, running
from tms.transfer.kinds.registry import KINDS
from tms.transfer.models import Import, ImportState

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def lead(fleet) -> User:
    fleet.site("SJK")
    return person("lead", of="Manager")


@pytest.fixture
def browser(lead) -> Client:
    return signed_in(lead)


def upload(browser: Client, text: str, kind: str = "terminals"):
    file = SimpleUploadedFile("kiosks-入替.csv", text.encode(), "text/csv")
    return browser.post("/import/", {"kind": kind, "file": file})


def test_a_file_is_checked_applied_and_undone_on_pages(browser):
    answer = upload(browser, "uid,site,label\nSJK-1,SJK,Lane 1\n")
    address = answer["Location"]
    page = browser.get(address)
    assert "Checked, nothing changed yet" in page.content.decode()
    assert HtmlPage(page).text("figure-created") == "1"
    assert not Terminal.objects.exists()

    browser.post(f"{address}apply/")
    assert Terminal.objects.get().label == "Lane 1"
    assert "Undo import" in browser.get(address).content.decode()

    browser.post(f"{address}undo/")
    assert not Terminal.objects.exists()
    assert "Undone" in browser.get(address).content.decode()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"uid,labels\nA,x\n", "labels: Unknown column. Did you mean label?"),
        (b"", "The submitted file is empty."),
        (b'uid,site\n"A', "Row 2 is no valid CSV"),
        (b"uid,site\n\x81\xff\xfe", "neither UTF-8 nor Shift_JIS"),
    ],
)
def test_a_file_that_cannot_be_read_is_answered_with_the_form_and_the_reason(browser, data, text):
    answer = browser.post("/import/", {"kind": "terminals", "file": SimpleUploadedFile("a.csv", data)})

    assert answer.status_code == 422
    assert text in answer.content.decode()
    assert not Import.objects.exists()


def test_an_unknown_kind_and_a_missing_file_are_refused(browser):
    assert browser.post("/import/", {"kind": "planets"}).status_code == 422


def test_errors_are_shown_by_row_and_keep_the_file_from_being_applied(browser):
    address = upload(browser, "uid,site\nSJK-1,SJK\nSJK-2,SKJ\n")["Location"]

    page = browser.get(address).content.decode()

    assert "No site has this code. Did you mean SJK?" in page
    assert "disabled" in page
    assert browser.post(f"{address}apply/").status_code == 409
    assert not Terminal.objects.exists()


def test_cells_are_shown_as_text(browser):
    address = upload(browser, "uid,site,label\nSJK-1,SJK,<script>x</script>\nSJK-2,<i>,x\n")["Location"]

    for show in ("refused", "created"):
        page = browser.get(f"{address}?show={show}").content.decode()
        assert "<script>x" not in page
        assert "<i>" not in page


def test_a_long_diff_has_pages(browser, lead):
    made = checked("terminals", "uid,site\n" + "".join(f"SJK-{n},SJK\n" for n in range(450)), by=lead)

    first, last = (browser.get(f"/import/{made.pk}/?show=created&page={page}") for page in (0, 2))

    assert "SJK-0" in first.content.decode()
    assert "next-page" in first.content.decode()
    assert "SJK-449" in last.content.decode()
    assert "next-page" not in last.content.decode()


def test_progress_is_shown_while_an_import_is_applied(browser, lead, monkeypatch):
    monkeypatch.setattr(running, "AT_ONCE", 0)
    address = upload(browser, "uid,site\nSJK-1,SJK\n")["Location"]
    browser.post(f"{address}apply/")

    page = browser.get(address).content.decode()
    assert "Being applied" in page
    assert 'hx-trigger="every 1s"' in page

    running.advance(now())
    assert 'hx-trigger="every 1s"' not in browser.get(address).content.decode()


def test_the_rows_that_were_not_undone_are_listed(browser, fleet):
    fleet.terminal(uid="SJK-1", label="old")
    address = upload(browser, "uid,label\nSJK-1,new\n")["Location"]
    browser.post(f"{address}apply/")
    Terminal.objects.update(label="somebody's")

    browser.post(f"{address}undo/")

    page = browser.get(address).content.decode()
    assert "Changed since, and not undone" in page
    assert "SJK-1" in page


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_can_be_imported(browser, lead, fleet, kind):
    fleet.terminal(uid="SJK-KSK-01")
    fleet.terminal(uid="SJK-PAY-01")
    Region.objects.create(name="Kanto")

    answer = browser.get(f"/import/template/{kind}.csv")

    made = checked(kind, answer.content, by=lead)
    assert made.counts.get("refused", 0) == 0
    assert sum(made.counts.values()) in (1, 2)


def test_an_export_is_a_file_and_an_entry_of_the_audit_trail(browser, fleet):
    fleet.terminal(uid="SJK-1", label="=1+1")

    answer = browser.get("/export/terminals.csv")

    text = b"".join(answer.streaming_content).decode() if not answer.is_async else read(answer)
    assert text.startswith("\ufeffuid,site,kind,label,parent,groups,serial,lifecycle,tags\r\n")
    assert "SJK-1,SJK,kiosk,'=1+1," in text
    assert AuditEntry.objects.filter(action="exported", subject_type="fleet.terminal").exists()


def read(answer) -> str:
    from asgiref.sync import async_to_sync

    async def all_of():
        return b"".join([part async for part in answer.streaming_content])

    return async_to_sync(all_of)().decode()


def test_what_does_not_exist_is_answered_with_404(browser):
    for address in ("/export/planets.csv", "/import/template/planets.csv", "/import/4711/"):
        assert browser.get(address).status_code == 404


def test_an_import_of_somebody_else_does_not_exist_for_people_of_a_region(lead, fleet):
    Region.objects.create(name="Kanto")
    fleet.site("UEN", region="Kanto")
    made = checked("terminals", "uid,site\nSJK-1,SJK\n", by=lead)
    regional = person("regional", of=None)
    grant(regional, "Lead", region="Kanto")
    browser = signed_in(regional)

    answers = [
        browser.get(f"/import/{made.pk}/"),
        browser.post(f"/import/{made.pk}/apply/"),
        browser.post(f"/import/{made.pk}/undo/"),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    made.refresh_from_db()
    assert made.state == ImportState.CHECKED


def test_importing_needs_a_permission_and_exporting_none(lead):
    browser = signed_in(person("viewer", of="Viewer"))

    assert browser.get("/import/").status_code == 403
    assert browser.get("/export/sites.csv").status_code == 200
    assert AT


def correct(browser: Client, address: str, line: int | str, column: str, value: str, instead: str):
    form = {"line": line, "column": column, "value": value, "instead": instead}
    return browser.post(f"{address}correct/", form)


def test_a_refused_value_is_corrected_for_one_row_and_column_and_taken_back(browser, fleet):
    fleet.group("Lobby")
    fleet.group("Entrance")
    address = upload(browser, 'uid,site,groups\nSJK-1,SKJ,"Loby;Entrance"\nSJK-2,SKJ,\n')["Location"]
    assert 'name="instead" value="SJK"' in " ".join(browser.get(address).content.decode().split())

    correct(browser, address, 2, "site", "SKJ", "SJK")
    correct(browser, address, 2, "groups", "Loby", "Lobby")

    made = Import.objects.get()
    assert [fault[:2] for fault in faults(made)] == [(3, "site")]
    created = next(row for row in rows(made) if not row.faults)
    assert (created.after["site"], created.after["groups"]) == ("SJK", "Entrance;Lobby")
    assert "Take back 2 corrections" in " ".join(browser.get(address).content.decode().split())
    browser.post(f"{address}correct/")
    assert len(faults(Import.objects.get())) == 3


@pytest.mark.parametrize(
    ("line", "column", "value"), [(3, "site", "SKJ"), (2, "label", "SKJ"), (2, "site", "UEN"), (2, "site", "")]
)
def test_only_values_that_the_check_refused_are_corrected(browser, line, column, value):
    address = upload(browser, "uid,site\nSJK-1,SKJ\n")["Location"]

    assert correct(browser, address, line, column, value, "SJK").status_code == 409
    assert correct(browser, address, "x", column, value, "SJK").status_code == 422
    assert len(faults(Import.objects.get())) == 1


@pytest.mark.parametrize("reason", ["applied", "old", "many"])
def test_corrections_are_bounded(browser, monkeypatch, reason):
    address = upload(browser, "uid,site\nSJK-1,SKJ\n")["Location"]
    if reason == "applied":
        Import.objects.update(state=ImportState.APPLIED)
    elif reason == "old":
        Import.objects.update(created_at=now(-86_401))
        purge(now())
    else:
        monkeypatch.setattr(planning, "MAX_CORRECTIONS", 0)

    assert correct(browser, address, 2, "site", "SKJ", "SJK").status_code == 409


@pytest.mark.parametrize(
    ("file", "column", "value", "instead"),
    [
        pytest.param("uid,site\nSJK-1,S470\n", "site", "S470", "SJK", id="nothing was suggested"),
        pytest.param("uid,site\nSJK-1,\n", "site", "", "SJK", id="an empty cell"),
        pytest.param("uid,label\nSJK-1,Left\n", "site", "", "SJK", id="a column that the file has not"),
        pytest.param('uid,site,groups\nSJK-1,SJK,"""Lobby"\n', "groups", '"Lobby', "", id="no list"),
    ],
)
def test_a_refused_value_is_corrected_without_a_suggestion(browser, file, column, value, instead):
    address = upload(browser, file)["Location"]

    correct(browser, address, 2, column, value, instead)

    assert faults(Import.objects.get()) == []


def test_both_rows_with_the_same_uid_are_shown(browser):
    address = upload(browser, "uid,site,label\nSJK-1,SJK,Left\nSJK-2,SJK,\nSJK-1,SJK,Right\n")["Location"]

    page = HtmlPage(browser.get(address))
    both = browser.get(f"{address}?line=2&line=4").content.decode()

    assert "?line=2&line=4" in page.links()
    assert "Left" in both
    assert "Right" in both
    assert "SJK-2" not in both


def test_terminals_that_are_not_in_the_file_are_listed_with_their_link(browser, fleet):
    fleet.online(uid="SJK-1")
    fleet.terminal(uid="SJK-2")
    address = upload(browser, "uid,site\nSJK-3,SJK\n")["Location"]

    shown, absent = browser.get(address), browser.get(f"{address}?show=absent").content.decode()

    assert HtmlPage(shown).text("figure-absent") == "2"
    assert "Online now: 1." in shown.content.decode()
    assert "Online" in absent
    assert "Never seen" in absent
    assert browser.post(f"{address}apply/", {"absent_become": "deleted"}).status_code == 422


def test_an_import_that_changes_nothing_is_not_applied_and_says_so(browser, fleet):
    fleet.terminal(uid="SJK-1")
    address = upload(browser, "uid,site\nSJK-1,SJK\n")["Location"]

    answer = browser.post(f"{address}apply/")

    assert answer.status_code == 409
    assert "Nothing was applied" in answer.content.decode()


def test_the_effect_names_groups_maintenance_and_rules(browser, fleet):
    fleet.site("UEN")
    moved = fleet.terminal(uid="SJK-1")
    fleet.group("Lobby", moved)
    fleet.event_rule(name="Reader", site=fleet.site("UEN"))
    tonight = Recurrence(ZoneInfo("UTC"), now(3_600).replace(tzinfo=None), timedelta(hours=1), "")
    maintenance.plan(tonight, WindowScope(sites=[fleet.site("SJK")]), note="Refit", by=fleet.person(), at=now())

    address = upload(browser, "uid,site,groups\nSJK-1,UEN,Lobby\nUEN-1,UEN,Lobby\nUEN-2,UEN,Lobby\n")["Location"]

    effects = " ".join(HtmlPage(browser.get(address)).text("effects").split())
    assert effects == "Lobby group 1 → 3 Refit planned maintenance −1 Reader rule +3"


@pytest.mark.parametrize(("address", "link"), [("/sites/", "/import/?kind=sites"), ("/terminals/", "/import/")])
def test_lists_lead_to_the_import_for_those_who_may(browser, address, link):
    viewer = signed_in(person("viewer", of="Viewer"))

    assert link in HtmlPage(browser.get(address)).links()
    assert link not in HtmlPage(viewer.get(address)).links()
