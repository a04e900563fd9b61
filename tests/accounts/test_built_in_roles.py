"""The roles that TMS ships."""

import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.models import Permission as DjangoPermission

from tests.support.inventory import ROOT, found_in_code
from tests.support.people import person
from tms.accounts import access, roles
from tms.accounts.models import Role, User
from tms.accounts.permissions import Permission
from tms.boards.list_filters.terminal_selection import SELECTION_ACTIONS


def test_each_built_in_role_has_the_permissions_of_the_one_before():
    viewer, operator, lead, administrator = roles.BUILT_IN.values()

    assert not viewer
    assert viewer < operator < lead < administrator == set(Permission)
    assert Permission.SEND_DANGEROUS_COMMANDS in lead - operator


def test_migrations_create_the_built_in_roles_and_keep_their_permissions_current(db):
    Role.objects.filter(name="Lead").update(permissions=["handle_alerts"])

    roles.after_migrations()

    found = {role.name: role.known_permissions for role in Role.objects.filter(is_builtin=True)}
    assert found == roles.BUILT_IN


def with_permissions_of_django() -> User:
    """Release 1.0.0 gave people groups of Django, which stay in the database."""
    made = person("former manager", is_staff=True)
    made.user_permissions.set(DjangoPermission.objects.all())
    return made


@pytest.mark.parametrize(
    ("someone", "expected"),
    [
        (AnonymousUser, set()),
        (lambda: person("nobody"), set()),
        (lambda: person("staff", is_staff=True), set()),
        (with_permissions_of_django, set()),
        (lambda: person("gone", of="Manager", is_active=False), set()),
        (lambda: person("viewer", of="Viewer"), set()),
        (lambda: person("manager", of="Manager"), {action.key for action in roles.LEAD}),
        (lambda: User.objects.create_superuser("boss"), {action.key for action in Permission}),
    ],
    ids=["stranger", "no group", "staff alone", "permissions of Django", "disabled", "viewer", "manager", "superuser"],
)
def test_each_role_has_the_expected_permissions(db, someone, expected):
    assert set(access.Granted(someone())) == expected


def test_nothing_reads_the_permissions_of_django():
    of_django = r"\b(is_staff|has_perms?|has_module_perms|get_\w+_permissions|user_permissions)\b"

    assert found_in_code(of_django, besides="0001_initial.py") == set()


def test_templates_check_permissions_that_exist():
    asked = {
        name
        for page in (ROOT / "templates").rglob("*.html")
        for pair in re.findall(r"\bmay\.([a-z_]+)|data-needs=\"([a-z_]+)\"", page.read_text())
        for name in pair
        if name
    }

    assert asked <= {action.key for action in Permission}


def test_the_style_sheet_hides_what_rows_hide():
    styles = (ROOT / "static/css/components/controls.css").read_text()
    needed = {
        name
        for page in (ROOT / "templates").rglob("*.html")
        for name in re.findall(r"data-needs=\"([a-z_]+)\"", page.read_text())
    }
    needed |= {action.permission.key for action in SELECTION_ACTIONS}

    assert needed == set(re.findall(r":not\(\[data-may~=\"([a-z_]+)\"\]\) \[data-needs=\"\1\"\]", styles))


def test_the_documentation_lists_the_permissions_of_each_role():
    rows = re.findall(
        r"^\| `([a-z_]+\.[a-z_]+)` \|[^|]+\|(.*)\|$", (ROOT / "docs/permissions.md").read_text(), re.MULTILINE
    )
    result = {name: [bool(cell.strip()) for cell in cells.split("|")] for name, cells in rows}

    assert result == {action.value: [action in of_role for of_role in roles.BUILT_IN.values()] for action in Permission}
