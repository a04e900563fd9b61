"""What production refuses of a demo, whose administrators have a published password."""

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.core import checks
from django.core.checks import CheckMessage, Error
from django.core.management.base import CommandError
from django.db import DatabaseError, connection

from tms.accounts.models import User
from tms.demo.people import PEOPLE


def refuse_production() -> None:
    """Called by everything that makes a demo. Raises CommandError."""
    if _is_refused():
        raise CommandError(
            "this is production (TMS_PRODUCTION=1), and a demo has administrators with a published password; "
            "unset TMS_PRODUCTION and TMS_DATABASE_URL. Only `make cluster` sets TMS_DEMO_IN_PRODUCTION=1"
        )


@checks.register(checks.Tags.security, deploy=True)
def demo_accounts(app_configs: object, **_: object) -> list[CheckMessage]:
    """Whether a person can sign in with the password of the demo. Not known if the database cannot be read."""
    if not _is_refused():
        return []
    was_open = connection.connection is not None
    try:
        found = _usernames()
    except DatabaseError:
        return []
    finally:
        if not was_open:  # it belongs to the thread that starts the process, which does not use it again
            connection.close()
    return [
        Error(
            f"The account {name} has the published password of the demo",
            hint=f"Give it another one: `manage.py changepassword {name}`. Others know it: see the audit trail.",
            id="tms.E016",
        )
        for name in found
    ]


def _is_refused() -> bool:
    return settings.PRODUCTION and not settings.DEMO_IN_PRODUCTION


def _usernames() -> list[str]:
    """A hash takes a third of a second, so only the accounts of the demo are looked at."""
    passwords = {one.username: one.password for one in PEOPLE}
    people = User.objects.filter(username__in=passwords, is_active=True).values_list("username", "password")
    return [name for name, encoded in people if check_password(passwords[name], encoded)]
