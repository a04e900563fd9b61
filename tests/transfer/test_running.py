"""Imports are applied and undone as a whole, by any process."""

from datetime import timedelta

import pytest
from django.db import IntegrityError

from tests.support.builders import AT, later
from tests.support.people import grant, person
from tests.transfer.files import applied, checked, exported, faults, rows, undone
from tms.accounts.models import AuditEntry
from tms.fleet.devices import placements
from tms.fleet.groups import dynamic
from tms.fleet.models import (
    Device,
    DeviceState,
    Group,
    IdentityChange,
    IdentitySource,
    Lifecycle,
    OpeningHours,
    Region,
    Site,
    SiteContact,
    SpecialDay,
    Terminal,
    TerminalState,
)
from tms.fleet.terminals import lifecycle_changes
from tms.transfer import running
from tms.transfer.kinds.terminals import TerminalRows
from tms.transfer.models import Absence, Import, ImportNotPossible, ImportState

pytestmark = [pytest.mark.both, pytest.mark.django_db]

HOURS = "site,weekday,opens_at,closes_at,first_on,last_on,note\n"
CONTACTS = "site,name,phone,email,note\n"


@pytest.fixture
def lead(fleet):
    fleet.site("SJK")
    fleet.site("UEN")
    return person("lead", of="Manager")


def test_an_empty_fleet_is_filled_from_files(db):
    admin = person("admin", of="Manager")

    applied("regions", "name,name_ja\nKanto,関東\n", by=admin)
    applied("sites", "code,name,region\nSJK,Shinjuku,Kanto\n", by=admin)
    applied("hours", f"{HOURS}SJK,0,9:00,24:00,,,\nSJK,holiday,10:00,18:00,,,\nSJK,,,,2027/01/01,,New Year\n", by=admin)
    applied("contacts", f"{CONTACTS}SJK,Office,03-0000,,\nSJK,Carrier,,,Contract 1\n", by=admin)
    applied("devices", "serial,model,site\nS-1,KX-21,SJK\n", by=admin)
    applied("terminals", "uid,site,parent,serial\nLANE-1,SJK,GW-1,S-1\nGW-1,SJK,,\n", by=admin)
    applied("groups", "name,uid\nLobby,LANE-1\nEmpty,\n", by=admin)

    lane = Terminal.objects.select_related("state", "parent", "site").get(uid="LANE-1")
    assert (lane.site.region, lane.parent.uid, lane.lifecycle) == ("Kanto", "GW-1", Lifecycle.PLANNED)
    assert (lane.serial, lane.model) == ("S-1", "KX-21")
    assert placements.device_of(lane).state == DeviceState.IN_SERVICE
    assert [group.name for group in lane.groups.all()] == ["Lobby"]
    assert Group.objects.filter(name="Empty").exists()
    assert TerminalState.objects.count() == 2
    assert list(OpeningHours.objects.values_list("weekday", flat=True)) == [0, 7]
    assert SpecialDay.objects.get().note == "New Year"
    assert list(SiteContact.objects.values_list("name", flat=True)) == ["Office", "Carrier"]


def test_changes_are_in_the_history_of_each_terminal_and_once_in_the_audit_trail(fleet, lead):
    terminals = [fleet.terminal(uid=f"A-{number}", label="old") for number in range(3)]
    fleet.group("Lobby", terminals[0])

    applied("terminals", "uid,site,label,groups\nA-0,UEN,old,\nA-1,SJK,new,Lobby\nA-2,SJK,new,\n", by=lead)

    changes = IdentityChange.objects.order_by("terminal", "field").values_list("terminal__uid", "field", "source", "by")
    assert list(changes) == [
        ("A-0", "groups", IdentitySource.IMPORT, lead.pk),
        ("A-0", "site", IdentitySource.IMPORT, lead.pk),
        ("A-1", "groups", IdentitySource.IMPORT, lead.pk),
        ("A-1", "label", IdentitySource.IMPORT, lead.pk),
        ("A-2", "label", IdentitySource.IMPORT, lead.pk),
    ]
    [entry] = AuditEntry.objects.filter(action="imported")
    assert entry.changes["rows"] == [0, 3]
    assert set(Group.objects.get().terminals.values_list("uid", flat=True)) == {"A-1"}


