"""The life of a command: queued → sent → done, failed or expired. Each transition is a conditional update."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import ngettext

from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.approvals import clearance
from tms.approvals.acts import Act
from tms.commands import catalogue
from tms.commands.argument_schemas import faults
from tms.commands.kinds import CHANGES, CommandSpec
from tms.commands.models import (
    AnswerRow,
    Command,
    CommandOutcome,
    CommandQuerySet,
    CommandState,
    ProgressRow,
    Settled,
)
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import Terminal
from tms.lib.db import prepared
from tms.lib.db import rows as db_rows
from tms.lib.db.jobs import skip_when_empty
from tms.lib.set_aside import SetAside, isolate
from tms.metrics import instruments
from tms.protocol.text import clean

MAX_ANSWER_S = 3600.0
MAX_DELIVERY_S = 7 * 24 * 3600.0
PASS_LIMIT = 2_000
RESULT_LIMIT = 500

not_expired = SetAside[int]("expire_commands")

commands_ended = Signal()
"""Sent in the transaction when changes (`tms.commands.kinds.CHANGES`) are over, with `commands`: all of them as they
are stored now, with `name`, `args`, `state`, `result` and `error`, and `at`.
"""


class CommandRefused(ValueError):
    """The command cannot be queued; the message says what is expected, and `where` of what."""

    code = "tms:bad-command"

    def __init__(self, text: str, *, where: str = "$") -> None:
        super().__init__(text)
        self.where = where


class Answered(NamedTuple):
    """A terminal's answer, from ingest. `error` is empty if the command was done."""

    command_id: int
    terminal_id: int
    result: Any
    error: str


class CommandProgress(NamedTuple):
    """How far a command is, as its terminal says. `percent` is None if it does not know."""

    command_id: int
    terminal_id: int
    percent: float | None
    text: str


def request_id(command_id: int) -> str:
    """The id of the command on the link."""
    return f"c{command_id}"


@transaction.atomic
def queue(
    terminal: Terminal,
    *,
    name: str,
    args: dict[str, object],
    by: User | None,
    at: datetime,
    answer_within_s: float = 30.0,
    deliver_within_s: float = 3600.0,
    reason: str = "",
) -> Command:
    """Queue a command. It is sent at once if the terminal is connected, otherwise when it returns in time.

    It is in the audit trail, with the reason. Raises CommandRefused and NotAgreed.
    """
    times = {"answer_within_s": answer_within_s, "deliver_within_s": deliver_within_s}
    _check_times(**times)
    spec = check(name, args)
    if spec.is_dangerous:
        clearance.demand(Act.COMMAND, by=by, at=at, terminal=terminal.pk, name=name, args=args, **times)
    if not catalogue.able_of([terminal])[terminal.pk].is_offered(spec):
        known = ", ".join(each.name for each in catalogue.offered(terminal)) or "none"
        raise CommandRefused(f"{terminal.uid} does not support {name}; it supports: {known}", where="$.name")
    command = _command(
        terminal.pk,
        spec,
        args=args,
        by=by,
        at=at,
        **times,
    )
    command.save(force_insert=True)
    recorder.record("commanded", terminal, _audit_values(command), comment=reason)
    _publish([terminal.pk], CommandState.QUEUED)
    return command


def queue_many(
    terminals: Collection[int],
    spec: CommandSpec,
    *,
    args: dict[str, object],
    by: User | None,
    at: datetime,
    answer_within_s: float,
    deliver_within_s: float,
) -> dict[int, Command]:
    """The same command for many terminals, by terminal. The caller has checked it, and records it in the audit trail.

    Call it in a transaction.
    """
    return queue_each(
        dict.fromkeys(terminals, args),
        spec,
        by=by,
        at=at,
        answer_within_s=answer_within_s,
        deliver_within_s=deliver_within_s,
    )


