"""Bulk edits are planned, applied and undone, all of their rows in one transaction."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.support.builders import AT
from tests.support.people import grant, person
from tests.transfer.files import rows, undone
from tms.accounts.models import AuditEntry, Role, User
from tms.fleet.groups import dynamic
from tms.fleet.labels import tags
from tms.fleet.labels.attributes import set_values, values_of
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import Attribute, AttributeType, Group, IdentityChange, IdentitySource, Region, Terminal
from tms.fleet.terminals import lifecycle_changes
from tms.transfer import running
from tms.transfer.edits import planning
from tms.transfer.edits.planning import EditPlan, EditTarget
from tms.transfer.kinds import edits
from tms.transfer.kinds.edits import Edit, EditKind, MemberChange
from tms.transfer.kinds.terminals import TerminalRows
from tms.transfer.models import Import, ImportNotPossible, ImportState

pytestmark = [pytest.mark.both, pytest.mark.django_db]
ALL = EditTarget("")


@pytest.fixture
def lead(fleet) -> User:
    fleet.site("SJK")
    fleet.site("UEN")
    return person("lead", of="Manager")


def planned(edit: Edit, *, by: User, target: EditTarget = ALL) -> EditPlan:
    return planning.plan(edits.checked(edit, by=by, at=AT), target, by=by, at=AT)


def applied(edit: Edit, *, by: User, target: EditTarget = ALL) -> Import:
    made = planning.store(planned(edit, by=by, target=target), by=by, at=AT)
    return applied_now(made, by=by)


def applied_now(made: Import, *, by: User) -> Import:
    running.start_applying(made, by=by, at=AT)
    made.refresh_from_db()
    return made


def uids(**wanted: object) -> list[str]:
    return list(Terminal.objects.filter(**wanted).order_by("uid").values_list("uid", flat=True))


def everything() -> list[object]:
    """All that bulk edits may change."""
    return [
        (
            terminal.uid,
            terminal.lifecycle,
            terminal.site.code,
            tags.tags_of(terminal),
            values_of(terminal),
            sorted(terminal.groups.values_list("name", flat=True)),
        )
        for terminal in Terminal.objects.select_related("site").order_by("uid")
    ]


EDITS = st.one_of(
    st.builds(
        lambda kind, tags: Edit(kind, tags=tuple(tags)),
        st.sampled_from([EditKind.TAG, EditKind.UNTAG]),
        st.sets(st.sampled_from(["lobby", "pilot", "old"]), min_size=1),
    ),
    st.builds(
        lambda given: Edit(EditKind.ATTRIBUTE, attribute=given[0], value=given[1]),
        st.sampled_from(
            [("floor", "2"), ("floor", ""), ("floor", "2.5"), ("wing", "east"), ("wing", ""), ("since", "2026-11-01")]
        ),
    ),
    st.builds(
        lambda name, change: Edit(EditKind.GROUP, name=name, change=change),
        st.sampled_from(["Static", "Empty"]),
        st.sampled_from(MemberChange),
    ),
    st.builds(lambda to: Edit(EditKind.STATE, lifecycle=to), st.sampled_from(edits.STATES)),
    st.builds(lambda site: Edit(EditKind.MOVE, site=site), st.sampled_from(["SJK", "UEN"])),
)


def of_all_kinds(fleet) -> None:
    """Terminals in each state, at two sites, with and without tags, attributes and groups."""
    floor, wing = (
        Attribute.objects.create(name="floor", label="Floor", type=AttributeType.NUMBER),
        Attribute.objects.create(name="wing", label="Wing", type=AttributeType.CHOICE, choices=["east", "west"]),
    )
    Attribute.objects.create(name="since", label="Since", type=AttributeType.DAY)
    made = [fleet.terminal(uid=f"A-{n}", site=fleet.site(("SJK", "UEN")[n % 2])) for n in range(6)]
    tags.change_tags(Terminal, [made[0].pk, made[1].pk], add=["lobby"])
    tags.change_tags(Terminal, [made[1].pk], add=["old"])
    set_values(Terminal, [made[0].pk, made[2].pk], {floor: "2", wing: "west"})
    fleet.group("Static", made[0], made[3])
    fleet.group("Empty")
    dynamic.set_query(fleet.group("Tagged"), "tag:lobby", by=None, at=AT)
    lifecycle_changes.change_state([made[4].pk], Lifecycle.OUT_OF_SERVICE, by=None, at=AT)
    lifecycle_changes.retire([made[5].pk], device_becomes="spare", by=None, at=AT)


@given(st.lists(EDITS, min_size=1, max_size=3))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_undoing_edits_in_reverse_gives_what_was_before(fleet, lead, edits):
    if not Terminal.objects.exists():
        of_all_kinds(fleet)
    before, made = everything(), []

    for edit in edits:
        group = Group.objects.filter(name=edit.name).values_list("pk", flat=True).first() or 0
        plan = planned(
            structs.replace(edit, group=group), by=lead, target=EditTarget("state:in_service,out_of_service,retired")
        )
        if plan.changed:
            made.append(applied_now(planning.store(plan, by=lead, at=AT), by=lead))
    for each in reversed(made):
        undone(each, by=lead)

    assert [each.state for each in made] == [ImportState.UNDONE] * len(made)
    assert [each.counts["kept"] for each in made] == [0] * len(made)
    assert everything() == before


def test_an_edit_says_what_changes_what_is_so_already_and_what_is_refused(fleet, lead):
    of_all_kinds(fleet)

    plan = planned(Edit(EditKind.STATE, lifecycle="out_of_service"), by=lead, target=EditTarget(None, uids()))

    assert [row.name for row in plan.changed] == ["A-0", "A-1", "A-2", "A-3"]
    assert plan.unchanged == 1
    assert [(row.name, row.faults[0].code) for row in plan.refused] == [("A-5", "bad-lifecycle")]


def test_what_is_refused_is_left_out_and_the_others_change(fleet, lead):
    of_all_kinds(fleet)

    made = applied(
        Edit(EditKind.STATE, lifecycle="out_of_service"), by=lead, target=EditTarget("state:in_service,retired")
    )

    assert uids(lifecycle=Lifecycle.OUT_OF_SERVICE) == ["A-0", "A-1", "A-2", "A-3", "A-4"]
    assert made.counts == {"changed": 4, "refused": 1}


def test_a_query_that_names_no_state_means_terminals_in_service_as_in_the_list(fleet, lead):
    of_all_kinds(fleet)

    applied(Edit(EditKind.TAG, tags=("Pilot",)), by=lead)

    assert uids(tags__name="pilot") == ["A-0", "A-1", "A-2", "A-3"]


def test_an_edit_is_one_entry_of_the_audit_trail_with_its_query_and_number(fleet, lead):
    of_all_kinds(fleet)
    AuditEntry.objects.all().delete()

    made = applied(Edit(EditKind.MOVE, site="UEN", comment="Refit"), by=lead, target=EditTarget("site:SJK"))
    undone(made, by=lead)

    entries = [(entry.action, entry.subject_name, entry.comment) for entry in AuditEntry.objects.order_by("pk")]
    assert entries == [("bulk-edited", "move UEN", "Refit"), ("bulk-edit-undone", "move UEN", "Refit")]
    entry = AuditEntry.objects.get(action="bulk-edited")
    assert (entry.subject_type, entry.subject_id) == ("transfer.bulkedit", str(made.pk))
    assert (entry.changes["query"], entry.changes["rows"]) == ([None, "site:SJK"], [0, 2])
    assert set(IdentityChange.objects.filter(field="site").values_list("source", flat=True)) == {IdentitySource.EDIT}


def test_a_dynamic_group_follows_the_edit_and_its_undo(fleet, lead):
    of_all_kinds(fleet)

    made = applied(Edit(EditKind.UNTAG, tags=("lobby",)), by=lead)
    assert not Group.objects.get(name="Tagged").terminals.exists()
    undone(made, by=lead)

    assert set(Group.objects.get(name="Tagged").terminals.values_list("uid", flat=True)) == {"A-0", "A-1"}


def test_only_what_nobody_changed_since_goes_back(fleet, lead):
    of_all_kinds(fleet)
    made = applied(Edit(EditKind.ATTRIBUTE, attribute="floor", value="3"), by=lead)
    set_values(Terminal, [Terminal.objects.get(uid="A-1").pk], {Attribute.objects.get(name="floor"): "9"})
    tags.change_tags(Terminal, [Terminal.objects.get(uid="A-2").pk], add=["new"])

    made = undone(made, by=lead)

    assert made.counts["kept"] == 1
    assert [row.name for row in rows(made) if row.is_kept] == ["A-1"]
    floors = [values_of(terminal).get("floor") for terminal in Terminal.objects.order_by("uid")[:4]]
    assert floors == [2.0, 9.0, 2.0, None]


def test_a_terminal_that_changed_after_the_preview_is_left_out(fleet, lead):
    of_all_kinds(fleet)
    made = planning.store(planned(Edit(EditKind.STATE, lifecycle="out_of_service"), by=lead), by=lead, at=AT)
    lifecycle_changes.retire(
        [Terminal.objects.get(uid="A-0").pk], device_becomes="spare", by=None, at=AT - timedelta(minutes=1)
    )
    Terminal.objects.get(uid="A-1").delete()

    made = applied_now(made, by=lead)

    assert (made.state, made.counts) == (ImportState.APPLIED, {"changed": 2, "refused": 2})
    assert uids(lifecycle=Lifecycle.OUT_OF_SERVICE) == ["A-2", "A-3", "A-4"]
    assert [row.faults[0].code for row in rows(made) if row.faults] == ["changed-since", "deleted-since"]


@pytest.mark.parametrize("happens", [lambda one, site: Terminal.objects.update(site=site), lambda one, _: one.delete()])
def test_nothing_moves_if_somebody_moved_or_deleted_a_terminal_a_moment_before(fleet, lead, monkeypatch, happens):
    """The check found it where it was, and the edit has not locked it yet."""
    one, elsewhere, write = fleet.terminal(uid="A-1", site=fleet.site("SJK")), fleet.site("HND"), TerminalRows.write

    def write_late(kind, rows, work):
        happens(one, elsewhere)
        write(kind, rows, work)

    monkeypatch.setattr(TerminalRows, "write", write_late)
    made = applied(Edit(EditKind.MOVE, site="UEN"), by=lead)

    assert (made.state, made.problem[0]) == (ImportState.FAILED, "conflict")


def test_nothing_changes_once_the_permission_is_withdrawn(fleet, lead):
    of_all_kinds(fleet)
    before = everything()
    made = planning.store(planned(Edit(EditKind.TAG, tags=("pilot",)), by=lead), by=lead, at=AT)
    lead.grants.all().delete()
    grant(lead, "Viewer")

    applied_now(made, by=User.objects.get(pk=lead.pk))

    assert everything() == before


def test_an_edit_is_applied_once(fleet, lead):
    of_all_kinds(fleet)
    made = planning.store(planned(Edit(EditKind.TAG, tags=("pilot",)), by=lead), by=lead, at=AT)
    stale = Import.objects.get(pk=made.pk)
    applied_now(made, by=lead)

    with pytest.raises(ImportNotPossible):
        running.start_applying(stale, by=lead, at=AT)

    assert AuditEntry.objects.filter(action="bulk-edited").count() == 1


def test_a_terminal_never_gets_more_tags_than_it_may_have(fleet, lead):
    of_all_kinds(fleet)
    full = Terminal.objects.get(uid="A-3")
    tags.change_tags(Terminal, [full.pk], add=[f"t{number}" for number in range(tags.MAX_TAGS)])

    made = applied(Edit(EditKind.TAG, tags=("pilot",)), by=lead)

    assert made.counts == {"changed": 3, "refused": 1}


def test_a_person_edits_terminals_of_their_scope_only(fleet):
    Region.objects.bulk_create([Region(name="Kanto"), Region(name="Kansai")])
    fleet.terminal(uid="SJK-1", site=fleet.site("SJK", region="Kanto"))
    fleet.terminal(uid="UMD-1", site=fleet.site("UMD", region="Kansai"))
    regional = person("regional", of=None)
    grant(regional, "Lead", region="Kanto")
    grant(regional, "Viewer", region="Kansai")

    made = applied(Edit(EditKind.TAG, tags=("pilot",)), by=regional)

    assert uids(tags__name="pilot") == ["SJK-1"]
    assert [(row.name, row.faults[0].code) for row in rows(made) if row.faults] == [("UMD-1", "forbidden")]
    assert not planned(Edit(EditKind.TAG, tags=("old",)), by=regional, target=EditTarget(None, ["XXX-1"])).rows


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        (Edit(EditKind.TAG), "tags"),
        (Edit(EditKind.TAG, tags=("two words",)), "tags"),
        (Edit(EditKind.TAG, tags=tuple(f"t{number}" for number in range(21))), "tags"),
        (Edit(EditKind.ATTRIBUTE, attribute="none", value="2"), "attribute"),
        (Edit(EditKind.ATTRIBUTE, attribute="floor", value="two"), "value"),
        (Edit(EditKind.ATTRIBUTE, attribute="wing", value="north"), "value"),
        (Edit(EditKind.GROUP, group=0), "group"),
        (Edit(EditKind.STATE, lifecycle="planned"), "lifecycle"),
        (Edit(EditKind.MOVE, site="XXX"), "site"),
    ],
)
def test_what_an_edit_cannot_be_is_said_at_its_field(fleet, lead, edit, field):
    of_all_kinds(fleet)

    with pytest.raises(edits.ValidationError) as error:
        edits.checked(edit, by=lead, at=AT)

    assert set(error.value.message_dict) == {field}


def test_members_of_a_group_that_is_a_scope_need_the_right_to_manage_people(fleet):
    chosen = fleet.group("Theirs", fleet.terminal(uid="A-1"))
    grant(person("theirs", of=None), "Viewer", group=chosen)
    lead = person("lead", of=None)
    lead.grants.create(role=Role.objects.create(name="Groups", permissions=["manage_groups"]))

    with pytest.raises(edits.ValidationError) as error:
        edits.checked(Edit(EditKind.GROUP, group=chosen.pk), by=lead, at=AT)

    assert "members" in error.value.message_dict["group"][0]
