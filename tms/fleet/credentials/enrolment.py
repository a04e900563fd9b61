"""Single-use tokens with which a new terminal fetches its credential."""

import secrets
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.accounts.models.audit_entry import Via
from tms.fleet.credentials import services
from tms.fleet.models import EnrolmentToken, Site, Terminal, TerminalKind
from tms.lib.hashing import hash_token
from tms.protocol.credential import PlainCredential

MAX_VALIDITY = timedelta(hours=24)
UID_MARKS = {
    TerminalKind.PAYMENT: "PAY",
    TerminalKind.KIOSK: "KSK",
    TerminalKind.GATE: "GTE",
    TerminalKind.SIGNAGE: "SGN",
    TerminalKind.TABLET: "TAB",
    TerminalKind.COMPUTER: "CMP",
}


class TokenRefused(Exception):
    """The token is unknown, used or expired; the error does not reveal which."""


@transaction.atomic
def make_token(site: Site, *, by: User | None, at: datetime, valid: timedelta = MAX_VALIDITY) -> str:
    """A token for one new terminal of `site`; valid for at most 24 hours."""
    token = secrets.token_urlsafe(32)
    expires_at = at + min(valid, MAX_VALIDITY)
    EnrolmentToken.objects.create(digest=hash_token(token), site=site, created_by=by, expires_at=expires_at)
    recorder.record("enrolment-token-made", site, {"expires_at": (None, expires_at.isoformat())})
    return token


@transaction.atomic
def redeem(token: str, *, kind: str, serial: str, model: str, at: datetime) -> tuple[Terminal, PlainCredential]:
    """Enrol a terminal with `token`. Of concurrent attempts exactly one succeeds; the others get TokenRefused."""
    valid = EnrolmentToken.objects.filter(digest=hash_token(token), used_at=None, expires_at__gt=at)
    if not valid.update(used_at=at):
        raise TokenRefused
    used = EnrolmentToken.objects.select_related("site").get(digest=hash_token(token))
    with recorder.acting(Via.TERMINAL):
        terminal, credential = _enrol_next(used.site, kind=kind, serial=serial, model=model)
        EnrolmentToken.objects.filter(pk=used.pk).update(terminal=terminal)
        recorder.record("enrolled", terminal, {"token": (None, used.digest[:8])})
    return terminal, credential


def _enrol_next(site: Site, **facts: str) -> tuple[Terminal, PlainCredential]:
    prefix = site.code.upper().strip("-_") or "T"  # a UID begins with a letter or digit
    stem = f"{prefix}-{UID_MARKS[TerminalKind(facts['kind'])]}-"
    number = Terminal.objects.filter(uid__startswith=stem).count()
    while True:
        number += 1
        terminal = Terminal(uid=f"{stem}{number:02}", site=site, **facts)
        try:
            with transaction.atomic():
                return terminal, services.enrol(terminal)
        except IntegrityError:  # another enrolment took this number
            if number > Terminal.objects.count() + 1_000:
                raise
