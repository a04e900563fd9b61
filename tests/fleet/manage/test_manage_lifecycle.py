"""The pages that change the lifecycle state of a terminal, and say the consequences before."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.support import factories, people
from tests.support.builders import AT, now
from tests.support.credentials import find_key
from tests.support.pages import HtmlPage
from tms.accounts.models import AuditEntry
from tms.accounts.scope import EVERYTHING
from tms.alerts.maintenance import services as maintenance
from tms.alerts.maintenance.services import WindowScope
from tms.boards.overview import on_shift
from tms.boards.overview.on_shift import OpenBoard
from tms.fleet.credentials import services as credentials
from tms.fleet.devices import placements
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import Device, DeviceState, Presence, Terminal, TerminalKind, TerminalState
from tms.fleet.terminals.lifecycle_changes import consequences, retire
from tms.fleet.terminals.services import TerminalValues, create_terminal
from tms.lib.calendar.recurrence import Recurrence

pytestmark = [pytest.mark.both, pytest.mark.django_db]
AT_PAGE = "/terminals/UMD-KSK-03"


def state_of(terminal: Terminal) -> str:
    return Terminal.objects.get(pk=terminal.pk).lifecycle


def test_a_terminal_goes_out_of_service_with_a_comment(boss, terminal):
    answer = boss.post(f"{AT_PAGE}/state/", {"to": "out_of_service", "comment": "Refit"})

    assert answer["Location"] == f"{AT_PAGE}/manage/"
    assert state_of(terminal) == Lifecycle.OUT_OF_SERVICE
    entry = AuditEntry.objects.get(action="state-changed")
    assert (entry.comment, entry.changes) == ("Refit", {"lifecycle": ["in_service", "out_of_service"]})


@pytest.mark.parametrize("to", ["", "planned", "retired", "in_service", "x"])
def test_a_state_that_cannot_follow_is_refused(boss, terminal, to):
    assert boss.get(f"{AT_PAGE}/state/?to={to}").status_code == 200
    assert boss.post(f"{AT_PAGE}/state/", {"to": to}).status_code == 422
    assert state_of(terminal) == Lifecycle.IN_SERVICE


def test_the_question_names_what_other_parts_of_tms_would_do(boss, kansai, terminal):
    kansai.command(terminal)
    factories.alert(kansai, terminal=terminal)
    tonight = Recurrence(ZoneInfo("UTC"), (now() + timedelta(hours=1)).replace(tzinfo=None), timedelta(hours=1), "")
    maintenance.plan(tonight, WindowScope(terminals=[terminal]), note="Refit", by=kansai.person(), at=now())

    out, retired = boss.get(f"{AT_PAGE}/state/?to=out_of_service"), boss.get(f"{AT_PAGE}/retire/")

    assert "1 alert is resolved." in out.content.decode()
    assert "command expires" not in out.content.decode()
    assert "1 alert is resolved." in retired.content.decode()
    assert "1 waiting command expires." in retired.content.decode()
    assert "Removed from 1 maintenance window." in retired.content.decode()
    assert "Removed from" not in out.content.decode()
    assert "1 key is revoked" in retired.content.decode()


@pytest.mark.parametrize("to", Lifecycle)
def test_a_terminal_with_nothing_has_no_consequences(terminal, to):
    assert consequences([terminal.pk], to) == []


def test_a_retired_terminal_stays_readable_and_says_since_when(boss, terminal):
    key = credentials.issue(terminal)

    boss.post(f"{AT_PAGE}/retire/", {"becomes": "in_repair", "comment": "Shop closed"})

    assert state_of(terminal) == Lifecycle.RETIRED
    assert Device.objects.get(serial="KX21-1").state == DeviceState.IN_REPAIR
    assert find_key(key, at=now()) is None
    page, manage = HtmlPage(boss.get(f"{AT_PAGE}/")), HtmlPage(boss.get(f"{AT_PAGE}/manage/"))
    assert "Retired since" in page.text("state")
    assert page.attribute("state", "data-lifecycle") == "retired"
    assert f"{AT_PAGE}/bring-back/" in manage.links()
    assert f"{AT_PAGE}/replace/" not in manage.links()
    assert boss.get(f"{AT_PAGE}/replace/").status_code == 409


def test_a_terminal_is_brought_back_with_its_device_and_key(boss, terminal):
    key = credentials.issue(terminal)
    boss.post(f"{AT_PAGE}/retire/", {"becomes": "spare"})

    question = boss.get(f"{AT_PAGE}/bring-back/")
    boss.post(f"{AT_PAGE}/bring-back/", {"comment": "By mistake"})

    assert "In service" in question.content.decode()
    assert state_of(terminal) == Lifecycle.IN_SERVICE
    assert find_key(key, at=now()) is not None


def test_after_30_days_it_cannot_be_brought_back(boss, terminal):
    retire([terminal.pk], device_becomes=DeviceState.SPARE, by=None, at=now() - timedelta(days=31))

    answer = boss.post(f"{AT_PAGE}/bring-back/")

    assert answer.status_code == 409
    assert "retired more than 30 days ago" in answer.content.decode()


def test_only_a_terminal_that_was_never_connected_is_deleted(boss, kansai, terminal, umeda):
    TerminalState.objects.filter(terminal=terminal).update(last_seen_at=AT)
    planned = create_terminal("UMD-KSK-09", TerminalValues(umeda, TerminalKind.KIOSK), at=AT)
    device = Device.objects.create(serial="KX21-5")
    placements.replace(planned, device, removed_becomes=DeviceState.SPARE, by=None, at=AT)

    refused, deleted = boss.post(f"{AT_PAGE}/delete/"), boss.post("/terminals/UMD-KSK-09/delete/")

    assert refused.status_code == 409
    assert "Retire it instead." in refused.content.decode()
    assert deleted["Location"] == "/terminals/"
    assert not Terminal.objects.filter(pk=planned.pk).exists()
    assert Device.objects.get(serial="KX21-5").state == DeviceState.SPARE
    assert f"{AT_PAGE}/delete/" not in HtmlPage(boss.get(f"{AT_PAGE}/manage/")).links()


@pytest.mark.parametrize("path", ["state", "retire", "bring-back", "delete"])
def test_a_viewer_changes_no_state(viewer, terminal, path):
    assert viewer.post(f"{AT_PAGE}/{path}/", {"to": "out_of_service", "becomes": "spare"}).status_code == 403
    assert state_of(terminal) == Lifecycle.IN_SERVICE


@pytest.mark.parametrize("path", ["state", "retire", "bring-back", "delete"])
def test_a_terminal_of_another_region_is_not_found(regional, tokyo_terminal, path):
    answer = regional.post(f"/terminals/SJK-KSK-01/{path}/", {"to": "out_of_service", "becomes": "spare"})

    assert answer.status_code == 404


# The list


def test_the_list_counts_and_shows_the_other_states(boss, kansai, terminal, umeda):
    create_terminal("UMD-KSK-09", TerminalValues(umeda, TerminalKind.KIOSK), at=AT)
    boss.post(f"{AT_PAGE}/retire/", {"becomes": "spare"})

    everything, retired = HtmlPage(boss.get("/terminals/")), HtmlPage(boss.get("/terminals/?lifecycle=retired"))

    numbers = {name: everything.text(f"count-{name}") for name in ("planned", "out_of_service", "retired")}
    assert numbers == {"planned": "1", "out_of_service": "0", "retired": "1"}
    assert f"terminal-{terminal.pk}" not in everything.ids
    assert retired.rows("terminal-") == [f"terminal-{terminal.pk}"]
    assert retired.attribute(f"terminal-{terminal.pk}", "data-lifecycle") == "retired"
    assert "Retired" in retired.text(f"terminal-{terminal.pk}")


def test_the_list_counts_within_the_scope(regional, kansai):
    create_terminal("SJK-KSK-09", TerminalValues(kansai.site("SJK"), TerminalKind.KIOSK), at=AT)

    assert HtmlPage(regional.get("/terminals/")).text("count-planned") == "0"


# The last working lane


@pytest.fixture
def last_lane(terminal: Terminal) -> Terminal:
    TerminalState.objects.exclude(terminal=terminal).update(presence=Presence.OFFLINE)
    return terminal


@pytest.fixture
def colleague(kansai):
    """A lead with a board open, and their browser."""
    person = people.person("colleague", of=None)
    people.grant(person, "Lead")
    on_shift.report({person.pk: OpenBoard("terminals", EVERYTHING)}, [])
    yield people.signed_in(person)
    on_shift.report({}, [person.pk])


def test_retiring_the_last_lane_waits_for_a_second_person(boss, colleague, last_lane):
    asked = boss.post(f"{AT_PAGE}/retire/", {"becomes": "lost", "comment": "Stolen"})

    assert state_of(last_lane) == Lifecycle.IN_SERVICE
    colleague.post(asked["Location"], {"decision": "approve"})
    assert state_of(last_lane) == Lifecycle.RETIRED
    assert Device.objects.get(serial="KX21-1").state == DeviceState.LOST
    assert boss.get(asked["Location"]).status_code == 200


def test_alone_the_number_of_the_last_lane_is_typed(boss, last_lane):
    refused = boss.post(f"{AT_PAGE}/retire/", {"becomes": "spare", "typed": "no"})

    assert refused.status_code == 422
    assert "Type KSK-03 to confirm." in refused.content.decode()
    boss.post(f"{AT_PAGE}/retire/", {"becomes": "spare", "typed": "KSK-03"})
    assert state_of(last_lane) == Lifecycle.RETIRED
    assert AuditEntry.objects.filter(action="acted-alone").count() == 1
