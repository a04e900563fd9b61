"""How a terminal's presence changes. Pure: the instant is passed in, nothing is read or written.

The callers lock the rows first (`tms.fleet.presence.store`), so two processes never decide about one terminal at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from tms.fleet.models import CAUSED_BY_TMS, Cause, Presence


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds; see the settings of the same names."""

    heartbeat_s: float
    lease_grace_s: float
    offline_after_s: float
    reboot_allowance_s: float
    reconnect_grace_s: float
    longest_goodbye_s: float

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.heartbeat_s + self.lease_grace_s)


class LinkState(msgspec.Struct):
    """The part of a `TerminalState` row that decides about presence."""

    terminal_id: int
    presence: str
    presence_at: datetime | None
    cause: str
    back_at: datetime | None
    due_at: datetime | None
    lease_at: datetime | None
    last_seen_at: datetime | None
    session: int
    node: str
    boot_id: str
    seq: int
    status: str
    status_at: datetime | None

    @property
    def has_left(self) -> bool:
        """Whether it said goodbye, and its announced return is not overdue."""
        return self.presence in AWAY or self.cause == Cause.SHUTDOWN


@dataclass(frozen=True, slots=True)
class LinkStateChange:
    """One change of presence."""

    terminal_id: int
    at: datetime
    before: str
    presence: str
    cause: str
    back_at: datetime | None
    session: int
    since: datetime | None = None
    """When it happened, as far as known; `at` is when TMS noticed."""
    node: str = ""
    """The node of the link."""


AWAY = frozenset({Presence.REBOOTING, Presence.CLOSED})
REASONS = {
    "reboot": (Presence.REBOOTING, Cause.REBOOT),
    "update": (Presence.REBOOTING, Cause.UPDATE),
    "closing": (Presence.CLOSED, Cause.CLOSING),
    "shutdown": (Presence.OFFLINE, Cause.SHUTDOWN),
}


def boot(link_state: LinkState, *, at: datetime, node: str, boot_id: str, timing: Timing) -> LinkStateChange | None:
    """A new session begins; older sessions of this terminal are fenced from now on."""
    link_state.session += 1
    link_state.node = node
    if link_state.boot_id != boot_id:
        link_state.boot_id, link_state.seq = boot_id, 0
    return report(link_state, at=at, timing=timing)


def renew_lease(link_state: LinkState, *, at: datetime, timing: Timing) -> LinkStateChange | None:
    """Any frame renews the lease, but frames after a goodbye do not cancel it."""
    if link_state.has_left:
        link_state.last_seen_at = at
        return None
    return report(link_state, at=at, timing=timing)


def report(link_state: LinkState, *, at: datetime, timing: Timing) -> LinkStateChange | None:
    """A current report: the terminal is online, also after a goodbye."""
    link_state.last_seen_at = at
    link_state.lease_at = at + timing.lease
    if link_state.presence == Presence.ONLINE:
        return None
    return _change(link_state, Presence.ONLINE, Cause.NONE, at=at, due_at=link_state.lease_at)


def bid_goodbye(
    link_state: LinkState, *, reason: str, back_at: datetime | None, at: datetime, timing: Timing
) -> LinkStateChange | None:
    """The coming silence is expected, but not without limit. A return time in the past does not count."""
    presence, cause = REASONS[reason]
    latest = at + timedelta(seconds=timing.longest_goodbye_s)
    expected_at = min(back_at, latest) if back_at is not None and back_at > at else None
    if presence is Presence.OFFLINE and expected_at:
        presence = Presence.CLOSED
    if presence is Presence.REBOOTING and expected_at is None:
        expected_at = at + timedelta(seconds=timing.reboot_allowance_s)
    link_state.last_seen_at = at
    due_at = expected_at or (latest if presence in AWAY else None)
    return _change(link_state, presence, cause, at=at, due_at=due_at, back_at=expected_at)


def lose(
    link_state: LinkState, *, cause: Cause, at: datetime, timing: Timing, since: datetime | None = None
) -> LinkStateChange | None:
    """The link closed, at `since` if known. After a goodbye that was expected and changes nothing."""
    if link_state.presence != Presence.ONLINE:
        return None
    grace = timing.reconnect_grace_s if cause in CAUSED_BY_TMS else timing.offline_after_s
    if since is not None and link_state.last_seen_at is not None:
        since = max(since, link_state.last_seen_at)
    return _change(link_state, Presence.SILENT, cause, at=at, due_at=at + timedelta(seconds=grace), since=since)


def sweep(link_state: LinkState, *, at: datetime, timing: Timing) -> LinkStateChange | None:
    """What happens when a terminal is due: a renewed lease is extended; else it becomes silent, then offline."""
    if link_state.due_at is None or link_state.due_at > at:
        return None
    if link_state.presence == Presence.ONLINE:
        if link_state.lease_at is not None and link_state.lease_at > at:
            link_state.due_at = link_state.lease_at
            return None
        due_at = at + timedelta(seconds=timing.offline_after_s)
        since = link_state.last_seen_at
        return _change(link_state, Presence.SILENT, Cause.LEASE_RAN_OUT, at=at, due_at=due_at, since=since)
    cause = Cause.DID_NOT_RETURN if link_state.presence in AWAY else Cause(link_state.cause)
    return _change(link_state, Presence.OFFLINE, cause, at=at, due_at=None)


def _change(
    link_state: LinkState,
    presence: Presence,
    cause: Cause,
    *,
    at: datetime,
    due_at: datetime | None,
    back_at: datetime | None = None,
    since: datetime | None = None,
) -> LinkStateChange | None:
    before, unchanged = link_state.presence, link_state.presence == presence.value
    link_state.presence, link_state.cause = presence.value, cause.value
    link_state.due_at, link_state.back_at = due_at, back_at
    if unchanged:
        return None
    # A flush that waited for the database reports earlier events than the sweep: history stays in order.
    noticed_at = link_state.presence_at = max(at, link_state.presence_at or at)
    return LinkStateChange(
        link_state.terminal_id,
        noticed_at,
        before,
        presence.value,
        cause.value,
        back_at,
        link_state.session,
        since=min(since, noticed_at) if since else None,
        node=link_state.node,
    )
