"""Terminals' credentials: issue, find, revoke. A secret is shown once, when it is issued."""

import hmac
import secrets
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.db import connection, models, transaction

from tms.accounts.audit import recorder
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.models import Credential, Terminal, TerminalKind, TerminalState
from tms.lib.db import prepared
from tms.lib.db import rows as db_rows
from tms.lib.hashing import hash_token
from tms.protocol import credential


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
    digest: str
    identity: TerminalIdentity


NO_KEY = CredentialKey(0, "0" * 64, TerminalIdentity(0, "", 0, TerminalKind.KIOSK))


@transaction.atomic
def issue(terminal: Terminal, *, expires_at: datetime | None = None) -> credential.PlainCredential:
    """A new key for `terminal`. Keys issued before stay valid until they expire or are revoked."""
    secret = secrets.token_urlsafe(32)
    Credential.objects.create(terminal=terminal, digest=hash_token(secret), expires_at=expires_at)
    recorder.record("key-issued", terminal)
    return credential.PlainCredential(terminal.uid, secret)


@transaction.atomic
def enrol(terminal: Terminal) -> credential.PlainCredential:
    """Save a new terminal with its first key, in the presence *never seen*."""
    terminal.save()
    TerminalState.objects.get_or_create(terminal=terminal)
    new = frozenset({terminal.pk})
    publish(Change(terminals=new, presence=new))
    return issue(terminal)


def find(uids: Collection[str], *, at: datetime) -> dict[str, list[CredentialKey]]:
    """The valid keys of each of these UIDs, in one query."""
    chosen, keys = db_rows.any_of("t.uid", uids)
    rows = prepared.run(
        "SELECT c.id, c.digest, t.id, t.uid, t.site_id, t.kind, t.model "
        f"FROM {Terminal._meta.db_table} AS t {_with_credentials()} "
        f"WHERE {chosen} AND c.revoked_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > %s)",
        [*keys, db_rows.instant(at)],
    )
    found: dict[str, list[CredentialKey]] = {}
    for pk, token_hash, terminal_id, uid, site_id, kind, model in rows:
        identity = TerminalIdentity(terminal_id, uid, site_id, kind, model)
        found.setdefault(identity.uid, []).append(CredentialKey(pk, token_hash, identity))
    return found


def _with_credentials() -> str:
    """Looked up for each terminal. Without statistics, as after a restore, PostgreSQL would rather read the whole table
    for every query.
    """
    table = Credential._meta.db_table
    if connection.vendor == "postgresql":
        return f"JOIN LATERAL (SELECT * FROM {table} WHERE terminal_id = t.id OFFSET 0) AS c ON true"
    return f"JOIN {table} AS c ON c.terminal_id = t.id"


def match(offered: credential.PlainCredential, keys: Collection[CredentialKey]) -> CredentialKey | None:
    """The key that matches `offered`, or None. Takes as long for an unknown UID as for a wrong secret."""
    given = hash_token(offered.secret)
    opened = None
    for key in keys or (NO_KEY,):
        if hmac.compare_digest(given, key.digest) and key is not NO_KEY:
            opened = key
    return opened


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