def queue_each(
    args: Mapping[int, dict[str, object]],
    spec: CommandSpec,
    *,
    by: User | None,
    at: datetime,
    answer_within_s: float,
    deliver_within_s: float,
) -> dict[int, Command]:
    """The command with arguments of its own for each terminal, otherwise as `queue_many`."""
    made = [
        _command(pk, spec, args=given, by=by, at=at, answer_within_s=answer_within_s, deliver_within_s=deliver_within_s)
        for pk, given in args.items()
    ]
    Command.objects.bulk_create(made)
    _publish([command.terminal_id for command in made], CommandState.QUEUED)
    return {command.terminal_id: command for command in made}


def withdraw(commands: Collection[int], *, reason: str) -> int:
    """Commands that were not sent yet expire. Returns how many."""
    queued = Command.objects.filter(pk__in=commands, state=CommandState.QUEUED)
    with transaction.atomic():
        return _expire_queued(queued, reason)


@transaction.atomic
def requeue(commands: Collection[int], *, at: datetime) -> int:
    """Queue changes again that were sent over links that have ended, and may not have arrived. Returns how many.

    Their ids stay the same, so that a terminal which has one carries it out once. So do their deadlines, or one that
    loses its link at each of them would never be late.
    """
    sent = Command.objects.filter(pk__in=commands, state=CommandState.SENT, name__in=CHANGES, due_at__gt=at)
    found = list(sent.select_for_update())
    for command in found:
        assert command.due_at is not None
        command.state, command.deliver_before = CommandState.QUEUED, command.due_at
        command.answer_within_s = (command.due_at - at).total_seconds()
    Command.objects.bulk_update(found, ("state", "deliver_before", "answer_within_s"), batch_size=500)
    _publish([command.terminal_id for command in found], CommandState.QUEUED)
    return len(found)


@transaction.atomic
def dequeue_one(command: Command, *, session: int, at: datetime) -> bool:
    """Take this command to send it now; False if another caller was first, or it expired."""
    due_at = at + timedelta(seconds=command.answer_within_s)
    sent = {"state": CommandState.SENT, "session": session, "sent_at": at, "due_at": due_at}
    if not Command.objects.deliverable(at).filter(pk=command.pk).update(**sent):
        return False
    for name, value in sent.items():
        setattr(command, name, value)
    _publish([command.terminal_id], CommandState.SENT)
    return True


@transaction.atomic
def give_up(command: Command, *, session: int, reason: str, at: datetime) -> bool:
    """Expire a command that was sent in this session. Only for terminals that can be told that it is over."""
    sent = Command.objects.filter(pk=command.pk, state=CommandState.SENT, session=session)
    if not sent.update(state=CommandState.EXPIRED, error=reason, due_at=None):
        return False
    _end([Settled(command.pk, command.terminal_id, CommandState.EXPIRED, command.name)], at)
    return True


def _command(
    terminal: int,
    spec: CommandSpec,
    *,
    args: dict[str, object],
    by: User | None,
    at: datetime,
    answer_within_s: float,
    deliver_within_s: float,
) -> Command:
    deliver_before = at + timedelta(seconds=deliver_within_s)
    return Command(
        terminal_id=terminal,
        name=spec.name,
        args=args,
        created_by=by,
        created_at=at,
        answer_within_s=answer_within_s,
        deliver_before=deliver_before,
        due_at=deliver_before,
        max_result_bytes=spec.max_result_bytes,
    )


def check(name: str, args: dict[str, object]) -> CommandSpec:
    """The command of this name, if it takes these arguments. Raises CommandRefused."""
    spec = catalogue.find(name)
    if spec is None:
        known = ", ".join(catalogue.names())
        raise CommandRefused(f"unknown command {name!r}; use one of {known}", where="$.name")
    if fault := faults(dict(spec.arguments), args):
        raise CommandRefused(str(fault), where=fault.where)
    return spec


