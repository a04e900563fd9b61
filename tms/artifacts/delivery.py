"""Orders of updates: commands that tell terminals to install an artifact."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from msgspec import UNSET

from tms.accounts.models import User
from tms.artifacts.downloads import address_of
from tms.artifacts.models import Artifact
from tms.commands import services as commands
from tms.commands.kinds import CommandSpec
from tms.commands.models import Command, Danger
from tms.protocol import frames

UPDATE = CommandSpec("update", "Update", danger=Danger.INTERRUPTS, answer_within_s=7_200.0, is_builtin=False)


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
    install_after: datetime | None = None,
    max_bytes_s: float | None = None,
) -> dict[int, Command]:
    """Tell these terminals to install it. Returns the command of each. Raises Withdrawn.

    The caller has asked its guards, and records it in the audit trail.
    """
    # Locked: who withdraws it waits, and then finds these commands.
    locked = Artifact.objects.select_for_update(no_key=True).get(pk=artifact.pk)
    if locked.withdrawn_at:
        raise Withdrawn(locked)
    args: dict[str, object] = {"artifact": artifact.pk, "name": artifact.name, "version": artifact.version}
    if install_after:
        args["install_after"] = install_after.isoformat()
    if max_bytes_s:
        args["max_bytes_s"] = max_bytes_s
    return commands.queue_many(
        terminals,
        UPDATE,
        args=args,
        by=by,
        at=at,
        answer_within_s=answer_within_s,
        deliver_within_s=deliver_within_s,
    )


def frame_of(command: Command) -> frames.UpdateFrame:
    """The frame of an order that is being sent; its address of the download ends with its deadline."""
    artifact = Artifact.objects.get(pk=command.args["artifact"])
    assert command.sent_at is not None and command.due_at is not None
    install_after, max_bytes_s = command.args.get("install_after"), command.args.get("max_bytes_s")
    return frames.UpdateFrame(
        manifest=artifact.manifest,
        signatures=tuple(frames.ManifestSignature(one["key"], one["signature"]) for one in artifact.signatures),
        url=address_of(artifact, command.terminal, at=command.sent_at, until=command.due_at),
        deadline=command.due_at,
        install_after=datetime.fromisoformat(install_after) if install_after else UNSET,
        max_bytes_s=max_bytes_s or UNSET,
    )
