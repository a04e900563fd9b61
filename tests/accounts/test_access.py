"""What grants let a person see and do."""

from itertools import permutations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction

from tests.support import factories, people
from tests.support.factories import now
from tms.accounts import access
from tms.accounts.models import ApiToken, Grant, Team, User
from tms.accounts.permissions import Permission
from tms.accounts.roles import built_in
from tms.accounts.scope import EVERYTHING, NOTHING, Scope
from tms.alerts.models import Alert, Incident, Rule
from tms.fleet.models import Group, Site, Terminal
from tms.notifications.models import Destination

pytestmark = [pytest.mark.both, pytest.mark.django_db]


def mori() -> User:
    """Read again: rights are kept on the object of a person."""
    return User.objects.get(username="mori")


@pytest.fixture
def three(fleet) -> dict[str, Terminal]:
    """A terminal each in Kanto, Kansai and a site without a region; a group has the last two."""
    regions = {"SJK": "Kanto", "UMD": "Kansai", "LAB": ""}
    made = {
        code: fleet.online(uid=f"T-{code}", site=fleet.site(code, region=region)) for code, region in regions.items()
    }
    fleet.group("Kiosks", made["UMD"], made["LAB"])
    people.person("mori", of=None)
    return made


def scope_for(kind: str) -> dict[str, object]:
    return {
        "everything": {},
        "region": {"region": "Kanto"},
        "site": {"site": Site.objects.filter(code="UMD").first()},
        "group": {"group": Group.objects.first()},
    }[kind]


SEEN = {
    "everything": {"SJK", "UMD", "LAB"},
    "region": {"SJK"},
    "site": {"UMD"},
    "group": {"UMD", "LAB"},
}


def seen(rows):
    return list(access.visible(rows, to=mori()))


@pytest.mark.parametrize("kind", SEEN)
@pytest.mark.parametrize("holder", ["person", "team"])
def test_a_grant_shows_the_terminals_that_it_covers(three, kind, holder):
    if holder == "person":
        people.grant(mori(), **scope_for(kind))
    else:
        team = Team.objects.create(name="Night shift")
        team.members.add(mori())
        Grant.objects.create(team=team, role=built_in("Viewer"), **scope_for(kind))

    assert {row.uid for row in seen(Terminal.objects.all())} == {f"T-{code}" for code in SEEN[kind]}
    assert {row.code for row in seen(Site.objects.all())} == SEEN[kind]
    assert {row.name for row in seen(Group.objects.all())} == (set() if kind == "region" else {"Kiosks"})


def test_grants_add_up(three):
    for kind in ("region", "site"):
        people.grant(mori(), **scope_for(kind))

    assert {row.uid for row in seen(Terminal.objects.all())} == {"T-SJK", "T-UMD"}


def test_a_person_without_grants_sees_nothing(three):
    assert not access.scope_of(mori())
    assert [seen(model.objects.all()) for model in (Terminal, Site, Group, Rule)] == [[], [], [], []]
    assert list(access.visible(Site.objects.all(), to=AnonymousUser())) == []


def test_a_disabled_person_has_no_rights(three):
    people.grant(mori(), "Administrator")
    User.objects.filter(username="mori").update(is_active=False)

    assert access.rights_of(mori()) == access.NO_RIGHTS


@pytest.mark.parametrize("kind", SEEN)
def test_a_permission_is_held_for_the_rows_of_its_grant(three, fleet, kind):
    people.grant(mori(), "Viewer")
    people.grant(mori(), "Operator", **scope_for(kind))
    alerts = {code: factories.alert(fleet, terminal=terminal) for code, terminal in three.items()}

    held = {code for code, alert in alerts.items() if access.may(mori(), Permission.HANDLE_ALERTS, alert)}
    listed = access.permitted(Alert.objects.all(), by=mori(), permission=Permission.HANDLE_ALERTS)

    assert held == SEEN[kind] == {alert.terminal.site.code for alert in listed}
    assert access.may(mori(), Permission.HANDLE_ALERTS)
    assert not access.may(mori(), Permission.EDIT_RULES)


