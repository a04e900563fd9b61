"""Configurations and updates leave as frames of their own; one that cannot be sent fails alone."""

from datetime import UTC, datetime

import pytest

from tests.support.threads import in_thread
from tms.commands import change_frames, services
from tms.commands.change_frames import CannotSend
from tms.commands.kinds import CHANGES, CONFIGURE
from tms.commands.models import Command
from tms.protocol.frames import ConfigFrame

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]

GOOD, BROKEN, MOVED, LARGE, LAST = 7, 13, 14, 15, 8
"""Revisions."""


def frame_of(command: Command) -> ConfigFrame | CannotSend:
    revision = command.args["revision"]
    if revision == BROKEN:
        raise RuntimeError
    if revision == MOVED:
        return CannotSend("the terminal moved")
    values = {"text": "あ" * (30_000 if revision == LARGE else 1)}
    return ConfigFrame(version=revision, values=values, deadline=command.due_at)


def order(revisions: dict[int, int]) -> dict[int, Command]:
    args: dict[int, dict[str, object]] = {pk: {"revision": revision} for pk, revision in revisions.items()}
    at = datetime.now(UTC)
    return services.queue_each(args, CHANGES[CONFIGURE], by=None, at=at, answer_within_s=60, deliver_within_s=60)


async def test_each_terminal_gets_its_configuration_and_what_cannot_be_sent_fails(node, fleet, monkeypatch):
    monkeypatch.setitem(
        change_frames._builders, CONFIGURE, lambda commands: {one.pk: frame_of(one) for one in commands}
    )
    terminals = [await in_thread(fleet.terminal) for _ in range(5)]
    wires = [(await node.booted(terminal))[1] for terminal in terminals]
    revisions = dict(zip((one.pk for one in terminals), (GOOD, BROKEN, MOVED, LARGE, LAST), strict=True))
    commands = await in_thread(lambda: order(revisions))

    node.links.deliver(revisions.keys())

    assert (await wires[4].sent("config"))["version"] == LAST
    assert (await wires[0].sent("config"))["values"] == {"text": "あ"}
    first = commands[terminals[0].pk].pk
    assert [one["id"] for one in wires[0].frames if one.get("method") == "config"] == [f"c{first}"]
    assert [wire.of("config") for wire in wires[1:4]] == [[], [], []]
    failed = Command.objects.filter(state="failed").order_by("pk")
    errors = await in_thread(lambda: list(failed.values_list("error", flat=True)))
    assert errors[:2] == ["TMS could not prepare it; try again", "the terminal moved"]
    assert errors[2].endswith("bytes; at most 65,536 can be sent")
