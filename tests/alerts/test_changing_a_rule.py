"""A new rule judges what is there; an edited one lets go of what it held, and judges anew."""

from tests.builders import AT, Fleet, later
from tms.alerts import lifecycle
from tms.alerts.models import Alert, AlertState
from tms.fleet.models import Presence


def test_a_new_presence_rule_knows_who_is_away_already(fleet: Fleet):
    terminal = fleet.standing(Presence.OFFLINE, at=later(-10_000))

    rule = fleet.presence_rule(duration_s=300)

    assert Alert.objects.get().terminal == terminal
    assert Alert.objects.get().rule == rule


def test_a_new_presence_rule_waits_for_what_is_left_of_its_duration(fleet: Fleet):
    fleet.standing(Presence.OFFLINE, at=later(-200))

    fleet.presence_rule(duration_s=300)
    opened = [lifecycle.open_due(later(99)), lifecycle.open_due(later(100))]

    assert opened == [0, 1]


def test_an_edited_presence_rule_ends_its_alerts_and_begins_them_anew(fleet: Fleet):
    fleet.standing(Presence.SILENT, at=later(-10))
    rule = fleet.presence_rule(Presence.SILENT)

    lifecycle.change_rule(rule, at=later(60))

    states = Alert.objects.order_by("opened_at").values_list("state", "opened_at")
    assert list(states) == [(AlertState.RESOLVED, AT), (AlertState.OPEN, later(60))]


def test_a_new_presence_rule_leaves_other_places_and_kinds_alone(fleet: Fleet):
    fleet.standing(Presence.OFFLINE, kind="kiosk")

    fleet.presence_rule(site=fleet.site("OSK"))
    fleet.presence_rule(terminal_kind="gate")

    assert not Alert.objects.exists()


def test_a_disabled_presence_rule_holds_for_nobody(fleet: Fleet):
    fleet.standing(Presence.OFFLINE)
    rule = fleet.presence_rule()
    rule.enabled = False

    lifecycle.change_rule(rule, at=later(60))

    assert not Alert.objects.unresolved().exists()
