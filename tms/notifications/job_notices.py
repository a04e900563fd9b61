"""Notices about jobs to the people who started them, at their own destinations.

A job that runs again and again is quiet as long as everything is done.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import may_watch
from tms.jobs.models import ItemState, JobEvent, JobEventKind, JobRun
from tms.jobs.reasons import ENDINGS
from tms.lib.db.jobs import skip_when_empty
from tms.lib.set_aside import SetAside, isolate
from tms.notifications.messages.phrases import address
from tms.notifications.models.delivery import NotificationKind
from tms.notifications.models.destination import Destination
from tms.notifications.planned.services import deliver
from tms.notifications.rotations.on_call import destinations_of

PASS_LIMIT = 200
TITLES: Mapping[str, str | Promise] = {
    JobEventKind.TRIED: _("Your job was tried on one terminal: %(name)s"),
    JobEventKind.FAILING: _("Your job is failing: %(name)s"),
    JobEventKind.ENDED: _("Your job has ended: %(name)s"),
    JobEventKind.STOPPED: _("TMS stopped your job: %(name)s"),
    JobEventKind.MISSED: _("Your job did not start: %(name)s"),
}
"""The events that people are notified of."""

not_told = SetAside[int]("job_notices")


@skip_when_empty(lambda at: JobEvent.objects.undispatched())
def send_due(at: datetime) -> int:
    """Make the deliveries for new events of jobs. Returns how many events there were."""
    new = JobEvent.objects.undispatched().exclude(pk__in=not_told.keys(at)).order_by("pk")
    pks = list(new.values_list("pk", flat=True)[:PASS_LIMIT])
    return isolate(pks, partial(_send, at=at), aside=not_told, at=at)


def _send(pks: Sequence[int], *, at: datetime) -> int:
    """Call it in a transaction."""
    rows = JobEvent.objects.undispatched().filter(pk__in=pks).order_by("pk")
    locked = rows.select_for_update(skip_locked=True, of=("self",)).select_related("job__started_by", "run")
    events = list(locked)
    wanted = [event for event in events if _is_news(event)]
    own = destinations_of({event.job.started_by_id for event in wanted if event.job.started_by_id})
    for event in wanted:
        for destination in _allowed(event, own.get(event.job.started_by_id or 0, ())):
            content = _content(event, destination)
            key = f"job-event-{event.pk}-{destination.pk}"
            deliver(destination, NotificationKind.JOB, content, key=key, to=None, at=at)
    JobEvent.objects.filter(pk__in=[event.pk for event in events]).update(dispatched_at=at)
    return len(events)


def _is_news(event: JobEvent) -> bool:
    person = event.job.started_by
    if person is None or not may_watch(person) or event.kind not in TITLES:
        return False
    is_all_done = not event.reason and set(event.counts) <= {ItemState.DONE}
    return not (event.kind == JobEventKind.ENDED and event.job.rrule and is_all_done)


def _allowed(event: JobEvent, destinations: Iterable[Destination]) -> Iterable[Destination]:
    """The destinations whose readers see every terminal of the run."""
    for destination in destinations:
        if (
            event.run_id is None
            or not event.counts
            or JobRun.objects.filter(pk=event.run_id).wholly_within(destination.audience).exists()
        ):
            yield destination


def _content(event: JobEvent, destination: Destination) -> dict[str, Any]:
    path = event.job.get_absolute_url()
    with translation.override(destination.language):
        return {
            "kind": NotificationKind.JOB.value,
            "at": event.at.isoformat(),
            "title": str(TITLES[event.kind]) % {"name": event.job.name},
            "lines": [*_lines(event), *([address(path)] if settings.PUBLIC_URL else [])],
            "facts": {
                "jobs": [
                    {
                        "id": event.job_id,
                        "name": event.job.name,
                        "url": address(path),
                        "event": event.kind,
                        "counts": event.counts,
                        "reason": event.reason,
                    }
                ]
            },
            "subject": "",
            "severity": "",
        }


def _lines(event: JobEvent) -> list[str]:
    lines = [f"{state.label}: {number:,}" for state in ItemState if (number := event.counts.get(state.value))]
    reason = ENDINGS.get(event.reason)
    return [*([str(reason)] if reason else []), *lines]
