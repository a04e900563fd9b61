"""Why a destination that a step names is not notified at once."""

from collections.abc import Mapping
from enum import StrEnum

from django.utils.translation import gettext_noop


class SkipReason(StrEnum):
    QUIET = "quiet_hours"
    DISABLED = "disabled"
    NO_PERSON = "no_person_on_call"
    NO_DESTINATION = "no_destination"
    OTHER_SCOPE = "other_scope"


SKIPPED: Mapping[SkipReason, str] = {
    SkipReason.QUIET: gettext_noop("not notified now: quiet hours. If it is still unacknowledged at their end, then"),
    SkipReason.DISABLED: gettext_noop("not notified: the destination is disabled"),
    SkipReason.NO_PERSON: gettext_noop("nobody is on call"),
    SkipReason.NO_DESTINATION: gettext_noop("the person on call has no destination"),
    SkipReason.OTHER_SCOPE: gettext_noop("not notified: the destination has another owner"),
}
"""The reasons in words, after the name of the destination or rotation."""
