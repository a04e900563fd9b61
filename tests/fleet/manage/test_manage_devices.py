"""Replacing, swapping and unexpected devices on the pages of a terminal."""

import json

import pytest
from django.test import Client

from tests.fleet.manage.shown import shown_key, shown_text
from tests.support.builders import Link, now
from tests.support.credentials import find_key
from tests.support.pages import HtmlPage, values_of
from tms.accounts.models import AuditEntry
from tms.fleet.credentials import services as credentials
from tms.fleet.devices import placements
from tms.fleet.models import Credential, Device, DeviceState, Placement, Site, Terminal, UnexpectedDevice
from tms.ingest import commit

pytestmark = [pytest.mark.both, pytest.mark.django_db]
REPLACE, SWAP = "/terminals/UMD-KSK-03/replace/", "/terminals/UMD-KSK-03/swap/"
UNDO = f"{REPLACE}undo/"


def serial_of(terminal: Terminal) -> str:
    return Placement.objects.open().get(terminal=terminal).device.serial


def spare(serial: str, site: Site | None = None, model: str = "KX-21") -> Device:
    return Device.objects.create(serial=serial, site=site, model=model)


def boot(terminal: Terminal, serial: str) -> None:
    key = terminal.credentials.values_list("pk", flat=True).last() or 0
    commit.write([Link(terminal, credential_id=key).boot(f"boot-{serial}", at=now(), serial=serial)])


# Replace


def test_spare_devices_of_the_scope_are_offered_same_model_first(regional, kansai, terminal, umeda):
    for serial, site, model in (
        ("A-OTHER-MODEL", umeda, "KX-9"),
        ("B-SAME-MODEL", umeda, "KX-21"),
        ("C-TOKYO", kansai.site("SJK"), "KX-21"),
        ("D-NOWHERE", None, "KX-21"),
    ):
        spare(serial, site, model)

    html = HtmlPage(regional.get(REPLACE)).html

    assert -1 < html.find("B-SAME-MODEL") < html.find("A-OTHER-MODEL")
    assert "C-TOKYO" not in html
    assert "D-NOWHERE" not in html


def test_a_spare_replaces_the_device_and_its_key_is_shown_once(boss, terminal, umeda):
    before, new = credentials.issue(terminal), spare("KX21-2", umeda)
    fields = {"device": new.pk, "becomes": "in_repair", "comment": "Card reader worn out", "then": "key"}

    answer = boss.post(REPLACE, fields)

    assert find_key(shown_key(answer), at=now()).identity.uid == terminal.uid
    assert find_key(before, at=now()) is None
    assert serial_of(terminal) == "KX21-2"
    assert Device.objects.get(serial="KX21-1").state == DeviceState.IN_REPAIR
    entry = AuditEntry.objects.get(action="device-replaced")
    assert (entry.comment, entry.changes) == ("Card reader worn out", {"device": ["KX21-1", "KX21-2"]})


def test_the_first_device_of_a_terminal_replaces_none(boss, terminal, umeda):
    placements.remove(terminal, becomes=DeviceState.SPARE, at=now())

    boss.post(REPLACE, {"device": spare("KX21-2", umeda).pk, "becomes": "spare", "then": "key"})

    [entry] = AuditEntry.objects.filter(action__startswith="device-")
    assert (entry.action, entry.changes) == ("device-placed", {"device": [None, "KX21-2"]})


def test_the_page_says_before_what_stays_and_what_ends(boss, terminal):
    digest = terminal.credentials.get().digest

    html = HtmlPage(boss.get(REPLACE)).html

    assert "history and availability" in html
    assert f"keys: {digest[:8]}. The link closes within 5 seconds." in html


