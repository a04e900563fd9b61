from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

LABEL = _("E-mail addresses")
HINT = _("Several have commas between them.")
MOST_CHARACTERS = 500


def addresses(text: str) -> list[str]:
    return [address for part in text.split(",") if (address := part.strip())]


def clean_address(text: str) -> str:
    """Several addresses, with commas between them. Raises ValidationError."""
    for address in addresses(text):
        try:
            validate_email(address)
        except ValidationError:
            wrong = gettext("%(address)s is no e-mail address; expected something like noc@example.com.")
            raise ValidationError(wrong % {"address": address}) from None
    if len(text) > MOST_CHARACTERS:
        raise ValidationError(gettext("These are too many addresses; make a list of them at your mail server."))
    return text