def test_devices_move_with_their_terminal(fleet, lead):
    terminal = fleet.terminal(uid="A-1", site=fleet.site("SJK"))
    device = placements.device_of(terminal) or Device.objects.create()
    if not device.placements.exists():
        placements.place(device, terminal, by=None, at=AT)

    applied("terminals", "uid,site\nA-1,UEN\n", by=lead)

    device.refresh_from_db()
    assert device.site.code == "UEN"


def test_nothing_is_applied_if_a_row_changed_after_the_check(fleet, lead):
    fleet.terminal(uid="A-1", label="old")
    made = checked("terminals", "uid,site,label\nA-1,SJK,new\nA-2,SJK,new\n", by=lead)
    Terminal.objects.filter(uid="A-1").update(label="somebody's")

    running.start_applying(made, by=lead, at=AT)

    made.refresh_from_db()
    assert (made.state, made.problem) == (ImportState.FAILED, ["outdated", {"number": "1"}])
    assert list(Terminal.objects.values_list("uid", "label")) == [("A-1", "somebody's")]


def test_nothing_is_applied_once_the_permission_is_withdrawn(fleet, lead):
    made = checked("terminals", "uid,site\nA-1,SJK\n", by=lead)
    lead.grants.all().delete()
    grant(lead, "Viewer")

    running.start_applying(made, by=type(lead).objects.get(pk=lead.pk), at=AT)

    made.refresh_from_db()
    assert made.state == ImportState.FAILED
    assert not Terminal.objects.exists()


def test_an_import_with_errors_is_not_applied(lead):
    made = checked("terminals", "uid,site\nA-1,SJK\nA-2,XXX\n", by=lead)

    with pytest.raises(ImportNotPossible):
        running.start_applying(made, by=lead, at=AT)

    assert not Terminal.objects.exists()


def test_an_import_is_applied_once(lead):
    made = checked("terminals", "uid,site\nA-1,SJK\n", by=lead)
    stale = Import.objects.get()
    running.start_applying(made, by=lead, at=AT)

    with pytest.raises(ImportNotPossible):
        running.start_applying(stale, by=lead, at=AT)

    assert AuditEntry.objects.filter(action="imported").count() == 1


def test_a_large_import_is_left_to_the_clock(lead, monkeypatch):
    monkeypatch.setattr(running, "AT_ONCE", 1)
    made = checked("terminals", "uid,site\nA-1,SJK\nA-2,SJK\n", by=lead)
    running.start_applying(made, by=lead, at=AT)
    assert not Terminal.objects.exists()

    running.advance(later(1))

    made.refresh_from_db()
    assert made.state == ImportState.APPLIED
    assert Terminal.objects.count() == 2
    assert AuditEntry.objects.get(action="imported").actor_name == "lead"


class Died(BaseException):
    """The process ended."""


def test_when_a_process_dies_during_an_import_the_clock_of_another_applies_it(lead, monkeypatch):
    made = checked("terminals", "uid,site\nA-1,SJK\nA-2,SJK\n", by=lead)
    write = TerminalRows.write

    def write_and_die(kind, rows, work):
        write(kind, rows, work)
        raise Died

    monkeypatch.setattr(TerminalRows, "write", write_and_die)
    with pytest.raises(Died):
        running.start_applying(made, by=lead, at=AT)
    monkeypatch.setattr(TerminalRows, "write", write)
    assert not Terminal.objects.exists()

    running.advance(later(1))
    assert not Terminal.objects.exists()  # the request may still be at work
    running.advance(later(61))

    made.refresh_from_db()
    assert (made.state, made.attempts) == (ImportState.APPLIED, 2)
    assert Terminal.objects.count() == 2


def test_an_import_that_kills_its_process_is_given_up(lead, monkeypatch):
    monkeypatch.setattr(running, "AT_ONCE", 0)
    made = checked("terminals", "uid,site\nA-1,SJK\n", by=lead)
    running.start_applying(made, by=lead, at=AT)

    def die(*_):
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(TerminalRows, "write", die)
        for _ in range(running.MAX_ATTEMPTS):
            with pytest.raises(Died):
                running.advance(later(1))
    running.advance(later(1))

    made.refresh_from_db()
    assert (made.state, made.problem[0]) == (ImportState.FAILED, "gave-up")


