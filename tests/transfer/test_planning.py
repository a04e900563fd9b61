"""What a file would change, and why a row of it is refused."""

import pytest

from tests.support.builders import Fleet
from tests.support.people import person
from tests.transfer.files import checked, faults, rows
from tms.fleet.models import Device, DeviceState, Region, Site, Terminal
from tms.transfer.planning import BadHeader

HOURS = "site,weekday,opens_at,closes_at,first_on,last_on,note"
pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def lead(fleet):
    Region.objects.create(name="Kanto")
    fleet.site("SJK", region="Kanto")
    fleet.site("UEN")
    return person("lead", of="Manager")


def test_a_plan_separates_new_changed_and_unchanged_rows(fleet, lead):
    fleet.terminal(uid="SJK-1", label="Lane 1")
    fleet.terminal(uid="SJK-2", label="Lane 2")

    made = checked("terminals", "uid,site,label\nSJK-1,SJK,Lane 1\nSJK-2,UEN,Lane 2\nSJK-3,SJK,Lane 3\n", by=lead)

    assert made.counts == {"unchanged": 1, "changed": 1, "created": 1}
    changed, created = sorted(rows(made), key=lambda row: row.line)
    assert (changed.before, changed.after) == ({"site": "SJK"}, {"site": "UEN"})
    assert created.after == {
        "site": "SJK", "kind": "kiosk", "label": "Lane 3", "parent": "", "groups": "", "serial": "",
        "lifecycle": "planned", "tags": "",
    }  # fmt: skip
    assert not Terminal.objects.filter(uid="SJK-3").exists()


@pytest.mark.parametrize(
    ("header", "code", "suggestion"),
    [
        ("uid,site,labels", "unknown-column", "label"),
        ("uid,site,uid", "column-twice", ""),
        ("site,label", "missing-column", ""),
    ],
)
def test_a_wrong_header_is_refused_with_the_nearest_column(lead, header, code, suggestion):
    with pytest.raises(BadHeader) as bad:
        checked("terminals", f"{header}\nA,SJK,x\n", by=lead)

    assert (bad.value.code, bad.value.suggestion) == (code, suggestion)