def test_with_a_token_the_new_device_fetches_its_key_itself(boss, terminal):
    before = credentials.issue(terminal)

    answer = boss.post(REPLACE, {"device": "other", "serial": "KX21-2", "becomes": "spare", "then": "token"})

    assert not Credential.objects.valid(now()).filter(terminal=terminal).exists()
    token = shown_text(answer)
    assert "--serial=KX21-2" in answer.content.decode()
    stranger = Client().post(
        "/api/v1/enrol", json.dumps({"token": token, "serial": "OTHER"}), content_type="application/json"
    )
    enrolled = Client().post(
        "/api/v1/enrol", json.dumps({"token": token, "serial": "KX21-2"}), content_type="application/json"
    )
    assert (stranger.status_code, enrolled.status_code) == (403, 201)
    assert enrolled.json()["uid"] == terminal.uid
    assert find_key(before, at=now()) is None
    assert serial_of(terminal) == "KX21-2"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"serial": ""}, "Enter the serial number of the new device."),
        ({"serial": "KX21-1"}, "This device serves here already."),
        ({"serial": "KX21-9"}, "This device serves as another terminal."),
        ({"serial": "TOKYO-SPARE"}, "This device is kept where you may not manage terminals."),
        ({"serial": "KX21-2", "becomes": "in_service"}, "in_service is not one of the available choices"),
        ({"device": "999999"}, "999999 is not one of the available choices"),
    ],
)
def test_a_device_that_cannot_be_placed_is_refused_with_the_reason(
    regional, kansai, terminal, tokyo_terminal, fields, error
):
    spare("TOKYO-SPARE", kansai.site("SJK"))

    answer = regional.post(REPLACE, {"device": "other", "becomes": "spare"} | fields)

    assert answer.status_code == 422
    assert error in answer.content.decode()
    assert "SJK-KSK-01" not in answer.content.decode()
    assert serial_of(terminal) == "KX21-1"


def test_a_device_that_serves_elsewhere_is_named_to_those_who_see_it(boss, terminal, tokyo_terminal):
    answer = boss.post(REPLACE, {"device": "other", "serial": "KX21-9", "becomes": "spare"})

    assert "This device serves as SJK-KSK-01." in answer.content.decode()


def test_a_terminal_without_a_device_gets_one(boss, kansai, umeda):
    [bare] = kansai.terminals(1, site=umeda)

    answer = boss.post(f"/terminals/{bare.uid}/replace/", {"device": "other", "serial": "KX21-2"})

    assert shown_key(answer).uid == bare.uid
    assert serial_of(bare) == "KX21-2"


def test_a_viewer_replaces_nothing(viewer, terminal):
    assert viewer.get(REPLACE).status_code == 403
    assert viewer.post(REPLACE, {"device": "other", "serial": "X", "becomes": "spare"}).status_code == 403


def test_a_replacement_elsewhere_is_not_undone(boss, regional, tokyo_terminal):
    path = f"/terminals/{tokyo_terminal.uid}/replace/"
    boss.post(path, {"device": "other", "serial": "KX21-10", "becomes": "spare"})

    assert regional.post(f"{path}undo/").status_code == 404
    assert serial_of(tokyo_terminal) == "KX21-10"


def test_a_replacement_is_undone_from_the_page_that_shows_the_key(boss, regional, viewer, terminal, umeda):
    before = credentials.issue(terminal)
    shown = boss.post(REPLACE, {"device": spare("KX21-2", umeda).pk, "becomes": "in_repair", "then": "key"})

    asked, seen = regional.get(UNDO), viewer.post(UNDO)
    undone = regional.post(UNDO, {"comment": "Wrong lane"})
    again = regional.post(UNDO)

    assert UNDO in shown.content.decode()
    assert "KX21-1 serves again, with its keys." in asked.content.decode()
    assert (seen.status_code, undone.status_code, again.status_code) == (403, 302, 409)
    assert serial_of(terminal) == "KX21-1"
    assert find_key(before, at=now()) is not None
    assert AuditEntry.objects.get(action="replacement-undone").comment == "Wrong lane"


# Swap