def test_a_conflict_with_another_change_applies_nothing(lead, monkeypatch):
    made = checked("terminals", "uid,site\nA-1,SJK\n", by=lead)

    def conflict(*_):
        raise IntegrityError

    monkeypatch.setattr(TerminalRows, "write", conflict)
    running.start_applying(made, by=lead, at=AT)

    made.refresh_from_db()
    assert (made.state, made.problem[0]) == (ImportState.FAILED, "conflict")


def test_undo_restores_what_nobody_changed_and_lists_the_rest(fleet, lead):
    for number in range(3):
        fleet.terminal(uid=f"A-{number}", label="old")
    made = applied(
        "terminals",
        "uid,site,label,serial\nA-0,UEN,new,\nA-1,SJK,new,\nA-2,SJK,new,\nB-1,SJK,,S-1\nB-2,SJK,,\n",
        by=lead,
    )
    Terminal.objects.filter(uid="A-1").update(label="somebody's")
    TerminalState.objects.filter(terminal__uid="B-2").update(last_seen_at=AT)

    undone(made, by=lead, at=later(60))

    assert dict(Terminal.objects.values_list("uid", "label")) == {
        "A-0": "old", "A-1": "somebody's", "A-2": "old", "B-2": ""
    }  # fmt: skip
    assert Terminal.objects.get(uid="A-0").site.code == "SJK"
    assert not Device.objects.filter(serial="S-1").exists()
    assert (made.state, made.counts["kept"]) == (ImportState.UNDONE, 2)
    assert sorted(row.name for row in rows(made) if row.is_kept) == ["A-1", "B-2"]
    assert AuditEntry.objects.filter(action="import-undone").count() == 1


def test_undo_is_over_after_a_day(lead):
    made = applied("terminals", "uid,site\nA-1,SJK\n", by=lead)

    with pytest.raises(ImportNotPossible):
        running.start_undoing(made, by=lead, at=AT + timedelta(hours=24))

    assert Terminal.objects.exists()


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("regions", "name,name_ja\nKanto,首都圏\nKansai,\n"),
        ("sites", "code,name,region,on_holidays\nSJK,New name,Kanto,closed\nNEW,New,,\n"),
        ("hours", f"{HOURS}SJK,1,08:00,12:00,,,\nUEN,,,,2027-01-01,2027-01-02,x\n"),
        ("contacts", f"{CONTACTS}SJK,Other,1,,\nUEN,Another,,a@example.com,\n"),
        ("devices", "serial,model,state,site\nS-1,KX-22,in_repair,UEN\nS-2,KX-22,,\n"),
        ("terminals", "uid,site,kind,label,parent,groups,serial\nA-1,UEN,gate,x,A-2,,S-1\nA-3,SJK,,,A-1,Lobby,S-9\n"),
        ("groups", "name,uid\nLobby,A-2\nNew,A-1\n"),
    ],
)
def test_undo_brings_everything_back(fleet, lead, kind, text):
    Region.objects.create(name="Kanto", name_ja="関東")
    lane = fleet.terminal(uid="A-1", label="Lane")
    fleet.terminal(uid="A-2")
    fleet.group("Lobby", lane)
    placements_end(lane)
    Device.objects.create(serial="S-1", model="KX-21")
    site = fleet.site("SJK")
    SiteContact.objects.create(site=site, name="Office")
    OpeningHours.objects.create(site=site, weekday=0, opens_at="09:00", closes_at="18:00")
    before = everything(lead)

    made = applied(kind, text, by=lead)
    between = everything(lead)
    undone(made, by=lead)

    assert between != before
    assert everything(lead) == before
    assert made.counts["kept"] == 0


def placements_end(terminal: Terminal) -> None:
    placements.end_placement(terminal, becomes=DeviceState.SPARE, at=AT)


def everything(to) -> dict[str, str]:
    return {kind: exported(kind, to=to) for kind in running.KINDS}


def test_a_site_that_got_contacts_since_stays(lead):
    made = applied("sites", "code,name\nNEW,New\n", by=lead)
    SiteContact.objects.create(site=Site.objects.get(code="NEW"), name="Office")

    undone(made, by=lead)

    assert Site.objects.filter(code="NEW").exists()
    assert made.counts["kept"] == 1


