"""The groups and roles that TMS ships, and the upgrade of an older installation."""

import re
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command

from tests.support.inventory import ROOT
from tests.support.people import FIXTURE, GROUPS, person, shipped
from tms.accounts import access, roles
from tms.accounts.models import Grant, Role, User
from tms.accounts.permissions import Permission as Action

migration = import_module("tms.accounts.migrations.0005_groups")
renamed = import_module("tms.fleet.migrations.0008_names")
of_groups = import_module("tms.accounts.migrations.0008_grants_of_groups")


def names_of(group: Group) -> set[str]:
    return {f"{app}.{code}" for app, code in group.permissions.values_list("content_type__app_label", "codename")}


def test_the_fixture_loads_three_groups_with_existing_permissions_and_is_idempotent(db):
    for _ in range(2):
        call_command("loaddata", FIXTURE, verbosity=0)

    assert {group.name: names_of(group) for group in Group.objects.all()} == shipped()


def test_each_group_has_the_permissions_of_the_one_before():
    viewer, operator, manager = (shipped()[name] for name in GROUPS)

    assert viewer <= operator < manager


def test_each_built_in_role_has_the_permissions_of_the_one_before():
    viewer, operator, lead, administrator = roles.BUILT_IN.values()

    assert not viewer
    assert viewer < operator < lead < administrator == set(Action)
    assert Action.SEND_DANGEROUS_COMMANDS in lead - operator


def test_migrations_create_the_built_in_roles_and_keep_their_permissions_current(db):
    Role.objects.filter(name="Lead").update(permissions=["handle_alerts"])

    roles.after_migrations()

    found = {role.name: role.known_permissions for role in Role.objects.filter(is_builtin=True)}
    assert found == roles.BUILT_IN


def test_no_group_can_grant_itself_permissions():
    granted = set().union(*shipped().values())

    assert not {name for name in granted if name.startswith(("accounts.", "auth."))}


@pytest.fixture
def by_old_name(db) -> frozenset[str]:
    """The permissions for special days under the name of the previous release."""
    kind = ContentType.objects.create(app_label="fleet", model="ownday")
    codenames = [f"{action}_ownday" for action in ("add", "change", "delete", "view")]
    Permission.objects.bulk_create(Permission(content_type=kind, codename=name) for name in codenames)
    return frozenset(f"fleet.{name}" for name in codenames)


def test_an_older_installation_gets_the_groups_of_the_fixture(by_old_name):
    User.objects.create_user("mori")

    migration.give_groups(apps, None)
    renamed.grant_by_new_name(apps, None)

    more = by_old_name | set(Action.values) - {Action.EDIT_SITES}
    found = {group.name: names_of(group) - more for group in Group.objects.all()}
    # Without those of accounts, which is no longer in the admin.
    left = {name: {each for each in names if not each.startswith("accounts.")} for name, names in found.items()}
    assert left == shipped()


def test_a_renamed_permission_is_granted_by_both_names(by_old_name):
    mori = User.objects.create_user("mori")
    mori.user_permissions.add(Permission.objects.get(codename="change_ownday"))

    for _ in range(2):
        renamed.grant_by_new_name(apps, None)

    assert mori.get_all_permissions() == {"fleet.change_ownday", "fleet.change_specialday"}


def test_everyone_keeps_their_permissions(db):
    setup, people = (Group.objects.create(name=name) for name in ("Setup", "People"))
    people.permissions.add(*Permission.objects.filter(codename__in=("add_user", "change_user")))
    made = {
        "boss": User.objects.create_superuser("boss"),
        "staff": User.objects.create_user("staff", is_staff=True),
        "setup": User.objects.create_user("setup", is_staff=True),
        "mori": User.objects.create_user("mori"),
        "gone": User.objects.create_user("gone", is_active=False),
        "check": User.objects.create_user("check"),
    }
    made["setup"].groups.add(setup, people)

    migration.give_groups(apps, None)

    groups = {name: [group.name for group in one.groups.order_by("name")] for name, one in made.items()}
    assert groups == {
        "boss": [],
        "staff": ["Manager"],
        "setup": ["Manager"],
        "mori": ["Operator"],
        "gone": [],
        "check": ["Viewer"],
    }
    assert not Group.objects.filter(name__in=("Setup", "People")).exists()