def _check_times(*, answer_within_s: float, deliver_within_s: float) -> None:
    """Raises CommandRefused."""
    if not 1 <= answer_within_s <= MAX_ANSWER_S:
        raise CommandRefused(f"answer_within_s={answer_within_s}: must be from 1 to {MAX_ANSWER_S:.0f} seconds")
    if not 1 <= deliver_within_s <= MAX_DELIVERY_S:
        raise CommandRefused(f"deliver_within_s={deliver_within_s}: must be from 1 to {MAX_DELIVERY_S:.0f} seconds")


def dequeue(sessions: Mapping[int, int], *, at: datetime) -> list[Command]:
    """Take the commands to send now to these terminals; each is returned to exactly one caller.

    `sessions` maps each terminal to the session that will carry them. They are marked as sent before, because a command
    such as `reboot` must not run twice: they are sent at most once.
    """
    # After a gap in the feed these are all terminals of a node, of which few have a command.
    terminals = waiting_for(sessions, at=at)
    return _dequeue({pk: sessions[pk] for pk in terminals}, at=at) if terminals else []


@transaction.atomic
def _dequeue(sessions: Mapping[int, int], *, at: datetime) -> list[Command]:
    waiting = Command.objects.deliverable(at).filter(terminal__in=sessions).order_by("pk")
    claimed = list(waiting.select_for_update(skip_locked=True))  # a locked row belongs to another caller
    for command in claimed:
        command.state, command.session, command.sent_at = CommandState.SENT, sessions[command.terminal_id], at
        command.due_at = at + timedelta(seconds=command.answer_within_s)
    if claimed:
        Command.objects.mark_sent(claimed)
    _publish([command.terminal_id for command in claimed], CommandState.SENT)
    return claimed


def waiting_for(terminal_ids: Collection[int], *, at: datetime) -> set[int]:
    """The terminals among these that have commands to send."""
    chosen, keys = db_rows.any_of("terminal_id", terminal_ids)
    sql = f"SELECT terminal_id FROM {Command._meta.db_table} WHERE {chosen} AND state = %s AND deliver_before > %s"
    return {row[0] for row in prepared.run(sql, [*keys, CommandState.QUEUED.value, db_rows.instant(at)])}


def waiting(*, at: datetime) -> set[int]:
    """All terminals that have commands to send (index: command_due)."""
    return set(Command.objects.deliverable(at).values_list("terminal", flat=True))


def record_answers(answers: Sequence[Answered], *, at: datetime) -> None:
    """Store the answers of terminals. An answer that is no longer awaited changes nothing."""
    first = {(answer.command_id, answer.terminal_id): _row(answer) for answer in reversed(answers)}
    _end(Command.objects.settle(list(first.values()), at=at), at)


def record_progress(progress: Sequence[CommandProgress]) -> None:
    """Store how far commands are, as far as they are not over. Of several for one command, the last counts."""
    last = {(one.command_id, one.terminal_id): ProgressRow(*one) for one in progress}
    publish(Change(commands=frozenset(Command.objects.follow(list(last.values())))))


def _row(answer: Answered) -> AnswerRow:
    return AnswerRow(
        command=answer.command_id,
        terminal=answer.terminal_id,
        outcome=CommandState.FAILED if answer.error else CommandState.DONE,
        answer=None if answer.result is None else json.dumps(answer.result),
        problem=clean(answer.error[:RESULT_LIMIT], keeps_lines=True),
    )


@transaction.atomic
def fail(errors: Mapping[int, str], *, at: datetime) -> int:
    """Commands that were taken to be sent, and cannot be, have failed. `errors`: why, by command. Returns how many."""
    sent = Command.objects.filter(pk__in=errors, state=CommandState.SENT).select_for_update(of=("self",)).order_by("pk")
    failed = list(sent)
    for command in failed:
        command.state, command.error, command.due_at = CommandState.FAILED, errors[command.pk][:RESULT_LIMIT], None
    Command.objects.bulk_update(failed, ("state", "error", "due_at"), batch_size=500)
    _end([Settled(one.pk, one.terminal_id, one.state, one.name) for one in failed], at)
    return len(failed)


