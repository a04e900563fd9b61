"""The default rules of a new TMS."""

from datetime import UTC, datetime
from importlib import import_module

import pytest

from tests.support.builders import Fleet
from tests.support.database.historical_models import before_renames
from tests.support.factories import alert
from tms.alerts.models import Rule
from tms.alerts.rule_editing import services

first = import_module("tms.alerts.migrations.0002_default_rules")
hours = import_module("tms.alerts.migrations.0003_rule_hours")
better = import_module("tms.alerts.migrations.0006_better_defaults")

AT = datetime(2026, 11, 25, 9, tzinfo=UTC)
NAMES = {"Offline", "Overheating", "Paper low", "Disk full", "Reader fault", "Duplicate credential"}
OFF = {"Other firmware", "Wrong clock"}


def names(**fields) -> set[str]:
    return set(Rule.objects.filter(**fields).values_list("name", flat=True))


@pytest.fixture
def older(fleet: Fleet) -> Fleet:
    """An installation with the first default rules only."""
    first.add(before_renames(), None)
    return fleet


def test_a_new_tms_has_rules_that_are_valid_and_named_in_both_languages(default_rules):
    rules = list(Rule.objects.all())

    for rule in rules:
        rule.full_clean()
    assert (names(enabled=True), names(enabled=False)) == (NAMES, OFF)
    assert all(rule.name_ja for rule in rules)


def test_a_new_tms_has_the_rules_of_an_older_one_that_was_migrated(default_rules):
    fields = [field.attname for field in Rule._meta.concrete_fields if not field.primary_key]
    new = list(Rule.objects.values_list(*fields))
    Rule.objects.all().delete()

    first.add(before_renames(), None)
    hours.bind(before_renames(), None)
    better.improve(before_renames(), None)

    assert list(Rule.objects.values_list(*fields)) == new


def test_one_rule_on_heat_has_a_warning_and_a_critical_threshold(default_rules):
    heat = Rule.objects.get(name="Overheating")

    assert [(one["severity"], one["limit"]) for one in heat.thresholds] == [("warning", 60), ("critical", 75)]


def test_adding_the_default_rules_again_does_not_change_edited_ones(default_rules):
    paper = Rule.objects.get(name="Paper low")
    paper.limit = 20
    services.change_rule(paper, at=AT)

    first.add(before_renames(), None)
    better.improve(before_renames(), None)

    assert Rule.objects.get(name="Paper low").limit == 20


@pytest.mark.parametrize("name", ["Warm", "Overheating"])
def test_edited_rules_on_heat_stay_two(older, name):
    rule = Rule.objects.get(name=name)
    services.change_rule(rule, at=AT)

    better.improve(before_renames(), None)

    assert names() >= {"Warm", "Overheating"}
    assert Rule.objects.get(name="Overheating").higher_thresholds == []


def test_rules_on_heat_with_a_history_stay_two(older):
    alert(older, rule=Rule.objects.get(name="Warm"))

    better.improve(before_renames(), None)

    assert names() >= {"Warm", "Overheating"}


def test_the_reverse_migration_restores_the_two_rules_and_keeps_rules_of_operators(default_rules):
    clock = Rule.objects.get(name="Wrong clock")
    services.change_rule(clock, at=AT)

    better.restore(before_renames(), None)

    assert names() == NAMES | {"Warm", "Wrong clock"}
    assert Rule.objects.get(name="Overheating").limit == 75


def test_the_full_reverse_migration_deletes_the_default_rules_except_edited_ones(default_rules):
    paper = Rule.objects.get(name="Paper low")
    services.change_rule(paper, at=AT)
    better.restore(before_renames(), None)

    first.remove(before_renames(), None)

    assert names() == {"Paper low"}
