"""The list of devices that a factory delivers."""

import secrets

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from tests.support.credentials import find_key
from tests.support.pages import HtmlPage
from tests.support.people import grant, person, signed_in
from tms.accounts.models import AuditEntry, User
from tms.fleet.devices import placements
from tms.fleet.enrolment import factory_list
from tms.fleet.enrolment.factory_list import BadList
from tms.fleet.enrolment.tokens import NewDevice, TokenRefused, redeem
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import Credential, Device, DeviceState, EnrolmentToken, Terminal, TerminalKind
from tms.protocol.credential import PlainCredential

pytestmark = pytest.mark.both

HEAD = "serial,model,key,site,kind,label\n"
KEY = "k" * 43


@pytest.fixture
def site(fleet):
    return fleet.site("SJK")


@pytest.fixture
def browser(fleet, site):
    lead = person("lead")
    grant(lead, "Lead", site=site)
    return signed_in(lead)


def upload(browser, text: str | bytes):
    content = text.encode() if isinstance(text, str) else text
    return browser.post("/enrol/factory/", {"file": SimpleUploadedFile("lot-0412.csv", content)})


def tokens_on(answer) -> dict[str, str]:
    lines = HtmlPage(answer).text("tokens").split()
    return dict(line.split(",") for line in lines)


def test_a_device_with_a_key_connects_with_it(browser, site):
    answer = upload(browser, f"{HEAD}S-1,KX-21,{KEY},SJK,kiosk,Hall\n")

    assert answer.status_code == 200
    terminal = Terminal.objects.get()
    assert (terminal.uid, terminal.serial, terminal.model, terminal.label) == ("SJK-KSK-01", "S-1", "KX-21", "Hall")
    assert terminal.lifecycle == Lifecycle.PLANNED
    assert find_key(PlainCredential("S-1", KEY), at=timezone.now()).identity.uid == "SJK-KSK-01"
    assert placements.device_of(terminal).serial == "S-1"
    assert KEY not in str(list(Credential.objects.values()))
    assert not EnrolmentToken.objects.exists()


def test_a_device_without_a_key_gets_its_planned_terminal_with_a_token(browser, site):
    answer = upload(browser, f"{HEAD}S-1,KX-21,,SJK,kiosk,Hall\nS-2,KX-21,,SJK,gate,\n")
    token = tokens_on(answer)["SJK"]

    terminal, _ = redeem(token, NewDevice("kiosk", "S-2", "KX-21"), at=timezone.now())

    assert (terminal.uid, Terminal.objects.count()) == ("SJK-GTE-01", 2)
    with pytest.raises(TokenRefused):
        redeem(token, NewDevice("kiosk", "S-3"), at=timezone.now())


def test_one_device_of_a_site_has_as_long_as_many(browser, site):
    upload(browser, f"{HEAD}S-1,,,SJK,kiosk,\n")

    token = EnrolmentToken.objects.get()
    assert (token.expires_at - token.created_at).days >= 89


def test_each_site_has_a_token_of_its_own(fleet, browser, site):
    other = fleet.site("OSK")
    grant(User.objects.get(username="lead"), "Lead", site=other)

    answer = upload(browser, f"{HEAD}S-1,,,SJK,kiosk,\nS-2,,,OSK,kiosk,\n")

    assert set(tokens_on(answer)) == {"SJK", "OSK"}


def test_a_spare_device_is_placed(browser, site):
    spare = Device.objects.create(serial="S-1", site=site)

    answer = upload(browser, f"{HEAD}S-1,KX-21,{KEY},SJK,kiosk,\n")

    assert answer.status_code == 200
    spare.refresh_from_db()
    assert spare.state == DeviceState.IN_SERVICE
    assert placements.device_of(Terminal.objects.get()) == spare


