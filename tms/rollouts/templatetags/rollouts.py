"""Rollouts on pages of artifacts, which know none."""

from collections.abc import Collection, Mapping
from typing import Any

from django import template
from django.db.models import Max

from tms.artifacts.models import Artifact
from tms.rollouts.models import Rollout
from tms.rollouts.pages.listing import RolloutRow, rows_of

SHOWN = 10

register = template.Library()


@register.simple_tag(takes_context=True)
def rollouts_of(context: Mapping[str, Any], artifact: Artifact) -> list[RolloutRow]:
    """The newest rollouts of an artifact that the person may read."""
    person = context["request"].user
    return rows_of(list(Rollout.objects.of(person).filter(artifacts=artifact).order_by("-pk")[:SHOWN]), to=person)


@register.simple_tag(takes_context=True)
def newest_rollouts(context: Mapping[str, Any], artifacts: Collection[Artifact]) -> dict[int, Rollout]:
    """The newest rollout of each artifact that the person may read, in two queries."""
    rollouts = Rollout.objects.of(context["request"].user)
    newest = dict(
        rollouts.filter(artifacts__in=artifacts).order_by().values_list("artifacts").annotate(newest=Max("pk"))
    )
    found = Rollout.objects.in_bulk(newest.values())
    return {artifact: found[pk] for artifact, pk in newest.items()}


@register.filter
def newest_of(rollouts: Mapping[int, Rollout], artifact: Artifact) -> Rollout | None:
    return rollouts.get(artifact.pk)
