"""Announce that accounts without use will be disabled, and disable them.

An account is used when its person signs in, or a program with one of their API tokens. Service accounts have no person;
break-glass accounts are there for a day that may not come for years.
"""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest

from tms.accounts.access import administrators
from tms.accounts.mail import notices
from tms.accounts.models import ApiToken, User
from tms.accounts.people import account

log = structlog.get_logger(__name__)
NOTICE = timedelta(days=7)
"""How long before an account is disabled its person gets a mail, at least."""
MAX_ACCOUNTS = 100
"""Accounts in one pass."""


def review(at: datetime) -> int:
    """Returns how many accounts were announced or disabled."""
    if not settings.INACTIVE_DAYS:
        return 0
    return _disable(at) + _announce(at)


def _unused_since(instant: datetime) -> QuerySet[User]:
    """Enabled accounts of people whose last use, `used_at`, was before `instant`."""
    tokens = ApiToken.objects.filter(person=OuterRef("pk")).values("person").annotate(last=Max("used_at"))
    moments = (
        Coalesce(value, "date_joined") for value in ("last_login", "enabled_at", Subquery(tokens.values("last")))
    )
    people = User.objects.filter(is_active=True, is_service=False, date_joined__lt=instant)
    people = people.exclude(username__in=settings.BREAK_GLASS).annotate(used_at=Greatest("date_joined", *moments))
    return people.filter(used_at__lt=instant).order_by("pk")


def _disable(at: datetime) -> int:
    unused = _unused_since(at - timedelta(days=settings.INACTIVE_DAYS))
    announced = unused.filter(inactivity_noticed_at__gt=F("used_at"), inactivity_noticed_at__lte=at - NOTICE)
    return sum(_disable_one(person, at) for person in announced[:MAX_ACCOUNTS])


def _disable_one(person: User, at: datetime) -> bool:
    try:
        with transaction.atomic(), administrators.keeping_one():
            return account.disable(person, at=at, comment=f"not used for {settings.INACTIVE_DAYS} days")
    except administrators.LastAdministratorError:
        log.warning("inactive_administrator_stays", username=person.username)
        return False


def _announce(at: datetime) -> int:
    unused = _unused_since(at - timedelta(days=settings.INACTIVE_DAYS) + NOTICE)
    unannounced = Q(inactivity_noticed_at=None) | Q(inactivity_noticed_at__lte=F("used_at"))
    return sum(_announce_one(person, at) for person in unused.filter(unannounced)[:MAX_ACCOUNTS])


@transaction.atomic
def _announce_one(person: User, at: datetime) -> bool:
    rows = User.objects.filter(pk=person.pk, is_active=True, inactivity_noticed_at=person.inactivity_noticed_at)
    if not rows.update(inactivity_noticed_at=at):
        return False
    notices.send_inactivity(person, disabled_at=at + NOTICE)
    return True
