"""Tags for templates about factors and providers of a person."""

from collections.abc import Sequence
from typing import NamedTuple

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django import template

from tms.accounts.factors.adapter import factors_of
from tms.accounts.identity_providers.linking.services import OwnProvider, providers_of
from tms.accounts.models import User
from tms.lib.encryption import DecryptionError

register = template.Library()
Type = Authenticator.Type


class Factors(NamedTuple):
    passkeys: list[Authenticator]
    app: Authenticator | None
    codes: Authenticator | None
    codes_left: int
    codes_made: int


@register.simple_tag
def factors_of_person(person: User) -> Factors:
    rows = factors_of(person)
    codes = next((row for row in rows if row.type == Type.RECOVERY_CODES), None)
    left, made = _count(codes)
    return Factors(
        passkeys=[row for row in rows if row.type == Type.WEBAUTHN],
        app=next((row for row in rows if row.type == Type.TOTP), None),
        codes=codes,
        codes_left=left,
        codes_made=made,
    )


@register.simple_tag
def providers_of_person(person: User) -> Sequence[OwnProvider]:
    return providers_of(person)


def _count(codes: Authenticator | None) -> tuple[int, int]:
    if codes is None:
        return 0, 0
    try:
        return len(RecoveryCodes(codes).get_unused_codes()), len(RecoveryCodes(codes).generate_codes())
    except DecryptionError:
        return 0, 0
