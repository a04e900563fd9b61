"""Terminals' credentials: issue, find, revoke. A secret is shown once, when it is issued."""

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import models, transaction
from django.db.models import Q

from tms.accounts.audit import recorder
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import Credential, Device, DeviceState, Placement, Terminal, TerminalState
from tms.lib.db import prepared
from tms.lib.db import rows as db_rows
from tms.lib.hashing import hash_token
from tms.protocol import credential

SCHEMES = frozenset({"bearer", "targettoken", "gatewaytoken"})
"""The last two are those of updaters that speak the device API of hawkBit."""


class Retired(Exception):
    """A retired terminal gets neither a key nor a device."""

    code = "tms:retired"


class TerminalIdentity(NamedTuple):
    """What the link needs to know about a terminal."""

    terminal_id: int
    uid: str
    site_id: int
    kind: str
    model: str = ""
    """The model that the terminal reported at its last boot."""


class CredentialKey(NamedTuple):
    credential_id: int
    identity: TerminalIdentity


@transaction.atomic
def issue(
    terminal: Terminal, *, device: Device | None = None, expires_at: datetime | None = None
) -> credential.PlainCredential:
    """A new key for the device of `terminal`. Keys issued before stay valid until they expire or are revoked.

    Raises Retired.
    """
    check_not_retired(terminal)
    secret = secrets.token_urlsafe(32)
    Credential.objects.create(
        terminal=terminal,
        device_id=device.pk if device else _device_id(terminal),
        digest=hash_token(secret),
        expires_at=expires_at,
    )
    recorder.record("key-issued", terminal)
    return credential.PlainCredential(terminal.uid, secret)


def check_not_retired(terminal: Terminal) -> None:
    """Lock the terminal, so that nobody retires it meanwhile. Raises Retired. Call it in a transaction."""
    row = Terminal.objects.select_for_update(no_key=True).filter(pk=terminal.pk)
    if row.values_list("lifecycle", flat=True).first() == Lifecycle.RETIRED:
        raise Retired(terminal.uid)


def _device_id(terminal: Terminal) -> int | None:
    return Placement.objects.open().filter(terminal=terminal).values_list("device", flat=True).first()


@transaction.atomic
def rotate(terminal: Terminal, *, at: datetime, overlap: timedelta) -> credential.PlainCredential:
    """A new key for `terminal`; the others expire after `overlap`, so that the device can change over meanwhile.

    Raises Retired.
    """
    ends_at = at + overlap
    others = Credential.objects.valid(at).filter(terminal=terminal)
    others.filter(Q(expires_at=None) | Q(expires_at__gt=ends_at)).update(expires_at=ends_at)
    return issue(terminal)


def find(digests: Collection[str], *, at: datetime) -> dict[str, CredentialKey]:
    """The valid keys among these digests, in one query. The digest decides: a device that was moved to another
    terminal still offers the UID of the one before.
    """
    chosen, keys = db_rows.any_of("c.digest", digests)
    rows = prepared.run(
        "SELECT c.id, c.digest, t.id, t.uid, t.site_id, t.kind, t.model "
        f"FROM {Credential._meta.db_table} AS c JOIN {Terminal._meta.db_table} AS t ON t.id = c.terminal_id "
        f"WHERE {chosen} AND c.revoked_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > %s)",
        [*keys, db_rows.instant(at)],
    )
    return {digest: CredentialKey(pk, TerminalIdentity(*identity)) for pk, digest, *identity in rows}


def of_header(text: str, *, at: datetime) -> TerminalIdentity | None:
    """The terminal whose valid key an `Authorization: Bearer <uid>.<secret>` carries."""
    given = offered_in(text)
    key = find_one(given, at=at) if given else None
    return key.identity if key else None


def offered_in(text: str) -> credential.PlainCredential | None:
    """The credential in the header `Authorization`."""
    scheme, _, offered = text.partition(" ")
    return credential.parse(offered.strip()) if scheme.lower() in SCHEMES else None


def find_one(given: credential.PlainCredential, *, at: datetime) -> CredentialKey | None:
    digest = hash_token(given.secret)
    return find([digest], at=at).get(digest)


def mark_used(keys: Collection[int], *, at: datetime) -> None:
    """Links began with these keys."""
    chosen, parameters = db_rows.any_of("id", keys)
    prepared.run(
        f"UPDATE {Credential._meta.db_table} SET used_at = %s WHERE {chosen}", [db_rows.instant(at), *parameters]
    )


def moved(key_by_terminal: Mapping[int, int]) -> set[int]:
    """The keys that belong to another terminal by now, because their devices were swapped."""
    chosen, parameters = db_rows.any_of("id", key_by_terminal.values())
    rows = prepared.run(f"SELECT id, terminal_id FROM {Credential._meta.db_table} WHERE {chosen}", parameters)
    return {pk for pk, terminal_id in rows if key_by_terminal.get(terminal_id) != pk}


@transaction.atomic
def enrol(terminal: Terminal) -> credential.PlainCredential:
    """Save a new terminal with a device and its first key, in the presence *never seen*."""
    terminal.save()
    TerminalState.objects.get_or_create(terminal=terminal)
    known = {"serial": terminal.serial, "model": terminal.model, "site": terminal.site}
    device = Device.objects.create(state=DeviceState.IN_SERVICE, **known)
    Placement.objects.create(device=device, terminal=terminal, began_at=terminal.created_at)
    new = frozenset({terminal.pk})
    publish(Change(terminals=new, presence=new))
    return issue(terminal, device=device)


def revoke(keys: models.QuerySet[Credential], *, at: datetime) -> int:
    """Revoke `keys`; their links close within seconds. Returns how many were valid until now."""
    with transaction.atomic():
        revoked = list(keys.filter(revoked_at=None).select_related("terminal"))
        valid = [key.pk for key in revoked]
        Credential.objects.filter(pk__in=valid).update(revoked_at=at)
        for key in revoked:
            recorder.record("key-revoked", key.terminal, {"key": (key.digest[:8], "")})
        if valid:
            publish(Change(revoked=frozenset(valid)))
    return len(valid)


def ended(since: datetime, at: datetime) -> models.QuerySet[Credential]:
    """Credentials that were revoked or expired within a period."""
    revoked = models.Q(revoked_at__gt=since, revoked_at__lte=at)
    return Credential.objects.filter(revoked | models.Q(expires_at__gt=since, expires_at__lte=at))


def ended_between(since: datetime, at: datetime) -> set[int]:
    return set(ended(since, at).values_list("pk", flat=True))
