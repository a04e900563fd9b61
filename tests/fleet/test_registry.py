"""Changes of the fleet by people are published to every board."""

from typing import Any

import pytest

from tests.support.builders import AT, Fleet
from tests.support.feed_recorder import FeedRecorder
from tms.fleet.models import Terminal
from tms.fleet.sites import services as site_services
from tms.fleet.sites.services import SiteValues
from tms.fleet.terminals import services
from tms.fleet.terminals.services import TerminalValues

pytestmark = pytest.mark.django_db(transaction=True)


def edit(terminal: Terminal, **fields: Any) -> None:
    before = {name: getattr(terminal, name) for name in ("site", "kind", "label", "parent")}
    services.edit_terminal(terminal, TerminalValues(**before | fields), by=None, at=AT)


def test_an_edited_terminal_is_published(fleet: Fleet, feed_recorder: FeedRecorder):
    terminal = fleet.terminal()
    feed_recorder.changes()

    edit(terminal, label="Till 7")

    change = feed_recorder.change()
    assert change.terminals == {terminal.pk}
    assert not change.everything


def test_an_edit_leaves_what_the_terminal_reports_meanwhile(fleet: Fleet):
    terminal = fleet.terminal()
    Terminal.objects.update(firmware="4.2.1")

    edit(terminal, label="Till 7")

    assert Terminal.objects.values_list("label", "firmware").get() == ("Till 7", "4.2.1")


@pytest.mark.parametrize("field", ["site", "kind"])
def test_a_terminal_that_moved_to_other_lists_makes_every_board_read_again(
    fleet: Fleet, feed_recorder: FeedRecorder, field
):
    terminal = fleet.terminal(kind="kiosk")
    values = {"site": fleet.site("OSK"), "kind": "gate"}
    feed_recorder.changes()

    edit(terminal, **{field: values[field]})

    assert feed_recorder.change().everything


def test_a_renamed_site_makes_every_board_read_again(fleet: Fleet, feed_recorder: FeedRecorder):
    site = fleet.site()

    site_services.edit_site(site, SiteValues("SJK", "Shinjuku North"))

    assert feed_recorder.change().everything


def test_a_deleted_terminal_deletes_its_keys(fleet: Fleet, feed_recorder: FeedRecorder):
    terminal = fleet.terminal()
    key = terminal.credentials.get()
    feed_recorder.changes()

    services.delete_terminal(terminal)

    assert feed_recorder.change().revoked == {key.pk}
    assert not Terminal.objects.exists()
