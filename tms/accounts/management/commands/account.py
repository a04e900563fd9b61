"""`manage.py account` changes what no page changes of an account."""

from argparse import BooleanOptionalAction
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from tms.accounts.access.administrators import LastAdministratorError
from tms.accounts.models import User
from tms.accounts.people import account
from tms.lib.management import NoChecksCommand


class Command(NoChecksCommand):
    help = "Changes what no page changes of an account: its names, whether it is a superuser, or deletes it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--rename", default="", metavar="USERNAME", help="a new username")
        parser.add_argument("--email", default="", help="a new e-mail address")
        parser.add_argument("--superuser", action=BooleanOptionalAction, help="a superuser sees and may do everything")
        parser.add_argument("--delete", action="store_true", help="delete the account instead; better disable it")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        person = User.objects.filter(username=username).first()
        if person is None:
            raise CommandError(f"there is no person with the username {username}")
        try:
            with transaction.atomic():
                self._change(person, **options)
        except account.NameTakenError:
            raise CommandError("another account has this name or address, or one that looks like it") from None
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from None
        except LastAdministratorError:
            raise CommandError("nobody else manages people everywhere: appoint another administrator first") from None

    def _change(self, person: User, *, rename: str, email: str, superuser: bool | None, delete: bool, **_: Any) -> None:
        if delete:
            account.delete(person, at=datetime.now(UTC))
            return
        if rename or email:
            account.rename(person, username=rename, email=email)
        if superuser is not None:
            account.set_superuser(person, is_superuser=superuser)
