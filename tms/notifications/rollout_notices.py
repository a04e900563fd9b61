"""Notices about rollouts: to the person who started one, and to the first step of policies that ask for them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.lib.db.jobs import skip_when_empty
from tms.lib.set_aside import SetAside, isolate
from tms.notifications.messages.phrases import address
from tms.notifications.models.delivery import NotificationKind
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import RolloutNews
from tms.notifications.planned.services import deliver
from tms.notifications.rollout_recipients import allowed, of_policies, of_starter
from tms.notifications.rotations.on_call import destinations_of
from tms.rollouts.models import RolloutEvent, RolloutEventKind, RolloutItemState
from tms.rollouts.pages.words import ENDINGS

PASS_LIMIT = 200
K = RolloutEventKind
TITLES: Mapping[str, str | Promise] = {
    K.WAVE_STARTED: _("Wave %(wave)s of a rollout has started: %(name)s"),
    K.WAVE_PASSED: _("Wave %(wave)s of a rollout has passed: %(name)s"),
    K.APPROVAL_ASKED: _("Wave %(wave)s of a rollout waits for approval: %(name)s"),
    K.HELD: _("A rollout is held: %(name)s"),
    K.RELEASED: _("A rollout goes on: %(name)s"),
    K.STOPPED: _("TMS stopped a rollout: %(name)s"),
    K.PAUSED: _("A rollout is paused: %(name)s"),
    K.ROLLING_BACK: _("A rollout is rolled back: %(name)s"),
    K.ENDED: _("A rollout has ended: %(name)s"),
}
"""The events that people are notified of."""
NEWS: Mapping[str, RolloutNews] = {
    K.WAVE_STARTED: RolloutNews.WAVES,
    K.WAVE_PASSED: RolloutNews.WAVES,
    K.APPROVAL_ASKED: RolloutNews.WAVES,
    K.HELD: RolloutNews.HOLDS,
    K.RELEASED: RolloutNews.HOLDS,
    K.STOPPED: RolloutNews.STOPS,
    K.PAUSED: RolloutNews.STOPS,
    K.ROLLING_BACK: RolloutNews.ENDS,
    K.ENDED: RolloutNews.ENDS,
}
"""What a policy has to ask for."""

not_told = SetAside[int]("rollout_notices")


@skip_when_empty(lambda at: RolloutEvent.objects.undispatched())
def send_due(at: datetime) -> int:
    """Make the deliveries for new events of rollouts. Returns how many events there were."""
    new = RolloutEvent.objects.undispatched().exclude(pk__in=not_told.keys(at)).order_by("pk")
    pks = list(new.values_list("pk", flat=True)[:PASS_LIMIT])
    return isolate(pks, partial(_send, at=at), aside=not_told, at=at)


def _send(pks: Sequence[int], *, at: datetime) -> int:
    """Call it in a transaction."""
    rows = RolloutEvent.objects.undispatched().filter(pk__in=pks).order_by("pk")
    locked = rows.select_for_update(skip_locked=True, of=("self",)).select_related("rollout__started_by", "wave")
    events = list(locked)
    wanted = [event for event in events if event.kind in TITLES]
    people = {event.rollout.started_by_id for event in wanted if event.rollout.started_by_id}
    own = destinations_of(people)
    by_news = of_policies(at) if wanted else {}
    for event in wanted:
        found = [*of_starter(event.rollout.started_by, own), *by_news.get(NEWS[event.kind], ())]
        for destination in allowed(event.rollout_id, dict.fromkeys(found)):
            key = f"rollout-event-{event.pk}-{destination.pk}"
            deliver(destination, NotificationKind.ROLLOUT, _content(event, destination), key=key, to=None, at=at)
    RolloutEvent.objects.filter(pk__in=[event.pk for event in events]).update(dispatched_at=at)
    return len(events)


def _content(event: RolloutEvent, destination: Destination) -> dict[str, Any]:
    path = event.rollout.get_absolute_url()
    with translation.override(destination.language):
        return {
            "kind": NotificationKind.ROLLOUT.value,
            "at": event.at.isoformat(),
            "title": str(TITLES[event.kind])
            % {"name": event.rollout.name, "wave": event.wave.number if event.wave else ""},
            "lines": [*_lines(event), *([address(path)] if settings.PUBLIC_URL else [])],
            "facts": {
                "rollouts": [
                    {
                        "id": event.rollout_id,
                        "name": event.rollout.name,
                        "url": address(path),
                        "event": event.kind,
                        "wave": event.wave.number if event.wave else None,
                        "counts": event.counts,
                        "evidence": event.evidence,
                        "reason": event.reason,
                    }
                ]
            },
            "subject": "",
            "severity": "",
        }


def _lines(event: RolloutEvent) -> list[str]:
    reason = str(ENDINGS.get(event.reason, ""))
    evidence = "" if event.evidence is None else gettext("Evidence: %(value).1f") % {"value": event.evidence}
    numbers = [f"{state.label}: {n:,}" for state in RolloutItemState if (n := event.counts.get(state.value))]
    return [line for line in (reason, event.comment, evidence, *numbers) if line]