def test_an_empty_installation_gets_its_groups_from_the_fixture(db):
    migration.give_groups(apps, None)

    assert not Group.objects.exists()


@pytest.fixture
def of_the_previous_release(db) -> dict[str, User]:
    """People with groups and permissions as the previous release had them."""
    migration.make_action_permissions(apps)
    names = ("boss", "gone", "lead", "mori", "own", "plain")
    made = {
        name: User.objects.create_user(name, is_superuser=name == "boss", is_active=name != "gone") for name in names
    }
    for name, permissions, members in (
        ("Viewer", migration.VIEWER, ["plain"]),
        ("Operator", migration.OPERATOR, ["mori", "gone"]),
        ("Manager", migration.MANAGER, ["lead"]),
        ("Lead", ["accounts.write_notes"], ["mori"]),
    ):
        migration.grant(apps, Group.objects.create(name=name), permissions).user_set.add(
            *(made[one] for one in members)
        )
    made["own"].user_permissions.add(Permission.objects.get(codename="plan_digests"))
    Role.objects.all().delete()
    return made


def test_an_upgrade_makes_grants_of_permissions_so_that_everyone_keeps_theirs(of_the_previous_release):
    before = {
        name: person.get_all_permissions() & set(Action.values) for name, person in of_the_previous_release.items()
    }

    of_groups.grant(apps, None)

    held = {
        name: sorted(one.grants.values_list("role__name", flat=True)) for name, one in of_the_previous_release.items()
    }
    assert held == {
        "boss": [],
        "gone": ["Operator"],
        "lead": ["Lead"],
        "mori": ["Lead (2)", "Operator"],
        "own": ["Permissions of own"],
        "plain": ["Viewer"],
    }
    for name, holder in of_the_previous_release.items():
        scopes = access.rights_of(holder).scopes
        assert name == "boss" or {permission.value for permission in scopes} == before[name]
        assert name == "gone" or access.scope_of(holder).is_everything
    assert not Grant.objects.exclude(region="", site=None, group=None).exists()


@pytest.mark.parametrize(
    ("someone", "expected"),
    [
        (AnonymousUser, set()),
        (lambda: person("nobody"), set()),
        (lambda: person("staff", is_staff=True), set()),
        (lambda: person("gone", of="Manager", is_active=False), set()),
        (lambda: person("viewer", of="Viewer"), set()),
        (lambda: person("manager", of="Manager"), {action.key for action in roles.LEAD}),
        (lambda: User.objects.create_superuser("boss"), {action.key for action in Action}),
    ],
    ids=["stranger", "no group", "staff alone", "disabled", "viewer", "manager", "superuser"],
)
def test_each_role_has_the_expected_permissions(db, someone, expected):
    assert set(access.Granted(someone())) == expected


def test_templates_check_permissions_that_exist():
    asked = {
        name
        for page in (ROOT / "templates").rglob("*.html")
        for pair in re.findall(r"\bmay\.([a-z_]+)|data-needs=\"([a-z_]+)\"", page.read_text())
        for name in pair
        if name
    }

    assert asked <= {action.key for action in Action}


def test_the_style_sheet_hides_what_rows_hide():
    styles = (ROOT / "assets/css/components/controls.css").read_text()
    needed = {
        name
        for page in (ROOT / "templates").rglob("*.html")
        for name in re.findall(r"data-needs=\"([a-z_]+)\"", page.read_text())
    }

    assert needed == set(re.findall(r":not\(\[data-may~=\"([a-z_]+)\"\]\) \[data-needs=\"\1\"\]", styles))


def test_the_documentation_lists_the_permissions_of_each_group():
    rows = re.findall(r"^\| `([a-z_.]+)` \|[^|]+\|(.*)\|$", (ROOT / "docs/permissions.md").read_text(), re.MULTILINE)
    result = {name: [bool(cell.strip()) for cell in cells.split("|")] for name, cells in rows}

    assert result == {action.value: [action in of_role for of_role in roles.BUILT_IN.values()] for action in Action}
