"""What a batch changes, computed in memory: the transaction reads before and writes afterwards. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import UNSET

from tms.alerts.lifecycle import RuleEvent
from tms.commands.services import CommandProgress
from tms.fleet.models import Presence
from tms.fleet.presence import state_machine
from tms.fleet.presence.outage_causes import Reboot, Return, returning
from tms.fleet.presence.state_machine import LinkState, LinkStateChange, Timing
from tms.ingest.items import Alive, Booted, CommandAnswered, Item, Lost, Noted, Parted, Progressed, Reported, TakenOver
from tms.protocol import frames

ONLINE = Presence.ONLINE.value


@dataclass(slots=True)
class BatchResult:
    """The result of one batch.

    Items of a session that a newer one replaced are fenced: they change nothing, except for events of TMS itself.
    """

    link_states: Mapping[int, LinkState]
    timing: Timing
    node: str
    changed: set[int] = field(default_factory=set)
    other_status: set[int] = field(default_factory=set)
    """The terminals among `changed` whose status changed."""
    link_changes: list[LinkStateChange] = field(default_factory=list)
    returns: dict[int, Return] = field(default_factory=dict)
    """Details of the link changes that are returns, by their index in `link_changes`."""
    metrics: dict[int, dict[str, float]] = field(default_factory=dict)
    boots: list[Booted] = field(default_factory=list)
    reports: list[Reported] = field(default_factory=list)
    doubtful: list[Reported] = field(default_factory=list)
    """The `reports` that may already be stored; all others are new."""
    notes: list[Noted] = field(default_factory=list)
    takeovers: list[TakenOver] = field(default_factory=list)
    answers: list[CommandAnswered] = field(default_factory=list)
    progress: list[CommandProgress] = field(default_factory=list)
    rule_events: list[RuleEvent] = field(default_factory=list)
    fenced: list[Item] = field(default_factory=list)

    def add(self, items: Sequence[Item]) -> None:
        for item in items:
            link_state = self.link_states.get(item.link.identity.terminal_id)
            if link_state is None or (item.link.number != link_state.session and not isinstance(item, Booted | Noted)):
                self.fenced.append(item)
                continue
            self.changed.add(link_state.terminal_id)
            if link_state.presence == ONLINE:
                HANDLERS[type(item)](self, link_state, item)
            else:
                self._add_of_absent_terminal(link_state, item)

    def _add_of_absent_terminal(self, link_state: LinkState, item: Item) -> None:
        boot = _reboot(item.boot) if isinstance(item, Booted) else None
        returned = returning(link_state, at=item.at, boot=boot)
        HANDLERS[type(item)](self, link_state, item)
        if link_state.presence == ONLINE:
            self.returns[len(self.link_changes) - 1] = returned

    def _add_change(self, change: LinkStateChange | None) -> None:
        if change is not None:
            self.link_changes.append(change)

    def _add_boot(self, link_state: LinkState, item: Booted) -> None:
        boot = item.boot
        self._add_change(
            state_machine.boot(link_state, at=item.at, node=self.node, boot_id=boot.boot_id, timing=self.timing)
        )
        item.link.number = link_state.session
        if boot.model and boot.model != item.link.identity.model:
            item.link.identity = item.link.identity._replace(model=boot.model)
        self._apply_state(link_state, boot.full, at=item.at)
        self.boots.append(item)

    def _add_report(self, link_state: LinkState, item: Reported) -> None:
        self.reports.append(item)
        self._number(link_state, item)
        report = item.report
        if report.late or report.boot_id is not UNSET:
            self._add_change(state_machine.renew_lease(link_state, at=item.at, timing=self.timing))
            return
        self._add_change(state_machine.report(link_state, at=item.at, timing=self.timing))
        self._apply_state(link_state, report, at=item.at)
        self.rule_events.extend(item.rule_events)

    def _number(self, link_state: LinkState, item: Reported) -> None:
        """`seq` of a link state is the highest stored one of its boot, so a higher one is new."""
        report = item.report
        is_current = report.boot_id is UNSET or report.boot_id == link_state.boot_id
        if not is_current or report.seq <= link_state.seq:
            self.doubtful.append(item)
        if is_current:
            link_state.seq = max(link_state.seq, report.seq)

    def _renew(self, link_state: LinkState, item: Alive) -> None:
        self._add_change(state_machine.renew_lease(link_state, at=item.at, timing=self.timing))
        self.rule_events.extend(item.rule_events)

    def _add_goodbye(self, link_state: LinkState, item: Parted) -> None:
        goodbye = item.goodbye
        back_at = None if goodbye.back_at is UNSET else goodbye.back_at.astimezone(UTC)
        self._add_change(
            state_machine.bid_goodbye(
                link_state, reason=goodbye.reason, back_at=back_at, at=item.at, timing=self.timing
            )
        )

    def _lose(self, link_state: LinkState, item: Lost) -> None:
        self._add_change(
            state_machine.lose(link_state, cause=item.cause, at=item.at, timing=self.timing, since=item.since)
        )

    def _add_answer(self, link_state: LinkState, item: CommandAnswered) -> None:
        self._add_change(state_machine.renew_lease(link_state, at=item.at, timing=self.timing))
        self.answers.append(item)

    def _add_progress(self, link_state: LinkState, item: Progressed) -> None:
        self._add_change(state_machine.renew_lease(link_state, at=item.at, timing=self.timing))
        self.progress.append(item.progress)

    def note(self, item: Noted) -> None:
        self.notes.append(item)
        self.rule_events.extend(item.rule_events)

    def _add_note(self, link_state: LinkState, item: Noted) -> None:
        self.note(item)

    def _taken_over(self, link_state: LinkState, item: TakenOver) -> None:
        self.takeovers.append(item)

    def _apply_state(
        self, link_state: LinkState, state: frames.FullState | frames.ReportFrame, *, at: datetime
    ) -> None:
        if state.status is not UNSET and state.status != link_state.status:
            link_state.status, link_state.status_at = state.status, at
            self.other_status.add(link_state.terminal_id)
        if state.metrics is not UNSET:
            self.metrics.setdefault(link_state.terminal_id, {}).update(state.metrics)

    def metrics_json(self) -> dict[int, bytes]:
        return {terminal_id: msgspec.json.encode(metrics) for terminal_id, metrics in self.metrics.items()}


def _reboot(boot: frames.BootFrame) -> Reboot:
    return Reboot(boot.boot_id, boot.uptime_s, boot.last_seq)


HANDLERS: Mapping[type, Callable[[BatchResult, LinkState, Any], None]] = {
    Booted: BatchResult._add_boot,
    Reported: BatchResult._add_report,
    Alive: BatchResult._renew,
    Parted: BatchResult._add_goodbye,
    Lost: BatchResult._lose,
    CommandAnswered: BatchResult._add_answer,
    Progressed: BatchResult._add_progress,
    Noted: BatchResult._add_note,
    TakenOver: BatchResult._taken_over,
}