def test_old_imports_are_deleted(lead):
    made = checked("terminals", "uid,site\nA-1,SJK\n", by=lead, at=AT - timedelta(days=91))

    assert list(Import.objects.old(AT)) == [made]
    assert faults(made) == []


def test_new_terminals_are_behind_each_other_in_any_order(lead):
    applied("terminals", "uid,site,parent\nA-1,SJK,A-2\nA-2,SJK,A-3\nA-3,SJK,\n", by=lead)

    parents = dict(Terminal.objects.values_list("uid", "parent__uid"))
    assert parents == {"A-1": "A-2", "A-2": "A-3", "A-3": None}


STATES = "uid,lifecycle\n"


@pytest.mark.parametrize(
    ("before", "to", "code"),
    [
        ("in_service", "out_of_service", ""),
        ("in_service", "retired", ""),
        ("out_of_service", "In service", ""),
        ("planned", "in_service", ""),
        ("planned", "retired", ""),
        ("retired", "in_service", ""),
        ("planned", "out_of_service", "bad-lifecycle"),
        ("in_service", "planned", "bad-lifecycle"),
        ("retired", "out_of_service", "bad-lifecycle"),
        ("in_service", "asleep", "not-a-choice"),
    ],
)
def test_a_state_changes_by_the_services_of_pages_and_is_undone(fleet, lead, before, to, code):
    terminal = in_state(fleet, before)
    keys = terminal.credentials.filter(revoked_at=None).count()

    made = checked("terminals", f"{STATES}A-1,{to}\n", by=lead)

    assert [fault[2] for fault in faults(made)] == [code] * bool(code)
    if code:
        return
    running.start_applying(made, by=lead, at=AT)
    terminal.refresh_from_db()
    assert terminal.lifecycle == to.lower().replace(" ", "_")
    assert terminal.credentials.filter(revoked_at=None).exists() == (to != "retired")
    changes = IdentityChange.objects.filter(source=IdentitySource.IMPORT).values_list("field", "before", "after")
    assert list(changes) == [("lifecycle", before, terminal.lifecycle)]
    assert AuditEntry.objects.filter(action="state-changed").count() == (before in ("out_of_service", "retired"))
    made.refresh_from_db()

    undone(made, by=lead, at=later(60))

    terminal.refresh_from_db()
    assert (terminal.lifecycle, made.counts["kept"]) == (before, 0)
    assert terminal.credentials.filter(revoked_at=None).count() == keys


def in_state(fleet, state: str) -> Terminal:
    terminal = fleet.terminal(uid="A-1")
    if state == "planned":
        Terminal.objects.update(lifecycle=state)
    if state == "out_of_service":
        lifecycle_changes.change_state([terminal.pk], Lifecycle.OUT_OF_SERVICE, by=None, at=AT)
    if state == "retired":
        lifecycle_changes.retire([terminal.pk], device_becomes=DeviceState.SPARE, by=None, at=AT)
    return terminal


def test_a_terminal_that_connected_since_is_not_planned_again(fleet, lead):
    terminal = in_state(fleet, "planned")
    made = applied("terminals", f"{STATES}A-1,in_service\n", by=lead)
    TerminalState.objects.update(last_seen_at=AT)

    undone(made, by=lead)

    terminal.refresh_from_db()
    assert (terminal.lifecycle, made.counts["kept"]) == (Lifecycle.IN_SERVICE, 1)


def test_a_terminal_of_a_site_that_was_closed_since_is_not_brought_back(fleet, lead):
    fleet.terminal(uid="A-1")
    made = applied("terminals", f"{STATES}A-1,retired\n", by=lead)
    Site.objects.filter(code="SJK").update(closed_at=AT)

    undone(made, by=lead)

    assert (state_of("A-1"), made.counts["kept"]) == (Lifecycle.RETIRED, 1)


