"""The cause of an outage, derived from the first boot and reports after it. Pure.

| the terminal returns with       | and                                                       | cause           |
|---------------------------------|-----------------------------------------------------------|-----------------|
| anything, after a goodbye       |                                                           | planned         |
| the same link                   | TMS had received its frames in time, but stored them late | server          |
| the same link                   | it had sent nothing                                       | application     |
| a poll                          |                                                           | unclear         |
| the same boot                   | a node of TMS had dropped it, and it returned at once     | server          |
| the same boot                   | it continued to make reports, or never makes any          | network         |
| the same boot                   | it made no reports, although it usually does              | unclear         |
| another boot                    | the former one sent reports of the outage                 | network         |
| another boot                    | the device started after its last frame                   | power or reboot |
| another boot                    | the device was running all the time                       | application     |
| another boot                    | it does not report the uptime of the device               | unclear         |
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tms.fleet.models import CAUSED_BY_TMS, Cause, Presence
from tms.fleet.models.outage import OutageCause
from tms.fleet.presence.state_machine import LinkState, Timing

GOODBYES = frozenset({Cause.REBOOT, Cause.UPDATE, Cause.CLOSING, Cause.SHUTDOWN})
WENT_ON = 2
"""A former boot with this many later reports continued without a link; one may have been in transit when the device
died.
"""
REPORTS_REGULARLY_S = 3.0
"""Heartbeats within which a terminal that reports at all makes a report."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Seconds and counts; None if unknown."""

    lost_by: str
    away_s: float
    silent_s: float
    """Time since the last frame: at least as long as the outage."""
    has_restarted: bool | None
    """Whether the device restarted. None: no boot was needed, because its link had never ended."""
    offline_s: float | None = None
    """Time since it became offline, if it did."""
    uptime_s: float | None = None
    reports_made: int | None = None
    has_ever_reported: bool = False
    was_stored_late: bool = False
    is_poll: bool = False
    """It has no link, and polls."""


@dataclass(frozen=True, slots=True)
class Reboot:
    """What a boot reported."""

    boot_id: str
    uptime_s: float
    last_seq: int


@dataclass(frozen=True, slots=True)
class Return:
    """The evidence when a terminal is online again: its link state until then, and the boot with which it returned, if
    any.
    """

    terminal_id: int
    at: datetime
    was: str
    was_since: datetime | None
    last_seen_at: datetime | None
    boot_id: str
    seq: int
    boot: Reboot | None
    is_poll: bool = False

    @property
    def has_restarted(self) -> bool | None:
        return None if self.boot is None else self.boot.boot_id != self.boot_id

    @property
    def offline_at(self) -> datetime | None:
        return self.was_since if self.was == Presence.OFFLINE else None

    @property
    def uptime_s(self) -> float | None:
        """A boot without this information reports 0."""
        return self.boot.uptime_s if self.boot and self.boot.uptime_s > 0 else None

    @property
    def reports_made(self) -> int | None:
        if self.boot is None or self.has_restarted or not self.boot.last_seq:
            return None
        return max(0, self.boot.last_seq - self.seq)

    def evidence(self, *, lost_by: str, began_at: datetime) -> Evidence:
        last_frame_at = self.last_seen_at or began_at
        return Evidence(
            lost_by=lost_by,
            away_s=seconds(self.at - began_at),
            silent_s=seconds(self.at - min(last_frame_at, began_at)),
            has_restarted=self.has_restarted,
            offline_s=seconds(self.at - self.offline_at) if self.offline_at else None,
            uptime_s=self.uptime_s,
            reports_made=self.reports_made,
            has_ever_reported=self.seq > 0,
            was_stored_late=self.boot is None and self.was_since is not None and self.at < self.was_since,
            is_poll=self.is_poll,
        )


def seconds(span: timedelta) -> float:
    return max(0.0, span.total_seconds())


def returning(link_state: LinkState, *, at: datetime, boot: Reboot | None, is_poll: bool = False) -> Return:
    """Call it with the link state before the return."""
    return Return(
        terminal_id=link_state.terminal_id,
        at=at,
        was=link_state.presence,
        was_since=link_state.presence_at,
        last_seen_at=link_state.last_seen_at,
        boot_id=link_state.boot_id,
        seq=link_state.seq,
        boot=boot,
        is_poll=is_poll,
    )


def cause_of(evidence: Evidence, *, timing: Timing) -> OutageCause:
    """See the table above."""
    if evidence.lost_by in GOODBYES:
        return OutageCause.PLANNED
    if evidence.is_poll:
        return OutageCause.UNCLEAR
    if evidence.has_restarted is None:
        return OutageCause.SERVER if evidence.was_stored_late else OutageCause.APPLICATION
    if evidence.has_restarted:
        return _of_another_boot(evidence)
    return _of_the_same_boot(evidence, timing)


def corrected(cause: str, *, lost_by: str, has_restarted: bool | None, sent_by_former_boot: int) -> str:
    """The cause once the late reports have arrived: a terminal that continued without a link lost the network."""
    if has_restarted and lost_by not in GOODBYES | CAUSED_BY_TMS and sent_by_former_boot >= WENT_ON:
        return OutageCause.NETWORK.value
    return cause


def _of_the_same_boot(evidence: Evidence, timing: Timing) -> OutageCause:
    # Twice the grace: a terminal that needs longer was prevented by something else.
    if evidence.lost_by in CAUSED_BY_TMS and (evidence.offline_s or 0.0) <= timing.reconnect_grace_s:
        return OutageCause.SERVER
    is_long = evidence.away_s >= REPORTS_REGULARLY_S * timing.heartbeat_s
    if is_long and evidence.has_ever_reported and evidence.reports_made == 0:
        return OutageCause.UNCLEAR
    return OutageCause.NETWORK


def _of_another_boot(evidence: Evidence) -> OutageCause:
    if evidence.uptime_s is None:
        return OutageCause.UNCLEAR
    return OutageCause.POWER if evidence.uptime_s < evidence.silent_s else OutageCause.APPLICATION
