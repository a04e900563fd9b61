"""The rules that a new TMS begins with."""

from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.apps import apps

from tms.alerts import edits
from tms.alerts.models import Rule

migration = import_module("tms.alerts.migrations.0002_default_rules")

AT = datetime(2026, 11, 25, 9, tzinfo=UTC)
NAMES = {"Offline", "Overheating", "Warm", "Paper low", "Disk full", "Reader fault", "Duplicate credential"}

pytestmark = pytest.mark.usefixtures("default_rules")


def test_a_new_tms_begins_with_rules_that_are_valid_and_named_in_both_languages():
    rules = list(Rule.objects.all())

    for rule in rules:
        rule.full_clean()
    assert {rule.name for rule in rules} == NAMES
    assert all(rule.name_ja for rule in rules)


def test_adding_the_default_rules_again_changes_nothing_that_was_edited():
    paper = Rule.objects.get(name="Paper low")
    paper.limit = 20
    edits.change_rule(paper, at=AT)

    migration.add(apps, None)

    assert Rule.objects.count() == len(NAMES)
    assert Rule.objects.get(name="Paper low").limit == 20


def test_going_back_takes_the_default_rules_away_but_not_what_an_operator_made_of_them():
    edited = Rule.objects.get(name="Warm")
    edited.limit = 55
    edits.change_rule(edited, at=AT)

    migration.remove(apps, None)

    assert set(Rule.objects.values_list("name", flat=True)) == {"Warm"}
