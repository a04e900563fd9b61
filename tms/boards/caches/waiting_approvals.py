"""The requests that wait for a second person. Boards need them in every pass, but they are rare."""

from datetime import datetime

from django.utils.crypto import salted_hmac

from tms.approvals.models import ApprovalRequest
from tms.feed.cache import FeedCache
from tms.feed.change import Change
from tms.lib.per_process import per_process

LENGTH = 16


class ApprovalCache(FeedCache[str, [datetime]]):
    def is_relevant(self, change: Change) -> bool:
        return change.approvals or change.everything

    def load(self, at: datetime) -> str:
        """A board that shows another text reads the requests of its person. Empty if there is none.

        All boards get it, so it reveals neither how many requests there are nor which.
        """
        waiting = ApprovalRequest.objects.waiting(at).order_by("pk").values_list("pk", flat=True)
        numbers = " ".join(map(str, waiting))
        return salted_hmac(__name__, numbers, algorithm="sha256").hexdigest()[:LENGTH] if numbers else ""


@per_process
def approval_cache() -> ApprovalCache:
    """The waiting requests, cached by this process."""
    return ApprovalCache()
