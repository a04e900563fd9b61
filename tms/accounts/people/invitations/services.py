"""Invitations: create, send, find and accept. A link works once and for a limited time; a new one replaces it."""

import secrets
import smtplib
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext

from tms.accounts.audit import recorder
from tms.accounts.models import Invitation, User
from tms.lib.hashing import hash_token


class NotSentError(Exception):
    """The mail server did not accept the invitation; the text says why."""


def lifetime() -> timedelta:
    return timedelta(days=settings.INVITATION_DAYS)


@transaction.atomic
def invite(email: str, *, language: str, by: User, at: datetime) -> tuple[Invitation, str]:
    """A new person who signs in with `email`, and the secret of their link."""
    person = User.objects.create(username=email, email=email, language=language, password=make_password(None))
    recorder.record("invited", person, {"email": (None, email)})
    secret = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        person=person, digest=hash_token(secret), created_by=by, created_at=at, expires_at=at + lifetime()
    )
    return invitation, secret


@transaction.atomic
def renew(invitation: Invitation, *, at: datetime) -> str | None:
    """The secret of a new link, which replaces the earlier one. None if the invitation was accepted meanwhile."""
    secret = secrets.token_urlsafe(32)
    pending = Invitation.objects.pending().filter(pk=invitation.pk, person__is_active=True)
    if not pending.update(digest=hash_token(secret), expires_at=at + lifetime(), sent_at=None):
        return None
    recorder.record("invited-again", invitation.person)
    invitation.refresh_from_db()
    return secret


def send(invitation: Invitation, *, link: str, at: datetime) -> None:
    """Mail the link in the language of the person. Raises NotSentError."""
    person = invitation.person
    with translation.override(person.language or None):
        values = {"link": link, "expires_at": invitation.expires_at, "username": person.username}
        body = render_to_string("accounts/people/invitation.txt", values)
        mail = EmailMessage(gettext("Invitation to TMS"), body, to=[person.email])
    try:
        mail.send()
    except (smtplib.SMTPException, OSError) as error:
        raise NotSentError(_reason(error)) from error
    Invitation.objects.filter(pk=invitation.pk).update(sent_at=at)


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        replies = [f"{code} {reply.decode(errors='replace')}" for code, reply in error.recipients.values()]
        return "; ".join(replies)[:200]
    if isinstance(error, smtplib.SMTPResponseException):
        reply = error.smtp_error
        return f"{error.smtp_code} {reply.decode(errors='replace') if isinstance(reply, bytes) else reply}"[:200]
    return type(error).__name__


def find(secret: str, *, at: datetime) -> Invitation | None:
    """The usable invitation with this secret, with its person."""
    found = Invitation.objects.usable(at).filter(digest=hash_token(secret[:100]))
    return found.select_related("person").first()


def accept(invitation: Invitation, person: User, *, password: str, at: datetime) -> bool:
    """Store the person's name and password; False if the link was used or replaced meanwhile."""
    person.set_password(password)  # before the transaction: hashing takes a while
    with transaction.atomic():
        usable = Invitation.objects.usable(at).filter(pk=invitation.pk, digest=invitation.digest)
        if not usable.update(accepted_at=at):
            return False
        person.save(update_fields=("password", "first_name", "last_name"))
        recorder.record("invitation-accepted", person)
    return True
