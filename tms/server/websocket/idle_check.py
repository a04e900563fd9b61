"""Detects half-open links: pings distinguish a lost peer from one that has nothing to send."""

from tms.server.flow import Event, Flow

PING = b"tms"


class Silence:
    """When a link last received something, and what to do about it."""

    received_at = 0.0
    ping_sent: float | None = None
    silent_s = 0.0
    """How long a peer that was dropped for its silence had sent nothing: about so long ago it was lost."""
    reading_paused: bool

    def send_ping(self) -> None:
        raise NotImplementedError

    def drop(self, why: Event) -> None:
        raise NotImplementedError

    def listened(self, now: float, flow: Flow) -> float | None:
        """Ping a silent peer, drop one that stays silent; returns when to check again."""
        if self.ping_sent is not None:
            if self.received_at < self.ping_sent and not self.reading_paused:
                return self.overdue(self.ping_sent + flow.ping_timeout, now)
            self.ping_sent = None
        if now < self.received_at + flow.ping_interval:
            return self.received_at + flow.ping_interval
        self.ping_sent = now
        self.send_ping()
        return now + flow.ping_timeout

    def overdue(self, deadline: float, now: float) -> float | None:
        if now < deadline:
            return deadline
        self.silent_s = now - self.received_at
        self.drop("ping_timeout")
        return None
