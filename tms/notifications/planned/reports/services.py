"""Availability reports to destinations: on demand, and after each month."""

import base64
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils import translation

from tms.accounts.access import Person, scope_of
from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.availability.pdf import document
from tms.availability.report import texts
from tms.availability.report.months import Month
from tms.availability.report.report import AvailabilityReport, AvailabilityRow, ReportReader, report
from tms.lib.calendar.local_time import local_time
from tms.lib.db.jobs import skip_when_empty
from tms.notifications.messages.phrases import address
from tms.notifications.models.delivery import Delivery, NotificationKind
from tms.notifications.models.destination import Destination
from tms.notifications.models.report_plan import ReportPlan, sent_at
from tms.notifications.planned.services import deliver, send_each


@transaction.atomic
def send(destination: Destination, month: Month, *, customer: str, to: Person | None, at: datetime) -> Delivery:
    """Send the report of a month as it is now, once per month and scope; once a day until the month is over.

    `to`: the person who requested it; None: a plan. It has what both the person and the owner of the destination may
    read.
    """
    reader = ReportReader(destination.owner, () if to is None else (scope_of(to),))
    with translation.override(destination.language):
        content = _content(report(month, reader), reader, customer=customer, at=at)
    key = f"availability-{destination.pk}-{_period_text(month, at)}"
    sent, is_new = deliver(destination, NotificationKind.AVAILABILITY, content, key=key, to=to, at=at)
    if is_new and to is not None:
        recorder.record("report-sent", destination, {"month": (None, str(month))})
    return sent


def _period_text(month: Month, at: datetime) -> str:
    """The month; with the day of sending as long as it is not over, so that its planned report is sent nevertheless."""
    return f"{month}" if at >= sent_at(month) else f"{month}-on-{_today(at)}"


@transaction.atomic
def plan(destination: Destination, *, customer: str, by: User, at: datetime) -> ReportPlan:
    """Start with the current month. A destination has one plan: this replaces it."""
    known = ReportPlan.objects.select_for_update().filter(destination=destination).first()
    before = known.customer if known else None
    fields = {"customer": customer, "by": by, "next_at": sent_at(_month(at))}
    saved, is_new = ReportPlan.objects.update_or_create(destination=destination, defaults=fields)
    recorder.record("created" if is_new else "changed", saved, {"customer": (before, customer)})
    return saved


@skip_when_empty(ReportPlan.objects.due)
def send_due(at: datetime) -> int:
    """Send the report of the month that is over; returns how many. After a longer pause only the last month is sent."""
    due = ReportPlan.objects.due(at).select_related("destination")
    return send_each(due, lambda planned: send_planned(planned, at), loop="reports")


def send_planned(planned: ReportPlan, at: datetime) -> bool:
    """Send the report of a plan, in a transaction. Returns False if another clock was first, or the plan was
    changed meanwhile.
    """
    current = _month(at)
    last = current.shifted(-1) if sent_at(current.shifted(-1)) <= at else current.shifted(-2)
    mine = ReportPlan.objects.filter(pk=planned.pk, next_at=planned.next_at)
    if not mine.update(next_at=sent_at(last.shifted(1))):
        return False
    send(planned.destination, last, customer=planned.customer, to=None, at=at)
    return True


def _month(at: datetime) -> Month:
    return Month.of(_today(at))


def _today(at: datetime) -> date:
    return local_time(at, ZoneInfo(settings.TIME_ZONE)).date()


def _content(found: AvailabilityReport, reader: ReportReader, *, customer: str, at: datetime) -> dict[str, Any]:
    customer = customer or settings.CUSTOMER
    title = translation.gettext("Availability, %(month)s") % {"month": texts.month_text(found.month.first)}
    body = document.pdf(found, reader, customer=customer, at=at)
    return {
        "kind": NotificationKind.AVAILABILITY.value,
        "at": at.isoformat(),
        "title": texts.titled(customer, title) if customer else title,
        "lines": _lines(found),
        "facts": {"availability": _facts(found)},
        "subject": "",
        "severity": "",
        "attachment": {
            "name": f"tms-availability-{found.month}.pdf",
            "content_type": document.CONTENT_TYPE,
            "base64": base64.b64encode(body).decode(),
        },
    }


def _lines(found: AvailabilityReport) -> list[str]:
    result = texts.headline(found)
    lines = [f"{result['percent']} {result['text']}".strip(), *texts.summary(found)]
    if parties := found.total.by_party():
        lines.append("")
        lines += [
            texts.titled(party.label, f"{texts.hours_text(seconds)} ({texts.share(seconds, found.total)})")
            for party, seconds in parties.items()
        ]
    if found.breaches:
        lines.append("")
        lines += [_breach(row) for row in found.breaches[: document.MAX_BREACHES]]
    if settings.PUBLIC_URL:
        lines += ["", address(f"/availability/?month={found.month}")]
    return lines


def _breach(row: AvailabilityRow) -> str:
    lost = texts.lost_text(row.totals.lost_s)
    return texts.titled(row.name, texts.join_texts((texts.percent_text(row.totals), lost, texts.reason_text(row))))


def _facts(found: AvailabilityReport) -> dict[str, Any]:
    return {
        "month": str(found.month),
        "counted_s": found.total.counted_s,
        "lost_s": found.total.lost_s,
        "percent": found.total.percent,
        "target_percent": found.target,
        "parties": {party.value: seconds for party, seconds in found.total.by_party().items()},
        "breaches": [row.code for row in found.breaches],
    }
