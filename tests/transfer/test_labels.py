"""Tags and attributes in files."""

import pytest

from tests.support import people
from tests.support.builders import AT
from tests.support.people import person
from tests.transfer.files import applied, checked, exported, faults, rows, undone
from tms.accounts.models import AuditEntry, Grant, Role
from tms.fleet.groups.dynamic import set_query
from tms.fleet.labels.attributes import set_values, values_of
from tms.fleet.labels.tags import change_tags, tags_of
from tms.fleet.models import Attribute, Device, Site, Terminal
from tms.transfer import running
from tms.transfer.exporting import template
from tms.transfer.kinds.registry import KINDS
from tms.transfer.planning import BadHeader

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def lead(fleet):
    fleet.site("SJK", region="Kanto")
    fleet.site("UMD", region="Kansai")
    return person("lead", of="Manager")


@pytest.fixture(autouse=True)
def attributes(db):
    defined = (
        ("floor", "number", "terminal", []),
        ("lease", "day", "terminal", []),
        ("side", "choice", "terminal", ["left", "right"]),
        ("grade", "text", "site", []),
        ("owner", "text", "device", []),
    )
    return [
        Attribute.objects.create(name=name, label=name, type=kind, subject=subject, choices=choices)
        for name, kind, subject, choices in defined
    ]


def test_a_file_sets_tags_and_attributes_of_new_and_stored_rows(fleet, lead):
    stored = fleet.terminal(uid="SJK-1", site=fleet.site("SJK"))
    change_tags(Terminal, [stored.pk], add=["old", "pilot"])
    group = fleet.group("Lobby")
    set_query(group, "tag:lobby attr.floor>1", by=None, at=AT)
    text = 'uid,site,tags,attr.floor,attr.lease\nSJK-1,SJK,"Lobby, pilot",2.0,2027-03-31\nSJK-2,SJK,lobby、new,3,\n'

    made = applied("terminals", text, by=lead)

    new = Terminal.objects.get(uid="SJK-2")
    changed = next(row for row in rows(made) if row.key == ("SJK-1",))
    assert (changed.before["tags"], changed.after["tags"], changed.after["attr.floor"]) == (
        "old pilot", "lobby pilot", "2"
    )  # fmt: skip
    assert (tags_of(stored), tags_of(new)) == (["lobby", "pilot"], ["lobby", "new"])
    assert (values_of(stored).keys(), values_of(new)) == ({"floor", "lease"}, {"floor": 3.0})
    assert set(group.terminals.all()) == {stored, new}
    assert not AuditEntry.objects.filter(action__in=("tags-changed", "attributes-changed"), via="page").exists()
    assert AuditEntry.objects.filter(action="imported").count() == 1


def test_an_undo_gives_tags_attributes_and_members_back(fleet, lead):
    stored = fleet.terminal(uid="SJK-1", site=fleet.site("SJK"))
    change_tags(Terminal, [stored.pk], add=["old"])
    group = fleet.group("Old")
    set_query(group, "tag:old", by=None, at=AT)
    made = applied("terminals", "uid,tags,attr.floor\nSJK-1,new,2\n", by=lead)
    members = list(group.terminals.all())

    undone(made, by=lead)

    assert members == []
    assert (tags_of(stored), values_of(stored), list(group.terminals.all())) == (["old"], {}, [stored])


def test_sites_and_devices_have_the_columns_too(fleet, lead):
    applied("sites", "code,name,tags,attr.grade\nNEW,New,flagship,A\nSJK,SJK,big,B\n", by=lead)
    applied("devices", "serial,site,tags,attr.owner\nK-1,SJK,loan,Nihon Denko\n", by=lead)

    new, device = Site.objects.get(code="NEW"), Device.objects.get(serial="K-1")
    assert (tags_of(new), values_of(new), tags_of(fleet.site("SJK"))) == (["flagship"], {"grade": "A"}, ["big"])
    assert (tags_of(device), values_of(device)) == (["loan"], {"owner": "Nihon Denko"})


