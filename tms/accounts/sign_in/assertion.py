"""What a provider says about a person who signed in, in the same form for every protocol."""

from collections.abc import Container
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email


class SignInRefused(Exception):
    """The person may not sign in this way. `code` is for the audit trail and metrics, the text for the person."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """Verified: signed by the provider, for TMS, a moment ago. All texts are from outside, and have bounded lengths."""

    issuer: str
    subject: str
    email: str = ""
    is_email_verified: bool = False
    username: str = ""
    first_name: str = ""
    last_name: str = ""
    language: str = ""
    groups: frozenset[str] = frozenset()
    has_factor: bool = False
    """The provider used a second factor, as far as its `FactorPolicy` believes it."""
    sid: str = ""
    """Its session at the provider."""
    id_token: str = ""
    """The ID token as the provider signed it."""

    @property
    def email_domain(self) -> str:
        """The domain of the address; empty if it has other letters, of which some become ASCII in lower case."""
        return self.email.rpartition("@")[2].lower() if self.email.isascii() else ""

    def verified_email(self, domains: Container[str]) -> str:
        """The address, if the provider says that it verified it and it is of these domains, which are its own."""
        is_theirs = self.is_email_verified and self.email_domain in domains
        return self.email if is_theirs and _is_address(self.email) else ""


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True
