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
    sizes = {item.pk: found.size for item in items if (found := changes.artifact_of(item))}
    if not rollout.mobile_mb or not sizes:
        return set()
    mobile = _mobile([item.terminal_id for item in items])
    ordered = _ordered(mobile, _month_of(at))
    limit = rollout.mobile_mb * MB
    asked = [item for item in items if item.terminal_id in mobile and item.pk in sizes]
    return {item.pk for item in asked if ordered[item.terminal_id] + sizes[item.pk] > limit}


def _mobile(terminals: Collection[int]) -> set[int]:
    tagged = Q(tags__name=TAG) | Q(site__tags__name=TAG)
    return set(Terminal.objects.filter(tagged, pk__in=terminals).values_list("pk", flat=True))


def _ordered(terminals: Collection[int], since: datetime) -> defaultdict[int, int]:
    """Bytes of the artifacts that were ordered of each, whoever ordered them."""
    commands = Command.objects.filter(name=UPDATE, terminal__in=terminals, created_at__gte=since)
    rows = list(commands.values_list("terminal", "args__artifact"))
    size = dict(Artifact.objects.filter(pk__in={artifact for _, artifact in rows}).values_list("pk", "size"))
    found: defaultdict[int, int] = defaultdict(int)
    for terminal, artifact in rows:
        found[terminal] += size.get(artifact, 0)
    return found


def _month_of(at: datetime) -> datetime:
    return timezone.localtime(at).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
