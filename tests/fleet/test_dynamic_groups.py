"""Dynamic groups: a query selects the members."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import people
from tests.support.builders import AT, Link
from tests.support.ingest.commit import write
from tms.accounts.access import Forbidden
from tms.fleet.groups import dynamic
from tms.fleet.groups.services import MembersByQuery, set_members
from tms.fleet.identity import boots
from tms.fleet.labels.attributes import delete_attribute, save_attribute, set_values
from tms.fleet.labels.tags import change_tags
from tms.fleet.models import Attribute, Group, IdentityChange, Lifecycle, Site, Terminal
from tms.fleet.terminals import lifecycle_changes, services
from tms.query.errors import QueryError

pytestmark = [pytest.mark.both, pytest.mark.embedded]


def group_of(text: str) -> Group:
    group = Group.objects.create(name=text)
    dynamic.set_query(group, text, by=None, at=AT)
    return group


def members(group: Group) -> list[str]:
    return list(group.terminals.order_by("uid").values_list("uid", flat=True))


def boot(terminal: Terminal, firmware: str) -> None:
    boots.record([boots.BootFacts(terminal.pk, "", "", firmware, "", None)], at=AT)


def test_members_are_written_when_the_query_is_set_and_recorded_in_their_history(fleet):
    kiosk, gate = fleet.terminal(uid="K", kind="kiosk"), fleet.terminal(uid="G", kind="gate")

    group = group_of("kind:kiosk")
    dynamic.set_query(group, "kind:gate", by=None, at=AT)

    assert members(group) == ["G"]
    assert [change.after for change in IdentityChange.objects.filter(field="groups", terminal=kiosk)] == [
        [[group.pk, "kind:kiosk"]],
        [],
    ]
    assert IdentityChange.objects.get(terminal=gate, field="groups").source == "query"


def test_members_follow_what_the_query_reads(fleet):
    site = fleet.site("UMD", region="Kansai")
    terminal, other = fleet.terminal(site=site, uid="A", kind="kiosk"), fleet.terminal(uid="B", kind="kiosk")
    old, tagged, kansai = group_of("firmware<4.8"), group_of("tag:lobby"), group_of("region:Kansai state:in_service")

    boot(terminal, "4.7")
    boot(other, "4.8")
    change_tags(Site, [site.pk], add=["lobby"])
    first = [members(group) for group in (old, tagged, kansai)]
    boot(terminal, "4.10")
    change_tags(Site, [site.pk], remove=["lobby"])
    lifecycle_changes.change_state([terminal.pk], Lifecycle.OUT_OF_SERVICE, by=None, at=AT)
    second = [members(group) for group in (old, tagged, kansai)]
    new = services.create_terminal("C", services.TerminalValues(site=site, kind="kiosk", label="", parent=None), at=AT)
    lifecycle_changes.change_state([new.pk], Lifecycle.IN_SERVICE, by=None, at=AT)

    assert first == [["A"], ["A"], ["A"]]
    assert second == [[], [], []]
    assert members(kansai) == ["C"]


def test_members_follow_a_site_that_is_renamed(fleet):
    site = fleet.site("UMD", region="Kansai")
    fleet.terminal(site=site, uid="A")
    group = group_of("region:Kanto")

    site.region = "Kanto"
    site.save()

    assert members(group) == ["A"]


def test_the_clock_compares_all_members_each_hour(fleet):
    group = group_of("kind:kiosk")
    fleet.terminals(2, kind="kiosk")  # as nothing of TMS creates them

    dynamic.evaluate_due(AT + timedelta(minutes=59))
    early = members(group)
    dynamic.evaluate_due(AT + timedelta(minutes=60))

    assert (len(early), len(members(group))) == (0, 2)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("seen>10m", "its result changes as time passes"),
        ("kind:kiosk presence:offline", "its result changes with each report"),
        ("metric.paper_pct<5", "its result changes with each report"),
        ("status:fault", "its result changes with each report"),
        ("open:yes", "its result changes as time passes"),
        ("expected:maintenance", "its result changes as time passes"),
        ("alert:any", "its result changes with each alert"),
        ("lost_with:node-a", "its result changes with each report"),
        ("group:Pilot", "a group cannot depend on another group"),
        ("umeda", "The query of a group has conditions only."),
        ("firmwear<4.8", "There is no field “firmwear”."),
    ],
)
def test_a_query_that_no_event_moves_is_refused_with_the_reason(db, text, reason):
    group = Group.objects.create(name="A")

    with pytest.raises(QueryError, match=reason):
        dynamic.set_query(group, text, by=None, at=AT)


def test_nobody_chooses_members_of_a_dynamic_group(fleet):
    terminal = fleet.terminal(kind="gate")
    group = group_of("kind:kiosk")

    with pytest.raises(MembersByQuery):
        set_members(group, add=[terminal.pk], by=None, at=AT)


def test_the_scope_of_a_grant_has_no_query(fleet):
    person = people.person("viewer", of=None)
    scope, other = fleet.group("Scope"), group_of("kind:kiosk")
    people.grant(person, "Viewer", group=scope)

    with pytest.raises(dynamic.IsScope):
        dynamic.set_query(scope, "kind:kiosk", by=None, at=AT)

    assert other not in list(dynamic.Group.objects.filter(query=""))


def test_a_query_needs_the_permission_for_everything(fleet):
    group = fleet.group("Pilot")
    person = people.person("lead", of=None)
    people.grant(person, "Lead", group=group)

    with pytest.raises(Forbidden):
        dynamic.set_query(group, "kind:kiosk", by=person, at=AT)


def test_a_query_whose_attribute_is_deleted_keeps_its_members(fleet):
    attribute = Attribute(name="floor", label="Floor", type="number")
    save_attribute(attribute)
    terminal = fleet.terminal(uid="A")
    set_values(Terminal, [terminal.pk], {attribute: "2"})
    group = group_of("attr.floor:2")

    delete_attribute(attribute)
    dynamic.evaluate_due(AT + timedelta(days=1))

    assert (members(group), dynamic.readable(group)) == (["A"], None)


QUERIES = ("kind:kiosk -tag:a", "firmware>=4.8 or tag:b", "site:UMD -state:retired", "-(location:hall tag:a)")
STEPS = ["boot", "tag", "untag", "site tag", "state", "label"]
steps = st.lists(
    st.tuples(st.sampled_from(STEPS), st.integers(0, 5), st.integers(0, 1)),
    min_size=1,
    max_size=12,
)


def change(step: str, terminal: Terminal, value: int) -> None:
    terminal.refresh_from_db()
    match step:
        case "boot":
            boot(terminal, ("4.7", "4.10")[value])
        case "tag":
            change_tags(Terminal, [terminal.pk], add=["ab"[value]])
        case "untag":
            change_tags(Terminal, [terminal.pk], remove=["ab"[value]])
        case "site tag":
            change_tags(Site, [terminal.site_id], add=["ab"[value]], remove=["ab"[1 - value]])
        case "state" if terminal.lifecycle in (Lifecycle.IN_SERVICE, Lifecycle.OUT_OF_SERVICE):
            to = (Lifecycle.IN_SERVICE, Lifecycle.OUT_OF_SERVICE)[value]
            lifecycle_changes.change_state([terminal.pk], to, by=None, at=AT)
        case "label":
            values = services.TerminalValues(terminal.site, terminal.kind, ("", "Hall")[value], None)
            services.edit_terminal(terminal, values, by=None, at=AT)


def test_each_change_leaves_the_members_that_the_whole_query_selects(fleet):
    sites = [fleet.site("UMD"), fleet.site("SJK")]
    terminals = [fleet.terminal(site=sites[at % 2], uid=f"T-{at}", kind=("kiosk", "gate")[at // 3]) for at in range(6)]
    groups = [group_of(text) for text in QUERIES]

    @settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
    @given(steps=steps)
    def check(steps):
        for step, at, value in steps:
            change(step, terminals[at], value)

        assert [dynamic.preview(group, group.query, at=AT) for group in groups] == [(frozenset(), frozenset())] * len(
            groups
        )

    check()


def statements(*messages: object) -> int:
    with CaptureQueriesContext(connection) as sent:
        write(*messages)
    return len(sent)


def test_reports_and_boots_without_a_change_ask_no_query_of_a_group(fleet):
    terminal = fleet.terminal(kind="kiosk", firmware="4.7", agent="", model="", serial="")
    link = Link(terminal)
    write(link.boot(firmware="4.7"))
    report = {"metrics": {"temperature_c": 99.0}, "status": "fault"}
    write(link.report(1, **report))
    before = [statements(link.report(2, **report)), statements(Link(terminal).boot("boot-2", firmware="4.7"))]
    for number in range(20):
        fleet.metric_rule(group=group_of(f"kind:kiosk firmware<4.{number} tag:x"), name=f"Rule {number}")

    link = Link(terminal)
    write(link.boot("boot-3", firmware="4.7"), link.report(1, **report))
    after = [statements(link.report(2, **report)), statements(Link(terminal).boot("boot-4", firmware="4.7"))]

    assert after == before
