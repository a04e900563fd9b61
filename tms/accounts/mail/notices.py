"""Mail about a change of how a person signs in: if it was not them, they should know."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tms.accounts.mail import background
from tms.accounts.models import User


class Notice(Enum):
    FACTOR_ADDED = _("A passkey or an authenticator app was added to your account.")
    FACTOR_REMOVED = _("A passkey or an authenticator app was removed from your account.")
    CODES_MADE = _("New recovery codes were made for your account.")
    COUNTER_BACK = _(
        "A passkey of your account may have been copied: its counter went back. Remove it and add another."
    )
    PROVIDER_LINKED = _("Your account was linked to an account at an identity provider.")
    PROVIDER_UNLINKED = _("Your account was unlinked from its account at an identity provider.")
    PASSWORD_CHANGED = _("The password of your account was changed.")


def send(person: User, notice: Notice) -> None:
    """Send the notice on commit, in the background. Nothing is sent without a mail server or an address."""
    values = {"person": person, "what": notice.value}
    _on_commit(person, _("TMS: your sign-in was changed"), "accounts/mail/notice.txt", values)


def send_inactivity(person: User, *, disabled_at: datetime) -> None:
    """The account will be disabled then, unless it is used. Otherwise like `send`."""
    values = {"person": person, "disabled_at": disabled_at, "days": settings.INACTIVE_DAYS}
    _on_commit(person, _("TMS: your account will be disabled"), "accounts/mail/inactive.txt", values)


def _on_commit(person: User, subject: str | Promise, template: str, values: Mapping[str, object]) -> None:
    if settings.EMAIL_URL and person.email:
        transaction.on_commit(lambda: background.run(lambda: _mail(person, subject, template, values)))


def _mail(person: User, subject: str | Promise, template: str, values: Mapping[str, object]) -> None:
    with translation.override(person.language or settings.LANGUAGE_CODE):
        send_mail(str(subject), render_to_string(template, dict(values)), None, [person.email])