def test_a_missing_permission_names_where_it_is_missing(three):
    people.grant(mori(), "Operator", **scope_for("site"))

    with pytest.raises(access.Forbidden, match="permission to send commands to terminals here"):
        access.demand(mori(), Permission.SEND_COMMANDS, three["SJK"])
    with pytest.raises(access.Forbidden, match="permission to change rules and correlation settings\\."):
        access.demand(mori(), Permission.EDIT_RULES, three["SJK"])


def test_a_site_seen_through_a_group_is_not_covered(three):
    people.grant(mori(), "Lead", **scope_for("group"))

    assert not access.may(mori(), Permission.EDIT_SITES, three["UMD"].site)
    assert access.may(mori(), Permission.SEND_COMMANDS, three["UMD"])


def test_an_incident_is_visible_if_all_of_its_alerts_are(three, fleet):
    people.grant(mori(), **scope_for("group"))
    inside, mixed = (
        Incident.objects.create(
            factor="model", key=key, severity="critical", opened_at=now(), unchanged_since=now(), size=2, lost=2
        )
        for key in ("A", "B")
    )
    for incident, codes in ((inside, ("UMD", "LAB")), (mixed, ("UMD", "SJK"))):
        alerts = [factories.alert(fleet, terminal=three[code]).pk for code in codes]
        Alert.objects.filter(pk__in=alerts).update(incident=incident)

    assert seen(Incident.objects.all()) == [inside]


def test_a_row_with_an_owner_is_seen_by_whom_it_concerns_and_changed_within_its_owner(three):
    people.grant(mori(), "Lead", **scope_for("site"))
    owners = {
        "everything": {},
        "Kansai": {"owner_region": "Kansai"},
        "Kanto": {"owner_region": "Kanto"},
        "site": {"owner_site": three["UMD"].site},
        "other site": {"owner_site": three["LAB"].site},
        "group": {"owner_group": Group.objects.get()},
    }
    for name, owner in owners.items():
        Destination.objects.create(name=name, kind="email", address="noc@example.com", **owner)

    own = access.permitted(Destination.objects.all(), by=mori(), permission=Permission.EDIT_DESTINATIONS)
    assert {row.name for row in seen(Destination.objects.all())} == {"everything", "Kansai", "site", "group"}
    assert {row.name for row in own} == {"site"}


def test_a_rule_belongs_to_its_site_or_group(three, fleet):
    people.grant(mori(), "Lead", **scope_for("site"))
    fleet.presence_rule(name="all")
    fleet.presence_rule(name="mine", site=three["UMD"].site)
    fleet.presence_rule(name="other", site=three["SJK"].site)
    fleet.presence_rule(name="group", group=Group.objects.get())

    own = access.permitted(Rule.objects.all(), by=mori(), permission=Permission.EDIT_RULES)
    assert {row.name for row in seen(Rule.objects.all())} == {"all", "mine", "group"}
    assert [row.name for row in own] == ["mine"]


def test_a_model_that_declares_no_path_cannot_be_shown(three):
    with pytest.raises(TypeError, match="ApiToken declares no scope_path"):
        access.visible(ApiToken.objects.all(), to=mori())


def test_people_who_see_everything_run_the_same_queries(three, django_assert_num_queries):
    people.grant(mori(), "Operator")
    person, terminals = mori(), Terminal.objects.all()

    with django_assert_num_queries(1):
        shown = access.visible(terminals, to=person)
        assert access.may(person, Permission.HANDLE_ALERTS, three["SJK"])
    assert shown is terminals


def test_the_rights_of_many_people_take_one_query(three, django_assert_num_queries):
    people.grant(mori(), **scope_for("site"))
    others = [people.person("sato", of="Operator"), User.objects.create_superuser("boss"), mori(), AnonymousUser()]

    with django_assert_num_queries(1):
        found = access.rights_of_people(others)

    assert [found[person.pk].visible for person in others] == [
        EVERYTHING,
        EVERYTHING,
        Scope(sites=frozenset({three["UMD"].site_id})),
        NOTHING,
    ]


