"""Service accounts: accounts of programs, without password. Programs use their API tokens."""

import secrets
from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.text import slugify

from tms.accounts import api_tokens
from tms.accounts.access.grant_scopes import GrantScope
from tms.accounts.audit import recorder
from tms.accounts.models import ApiToken, Role, User
from tms.accounts.people import holdings

OVERLAP = timedelta(days=7)
"""How long the old token works beside the new one after a rotation."""


@transaction.atomic
def create(name: str, *, role: Role, scope: GrantScope, by: User) -> User:
    """A new account with its first grant."""
    username = f"service-{slugify(name, allow_unicode=True)[:40] or 'account'}-{secrets.token_hex(3)}"
    account = User.objects.create(username=username, first_name=name, is_service=True, password=make_password(None))
    recorder.record("created", account, {"name": (None, name)})
    holdings.give(role, scope, to=account, by=by)
    return account


def rotate(token: ApiToken, *, at: datetime) -> str | None:
    """The secret of a new token that lasts as long as the old one did; None if that has ended. It works for a while."""
    try:
        return api_tokens.rotate(token, at=at, overlap=OVERLAP)[1]
    except api_tokens.NotRotatableError:
        return None
