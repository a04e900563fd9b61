"""Rule events, and operator actions as in HTML and REST, in short form."""

from typing import Any

from tests.support.builders import later
from tms.accounts.models import User
from tms.alerts import lifecycle
from tms.alerts.actions.action import OperatorAction
from tms.alerts.actions.registry import ACTIONS
from tms.alerts.lifecycle import RuleCleared, RuleTriggered
from tms.alerts.models import Alert, AlertQuerySet, Contract, Rule
from tms.fleet.models import Terminal


def triggered(rule: Rule, terminal: Terminal, seconds: float = 0, **fields) -> RuleTriggered:
    return RuleTriggered(rule.pk, terminal.pk, later(seconds), **fields)


def cleared(rule: Rule, terminal: Terminal, seconds: float = 0) -> RuleCleared:
    return RuleCleared(rule.pk, terminal.pk, later(seconds))


def open_alert(rule: Rule, terminal: Terminal) -> Alert:
    lifecycle.apply_events([triggered(rule, terminal)])
    return Alert.objects.unresolved().get(rule=rule, terminal=terminal)


def transition_kinds(alert: Alert) -> list[str]:
    return list(alert.transitions.values_list("kind", flat=True))


def queryset_of(alert: Alert) -> AlertQuerySet:
    return Alert.objects.filter(pk=alert.pk)


def acknowledge(alert: Alert, by: User, *, seconds: float = 5, comment: str = "", version: int | None = None, **terms):
    """Raises a Conflict."""
    terms = {"contract": Contract.RECOVERY, "until": None} | terms
    target = ACTIONS["acknowledge"].alert
    target.perform(queryset_of(alert), by=by, at=later(seconds), version=version, comment=comment, **terms)


def actions_on(state: str) -> dict[str, OperatorAction]:
    """The actions that apply to alerts in `state`, by name."""
    return {name: one for name, one in ACTIONS.items() if one.alert and state in one.alert.when.states}


def terms_of(action: OperatorAction, *, comment: str, to: User) -> dict[str, Any]:
    """What a person may have chosen in the dialog of an action."""
    chosen = {"comment": comment, "contract": Contract.WORSE, "until": later(600), "to": to}
    terms = {name: chosen[name] for name in action.schema.model_fields}
    return terms | ({"until": None} if "contract" in terms else {})
