"""Words of the product and of its host names, which attackers try first in passwords. `docs/security.md` lists them."""

import re
from collections.abc import Iterator

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

WORDS = (
    "tms",
    "terminal",
    "management",
    "system",
    "fleet",
    "monitor",
    "operator",
    "operations",
    "viewer",
    "lead",
    "admin",
    "administrator",
    "password",
    "welcome",
    "noc",
)
MIN_OTHER_CHARACTERS = 6
"""Letters and digits that a password must have besides these words."""


class PasswordWordValidator:
    """Rejects passwords that consist of such words and little else: `Terminal-System-1`."""

    def validate(self, password: str, user: object = None) -> None:
        found = sorted(word for word in words() if word in password.lower())
        rest = re.sub("|".join(sorted(found, key=len, reverse=True)), "", password.lower()) if found else ""
        if found and sum(map(str.isalnum, rest)) < MIN_OTHER_CHARACTERS:
            text = gettext("Apart from “%(words)s”, which is guessed first, this password is too short.")
            raise ValidationError(text % {"words": ", ".join(found)}, code="password_words")

    def get_help_text(self) -> str:
        return gettext("Avoid common words such as “terminal” or “admin”.")


def words() -> Iterator[str]:
    """The words of the product, and the labels of its host names of three letters or more."""
    yield from WORDS
    hosts = ".".join(settings.ALLOWED_HOSTS).lower()
    yield from set(re.findall(r"[a-z0-9]{3,}", hosts)) - set(WORDS)