def test_equal_rights_have_equal_keys(three):
    people.grant(mori(), "Operator", region="Kanto")
    people.grant(mori(), "Viewer", region="Kansai")
    other = people.person("sato", of=None)
    people.grant(other, "Viewer", region="Kansai")
    people.grant(other, "Operator", region="Kanto")

    assert access.rights_of(mori()).key == access.rights_of(other).key
    assert access.rights_of(mori()).key != access.rights_of(people.person("boss", of="Operator")).key


A, B = Scope(sites=frozenset({1})), Scope(regions=frozenset({"Kanto"}))


@pytest.mark.parametrize(("one", "other"), list(permutations([A, B, NOTHING, EVERYTHING], 2)))
def test_scopes_are_joined(one, other):
    joined = one | other

    assert joined == other | one
    assert joined.is_everything == (EVERYTHING in (one, other))
    assert len({scope.key for scope in (A, B, A | B, NOTHING, EVERYTHING)}) == 5


def test_what_a_scope_covers(three):
    kanto, site = Scope(regions=frozenset({"Kanto"})), Scope(sites=frozenset({three["SJK"].site_id}))
    group = Scope(groups=frozenset({Group.objects.get().pk}))

    assert access.covers(EVERYTHING, kanto | site | group)
    assert access.covers(kanto, site)
    assert access.covers(kanto | group, site | group)
    assert not access.covers(site, kanto)
    assert not access.covers(kanto, group)
    assert not access.covers(kanto, EVERYTHING)
    assert access.covers(NOTHING, NOTHING)


@pytest.mark.parametrize(
    ("role", "scope", "expected"),
    [
        ("Lead", "site", True),
        ("Administrator", "site", True),
        ("Viewer", "region", False),
        ("Viewer", "everything", False),
    ],
)
def test_a_grant_needs_the_permissions_of_its_role(three, role, scope, expected):
    people.grant(mori(), "Administrator", **scope_for("site"))
    grant = Grant(role=built_in(role), **scope_for(scope))

    assert access.may_grant(mori(), grant.role, grant.scope) is expected


def test_a_lead_grants_nothing(three):
    people.grant(mori(), "Lead")

    assert not access.may_grant(mori(), built_in("Viewer"), EVERYTHING)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"person": "mori", "team": True},
        {"person": "mori", "region": "Kanto", "site": True},
        {"person": "mori", "site": True, "group": True},
    ],
)
def test_a_grant_has_one_holder_and_one_scope(three, wrong):
    real = {
        "person": mori(),
        "team": Team.objects.create(name="T"),
        "site": Site.objects.first(),
        "group": Group.objects.first(),
    }
    fields = {name: real.get(name, value) for name, value in wrong.items()}

    with pytest.raises(IntegrityError), transaction.atomic():
        Grant.objects.create(role=built_in("Viewer"), **fields)


def concerned(feed_recorder) -> set[int]:
    return set(feed_recorder.change().people)


def test_changed_rights_are_published(db, django_capture_on_commit_callbacks, feed_recorder):
    person, other = people.person("mori", of=None), people.person("sato", of=None)
    team = Team.objects.create(name="Night shift")
    changes = [
        (lambda: people.grant(person), {person.pk}),
        (built_in("Viewer").save, {person.pk}),
        (lambda: person.grants.all().delete(), {person.pk}),
        (lambda: team.members.add(person, other), {person.pk, other.pk}),
        (lambda: Grant.objects.create(team=team, role=built_in("Lead")), {person.pk, other.pk}),
        (lambda: team.members.remove(other), {other.pk}),
        (person.teams.clear, {person.pk}),
        (lambda: team.members.set([other]), {other.pk}),
        (team.delete, {other.pk}),
        (other.save, {other.pk}),
    ]
    for change, expected in changes:
        with django_capture_on_commit_callbacks(execute=True):
            change()
        assert concerned(feed_recorder) == expected, change
