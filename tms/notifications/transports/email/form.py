"""The address of a destination for mail: one address or several."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

LABEL = _("E-mail addresses")
HINT = _("Separate several addresses with commas.")
MAX_CHARACTERS = 500


def addresses(text: str) -> list[str]:
    return [address for part in text.split(",") if (address := part.strip())]


def clean_address(text: str) -> str:
    """Several addresses, with commas between them. Raises ValidationError."""
    for address in addresses(text):
        try:
            validate_email(address)
        except ValidationError:
            message = gettext("%(address)s is not an e-mail address. Enter one such as noc@example.com.")
            raise ValidationError(message % {"address": address}) from None
    if len(text) > MAX_CHARACTERS:
        raise ValidationError(gettext("Too many addresses. Use a mailing list instead."))
    return text
