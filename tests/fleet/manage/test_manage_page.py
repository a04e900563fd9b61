"""The page for managing one terminal: its panels, its identity form and its groups."""

import pytest

from tests.support import people
from tests.support.builders import AT, later
from tests.support.pages import HtmlPage
from tms.accounts.models import AuditEntry
from tms.fleet.credentials import services as credentials
from tms.fleet.models import IdentityChange, Terminal

pytestmark = [pytest.mark.both, pytest.mark.django_db]
PAGE = "/terminals/UMD-KSK-03/manage/"


def edited(site, **fields) -> dict:
    return {"site": site.pk, "kind": "kiosk", "label": "", "parent": ""} | fields


def test_the_page_shows_device_keys_state_and_history(boss, terminal):
    credentials.rotate(terminal, at=AT, overlap=later(60) - AT)

    page = HtmlPage(boss.get(PAGE))

    assert "KX21-1" in page.html
    assert page.html.count("Revoke") >= 1
    assert page.attribute("lifecycle", "data-lifecycle") == "in_service"
    assert "/terminals/UMD-KSK-03/" in page.links()
    assert {"/terminals/UMD-KSK-03/replace/", "/terminals/UMD-KSK-03/retire/"} <= page.links()


def test_a_viewer_reads_the_page_and_changes_nothing(viewer, terminal, umeda):
    page = HtmlPage(viewer.get(PAGE))

    assert not {"/terminals/UMD-KSK-03/replace/", "/terminals/UMD-KSK-03/retire/"} & page.links()
    assert "Issue key" not in page.html
    assert viewer.post(PAGE, edited(umeda, label="Lane 3")).status_code == 403


def test_a_terminal_outside_the_scope_is_not_found(regional, tokyo_terminal):
    for path in ("manage", "replace", "swap", "retire", "state", "delete", "keys/rotate", "bring-back"):
        assert regional.get(f"/terminals/SJK-KSK-01/{path}/").status_code == 404


def test_an_edit_is_saved_recorded_and_audited(boss, terminal, umeda):
    answer = boss.post(PAGE, edited(umeda, label="Lane 3", kind="gate"))

    assert answer["Location"] == PAGE
    terminal.refresh_from_db()
    assert (terminal.label, terminal.kind) == ("Lane 3", "gate")
    changed = IdentityChange.objects.filter(terminal=terminal).values_list("field", "before", "after", "by__username")
    assert set(changed) == {("label", "", "Lane 3", "boss"), ("kind", "kiosk", "gate", "boss")}
    assert AuditEntry.objects.filter(subject_type="fleet.terminal", action="changed").count() == 1
    assert "Lane 3" in HtmlPage(boss.get(PAGE)).text("history")


def test_a_move_needs_the_permission_at_both_sites(kansai, regional, boss, terminal, umeda):
    namba, tokyo = kansai.site("NMB", region="Kansai"), kansai.site("SJK")

    refused = regional.post(PAGE, edited(tokyo))
    moved = regional.post(PAGE, edited(namba))

    assert refused.status_code == 422
    assert moved.status_code == 302
    terminal.refresh_from_db()
    assert terminal.site == namba


def test_a_person_with_the_other_site_only_cannot_take_a_terminal(kansai, terminal, umeda):
    person = people.person("lobby", of=None)
    people.grant(person, "Lead", group=kansai.group("Lobby", terminal))
    people.grant(person, "Lead", region="Tokyo")

    answer = people.signed_in(person).post(PAGE, edited(kansai.site("SJK")))

    assert answer.status_code == 422
    assert "permission at both sites" in answer.content.decode()
    terminal.refresh_from_db()
    assert terminal.site == umeda


def test_a_terminal_cannot_be_connected_via_itself(boss, kansai, terminal, umeda):
    child = kansai.terminal(uid="CHILD", site=umeda, parent=terminal)

    answer = boss.post(PAGE, edited(umeda, parent=child.uid))

    assert answer.status_code == 422
    assert Terminal.objects.get(pk=terminal.pk).parent is None


def test_a_parent_is_removed_and_the_history_says_so(boss, kansai, terminal, umeda):
    router = kansai.terminal(uid="UMD-RTR-01", site=umeda)

    boss.post(PAGE, edited(umeda, parent=router.uid))
    boss.post(PAGE, edited(umeda))

    changes = IdentityChange.objects.filter(terminal=terminal, field="parent").order_by("pk")
    assert list(changes.values_list("before", "after")) == [
        ([], [router.pk, router.uid]),
        ([router.pk, router.uid], []),
    ]
    assert "UMD-RTR-01" in HtmlPage(boss.get(PAGE)).text("history")


def test_a_parent_that_the_person_does_not_see_is_not_named_and_stays(regional, terminal, tokyo_terminal, umeda):
    Terminal.objects.filter(pk=terminal.pk).update(parent=tokyo_terminal)

    page = HtmlPage(regional.get(PAGE))
    regional.post(PAGE, edited(umeda, label="Lane 3"))

    assert "SJK-KSK-01" not in page.html
    terminal.refresh_from_db()
    assert (terminal.label, terminal.parent) == ("Lane 3", tokyo_terminal)


def test_history_names_no_site_that_the_person_does_not_see(boss, regional, kansai, terminal, umeda, settings):
    settings.APPROVAL_LAST_LANE = False
    Terminal.objects.filter(pk=terminal.pk).update(site=kansai.site("SJK"))
    boss.post(PAGE, edited(umeda))

    assert "SJK" in HtmlPage(boss.get(PAGE)).text("history")
    assert "SJK" not in HtmlPage(regional.get(PAGE)).text("history")


def test_the_history_has_pages(boss, terminal, umeda):
    for number in range(30):
        IdentityChange.objects.create(
            terminal=terminal, at=later(number), field="label", before="", after=f"Lane {number}", source="person"
        )

    newest, oldest = HtmlPage(boss.get(PAGE)), HtmlPage(boss.get(f"{PAGE}?page=2"))

    assert "Lane 29" in newest.text("history")
    assert "Lane 4" in oldest.text("history")
    assert "?page=2#history" in newest.links()


# Groups


def test_a_terminal_is_added_to_a_group_and_removed(boss, kansai, terminal):
    lobby = kansai.group("Lobby")

    boss.post("/terminals/UMD-KSK-03/groups/", {"change": "add", "group": lobby.pk})
    assert "Lobby" in HtmlPage(boss.get(PAGE)).html
    assert list(lobby.terminals.all()) == [terminal]

    boss.post("/terminals/UMD-KSK-03/groups/", {"change": "remove", "group": lobby.pk})
    assert not lobby.terminals.exists()


def test_a_group_outside_the_scope_is_refused(regional, kansai, terminal):
    lobby = kansai.group("Lobby")

    answer = regional.post("/terminals/UMD-KSK-03/groups/", {"change": "add", "group": lobby.pk})

    assert answer.status_code == 422
    assert not lobby.terminals.exists()


def test_a_group_of_a_grant_needs_the_permission_to_manage_people(boss, kansai, terminal):
    lobby = kansai.group("Lobby")
    people.grant(kansai.person(), group=lobby)

    answer = boss.post("/terminals/UMD-KSK-03/groups/", {"change": "add", "group": lobby.pk})

    assert answer.status_code == 403
    assert not lobby.terminals.exists()
