"""A controllable clock for notifications."""

from datetime import datetime, timedelta

from tests.support.builders import AT
from tms.notifications.dispatch import dispatcher, leases, outbox


class DeliveryClock:
    """A clock that advances on demand: at each step the outbox and the workers do what is due."""

    def __init__(self) -> None:
        self.at = AT

    def advance(self, seconds: float = 0, *, step_s: float = 5) -> datetime:
        end = self.at + timedelta(seconds=seconds)
        self.work()
        while self.at < end:
            self.step(min(end, self.at + timedelta(seconds=step_s)))
        return self.at

    def step(self, at: datetime) -> None:
        self.at = at
        self.work()

    def work(self) -> None:
        outbox.advance(self.at)
        leases.reclaim_expired(self.at)
        for destination_id in leases.destinations_due(self.at):
            dispatcher.drain(destination_id, now=lambda: self.at)