@skip_when_empty(Command.objects.overdue)
def expire(at: datetime) -> int:
    """Commands that waited too long expire; those sent but not answered in time have failed."""
    overdue = Command.objects.overdue(at).exclude(pk__in=not_expired.keys(at)).order_by("due_at")
    pks = list(overdue.values_list("pk", flat=True)[:PASS_LIMIT])
    return isolate(pks, partial(_expire, at=at), aside=not_expired, at=at)


def _expire(pks: Collection[int], at: datetime) -> int:
    """Call it in a transaction."""
    # Rows that are being answered or sent are left to the next pass.
    rows = Command.objects.select_for_update(skip_locked=True)
    overdue = list(rows.overdue(at).filter(pk__in=pks).order_by("due_at"))
    for state, outcome, error in (
        (CommandState.QUEUED, CommandState.EXPIRED, "the terminal did not come back in time"),
        (CommandState.SENT, CommandState.FAILED, "no answer in time"),
    ):
        late = [command for command in overdue if command.state == state]
        Command.objects.filter(pk__in=[command.pk for command in late]).update(state=outcome, error=error, due_at=None)
        _end([Settled(command.pk, command.terminal_id, outcome, command.name) for command in late], at)
    return len(overdue)


def preview_lifecycle(*, terminals: Collection[int], to: Lifecycle, **_: object) -> list[str]:
    """What `follow_lifecycle` would do. A receiver of `lifecycle_preview`."""
    if to.treatment.takes_work:
        return []
    number = Command.objects.filter(terminal__in=terminals, state=CommandState.QUEUED).count()
    text = ngettext("%(n)s waiting command expires.", "%(n)s waiting commands expire.", number)
    return [text % {"n": f"{number:,}"}] if number else []


def follow_lifecycle(*, terminals: Collection[int], to: Lifecycle, **_: object) -> None:
    """Commands that wait for terminals without work expire. A receiver of `lifecycle_changed`."""
    if to.treatment.takes_work:
        return
    queued = Command.objects.filter(terminal__in=terminals, state=CommandState.QUEUED)
    _expire_queued(queued, "the terminal was retired")


def _expire_queued(queued: CommandQuerySet, reason: str) -> int:
    """Returns how many. Call it in a transaction."""
    # Locked: it may be about to be sent.
    rows = queued.select_for_update().values_list("pk", "terminal", "name")
    found = [Settled(pk, terminal, CommandState.EXPIRED, name) for pk, terminal, name in rows]
    expired = Command.objects.filter(pk__in=[one.command for one in found])
    expired.update(state=CommandState.EXPIRED, error=reason, due_at=None)
    _end(found, timezone.now())
    return len(found)


def _end(settled: Collection[Settled], at: datetime) -> None:
    """What follows when commands are over."""
    outcomes = (CommandOutcome(command_id=one.command, at=at) for one in settled)
    CommandOutcome.objects.bulk_create(outcomes, batch_size=5_000)
    for state in (CommandState.DONE, CommandState.FAILED, CommandState.EXPIRED):
        _publish([one.terminal for one in settled if one.state == state], state)
    if changes := [one.command for one in settled if one.name in CHANGES]:
        ended = Command.objects.filter(pk__in=changes).order_by("pk")
        commands_ended.send(sender=Command, commands=list(ended), at=at)


def _audit_values(command: Command) -> dict[str, tuple[None, Any]]:
    values = {"command": command.name, "args": command.args, "id": command.pk}
    return {name: (None, value) for name, value in values.items() if value}


def _publish(terminals: Sequence[int], state: CommandState) -> None:
    """`terminals`: of each command, whose state this now is."""
    if terminals:
        instruments.COMMANDS.labels(state.value).inc(len(terminals))
        changed = frozenset(terminals)
        publish(Change(commands=changed, terminals=changed))