@pytest.mark.parametrize(
    ("kind", "text", "fault"),
    [
        ("terminals", "uid,site\nA-1,SKJ\n", (2, "site", "unknown-site", "SJK")),
        ("terminals", "uid,site\nA-1,SJK\nA-1,SJK\n", (3, "uid", "twice", "")),
        ("terminals", "uid,site\n-1,SJK\n", (2, "uid", "bad-uid", "")),
        ("terminals", "uid,site\n,SJK\n", (2, "uid", "required", "")),
        ("terminals", "uid,label\nA-1,x\n", (2, "site", "required", "")),
        ("terminals", "uid,site\nA-1,SJK,more\n", (2, "", "too-many-cells", "")),
        ("terminals", "uid,site,kind\nA-1,SJK,kiosks\n", (2, "kind", "not-a-choice", "kiosk")),
        ("terminals", f"uid,site,label\nA-1,SJK,{'x' * 101}\n", (2, "label", "too-long", "")),
        ("terminals", f"uid,site,label\nA-1,SJK,{'あ' * 22_000}\n", (2, "label", "cell-too-long", "")),
        ("terminals", "uid,site,label\nA-1,SJK,a\0b\n", (2, "label", "unstorable", "")),
        ("terminals", "uid,site,parent\nA-1,SJK,GW-2\n", (2, "parent", "unknown-terminal", "")),
        ("terminals", "uid,site,parent\nA-1,SJK,A-1\n", (2, "parent", "circle", "")),
        ("terminals", "uid,site,parent\nA-1,SJK,A-2\nA-2,SJK,A-1\n", (2, "parent", "circle", "")),
        ("terminals", "uid,site,groups\nA-1,SJK,Loby\n", (2, "groups", "unknown-group", "Lobby")),
        ("terminals", 'uid,site,groups\nA-1,SJK,"""Lobby"\n', (2, "groups", "bad-list", "")),
        ("terminals", "uid,site,serial\nA-1,SJK,S-1\n", (2, "serial", "device-placed", "")),
        ("terminals", "uid,site,serial\nGW-1,SJK,S-2\n", (2, "serial", "other-device", "")),
        ("terminals", "uid,site,serial\nA-1,SJK,S-9\nA-2,SJK,S-9\n", (3, "serial", "twice", "")),
        ("sites", "code,name,region\nNEW,New,Kant\n", (2, "region", "unknown-region", "Kanto")),
        ("sites", "code,name\nTOOLONGCODE,New\n", (2, "code", "bad-code", "")),
        ("sites", "code,name,time_zone\nNEW,New,Asia/Tokio\n", (2, "time_zone", "bad-zone", "Asia/Tokyo")),
        ("sites", "code,name,holiday_calendar\nNEW,New,JAPAN\n", (2, "holiday_calendar", "bad-calendar", "")),
        ("devices", "serial,state\nS-1,spare\n", (2, "state", "device-serves", "")),
        ("devices", "serial,state\nS-2,in_service\n", (2, "state", "device-not-placed", "")),
        ("groups", "name,uid\nLobby,GW-3\n", (2, "uid", "unknown-terminal", "")),
        ("contacts", "site,name,phone,email,note\nSJK,,1,,\n", (2, "name", "required", "")),
        ("contacts", "site,name,phone,email,note\nSJK,Office,1,office,\n", (2, "email", "bad-email", "")),
        ("hours", f"{HOURS}\nSJK,0,9,18:00,,,\n", (2, "opens_at", "bad-time", "")),
        ("hours", f"{HOURS}\nSJK,0,09:00,,,,\n", (2, "weekday", "bad-hours", "")),
        ("hours", f"{HOURS}\nSJK,,,,2027-02-30,,\n", (2, "first_on", "bad-date", "")),
        ("hours", f"{HOURS}\nSJK,,,,2027-02-03,2027-02-01,\n", (2, "weekday", "bad-hours", "")),
        (
            "hours",
            f"{HOURS}\nSJK,0,09:00,18:00,,,\nSJK,0,09:00,17:00,,,\n",
            (3, "opens_at", "twice", ""),
        ),
    ],
)  # fmt: skip
def test_a_bad_row_is_refused_with_its_column_the_reason_and_what_was_meant(fleet: Fleet, lead, kind, text, fault):
    gateway = fleet.terminal(uid="GW-1")
    fleet.group("Lobby", gateway)
    Device.objects.filter(placements__terminal=gateway).update(serial="S-1", state=DeviceState.IN_SERVICE)
    if not Device.objects.filter(serial="S-1").exists():
        placed(gateway, "S-1")
    Device.objects.create(serial="S-2")

    made = checked(kind, text, by=lead)

    assert fault in faults(made)
    assert made.counts["refused"] >= 1


def placed(terminal: Terminal, serial: str) -> None:
    from tests.support.builders import AT
    from tms.fleet.devices import placements

    placements.place(Device.objects.create(serial=serial), terminal, by=None, at=AT)


def test_a_closed_site_gets_no_terminals(lead):
    from tests.support.builders import AT

    Site.objects.filter(code="UEN").update(closed_at=AT)

    made = checked("terminals", "uid,site\nA-1,UEN\n", by=lead)

    assert faults(made) == [(2, "site", "site-closed", "")]


def test_an_empty_cell_clears_a_text_and_keeps_what_has_a_default(fleet, lead):
    fleet.terminal(uid="A-1", label="Lane 1", kind="gate", serial="S-1")

    made = checked("terminals", "uid,site,label,kind,serial\nA-1,SJK,,,\n", by=lead)

    [row] = rows(made)
    assert row.after == {"label": ""}
