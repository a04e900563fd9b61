"""Holds, releases and stops rollouts: by their effects once a minute, and by failed installations in each pass."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction

from tms.alerts.models import Incident
from tms.alerts.models.factor import Factor
from tms.lib.db.jobs import skip_when_empty
from tms.lib.set_aside import SetAside, isolate
from tms.rollouts import control, watching
from tms.rollouts.effects.decision import Action, has_failed
from tms.rollouts.events import counts_of, record_event
from tms.rollouts.models import Rollout, RolloutEventKind, RolloutItem, RolloutItemState, RolloutState
from tms.rollouts.models.rollout import RolloutQuerySet

WATCHED = (RolloutState.RUNNING, RolloutState.HELD, RolloutState.PAUSED)
LINKED_WITHIN = timedelta(hours=24)
FAILED = (RolloutItemState.FAILED, RolloutItemState.OLD_VERSION, RolloutItemState.NEW_VERSION)

not_watched = SetAside[int]("rollout_effects")


def _watched(at: datetime) -> RolloutQuerySet:
    return Rollout.objects.filter(state__in=WATCHED).exclude(started_at=None).exclude(measures=[])


@skip_when_empty(_watched)
def watch(at: datetime) -> int:
    """A pass of the clock: evaluate the effects of each rollout. Returns how many changed their state."""
    pks = list(_watched(at).exclude(pk__in=not_watched.keys(at)).order_by("pk").values_list("pk", flat=True))
    return sum(isolate([pk], lambda one: _watch(one[0], at), aside=not_watched, at=at) for pk in pks)


def _watch(pk: int, at: datetime) -> int:
    """Call it in a transaction."""
    rollout = Rollout.objects.select_for_update(of=("self",), no_key=True).filter(pk=pk, state__in=WATCHED).first()
    if rollout is None:
        return 0
    found = watching.evaluate(rollout, at=at)
    if (rollout.evidence, rollout.enough_evidence) != (found.evidence, found.is_enough):
        Rollout.objects.filter(pk=pk).update(evidence=found.evidence, enough_evidence=found.is_enough)
        rollout.evidence = found.evidence
    if found.action is Action.STOP:
        return control.stop(rollout, at=at, reason="effects")
    if found.action is Action.HOLD:
        return _move(rollout, RolloutState.RUNNING, RolloutState.HELD, RolloutEventKind.HELD, at)
    return _move(rollout, RolloutState.HELD, RolloutState.RUNNING, RolloutEventKind.RELEASED, at)


def _move(rollout: Rollout, before: RolloutState, after: RolloutState, kind: RolloutEventKind, at: datetime) -> int:
    if not Rollout.objects.filter(pk=rollout.pk, state=before).update(state=after, state_at=at):
        return 0
    rollout.state = after
    record_event(kind, rollout, at=at)
    return 1


def judge(rollout: Rollout, at: datetime) -> bool:
    """Stop a rollout of which too many installations fail. Call it in a transaction, with the rollout locked."""
    if rollout.state not in WATCHED or not must_stop(rollout, counts_of([rollout.pk])[rollout.pk]):
        return False
    return must_stop(rollout, _since_continued(rollout)) and control.stop(rollout, at=at, reason="failures")


def _since_continued(rollout: Rollout) -> Mapping[str, int]:
    """How many items ended since a person continued the rollout: they have judged what failed before."""
    continued = rollout.events.filter(kind=RolloutEventKind.CONTINUED).order_by("-pk").first()
    items = RolloutItem.objects.filter(rollout=rollout, ended_at__gte=continued.at if continued else rollout.created_at)
    return Counter(items.values_list("state", flat=True))


def must_stop(rollout: Rollout, counts: Mapping[str, int]) -> bool:
    """Whether more installations failed than the plain threshold allows."""
    failed = sum(counts.get(state, 0) for state in FAILED)
    ended = counts.get(RolloutItemState.DONE, 0) + failed
    return has_failed(ended=ended, failed=failed, percent=rollout.failed_pct, at_least=rollout.failed_after)


@skip_when_empty(lambda at: Rollout.objects.filter(state=RolloutState.STOPPED, incident=None))
@transaction.atomic
def link_incidents(at: datetime) -> int:
    """Link the incident that correlation opened for the new firmware; it opens none itself."""
    stopped = Rollout.objects.filter(state=RolloutState.STOPPED, incident=None, state_at__gt=at - LINKED_WITHIN)
    number = 0
    for rollout in stopped.prefetch_related("artifacts"):
        versions = [artifact.version for artifact in rollout.artifacts.all()]
        found = Incident.objects.unresolved().filter(factor=Factor.FIRMWARE, opened_at__gte=rollout.started_at)
        incident = next((one for one in found.order_by("-pk") if one.key.rpartition(":")[2] in versions), None)
        if incident is not None:
            number += Rollout.objects.filter(pk=rollout.pk, incident=None).update(incident=incident.pk)
    return number
