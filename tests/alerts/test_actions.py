"""Each entry of the registry has everything that is derived from it."""

import re
from pathlib import Path

import pytest
from django.template.loader import get_template
from django.utils import translation

from tests.support import factories
from tests.support.builders import later
from tms.accounts.permissions import Permission
from tms.alerts import lifecycle
from tms.alerts.actions.registry import ACTIONS, actions_for
from tms.alerts.models import Alert, IncidentTransitionKind, TransitionKind
from tms.boards.context_processors import KEYS
from tms.main.api_v1 import api

SPRITE = Path(__file__).parents[2] / "static/img/icons.svg"
EACH = pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)


@pytest.mark.parametrize("kind", [*TransitionKind, *IncidentTransitionKind], ids=repr)
def test_a_transition_has_a_japanese_label_and_an_icon_of_the_sprite(kind):
    with translation.override("ja"):
        assert not kind.label.isascii()
    assert kind.icon in re.findall(r'<symbol id="([\w-]+)"', SPRITE.read_text())


@EACH
def test_it_has_the_partial_of_its_form(action):
    name = f"boards/actions/{action.form.partial}.html"

    assert get_template(name).template.name == name


@EACH
def test_its_texts_are_translated(action):
    words = [action.label, action.hint, action.key_help, *(target.done for target in action.targets)]

    for word in filter(None, words):
        with translation.override("ja"):
            japanese = str(word)
        with translation.override("en"):
            assert japanese != str(word)


@EACH
def test_it_has_its_operations(action):
    paths, name = api.get_openapi_schema()["paths"], action.name.replace("-", "_")
    wanted = {}
    if action.alert:
        wanted |= {f"/alerts/{{pk}}/{action.name}": f"{name}_alert", f"/alerts/{action.name}": f"{name}_alerts"}
    if action.incident:
        wanted |= {f"/incidents/{{pk}}/{action.name}": f"{name}_incident"}

    for path, operation_id in wanted.items():
        operation = paths[f"/api/v1{path}"]["post"]
        assert operation["operationId"] == operation_id
        assert operation["x-permission"] == action.permission.value


@EACH
def test_a_key_is_in_the_keyboard_help(action):
    """A key of several actions has one line."""
    lines = [meaning for keys, meaning in KEYS if keys == (action.key,)]

    assert len(lines) == bool(action.key)
    assert not action.key_help or action.key_help in lines


@EACH
def test_it_needs_a_permission_and_has_one_icon(action):
    assert action.permission in Permission
    assert {target.transition.icon for target in action.targets} == {action.icon}


@EACH
def test_its_form_and_its_schema_have_the_same_fields(action):
    helpers = {"lasts", "zone"}  # the form computes `until` from them

    assert set(action.form.base_fields) - helpers == set(action.schema.model_fields)


def test_two_actions_share_a_key_only_if_they_never_both_apply():
    keyed = [action for action in ACTIONS.values() if action.key and action.alert]

    for one in keyed:
        for other in keyed:
            if one is not other and one.key == other.key:
                assert not one.alert.when.states & other.alert.when.states


@pytest.mark.both
@pytest.mark.django_db
@pytest.mark.parametrize("by_hand", [True, False])
def test_a_queryset_and_a_row_agree_on_whether_an_action_applies(fleet, by_hand):
    rule, person = fleet.event_rule(may_be_resolved_by_hand=by_hand), fleet.person()
    _, claimed, acknowledged, snoozed, resolved = (factories.alert(fleet, rule=rule) for _ in range(5))
    lifecycle.claim(Alert.objects.filter(pk=claimed.pk), by=person, at=later(0))
    factories.acknowledged(acknowledged, by=person)
    lifecycle.snooze(Alert.objects.filter(pk=snoozed.pk), until=later(600), by=person, comment="", at=later(0))
    factories.resolved(resolved)

    for alert in Alert.objects.all():
        by_queryset = [
            action
            for action in ACTIONS.values()
            if action.alert and action.alert.when.filter(Alert.objects.filter(pk=alert.pk)).exists()
        ]
        assert list(actions_for("alert", alert)) == by_queryset
