"""A database of release 1.0.0 has the log of Django's admin, which 1.0.0 goes on using during a rollout."""

from importlib import import_module

import pytest
from django.db import IntegrityError, connection, transaction

from tests.support import people
from tests.support.builders import now
from tms.accounts.models import User
from tms.accounts.people import account

pytestmark = [pytest.mark.both, pytest.mark.django_db]
migration = import_module("tms.accounts.migrations.0004_unlink_admin_log")
TABLE = """
CREATE TABLE django_admin_log (
    id integer PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES accounts_user (id) DEFERRABLE INITIALLY DEFERRED
)
"""


def unlink() -> None:
    migration.unlink(None, connection.SchemaEditorClass(connection))


def log(number: int, person: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_admin_log VALUES (%s, %s)", [number, person.pk])
    connection.check_constraints()


@transaction.atomic
def delete(person: User) -> None:
    account.delete(person, at=now())
    connection.check_constraints()


@pytest.fixture
def keiko() -> User:
    """A person with an entry in the log."""
    with connection.cursor() as cursor:
        cursor.execute(TABLE)
    keiko = people.person("keiko")
    log(1, keiko)
    return keiko


def test_without_the_migration_a_person_with_entries_could_not_be_deleted(keiko):
    with pytest.raises(IntegrityError):
        delete(keiko)


def test_a_person_with_entries_in_the_log_can_be_deleted(keiko):
    unlink()

    delete(keiko)

    assert not User.objects.exists()


def test_release_1_0_0_may_still_write_to_the_log(keiko):
    unlink()

    log(2, keiko)

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {migration.LOG} WHERE user_id = %s", [keiko.pk])
        assert cursor.fetchone()[0] >= 1


def test_a_new_database_has_no_log():
    unlink()

    assert migration.LOG not in connection.introspection.table_names()
