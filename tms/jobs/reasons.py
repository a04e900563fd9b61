"""Reasons in words: why an item waits, was skipped or failed, and why a job or a run ended early or did not start."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.jobs.guards import Hold, Skip
from tms.jobs.models import ItemState, RetryReason

TURN = _("Waits for its turn")
REASONS: Mapping[str, str | Promise] = {
    Hold.OFFLINE: _("Offline; tried again when it is back"),
    Hold.HOURS: _("Waits for the opening hours of its site"),
    Hold.MAINTENANCE: _("Waits for a maintenance window to begin or end"),
    Hold.LAST_LANE: _("Last working lane of an open site"),
    Hold.BUSY: _("Had another dangerous command just now"),
    Hold.MOBILE_LIMIT: _("Would exceed its mobile data of this month"),
    Skip.RETIRED: pgettext_lazy("why an item was skipped", "It is retired"),
    Skip.UNSUPPORTED: _("Does not know this command"),
    Skip.NOT_PERMITTED: _("Its starter may not send this command there"),
    RetryReason.FAILED: _("Answered with an error"),
    RetryReason.NO_ANSWER: _("No answer in time"),
}
WAITS_AGAIN: Mapping[str, str | Promise] = {
    RetryReason.FAILED: _("Answered with an error; tried again soon"),
    RetryReason.NO_ANSWER: _("Did not answer; tried again soon"),
}
WAITED: Mapping[str, str | Promise] = {
    Hold.OFFLINE: _("It was offline"),
    Hold.HOURS: _("The hours of its site did not allow it"),
    Hold.MAINTENANCE: _("Maintenance did not allow it"),
}
"""Why nothing was sent, where the run is over: nobody tries again."""
ENDINGS: Mapping[str, str | Promise] = {
    "permission": pgettext_lazy("why a job ended", "Its starter may not run it any more"),
    "command": pgettext_lazy("why a job ended", "The command was changed or deleted"),
    "failures": pgettext_lazy("why a job ended", "Too many failed"),
    "trial": pgettext_lazy(
        "why a job paused", "It was tried on one terminal. Look at the answer, then resume or cancel it."
    ),
    "query": pgettext_lazy("why a job ended", "The query cannot be read any more"),
    "group": pgettext_lazy("why a job ended", "Its query names a group that does not exist any more"),
    "too_many": pgettext_lazy("why a job ended", "Too many terminals"),
    "grown": pgettext_lazy("why a job ended", "The query selects far more terminals than when it was made"),
    "going": pgettext_lazy("why a job did not start", "The run before had not ended"),
    "late": pgettext_lazy("why a job did not start", "TMS was away, or the job paused, until its time was over"),
}


def item_reason(state: str, reason: str) -> str | Promise:
    """Why an item is in this state; empty if there is nothing to say."""
    if state == ItemState.WAITING:
        return WAITS_AGAIN.get(reason) or REASONS.get(reason, TURN)
    return WAITED.get(reason) or REASONS.get(reason, reason)
