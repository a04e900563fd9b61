"""The address of a webhook."""

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.notifications.transports.addresses import require_public

LABEL = _("URL")
HINT = _("https://… Hidden after saving, as it may contain a secret.")


def clean_address(url: str) -> str:
    """Check the address with the parser of what connects later, so that both mean the same host. Raises
    ValidationError.
    """
    from urllib3.exceptions import LocationParseError
    from urllib3.util import parse_url

    try:
        parts = parse_url(url)
    except LocationParseError:
        message = gettext("Not a URL. Enter one such as https://example.com/hook; a port must be from 1 to 65535.")
        raise ValidationError(message) from None
    if parts.auth is not None:
        raise ValidationError(gettext("Remove the username and password before the @. TMS signs what it sends."))
    try:
        URLValidator(schemes=("http", "https"))(url)
    except ValidationError:
        raise ValidationError(gettext("Enter a URL that begins with https://.")) from None
    require_public([parts.host or ""])
    return url
