"""Tokens with which new terminals fetch their credentials: one, or many with a count and an end."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.accounts.models.audit_entry import Via
from tms.fleet.credentials import services as credentials
from tms.fleet.devices import placements
from tms.fleet.models import DeviceState, EnrolmentToken, IdentitySource, Site, Terminal, TerminalKind
from tms.fleet.terminals.services import TerminalValues, create_terminal
from tms.lib.hashing import hash_token
from tms.protocol.credential import PlainCredential

MAX_VALIDITY = timedelta(hours=24)
MAX_VALIDITY_OF_MANY = timedelta(days=90)
MAX_USES = 10_000
MAX_SERIALS = 10_000
UID_MARKS = {
    TerminalKind.PAYMENT: "PAY",
    TerminalKind.KIOSK: "KSK",
    TerminalKind.GATE: "GTE",
    TerminalKind.SIGNAGE: "SGN",
    TerminalKind.TABLET: "TAB",
    TerminalKind.COMPUTER: "CMP",
}


class TokenRefused(Exception):
    """The token is unknown, used or expired, or not for this device; the error does not reveal which."""


@dataclass(frozen=True, slots=True)
class TokenLimits:
    """What a token is for. Exactly one of `site`, `region` and `terminal` is set."""

    site: Site | None = None
    region: str = ""
    terminal: Terminal | None = None
    """A planned terminal, or one whose device was replaced."""
    kind: str = ""
    uses: int = 1
    serials: Sequence[str] = ()
    name: str = ""

    @property
    def max_validity(self) -> timedelta:
        return MAX_VALIDITY if self.uses == 1 else MAX_VALIDITY_OF_MANY


@dataclass(frozen=True, slots=True)
class NewDevice:
    """What a new terminal says about itself."""

    kind: str
    serial: str = ""
    model: str = ""
    site: str = ""
    """The code of its site, for a token of a region."""


@transaction.atomic
def make_token(limits: TokenLimits, *, by: User | None, at: datetime, valid: timedelta | None = None) -> str:
    """The token in plain text, which is not stored. It is valid for 24 hours at most, for many terminals 90 days."""
    token = secrets.token_urlsafe(32)
    expires_at = at + min(valid or limits.max_validity, limits.max_validity)
    row = EnrolmentToken.objects.create(
        digest=hash_token(token),
        name=limits.name,
        site=limits.terminal.site if limits.terminal else limits.site,
        region=limits.region,
        terminal=limits.terminal,
        kind=limits.kind,
        uses=limits.uses,
        uses_left=limits.uses,
        serials=sorted(set(limits.serials)),
        created_by=by,
        expires_at=expires_at,
    )
    facts = {"expires_at": expires_at.isoformat(), "uses": limits.uses, "region": limits.region}
    recorder.record(
        "enrolment-token-made", row.site or row, {name: (None, fact) for name, fact in facts.items() if fact}
    )
    return token


@transaction.atomic
def withdraw_token(token: EnrolmentToken, *, at: datetime) -> bool:
    """Whether it was valid until now."""
    if not usable(at).filter(pk=token.pk).update(withdrawn_at=at):
        return False
    recorder.record("enrolment-token-withdrawn", token.site or token, {"token": (token.digest[:8], None)})
    return True


def usable(at: datetime) -> QuerySet[EnrolmentToken]:
    """The tokens that are valid at an instant. A token of one use counts as used if the previous release used it."""
    unused = Q(uses=1, used_at=None) | Q(uses__gt=1, uses_left__gt=0)
    return EnrolmentToken.objects.filter(unused, expires_at__gt=at, withdrawn_at=None)


@transaction.atomic
def redeem(token: str, device: NewDevice, *, at: datetime) -> tuple[Terminal, PlainCredential]:
    """Enrol a terminal with `token`. Of concurrent attempts at most as many succeed as it has uses; the others get
    TokenRefused.
    """
    digest = hash_token(token)
    if not usable(at).filter(digest=digest).update(used_at=at, uses_left=F("uses_left") - 1):
        raise TokenRefused
    used = EnrolmentToken.objects.select_related("site", "terminal__site").get(digest=digest)
    site = _site_for(used, device)
    with recorder.acting(Via.TERMINAL):
        terminal = used.terminal or _create_next(site, kind=used.kind or device.kind, at=at)
        credential = _equip(terminal, device, at=at)
        if used.uses == 1:
            EnrolmentToken.objects.filter(pk=used.pk).update(terminal=terminal)
        recorder.record("enrolled", terminal, {"token": (None, used.digest[:8])})
    return terminal, credential


def _site_for(token: EnrolmentToken, device: NewDevice) -> Site:
    """The site of the new terminal. Raises TokenRefused for a device that the token is not for."""
    if token.serials and device.serial not in token.serials:
        raise TokenRefused
    if token.site:
        return token.site
    site = Site.objects.filter(code=device.site, region=token.region, closed_at=None).first()
    if site is None:
        raise TokenRefused
    return site


def _create_next(site: Site, *, kind: str, at: datetime) -> Terminal:
    """A planned terminal with the next free number."""
    prefix = site.code.upper().strip("-_") or "T"  # a UID begins with a letter or digit
    stem = f"{prefix}-{UID_MARKS[TerminalKind(kind)]}-"
    number = Terminal.objects.filter(uid__startswith=stem).count()
    while True:
        number += 1
        try:
            with transaction.atomic():
                return create_terminal(f"{stem}{number:02}", TerminalValues(site, TerminalKind(kind)), at=at)
        except IntegrityError:  # another enrolment took this number
            if number > Terminal.objects.count() + 1_000:
                raise


def _equip(terminal: Terminal, device: NewDevice, *, at: datetime) -> PlainCredential:
    """Place the device, and issue its key. One that serves elsewhere is refused: people replace or swap it first.

    So is any device of a terminal that was retired meanwhile.
    """
    found = placements.known_device(device.serial, model=device.model)
    placed = placements.device_of(terminal)
    try:
        if placed == found:
            return credentials.issue(terminal, device=found)
        replacement = placements.replace(
            terminal, found, removed_becomes=DeviceState.SPARE, by=None, at=at, source=IdentitySource.BOOT
        )
    except (placements.AlreadyPlaced, credentials.Retired):
        raise TokenRefused from None
    return replacement.credential
