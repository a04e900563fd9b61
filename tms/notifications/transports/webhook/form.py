from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from tms.notifications.transports.addresses import require_public

LABEL = _("Address that receives the events")
HINT = _("https://… It is never shown again, for it may hold a key.")


def clean_address(url: str) -> str:
    """With the parser of what connects later, so that both mean the same host. Raises ValidationError."""
    try:
        parts = parse_url(url)
    except LocationParseError:
        wrong = gettext("No address; expected one like https://example.com/hook, with a port from 1 to 65535 if any.")
        raise ValidationError(wrong) from None
    if parts.auth is not None:
        raise ValidationError(gettext("Leave out the name and password before the @; TMS signs what it sends."))
    try:
        URLValidator(schemes=("http", "https"))(url)
    except ValidationError:
        raise ValidationError(gettext("Enter an address that begins with https://.")) from None
    require_public([parts.host or ""])
    return url
