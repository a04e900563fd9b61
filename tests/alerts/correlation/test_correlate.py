"""Terminals that are lost together become one incident, which opens and resolves with their alerts."""

import pytest

from tests.support.alerts.incidents import members_of, only_incident, transitions_of
from tests.support.builders import later
from tms.alerts import correlation, lifecycle
from tms.alerts.models import Alert, Contract, CorrelationRule, Incident

pytestmark = [pytest.mark.both, pytest.mark.django_db]


def test_a_lost_site_is_one_incident(storm):
    shop = storm.shop("SJK", 10)

    storm.lose(shop)

    assert (only_incident().factor, only_incident().site.code, only_incident().severity) == ("site", "SJK", "critical")
    assert (only_incident().lost, only_incident().size, only_incident().joined_count) == (10, 10, 10)
    assert members_of(only_incident()) == 10
    assert transitions_of(only_incident()) == [("opened", 10)]
    assert only_incident().title == "Site SJK: 10 of 10 terminals offline"


@pytest.mark.parametrize(
    ("size", "lost", "is_correlated"),
    [(2, 2, False), (3, 2, False), (3, 3, True), (8, 3, False), (8, 4, True), (20, 5, False), (20, 6, True)],
)
def test_the_required_number_depends_on_the_size_of_the_site(storm, size, lost, is_correlated):
    storm.lose(storm.shop("SJK", size)[:lost])

    assert Incident.objects.exists() is is_correlated
    assert Alert.objects.unresolved().count() == lost


def test_each_site_has_its_own_incident(storm):
    lost = [terminal for code in ("SJK", "OSK", "NGY") for terminal in storm.shop(code, 5)]

    storm.lose(lost, seconds=10)

    assert sorted(Incident.objects.values_list("site__code", "joined_count")) == [("NGY", 5), ("OSK", 5), ("SJK", 5)]


def test_losses_far_apart_in_time_cause_no_incident(storm):
    for terminal in storm.shop("SJK", 6):
        storm.lose([terminal], seconds=90)

    assert not Incident.objects.exists()


def test_terminals_that_were_already_offline_are_neither_counted_nor_members(storm):
    broken, *shop = storm.shop("SJK", 11)
    storm.lose([broken], seconds=600)

    storm.lose(shop[:5])

    assert (only_incident().lost, only_incident().size) == (5, 10)
    assert Alert.objects.get(terminal=broken).incident is None


def test_later_losses_join_and_recovered_terminals_leave(storm):
    shop = storm.shop("SJK", 10)
    storm.lose(shop[:6], seconds=30)

    storm.lose(shop[6:8], seconds=30)
    storm.bring_back(shop[:3], seconds=30)

    assert transitions_of(only_incident()) == [("opened", 6), ("joined", 2), ("left", 3)]
    assert (only_incident().joined_count, only_incident().open_count, only_incident().lost) == (8, 5, 8)
    assert only_incident().state == "open"


def test_it_is_resolved_when_all_have_recovered(storm):
    shop = storm.shop("SJK", 5)
    storm.lose(shop, seconds=30)

    storm.bring_back(shop)

    assert transitions_of(only_incident()) == [("opened", 5), ("left", 5), ("resolved", 0)]
    assert (only_incident().state, only_incident().open_count) == ("resolved", 0)
    assert Alert.objects.filter(incident=only_incident()).count() == 5


def test_a_loss_after_the_end_is_another_incident(storm):
    shop = storm.shop("SJK", 5)
    storm.lose(shop, seconds=30)
    storm.bring_back(shop, seconds=30)

    storm.lose(shop)

    assert list(Incident.objects.order_by("pk").values_list("state", flat=True)) == ["resolved", "open"]


def test_the_remaining_few_become_separate_alerts(storm):
    shop = storm.shop("SJK", 20)
    storm.lose(shop, seconds=30)
    storm.bring_back(shop[1:], seconds=30)

    storm.scheduler.advance(seconds=600, step_s=30)

    assert transitions_of(only_incident())[-1] == ("dissolved", 1)
    assert only_incident().state == "resolved"
    assert Alert.objects.unresolved().get().incident is None


def test_deleted_terminals_are_not_open_any_more_and_the_rest_becomes_separate(storm):
    shop = storm.shop("SJK", 10)
    storm.lose(shop)

    shop[0].delete()
    storm.bring_back(shop[1:9], seconds=5)

    assert (only_incident().joined_count, only_incident().open_count) == (9, 1)
    storm.scheduler.advance(seconds=700, step_s=60)
    assert only_incident().state == "resolved"
    assert transitions_of(only_incident())[-1] == ("dissolved", 1)


def test_a_terminal_is_deleted_after_its_recovery_and_another_is_lost(storm):
    shop = storm.shop("SJK", 10)
    storm.lose(shop[:6], seconds=30)
    storm.bring_back(shop[:1], seconds=30)

    shop[0].delete()
    storm.lose(shop[6:7])

    assert (only_incident().joined_count, only_incident().open_count) == (6, 6)
    assert transitions_of(only_incident()) == [("opened", 6), ("left", 1), ("joined", 1)]


def test_alerts_of_other_rules_stay_separate(storm, fleet):
    shop = storm.shop("SJK", 5)
    other = fleet.metric_rule()
    Alert.objects.create(rule=other, terminal=shop[0], severity="warning", opened_at=later(0))

    storm.lose(shop)

    assert Alert.objects.get(rule=other).incident is None


# Other common factors


