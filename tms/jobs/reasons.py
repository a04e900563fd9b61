"""Texts for people: why a job or a run is as it is."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

OF_EVENTS: Mapping[str, str | Promise] = {
    "permission": _("The person who started it may not do so any more."),
    "command": _("The command was deleted, or takes other arguments now."),
    "going": _("The run before had not ended."),
    "late": _("TMS was away, or the job paused, until its time was over."),
    "query": _("The query is not valid any more: a field was deleted."),
    "too_many": _("The query selects too many terminals."),
}
"""By the reason of a job, run or event."""
