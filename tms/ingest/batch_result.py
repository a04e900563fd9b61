"""What a batch does to the fleet, worked out in memory: the store reads before and writes after. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import UNSET

from tms.alerts.lifecycle import RuleEvent
from tms.commands.services import Answered
from tms.fleet.models import Presence
from tms.fleet.presence import transitions
from tms.fleet.presence.outage_causes import Reboot, Return, returning
from tms.fleet.presence.transitions import Move, Standing, Timing
from tms.ingest.items import Alive, Booted, CommandAnswered, Item, Lost, Noted, Parted, Reported, TakenOver
from tms.protocol import frames

ONLINE = Presence.ONLINE.value

type BootKey = tuple[int, str]
"""(terminal, boot id)"""


@dataclass(slots=True)
class Ledger:
    """The outcome of one batch.

    Items of a session that a newer one replaced are fenced: they change nothing, except for what TMS itself noticed.
    """

    standings: Mapping[int, Standing]
    timing: Timing
    node: str
    changed: set[int] = field(default_factory=set)
    moves: list[Move] = field(default_factory=list)
    returns: dict[int, Return] = field(default_factory=dict)
    """What is known of those moves that are returns, by their place in `moves`."""
    metrics: dict[int, dict[str, float]] = field(default_factory=dict)
    boots: list[Booted] = field(default_factory=list)
    reports: list[Reported] = field(default_factory=list)
    doubtful: list[Reported] = field(default_factory=list)
    """Those of `reports` that may have been kept before; all others are surely new."""
    notes: list[Noted] = field(default_factory=list)
    takeovers: list[TakenOver] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)
    rule_events: list[RuleEvent] = field(default_factory=list)
    fenced: list[Item] = field(default_factory=list)

    def enter(self, items: Sequence[Item]) -> None:
        for item in items:
            standing = self.standings.get(item.link.identity.terminal_id)
            if standing is None or (item.link.number != standing.session and not isinstance(item, Booted | Noted)):
                self.fenced.append(item)
                continue
            self.changed.add(standing.terminal_id)
            if standing.presence == ONLINE:
                ENTRIES[type(item)](self, standing, item)
            else:
                self._enter_of_the_absent(standing, item)

    def _enter_of_the_absent(self, standing: Standing, item: Item) -> None:
        boot = _reboot(item.boot) if isinstance(item, Booted) else None
        back = returning(standing, at=item.at, boot=boot)
        ENTRIES[type(item)](self, standing, item)
        if standing.presence == ONLINE:
            self.returns[len(self.moves) - 1] = back

    def _keep(self, move: Move | None) -> None:
        if move is not None:
            self.moves.append(move)

    def _booted(self, standing: Standing, item: Booted) -> None:
        boot = item.boot
        self._keep(transitions.boot(standing, at=item.at, node=self.node, boot_id=boot.boot_id, timing=self.timing))
        item.link.number = standing.session
        item.link.identity = item.link.identity._replace(model=boot.model or item.link.identity.model)
        self._take_state(standing, boot.full, at=item.at)
        self.boots.append(item)

    def _reported(self, standing: Standing, item: Reported) -> None:
        self.reports.append(item)
        self._number(standing, item)
        report = item.report
        if report.late or report.boot_id is not UNSET:
            self._keep(transitions.hear(standing, at=item.at, timing=self.timing))
            return
        self._keep(transitions.report(standing, at=item.at, timing=self.timing))
        self._take_state(standing, report, at=item.at)
        self.rule_events.extend(item.rule_events)

    def _number(self, standing: Standing, item: Reported) -> None:
        """A standing's `seq` is the highest that was kept of its boot, so a higher one cannot have been."""
        report = item.report
        is_current = report.boot_id is UNSET or report.boot_id == standing.boot_id
        if not is_current or report.seq <= standing.seq:
            self.doubtful.append(item)
        if is_current:
            standing.seq = max(standing.seq, report.seq)

    def _alive(self, standing: Standing, item: Alive) -> None:
        self._keep(transitions.hear(standing, at=item.at, timing=self.timing))
        self.rule_events.extend(item.rule_events)

    def _parted(self, standing: Standing, item: Parted) -> None:
        goodbye = item.goodbye
        back_at = None if goodbye.back_at is UNSET else goodbye.back_at.astimezone(UTC)
        self._keep(
            transitions.bid_goodbye(standing, reason=goodbye.reason, back_at=back_at, at=item.at, timing=self.timing)
        )

    def _lost(self, standing: Standing, item: Lost) -> None:
        self._keep(transitions.lose(standing, cause=item.cause, at=item.at, timing=self.timing))

    def _answered(self, standing: Standing, item: CommandAnswered) -> None:
        self._keep(transitions.hear(standing, at=item.at, timing=self.timing))
        self.answers.append(item.answer)

    def note(self, item: Noted) -> None:
        self.notes.append(item)
        self.rule_events.extend(item.rule_events)

    def _noted(self, standing: Standing, item: Noted) -> None:
        self.note(item)

    def _taken_over(self, standing: Standing, item: TakenOver) -> None:
        self.takeovers.append(item)

    def _take_state(self, standing: Standing, state: frames.State | frames.Report, *, at: datetime) -> None:
        if state.status is not UNSET and state.status != standing.status:
            standing.status, standing.status_at = state.status, at
        if state.metrics is not UNSET:
            self.metrics.setdefault(standing.terminal_id, {}).update(state.metrics)

    def metrics_json(self) -> dict[int, bytes]:
        return {terminal_id: msgspec.json.encode(metrics) for terminal_id, metrics in self.metrics.items()}


def _reboot(boot: frames.Boot) -> Reboot:
    return Reboot(boot.boot_id, boot.uptime_s, boot.last_seq)


ENTRIES: Mapping[type, Callable[[Ledger, Standing, Any], None]] = {
    Booted: Ledger._booted,
    Reported: Ledger._reported,
    Alive: Ledger._alive,
    Parted: Ledger._parted,
    Lost: Ledger._lost,
    CommandAnswered: Ledger._answered,
    Noted: Ledger._noted,
    TakenOver: Ledger._taken_over,
}
