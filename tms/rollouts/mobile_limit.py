"""How much terminals on a mobile link may download a month: those with the tag `mobile`, also of their site."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from tms.artifacts.models import Artifact
from tms.commands.kinds import UPDATE
from tms.commands.models import Command
from tms.fleet.models import Terminal
from tms.rollouts.models import Rollout, RolloutItem
from tms.rollouts.orders import Changes

TAG = "mobile"
MB = 1_000_000


def items_above(rollout: Rollout, items: Collection[RolloutItem], changes: Changes, at: datetime) -> set[int]:
    """The items whose artifact would be too much. A month is one of the calendar; configurations are not counted."""
    wanted = {item.pk: found for item in items if (found := changes.artifact_of(item))}
    if not rollout.mobile_mb or not wanted:
        return set()
    mobile = _mobile([item.terminal_id for item in items])
    ordered = _ordered(mobile, _month_of(at))
    sizes = dict(Artifact.objects.filter(pk__in=set().union(*ordered.values())).values_list("pk", "size"))
    sizes |= {artifact.pk: artifact.size for artifact in wanted.values()}
    asked = [item for item in items if item.terminal_id in mobile and item.pk in wanted]
    totals = {item.pk: sum(sizes[pk] for pk in ordered[item.terminal_id] | {wanted[item.pk].pk}) for item in asked}
    return {pk for pk, total in totals.items() if total > rollout.mobile_mb * MB}


def _mobile(terminals: Collection[int]) -> set[int]:
    tagged = Q(tags__name=TAG) | Q(site__tags__name=TAG)
    return set(Terminal.objects.filter(tagged, pk__in=terminals).values_list("pk", flat=True))


def _ordered(terminals: Collection[int], since: datetime) -> defaultdict[int, set[int]]:
    """The artifacts whose updates were sent to each, whoever ordered them. One counts once: a download goes on."""
    sent = Command.objects.filter(name=UPDATE, terminal__in=terminals, created_at__gte=since, sent_at__isnull=False)
    found: defaultdict[int, set[int]] = defaultdict(set)
    for terminal, artifact in sent.values_list("terminal", "args__artifact"):
        found[terminal].add(artifact)
    return found


def _month_of(at: datetime) -> datetime:
    return timezone.localtime(at).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
