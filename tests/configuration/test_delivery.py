"""The way of a version to terminals: what is sent, what comes back, and what becomes of it."""

import pytest

from tests.configuration.rows import answer, boot, fleet_value, key, row, send, version
from tests.support.builders import AT, Fleet, later
from tms.commands import services as commands
from tms.commands.change_frames import CannotSend
from tms.commands.models import Command, CommandState
from tms.configuration import delivery, versions
from tms.configuration.changes import effects_of
from tms.configuration.models import Layer
from tms.configuration.places import Place
from tms.configuration.versions import REMOVED, ValueEdit
from tms.telemetry.models import Event

pytestmark = [pytest.mark.both, pytest.mark.embedded, pytest.mark.django_db]


def test_a_version_reaches_a_terminal(fleet: Fleet) -> None:
    terminal = fleet.online(model="KX-21")
    boot(terminal, 0)
    wanted = version(fleet_value(80), ValueEdit(key(), Place(Layer.TERMINAL, terminal.pk), 60))
    sent = send(terminal, wanted)
    frame = delivery.frame_of(sent)
    assert (frame.version, frame.values) == (1, {"display.brightness": 60})
    assert sent.args == {"revision": 1, "version": wanted.number}
    boot(terminal, 1, at=5)
    assert not row(terminal).differs
    answer(sent, {"version": 1, "applied": [], "refused": {"display.brightness": "too bright"}, "needs_restart": True})
    stored = row(terminal)
    assert (stored.applied_version, stored.needs_restart) == (wanted, True)
    assert stored.refused == {"display.brightness": "too bright"}
    delivery.note_boots([delivery.BootReport(terminal.pk, 1, is_restart=True)], at=later(15))
    assert not row(terminal).needs_restart
    assert delivery.desire([terminal.pk], version(fleet_value(70)), at=later(20)) == set()
    """The fleet's value does not reach it, so that nothing is sent."""


def test_a_terminal_that_says_nothing_cannot_be_configured(fleet: Fleet) -> None:
    terminal = fleet.online()
    assert boot(terminal, None) is None
    boot(terminal, 3)
    assert delivery.can_be_configured([terminal.pk]) == {terminal.pk}
    boot(terminal, None)
    assert delivery.can_be_configured([terminal.pk]) == set()
    assert delivery.desire([terminal.pk], version(fleet_value(1)), at=AT) == set()


def test_what_a_terminal_undid_is_an_event_and_still_differs(fleet: Fleet) -> None:
    fleet.event_rule("tms.configuration_undone", clear_code="tms.configuration_applied")
    terminal = fleet.online()
    boot(terminal, 0)
    sent = send(terminal, version(fleet_value(80)))
    answer(sent, error="tms:refused undone: TMS could not be reached with it within 300 s")
    assert row(terminal).differs
    assert row(terminal).error.startswith("undone:")
    assert terminal.alerts.filter(state="open").count() == 1
    again = send(terminal, version(fleet_value(70)), at=20)
    answer(again, {"version": 2, "applied": ["display.brightness"]}, at=30)
    assert list(Event.objects.order_by("at").values_list("code", flat=True)) == [
        "tms.configuration_undone",
        "tms.configuration_applied",
    ]
    assert not terminal.alerts.exclude(state="resolved").exists()


def test_what_was_never_sent_does_not_come_later(fleet: Fleet) -> None:
    terminal = fleet.online()
    boot(terminal, 0)
    first = version(fleet_value(80))
    answer(send(terminal, first), {"version": 1, "applied": []})
    second = version(fleet_value(70))
    delivery.order(delivery.desire([terminal.pk], second, at=later(20)), by=None, at=later(20), deliver_within_s=60)
    commands.expire(later(100))
    assert (row(terminal).version, row(terminal).revision, row(terminal).differs) == (first, 1, False)


def test_the_former_values_have_their_former_revision(fleet: Fleet) -> None:
    terminal = fleet.online()
    boot(terminal, 0)
    answer(send(terminal, version(fleet_value(80))), {"version": 1, "applied": []})
    bad = version(fleet_value(70))
    sent = send(terminal, bad, at=20)
    answer(sent, error="undone: no link", at=30)
    back = versions.undo(bad, by=None, at=later(40))
    assert delivery.desire([terminal.pk], back, at=later(40)) == set()
    assert (row(terminal).revision, row(terminal).error) == (1, "")


def test_only_the_last_order_is_sent(fleet: Fleet) -> None:
    terminal = fleet.online()
    boot(terminal, 0)
    first, second = version(fleet_value(80)), version(fleet_value(70))
    delivery.order(delivery.desire([terminal.pk], first, at=AT), by=None, at=AT, deliver_within_s=60)
    sent = send(terminal, second)
    assert delivery.frame_of(sent).values == {"display.brightness": 70}
    assert Command.objects.exclude(pk=sent.pk).get().state == CommandState.EXPIRED
    delivery.desire([terminal.pk], version(fleet_value(60)), at=AT)
    with pytest.raises(CannotSend):
        delivery.frame_of(sent)


def test_a_secret_reaches_the_terminal_only(fleet: Fleet) -> None:
    terminal = fleet.online()
    boot(terminal, 0)
    key("reader.key", is_secret=True, schema={"type": "string"})
    made = versions.edit([fleet_value("k-5000", "reader.key")], by=None, at=AT)
    assert "k-5000" not in str(list(made.values_set.values()))
    sent = send(terminal, versions.fix(made, by=None, at=AT))
    assert delivery.frame_of(sent).values == {"reader.key": "k-5000"}


def test_variables_are_those_of_the_site(fleet: Fleet) -> None:
    terminal = fleet.online(site=fleet.site("UMD", region="Kansai"))
    boot(terminal, 0)
    key("ntp.server", schema={"type": "string"})
    sent = send(terminal, version(fleet_value("ntp.{{ region }}.{{ site.code }}", "ntp.server")))
    assert delivery.frame_of(sent).values == {"ntp.server": "ntp.Kansai.UMD"}


def test_removed_values_fall_back(fleet: Fleet) -> None:
    terminal = fleet.online()
    boot(terminal, 0)
    own = Place(Layer.TERMINAL, terminal.pk)
    version(fleet_value(80), ValueEdit(key(), own, 60))
    sent = send(terminal, version(ValueEdit(key(), own, REMOVED)))
    assert delivery.frame_of(sent).values == {"display.brightness": 80}


def test_values_that_are_lists_are_compared(fleet: Fleet) -> None:
    terminal = fleet.online(model="KX-21")
    languages = key("display.language", schema={"type": "array", "items": {"type": "string"}})
    version(ValueEdit(languages, Place(Layer.FLEET), ["ja", "en"]))

    draft = versions.edit([ValueEdit(languages, Place(Layer.FLEET), ["ja"])], by=None, at=AT)

    assert list(effects_of(draft).terminals.values()) == [[terminal.pk]]
