"""The requests that wait for a second person. Boards need them in every pass, but they are rare."""

from datetime import datetime

from tms.approvals.models import ApprovalRequest
from tms.feed.cache import FeedCache
from tms.feed.change import Change
from tms.lib.per_process import per_process


class ApprovalCache(FeedCache[str, [datetime]]):
    def is_relevant(self, change: Change) -> bool:
        return change.approvals or change.everything

    def load(self, at: datetime) -> str:
        """Their numbers, separated by spaces: a board that shows another text reads the requests of its person."""
        waiting = ApprovalRequest.objects.waiting(at).order_by("pk").values_list("pk", flat=True)
        return " ".join(map(str, waiting))


@per_process
def approval_cache() -> ApprovalCache:
    """The waiting requests, cached by this process."""
    return ApprovalCache()
