"""What a provider says about a person who signed in, in the same form for every protocol."""

from dataclasses import dataclass


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
    """As the provider signed it."""

    @property
    def email_domain(self) -> str:
        return self.email.rpartition("@")[2].lower()
