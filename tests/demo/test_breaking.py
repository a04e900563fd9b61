"""*Break something*: only in a demo, only by people who may, and everything can be undone."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from tests.support.people import grant, person, signed_in
from tests.support.polling import wait_for
from tms.accounts.models.audit_entry import AuditEntry
from tms.demo.breaking import client
from tms.demo.breaking.breaker import HEAT_C, MAX_FAULTS, Breaker
from tms.demo.breaking.faults import FaultKind
from tms.demo.breaking.forms import offered_targets
from tms.demo.breaking.messages import Answer, Ask, StartFault, UndoFault
from tms.demo.breaking.server import serve
from tms.demo.breaking.socket_path import ControlSocket
from tms.demo.people import VISITOR
from tms.demo.seed_file import DemoTerminal, StartCondition
from tms.demo.simulated import Simulated
from tms.fleet.models import Presence, Site, Terminal, TerminalState

UID = "SJK-KSK-01"
PAGE = "/demo/"


@pytest.fixture
def simulated() -> Simulated:
    terminal = DemoTerminal(UID, "SJK", "kiosk", "KX-20", "4.8.2", "S1", f"{UID}.{'k' * 43}")
    return Simulated(terminal, "ws://127.0.0.1:1/", StartCondition())


@pytest.fixture
def breaker(simulated) -> Breaker:
    return Breaker([simulated], "ws://127.0.0.1:1/")


@pytest.fixture
def control(tmp_path: Path, breaker: Breaker) -> Iterator[Path]:
    """The socket of a simulator in another thread."""
    path, loop = tmp_path / "demo.sock", asyncio.new_event_loop()
    task = loop.create_task(serve(path, breaker))
    thread = threading.Thread(target=lambda: loop.run_until_complete(asyncio.wait([task])))
    thread.start()
    client.enable(path)
    wait_for(path.exists)
    yield path
    client.disable()
    loop.call_soon_threadsafe(task.cancel)
    thread.join()
    loop.close()


@pytest.fixture
def terminal(db) -> Terminal:
    site = Site.objects.create(code="SJK", name="Shinjuku South", region="Kanto")
    return Terminal.objects.create(uid=UID, site=site, kind="kiosk")


def test_a_socket_whose_path_would_be_too_long_is_in_a_temporary_folder(tmp_path):
    short, long = ControlSocket(tmp_path), ControlSocket(tmp_path / ("d" * 90))
    link = socket.socket(socket.AF_UNIX)

    link.bind(str(long.path))

    assert short.path == tmp_path / "demo.sock"
    assert long.path.parent.stat().st_mode & 0o777 == 0o700
    link.close()
    long.remove()
    assert not long.path.parent.exists()


async def test_each_fault_of_a_device_is_undone(breaker, simulated):
    device = simulated.device
    cases = (
        (FaultKind.HEAT, lambda: device.heat_c, HEAT_C, 0.0),
        (FaultKind.USE_UP_PAPER, lambda: device.paper_pct, 3.0, 100.0),
        (FaultKind.JAM_READER, lambda: device.is_jammed, True, False),
        (FaultKind.CUT_SITE, lambda: simulated.agent._offline_s > 0, True, False),
    )
    for fault, value, broken, undone in cases:
        answer = breaker.answer(StartFault(fault, "SJK" if fault is FaultKind.CUT_SITE else UID))
        assert (answer.error, answer.broken[0].fault, value()) == ("", fault, pytest.approx(broken, abs=1)), fault

        assert breaker.answer(UndoFault(answer.broken[0].number)) == Answer([])
        assert value() == pytest.approx(undone, abs=1), fault


async def test_a_clone_uses_the_credential_until_it_is_undone(breaker):
    answer = breaker.answer(StartFault(FaultKind.CLONE, UID))
    clones = list(breaker._clones)

    breaker.answer(UndoFault(answer.broken[0].number))
    await asyncio.wait(clones)

    assert len(clones) == 1
    assert not breaker._clones


async def test_a_swapped_device_restarts_with_another_serial_number_until_it_is_undone():
    uid = "UMD-PAY-01"
    terminal = DemoTerminal(uid, "UMD", "payment", "PX-300", "2.14.1", "S1", f"{uid}.{'k' * 43}")
    one = Simulated(terminal, "ws://127.0.0.1:1/", StartCondition())
    breaker = Breaker([one], "ws://127.0.0.1:1/")
    run = asyncio.create_task(one.agent.run())
    await asyncio.sleep(0)

    answer = breaker.answer(StartFault(FaultKind.SWAP_DEVICE, uid))
    goodbye, serial = await run, one.device.identity.serial
    breaker.answer(UndoFault(answer.broken[0].number))

    assert (answer.error, serial, one.device.identity.serial) == ("", "S1-OTHER", "S1")
    assert goodbye is not None
    assert goodbye.reason == "reboot"


async def test_requests_that_cannot_be_carried_out_change_nothing(breaker, simulated):
    assert breaker.answer(StartFault(FaultKind.HEAT, "UNKNOWN")).error == "unknown-target"
    for _ in range(MAX_FAULTS):
        breaker.answer(StartFault(FaultKind.HEAT, UID))
    assert breaker.answer(StartFault(FaultKind.HEAT, UID)).error == "too-many"
    breaker.stop()
    assert breaker.answer(Ask()) == Answer([])
    assert simulated.device.heat_c == 0


@pytest.mark.django_db
def test_a_manager_breaks_a_terminal_and_undoes_it(control, terminal, simulated):
    browser = signed_in(person("manager", of="Manager"))

    answer = browser.post(f"{PAGE}break/", {"fault": "heat", "target": UID}, follow=True)
    entry = AuditEntry.objects.get(action="broken")
    undone = browser.post(f"{PAGE}undo/1/", follow=True)
    browser.post(f"{PAGE}undo/1/")
    mended = AuditEntry.objects.get(action="fault-undone")

    assert f"<bdi>{UID}</bdi>" in answer.content.decode()
    assert (entry.subject_name, entry.actor_name) == (UID, "manager")
    assert (mended.subject_name, mended.actor_name, mended.changes) == (UID, "manager", {"fault": ["heat", None]})
    assert "Broken now" not in undone.content.decode()
    assert simulated.device.heat_c == 0


@pytest.mark.django_db
def test_faults_of_other_sites_are_neither_listed_nor_undone(control, terminal, breaker, simulated):
    elsewhere = person("elsewhere", of=None)
    grant(elsewhere, "Lead", site=Site.objects.create(code="OSK", name="Osaka", region="Kansai"))
    browser = signed_in(elsewhere)
    signed_in(person("manager", of="Manager")).post(f"{PAGE}break/", {"fault": "heat", "target": UID})

    listed = browser.get(PAGE)
    browser.post(f"{PAGE}undo/1/")
    refused = browser.post(f"{PAGE}break/", {"fault": "cut-site", "target": "SJK"})

    assert UID not in listed.content.decode()
    assert refused.status_code == 422
    assert simulated.device.heat_c == HEAT_C
    assert not AuditEntry.objects.filter(action="fault-undone").exists()


@pytest.mark.django_db
def test_errors_say_what_was_wrong(control, terminal):
    browser = signed_in(person("manager", of="Manager"))
    Terminal.objects.create(uid="SJK-KSK-99", site=terminal.site)

    foreign = browser.post(f"{PAGE}break/", {"fault": "heat", "target": "NO-1"})
    missing = browser.post(f"{PAGE}break/", {"fault": "heat", "target": "SJK-KSK-99"})
    client.enable(control.with_name("nothing.sock"))
    silent = browser.get(PAGE)

    assert (foreign.status_code, missing.status_code) == (422, 409)
    assert not AuditEntry.objects.filter(action="broken").exists()
    assert "Choose a site or terminal from the list." in foreign.content.decode()
    assert "The simulator does not have this site or terminal." in missing.content.decode()
    assert "The simulator does not answer." in silent.content.decode()


@pytest.mark.django_db
def test_a_demo_without_terminals_says_how_to_start_one_with_some(control):
    client.enable(control.with_name("nothing.sock"))

    seen = signed_in(person("manager", of="Manager")).get(PAGE).content.decode()

    assert "This demo has no simulated terminals." in seen
    assert "TERMINALS=200 make run" in seen


@pytest.mark.django_db
def test_a_fault_is_offered_only_where_the_simulator_can_carry_it_out(terminal):
    manager = person("manager", of="Manager")
    here = Site.objects.create(code="HERE", name="This machine")
    for site, kind in ((terminal.site, "signage"), (here, "computer")):
        Terminal.objects.create(uid=kind, site=site, kind=kind)
    TerminalState.objects.bulk_create(
        TerminalState(terminal=one, presence=Presence.ONLINE) for one in Terminal.objects.all()
    )

    offers = {fault: {value for value, _ in offered_targets(fault, manager)} for fault in FaultKind}

    assert offers[FaultKind.CUT_SITE] == {"SJK"}
    assert offers[FaultKind.JAM_READER] == offers[FaultKind.USE_UP_PAPER] == {UID}
    assert offers[FaultKind.HEAT] == {UID, "signage"}
    assert offers[FaultKind.SWAP_DEVICE] == set()


@pytest.mark.django_db
def test_there_is_no_such_page_outside_a_demo_or_without_the_permission(terminal):
    outside = signed_in(person("manager", of="Manager")).get(PAGE)
    client.enable(Path("nowhere.sock"))
    viewer = signed_in(person("viewer", of="Viewer")).get(PAGE)
    client.disable()

    assert (outside.status_code, viewer.status_code) == (404, 403)


@pytest.mark.django_db
def test_the_tour_is_shown_until_it_is_ended(settings, terminal):
    browser = signed_in(person("manager", of="Manager"))
    assert 'id="tour"' not in browser.get("/").content.decode()
    client.enable(Path("nowhere.sock"))

    before = browser.get("/").content.decode()
    browser.post("/demo/tour/end/")
    after = browser.get("/").content.decode()
    client.disable()

    assert before.count("<section data-target=") == 6
    assert 'id="tour"' not in after


@pytest.mark.django_db
def test_the_sign_in_page_of_a_demo_has_its_account_already():
    visitor = Client()
    outside = visitor.get("/sign-in/").content.decode()
    client.enable(Path("nowhere.sock"))

    inside = visitor.get("/sign-in/").content.decode()
    refused = visitor.post("/sign-in/", {"username": VISITOR.username, "password": VISITOR.password})
    client.disable()

    assert "Demo credentials are filled in." in inside
    assert f'value="{VISITOR.username}"' in inside
    assert inside.count(VISITOR.password) == 1
    assert VISITOR.password not in outside + refused.content.decode()
