"""A person imports and exports within their scope only, and with the permission of each kind of rows."""

import pytest

from tests.support.builders import AT
from tests.support.people import grant, person
from tests.transfer.files import applied, checked, exported, faults, rows, undone
from tms.accounts.models import Role
from tms.fleet.models import Device, Group, Region, Site, Terminal
from tms.transfer.kinds.registry import KINDS
from tms.transfer.models import Import

HOURS = "site,weekday,opens_at,closes_at,first_on,last_on,note"
pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def regional(fleet):
    """Leads Kanto with Shinjuku; Umeda is in Kansai."""
    Region.objects.bulk_create([Region(name="Kanto"), Region(name="Kansai")])
    fleet.terminal(uid="SJK-1", site=fleet.site("SJK", region="Kanto"))
    fleet.terminal(uid="UMD-1", site=fleet.site("UMD", region="Kansai"))
    made = person("regional", of=None)
    grant(made, "Lead", region="Kanto")
    return made


@pytest.mark.parametrize(
    ("kind", "text", "fault"),
    [
        ("regions", "name,name_ja\nKansai,関西\n", ("name", "taken")),
        ("regions", "name\nTohoku\n", ("name", "forbidden-region")),
        ("sites", "code,name\nUMD,Mine\n", ("code", "taken")),
        ("sites", "code,name,region\nNEW,New,Kansai\n", ("region", "unknown-region")),
        ("sites", "code,name,region\nNEW,New,\n", ("region", "forbidden-region")),
        ("sites", "code,name,region\nSJK,Site SJK,\n", ("region", "forbidden-region")),
        ("terminals", "uid,site\nUMD-1,SJK\n", ("uid", "taken")),
        ("terminals", "uid,site\nNEW-1,UMD\n", ("site", "unknown-site")),
        ("terminals", "uid,site\nSJK-1,UMD\n", ("site", "unknown-site")),
        ("terminals", "uid,site,parent\nSJK-1,SJK,UMD-1\n", ("parent", "unknown-terminal")),
        ("terminals", "uid,site,serial\nNEW-1,SJK,S-UMD\n", ("serial", "taken")),
        ("devices", "serial,site\nS-UMD,SJK\n", ("serial", "taken")),
        ("devices", "serial,site\nS-NEW,\n", ("site", "forbidden-site")),
        ("devices", "serial,site\nS-NEW,UMD\n", ("site", "unknown-site")),
        ("groups", "name,uid\nAll,UMD-1\n", ("uid", "unknown-terminal")),
        ("groups", "name,uid\nAll,SJK-1\n", ("name", "forbidden-group")),
        ("groups", "name,uid\nNew,SJK-1\n", ("name", "forbidden-group")),
        ("contacts", "site,name,phone,email,note\nUMD,Mine,,,\n", ("site", "unknown-site")),
        ("hours", f"{HOURS}\nUMD,0,09:00,18:00,,,\n", ("site", "unknown-site")),
    ],
)  # fmt: skip
def test_a_row_outside_of_the_scope_is_refused(fleet, regional, kind, text, fault):
    fleet.group("All", Terminal.objects.get(uid="UMD-1"))
    if fault == ("name", "forbidden-group") and "All" in text:
        Group.objects.get().terminals.add(Terminal.objects.get(uid="SJK-1"))
        text = text.replace("SJK-1", "SJK-2")
        fleet.terminal(uid="SJK-2", site=fleet.site("SJK"))
    Device.objects.create(serial="S-UMD", site=fleet.site("UMD"))

    made = checked(kind, text, by=regional)

    assert fault in [(column, code) for _, column, code, _ in faults(made)]


def test_rows_within_the_scope_are_imported(fleet, regional):
    applied("sites", "code,name,region\nUEN,Ueno,Kanto\n", by=regional)
    applied("terminals", "uid,site\nSJK-1,UEN\nSJK-2,SJK\n", by=type(regional).objects.get(pk=regional.pk))

    assert set(Terminal.objects.filter(site__code="UEN").values_list("uid", flat=True)) == {"SJK-1"}


