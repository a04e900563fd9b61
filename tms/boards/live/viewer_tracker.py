"""What the people before this process's boards are at: as their browsers say it, for as long as they say it."""

from dataclasses import dataclass

from tms.boards.live.subscriber import Subscriber
from tms.feed.publisher import feed
from tms.feed.viewers import FORGET_AFTER_S, Viewing, strongest


@dataclass(frozen=True, slots=True)
class ViewingUntil:
    viewing: Viewing
    until: float


class ViewerTracker:
    """The feed tells it to every process."""

    def __init__(self) -> None:
        self._at: dict[Subscriber, ViewingUntil] = {}

    def set_viewing(self, subscriber: Subscriber, viewing: Viewing, *, now: float) -> None:
        self._at[subscriber] = ViewingUntil(viewing, now + FORGET_AFTER_S)
        self._tell()

    def leave(self, subscriber: Subscriber) -> None:
        if self._at.pop(subscriber, None):
            self._tell()

    def lapse(self, *, now: float) -> None:
        """Forget the browsers that have fallen silent: a tab may sleep without closing anything."""
        for subscriber in [subscriber for subscriber, at in self._at.items() if at.until < now]:
            self.leave(subscriber)

    def _tell(self) -> None:
        feed.announce_viewings(strongest(at.viewing for at in self._at.values()))
