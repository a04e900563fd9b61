"""Advances the runs of jobs: takes answers, asks the guards, sends, and ends what is over.

A pass works on one run in one transaction, with its job locked. An item becomes sent in the transaction that creates
its command, and only if it was waiting: whenever a process dies, either both are stored or neither. A command that was
not delivered within seconds expires without having been sent, and its item waits again: what the guards answered must
not be used later.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Self

import msgspec
from django.db.models import F, Q, QuerySet

from tms.accounts.models import User
from tms.alerts.maintenance import coverage as maintenance
from tms.alerts.models import Alert
from tms.commands import catalogue
from tms.commands import services as commands
from tms.commands.kinds import CATALOG, CHANGES, CommandSpec
from tms.commands.models import Command, CommandDefinition, CommandState, Danger
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import Presence, Site, Terminal
from tms.fleet.sites.calendar import hours_of
from tms.jobs import services
from tms.jobs.failures import FAILING_PCT, MIN_OUTCOMES, is_above, must_stop
from tms.jobs.guards import Chooser, Hold, JobLimits, Lane, SendCandidate, SendDecision, Situation
from tms.jobs.models import OPEN, Item, ItemState, Job, JobEventKind, JobHours, JobRun, JobState, RetryReason
from tms.jobs.starting import sender_of
from tms.lib.db import rows as db_rows
from tms.lib.db.jobs import skip_when_empty
from tms.lib.per_process import per_process
from tms.lib.set_aside import SetAside, isolate
from tms.lib.severity import Severity

RUNS_A_PASS = 20
PASS_S = 0.5
CANDIDATES = 150
"""Waiting items that a pass looks at: 300 a second. More would keep the other loops of the lane waiting."""
ANSWERS = 1_000
DELIVER_WITHIN_S = 20.0
SETTLES_IN = timedelta(seconds=60)
"""How long a terminal counts as away after a dangerous command was done: its goodbye follows the answer."""
CHECK_AGAIN = {
    Hold.OFFLINE: timedelta(seconds=15),
    Hold.HOURS: timedelta(seconds=60),
    Hold.MAINTENANCE: timedelta(seconds=60),
    Hold.LAST_LANE: timedelta(seconds=10),
    Hold.BUSY: timedelta(seconds=10),
    Hold.MOBILE_LIMIT: timedelta(hours=1),
}
ACTIVE_COMMANDS = (CommandState.QUEUED, CommandState.SENT)

not_advanced = SetAside[int]("jobs")


class QueuedRow(msgspec.Struct, frozen=True, gc=False):
    id: int
    command_id: int


class SettledRow(msgspec.Struct, frozen=True, gc=False):
    id: int
    state: str
    reason: str
    not_before: datetime
    attempts: int
    ended_at: datetime | None
    error: str

    @classmethod
    def of(cls, item: Item) -> Self:
        values = (item.state, item.reason, item.not_before, item.attempts, item.ended_at, item.error)
        return cls(item.pk, *values)


class Turns:
    """Whose turn it is. Runs that are paused or wait for their sites go on for hours, and must not keep others waiting:
    each pass takes those behind the last one of the pass before.
    """

    def __init__(self) -> None:
        self._last = 0

    def take(self, going: Sequence[int]) -> list[int]:
        """`going`: primary keys in their order."""
        begin = bisect_right(going, self._last)
        found = [*going[begin:], *going[:begin]][:RUNS_A_PASS]
        self._last = found[-1] if found else 0
        return found


@per_process
def turns() -> Turns:
    return Turns()


@skip_when_empty(lambda at: JobRun.objects.going())
def advance(at: datetime) -> int:
    """A pass of the clock. Returns how many items changed."""
    # No more than there are open jobs: `MAX_OPEN_JOBS`.
    going = JobRun.objects.going().exclude(pk__in=not_advanced.keys(at)).order_by("pk")
    pks = turns().take(list(going.values_list("pk", flat=True)))
    return sum(isolate([pk], lambda one: _advance(one[0], at), aside=not_advanced, at=at) for pk in pks)


def _advance(pk: int, at: datetime) -> int:
    """Call it in a transaction."""
    # `of`: the job only. Who pauses or cancels it waits for this, and this for them.
    locked = Job.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
    job = locked.filter(runs=pk).first()
    run = JobRun.objects.going().filter(pk=pk).first()
    if job is None or run is None:
        return 0
    changed = _take_answers(run, job, at)
    if run.until <= at:
        changed += _waiting(run).update(state=ItemState.EXPIRED, ended_at=at)
    elif job.state == JobState.ACTIVE:
        changed += _send(run, job, at)
    _end(run, job, at)
    return changed


def _take_answers(run: JobRun, job: Job, at: datetime) -> int:
    """The outcome of each item whose command is over."""
    sent = Item.objects.filter(run=run, state=ItemState.SENT).filter(
        Q(command=None) | ~Q(command__state__in=ACTIVE_COMMANDS)
    )
    found = list(sent.select_related("command")[:ANSWERS])
    is_on_trial = services.is_on_trial(job)
    for item in found:
        _settle(item, job, at, may_retry=not is_on_trial)
    db_rows.update(Item, [SettledRow.of(item) for item in found])
    if any(item.state == ItemState.FAILED for item in found):
        _judge(run, job, at)
    if found and is_on_trial:
        _end_trial(run, job, at)
    return len(found)


def _judge(run: JobRun, job: Job, at: datetime) -> None:
    """Stop a job that fails too often, or say so once for a run."""
    counts = services.counts_of([run.pk])[run.pk]
    if job.state in OPEN and must_stop(job, counts):
        services.end(job, JobState.STOPPED, at=at, reason="failures")
        job.state = JobState.STOPPED
    elif is_above(FAILING_PCT, counts, after=MIN_OUTCOMES):
        services.record_event(JobEventKind.FAILING, job, run, at=at)


def _end_trial(run: JobRun, job: Job, at: datetime) -> None:
    """Pause the job once the terminal that it is tried on has answered, unless it was the only one."""
    counts = services.counts_of([run.pk])[run.pk]
    has_answer = ItemState.DONE in counts or ItemState.FAILED in counts
    if job.state in OPEN and has_answer and ItemState.WAITING in counts:
        services.hold_trial(job, run, at=at)
        job.state = JobState.PAUSED


def _settle(item: Item, job: Job, at: datetime, *, may_retry: bool) -> None:
    command = item.command
    if command is not None and command.state == CommandState.DONE:
        item.state, item.reason, item.error, item.ended_at = ItemState.DONE, "", "", at
    elif command is not None and command.state == CommandState.EXPIRED:
        # It was not sent, so it was no attempt.
        item.attempts -= 1
        _wait_again(item, job, Hold.OFFLINE, at + CHECK_AGAIN[Hold.OFFLINE], at)
    else:
        answered = command is not None and command.answered_at is not None
        reason = RetryReason.FAILED if answered else RetryReason.NO_ANSWER
        item.error = command.error if command else ""
        if may_retry and reason in job.retry_for and item.attempts <= job.retry_limit:
            _wait_again(item, job, reason, at + timedelta(seconds=job.retry_after_s), at)
        else:
            item.state, item.reason, item.ended_at = ItemState.FAILED, reason, at


def _wait_again(item: Item, job: Job, reason: str, not_before: datetime, at: datetime) -> None:
    item.reason, item.not_before = reason, not_before
    if job.state in OPEN:
        item.state = ItemState.WAITING
    else:
        item.state, item.ended_at = ItemState.CANCELLED, at


def _send(run: JobRun, job: Job, at: datetime) -> int:
    sender = sender_of(job)
    if isinstance(sender, str):
        services.end(job, JobState.STOPPED, at=at, reason=sender)
        return 0
    starter, spec = sender
    in_flight = Item.objects.filter(run=run, state=ItemState.SENT).values_list("terminal__site", flat=True)
    at_once = 1 if services.is_on_trial(job) else job.at_once
    limits = JobLimits(at_once, services.per_site(spec, job.per_site), Counter(in_flight))
    if not limits.room:
        return 0
    candidates = _candidates(run, spec, starter, limits, at)
    if not candidates:
        return 0
    sites = {one.site for one in candidates}
    if spec.is_dangerous:
        # Two runs at once would each leave the other's lane.
        list(Site.objects.filter(pk__in=sites).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    situation = situation_at(sites, JobHours(job.hours), is_dangerous=spec.is_dangerous, at=at)
    decision = Chooser(JobHours(job.hours), spec.is_dangerous, limits, situation).choose(candidates)
    _store(run, decision, at)
    return _queue(run, job, spec, decision.send, starter, at)


def _candidates(run: JobRun, spec: CommandSpec, starter: User, limits: JobLimits, at: datetime) -> list[SendCandidate]:
    """The next waiting items, in their order, without sites that have no room."""
    full = [site for site in limits.in_flight if not limits.has_room_at(site, 0)]
    waiting = _waiting(run).filter(not_before__lte=at).exclude(terminal__site__in=full)
    items = list(waiting.order_by("not_before", "pk").select_related("terminal__state")[:CANDIDATES])
    terminals = [item.terminal for item in items]
    able = catalogue.able_of(terminals)
    chosen = Terminal.objects.filter(pk__in=[terminal.pk for terminal in terminals])
    may = set(services.allowed(chosen, spec, by=starter).values_list("pk", flat=True))
    site_of = {terminal.pk: terminal.site_id for terminal in terminals}
    covered = maintenance.coverage_of(site_of, among=maintenance.running(at))
    return [
        SendCandidate(
            item.pk,
            terminal.pk,
            terminal.site_id,
            terminal.kind,
            Lifecycle(terminal.lifecycle),
            is_online=terminal.state.presence == Presence.ONLINE,
            in_maintenance=terminal.pk in covered,
            is_offered=able[terminal.pk].is_offered(spec),
            is_permitted=terminal.pk in may,
        )
        for item, terminal in zip(items, terminals, strict=True)
    ]


def situation_at(sites: Collection[int], hours: JobHours, *, is_dangerous: bool, at: datetime) -> Situation:
    """Which sites are open and, for a dangerous command, what works there."""
    open_sites = {pk for pk, times in hours_of(sites).items() if times.opens_at(at) is None}
    if not is_dangerous:
        return Situation(open_sites, {}, ())
    broken = Alert.objects.unresolved().filter(severity=Severity.CRITICAL).values("terminal")
    online = Terminal.objects.counted().filter(site__in=sites, state__presence=Presence.ONLINE)
    if hours != JobHours.MAINTENANCE and (windows := maintenance.running(at)):
        # People work on these. A job for maintenance takes them, and must leave one of them, too.
        online = online.exclude(maintenance.in_scope(windows))
    works = list(online.exclude(pk__in=broken).order_by().values_list("pk", "site", "kind"))
    busy = _busy(sites, at)
    working: dict[Lane, set[int]] = {}
    for pk, site, kind in works:
        if pk not in busy:
            working.setdefault((site, kind), set()).add(pk)
    return Situation(open_sites, working, busy)


type BusySource = Callable[[Collection[int]], Collection[int]]
"""Terminals at these sites that customers cannot count on, beside those with a dangerous command."""

busy_sources: list[BusySource] = []
"""An app that changes terminals for longer than its commands take adds one when it is ready."""


def _busy(sites: Collection[int], at: datetime) -> set[int]:
    """Terminals with a dangerous command of anybody in flight (index: command_due) or just over (outcome_at)."""
    defined = CommandDefinition.objects.exclude(danger=Danger.NONE).values_list("name", flat=True)
    names = [*(spec.name for spec in (CATALOG | CHANGES).values() if spec.is_dangerous), *defined]
    dangerous = Command.objects.filter(name__in=names, terminal__site__in=sites)
    in_flight = dangerous.filter(state__in=ACTIVE_COMMANDS)
    recent = at - SETTLES_IN
    was_sent = Q(answered_at__gt=recent) | Q(state=CommandState.FAILED, answered_at=None, sent_at__gt=recent)
    just_over = dangerous.filter(was_sent, outcome__at__gt=recent)
    others = {terminal for source in busy_sources for terminal in source(sites)}
    return {*in_flight.values_list("terminal", flat=True), *just_over.values_list("terminal", flat=True), *others}


def _store(run: JobRun, decision: SendDecision, at: datetime) -> None:
    """Say why items wait or are skipped."""
    for hold in set(decision.hold.values()):
        held = [item for item, why in decision.hold.items() if why is hold]
        _waiting(run).filter(pk__in=held).update(reason=hold.value, not_before=at + CHECK_AGAIN[hold])
    for skip in set(decision.skip.values()):
        skipped = [item for item, why in decision.skip.items() if why is skip]
        _waiting(run).filter(pk__in=skipped).update(state=ItemState.SKIPPED, reason=skip.value, ended_at=at)


def _queue(run: JobRun, job: Job, spec: CommandSpec, send: Sequence[SendCandidate], by: User, at: datetime) -> int:
    if not send:
        return 0
    items = list(_waiting(run).filter(pk__in=[one.item for one in send]).select_for_update(of=("self",)))
    queued = commands.queue_many(
        [item.terminal_id for item in items],
        spec,
        args=job.args,
        by=by,
        at=at,
        answer_within_s=job.answer_within_s,
        deliver_within_s=DELIVER_WITHIN_S,
    )
    db_rows.update(Item, [QueuedRow(item.pk, queued[item.terminal_id].pk) for item in items])
    claimed = _waiting(run).filter(pk__in=[item.pk for item in items])
    changed = claimed.update(state=ItemState.SENT, reason="", attempts=F("attempts") + 1)
    if changed != len(items):  # another process sent some: neither its items nor these commands may be stored twice
        raise RuntimeError(f"run {run.pk}: {len(items) - changed} items were sent by another process")
    return changed


def _end(run: JobRun, job: Job, at: datetime) -> None:
    """End the run once no item waits or is sent, and its job if it was the last."""
    if Item.objects.filter(run=run, state__in=(ItemState.WAITING, ItemState.SENT)).exists():
        return
    JobRun.objects.going().filter(pk=run.pk).update(ended_at=at)
    job.refresh_from_db(fields=("state",))  # this pass may have stopped it
    if job.state in OPEN:
        services.record_event(JobEventKind.ENDED, job, run, at=at, reason=run.reason)
    Job.objects.filter(pk=job.pk, state__in=OPEN, occurs_at=None).update(state=JobState.FINISHED, reason="")


def _waiting(run: JobRun) -> QuerySet[Item]:
    return Item.objects.filter(run=run, state=ItemState.WAITING)