@pytest.mark.parametrize("kind", KINDS)
def test_an_export_holds_what_its_reader_sees(fleet, regional, kind):
    Device.objects.create(serial="S-UMD", site=fleet.site("UMD"))
    Device.objects.create(serial="S-SJK", site=fleet.site("SJK"))
    fleet.group("Both", *Terminal.objects.all())

    text = exported(kind, to=regional)

    assert "UMD" not in text
    assert "Kansai" not in text
    assert exported(kind, to=person("viewer", of="Viewer")) != text or kind in ("contacts", "hours")


def test_each_kind_needs_its_own_permission_besides_that_to_import(fleet):
    terminal = fleet.terminal(uid="SJK-1", label="old")
    role = Role.objects.create(name="Importer", permissions=["import_fleet", "edit_sites"])
    importer = person("importer", of=None)
    importer.grants.create(role=role)

    assert faults(checked("sites", "code,name\nSJK,New\n", by=importer)) == []
    assert [fault[2] for fault in faults(checked("terminals", "uid,label\nSJK-1,new\n", by=importer))] != []
    assert terminal.label == "old"


def test_the_members_of_a_group_that_is_the_scope_of_a_grant_need_to_manage_people(fleet):
    group = fleet.group("Lobby")
    fleet.terminal(uid="SJK-1")
    grant(person("guest", of=None), "Viewer", group=group)
    lead = person("lead", of="Manager")

    by_groups = checked("groups", "name,uid\nLobby,SJK-1\n", by=lead)
    by_terminals = checked("terminals", "uid,site,groups\nSJK-1,SJK,Lobby\n", by=lead)

    assert faults(by_groups) == [(2, "name", "forbidden-group", "")]
    assert faults(by_terminals) == [(2, "groups", "forbidden-group", "")]
    boss = person("boss", of=None)
    grant(boss, "Administrator")
    assert faults(checked("groups", "name,uid\nLobby,SJK-1\n", by=boss)) == []


def test_a_parent_out_of_sight_is_neither_exported_nor_replaced(fleet, regional):
    Terminal.objects.filter(uid="SJK-1").update(parent=Terminal.objects.get(uid="UMD-1"))
    fleet.terminal(uid="SJK-2", site=fleet.site("SJK"))

    again = checked("terminals", exported("terminals", to=regional), by=regional)
    other = checked("terminals", "uid,parent\nSJK-1,SJK-2\n", by=regional)

    assert again.counts == {"unchanged": 2}
    assert faults(other) == [(2, "parent", "hidden", "")]


def test_undo_needs_the_permission_for_each_row_again(fleet, regional):
    boss = person("boss", of="Manager")
    made = applied("terminals", "uid,site,label\nSJK-1,SJK,new\nUMD-1,UMD,new\n", by=boss)

    undone(made, by=regional)

    assert dict(Terminal.objects.values_list("uid", "label")) == {"SJK-1": "", "UMD-1": "new"}
    assert made.counts["kept"] == 1


def test_people_see_their_own_imports_and_those_with_everything_all(regional):
    mine = checked("terminals", "uid,site\nSJK-2,SJK\n", by=regional)
    other = checked("terminals", "uid,site\nUMD-2,UMD\n", by=person("boss", of="Manager"))

    assert list(Import.objects.of(regional)) == [mine]
    assert set(Import.objects.of(other.created_by)) == {mine, other}
    assert Site.objects.count() == 2
    assert mine.created_at == AT


def test_only_terminals_that_the_person_may_change_are_absent(fleet):
    mine = [fleet.terminal(uid=f"SJK-{number}") for number in range(2)]
    fleet.terminal(uid="SJK-9")
    keeper = person("keeper", of=None)
    grant(keeper, "Lead", group=fleet.group("Mine", *mine))
    text = "uid,site\nSJK-0,SJK\n"

    by_keeper, by_boss = checked("terminals", text, by=keeper), checked("terminals", text, by=person("b", of="Manager"))

    assert [row.name for row in rows(by_keeper) if not row.line] == ["SJK-1"]
    assert [row.name for row in rows(by_boss) if not row.line] == ["SJK-1", "SJK-9"]
