"""How django-allauth stores and names second factors."""

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator

from tms.accounts.models import User
from tms.lib import encryption

ISSUER = "TMS"
"""The name of the service in authenticator apps and passkey managers."""
PURPOSE = b"tms.accounts.factors"  # part of the key: it must not change


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # django-allauth has no types
    """Encrypts what django-allauth stores of a factor, and names the service and the person to authenticators."""

    def encrypt(self, text: str) -> str:
        return encryption.encrypt({"text": text}, purpose=PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        """Raises DecryptionError."""
        return encryption.decrypt(encrypted_text, purpose=PURPOSE)["text"]

    def get_totp_issuer(self) -> str:
        return ISSUER

    def get_totp_label(self, user: User) -> str:
        return f"{ISSUER}:{user.get_username()}"

    def _get_site_name(self) -> str:
        return ISSUER

    def _get_user_identifier(self, user: User) -> str:
        return user.get_username()


def factors_of(person: User) -> list[Authenticator]:
    """The factors of a person, oldest first, recovery codes last."""
    rows = Authenticator.objects.filter(user=person).order_by("pk")
    return sorted(rows, key=lambda row: row.type == Authenticator.Type.RECOVERY_CODES)