def test_two_terminals_swap_their_devices(boss, kansai, terminal, tokyo_terminal):
    answer = boss.post(SWAP, {"other": "SJK-KSK-01", "comment": "Wrong lane"})

    assert answer.status_code == 302
    assert (serial_of(terminal), serial_of(tokyo_terminal)) == ("KX21-9", "KX21-1")
    assert AuditEntry.objects.filter(action="device-swapped", comment="Wrong lane").count() == 2


@pytest.mark.parametrize("other", ["", "SJK-KSK-01", "UMD-KSK-03", "NOBODY", "A B"])
def test_the_other_terminal_must_be_one_that_the_person_manages(regional, terminal, tokyo_terminal, other):
    assert regional.post(SWAP, {"other": other}).status_code == 422
    assert serial_of(terminal) == "KX21-1"


def test_a_terminal_without_a_device_cannot_be_swapped(boss, kansai, terminal, umeda):
    [bare] = kansai.terminals(1, site=umeda)

    answer = boss.post(SWAP, {"other": bare.uid})

    assert answer.status_code == 409
    assert f"{bare.uid} has no device. Replace it instead." in answer.content.decode()


# Unexpected devices


@pytest.fixture
def unexpected(terminal: Terminal) -> UnexpectedDevice:
    boot(terminal, "KX21-1")
    boot(terminal, "KX21-7")
    return UnexpectedDevice.objects.get()


def path_of(unexpected: UnexpectedDevice) -> str:
    return f"/terminals/UMD-KSK-03/unexpected/{unexpected.pk}/"


def test_an_unexpected_device_is_announced_on_both_pages(boss, unexpected):
    page = HtmlPage(boss.get("/terminals/UMD-KSK-03/"))
    manage = HtmlPage(boss.get("/terminals/UMD-KSK-03/manage/"))

    assert "Unexpected device: KX21-7" in page.text("state")
    assert "KX21-7" in manage.text("unexpected")
    assert path_of(unexpected) in manage.links()


def test_a_confirmed_device_is_placed(boss, terminal, unexpected):
    offered = values_of(HtmlPage(boss.get(path_of(unexpected))))

    boss.post(path_of(unexpected), {"decision": "confirmed", "becomes": "lost"})

    assert offered["becomes"] == ["in_repair"]
    assert serial_of(terminal) == "KX21-7"
    assert Device.objects.get(serial="KX21-1").state == DeviceState.LOST
    assert "KX21-7" not in HtmlPage(boss.get("/terminals/UMD-KSK-03/")).text("state").partition("Presence")[0]


def test_a_blocked_device_loses_the_key_that_it_used(boss, terminal, unexpected):
    boss.post(path_of(unexpected), {"decision": "blocked", "becomes": "spare", "comment": "Cloned"})

    assert not Credential.objects.valid(now()).filter(terminal=terminal).exists()
    assert serial_of(terminal) == "KX21-1"
    assert AuditEntry.objects.get(action="device-blocked").comment == "Cloned"


def test_only_the_first_decision_counts(boss, unexpected):
    boss.post(path_of(unexpected), {"decision": "confirmed", "becomes": "spare"})

    answer = boss.post(path_of(unexpected), {"decision": "blocked", "becomes": "spare"})

    assert answer.status_code == 409
    assert "Somebody else decided" in answer.content.decode()


def test_a_device_is_not_taken_from_a_terminal_outside_the_scope(regional, terminal, tokyo_terminal):
    boot(terminal, "KX21-1")
    boot(terminal, "KX21-9")
    found = UnexpectedDevice.objects.get()

    page = regional.get(path_of(found))
    answer = regional.post(path_of(found), {"decision": "confirmed", "becomes": "spare"})

    assert "SJK-KSK-01" not in page.content.decode()
    assert answer.status_code == 403
    assert placements.device_of(tokyo_terminal).serial == "KX21-9"


@pytest.mark.parametrize("decision", ["", "gone", "x"])
def test_another_decision_is_refused(boss, unexpected, decision):
    assert boss.post(path_of(unexpected), {"decision": decision, "becomes": "spare"}).status_code == 422
