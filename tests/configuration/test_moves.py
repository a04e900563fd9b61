"""Terminals that moved: one at a time is sent its new values, many at once wait for a rollout."""

import pytest
from django.db import transaction

from tests.configuration.rows import answer, boot, fleet_value, key, row, send, version
from tests.support.builders import AT, Fleet, later
from tms.commands import services as commands
from tms.commands.models import Command
from tms.configuration import delivery, moves
from tms.configuration.delivery import BootReport
from tms.configuration.models import Layer
from tms.configuration.places import Place
from tms.configuration.versions import ValueEdit
from tms.fleet.identity import history
from tms.fleet.models import Terminal

pytestmark = [pytest.mark.both, pytest.mark.embedded, pytest.mark.django_db]


def move(terminals: list[Terminal], fleet: Fleet, code: str) -> None:
    pks = [terminal.pk for terminal in terminals]
    with history.recording(pks, by=None, at=AT):
        Terminal.objects.filter(pk__in=pks).update(site=fleet.site(code))


def applied(fleet: Fleet, number: int = 1) -> list[Terminal]:
    """Terminals that have a version with a value of its own at the site UMD."""
    terminals = fleet.terminals_online(number)
    pks = [terminal.pk for terminal in terminals]
    delivery.note_boots([BootReport(pk, 0) for pk in pks], at=AT)
    wanted = version(fleet_value(80), ValueEdit(key(), Place(Layer.SITE, fleet.site("UMD").pk), 60))
    with transaction.atomic():
        delivery.desire(pks, wanted, at=AT)
    delivery.note_boots([BootReport(pk, 1) for pk in pks], at=AT)
    return terminals


def test_a_terminal_that_moved_gets_the_values_of_there(fleet: Fleet) -> None:
    (terminal,) = applied(fleet)
    version(fleet_value(1))  # a new version, which nobody rolled out
    assert moves.follow_moves(later(5)) == 0
    move([terminal], fleet, "UMD")
    assert moves.follow_moves(later(10)) == 1
    (sent,) = commands.dequeue({terminal.pk: 1}, at=later(11))
    assert delivery.frame_of(sent).values == {"display.brightness": 60}
    assert moves.follow_moves(later(15)) == 0


def test_many_at_once_wait_for_a_rollout(fleet: Fleet) -> None:
    terminals = applied(fleet, moves.MAX_MOVED + 1)
    move(terminals, fleet, "UMD")
    assert moves.follow_moves(later(10)) == 0
    assert not Command.objects.exists()
    assert row(terminals[0]).held_at == later(10)
    assert moves.follow_moves(later(20)) == 0
    move(terminals, fleet, "SJK")
    moves.follow_moves(later(30))
    assert row(terminals[0]).held_at is None


def test_a_new_terminal_gets_what_most_have(fleet: Fleet) -> None:
    applied(fleet, 3)
    new = fleet.online()
    boot(new, 0)
    assert moves.follow_moves(later(10)) == 1
    (sent,) = commands.dequeue({new.pk: 1}, at=later(11))
    assert delivery.frame_of(sent).values == {"display.brightness": 80}


def test_a_replaced_device_gets_its_values_again(fleet: Fleet) -> None:
    (terminal,) = applied(fleet)
    moves.follow_moves(later(5))
    boot(terminal, 0, at=10)
    assert moves.follow_moves(later(15)) == 1
    assert Command.objects.get().args["revision"] == 1


def test_what_was_undone_is_not_sent_again(fleet: Fleet) -> None:
    (terminal,) = applied(fleet)
    answer(send(terminal, version(fleet_value(70)), at=5), error="undone: no link")
    boot(terminal, 1, at=10)
    moves.mark([terminal.pk])
    assert moves.follow_moves(later(15)) == 0