def test_a_group_over_many_sites_is_one_incident(storm, fleet):
    shops = [storm.shop(code, 10) for code in ("SJK", "OSK", "NGY", "KYO", "FUK")]
    carrier = [terminal for shop in shops for terminal in shop[:3]]
    fleet.group("Carrier X", *carrier)

    storm.lose(carrier, seconds=10)

    assert (only_incident().factor, only_incident().group.name, only_incident().joined_count) == (
        "group",
        "Carrier X",
        15,
    )
    assert only_incident().title == "Group Carrier X: 15 of 15 terminals offline"


def test_a_site_is_preferred_to_a_group_as_the_common_factor(storm, fleet):
    shop = storm.shop("SJK", 12)
    fleet.group("Carrier X", *shop)

    storm.lose(shop, seconds=10)

    assert only_incident().factor == "site"


@pytest.mark.parametrize(("factor", "fields"), [("model", {"model": "PX-300"}), ("firmware", {"firmware": "2.4"})])
def test_a_model_or_a_firmware_that_fails_everywhere_is_one_incident(storm, factor, fields):
    sites = [f"S{number}" for number in range(12)]
    for code in sites:
        storm.shop(code, 5, model="Old", firmware="1")
    failing = [storm.shop(code, 1, **{"model": "Old", "firmware": "1"} | fields)[0] for code in sites]

    storm.lose(failing, seconds=10)

    assert (only_incident().factor, only_incident().key, only_incident().joined_count) == (
        factor,
        next(iter(fields.values())),
        12,
    )


def test_the_strongest_common_factor_is_named(storm, fleet):
    shop, others = storm.shop("SJK", 10, firmware="2.4"), storm.shop("OSK", 40, firmware="2.3")
    fleet.group("Carrier X", *shop[:9], others[0])

    storm.lose(shop)

    assert only_incident().common_factor_text == "all have firmware 2.4"


def test_a_factor_of_the_whole_fleet_is_not_named(storm):
    shop, _ = storm.shop("SJK", 10, firmware="2.4"), storm.shop("OSK", 40, firmware="2.4")

    storm.lose(shop)

    assert only_incident().common_factor_text == ""


# Settings


def test_a_disabled_factor_correlates_nothing(storm):
    CorrelationRule.objects.create(factor="site", enabled=False)

    storm.lose(storm.shop("SJK", 5), seconds=10)

    assert not Incident.objects.exists()


def test_the_share_can_be_set(storm):
    CorrelationRule.objects.create(factor="site", small_pct=100)

    storm.lose(storm.shop("SJK", 10)[:9])

    assert not Incident.objects.exists()


# One acknowledgement for all members


@pytest.fixture
def lost(storm):
    shop = storm.shop("SJK", 10)
    storm.lose(shop[:6])
    return shop


def take(fleet, **terms):
    return correlation.acknowledge(only_incident(), by=fleet.person(), comment="Power cut", at=later(60), **terms)


def test_one_acknowledgement_covers_all_members_and_later_ones(storm, fleet, lost):
    take(fleet)

    storm.lose(lost[6:])

    alerts = Alert.objects.filter(incident=only_incident())
    assert set(alerts.values_list("state", "acknowledged_by__username", "comment")) == {
        ("acknowledged", "aiko", "Power cut")
    }
    assert alerts.count() == 10


def test_a_reopened_member_is_not_acknowledged_again(storm, fleet, lost):
    take(fleet)
    correlation.actions.lifecycle.reopen(
        Alert.objects.filter(terminal=lost[0]), by=fleet.person("ren"), comment="", at=later(61)
    )

    storm.lose(lost[6:])

    assert list(Alert.objects.unacknowledged().values_list("terminal", flat=True)) == [lost[0].pk]


def test_reopening_the_incident_reopens_its_alerts(fleet, lost):
    take(fleet)

    correlation.reopen(only_incident(), by=fleet.person("ren"), comment="Not mine", at=later(70))

    assert only_incident().state == "open"
    assert Alert.objects.unacknowledged().count() == 6


def test_a_second_acknowledgement_reports_who_acknowledged(fleet, lost):
    take(fleet)

    second = correlation.acknowledge(only_incident(), by=fleet.person("ren"), comment="", at=later(80))

    assert second.acknowledged_by == fleet.person()
    assert [kind for kind, _ in transitions_of(only_incident())].count("acknowledged") == 1


def test_an_acknowledgement_expires(storm, fleet, lost):
    take(fleet, contract=Contract.TIME, until=later(120))

    storm.scheduler.advance(seconds=130, step_s=10)

    assert only_incident().state == "open"
    assert transitions_of(only_incident())[-1] == ("expired", 0)
    assert Alert.objects.unacknowledged().count() == 6


def test_acknowledged_until_it_gets_worse_it_reopens_when_more_are_lost(storm, fleet, lost):
    take(fleet, contract=Contract.WORSE)

    storm.lose(lost[6:])

    assert [kind for kind, _ in transitions_of(only_incident())][-2:] == ["joined", "undone"]
    assert only_incident().acknowledged_by is None


def test_recovery_wins(storm, fleet, lost):
    storm.bring_back(lost[:6])

    with pytest.raises(lifecycle.AlreadyResolved):
        take(fleet)


def test_the_contract_can_be_changed(fleet, lost):
    take(fleet)

    correlation.change_acknowledgement(
        only_incident(), by=fleet.person(), comment="", at=later(70), contract=Contract.TIME, until=later(3600)
    )

    assert set(Alert.objects.values_list("contract", "until")) == {("time", later(3600))}
    assert (only_incident().contract, only_incident().until) == ("time", later(3600))


def test_a_comment_is_stored(fleet, lost):
    correlation.comment(only_incident(), by=fleet.person(), comment="Electrician is coming", at=later(70))

    assert (only_incident().comment, transitions_of(only_incident())[-1][0]) == ("Electrician is coming", "commented")
