"""The next shift signs off the digest."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext

from tms.accounts.access.owner_form import EVERYTHING_KEY, set_owner
from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.shifts.models import SignOff
from tms.shifts.period import MAX_PERIOD, is_period

KEY = ("by", "since", "until", "owner_region", "owner_site", "owner_group")
"""A person signs a period off once for each owner."""


class BadPeriod(ValueError):
    """The message says what would be right, in the active language."""


@transaction.atomic
def sign_off(since: datetime, until: datetime, *, by: User, at: datetime, owner: str = EVERYTHING_KEY) -> SignOff:
    """Record that `by` read the digest of this period, and takes over. `owner`: a key of `owner_form`. Idempotent.

    Raises BadPeriod.
    """
    if until > at or not is_period(since, until, longest=MAX_PERIOD):
        raise BadPeriod(gettext("Sign off a period that is over, of 31 days at most."))
    signed = SignOff(by=by, at=at, since=since, until=until)
    set_owner(signed, owner)
    known = SignOff.objects.filter(**{name: getattr(signed, name) for name in KEY}).first()
    if known is not None:
        return known
    signed.save()
    recorder.record("signed-off", signed, {"since": (None, since.isoformat()), "until": (None, until.isoformat())})
    return signed
