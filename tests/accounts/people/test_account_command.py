"""What only the operator of TMS changes of an account: names, superusers, deletion."""

import pytest
from django.core.management import CommandError, call_command

from tests.support import people
from tests.support.builders import now
from tms.accounts import access, api_tokens
from tms.accounts.models import ApiToken, AuditEntry, User
from tms.accounts.permissions import Permission

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def keiko() -> User:
    return people.person("keiko")


def test_an_account_gets_another_name_and_address(keiko):
    call_command("account", "keiko", "--rename", "k.suzuki", "--email", "k.suzuki@example.com")

    keiko.refresh_from_db()
    assert (keiko.username, keiko.email) == ("k.suzuki", "k.suzuki@example.com")
    entry = AuditEntry.objects.get(action="changed")
    assert entry.changes == {"username": ["keiko", "k.suzuki"], "email": ["", "k.suzuki@example.com"]}


@pytest.mark.parametrize("name", ["mori", "m\u043eri", "MORI"])
def test_no_name_is_or_looks_like_that_of_another_account(keiko, name):
    people.person("mori")

    with pytest.raises(CommandError, match="another account"):
        call_command("account", "keiko", "--rename", name)


@pytest.mark.parametrize("arguments", [("--rename", "two words"), ("--email", "nobody")])
def test_an_invalid_name_or_address_changes_nothing(keiko, arguments):
    with pytest.raises(CommandError, match="Enter a valid"):
        call_command("account", "keiko", *arguments, "--superuser")

    assert not User.objects.get(pk=keiko.pk).is_superuser


def test_a_superuser_may_do_everything_until_withdrawn(keiko):
    call_command("account", "keiko", "--superuser")
    made = User.objects.get(pk=keiko.pk)
    people.make_superuser(people.person("boss"))
    call_command("account", "keiko", "--no-superuser")

    assert set(access.Granted(made)) == {permission.key for permission in Permission}
    assert set(access.Granted(User.objects.get(pk=keiko.pk))) == set()


def test_the_last_superuser_stays(keiko):
    people.make_superuser(keiko)

    for arguments in (["--no-superuser"], ["--delete"]):
        with pytest.raises(CommandError, match="appoint another administrator"):
            call_command("account", "keiko", *arguments)

    assert User.objects.get(pk=keiko.pk).is_superuser


def test_an_account_is_deleted_with_its_tokens(keiko):
    api_tokens.issue(keiko, name="Bridge", at=now())

    call_command("account", "keiko", "--delete")

    assert not User.objects.exists()
    assert not ApiToken.objects.exists()
    assert AuditEntry.objects.get(action="deleted").subject_name == "keiko"


def test_an_account_that_does_not_exist_is_named():
    with pytest.raises(CommandError, match="no person with the username ghost"):
        call_command("account", "ghost", "--superuser")
