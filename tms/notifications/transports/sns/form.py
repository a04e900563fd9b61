"""The address of a destination for Amazon SNS: the ARN of a topic."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

LABEL = _("Topic ARN")
EXAMPLE = "arn:aws:sns:ap-northeast-1:123456789012:tms"


def clean_address(arn: str) -> str:
    """Raises ValidationError."""
    parts = arn.split(":")
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "sns" or not all(parts[index] for index in (3, 4, 5)):
        message = gettext("Not a topic ARN. Enter one such as %(example)s.")
        raise ValidationError(message % {"example": EXAMPLE})
    return arn
