"""The master user creates the role of TMS, and is needed only once."""

import os
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.support.database.template_db import new_database
from tms.config.database_secret import SecretUnreadable
from tms.ops.database_role import Login, ensure_role

pytestmark = pytest.mark.services
MASTER = Login("rds_master", "of-the-master")
ROLE = Login("tms_role_of_the_test", "of-the-role")


@pytest.fixture
def url():
    """A database owned by the master, who is not a superuser, as on RDS."""
    url = new_database(os.environ["TMS_DATABASE_URL"])
    name = urlsplit(url).path[1:]
    with psycopg.connect(url, autocommit=True) as admin:
        drop_roles(admin)
        admin.execute(f"CREATE ROLE {MASTER.user} LOGIN CREATEROLE CREATEDB PASSWORD '{MASTER.password}'")
        admin.execute(f'ALTER DATABASE "{name}" OWNER TO {MASTER.user}')
    with psycopg.connect(url, user=MASTER.user) as master:
        master.execute("CREATE TABLE report (id bigserial PRIMARY KEY, day date)")
        master.execute("INSERT INTO report (day) VALUES ('2026-01-01')")
    yield url
    with psycopg.connect(os.environ["TMS_DATABASE_URL"], dbname="postgres", autocommit=True) as admin:
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        drop_roles(admin)


def drop_roles(admin: psycopg.Connection) -> None:
    for login in (ROLE, MASTER):
        admin.execute(f"DROP ROLE IF EXISTS {login.user}")


def unreadable() -> Login:
    """The failure of a machine that may not read the secret of the master user."""
    raise SecretUnreadable("tms/master: AccessDeniedException")


def test_the_master_transfers_the_ownership_once(url):
    assert ensure_role(url, role=ROLE, master=lambda: MASTER)

    with psycopg.connect(url, user=ROLE.user, password=ROLE.password) as role:
        role.execute("ALTER TABLE report ADD COLUMN seen boolean")
        role.execute("CREATE TABLE later (id int)")
        role.execute("DROP TABLE later")
        assert role.execute("SELECT count(*) FROM report").fetchone() == (1,)
        assert role.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (False,)
    assert not ensure_role(url, role=ROLE, master=unreadable)


def test_people_still_read_and_write_as_the_master(url):
    ensure_role(url, role=ROLE, master=lambda: MASTER)

    with psycopg.connect(url, user=MASTER.user, password=MASTER.password) as master:
        assert master.execute("UPDATE report SET day = day RETURNING id").fetchall()


def test_the_password_is_stored_as_a_verifier_and_set_again_if_the_role_cannot_sign_in(url):
    ensure_role(url, role=ROLE, master=lambda: MASTER)
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"ALTER ROLE {ROLE.user} NOLOGIN PASSWORD NULL")

        assert ensure_role(url, role=ROLE, master=lambda: MASTER)

        [(verifier,)] = admin.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [ROLE.user]).fetchall()
    assert verifier.startswith("SCRAM-SHA-256$")


def test_a_database_whose_owner_is_the_master_role_is_not_changed():
    assert not ensure_role("postgres://nowhere.invalid/tms", role=MASTER, master=lambda: MASTER)