def test_the_audit_trail_has_one_entry_for_the_list(browser, site):
    upload(browser, f"{HEAD}S-1,,{KEY},SJK,kiosk,\nS-2,,,SJK,kiosk,\n")

    entry = AuditEntry.objects.get(action="factory-list-read")
    assert (entry.subject_name, entry.actor_name) == ("lot-0412.csv", "lead")
    assert entry.changes["terminals"] == [None, 2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("serial,site\nS-1,SJK\n", "Line 1: expected the columns serial,model,key,site,kind,label"),
        (HEAD, "Line 2: expected at least one device"),
        (f"{HEAD}S-1,,,SJK\n", "Line 2: expected 6 cells, found 4"),
        (f"{HEAD},,,SJK,kiosk,\n", "Line 2, column serial: expected a serial number"),
        (f"{HEAD}S-1,,,NOPE,kiosk,\n", "Line 2, column site: NOPE is no open site"),
        (f"{HEAD}S-1,,,OSK,kiosk,\n", "Line 2, column site: OSK is no open site"),
        (f"{HEAD}S-1,,,SJK,toaster,\n", "Line 2, column kind: expected payment, kiosk"),
        (f"{HEAD}S-1,,short,SJK,kiosk,\n", "Line 2, column key: expected 43 to 128 characters"),
        (f"{HEAD}S-1,,,SJK,kiosk,\nS-1,,,SJK,kiosk,\n", "Line 3, column serial: is the same as in line 2"),
        (f"{HEAD}S-1,,{KEY},SJK,kiosk,\nS-2,,{KEY},SJK,kiosk,\n", "Line 3, column key: is the same as in line 2"),
        (f"{HEAD}{'x' * 65},,,SJK,kiosk,\n", "Line 2, column serial: expected at most 64 characters"),
        (f"{HEAD}S-1,a\x07b,,SJK,kiosk,\n", "Line 2, column model: contains a control character"),
        (f"{HEAD}PLACED,,,SJK,kiosk,\n", "Line 2, column serial: a device with this number exists"),
        (f"{HEAD}ELSEWHERE,,,SJK,kiosk,\n", "Line 2, column serial: a device with this number exists"),
        (f'{HEAD}"S-1,,,SJK,kiosk,\n', "Line 2"),
        ("x" * 1_000_001, "Line 1: the file is larger than 1 MB"),
        (b"\x81\x20", "Line 1: expected CSV in UTF-8"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_taken_over(fleet, browser, site, text, said):
    terminal = fleet.terminal(site=site)
    Device.objects.filter(placements__terminal=terminal).update(serial="PLACED")
    Device.objects.create(serial="ELSEWHERE", site=fleet.site("OSK"))

    answer = upload(browser, text)

    assert answer.status_code == 422
    assert said in " ".join(answer.content.decode().split())
    assert Terminal.objects.count() == 1
    assert not EnrolmentToken.objects.exists()


def test_a_key_that_another_device_has_is_refused(browser, site):
    upload(browser, f"{HEAD}S-1,,{KEY},SJK,kiosk,\n")

    answer = upload(browser, f"{HEAD}S-2,,{KEY},SJK,kiosk,\n")

    assert "Line 2, column key: another device has this key" in answer.content.decode()
    assert Terminal.objects.count() == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_excel_may_have_written_the_list(browser, site, encoding):
    upload(browser, f"{HEAD}S-1,,,SJK,kiosk,東口\n".encode(encoding))

    assert Terminal.objects.get().label == "東口"


def test_ten_thousand_devices_are_a_list_and_one_more_is_not(site):
    lines = [f"S-{number},,,SJK,kiosk,\n" for number in range(10_001)]

    devices = factory_list.read("".join((HEAD, *lines[:-1])).encode(), sites={"SJK": site})

    assert len(devices) == 10_000
    assert devices[0].kind is TerminalKind.KIOSK
    with pytest.raises(BadList, match="10002"):
        factory_list.read("".join((HEAD, *lines)).encode(), sites={"SJK": site})


def test_a_long_list_is_taken_over_at_once(browser, site, django_assert_max_num_queries):
    lines = (f"S-{number},KX-21,{secrets.token_urlsafe(32)},SJK,kiosk,\n" for number in range(1_200))

    with django_assert_max_num_queries(120):
        upload(browser, HEAD + "".join(lines))

    assert Terminal.objects.filter(uid="SJK-KSK-1200").exists()
    assert Credential.objects.count() == 1_200
