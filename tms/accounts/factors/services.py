"""Adding and removing factors. Each change is in the audit trail."""

from collections.abc import Mapping
from typing import Any

import structlog
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.db import transaction

from tms.accounts.audit import recorder
from tms.accounts.factors import policy
from tms.accounts.mail import notices
from tms.accounts.mail.notices import Notice
from tms.accounts.models import User

Type = Authenticator.Type
log = structlog.get_logger(__name__)


@transaction.atomic
def add(person: User, kind: str, data: Mapping[str, Any]) -> list[str]:
    """Store a factor, in place of an older authenticator app. With the first one, returns new recovery codes."""
    _lock(person)
    if kind == Type.TOTP:
        Authenticator.objects.filter(user=person, type=kind).delete()
    factor = Authenticator.objects.create(user=person, type=kind, data=dict(data))
    recorder.record("factor-added", person, {"factor": (None, name_of(factor))})
    notices.send(person, Notice.FACTOR_ADDED)
    has_codes = Authenticator.objects.filter(user=person, type=Type.RECOVERY_CODES).exists()
    return [] if has_codes else _make_recovery_codes(person)


def add_passkey(person: User, name: str, credential: Mapping[str, Any]) -> list[str]:
    return add(person, Type.WEBAUTHN, {"name": name, "credential": credential})


@transaction.atomic
def note_counter(factor: Authenticator, sent: int) -> bool:
    """Store the signature counter of a passkey. False if it did not grow: another device may have a copy of the key.

    Most passkeys are copied by design, and always send 0 (WebAuthn Level 3, 6.1.1).
    """
    locked = Authenticator.objects.select_for_update().get(pk=factor.pk)
    known = locked.data.get("counter", locked.wrap().authenticator_data.counter)
    if sent != known:
        locked.data["counter"] = sent
        locked.save(update_fields=["data"])
        factor.data = locked.data
    if sent > known or sent == known == 0:
        return True
    person = factor.user
    log.warning("passkey_counter_went_back", username=person.username, known=known, sent=sent)
    recorder.record("passkey-counter-back", person, {"factor": (None, name_of(factor)), "counter": (known, sent)})
    notices.send(person, Notice.COUNTER_BACK)
    return False


@transaction.atomic
def make_recovery_codes(person: User) -> list[str]:
    """New codes; the ones before are void."""
    _lock(person)
    notices.send(person, Notice.CODES_MADE)
    return _make_recovery_codes(person)


def _make_recovery_codes(person: User) -> list[str]:
    Authenticator.objects.filter(user=person, type=Type.RECOVERY_CODES).delete()
    codes: list[str] = RecoveryCodes.activate(person).generate_codes()
    recorder.record("recovery-codes-made", person, {"codes": (None, len(codes))})
    return codes


@transaction.atomic
def remove(factor: Authenticator) -> bool:
    """Remove a factor. Returns False if the person needs it."""
    person = _lock(factor.user)
    if is_needed(factor, of=person):
        return False
    _remove(factor)
    return True


def is_needed(factor: Authenticator, *, of: User) -> bool:
    """Whether it is the last one of a person who must have one, or the only way in which they can sign in."""
    is_last = not policy.second_factors_of(of).exclude(pk=factor.pk).exists()
    return (is_last and policy.is_required(of)) or policy.is_only_way(factor, of=of)


@transaction.atomic
def remove_all(person: User) -> int:
    """Remove all factors of a person who has lost them. Returns how many there were."""
    _lock(person)
    factors = policy.second_factors_of(person)
    for factor in factors:
        _remove(factor)
    return len(factors)


def _remove(factor: Authenticator) -> None:
    """Recovery codes alone are no second factor, so they go with the last other one."""
    if not factor.delete()[0]:
        return  # another request was faster
    recorder.record("factor-removed", factor.user, {"factor": (name_of(factor), None)})
    notices.send(factor.user, Notice.FACTOR_REMOVED)
    if not policy.has_factor(factor.user):
        Authenticator.objects.filter(user=factor.user).delete()


def name_of(factor: Authenticator) -> str:
    """The name of a factor for the audit trail, in English."""
    if factor.type == Type.WEBAUTHN:
        return f"passkey {factor.data['name']}"
    return {Type.TOTP: "authenticator app", Type.RECOVERY_CODES: "recovery codes"}[Type(factor.type)]


def _lock(person: User) -> User:
    return User.objects.select_for_update().get(pk=person.pk)
