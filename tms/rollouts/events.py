"""The timeline of a rollout, which people and integrators are notified of, and the feed."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Count

from tms.accounts.access import visible
from tms.accounts.models import User
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.rollouts.models import Rollout, RolloutEvent, RolloutEventKind, RolloutItem, Wave


def record_event(
    kind: RolloutEventKind,
    rollout: Rollout,
    *,
    at: datetime,
    wave: Wave | None = None,
    by: User | None = None,
    reason: str = "",
    comment: str = "",
) -> None:
    """Call it in the transaction that makes it true."""
    RolloutEvent.objects.create(
        rollout=rollout,
        wave=wave,
        kind=kind,
        at=at,
        by=by,
        counts=counts_of([rollout.pk])[rollout.pk],
        evidence=rollout.evidence,
        reason=reason,
        comment=comment,
    )


def counts_of(rollouts: Collection[int], *, to: User | None = None) -> dict[int, dict[str, int]]:
    """How many items of each rollout are in each state; for a person, of the terminals that they see."""
    found: dict[int, dict[str, int]] = {pk: {} for pk in rollouts}
    items = RolloutItem.objects.filter(rollout__in=rollouts)
    items = visible(items, to=to) if to else items
    for rollout, state, number in items.order_by().values_list("rollout", "state").annotate(number=Count("pk")):
        found[rollout][state] = number
    return found


def publish_items(terminals: Collection[int]) -> None:
    """Items of these terminals changed."""
    if terminals:
        publish(Change(terminals=frozenset(terminals)))