@pytest.mark.parametrize(
    ("kind", "text", "fault"),
    [
        ("terminals", "uid,site,tags\nA-1,SJK,a:b\n", (2, "tags", "bad-tag", "")),
        ("terminals", f"uid,site,tags\nA-1,SJK,{' '.join(map(str, range(51)))}\n", (2, "tags", "too-many-tags", "")),
        ("terminals", "uid,site,attr.floor\nA-1,SJK,two\n", (2, "attr.floor", "not-a-number", "")),
        ("terminals", "uid,site,attr.lease\nA-1,SJK,tomorrow\n", (2, "attr.lease", "bad-date", "")),
        ("terminals", "uid,site,attr.side\nA-1,SJK,lefft\n", (2, "attr.side", "not-a-choice", "left")),
        ("sites", f"code,name,attr.grade\nNEW,New,{'x' * 201}\n", (2, "attr.grade", "too-long", "")),
    ],
)
def test_a_wrong_cell_is_refused_with_its_column(lead, kind, text, fault):
    assert faults(checked(kind, text, by=lead)) == [fault]


@pytest.mark.parametrize(
    ("kind", "column", "suggestion"), [("terminals", "attr.floors", "attr.floor"), ("groups", "attr.x", "")]
)
def test_an_attribute_is_defined_first(lead, kind, column, suggestion):
    with pytest.raises(BadHeader) as bad:
        checked(kind, f"uid,{column}\nA-1,2\n", by=lead)

    assert (bad.value.code, bad.value.suggestion) == ("unknown-attribute", suggestion)


def test_columns_that_a_file_lacks_stay_and_empty_cells_clear(fleet, lead, attributes):
    terminal = fleet.terminal(uid="SJK-1", site=fleet.site("SJK"))
    change_tags(Terminal, [terminal.pk], add=["lobby"])
    set_values(Terminal, [terminal.pk], {attributes[0]: "2"})

    applied("terminals", "uid,label\nSJK-1,Lane 1\n", by=lead)
    kept = tags_of(terminal), values_of(terminal)
    applied("terminals", "uid,tags,attr.floor\nSJK-1,,\n", by=lead)

    assert kept == (["lobby"], {"floor": 2.0})
    assert (tags_of(terminal), values_of(terminal)) == ([], {})


def test_a_value_that_is_no_choice_any_more_is_no_fault_while_it_stays(fleet, lead, attributes):
    terminal = fleet.terminal(uid="SJK-1", site=fleet.site("SJK"))
    set_values(Terminal, [terminal.pk], {attributes[2]: "left"})
    Attribute.objects.filter(name="side").update(choices=["right"])

    made = checked("terminals", exported("terminals", to=lead), by=lead)

    assert made.counts == {"unchanged": Terminal.objects.count()}


def test_an_attribute_that_is_deleted_after_the_check_refuses_the_import(fleet, lead):
    fleet.terminal(uid="SJK-1", site=fleet.site("SJK"))
    made = checked("terminals", "uid,attr.floor\nSJK-1,2\n", by=lead)
    Attribute.objects.filter(name="floor").delete()

    running.start_applying(made, by=lead, at=AT)
    made.refresh_from_db()

    assert (made.state, made.problem[0]) == ("failed", "outdated")


@pytest.mark.parametrize(
    ("kind", "text", "refused"),
    [
        ("terminals", "uid,site,tags\nSJK-1,SJK,a\nUMD-1,UMD,a\n", ["UMD-1"]),
        ("terminals", "uid,site,attr.floor\nSJK-2,SJK,1\nUMD-2,UMD,1\n", ["UMD-2"]),
        ("terminals", "uid,site,label,tags\nUMD-1,UMD,x,\nUMD-2,UMD,x,\n", []),
        ("devices", "serial,site,tags\nK-1,SJK,a\nK-2,UMD,a\nK-3,,a\n", ["K-2", "K-3"]),
        ("sites", "code,name,region,tags\nNEW,x,Kanto,a\nNOW,x,Kansai,a\n", ["NOW"]),
    ],
)
def test_labels_need_the_permission_for_groups_where_the_row_is(fleet, lead, kind, text, refused):
    for uid, code in (("SJK-1", "SJK"), ("UMD-1", "UMD")):
        fleet.terminal(uid=uid, site=fleet.site(code))
    role = Role.objects.create(name="Importer", permissions=["import_fleet", "manage_terminals", "edit_sites"])
    importer = person("importer", of=None)
    Grant.objects.create(person=importer, role=role)
    people.grant(importer, "Lead", region="Kanto")

    made = checked(kind, text, by=importer)

    assert [row.key[0] for row in rows(made) if row.faults] == refused
    assert {fault[2] for fault in faults(made)} <= {"forbidden-labels"}


def test_the_template_has_the_columns_with_an_example():
    header, first, _second = template(KINDS["terminals"]).splitlines()

    assert header.endswith("tags,attr.floor,attr.lease,attr.side")
    assert first.endswith("lobby step-free,2,2027-03-31,left")
