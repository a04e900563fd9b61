"""The groups that TMS ships, and the upgrade of an older installation."""

import re
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command

from tests.support.inventory import ROOT
from tests.support.people import FIXTURE, GROUPS, person, shipped
from tms.accounts import access
from tms.accounts.models import User
from tms.accounts.permissions import Permission as Action

migration = import_module("tms.accounts.migrations.0005_groups")
renamed = import_module("tms.fleet.migrations.0008_names")


def names_of(group: Group) -> set[str]:
    return {f"{app}.{code}" for app, code in group.permissions.values_list("content_type__app_label", "codename")}


def test_the_fixture_loads_three_groups_with_existing_permissions_and_is_idempotent(db):
    for _ in range(2):
        call_command("loaddata", FIXTURE, verbosity=0)

    assert {group.name: names_of(group) for group in Group.objects.all()} == shipped()


def test_each_group_has_the_permissions_of_the_one_before_and_together_they_have_all_actions():
    viewer, operator, manager = (shipped()[name] for name in GROUPS)

    assert viewer < operator < manager
    assert set(Action.values) <= manager
    assert not viewer & set(Action.values)
    assert Action.SEND_DANGEROUS_COMMANDS in manager - operator


def test_no_group_can_grant_itself_permissions():
    granted = set().union(*shipped().values())

    assert not {name for name in granted if re.fullmatch(r"(accounts\.(add|change|delete)_user|auth\..*)", name)}


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

    assert {group.name: names_of(group) - by_old_name for group in Group.objects.all()} == shipped()


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


@pytest.mark.parametrize(
    ("someone", "expected"),
    [
        (AnonymousUser, set()),
        (lambda: person("nobody"), set()),
        (lambda: person("staff", is_staff=True), set()),
        (lambda: person("gone", of="Manager", is_active=False), set()),
        (lambda: person("viewer", of="Viewer"), set()),
        (lambda: person("manager", of="Manager"), {action.key for action in Action}),
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

    assert result == {action.value: [action in shipped()[group] for group in GROUPS] for action in Action}
