"""Every loop of the clock, with its interval and its lane."""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from tms.accounts import inactivity
from tms.accounts.audit import anchors, monitor, sealing
from tms.accounts.audit import retention as audit_retention
from tms.alerts import correlation, lifecycle
from tms.alerts.lifecycle import firmware
from tms.alerts.maintenance import services as maintenance_services
from tms.alerts.suppression import at_open
from tms.approvals import services as approvals
from tms.artifacts import uploads as artifact_uploads
from tms.availability.rollup import services as availability
from tms.clock import leader
from tms.clock.node_watch import NodeWatch
from tms.clock.presence_sweep import sweep
from tms.commands import services as commands
from tms.configuration import moves as configuration_moves
from tms.files import retention as file_retention
from tms.fleet.devices import placements
from tms.fleet.enrolment.watcher import EnrolmentWatcher
from tms.fleet.groups import dynamic
from tms.fleet.sites.hours_watcher import SiteHoursWatcher
from tms.jobs import runner as job_runner
from tms.jobs import starting as job_starting
from tms.lib.db.jobs import OccasionalPass, skip_when_empty, with_rows
from tms.notifications import job_notices, rollout_notices
from tms.notifications.deliveries.retention import delete_old_deliveries
from tms.notifications.dispatch import leases, outbox
from tms.notifications.dispatch.dispatcher import Dispatcher
from tms.notifications.fleet_events import services as fleet_events
from tms.notifications.models.delivery import Delivery
from tms.notifications.planned.digests import services as digest_services
from tms.notifications.planned.reports import services as report_services
from tms.ops import purge
from tms.ops.health import heartbeats
from tms.ops.slo import recorder
from tms.replay import snapshots
from tms.replay.density import counting
from tms.rollouts import runner as rollout_runner
from tms.rollouts import starting as rollout_starting
from tms.rollouts import stop_rule
from tms.rollouts.watching import faults
from tms.telemetry.rollups import backfill, hourly
from tms.telemetry.storage import partitions, retention
from tms.transfer import running as imports


class Lane(Enum):
    """Loops of one lane run in turn. The value is the key of the advisory lock that elects its leader."""

    PROMPT = leader.LOCK
    SLOW = 0x746D73_736C6F77
    """The ASCII text "tmsslow"."""
    NOTIFICATIONS = 0x746D73_706F7374
    """The ASCII text "tmspost"."""


STALLED_AFTER_S = {Lane.PROMPT: 20.0, Lane.SLOW: 900.0, Lane.NOTIFICATIONS: 20.0}
"""A loop without a success for this long is stalled. In the slow lane one pass may take minutes while the others wait.
"""


class Loop(NamedTuple):
    """A job that runs every `interval_s` in the thread of its lane."""

    name: str
    interval_s: float
    work: Callable[[datetime], object]
    lane: Lane = Lane.PROMPT

    @property
    def is_occasional(self) -> bool:
        """Whether it mostly finds nothing to do, which a query shows."""
        return isinstance(self.work, OccasionalPass)

    def run(self, at: datetime, *, is_checked: bool) -> None:
        """`is_checked`: it has been found to have something to do, and need not ask again."""
        work = self.work.work if is_checked and isinstance(self.work, OccasionalPass) else self.work
        work(at)

    @property
    def limit_s(self) -> float:
        """Age of the last success at which the loop counts as stalled."""
        return max(STALLED_AFTER_S[self.lane], 3 * self.interval_s)


