"""When alerts become due whose rule counts only while a site is open."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from tms.alerts.models import Rule, RuleHours
from tms.alerts.rules.events import Pair
from tms.fleet.models import Terminal
from tms.fleet.sites.calendar import hours_of
from tms.lib.calendar.opening_hours import Hours

type PendingSince = tuple[datetime, float]
"""The start of a condition, and its duration in seconds."""


def due_times(pending: Mapping[Pair, PendingSince]) -> dict[Pair, datetime]:
    """When each condition will have lasted for its duration, counting only opening hours where the rule says so."""
    due = {pair: since + timedelta(seconds=duration_s) for pair, (since, duration_s) in pending.items()}
    for pair, hours in _hours(pending).items():
        since, duration_s = pending[pair]
        due[pair] = hours.lasted(since, timedelta(seconds=duration_s))
    return due


def closed(pairs: Collection[Pair], *, at: datetime) -> dict[Pair, datetime]:
    """The conditions that have to wait because the site is closed now, and until when."""
    opens = {pair: hours.opens_at(at) for pair, hours in _hours(pairs).items()}
    return {pair: opens_at for pair, opens_at in opens.items() if opens_at is not None}


def _hours(pairs: Collection[Pair]) -> dict[Pair, Hours]:
    """The opening hours for each condition whose rule needs them."""
    limited = Rule.objects.filter(pk__in={rule_id for rule_id, _ in pairs}, hours=RuleHours.OPEN)
    rule_ids = set(limited.values_list("pk", flat=True))
    if not rule_ids:
        return {}
    bound = [pair for pair in pairs if pair[0] in rule_ids]
    sites = dict(Terminal.objects.filter(pk__in={pair[1] for pair in bound}).values_list("pk", "site_id"))
    hours = hours_of(set(sites.values()))
    return {pair: hours[sites[pair[1]]] for pair in bound if pair[1] in sites}
