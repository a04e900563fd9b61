"""How people sign in, for the list: the second factor, the first, or an invitation that they have not accepted."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.utils.translation import gettext, ngettext

from tms.accounts.factors import policy
from tms.accounts.models import FactorPolicy, Identity, IdentityProvider, Invitation, User

Type = Authenticator.Type


@dataclass(frozen=True, slots=True)
class SignInWays:
    first: str
    factor: str
    icon: str
    has_factor: bool = False
    is_missing: bool = False
    """A second factor is required, and there is none."""
    invitation: Invitation | None = None
    """One that is pending."""
    is_expired: bool = False

    @property
    def is_pending(self) -> bool:
        return self.invitation is not None

    @property
    def is_sent(self) -> bool:
        return self.invitation is not None and self.invitation.sent_at is not None

    @property
    def expires_at(self) -> datetime | None:
        return self.invitation.expires_at if self.invitation else None

    @property
    def invited_by(self) -> str:
        by = self.invitation.created_by if self.invitation else None
        return by.display_name if by else ""


def ways_of(people: Collection[User], *, at: datetime) -> dict[int, SignInWays]:
    pending = Invitation.objects.pending().filter(person__in=people).select_related("created_by")
    invitations = {invitation.person_id: invitation for invitation in pending}
    factors, required, providers = _factors(people), policy.required_of(people), _providers(people)
    return {
        person.pk: _ways(
            person,
            factors[person.pk],
            providers[person.pk],
            person.pk in required,
            invitations.get(person.pk),
            at,
        )
        for person in people
    }


def _factors(people: Collection[User]) -> Mapping[int, Counter[str]]:
    """How many of each kind, by person."""
    found: defaultdict[int, Counter[str]] = defaultdict(Counter)
    rows = Authenticator.objects.filter(user__in=people).exclude(type=Type.RECOVERY_CODES)
    for pk, kind in rows.values_list("user", "type"):
        found[pk][kind] += 1
    return found


def _providers(people: Collection[User]) -> Mapping[int, list[IdentityProvider]]:
    """The enabled identity providers at which they have an identity, by person."""
    found: defaultdict[int, list[IdentityProvider]] = defaultdict(list)
    rows = Identity.objects.filter(person__in=people, provider__is_enabled=True).select_related("provider")
    for identity in rows.order_by("provider__name"):
        found[identity.person_id].append(identity.provider)
    return found


def _ways(
    person: User,
    factors: Counter[str],
    providers: Sequence[IdentityProvider],
    is_required: bool,
    invitation: Invitation | None,
    at: datetime,
) -> SignInWays:
    ways = [gettext("Password")] if person.has_usable_password() else []
    first = gettext(", ").join([*ways, *(provider.name for provider in providers)]) or gettext("No password")
    is_expired = invitation is not None and invitation.is_expired(at)
    is_at_provider = not ways and any(provider.factor_policy != FactorPolicy.NEVER for provider in providers)
    if is_at_provider and not factors:
        return SignInWays(first, gettext("At the provider"), "shield", invitation=invitation, is_expired=is_expired)
    factor, icon = _factor(factors, is_required)
    return SignInWays(first, factor, icon, bool(factors), is_required and not factors, invitation, is_expired)


def _factor(factors: Counter[str], is_required: bool) -> tuple[str, str]:
    """The strongest one, with its icon."""
    if number := factors[Type.WEBAUTHN]:
        return ngettext("%d passkey", "%d passkeys", number) % number, "passkey"
    if factors[Type.TOTP]:
        return gettext("Code (TOTP)"), "mobile"
    return gettext("None, required") if is_required else gettext("No second factor"), "shield-off"