LOOPS: tuple[Loop, ...] = (
    Loop("sweep", 0.5, sweep),
    Loop("open_pending", 0.5, lifecycle.open_pending),
    Loop("correlate", 0.5, correlation.correlate),
    Loop("expire_events", 1.0, lifecycle.expire_events),
    Loop("flapping", 1.0, lifecycle.expire_flapping),
    Loop("claims", 1.0, lifecycle.expire_claims),
    Loop("contracts", 1.0, lifecycle.expire),
    Loop("reminders", 10.0, lifecycle.remind),
    Loop("nodes", 1.0, NodeWatch().as_pass()),
    Loop("maintenance", 1.0, maintenance_services.roll_over),
    Loop("expire_commands", 1.0, commands.expire),
    Loop("jobs", job_runner.PASS_S, job_runner.advance),
    Loop("rollouts", rollout_runner.PASS_S, rollout_runner.run),
    Loop("approvals", 1.0, approvals.expire),
    Loop("seal_audit", 1.0, sealing.seal),
    Loop("heartbeat", 2.0, lambda at: heartbeats.record(heartbeats.CLOCK, at=at)),
    Loop("enrolments", 1.0, EnrolmentWatcher().publish_new),
    Loop("devices", 600.0, placements.adopt, Lane.SLOW),
    Loop("dynamic_groups", 60.0, dynamic.evaluate_due, Lane.SLOW),
    Loop("configuration_moves", configuration_moves.PASS_S, configuration_moves.follow_moves, Lane.SLOW),
    Loop("job_starts", 1.0, job_starting.start_due, Lane.SLOW),
    Loop("rollout_effects", 60.0, stop_rule.watch, Lane.SLOW),
    Loop("terminal_faults", 60.0, faults.follow, Lane.SLOW),
    Loop("rollout_incidents", 60.0, stop_rule.link_incidents, Lane.SLOW),
    Loop("rollout_late", 600.0, rollout_starting.add_all_late, Lane.SLOW),
    Loop("imports", 1.0, imports.advance, Lane.SLOW),
    Loop("artifact_uploads", 0.5, artifact_uploads.advance, Lane.SLOW),
    Loop("files", 30.0, file_retention.tidy, Lane.SLOW),
    Loop("partition", 300.0, partitions.maintain, Lane.SLOW),
    Loop("firmware", 30.0, firmware.follow_all, Lane.SLOW),
    Loop("suppressed", 2.0, at_open.record_suppressed_at_open, Lane.SLOW),
    Loop("count_backfill", 3.0, backfill.count, Lane.SLOW),
    Loop("roll_up", 2.0, hourly.advance, Lane.SLOW),
    Loop("availability", 30.0, availability.advance, Lane.SLOW),
    Loop("snapshots", 60.0, snapshots.advance, Lane.SLOW),
    Loop("density", 60.0, counting.advance, Lane.SLOW),
    Loop("retention", 3600.0, retention.retire, Lane.SLOW),
    Loop("site_hours", 2.0, SiteHoursWatcher().notify_changes, Lane.SLOW),
    Loop("purge_deliveries", 3600.0, delete_old_deliveries, Lane.SLOW),
    Loop("purge", 3600.0, purge.purge, Lane.SLOW),
    Loop("purge_loops", 600.0, lambda at: purge.purge_loops([loop.name for loop in LOOPS]), Lane.SLOW),
    Loop("purge_slo", 3600.0, recorder.purge, Lane.SLOW),
    Loop("verify_audit", 300.0, monitor.verify_some, Lane.SLOW),
    Loop("anchor_audit", 60.0, anchors.write_due, Lane.SLOW),
    Loop("purge_audit", 3600.0, audit_retention.purge, Lane.SLOW),
    Loop("inactive_accounts", 3600.0, inactivity.review, Lane.SLOW),
    Loop("reports", 30.0, report_services.send_due, Lane.NOTIFICATIONS),
    Loop("digests", 5.0, digest_services.send_due, Lane.NOTIFICATIONS),
    Loop("fleet_events", 1.0, fleet_events.publish_new, Lane.NOTIFICATIONS),
    Loop("job_notices", 1.0, job_notices.send_due, Lane.NOTIFICATIONS),
    Loop("rollout_notices", 1.0, rollout_notices.send_due, Lane.NOTIFICATIONS),
    Loop("outbox", 0.5, outbox.advance, Lane.NOTIFICATIONS),
    Loop("dispatch", 0.5, skip_when_empty(Delivery.objects.due)(Dispatcher().dispatch), Lane.NOTIFICATIONS),
    Loop("reclaim_leases", 5.0, leases.reclaim_expired, Lane.NOTIFICATIONS),
)


class Checked(NamedTuple):
    """Names of loops that mostly have nothing to do."""

    idle: frozenset[str] = frozenset()
    """The loops that have nothing to do. That holds until one of the others does something."""
    busy: frozenset[str] = frozenset()


def check(loops: Sequence[Loop], at: datetime) -> Checked:
    """Which of the occasional loops have something to do, by one statement."""
    passes = {loop.name: loop.work for loop in loops if isinstance(loop.work, OccasionalPass)}
    busy = with_rows(passes.values(), at)
    without_rows = {name: work for name, work in passes.items() if work not in busy}
    for work in without_rows.values():
        work.when_idle()
    return Checked(frozenset(without_rows), frozenset(passes.keys() - without_rows.keys()))
