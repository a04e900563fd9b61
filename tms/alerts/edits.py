"""Rules as people edit them."""

from datetime import datetime

from django.db import transaction

from tms.alerts.lifecycle import Claim, hold, release
from tms.alerts.models import Alert, Condition, Rule, RuleKind
from tms.fleet import standings
from tms.fleet.models import OURS, Presence, TerminalState
from tms.fleet.presence import Standing
from tms.live.change import Change
from tms.live.feed import publish


@transaction.atomic
def change_rule(rule: Rule, *, at: datetime) -> None:
    """Save an edited or new rule. What its former revision held is let go and judged anew.

    By the next reports, that is; those who are away send none, so what a presence rule says of them counts at once.
    """
    if rule.pk:
        # Of the row, not of this copy: who edits it at the same time makes a revision of their own.
        rows = Rule.objects.select_for_update(no_key=True).filter(pk=rule.pk)
        rule.revision = rows.values_list("revision", flat=True).get() + 1
    rule.save()
    pairs = set(Condition.objects.filter(rule=rule).values_list("rule_id", "terminal_id"))
    pairs |= set(Alert.objects.unresolved().filter(rule=rule).values_list("rule_id", "terminal_id"))
    standing = standings.lock({terminal_id for _, terminal_id in pairs} | set(_away(rule)))
    release(pairs, at=at, comment="rule changed")
    hold([_still_away(rule, standing[terminal_id], at) for terminal_id in _away(rule) if terminal_id in standing])
    publish(Change(rules=True))


@transaction.atomic
def rename_rule(rule: Rule) -> None:
    """Save a rule of which only the names were edited: what it holds goes on."""
    rule.save(update_fields=("name", "name_ja"))
    publish(Change(everything=True))


def _away(rule: Rule) -> list[int]:
    """The terminals for which a presence rule holds as it stands."""
    if not rule.enabled or rule.kind != RuleKind.PRESENCE:
        return []
    states = TerminalState.objects.filter(presence__in=(Presence.OFFLINE, rule.presence)).exclude(
        presence=Presence.SILENT, cause__in=OURS
    )
    if rule.site_id is not None:
        states = states.filter(terminal__site=rule.site_id)
    if rule.terminal_kind:
        states = states.filter(terminal__kind=rule.terminal_kind)
    return list(states.values_list("pk", flat=True))


def _still_away(rule: Rule, standing: Standing, at: datetime) -> Claim:
    """With what is left of the rule's duration."""
    been_away_s = (at - (standing.presence_at or at)).total_seconds()
    return Claim(rule.pk, standing.terminal_id, at, max(0.0, rule.duration_s - been_away_s))
