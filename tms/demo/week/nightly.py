"""A job that restarts kiosks each night, with the runs of the past week."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from django.conf import settings

from tms.accounts.models import User
from tms.fleet.models import Terminal, TerminalKind
from tms.jobs.guards import Skip
from tms.jobs.models import Item, ItemState, Job, JobHours, JobRun, RetryReason
from tms.jobs.services import JobValues, Retries, create_job
from tms.lib.calendar.local_time import local_time
from tms.lib.calendar.recurrence import Occurrence, Recurrence

NAME, COMMENT = "Nightly restart of kiosks", "Their printers stop after some days without a restart."
QUERY = "kind:kiosk -tag:pilot"
STARTS_AT_HOUR, LENGTH = 1, timedelta(hours=3)
NIGHTS = 7
TOOK_S = 41
"""Seconds from one item to the next."""
FAILED_EVERY, UNABLE_EVERY = 11, 13
"""One of so many items failed, or was skipped."""


def seed_nightly_job(terminals: Sequence[Terminal], person: User, *, at: datetime) -> None:
    """Runs in the hours in which most sites are closed. The next one is a real one."""
    if Job.objects.exists():
        return
    recurrence = _recurrence(at)
    occurrences = list(recurrence.occurrences(at - timedelta(days=NIGHTS)))[: NIGHTS + 2]
    coming = next(one for one in occurrences if one.since > at)
    values = JobValues(
        NAME,
        "reboot",
        coming,
        comment=COMMENT,
        query=QUERY,
        at_once=5,
        per_site=1,
        hours=JobHours.CLOSED,
        retries=Retries(limit=1, after_s=600, reasons=(RetryReason.NO_ANSWER,)),
        recurrence=recurrence,
    )
    job = create_job(values, by=person, at=at)
    Job.objects.filter(pk=job.pk).update(created_at=occurrences[0].since - timedelta(hours=9))
    kiosks = [one for one in terminals if one.kind == TerminalKind.KIOSK]
    past = [one for one in occurrences if one.until <= at]
    Item.objects.bulk_create(chain.from_iterable(_night(job, one, kiosks, number) for number, one in enumerate(past)))


def _recurrence(at: datetime) -> Recurrence:
    zone = ZoneInfo(settings.TIME_ZONE)
    first = local_time(at - timedelta(days=NIGHTS), zone)
    starts_at = first.replace(hour=STARTS_AT_HOUR, minute=0, second=0, microsecond=0, tzinfo=None)
    return Recurrence(zone, starts_at, LENGTH, "FREQ=DAILY")


def _night(job: Job, night: Occurrence, kiosks: Sequence[Terminal], number: int) -> list[Item]:
    ended_at = night.since + timedelta(seconds=TOOK_S * (len(kiosks) + 1))
    run = JobRun.objects.create(
        job=job, since=night.since, until=night.until, started_at=night.since, ended_at=min(ended_at, night.until)
    )
    return [_item(run, kiosk, place, number) for place, kiosk in enumerate(kiosks)]


def _item(run: JobRun, kiosk: Terminal, place: int, night: int) -> Item:
    ended_at = min(run.since + timedelta(seconds=TOOK_S * (place + 1)), run.until)
    item = Item(run=run, terminal=kiosk, not_before=run.since, ended_at=ended_at, attempts=1, state=ItemState.DONE)
    if (place + night) % UNABLE_EVERY == UNABLE_EVERY - 1:
        item.state, item.reason, item.attempts = ItemState.SKIPPED, Skip.UNSUPPORTED, 0
    elif (place + night) % FAILED_EVERY == FAILED_EVERY - 1:
        item.state, item.reason, item.attempts = ItemState.FAILED, RetryReason.NO_ANSWER, 2
        item.error = "no answer in time"
    return item