@pytest.mark.parametrize(
    ("ago", "is_closed", "code"), [(29, False, []), (31, False, ["retired-for-good"]), (1, True, ["retired-for-good"])]
)
def test_a_terminal_is_brought_back_within_30_days_and_not_to_a_closed_site(fleet, lead, ago, is_closed, code):
    terminal = fleet.terminal(uid="A-1")
    retired_at = AT - timedelta(days=ago)
    lifecycle_changes.retire([terminal.pk], device_becomes=DeviceState.SPARE, by=None, at=retired_at)
    Site.objects.filter(code="SJK").update(closed_at=AT if is_closed else None)

    made = checked("terminals", f"{STATES}A-1,in_service\n", by=lead)

    assert [fault[2] for fault in faults(made)] == code


def test_a_retired_terminal_gets_no_device(fleet, lead):
    in_state(fleet, "retired")

    made = checked("terminals", "uid,site,serial,lifecycle\nA-1,SJK,S-1,\nA-2,SJK,S-2,retired\n", by=lead)

    assert [(line, code) for line, _, code, _ in faults(made)] == [(2, "device-retired"), (3, "device-retired")]


@pytest.mark.parametrize(
    ("become", "states", "changes"),
    [
        (Absence.KEEP, ["in_service", "planned", "out_of_service"], 0),
        (Absence.OUT_OF_SERVICE, ["out_of_service", "planned", "out_of_service"], 1),
        (Absence.RETIRED, ["retired", "retired", "retired"], 3),
    ],
)
def test_terminals_that_are_not_in_the_file_become_what_was_chosen(fleet, lead, become, states, changes):
    fleet.terminal(uid="A-1", label="old")
    for state in ("in_service", "planned", "out_of_service", "retired"):
        Terminal.objects.filter(pk=fleet.terminal(uid=f"B-{state}").pk).update(lifecycle=state)
    elsewhere = fleet.terminal(uid="C-1", site=fleet.site("UEN"))
    made = checked("terminals", "uid,site,label\nA-1,SJK,new\n", by=lead)
    assert (made.counts["absent"], made.counts["absent_in_service"]) == (3, 1)

    running.start_applying(made, by=lead, at=AT, absent_become=become)

    made.refresh_from_db()
    assert [state_of(f"B-{state}") for state in ("in_service", "planned", "out_of_service")] == states
    assert (state_of(elsewhere.uid), made.changes) == ("in_service", 1 + changes)

    undone(made, by=lead, at=later(60))

    assert [state_of(f"B-{state}") for state in ("in_service", "planned", "out_of_service")] == [
        "in_service", "planned", "out_of_service"
    ]  # fmt: skip
    assert (made.counts["kept"], Terminal.objects.get(uid="A-1").label) == (0, "old")


def test_nothing_is_absent_from_a_file_without_sites(fleet, lead):
    fleet.terminal(uid="A-1", label="old")
    fleet.terminal(uid="A-2")

    made = checked("terminals", "uid,label\nA-1,new\n", by=lead)

    assert made.counts == {"changed": 1}


def test_a_file_that_changes_no_row_may_still_retire_what_it_leaves_out(fleet, lead):
    fleet.terminal(uid="A-1")
    fleet.terminal(uid="A-2")
    made = checked("terminals", "uid,site\nA-1,SJK\n", by=lead)
    with pytest.raises(ImportNotPossible):
        running.start_applying(made, by=lead, at=AT)

    running.start_applying(made, by=lead, at=AT, absent_become=Absence.RETIRED)

    assert (state_of("A-1"), state_of("A-2")) == ("in_service", "retired")


def state_of(uid: str) -> str:
    return Terminal.objects.get(uid=uid).lifecycle


def test_dynamic_groups_follow_a_file_and_no_file_chooses_their_members(fleet, lead):
    group = Group.objects.create(name="Kiosks")
    dynamic.set_query(group, "kind:kiosk site:UEN", by=None, at=AT)
    fleet.terminal(uid="OLD", site=Site.objects.get(code="SJK"), kind="kiosk")

    applied("terminals", "uid,site,kind\nNEW,UEN,kiosk\nOLD,UEN,kiosk\n", by=lead)

    assert sorted(group.terminals.values_list("uid", flat=True)) == ["NEW", "OLD"]
    assert "Kiosks" not in exported("terminals", to=lead) + exported("groups", to=lead)
    assert faults(checked("terminals", "uid,site,groups\nNEW,UEN,Kiosks\n", by=lead)) == [
        (2, "groups", "dynamic-group", "")
    ]
