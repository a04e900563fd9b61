"""The actions of a terminal: its commands `update`, at most one at a time.

An order that was shown and that TMS no longer awaits, because it was cancelled or no answer came in time, is an action
to cancel until the terminal has said something about the cancellation.
"""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from tms.artifacts import downloads
from tms.artifacts.models import Artifact
from tms.commands import services as commands
from tms.commands.kinds import UPDATE
from tms.commands.models import Command, CommandState
from tms.commands.services import Answered, CommandProgress
from tms.rollouts.hawkbit.feedback import Feedback, FeedbackKind, code_of
from tms.rollouts.hawkbit.resources import Deployment, action_number

RECENT = 50
"""Orders of a terminal whose feedback is still understood."""
POLLS = 0
"""The session of commands that were not sent over a link."""
KEPT_TROUBLES = 450
"""Characters. The text of an error has at most 500."""
DOWNLOADING, INSTALLED = "downloading", "installed"


class PollingWork(NamedTuple):
    """What a terminal has to do: at most one of the two."""

    install: Command | None = None
    cancel: Command | None = None


def work_of(terminal: int, *, at: datetime) -> PollingWork:
    """A cancellation first: while one is shown, updaters begin nothing."""
    recent = _recent(terminal)
    for command in recent:
        if _awaits_cancellation(command):
            return PollingWork(cancel=command)
    for command in reversed(recent):
        if command.state == CommandState.SENT or (command.state == CommandState.QUEUED and command.deliver_before > at):
            return PollingWork(install=command)
    return PollingWork()


def find(terminal: int, action: int) -> Command | None:
    return next((command for command in _recent(terminal) if action_number(command.pk) == action), None)


def last_answered(terminal: int) -> Command | None:
    """The order that ended last by an answer of the terminal."""
    return next((command for command in _recent(terminal) if command.answered_at), None)


@transaction.atomic
def show(terminal: int, action: int, *, at: datetime) -> Deployment | None:
    """The order as the terminal reads it, which counts as sent from now on. None if there is nothing to install."""
    command = work_of(terminal, at=at).install
    if command is None or action_number(command.pk) != action:
        return None
    if command.state == CommandState.QUEUED and not commands.dequeue_one(command, session=POLLS, at=at):
        return None
    artifact = Artifact.objects.get(pk=command.args["artifact"])
    return Deployment(
        action=action,
        name=artifact.name,
        version=artifact.version,
        # swupdate passes over files of other names.
        file_name=f"{artifact.name}-{artifact.version}.{artifact.format}",
        size=artifact.size,
        sha1=artifact.sha1,
        sha256=artifact.sha256,
        url=downloads.address_of(artifact, command.terminal, at=at, until=command.due_at or at),
    )


@transaction.atomic
def note(command: Command, said: Feedback, *, at: datetime) -> None:
    """What an updater said of its action. What it says of one that is over changes nothing.

    An installed action is shown until the terminal closes it after its restart, or reports its version: swupdate keeps
    its state until it could report it, and would report it of the next action.
    """
    if _awaits_cancellation(command):
        if said.kind in (FeedbackKind.SUCCEEDED, FeedbackKind.FAILED, FeedbackKind.CANCELLED):
            _end_cancellation(command, at)
        return
    match said.kind:
        case FeedbackKind.FAILED | FeedbackKind.REJECTED | FeedbackKind.CANCELLED:
            _answer(command, _cause(command, said), at)
        case FeedbackKind.SUCCEEDED:
            _answer(command, "", at)
        case FeedbackKind.INSTALLED:
            _progress(command, INSTALLED)
        case FeedbackKind.PROGRESS if not is_installed(command):
            _progress(command, _joined([_troubles(command), *said.troubles[-5:]]) or DOWNLOADING)


@transaction.atomic
def cancel(command: Command, *, reason: str, at: datetime) -> bool:
    """Cancel an order of a terminal that polls: at once if it was not shown, otherwise the terminal is asked to.

    False if it was over, or was sent over a link: no frame cancels an update.
    """
    if commands.withdraw([command.pk], reason=reason):
        return True
    return not is_installed(command) and commands.give_up(command, session=POLLS, reason=reason, at=at)


@transaction.atomic
def follow_version(terminal: int, firmware: str, *, is_restart: bool, at: datetime) -> None:
    """A terminal reported its version: that ends an action that was installed."""
    command = work_of(terminal, at=at).install
    if command is None or command.state != CommandState.SENT:
        return
    if command.args.get("version") == firmware or (is_restart and is_installed(command)):
        _answer(command, "", at)


@transaction.atomic
def note_cancellation(command: Command, *, at: datetime) -> None:
    """The terminal has cancelled it, or says that it cannot: what it runs shows what became of it."""
    if _awaits_cancellation(command):
        _end_cancellation(command, at)


def _recent(terminal: int) -> list[Command]:
    """Newest first."""
    ordered = Command.objects.filter(terminal=terminal, name=UPDATE).select_related("terminal")
    return list(ordered.order_by("-created_at", "-pk")[:RECENT])


def withdraw_shown(ordered: Collection[int], *, reason: str, at: datetime) -> None:
    """Cancel those of these commands that terminals have read, and not begun."""
    shown = Command.objects.filter(pk__in=ordered, state=CommandState.SENT, session=POLLS, progress_text="")
    for command in shown:
        cancel(command, reason=reason, at=at)


def _awaits_cancellation(command: Command) -> bool:
    return (
        command.state in (CommandState.FAILED, CommandState.EXPIRED)
        and command.sent_at is not None
        and command.session == POLLS
        and command.answered_at is None
        and not is_installed(command)
    )


def _end_cancellation(command: Command, at: datetime) -> None:
    Command.objects.filter(pk=command.pk, answered_at=None).update(answered_at=at)


def is_installed(command: Command) -> bool:
    """Everything is written, and the terminal has yet to restart."""
    return command.progress_text == INSTALLED


def _answer(command: Command, error: str, at: datetime) -> None:
    commands.record_answers([Answered(command.pk, command.terminal_id, None, error)], at=at)


def _progress(command: Command, text: str) -> None:
    if text != command.progress_text:
        commands.record_progress([CommandProgress(command.pk, command.terminal_id, None, text)])


def _troubles(command: Command) -> str:
    """What the updater said before that may be the cause of a failure."""
    return command.progress_text if command.progress_text not in (DOWNLOADING, INSTALLED) else ""


def _cause(command: Command, said: Feedback) -> str:
    """The last message of a failure says little; the cause stands in what the updater said before."""
    text = _joined([_troubles(command), *said.details]) or f"the updater reported: {said.kind}"
    code = code_of(text)
    return f"{code}: {text}" if code else text


def _joined(lines: list[str]) -> str:
    """Each once, the last ones."""
    parts = [part for line in lines for part in line.split(" | ")]
    return " | ".join(dict.fromkeys(part for part in parts if part))[-KEPT_TROUBLES:]
