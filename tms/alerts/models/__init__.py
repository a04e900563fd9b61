"""The models of alerts. Django finds them here; other apps import them from here."""

from tms.alerts.models.alert import Alert, AlertQuerySet, AlertState, Contract
from tms.alerts.models.condition import Condition
from tms.alerts.models.correlation_rule import CorrelationRule, SameRuleCorrelation
from tms.alerts.models.factor import Factor
from tms.alerts.models.flapping import Flapping
from tms.alerts.models.incident import Incident, IncidentState, IncidentTransition, IncidentTransitionKind
from tms.alerts.models.maintenance import PastOccurrence, Window
from tms.alerts.models.membership import MembershipChange
from tms.alerts.models.rule import Rule, RuleHours
from tms.alerts.models.transition import Transition, TransitionKind
from tms.alerts.rule_kinds.sources import RuleSource

__all__ = [
    "Alert",
    "AlertQuerySet",
    "AlertState",
    "Condition",
    "Contract",
    "CorrelationRule",
    "Factor",
    "Flapping",
    "Incident",
    "IncidentState",
    "IncidentTransition",
    "IncidentTransitionKind",
    "MembershipChange",
    "PastOccurrence",
    "Rule",
    "RuleHours",
    "RuleSource",
    "SameRuleCorrelation",
    "Transition",
    "TransitionKind",
    "Window",
]
