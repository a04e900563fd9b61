"""Mail about a change of how a person signs in: if it was not them, they should know."""

from enum import Enum

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.mail import background
from tms.accounts.models import User


class Notice(Enum):
    FACTOR_ADDED = _("A passkey or an authenticator app was added to your account.")
    FACTOR_REMOVED = _("A passkey or an authenticator app was removed from your account.")
    CODES_MADE = _("New recovery codes were made for your account.")
    PROVIDER_LINKED = _("Your account was linked to an account at an identity provider.")
    PROVIDER_UNLINKED = _("Your account was unlinked from its account at an identity provider.")
    PASSWORD_CHANGED = _("The password of your account was changed.")


def send(person: User, notice: Notice) -> None:
    """On commit, in the background. Without a mail server or an address nothing is sent."""
    if settings.EMAIL_URL and person.email:
        transaction.on_commit(lambda: background.run(lambda: _mail(person, notice)))


def _mail(person: User, notice: Notice) -> None:
    with translation.override(person.language or settings.LANGUAGE_CODE):
        text = render_to_string("accounts/mail/notice.txt", {"person": person, "what": notice.value})
        send_mail(gettext("TMS: your sign-in was changed"), text, None, [person.email])
