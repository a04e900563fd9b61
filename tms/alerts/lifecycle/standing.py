"""What already holds when a rule or a terminal begins or ends to be evaluated.

Terminals that are offline send no reports: a presence rule has to be triggered for them. What was triggered before has
to be cleared.
"""

from collections.abc import Collection
from datetime import datetime

from django.utils.translation import ngettext

from tms.alerts.lifecycle.conditions import clear_rule, trigger
from tms.alerts.models import Alert, Condition, Rule, RuleSource
from tms.alerts.rules.compiled import terminals_of
from tms.alerts.rules.events import Pair, RuleTriggered
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import CAUSED_BY_TMS, Presence, TerminalState
from tms.fleet.presence import store
from tms.fleet.presence.state_machine import LinkState


def active_pairs(**wanted: object) -> set[Pair]:
    """Rules and terminals with a condition or an unresolved alert. `wanted` is a filter of both."""
    active = set(Condition.objects.filter(**wanted).values_list("rule_id", "terminal_id"))
    return active | set(Alert.objects.unresolved().filter(**wanted).values_list("rule_id", "terminal_id"))


def matching_away(rule: Rule) -> list[int]:
    """The terminals that a presence rule matches now."""
    if not rule.enabled or rule.kind != RuleSource.PRESENCE:
        return []
    states = TerminalState.objects.filter(presence__in=(Presence.OFFLINE, rule.presence)).exclude(
        presence=Presence.SILENT, cause__in=CAUSED_BY_TMS
    )
    return list(states.filter(terminal__in=terminals_of(rule)).values_list("pk", flat=True))


def trigger_of(rule: Rule, link_state: LinkState, at: datetime) -> RuleTriggered:
    """The trigger for a terminal that is still away, with the rest of the rule's duration."""
    been_away_s = (at - (link_state.presence_at or at)).total_seconds()
    return RuleTriggered(rule.pk, link_state.terminal_id, at, max(0.0, rule.duration_s - been_away_s))


def preview_lifecycle(*, terminals: Collection[int], to: Lifecycle, **_: object) -> list[str]:
    """What `follow_lifecycle` would do. A receiver of `lifecycle_preview`."""
    if to.treatment.opens_alerts:
        return []
    number = Alert.objects.unresolved().filter(terminal__in=terminals).count()
    text = ngettext("%(n)s alert is resolved.", "%(n)s alerts are resolved.", number)
    return [text % {"n": f"{number:,}"}] if number else []


def follow_lifecycle(*, terminals: Collection[int], to: Lifecycle, at: datetime, **_: object) -> None:
    """Terminals changed their lifecycle state: resolve the alerts of those without, trigger presence rules for others.

    A receiver of `lifecycle_changed`: the link states are locked.
    """
    if not to.treatment.opens_alerts:
        clear_rule(active_pairs(terminal__in=terminals), at=at, comment=str(to.label).lower())
        return
    link_states = store.lock(terminals)
    for rule in Rule.objects.enabled().filter(kind=RuleSource.PRESENCE):
        away = set(matching_away(rule)) & link_states.keys()
        trigger([trigger_of(rule, link_states[pk], at) for pk in sorted(away)])
