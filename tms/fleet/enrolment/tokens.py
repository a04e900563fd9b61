"""Tokens with which new terminals fetch their credentials: one, or many with a count and an end."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, islice

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.accounts.models.audit_entry import Via
from tms.fleet.credentials import services as credentials
from tms.fleet.devices import placements
from tms.fleet.enrolment.refusals import Reason
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import DeviceState, EnrolmentToken, IdentitySource, Placement, Site, Terminal, TerminalKind
from tms.fleet.terminals.services import TerminalValues, create_terminal
from tms.lib.hashing import hash_token
from tms.protocol.credential import PlainCredential

MAX_VALIDITY = timedelta(hours=24)
MAX_VALIDITY_OF_MANY = timedelta(days=90)
MAX_USES = 10_000
MAX_SERIALS = 10_000
MAX_TRIES = 1_000
UID_MARKS = {
    TerminalKind.PAYMENT: "PAY",
    TerminalKind.KIOSK: "KSK",
    TerminalKind.GATE: "GTE",
    TerminalKind.SIGNAGE: "SGN",
    TerminalKind.TABLET: "TAB",
    TerminalKind.COMPUTER: "CMP",
}


class NoFreeNumber(Exception):
    """Other enrolments took every number that was tried."""


class TokenRefused(Exception):
    """The token is unknown, used or expired, or not for this device. The device is not told which; people are."""

    def __init__(self, reason: Reason | None = None, token: EnrolmentToken | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.token = token


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
        """A list of serial numbers comes from a factory, long before its devices are installed."""
        return MAX_VALIDITY if self.uses == 1 and not self.serials else MAX_VALIDITY_OF_MANY


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
        raise _refused(digest, at)
    used = EnrolmentToken.objects.select_related("site", "terminal__site").get(digest=digest)
    if used.serials and device.serial not in used.serials:
        raise TokenRefused(Reason.SERIAL, used)
    with recorder.acting(Via.TERMINAL):
        terminal = used.terminal or _expected(used, device) or _create(used, device, at=at)
        if not Lifecycle(terminal.lifecycle).treatment.may_connect:
            raise TokenRefused(Reason.RETIRED, used)
        credential = _equip(used, terminal, device, at=at)
        if used.uses == 1:
            EnrolmentToken.objects.filter(pk=used.pk).update(terminal=terminal)
        recorder.record("enrolled", terminal, {"token": (None, used.digest[:8])})
    return terminal, credential


def _refused(digest: str, at: datetime) -> TokenRefused:
    token = EnrolmentToken.objects.filter(digest=digest).first()
    if token is None:
        return TokenRefused()
    if token.withdrawn_at is not None:
        return TokenRefused(Reason.WITHDRAWN, token)
    return TokenRefused(Reason.EXPIRED if token.expires_at <= at else Reason.USED_UP, token)


def _expected(token: EnrolmentToken, device: NewDevice) -> Terminal | None:
    """The planned terminal for which a device of this serial number is expected, if the token names the number."""
    if device.serial not in token.serials:
        return None
    place = Q(terminal__site=token.site_id) if token.site_id else Q(terminal__site__region=token.region)
    expected = Placement.objects.open().filter(place, device__serial=device.serial)
    planned = expected.filter(terminal__lifecycle=Lifecycle.PLANNED).select_related("terminal__site").first()
    return planned.terminal if planned else None


def _create(token: EnrolmentToken, device: NewDevice, *, at: datetime) -> Terminal:
    site = _site_for(token, device)
    return create_next(TerminalValues(site, TerminalKind(token.kind or device.kind)), at=at)


def _site_for(token: EnrolmentToken, device: NewDevice) -> Site:
    """The site of the new terminal. Raises TokenRefused if it is closed for good, or not in the token's region."""
    chosen = Q(pk=token.site_id) if token.site_id else Q(code=device.site, region=token.region)
    site = Site.objects.filter(chosen, closed_at=None).first()
    if site is None:
        raise TokenRefused(Reason.SITE, token)
    return site


def create_next(values: TerminalValues, *, at: datetime) -> Terminal:
    """A planned terminal with the next free number of its site and kind."""
    for uid in islice(free_uids(values.site, values.kind), MAX_TRIES):
        try:
            with transaction.atomic():
                return create_terminal(uid, values, at=at)
        except IntegrityError:  # another enrolment took this number
            continue
    raise NoFreeNumber


def free_uids(site: Site, kind: TerminalKind) -> Iterator[str]:
    """The UIDs that are free, from the next one on: `SJK-GTE-07`. Gaps below stay."""
    prefix = site.code.upper().strip("-_") or "T"  # a UID begins with a letter or digit
    stem = f"{prefix}-{UID_MARKS[kind]}-"
    taken = set(Terminal.objects.filter(uid__startswith=stem).values_list("uid", flat=True))
    return (uid for number in count(len(taken) + 1) if (uid := f"{stem}{number:02}") not in taken)


def _equip(token: EnrolmentToken, terminal: Terminal, device: NewDevice, *, at: datetime) -> PlainCredential:
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
    except placements.AlreadyPlaced:
        raise TokenRefused(Reason.PLACED, token) from None
    except credentials.Retired:
        raise TokenRefused(Reason.RETIRED, token) from None
    return replacement.credential
