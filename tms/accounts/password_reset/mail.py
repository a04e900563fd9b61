"""Finds the people and sends them the link. It runs in the background: the answer takes equally long for every name."""

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext

from tms.accounts.models import User
from tms.accounts.sign_in import break_glass
from tms.metrics.instruments import PASSWORD_RESETS

MAX_PEOPLE = 5
"""The number of people with one address."""


def is_possible() -> bool:
    """Whether links can be sent. If not, for want of a mail server or of the address under which people reach TMS,
    an administrator sets passwords.

    The link never contains the host that the browser named: an attacker could name theirs.
    """
    return bool(settings.EMAIL_URL and settings.PUBLIC_URL)


def send_links(typed: str, language: str) -> None:
    """Send a link to each person who has this username or e-mail address and may reset their password."""
    for person in people_of(typed):
        with translation.override(person.language or language):
            send_link(person)


def people_of(typed: str) -> list[User]:
    keys = [pk for column in ("username", "email") for pk in User.objects.keys_of(typed, column=column)]
    rows = User.objects.filter(pk__in=keys, is_active=True).exclude(email="")[:MAX_PEOPLE]
    return [person for person in rows if person.has_usable_password() and not break_glass.is_named(person)]


def send_link(person: User) -> None:
    key = urlsafe_base64_encode(force_bytes(person.pk))
    path = reverse("reset-password", args=[key, default_token_generator.make_token(person)])
    context = {
        "person": person,
        "address": settings.PUBLIC_URL.rstrip("/") + path,
        "minutes": settings.PASSWORD_RESET_TIMEOUT // 60,
    }
    text = render_to_string("accounts/password_reset/mail.txt", context)
    send_mail(gettext("TMS: a new password"), text, None, [person.email])
    PASSWORD_RESETS.labels("sent").inc()
