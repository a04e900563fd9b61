"""Orders of updates: commands that tell terminals to install an artifact."""

from collections.abc import Collection
from datetime import datetime

from django.conf import settings
from django.db import transaction
from msgspec import UNSET

from tms.accounts.models import User
from tms.artifacts.downloads import address_of
from tms.artifacts.models import Artifact
from tms.commands import services as commands
from tms.commands.change_frames import CannotSend
from tms.commands.kinds import CHANGES, UPDATE
from tms.commands.models import Command
from tms.fleet.models import Terminal
from tms.protocol import frames


class Withdrawn(ValueError):
    """Nothing new starts with an artifact that was withdrawn."""

    def __init__(self, artifact: Artifact) -> None:
        super().__init__(f"{artifact} was withdrawn: {artifact.withdrawn_reason}")


@transaction.atomic
def order(
    terminals: Collection[int],
    artifact: Artifact,
    *,
    by: User | None,
    at: datetime,
    answer_within_s: float,
    deliver_within_s: float,
) -> dict[int, Command]:
    """Tell these terminals to install it. Returns the command of each. Raises Withdrawn.

    The caller has asked its guards, and records it in the audit trail.
    """
    # Locked: who withdraws it waits, and then finds these commands.
    locked = Artifact.objects.select_for_update(no_key=True).get(pk=artifact.pk)
    if locked.withdrawn_at:
        raise Withdrawn(locked)
    args = {"artifact": artifact.pk, "name": artifact.name, "version": artifact.version}
    return commands.queue_many(
        terminals,
        CHANGES[UPDATE],
        args=args,
        by=by,
        at=at,
        answer_within_s=answer_within_s,
        deliver_within_s=deliver_within_s,
    )


def frame_of(command: Command) -> frames.UpdateFrame:
    """The frame of an order that is being sent. Raises CannotSend."""
    found = frames_of([command])[command.pk]
    if isinstance(found, CannotSend):
        raise found
    return found


def frames_of(sent: Collection[Command]) -> dict[int, frames.UpdateFrame | CannotSend]:
    """The frames of orders that are being sent, by command."""
    artifacts = Artifact.objects.in_bulk({command.args["artifact"] for command in sent})
    terminals = Terminal.objects.in_bulk({command.terminal_id for command in sent})
    return {
        command.pk: _frame(command, artifacts.get(command.args["artifact"]), terminals.get(command.terminal_id))
        for command in sent
    }


def _frame(command: Command, artifact: Artifact | None, terminal: Terminal | None) -> frames.UpdateFrame | CannotSend:
    """Its address of the download ends with its deadline."""
    if artifact is None or terminal is None:
        return CannotSend("the artifact does not exist any more")
    if artifact.withdrawn_at:
        return CannotSend(str(Withdrawn(artifact)))
    assert command.sent_at is not None
    assert command.due_at is not None
    return frames.UpdateFrame(
        manifest=artifact.manifest,
        signatures=tuple(frames.ManifestSignature(one["key"], one["signature"]) for one in artifact.signatures),
        url=address_of(artifact, terminal, at=command.sent_at, until=command.due_at),
        deadline=command.due_at,
        max_bytes_s=settings.DOWNLOAD_BYTES_S or UNSET,
    )
