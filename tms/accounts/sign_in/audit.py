"""Writes sign-ins, sign-outs and failed sign-ins to the audit trail.

A failure names its account only if that account exists: people type their password into the wrong field. The throttle
bounds how many failures there are; refused attempts are counted in the metric `tms_sign_ins`.
"""

from typing import Any

from allauth.account.authentication import get_authentication_records
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from tms.accounts.audit import recorder
from tms.accounts.audit.recorder import AuditSubject
from tms.accounts.models import User
from tms.accounts.sessions import provider as provider_sessions

PERSON = User._meta.label_lower


@receiver(user_logged_in)
def record_sign_in(sender: object, user: User, request: HttpRequest | None = None, **kwargs: Any) -> None:
    """Record a sign-in, with the factors that were used: `password, totp`."""
    changes: dict[str, tuple[Any, Any]] = {}
    if request and (provider := provider_sessions.provider_name(request, user)):
        changes["provider"] = (None, provider)
    if request and (factors := factors_used(request, user)):
        changes["factors"] = (None, factors)
    recorder.record("signed-in", user, changes)


def factors_used(request: HttpRequest, person: User) -> str:
    """The factors used in the sign-in that ends now; empty for one without the form."""
    records = get_authentication_records(request, person)
    return ", ".join(dict.fromkeys(str(record.get("type") or record.get("method")) for record in records))


@receiver(user_logged_out)
def record_sign_out(sender: object, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        recorder.record("signed-out", user)


@receiver(user_login_failed)
def record_failure(sender: object, credentials: dict[str, Any], **kwargs: Any) -> None:
    person = User.objects.filter(username=str(credentials.get("username", ""))[:150]).first()
    if person is None:
        recorder.write(AuditSubject(PERSON), "sign-in-failed", {"account": (None, "unknown")})
    else:
        recorder.record("sign-in-failed", person)
