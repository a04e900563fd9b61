"""`manage.py send_command`."""

import io

import pytest
from django.core.management import CommandError, call_command

from tms.commands.kinds import CATALOG
from tms.commands.models import Command


def send(*arguments: str) -> str:
    out = io.StringIO()
    call_command("send_command", *arguments, stdout=out)
    return out.getvalue()


def test_it_queues_a_command_with_its_arguments(fleet):
    terminal = fleet.terminal()

    message = send(terminal.uid, "reboot", "--arguments", '{"delay_s": 3}')

    command = Command.objects.get()
    assert (command.terminal, command.name, command.args) == (terminal, "reboot", {"delay_s": 3})
    assert message == f"queued as {command.pk}\n"


WRONG = [
    (("nobody", "ping"), "unknown terminal 'nobody'"),
    (("T-1", "dance"), f"unknown command 'dance'; use one of {', '.join(CATALOG)}"),
    (("T-1", "ping", "--arguments", "{"), "--arguments: "),
    (("T-1", "ping", "--arguments", "[1]"), "--arguments: Expected `object`, got `array`"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_it_reports_invalid_input_in_one_line(fleet, arguments, message):
    fleet.terminal(uid="T-1")

    with pytest.raises(CommandError) as refused:
        send(*arguments)

    assert str(refused.value).startswith(message)
    assert not Command.objects.exists()
