"""Checks a SAML provider, as far as that is possible without signing in there."""

from collections.abc import Iterator

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from tms.accounts.identity_providers.oidc.check import CheckStep, Outcome
from tms.accounts.identity_providers.saml import certificates
from tms.accounts.identity_providers.saml.request import NOT_INSTALLED, is_installed
from tms.accounts.models import IdentityProvider


def check(provider: IdentityProvider) -> list[CheckStep]:
    address = CheckStep(gettext("Sign-in address"), Outcome.DONE, provider.sso_url)
    return [_packages(), address, *_certificates(provider)]


def _packages() -> CheckStep:
    label = gettext("Packages")
    if is_installed():
        return CheckStep(label, Outcome.DONE, "signxml")
    return CheckStep(label, Outcome.FAILED, str(NOT_INSTALLED))


def _certificates(provider: IdentityProvider) -> Iterator[CheckStep]:
    try:
        found = certificates.parse(provider.certificates)
    except ValueError as error:
        yield CheckStep(gettext("Certificate"), Outcome.FAILED, str(error))
        return
    for each in found:
        ends_at = each.not_valid_after_utc
        is_over = ends_at <= timezone.now()
        until = gettext("%(name)s, until %(day)s") % {
            "name": each.subject.rfc4514_string()[:100],
            "day": date_format(ends_at),
        }
        yield CheckStep(gettext("Certificate"), Outcome.HINT if is_over else Outcome.DONE, until)
