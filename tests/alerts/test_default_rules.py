"""The default rules of a new TMS."""

from importlib import import_module

from django.apps import apps

from tests.support.builders import AT
from tms.alerts.models import Rule
from tms.alerts.rule_editing import services

initial = import_module("tms.alerts.migrations.0001_initial")

NAMES = {
    "Offline",
    "Overheating",
    "Paper low",
    "Disk full",
    "Reader fault",
    "Duplicate credential",
    "Unexpected device",
    "Looks tampered",
    "Configuration undone",
}
OFF = {"Other firmware", "Wrong clock"}


def names(**fields) -> set[str]:
    return set(Rule.objects.filter(**fields).values_list("name", flat=True))


def test_a_new_tms_has_rules_that_are_valid_and_named_in_both_languages(default_rules):
    rules = list(Rule.objects.all())

    for rule in rules:
        rule.full_clean()
    assert (names(enabled=True), names(enabled=False)) == (NAMES, OFF)
    assert all(rule.name_ja for rule in rules)


def test_one_rule_on_heat_has_a_warning_and_a_critical_threshold(default_rules):
    heat = Rule.objects.get(name="Overheating")

    assert [(one["severity"], one["limit"]) for one in heat.thresholds] == [("warning", 60), ("critical", 75)]


def test_adding_the_default_rules_again_does_not_change_edited_ones(default_rules):
    paper = Rule.objects.get(name="Paper low")
    paper.limit = 20
    services.change_rule(paper, at=AT)

    initial.add_default_rules(apps, None)

    assert Rule.objects.get(name="Paper low").limit == 20
    assert names() == NAMES | OFF
