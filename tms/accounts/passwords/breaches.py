"""A new password is none of those that were published after break-ins elsewhere (ASVS 5, 6.2.12).

The service gets the first five characters of the SHA-1 of the password and answers with the rest of each hash that
begins like this, some hundreds: it does not learn which password is asked for (k-anonymity).
"""

import hashlib

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from tms.lib.outgoing.bounded_http import FetchError, fetch

log = structlog.get_logger(__name__)
PREFIX_DIGITS = 5


class BreachedPasswordValidator:
    """`url`: `https://api.pwnedpasswords.com/range/`, or a copy. If it does not answer, passwords are accepted."""

    def __init__(self, url: str) -> None:
        self.url = url

    def validate(self, password: str, user: object = None) -> None:
        digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
        if digest[PREFIX_DIGITS:] in self._published_suffixes(digest[:PREFIX_DIGITS]):
            text = gettext("This password was published after a break-in elsewhere. Choose another one.")
            raise ValidationError(text, code="password_breached")

    def _published_suffixes(self, prefix: str) -> frozenset[str]:
        """The rest of each hash. `Add-Padding`: the length of the answer reveals nothing either."""
        try:
            answer = fetch(
                f"{self.url}{prefix}",
                permitted=settings.INSIDE_DESTINATIONS,
                may_be_plain=not settings.PRODUCTION,
                headers={"Add-Padding": "true", "Accept": "text/plain"},
            )
        except FetchError as error:
            log.warning("breached_passwords_unavailable", reason=str(error))
            return frozenset()
        if answer.status != 200:
            log.warning("breached_passwords_unavailable", reason=f"status {answer.status}")
            return frozenset()
        lines = (line.partition(":") for line in answer.body.decode("ascii", "replace").split())
        return frozenset(rest.upper() for rest, _colon, number in lines if number != "0")  # 0: padding

    def get_help_text(self) -> str:
        return gettext("Your password can’t be one that was published after a break-in elsewhere.")
