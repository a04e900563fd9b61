"""Which alerts and incidents are viewed on the boards of this process, as reported by the browsers."""

from dataclasses import dataclass

from tms.boards.live.subscriber import Subscriber
from tms.feed.publisher import feed
from tms.feed.viewers import VIEWINGS_TIMEOUT_S, Viewing, strongest


@dataclass(frozen=True, slots=True)
class ViewingUntil:
    viewing: Viewing
    until: float


class ViewerTracker:
    """Publishes every change on the feed."""

    def __init__(self) -> None:
        self._at: dict[Subscriber, ViewingUntil] = {}

    def set_viewing(self, subscriber: Subscriber, viewing: Viewing, *, now: float) -> None:
        self._at[subscriber] = ViewingUntil(viewing, now + VIEWINGS_TIMEOUT_S)
        self._publish()

    def leave(self, subscriber: Subscriber) -> None:
        if self._at.pop(subscriber, None):
            self._publish()

    def expire(self, *, now: float) -> None:
        """Drop viewings that were not renewed: a tab may be suspended without closing anything."""
        for subscriber in [subscriber for subscriber, at in self._at.items() if at.until < now]:
            self.leave(subscriber)

    def _publish(self) -> None:
        feed().announce_viewings(strongest(at.viewing for at in self._at.values()))
